package main

import (
	"errors"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger/watch"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui"
)

// TestTheExplorerIsToldHowTheWatchingGoes: the newest word is there, each change of it once, and what was refused until a reload
// went well.
func TestTheExplorerIsToldHowTheWatchingGoes(t *testing.T) {
	b := &beside{to: make(chan tui.Watch, 1)}
	told := func(want tui.Watch, why string) {
		t.Helper()
		select {
		case got := <-b.to:
			if got != want {
				t.Errorf("%s: %+v, want %+v", why, got, want)
			}
		default:
			t.Errorf("%s: nothing is told", why)
		}
	}
	files := map[string]watch.Stamp{"a.go": {Time: time.Unix(5, 0)}, "b.go": {Time: time.Unix(9, 0)}}
	b.looked(nil, errors.New("no folder"))
	b.looked(files, nil)
	told(tui.Watch{Files: 2}, "there are two files")
	if !b.saved.Equal(time.Unix(9, 0)) {
		t.Errorf("saved at %v", b.saved)
	}
	b.looked(files, nil)
	if len(b.to) > 0 {
		t.Error("the same is told twice")
	}
	b.ended(control.Reload{}, errors.New("there are no worker processes"))
	told(tui.Watch{Files: 2, Why: "not reloaded: there are no worker processes"}, "it was refused")
	b.looked(files, nil)
	if len(b.to) > 0 {
		t.Error("a look takes back what was refused")
	}
	b.now.Reload, b.now.Delay = 7, time.Second
	b.ended(control.Reload{ID: 7}, nil)
	told(tui.Watch{Files: 2, Reload: 7, Delay: time.Second}, "it was reloaded")
}
