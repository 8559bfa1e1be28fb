package engine

import (
	"errors"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// TestASecondReloadIsToldThatOneGoesOn: by a code, so that who can wait for its end does.
func TestASecondReloadIsToldThatOneGoesOn(t *testing.T) {
	ctx, stop, err := Local(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	nd, err := nodeOf(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&roll{h: nd.hub}).book(nil, "ada", nil); err != nil {
		t.Fatal(err)
	}
	err = (&roll{h: nd.hub}).book(nil, "bob", nil)
	if e, ok := errors.AsType[*control.Error](err); !ok || e.Code != control.CodeTaken || e.Text != "a reload is going on already, by ada" {
		t.Errorf("%v", err)
	}
	nd.hub.starts.Done()
}
