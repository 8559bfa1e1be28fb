package main

import (
	"cmp"
	"context"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger/watch"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui"
)

// beside tells the explorer how the watching goes. What comes of reloads the session tells it.
type beside struct {
	to      chan tui.Watch // of one place: the newest is what matters
	now     tui.Watch
	saved   time.Time // when the newest of the files was
	refused string    // why the last change was not reloaded
}

// watchBeside reloads a program when its source changes, beside the explorer.
func watchBeside(ctx context.Context, c *control.Client, path string, to chan tui.Watch) {
	b := &beside{to: to}
	cfg := watchConfig(c, path, b.ended)
	files, reload := cfg.Files, cfg.Reload
	cfg.Files = func(ctx context.Context) (map[string]watch.Stamp, error) {
		list, err := files(ctx)
		if ctx.Err() == nil {
			b.looked(list, err)
		}
		return list, err
	}
	cfg.Reload = func(ctx context.Context) (control.Reload, error) {
		delay := min(max(0, time.Since(b.saved)), time.Minute)
		rec, err := reload(ctx)
		if err == nil {
			b.now.Reload, b.now.Delay = rec.ID, delay
		}
		return rec, err
	}
	_ = watch.Loop(ctx, cfg) // that nothing can be listed was told
}

// looked takes what a look at the files has found.
func (b *beside) looked(list map[string]watch.Stamp, err error) {
	next := b.now
	next.Why = b.refused
	if err != nil {
		next.Why = cmp.Or(err.Error(), b.refused)
	} else {
		next.Files, b.saved = len(list), time.Time{}
		for _, f := range list {
			if f.Time.After(b.saved) {
				b.saved = f.Time
			}
		}
	}
	b.tell(next)
}

// ended takes what came of a change.
func (b *beside) ended(_ control.Reload, err error) {
	next := b.now
	b.refused = ""
	if err != nil {
		b.refused = "not reloaded: " + err.Error()
	}
	next.Why = b.refused
	b.now = tui.Watch{} // the reload may be another one
	b.tell(next)
}

func (b *beside) tell(next tui.Watch) {
	if next == b.now {
		return
	}
	b.now = next
	select {
	case <-b.to:
	default:
	}
	b.to <- next
}
