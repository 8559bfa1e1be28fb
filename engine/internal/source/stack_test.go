package source

import (
	"path/filepath"
	"testing"
)

func deep(n int, f func()) {
	if n > 0 {
		deep(n-1, f)
		return
	}
	f()
}

func TestAStackIsReadToItsEnd(t *testing.T) {
	deep(1000, func() {
		if !Under("source.TestAStackIsReadToItsEnd") || Under("source.nobody") {
			t.Error("it was not found, or something else was")
		}
		fn, file, line := CallerOf("testing.tRunner")
		if fn == "" || file == "" || line == 0 {
			t.Errorf("%q %q %d", fn, file, line)
		}
	})
	func() {
		fn, file, line := CallerOf("source.deep")
		if fn != "" || line != 0 {
			t.Errorf("%q %q", fn, file)
		}
	}()
	deep(0, func() {
		if fn, file, _ := CallerOf("source.deep"); filepath.Base(file) != "stack_test.go" || fn == "" {
			t.Errorf("%q %q", fn, file)
		}
	})
	done := make(chan bool)
	go func() { done <- Under("source.TestAStackIsReadToItsEnd") }()
	if <-done {
		t.Error("another goroutine's stack was read")
	}
}
