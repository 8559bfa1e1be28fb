package inspect

import (
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger/statediff"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// maxWatched bounds how many values are read at every stop.
const maxWatched = 32

// watched is a value that is read at every stop of an actor of a mesh.
type watched struct {
	mesh  uint64
	expr  string
	asked watchedAt
	rank  int // that text is of
	text  string
	old   string // at the stop before, of the same rank
	err   string
}

// watchedAt is a stop at which a value was read.
type watchedAt struct {
	ref    control.StopRef
	rank   int
	edited bool
}

// Watch has the value under the cursor read at every stop, or not any more. It says what it did, or why it could not.
func (p *Pane) Watch() (text string, ok bool) {
	l := p.here()
	if p.thing.kind != actor {
		return "values of actors are watched", false
	}
	if expr, is := strings.CutPrefix(l.key, watchKey); is {
		p.unwatch(expr)
		return "not watched any more: " + expr, true
	}
	if l.node == nil || l.more {
		return "the cursor is on no value", false
	}
	expr := exprOf(l.node.Path)
	if expr == "" {
		return "put the cursor on one value of it", false
	}
	if p.unwatch(expr) {
		return "not watched any more: " + expr, true
	}
	if len(p.watch) >= maxWatched {
		return "as many values are watched as can be", false
	}
	p.watch = append(p.watch, watched{mesh: p.thing.id, expr: expr})
	p.version++
	return "watched at every stop: " + expr, true
}

// unwatch forgets a value; false where it was not watched.
func (p *Pane) unwatch(expr string) bool {
	n := len(p.watch)
	p.watch = slices.DeleteFunc(p.watch, func(x watched) bool { return x.mesh == p.thing.id && x.expr == expr })
	p.version++
	return len(p.watch) < n
}

// exprOf is the expression for a path of a tree: of the state as control.StateReq has it, of a frame as FrameView has it.
func exprOf(path string) string {
	if rest, ok := strings.CutPrefix(path, "args."); ok {
		return rest
	}
	if path == "" || path == "result" || strings.HasPrefix(path, "result.") || strings.HasPrefix(path, "state.") {
		return path
	}
	if strings.HasPrefix(path, "[") {
		return "state" + path
	}
	return "state." + path
}

// watched takes the value of an expression.
func (p *Pane) watched(ask Look, seen Seen, reason string) {
	for i := range p.watch {
		x := &p.watch[i]
		if x.mesh != ask.Mesh || x.expr != ask.Expr {
			continue
		}
		x.asked, x.err = watchedAt{ask.Stop, ask.Rank, p.stop.Edited}, reason
		if reason != "" {
			continue
		}
		x.old = ""
		if x.rank == ask.Rank && x.text != seen.Value.Text {
			x.old = x.text
		}
		x.rank, x.text = ask.Rank, seen.Value.Text
	}
}

// watchKey begins the identity of the line of a watched value.
const watchKey = "watch "

// buildWatches lists the watched values.
func (p *Pane) buildWatches() {
	first := true
	for i := range p.watch {
		x := &p.watch[i]
		if x.mesh != p.thing.id {
			continue
		}
		if first {
			p.head("Watched", seg(paint.Muted, "at each stop"))
			first = false
		}
		l := line{key: watchKey + x.expr, copied: x.expr + " = " + x.text}
		l.left = []paint.Seg{seg(paint.Muted, paint.OneLine(x.expr)+"  ")}
		fresh := p.stop.ID != 0 && x.asked.ref == (control.StopRef{ID: p.stop.ID, Gen: p.stop.Gen}) && x.rank == p.thing.rank
		switch {
		case x.err != "":
			l.left = append(l.left, seg(paint.Warning, "✕ "+x.err))
		case x.text == "" || x.rank != p.thing.rank:
			l.left = append(l.left, seg(paint.Muted, "read at the next stop"))
		case !fresh:
			l.left = append(l.left, seg(paint.Muted, paint.OneLine(x.text)+"  at the last stop"))
		case x.old != "":
			l.left = append(l.left, seg(paint.Muted, paint.OneLine(x.old)+" → "), bold(paint.Text, paint.OneLine(x.text)))
			l.right = []paint.Seg{seg(paint.Accent, "~")}
		default:
			l.left = append(l.left, seg(paint.Text, paint.OneLine(x.text)))
		}
		p.add(l)
	}
}

// beside is the state of an actor that others are compared with.
type beside struct {
	mesh  uint64
	rank  int
	name  string
	state control.StateNode
	read  time.Time
}

// Beside keeps the state of the actor that is shown, so that others are shown beside it; on that actor again it ends. It says
// what it did, or why it could not.
func (p *Pane) Beside(w *world.World) (text string, ok bool) {
	m, _ := p.rankOf(w)
	if p.thing.kind != actor || m == nil {
		return "actors are compared", false
	}
	if b := p.beside; b != nil && b.mesh == p.thing.id && b.rank == p.thing.rank {
		p.beside = nil
		p.version++
		return "not compared any more", true
	}
	s := p.snap()
	if s.root == nil {
		return "its state is not known", false
	}
	p.beside = &beside{p.thing.id, p.thing.rank, world.ActorName(m.Ref.Name, p.thing.rank), s.raw, s.read}
	p.version++
	return "other ranks are shown beside " + p.beside.name + " now", true
}

// buildBeside lists where the state of the actor that is shown differs from the one that is kept.
func (p *Pane) buildBeside(w *world.World) {
	b := p.beside
	if b == nil {
		return
	}
	if b.mesh != p.thing.id {
		return
	}
	end := p.keys.Hint("%s there ends it", "beside")
	if b.rank == p.thing.rank {
		p.head("Beside "+b.name, seg(paint.Muted, p.keys.Hint("%s ends it", "beside")))
		p.note("beside self", paint.Muted, "This is the one that the others are shown beside: go to another rank.")
		return
	}
	p.head("Beside "+b.name, seg(paint.Muted, end))
	s := p.snap()
	if s.root == nil {
		p.note("beside none", paint.Muted, "reading …")
		return
	}
	c := statediff.Compare(s.raw, b.state)
	switch c.Verdict() {
	case statediff.Same:
		p.note("beside same", paint.Muted, "All of it is the same.")
	case statediff.Unknown:
		p.note("beside unknown", paint.Muted, "What was read is the same; not all was read.")
	case statediff.Different:
	}
	if old := w.Now.Sub(b.read); old >= 2*time.Second {
		p.note("beside old", paint.Warning, b.name+" as of "+paint.Duration(old)+" ago")
	}
	wide := 0
	const most = 200 // rows; what differs in more is seen by a look at one of them
	rows := c.Rows[:min(len(c.Rows), most)]
	for i := range rows {
		wide = max(wide, min(mostNameWidth, paint.Width(rows[i].Path)))
	}
	for i := range rows {
		r := &rows[i]
		p.add(line{
			key: "beside " + r.Path, copied: r.Path + ": " + cellText(r.Cells[0]) + " | " + cellText(r.Cells[1]),
			left: []paint.Seg{
				seg(paint.Muted, paint.Pad(paint.OneLine(r.Path), wide)+"  "), bold(paint.Text, paint.OneLine(cellText(r.Cells[0]))),
				seg(paint.Faint, " │ "), seg(paint.Text, paint.OneLine(cellText(r.Cells[1]))),
			},
		})
	}
	if n := len(c.Rows) - len(rows) + c.MoreRows; n > 0 {
		p.note("beside more", paint.Muted, "… "+paint.Exact(n)+" more differ, not shown")
	}
	if n := len(c.Gaps) + c.MoreGaps; n > 0 && c.Verdict() == statediff.Different {
		p.note("beside gaps", paint.Muted, paint.Plural(n, "place")+" not read whole")
	}
}

func cellText(c statediff.Cell) string {
	switch c.State {
	case statediff.Absent:
		return "not there"
	case statediff.Unread:
		return "not read"
	case statediff.Present:
	}
	return c.Text
}
