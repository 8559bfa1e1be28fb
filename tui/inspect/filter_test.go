package inspect

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAFilterKeepsWhatItsLinesBelongTo(t *testing.T) {
	p, b := shown(t, 9)
	must(t, p.SetFilter("tag"))
	golden.RequireEqual(t, screen(p, b, 60, 12))
}

func TestAFilterFindsNamesAndValues(t *testing.T) {
	p, b := shown(t, 9)
	all := screen(p, b, 60, 30)
	for text, want := range map[string]string{
		"loss": "loss", "pinger[1]": "peer", "queued": "Mailbox", "!state": "Mailbox", "/ret\\w+s/": "retries",
	} {
		must(t, p.SetFilter(text))
		got := screen(p, b, 60, 30)
		worldtest.Has(t, got, want)
		worldtest.Has(t, got, " shown ")
		if strings.Contains(got, "deep") && text != "!state" {
			t.Errorf("%s finds too much:\n%s", text, got)
		}
	}
	must(t, p.SetFilter("loss 0.8"))
	if got := screen(p, b, 60, 30); !p.ClearLast() || !strings.Contains(got, "loss") {
		t.Errorf("a name with its value is not found:\n%s", got)
	}
	if p.Filter() != "loss" || !p.ClearLast() || p.ClearLast() || screen(p, b, 60, 30) != all {
		t.Errorf("cleared term by term it is not what it was: %q", p.Filter())
	}
	if err := p.SetFilter("/(/"); err == nil || p.Filter() != "" {
		t.Errorf("a filter that is none was taken: %v, %q", err, p.Filter())
	}
	must(t, p.SetFilter("nobody"))
	worldtest.Has(t, screen(p, b, 60, 30), "nothing gets through the filter")
}

func TestWhatAFilterLooksIntoCanBeClosedAndOpened(t *testing.T) {
	p, b := shown(t, 9)
	must(t, p.SetFilter("retries"))
	worldtest.Has(t, screen(p, b, 60, 12), "retries  3")
	for p.here().node == nil || p.here().node.Name != "opts" {
		p.Down(1)
	}
	p.Enter()
	if got := screen(p, b, 60, 12); strings.Contains(got, "└ ") || !strings.Contains(got, "▸ opts") {
		t.Errorf("it does not close:\n%s", got)
	}
	p.Enter()
	worldtest.Has(t, screen(p, b, 60, 12), "▾ opts")
}
