package via

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// slow takes a while for each byte.
type slow struct{ r io.Reader }

func (s slow) Read(b []byte) (int, error) {
	time.Sleep(400 * time.Millisecond)
	return s.r.Read(b[:1])
}

// TestTheProgressOfACopyIsToldOnceASecond is in virtual time: a byte every 400 ms, so that each third tells.
func TestTheProgressOfACopyIsToldOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []int64
		p := &progress{r: slow{strings.NewReader("0123456789")}, told: time.Now(), tell: func(n int64) { told = append(told, n) }}
		if b, err := io.ReadAll(p); err != nil || string(b) != "0123456789" {
			t.Errorf("%q was read (%v)", b, err)
		}
		if len(told) != 3 || told[0] != 3 || told[1] != 6 || told[2] != 9 {
			t.Errorf("told was %v, want 3, 6 and 9 bytes", told)
		}
	})
	if got, want := copying(3<<20, 25<<20+1), "3 of 26 MiB of the program are copied"; got != want {
		t.Errorf("it is told as %q, want %q", got, want)
	}
}
