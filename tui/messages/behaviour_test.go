package messages

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"
	"pgregory.net/rapid"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// lines are the rows of the inside of the pane, without its heading.
func lines(p *Pane, k *talk, w, h int) []string {
	s := paint.New(w, h)
	p.Draw(s, k.World, true)
	var out []string
	for _, l := range strings.Split(s.Plain(), "\n")[1:] {
		if strings.TrimSpace(l) != "" {
			out = append(out, l)
		}
	}
	return out
}

func TestAnEmptyPaneSaysWhatFillsIt(t *testing.T) {
	k := newTalk(t)
	for _, tab := range []Tab{List, Flow} {
		p := New(worldtest.Keys)
		p.SetTab(tab)
		got := screen(p, k, 60, 6)
		worldtest.Has(t, got, "Nothing was called yet.")
		worldtest.Has(t, got, "x  calls an endpoint of the selected ranks")
	}
	k = story(t)
	p := New(worldtest.Keys)
	if err := p.SetFilter("from:nobody"); err != nil {
		t.Fatal(err)
	}
	got := screen(p, k, 60, 8)
	worldtest.Has(t, got, "no message gets through the filter")
	worldtest.Has(t, got, "0 of 43 shown")
	if !p.ClearLast() || p.ClearLast() || p.Filter() != "" {
		t.Error("esc does not take the filter away term by term")
	}
	worldtest.Has(t, screen(p, k, 60, 8), "run(rounds=3)")
}

func TestAFilterSaysHowMuchItHides(t *testing.T) {
	k := story(t)
	p := New(worldtest.Keys)
	for text, want := range map[string]string{
		"to:ponger[3]":      "6 of 43 shown",
		"kind:error":        "2 of 43 shown",
		"kind:lost":         "1 of 43 shown",
		"!kind:reply":       "5 of 43 shown", // nothing that was answered
		"rank:5 state:wait": "0 of 43 shown",
		"pong(n=3)":         "16 of 43 shown",
		"took:>6ms":         "16 of 43 shown",
		"signal":            "1 of 43 shown",
	} {
		if err := p.SetFilter(text); err != nil {
			t.Fatal(err)
		}
		worldtest.Has(t, screen(p, k, 76, 12), want)
	}
	if err := p.SetFilter("rank:3 n=3"); err != nil {
		t.Fatal(err)
	}
	got := screen(p, k, 76, 12)
	worldtest.Has(t, got, "×1 of 8") // one of the fold gets through
	if err := p.SetFilter("took:soon"); err == nil || p.Filter() != "rank:3 n=3" {
		t.Errorf("a filter that is none was taken, or changed the one there was: %v, %q", err, p.Filter())
	}
	golden.RequireEqual(t, got)
}

func TestAFoldOpensIntoItsExchanges(t *testing.T) {
	for _, tab := range []Tab{List, Flow} {
		t.Run([]string{"list", "flow"}[tab], func(t *testing.T) {
			k := story(t)
			p := New(worldtest.Keys)
			p.SetTab(tab)
			screen(p, k, 100, 24)
			p.Home()
			p.Down(1)
			if !p.Enter() {
				t.Fatal("the fold does not open")
			}
			golden.RequireEqual(t, screen(p, k, 100, 24))
			p.Down(3)
			if p.Enter() {
				t.Error("an exchange opens")
			}
			p.Left()
			if sel, _ := p.Selected(); len(sel.Ranks) != 8 || p.view.Rows[p.view.Cursor()].f.open {
				t.Errorf("left does not close the fold: %+v", sel)
			}
			p.Right()
			if !p.view.Rows[p.view.Cursor()].f.open {
				t.Error("right does not open the fold")
			}
		})
	}
}

func TestUnfoldedEachMessageIsARow(t *testing.T) {
	k := story(t)
	p := New(worldtest.Keys)
	p.ToggleFold()
	golden.RequireEqual(t, screen(p, k, 100, 48))
}

