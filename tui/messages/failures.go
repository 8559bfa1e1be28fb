package messages

import (
	"cmp"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// failure is a row that tells what supervision was told. It goes with the messages that were there when it came.
type failure struct {
	control.Failure
	at      int    // number of the next message then
	who     string // the actor or process
	word    string // lost, failed
	why     string
	matches bool
}

// syncFailures takes in what has come since the last look.
func (p *Pane) syncFailures(w *world.World) {
	list := w.Failures
	from := len(list)
	for from > 0 && (!p.anyFailure || !same(&list[from-1], &p.lastFailure)) {
		from--
	}
	for _, f := range list[from:] {
		row := &failure{Failure: f, at: p.src.Total()}
		for row.at > p.src.First() && p.src.At(row.at-1).Time.After(f.Time) { // it is of before we came
			row.at--
		}
		row.describe(w)
		row.matches = p.Through().Match(row.fields())
		later := func(o *failure) bool { return o.Time.After(f.Time) }
		if at := slices.IndexFunc(p.failures, later); at >= 0 {
			p.failures = slices.Insert(p.failures, at, row)
		} else {
			p.failures = append(p.failures, row)
		}
		p.lastFailure, p.anyFailure = f, true
		p.ix.Version++
		p.ix.stale.tail(f.Time.UnixNano())
	}
	p.failures = slices.DeleteFunc(p.failures, func(f *failure) bool {
		gone := f.at < p.src.First()
		if gone {
			p.ix.stale.head(f.Time.UnixNano())
		}
		return gone
	})
}

func same(a, b *control.Failure) bool {
	return a.Time.Equal(b.Time) && a.What == b.What && a.Mesh == b.Mesh && a.Rank == b.Rank && a.Proc == b.Proc
}

func (f *failure) describe(w *world.World) {
	f.word, f.why = "failed", world.Why(f.What)
	if f.Mesh != "" {
		f.who = world.ActorName(f.Mesh, f.Rank)
	}
	p, ok := w.Proc(f.Proc)
	if !ok {
		return
	}
	if world.ProcWord(p) == "failed" || world.ProcWord(p) == "gone" {
		f.word = "lost"
		f.who = world.ProcName(p)
		f.why = cmp.Or(world.ProcWhy(p), f.why)
	} else if f.who == "" {
		f.who = world.ProcName(p)
	}
}

func (f *failure) fields() *filter.Fields {
	out := &filter.Fields{To: f.who, State: "failed", Kind: f.word, Text: f.who + " " + f.word + " " + f.why}
	if f.Mesh != "" {
		out.Mesh, out.Rank = []string{f.Mesh}, []int{f.Rank}
	}
	return out
}
