package messages

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// exactly is a time of day with microseconds.
const exactly = "15:04:05.000000"

// details are lines of text in the making.
type details struct {
	lines [][]paint.Seg
	row   []paint.Seg
}

// add appends text; "\n" at its end ends the line.
func (d *details) add(r paint.Role, format string, args ...any) {
	for text := range strings.Lines(fmt.Sprintf(format, args...)) {
		line, ends := strings.CutSuffix(text, "\n")
		d.row = append(d.row, paint.Seg{Style: paint.Style{Fg: r}, Text: line})
		if ends {
			d.lines, d.row = append(d.lines, d.row), nil
		}
	}
}

// line is a line with a label.
func (d *details) line(label, format string, args ...any) {
	d.add(paint.Muted, "%s", paint.Pad(label, 10))
	d.add(paint.Text, format+"\n", args...)
}

// Open is all there is to know of the row under the cursor, as lines; nil where there is no row.
func (p *Pane) Open(w *world.World) [][]paint.Seg {
	p.sync(w)
	r, ok := p.view.Current()
	if !ok {
		return nil
	}
	var d details
	if r.part == lost {
		d.add(paint.Failed, "✕ %s %s\n\n", r.fail.who, r.fail.word)
		d.line("when", "%s", r.fail.Time.Format(exactly))
		d.line("what", "%s", r.fail.What)
		if r.fail.Handled != "" {
			d.line("handled", "by %s", r.fail.Handled)
		}
		if r.fail.Stack != "" {
			d.add(paint.Muted, "\n%s\n", strings.TrimSpace(r.fail.Stack))
		}
		return d.lines
	}
	p.detail(&d, r)
	return d.lines
}

func (p *Pane) detail(d *details, r row) {
	h, f := r.exchange(), r.f
	m := h.message(p.src)
	from, to := ends(m)
	text := p.texts(f)
	called, caller := world.Name(to), world.Name(from)
	if r.h == nil {
		called, caller = text.to, text.from
	}
	d.add(paint.Text, "%s.%s\n\n", called, m.Endpoint)
	d.line("from", "%s", caller)
	if r.h == nil && f.ranks > 1 {
		called += "  " + paint.Plural(f.ranks, "rank")
	}
	d.line("to", "%s", called)
	if ep := endpoint(p.w, to, m.Endpoint); ep != nil {
		where := ""
		if ep.File != "" {
			where = fmt.Sprintf("  %s:%d", ep.File, ep.Line)
		}
		d.line("endpoint", "%s%s", schema.Signature(ep.Name, ep.Param, ep.Arg, ep.Result), where)
	} else {
		d.line("endpoint", "%s", m.Endpoint)
	}
	call := world.CallName(m.Call)
	if r.h == nil && len(f.calls) > 1 {
		call = fmt.Sprintf("%s and %d more", call, len(f.calls)-1)
	}
	if !m.IsAnswer() {
		call += "  " + m.Adverb.String()
	}
	if f.trace != m.Call {
		call += "  of the family of call " + world.CallName(f.trace)
	}
	d.line("call", "%s", call)
	p.origin(d, h, m)
	if r.h != nil || f.ranks == 1 {
		p.timing(d, h)
	} else {
		d.line("sent", "%s", m.Time.Format(exactly))
		if f.answered > 0 {
			d.line("took", "p50 %s, mean %s, max %s", paint.Duration(text.median), paint.Duration(f.sum/time.Duration(f.answered)), paint.Duration(f.max))
		}
	}
	if h.call >= 0 {
		p.body(d, "argument", to, p.src.At(h.call), text.call == m.Endpoint+"(…)" && r.h == nil)
	}
	p.answers(d, r)
}

// origin is the message that led to this one.
func (p *Pane) origin(d *details, h *exchange, m *control.Message) {
	if m.ID != 0 {
		d.line("message", "%s", world.CallName(m.ID))
	}
	if m.IsAnswer() || m.Parent == 0 {
		return
	}
	cause := p.ix.byID.get(m.Parent)
	if cause == nil {
		d.line("cause", "message %s, not kept", world.CallName(m.Parent))
		return
	}
	c := p.src.At(cause.call)
	d.line("cause", "message %s: %s, from %s to %s", world.CallName(m.Parent), Call(p.w, c), world.Name(c.From), world.Name(c.To))
}

