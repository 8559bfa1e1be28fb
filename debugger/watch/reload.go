package watch

import (
	"context"
	"errors"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Reload has a session reload everything. Where another reload is going on, a person's, it waits until that is over and asks again:
// it may have begun before the last change.
func Reload(ctx context.Context, c *control.Client) (control.Reload, error) {
	for {
		rec, err := c.Reload(ctx, control.ReloadReq{})
		if e, ok := errors.AsType[*control.Error](err); !ok || e.Code != control.CodeTaken {
			return rec, err
		}
		if err := awaitReload(ctx, c); err != nil {
			return rec, err
		}
	}
}

// awaitReload waits until no reload is going on.
func awaitReload(ctx context.Context, c *control.Client) error {
	w, err := c.Watch(ctx, control.TopicState)
	if err != nil {
		return err
	}
	defer w.Close()
	for goes := true; goes; {
		up, err := w.Next(ctx)
		if err != nil {
			return err
		}
		if up.Snapshot != nil {
			goes = slices.ContainsFunc(up.Snapshot.Reloads, func(r control.Reload) bool { return !r.Over() })
		}
		for _, ev := range up.Events { // there is one at a time
			if ev.Reload != nil {
				goes = !ev.Reload.Over()
			}
		}
	}
	return nil
}
