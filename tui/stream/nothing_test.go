package stream_test

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/stream"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestWhatIsSaidWithoutRowsIsWrappedOrLeftOut(t *testing.T) {
	hints := []stream.Hint{{Text: "Nothing was called yet."}, {Action: "call", Text: "calls an endpoint"}}
	for _, c := range []struct {
		w, h int
		want string
	}{
		{25, 3, "\n Nothing was called yet.\n x  calls an endpoint"},
		{18, 6, "\n Nothing was\n called yet.\n x  calls an\n    endpoint\n"},
		{18, 3, "\n Nothing was\n called yet."},
		{18, 2, " Nothing was\n called yet."},
		{18, 1, ""},
		{25, 1, " Nothing was called yet."},
		{2, 5, "\n\n\n\n"},
	} {
		s := paint.New(c.w, c.h)
		stream.DrawNothing(s, worldtest.Keys, hints...)
		if got := s.Plain(); got != c.want {
			t.Errorf("%d×%d:\n%s", c.w, c.h, got)
		}
	}
}
