package watch_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger/watch"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// TestAChangeThatIsOverIsReloadedOnce: while somebody writes nothing is built, and what does not build is told, and built again
// when it has changed again.
func TestAChangeThatIsOverIsReloadedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := map[string]watch.Stamp{"main.go": {Size: 1}}
		var broken error
		reloads, told := 0, []error{}
		var mu sync.Mutex
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- watch.Loop(ctx, watch.Config{
				Files: func(context.Context) (map[string]watch.Stamp, error) {
					mu.Lock()
					defer mu.Unlock()
					return maps.Clone(files), broken
				},
				Every: time.Second,
				Reload: func(context.Context) (control.Reload, error) {
					mu.Lock()
					defer mu.Unlock()
					reloads++
					return control.Reload{}, broken
				},
				Tell: func(_ control.Reload, err error) { told = append(told, err) },
			})
		}()
		step := func(want int, why string) {
			t.Helper()
			time.Sleep(time.Second) // of the bubble: one look
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if reloads != want {
				t.Errorf("%s: %d reloads, want %d", why, reloads, want)
			}
		}
		put := func(name string, size int64) {
			mu.Lock()
			defer mu.Unlock()
			if files[name] = (watch.Stamp{Size: size}); size == 0 {
				delete(files, name)
			}
		}
		fail := func(err error) {
			mu.Lock()
			defer mu.Unlock()
			broken = err
		}
		time.Sleep(time.Millisecond) // looks are between the steps
		step(0, "nothing has changed")
		put("main.go", 2)
		step(0, "it has just changed")
		put("main.go", 3)
		step(0, "it changes still")
		step(1, "it is over")
		step(1, "nothing more has changed")
		fail(errors.New("no folder"))
		put("other.go", 1)
		step(1, "it cannot be listed")
		fail(nil)
		step(1, "there is a new file")
		step(2, "it is over")
		put("other.go", 0)
		step(2, "it has gone")
		step(3, "it is over")
		cancel()
		if err := <-done; err != nil || len(told) != 3 {
			t.Errorf("%v, told %v", err, told)
		}
	})
}

func TestWhatCannotBeWatchedSaysSo(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{text, "/nonexistent"} {
		if _, err := watch.Program(path)(t.Context()); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
}
