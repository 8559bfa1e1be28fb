package messages

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// answerAt answers a call that came into the mailbox, and began, at times after its sending.
func (k *talk) answerAt(c *sentCall, body []byte, arrived, began time.Duration) {
	m := control.Message{
		Call: c.Call, ID: k.id(), Parent: c.ID, Trace: c.Trace, Kind: control.MessageReply, From: c.To, To: c.From, Endpoint: c.Endpoint,
		Ranks: c.Ranks, Body: body, Bytes: len(body), Took: k.Now.Sub(c.Time), Outcome: control.OutcomeReply, Time: k.Now,
		Arrived: c.Time.Add(arrived), Began: c.Time.Add(began),
	}
	k.Message(m)
}

const ms = time.Millisecond

// spacetime is a call of an actor that calls two others: one of them has to wait for the other's call in the mailbox, one
// call is long under way, and at last a frame stands at a breakpoint.
func spacetime(t testing.TB) *talk {
	t.Helper()
	k := newTalk(t)
	run := k.callRanks(nil, "main", "pinger", "run", []byte{0x03}, 1)[0]
	k.Tick(2 * ms)
	first := k.callRanks(run, "@pinger[1]", "ponger", "pong", []byte{0x01}, 0)[0]
	k.Tick(ms)
	second := k.callRanks(nil, "tui ada", "ponger", "say", []byte{0x62, 'h', 'i'}, 0)[0] // behind the first
	k.Tick(9 * ms)
	k.answerAt(first, []byte{0x02}, ms/2, ms/2+ms/10)
	k.Tick(6 * ms)
	k.answerAt(second, []byte{0x62, 'h', 'o'}, ms/2, 9*ms+ms/2)
	slow := k.callRanks(run, "@pinger[1]", "ponger", "pong", []byte{0x05}, 3)[0] // long under way
	k.Tick(ms)
	other := k.callRanks(nil, "tui ada", "ponger", "say", []byte{0x62, 'y', 'o'}, 0)[0]
	k.Tick(2 * ms)
	k.answerAt(other, []byte{0x62, 'h', 'o'}, ms/10, ms/10)
	k.Tick(7 * ms)
	k.answerAt(slow, []byte{0x06}, 8*ms, 8*ms)
	k.Tick(ms)
	k.answerAt(run, nil, ms, ms)
	held := k.callRanks(nil, "main", "ponger", "pong", []byte{0x07}, 0)[0]
	k.Tick(ms)
	k.Stop(control.Stop{ID: 1, Gen: 1, Mesh: "ponger", Rank: 0, Site: control.SiteRecv, Endpoint: "pong", Break: 2, Msg: held.ID, Call: held.Call, Since: k.Now})
	k.Rank("ponger", 0, "busy", 3)
	k.Tick(12100 * ms)
	return k
}

func TestTheFlowTellsWhenCallsCameAndBegan(t *testing.T) {
	for _, size := range [][2]int{{116, 22}, {76, 22}, {44, 20}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			p := New(worldtest.Keys)
			p.SetTab(Flow)
			golden.RequireEqual(t, screen(p, spacetime(t), size[0], size[1]))
		})
	}
	t.Run("it went on", func(t *testing.T) {
		k, p := spacetime(t), New(worldtest.Keys)
		p.SetTab(Flow)
		screen(p, k, 100, 22)
		k.GoOn(1)
		k.Tick(time.Second)
		golden.RequireEqual(t, screen(p, k, 100, 22))
	})
}