func TestTheListFollowsUntilItIsScrolled(t *testing.T) {
	k := newTalk(t)
	busyTalk(k, 200)
	p := New(worldtest.Keys)
	worldtest.Has(t, screen(p, k, 76, 10), "following ▼")
	p.Up(3)
	before := lines(p, k, 76, 10)
	k.callRanks(nil, "main", "ponger", "pong", []byte{0x03}, 1)
	if after := lines(p, k, 76, 10); strings.Join(before, "\n") != strings.Join(after, "\n") {
		t.Errorf("the rows moved:\n%s\n\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	worldtest.Has(t, screen(p, k, 76, 10), "▼ 1 new")
	p.End()
	worldtest.Has(t, screen(p, k, 76, 10), "following ▼")
	worldtest.Has(t, screen(p, k, 76, 10), "pong(n=3)")
}

// TestWhatIsLookedAtStaysInAFlood_INV_STAY holds INV-STAY.
func TestWhatIsLookedAtStaysInAFlood_INV_STAY(t *testing.T) {
	k := newTalk(t)
	busyTalk(k, 25_000)
	for name, stop := range map[string]func(p *Pane){
		"scrolled up": func(p *Pane) { p.Up(20) }, "frozen": (*Pane).Freeze, "at the oldest": (*Pane).Home,
	} {
		p := New(worldtest.Keys)
		screen(p, k, 76, 10)
		stop(p)
		before := strings.Join(lines(p, k, 76, 10), "\n")
		total := k.Messages.Total()
		for range 20 {
			busyTalk(k, 1600)
			if after := strings.Join(lines(p, k, 76, 10), "\n"); after != before {
				t.Fatalf("%s: the rows moved:\n%s\n\n%s", name, before, after)
			}
		}
		worldtest.Has(t, screen(p, k, 76, 10), "▼ "+paint.Exact(k.Messages.Total()-total)+" came since")
		p.End()
		worldtest.Has(t, screen(p, k, 76, 10), "following ▼")
		check(t, p.ix, &k.Messages)
	}
}

func TestAFrozenViewGoesOn(t *testing.T) {
	k := story(t)
	p := New(worldtest.Keys)
	screen(p, k, 76, 10)
	p.Freeze()
	k.callRanks(nil, "main", "ponger", "say", []byte{0x63, 'n', 'e', 'w'}, 1)
	got := screen(p, k, 76, 10)
	worldtest.Has(t, got, "frozen · ▼ 1 came since")
	if strings.Contains(got, `"new"`) || p.Following() || !p.Frozen() {
		t.Error("a frozen view shows what is new")
	}
	p.Freeze()
	worldtest.Has(t, screen(p, k, 76, 10), `say(text="new")`)
}

func TestCausesAndEffectsAreFollowed(t *testing.T) {
	k := story(t)
	p := New(worldtest.Keys)
	screen(p, k, 76, 18)
	p.Home()
	if !p.Effect() || !strings.Contains(p.Text(k.World), "pong(n=3)") {
		t.Errorf("the effect of run is %q: %s", p.Text(k.World), p.Why())
	}
	if p.Effect() || p.Why() != "its handler has sent nothing that is kept" {
		t.Errorf("the last of a chain has an effect: %q", p.Why())
	}
	if !p.Family() || p.Filter() != "family:1" {
		t.Errorf("the family is %q: %s", p.Filter(), p.Why())
	}
	if got := screen(p, k, 76, 18); strings.Contains(got, "stop()") || !strings.Contains(got, "run(") {
		t.Errorf("the family of call 1 is\n%s", got)
	}
	if !p.Cause() || !strings.Contains(p.Text(k.World), "run(rounds=3)") {
		t.Errorf("the cause of pong is %q: %s", p.Text(k.World), p.Why())
	}
	if p.Cause() || p.Why() != "nothing: it was not sent by a handler" {
		t.Errorf("main was caused: %q", p.Why())
	}
	if err := p.SetFilter("endpoint:run"); err != nil {
		t.Fatal(err)
	}
	if p.Effect() || p.Why() != "the filter hides it; esc clears its last term" {
		t.Errorf("a hidden effect: %q", p.Why())
	}
	p.Family()
	p.Family()
	if p.Filter() != "endpoint:run" {
		t.Errorf("the family does not go away: %q", p.Filter())
	}
}

func opened(p *Pane, k *talk) string {
	var b strings.Builder
	for _, line := range p.Open(k.World) {
		for _, s := range line {
			b.WriteString(s.Text)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestTheRowUnderTheCursorHasDetails(t *testing.T) {
	k := story(t)
	p := New(worldtest.Keys)
	screen(p, k, 76, 18)
	var b strings.Builder
	p.Home()
	for range len(p.view.Rows) {
		b.WriteString(opened(p, k))
		b.WriteString("— copied: " + p.Text(k.World) + "\n\n")
		p.Down(1)
	}
	golden.RequireEqual(t, b.String())
}

func TestTheCursorTellsWhatItIsOn(t *testing.T) {
	k := story(t)
	p := New(worldtest.Keys)
	if _, ok := p.Selected(); ok {
		t.Error("a pane that was not drawn has a cursor")
	}
	screen(p, k, 76, 18)
	p.Home()
	p.Click(5, 1+5)
	if sel, ok := p.Selected(); !ok || sel.Mesh != "ponger" || fmt.Sprint(sel.Ranks) != "[1 2 3]" || sel.Call != 12 {
		t.Errorf("the click is on %+v", sel)
	}
	p.Click(5, 1+4)
	if sel, ok := p.Selected(); !ok || sel.Proc != 6 || sel.Mesh != "ponger" || sel.Ranks[0] != 5 || sel.Call != 0 {
		t.Errorf("the click is on %+v", sel)
	}
	p.Click(0, 1)
	if !p.view.Rows[0].f.open {
		t.Error("a click on the sign of a fold does not open it")
	}
	p.Wheel(2)
	if p.Following() {
		t.Error("it follows after a click")
	}
}

// TestDroppedMessagesAreCounted_INV_COUNT holds INV-COUNT.
func TestDroppedMessagesAreCounted_INV_COUNT(t *testing.T) {
	k := story(t)
	k.Dropped(1234)
	worldtest.Has(t, screen(New(worldtest.Keys), k, 76, 6), "1,234 events dropped")
	worldtest.Has(t, screen(New(worldtest.Keys), k, 30, 6), "1.2k dropped")
	busyTalk(k, 22_000)
	worldtest.Has(t, screen(New(worldtest.Keys), k, 76, 6), "older let go")
	k.calls++
	k.Message(control.Message{Call: k.calls, ID: k.id(), Kind: control.MessageCall, From: "main", To: "@ponger[1]", Endpoint: "pong", Ranks: 8})
	p := New(worldtest.Keys)
	screen(p, k, 76, 6)
	worldtest.Has(t, opened(p, k), "7 messages of 8 were not seen")
}

func TestAnythingDoneAtAnySizeKeepsTheCursorOnARow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := newTalk(t)
		p := New(worldtest.Keys)
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			n := rapid.IntRange(0, 30).Draw(rt, "n")
			switch rapid.IntRange(0, 20).Draw(rt, "action") {
			case 0:
				p.Up(n)
			case 1:
				p.Down(n)
			case 2:
				p.Page(n - 15)
			case 3:
				p.Home()
			case 4:
				p.End()
			case 5:
				p.Enter()
			case 6:
				p.Left()
			case 7:
				p.Right()
			case 8:
				p.Freeze()
			case 9:
				p.ToggleFold()
			case 10:
				p.SetTab(Tab(n % 2))
			case 11:
				_ = p.SetFilter(rapid.SampledFrom([]string{"", "pong", "rank:3", "!kind:reply", "hi took:>1ms"}).Draw(rt, "filter"))
			case 12:
				p.Click(n, n/2)
			case 13:
				p.Wheel(n - 15)
			case 14:
				p.Effect()
				p.Cause()
			case 15:
				p.Family()
			case 16:
				p.SetFocus(rapid.SampledFrom([]string{"", "ponger", "pinger", "gone"}).Draw(rt, "mesh"), upTo(n%9))
			case 17:
				p.Open(k.World)
				p.Selected()
				p.Text(k.World)
				p.ClearLast()
			case 18:
				k.Failure(control.Failure{Mesh: "ponger", Rank: n, Proc: uint64(n), What: "gone"})
			default:
				k.Tick(time.Millisecond)
				run := k.callRanks(nil, "main", "pinger", "run", []byte{0x03}, upTo(n%8+1)...)
				for _, c := range run[:len(run)/2] {
					k.answer(k.callRanks(c, c.To, "ponger", "say", []byte{0x62, 'h', 'i'}, n%8)[0], nil, []string{"", "wrong"}[n%2])
				}
			}
			w, h := rapid.IntRange(0, 130).Draw(rt, "w"), rapid.IntRange(0, 40).Draw(rt, "h")
			p.Frame(k.World)
			p.Draw(paint.New(w, h), k.World, n%2 == 0)
			if len(p.view.Rows) > 0 && (p.view.Cursor() < 0 || p.view.Cursor() >= len(p.view.Rows)) {
				rt.Fatalf("the cursor is on row %d of %d", p.view.Cursor(), len(p.view.Rows))
			}
		}
	})
}

func TestACutArgumentIsShownUpToItsEnd(t *testing.T) {
	text := &schema.Schema{Kind: schema.KindString, Name: "string"}
	list := &schema.Schema{Kind: schema.KindList, Name: "[]string", Elem: text}
	for want, c := range map[string]struct {
		s    *schema.Schema
		body string
		cut  bool
	}{
		`"hello"`:      {text, "\x65hello", false},
		`"hello…`:      {text, "\x78\xc8hello", true},
		`"gr…`:         {text, "\x78\xc8gr\xc3", true},
		`["a", "b", …`: {list, "\x98\xc8\x61a\x61b\x62", true},
		`["a", "bc…`:   {list, "\x98\xc8\x61a\x63bc", true},
		`{a: 1, b: […`: {nil, "\xa3\x61a\x01\x61b\x99\x01\x00", true},
		`h'0001…`:      {nil, "\x59\x01\x00\x00\x01", true},
		`…`:            {text, "\x78", true},
		`0…`:           {nil, "\x00", true},
	} {
		if got := Preview(nil, c.s, []byte(c.body), c.cut); got != want {
			t.Errorf("%q is shown as %s, want %s", c.body, got, want)
		}
	}
}

func FuzzPreview(f *testing.F) {
	f.Add([]byte("\xa3\x61a\x01\x61b\x99\x01\x00"), true)
	f.Add([]byte("\x98\xc8\x61a\x61b\x62"), true)
	f.Add([]byte("\xc0\x74"), true)
	f.Add([]byte("\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x01"), true)
	f.Fuzz(func(t *testing.T, body []byte, cut bool) {
		if len(body) > control.MaxPreview {
			return
		}
		text := Preview(nil, nil, body, cut)
		if cut && !strings.HasSuffix(text, "…") || strings.ContainsAny(text, "\x00\n\x1b") || len(text) > 8000 {
			t.Fatalf("%x is shown as %q", body, text)
		}
	})
}

func TestWhyAThingEndedBeginsWithItsCause(t *testing.T) {
	const why = "worker 5 of procs trainers (pid 5006) was killed by SIGKILL"
	k := newTalk(t)
	lost := k.callRanks(nil, "main", "ponger", "pong", []byte{0x03}, 5)
	k.answer(lost[0], nil, why)
	k.Proc("trainers", 5, "killed", why)
	k.Failure(control.Failure{Mesh: "ponger", Rank: 5, Proc: 6, What: why})
	k.Failure(control.Failure{Mesh: "trainers", Rank: 7, What: strings.ReplaceAll(why, "5", "7")})
	for _, tab := range []Tab{List, Flow} {
		p := New(worldtest.Keys)
		p.SetTab(tab)
		if got := screen(p, k, 100, 12); strings.Count(got, "SIGKILL: worker 5") != 2 || strings.Count(got, "SIGKILL: worker 7") != 1 {
			t.Error(got)
		}
	}
}

func TestWhereNothingIsShownNoWordIsCut(t *testing.T) {
	for w := 18; w <= 38; w++ {
		b, p := newTalk(t), New(worldtest.Keys)
		cut := regexp.MustCompile(`\S…`) // a … by itself stands for tabs
		if got := screen(p, b, w, 9); cut.MatchString(got) || !strings.Contains(got, "Nothing was") {
			t.Error(got)
		}
		b.callRanks(nil, "main", "ponger", "stop", nil, 0)
		if err := p.SetFilter("-"); err != nil {
			t.Fatal(err)
		}
		if got := screen(p, b, w, 9); cut.MatchString(got) || !strings.Contains(got, "esc  clears") {
			t.Error(got)
		}
	}
}

func TestInTheFlowTimeRunsDown(t *testing.T) {
	k := newTalk(t)
	some := k.callRanks(nil, "main", "ponger", "pong", []byte{0x03}, 0, 1, 2)
	for _, rank := range []int{2, 0} {
		k.Tick(time.Millisecond)
		other := k.callRanks(nil, "main", "pinger", "run", []byte{0x01}, 0)
		k.Tick(time.Millisecond)
		k.answer(some[rank], []byte{0x04}, "")
		k.answer(other[0], nil, "")
	}
	p := New(worldtest.Keys)
	p.SetTab(Flow)
	screen(p, k, 100, 16)
	p.Home()
	if !p.Enter() {
		t.Fatal("the fold does not open")
	}
	last, exchanges := time.Time{}, 0
	for i, r := range p.view.Rows {
		if p.when(r).Before(last) {
			t.Errorf("row %d is of before the one above it:\n%s", i, screen(p, k, 100, 16))
		}
		last = p.when(r)
		if r.part == oneExchange {
			exchanges++
		}
	}
	if exchanges != 3 {
		t.Errorf("the open fold has %d exchanges, want 3", exchanges)
	}
}
