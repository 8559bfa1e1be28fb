package messages

import (
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// TestWhatIsNewIsCountedInRows makes three calls of 4 ranks: 24 messages, and 3 rows.
func TestWhatIsNewIsCountedInRows(t *testing.T) {
	k := story(t)
	p := New(worldtest.Keys)
	screen(p, k, 76, 10)
	p.Home()
	for range 3 {
		for _, c := range k.callRanks(nil, "main", "ponger", "pong", []byte{0x03}, upTo(4)...) {
			k.answer(c, []byte{0x04}, "")
		}
	}
	worldtest.Has(t, screen(p, k, 76, 6), "· ▼ 3 new")
	if err := p.SetFilter("endpoint:stop"); err != nil {
		t.Fatal(err)
	}
	if got := screen(p, k, 76, 10); strings.Contains(got, "new") {
		t.Errorf("what the filter keeps out is told as new:\n%s", got)
	}
}

// TestACancelledCallIsNoError tells of it with the sign that a cancelled command has.
func TestACancelledCallIsNoError(t *testing.T) {
	k := newTalk(t)
	cancel := func(c *sentCall) {
		m := control.Message{
			Call: c.Call, Parent: c.ID, Trace: c.Trace, Kind: control.MessageError, From: c.To, To: c.From, Endpoint: c.Endpoint, Ranks: c.Ranks,
			Took: time.Second, Outcome: control.OutcomeCancelled, Error: "context canceled", Time: k.Now,
		}
		k.Message(m)
	}
	cancel(k.callRanks(nil, "main", "ponger", "stop", nil, 0)[0])
	some := k.callRanks(nil, "main", "ponger", "pong", []byte{0x03}, 1, 2, 3, 4)
	k.answer(some[0], []byte{0x04}, "")
	cancel(some[1])
	cancel(some[2])
	k.answer(some[3], nil, "want int, got string")
	for _, tab := range []Tab{List, Flow} {
		p := New(worldtest.Keys)
		p.SetTab(tab)
		got := screen(p, k, 116, 10)
		worldtest.Has(t, got, "○ cancelled")
		worldtest.Has(t, got, "○ 2 cancelled")
		if strings.Count(got, "✕") != 1+int(tab) || strings.Contains(got, "context canceled") { // the flow has a sign on the arrow, too
			t.Errorf("a cancelled call is shown as an error:\n%s", got)
		}
	}
	p := New(worldtest.Keys)
	for filter, want := range map[string]string{"state:cancelled": "6 of 10 shown", "state:failed": "2 of 10 shown", "kind:error": "2 of 10 shown", "cancelled": "6 of 10 shown"} {
		if err := p.SetFilter(filter); err != nil {
			t.Fatal(err)
		}
		worldtest.Has(t, screen(p, k, 76, 10), want)
	}
	if err := p.SetFilter(""); err != nil {
		t.Fatal(err)
	}
	p.Down(1)
	var text strings.Builder
	for _, line := range p.Open(k.World) {
		for _, seg := range line {
			text.WriteString(seg.Text)
			if seg.Style.Fg == paint.Failed && strings.Contains(seg.Text, "cancelled") {
				t.Errorf("%q has the colour of what has failed", seg.Text)
			}
		}
		text.WriteByte('\n')
	}
	worldtest.Has(t, text.String(), "    2 ○ cancelled\n      ponger[2-3]")
}