func (p *Pane) timing(d *details, h *exchange) {
	if h.call >= 0 {
		d.line("sent", "%s", p.src.At(h.call).Time.Format(exactly))
	}
	if arrived, began, ok := p.handled(h); ok {
		d.line("arrived", "%s, on the clock of who was called", arrived.Format(exactly))
		if !began.IsZero() {
			d.line("began", "%s, after %s in the mailbox", began.Format(exactly), paint.Duration(began.Sub(arrived)))
		}
	}
	switch {
	case h.answer >= 0:
		d.line("answered", "%s, after %s", p.src.At(h.answer).Time.Format(exactly), paint.Duration(h.took))
	case h.answered:
		d.line("answered", "after %s", paint.Duration(h.took))
	case h.f.broadcast:
		d.line("answered", "never: it is a broadcast")
	default:
		d.line("answered", "not yet, after %s", paint.Duration(max(0, p.w.Now.Sub(p.src.At(h.call).Time))))
	}
}

// body shows an argument or a result as fully as it came.
func (p *Pane) body(d *details, label, party string, m *control.Message, several bool) {
	if m.Bytes == 0 && len(m.Body) == 0 {
		return
	}
	size := paint.Bytes(uint64(max(0, m.Bytes)))
	if m.Cut {
		size = fmt.Sprintf("the first %d of %s bytes", len(m.Body), paint.Exact(m.Bytes))
	}
	if several {
		size += ", of the first; they differ"
	}
	d.add(paint.Muted, "\n%s  %s\n", label, size)
	var s *schema.Schema
	if ep := endpoint(p.w, party, m.Endpoint); ep != nil {
		s = ep.Arg
		if m.IsAnswer() {
			s = ep.Result
		}
	}
	text := Preview(p.w.Named, s, m.Body, m.Cut)
	if !m.Cut {
		text = schema.Literal(p.w.Named, s, m.Body)
	}
	d.add(paint.Text, "  %s\n", text)
}

// answers groups what came back by value, and tells what did not come.
func (p *Pane) answers(d *details, r row) {
	exchanges := r.f.exchanges
	if r.h != nil {
		exchanges = []*exchange{r.h}
	}
	type answer struct {
		text  string
		role  paint.Role
		parts []string
	}
	byText := map[string]*answer{}
	put := func(text string, role paint.Role, who string) {
		a := byText[text]
		if a == nil {
			a = &answer{text: text, role: role}
			byText[text] = a
		}
		a.parts = append(a.parts, who)
	}
	for _, h := range exchanges {
		if h.messages() == 0 {
			continue
		}
		_, to := ends(h.message(p.src))
		switch {
		case h.answer >= 0:
			m := p.src.At(h.answer)
			put(Answer(p.w, m), AnswerRole(m), to)
		case !h.answered && !r.f.broadcast:
			put("┊ no answer yet", paint.Text, to)
		}
	}
	if len(byText) > 0 {
		d.add(paint.Muted, "\nanswers\n")
	}
	groups := slices.SortedFunc(maps.Values(byText), func(a, b *answer) int {
		if len(a.parts) != len(b.parts) {
			return len(b.parts) - len(a.parts)
		}
		return strings.Compare(a.text, b.text)
	})
	for i, a := range groups {
		if i == most {
			d.add(paint.Muted, "  and %d more values\n", len(groups)-most)
			break
		}
		d.add(paint.Muted, "%5d ", len(a.parts))
		d.add(a.role, "%s\n", a.text)
		d.add(paint.Muted, "      %s\n", partsText(a.parts))
	}
	if missing := r.f.ranks - r.f.seen; r.h == nil && missing > 0 {
		d.add(paint.Warning, "\n▲ %s of %d were not seen: they were dropped on the way, or came before the explorer looked\n",
			paint.Plural(missing, "message"), r.f.ranks)
	}
}

// partsText names parties of one mesh with their ranks.
func partsText(parts []string) string {
	byMesh := map[string][]int{}
	var names []string
	for _, part := range parts {
		mesh, rank, ok := world.SplitName(part)
		if !ok {
			mesh = world.Name(part)
		}
		if byMesh[mesh] == nil {
			names = append(names, mesh)
		}
		if ok {
			byMesh[mesh] = append(byMesh[mesh], rank)
		}
	}
	for i, name := range names {
		if ranks := byMesh[name]; ranks != nil {
			names[i] = name + "[" + shape.FormatRanks(ranks) + "]"
		}
	}
	return strings.Join(names, ", ")
}

// Text is the row under the cursor as text, for copying.
func (p *Pane) Text(w *world.World) string {
	p.sync(w)
	r, ok := p.view.Current()
	if !ok {
		return ""
	}
	from, to := p.names(r)
	if r.h != nil {
		a, b := ends(r.h.message(p.src))
		from, to = world.Name(a), world.Name(b)
	}
	segs, end, _ := p.content(r)
	parts := []string{p.when(r).Format(exactly), from, "→", to}
	if r.part == lost {
		parts = []string{p.when(r).Format(exactly), to}
	}
	for _, s := range segs {
		parts = append(parts, strings.TrimSpace(s.Text))
	}
	return paint.OneLine(strings.Join(append(parts, end), " "))
}
