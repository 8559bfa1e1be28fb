package inspect

import (
	"time"

	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// line is one line of the pane.
type line struct {
	key    string // identity, for the cursor; "" of lines that are nobody's
	left   []paint.Seg
	right  []paint.Seg
	copied string
	name   string // of a field, on each of its lines
	node   *node  // of the state
	msg    uint64 // that waits in the mailbox; 0: it is about none
	more   bool   // of a value of which not all parts are shown
	depth  int
	sign   int // column of the sign that tells whether a value is open
}

func (l *line) blank() bool { return len(l.left) == 0 && len(l.right) == 0 }

func seg(role paint.Role, text string) paint.Seg {
	return paint.Seg{Style: paint.Style{Fg: role}, Text: text}
}

func bold(role paint.Role, text string) paint.Seg {
	return paint.Seg{Style: paint.Style{Fg: role, Attr: paint.Bold}, Text: text}
}

// tick is how often ages are drawn anew.
const tick = 200 * time.Millisecond

// sync makes the lines anew where anything has changed.
func (p *Pane) sync(w *world.World) {
	p.syncStop(w)
	at := builtFrom{true, w.Revision(), p.version, p.w, w.Now.UnixMilli() / tick.Milliseconds(), p.thing, p.tab()}
	if p.built != at {
		moved := p.built.thing != p.thing || p.built.tab != p.tab()
		p.built = at
		p.lines, p.title = p.lines[:0], p.makeTitle(w)
		p.build(w)
		p.sift()
		p.keep(moved)
	}
	p.win.Fit(len(p.lines), p.room())
}

// room is how many lines are shown below the title.
func (p *Pane) room() int { return max(0, p.h-1-p.filterLines()) }

// keep moves the cursor to where its line is now.
func (p *Pane) keep(moved bool) {
	p.win.Fit(len(p.lines), p.room())
	if at := p.win.Cursor; p.cursor != "" && (at >= len(p.lines) || p.lines[at].key != p.cursor) {
		for i := range p.lines {
			if p.lines[i].key == p.cursor {
				p.win.To(i)
				return
			}
		}
	}
	if moved && p.cursor == "" {
		p.win.To(0)
	}
	for p.win.Cursor < len(p.lines)-1 && p.lines[p.win.Cursor].blank() {
		p.win.Move(1)
	}
	p.mark()
}

func (p *Pane) build(w *world.World) {
	switch p.thing.kind {
	case actor:
		p.buildActor(w)
	case mesh:
		p.buildMesh(w)
	case procs:
		p.buildProcs(w)
	case proc:
		p.buildProc(w)
	case host:
		p.buildHost(w)
	case nothing:
	}
}

func (p *Pane) add(l line) { p.lines = append(p.lines, l) }

// space is a blank line, unless the one before is.
func (p *Pane) space() {
	if n := len(p.lines); n > 0 && !p.lines[n-1].blank() {
		p.add(line{})
	}
}

// headKey begins the identity of the head of a section.
const headKey = "head "

// head begins a section.
func (p *Pane) head(title string, right ...paint.Seg) {
	p.space()
	p.add(line{key: headKey + title, left: []paint.Seg{bold(paint.Text, title)}, right: right, copied: title})
}

// keyWidth is the column in which values begin.
const keyWidth = 10

// field is a name and a value, on as many lines as it takes.
func (p *Pane) field(name, value string, role paint.Role) {
	if value == "" {
		return
	}
	const mostLines = 8
	lines := paint.Wrap(value, max(8, p.w-2-keyWidth))
	if len(lines) > mostLines {
		lines = append(lines[:mostLines-1], "…")
	}
	for i, text := range lines {
		label := ""
		if i == 0 {
			label = name
		}
		p.add(line{key: "field " + name + " " + label, left: []paint.Seg{seg(paint.Muted, paint.Pad(label, keyWidth)), seg(role, text)}, copied: value, name: name})
	}
}

// fieldSegs is a name and a value in several styles.
func (p *Pane) fieldSegs(name, copied string, segs ...paint.Seg) {
	p.add(line{key: "field " + name, left: append([]paint.Seg{seg(paint.Muted, paint.Pad(name, keyWidth))}, segs...), copied: copied})
}

// note is a sentence on its own.
func (p *Pane) note(key string, role paint.Role, text string) {
	for i, t := range paint.Wrap(text, max(8, p.w-2)) {
		l := line{left: []paint.Seg{seg(role, t)}, copied: text}
		if i == 0 {
			l.key = key
		}
		p.add(l)
	}
}

// Draw draws the inside of the frame.
func (p *Pane) Draw(s *paint.Surface, w *world.World, focus bool) {
	p.w, p.h = s.Size()
	p.sync(w)
	if p.w <= 0 || p.h <= 0 {
		return
	}
	if p.title == nil {
		where := ""
		if first := p.keys.Hint(" in [%s]", "pane.1"); first != "" {
			where = first + p.keys.Hint(" or [%s]", "pane.2")
		}
		for y, text := range paint.Wrap("Nothing is under the cursor. Go to an actor, a process or a mesh"+where+", and all about it is shown here.", p.w-2) {
			s.Text(1, y, paint.Style{Fg: paint.Muted}, text)
		}
		return
	}
	p.drawSegs(s, 0, p.title, nil)
	p.drawFilter(s)
	from, to := p.win.Visible()
	for i := from; i < to; i++ {
		y := 1 + i - from
		p.drawSegs(s, y, p.lines[i].left, p.lines[i].right)
		if i != p.win.Cursor || p.lines[i].blank() {
			continue
		}
		if focus {
			s.Restyle(paint.Rect{X: 0, Y: y, W: p.w, H: 1}, func(st paint.Style) paint.Style { return st.On(paint.Cursor) })
		}
	}
}

// drawSegs draws a line; what is at the right stays, and the left is shortened.
func (p *Pane) drawSegs(s *paint.Surface, y int, left, right []paint.Seg) {
	end := p.w - 1
	if n := paint.SegsWidth(right); n > 0 && n < p.w-4 {
		s.Line(end-n, y, right...)
		end -= n + 1
	}
	x := 1
	for i, g := range left {
		room := end - x
		if i < len(left)-1 && paint.Width(g.Text) == room && paint.SegsWidth(left[i+1:]) > 0 {
			room-- // so that it is seen that there is more
		}
		x = s.TextIn(x, y, room, g.Style, g.Text)
		if paint.Width(g.Text) > room {
			break
		}
	}
}

// clock is a time of day.
func clock(t time.Time) string { return t.Format("15:04:05.000") }

// ago is how long ago something was.
func ago(w *world.World, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return paint.Duration(max(0, w.Now.Sub(t))) + " ago"
}

// mostNeeded is the widest that the inspector asks to be.
const mostNeeded = 88

// Need is the room in which no line is shortened. What is wrapped is told as well in two lines as in one.
func (p *Pane) Need(_, _ int) (cols, rows int) {
	if p.title == nil {
		return 0, 0
	}
	cols = paint.SegsWidth(p.title) + 2
	for i := range p.lines {
		l := &p.lines[i]
		n := paint.SegsWidth(l.left) + 2
		if right := paint.SegsWidth(l.right); right > 0 {
			n += right + 1
		}
		cols = max(cols, n)
	}
	return min(cols, mostNeeded), len(p.lines) + 1
}
