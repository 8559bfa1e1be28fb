package via

import (
	"fmt"
	"io"
	"time"
)

// often is how often the progress of a copy is told.
const often = time.Second

// progress is a reader that tells how much was read of it, not more often than a person can read.
type progress struct {
	r    io.Reader
	told time.Time // when it was told last, or began
	n    int64
	tell func(n int64)
}

// Read reads, and tells.
func (p *progress) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.n += int64(n)
	if now := time.Now(); now.Sub(p.told) >= often {
		p.told = now
		p.tell(p.n)
	}
	return n, err
}

// copying says how far a copy is.
func copying(n, size int64) string {
	const mega = 1 << 20
	return fmt.Sprintf("%d of %d MiB of the program are copied", n/mega, (size+mega-1)/mega)
}
