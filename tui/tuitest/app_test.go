package tuitest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/charmbracelet/x/vt"
)

// TestTheScreenMayBeLookedAtWhileItIsDrawn is for the race detector.
func TestTheScreenMayBeLookedAtWhileItIsDrawn(t *testing.T) {
	d := display{emu: vt.NewEmulator(40, 10)}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 200 {
			fmt.Fprintf(&d, "\x1b[Hline %d\x1b[K", i)
		}
	})
	wg.Go(func() {
		for i := range 200 {
			d.resize(40+i%3, 10)
		}
	})
	for range 200 {
		_ = d.String()
	}
	wg.Wait()
	if got := d.String(); len(got) < 8 || got[:8] != "line 199" {
		t.Errorf("%q", got)
	}
}