// TestClocksThatAreWrongMoveNothingOutOfItsCall is about processes whose clocks nobody sets, and about hostile ones.
func TestClocksThatAreWrongMoveNothingOutOfItsCall(t *testing.T) {
	for _, c := range []struct{ arrived, began, wantArrived, wantBegan time.Duration }{
		{3 * ms, 5 * ms, 3 * ms, 5 * ms},
		{-time.Hour, 5 * ms, 0, 5 * ms},
		{3 * ms, time.Hour, 3 * ms, 10*ms - 1},
		{time.Hour, time.Hour, 10*ms - 1, 10*ms - 1},
		{5 * ms, 3 * ms, 5 * ms, 5 * ms},
		{-1 << 62, 1 << 62, 0, 10*ms - 1},
	} {
		k, p := newTalk(t), New(worldtest.Keys)
		p.SetTab(Flow)
		call := k.callRanks(nil, "main", "ponger", "pong", []byte{0x01}, 0)[0]
		k.Tick(10 * ms)
		k.answerAt(call, []byte{0x02}, c.arrived, c.began)
		screen(p, k, 100, 12)
		arrived, began, ok := p.handled(p.ix.byID.get(call.ID))
		if a, b := arrived.Sub(call.Time), began.Sub(call.Time); !ok || a != c.wantArrived || b != c.wantBegan {
			t.Errorf("%v, %v: it came after %v and began after %v (%v), want %v and %v", c.arrived, c.began, a, b, ok, c.wantArrived, c.wantBegan)
		}
	}
}

// TestACastIsBusyWhileOneOfItsHandlersRuns folds a cast whose ranks need different times.
func TestACastIsBusyWhileOneOfItsHandlersRuns(t *testing.T) {
	k, p := newTalk(t), New(worldtest.Keys)
	p.SetTab(Flow)
	cast := k.callRanks(nil, "main", "ponger", "pong", []byte{0x03}, upTo(8)...)
	for rank, c := range cast {
		k.Tick(2 * ms)
		k.answerAt(c, []byte{0x04}, ms, ms+time.Duration(rank)*ms)
	}
	k.Tick(ms)
	for i, rank := range []int{2, 5} {
		st := control.Stop{ID: uint64(i + 1), Gen: 1, Mesh: "ponger", Rank: rank, Site: control.SitePanic, Endpoint: "pong", Msg: cast[rank].ID, Call: cast[rank].Call, Since: k.Now}
		k.Stop(st)
	}
	k.Tick(2 * time.Second)
	p.End()
	folded := screen(p, k, 90, 8)
	p.Home()
	p.Enter()
	golden.RequireEqual(t, folded+"\n"+screen(p, k, 90, 14))
}

// TestWhatHappensBetweenTwoRowsIsSeenInTheFirst has a rank that answers long before the other: its bar begins with its call.
func TestWhatHappensBetweenTwoRowsIsSeenInTheFirst(t *testing.T) {
	k, p := newTalk(t), New(worldtest.Keys)
	p.SetTab(Flow)
	p.SetFocus("ponger", []int{0, 1})
	cast := k.callRanks(nil, "main", "ponger", "pong", []byte{0x03}, 0, 1)
	for _, c := range cast {
		k.Tick(2 * ms)
		k.answerAt(c, []byte{0x04}, ms, ms)
	}
	got := screen(p, k, 90, 6)
	worldtest.Has(t, got, "▶┃═══")
	worldtest.Has(t, got, "▶┃  ")
}

// TestAnAnswerGoesOnlyToWhoHasIt folds the calls of two ranks, of which one waits yet.
func TestAnAnswerGoesOnlyToWhoHasIt(t *testing.T) {
	k, p := newTalk(t), New(worldtest.Keys)
	p.SetTab(Flow)
	p.SetFocus("pinger", []int{0, 1})
	run := k.callRanks(nil, "main", "pinger", "run", []byte{0x03}, 0, 1)
	k.Tick(ms)
	var pongs []*sentCall
	for rank := range 2 {
		pongs = append(pongs, k.callRanks(run[rank], fmt.Sprintf("@pinger[%d]", rank), "ponger", "pong", []byte{0x03}, rank)...)
	}
	k.Tick(ms)
	k.answer(pongs[1], []byte{0x04}, "")
	got := screen(p, k, 100, 8)
	if lines := strings.Split(got, "\n"); strings.Count(lines[4], "◀") != 1 || !strings.Contains(lines[4], "┊            │◀") {
		t.Errorf("the answer of one goes to both:\n%s", got)
	}
}
