package tui

import (
	"context"

	"github.com/fxamacker/cbor/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// probed asks one target, and decodes its answer.
func probed[A any](ctx context.Context, c *control.Client, req control.ProbeReq, query any) (a A, err error) {
	if query != nil {
		if req.Body, err = cbor.Marshal(query); err != nil {
			return a, err
		}
	}
	all, err := c.Probe(ctx, req)
	switch {
	case err != nil:
		return a, err
	case len(all) != 1:
		return a, errText("the session sent no answer")
	case all[0].Error != "":
		return a, errText(all[0].Error)
	}
	return a, cbor.Unmarshal(all[0].Body, &a)
}
