package tui

import (
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// field is a row of a form: a text that is judged while it is typed, or a choice.
type field struct {
	label   string
	hint    string // in an empty text
	typ     string // at the right
	input   textinput.Model
	choices []string // not nil: one of them is chosen with ← →
	whyNot  []string // by choice: why it cannot be chosen now
	at      int
	judge   func(text string) (note, err string, column int)
	note    string // what the text means
	err     string // why it cannot be sent
	touched bool   // something was typed, or tried to be sent: what is wrong is told
	column  int    // of the mistake, from 1; 0: none
	spots   []span // where the choices are, to be clicked
}

// span is where a choice is in its row.
type span struct{ from, to, choice int }

func textOf(label, value, hint string) *field {
	return &field{label: label, input: newField(value), hint: hint}
}

func choiceOf(label string, choices []string, at int) *field {
	return &field{label: label, choices: choices, at: clamp(at, 0, max(0, len(choices)-1))}
}

func (f *field) value() string {
	if f.choices != nil {
		if len(f.choices) == 0 {
			return ""
		}
		return f.choices[f.at]
	}
	return f.input.Value()
}

// wrong is what is wrong with it for the eye: nothing as long as it is empty because nobody has been there.
func (f *field) wrong() string {
	if !f.touched && f.choices == nil && f.input.Value() == "" {
		return ""
	}
	return f.err
}

func (f *field) check() {
	f.note, f.err, f.column = "", "", 0
	if f.choices != nil && f.whyNot != nil {
		f.err = f.whyNot[f.at]
	}
	if f.judge != nil && f.err == "" {
		f.note, f.err, f.column = f.judge(f.value())
	}
}

// fits is which choices are drawn: the chosen one, the one after it, and as many more as there is room for, each with a
// cell at both sides, and a cell for … where some are left out.
func (f *field) fits(room int) (from, to int) {
	n := len(f.choices)
	width := func(from, to int) (w int) {
		for _, c := range f.choices[from:to] {
			w += paint.Width(c) + 2
		}
		if from > 0 {
			w++
		}
		if to < n {
			w++
		}
		return w
	}
	to = min(f.at+2, n)
	for from < f.at && width(from, to) > room {
		from++
	}
	if width(from, to) > room {
		to = min(f.at+1, n)
	}
	for to < n && width(from, to+1) <= room {
		to++
	}
	for from > 0 && width(from-1, to) <= room {
		from--
	}
	return from, to
}

// form is an overlay of fields.
type form struct {
	title   func() string
	fields  []*field
	at      int
	verb    string // what enter does
	keys    []boxKey
	changed func(f *form)                       // a field has changed: others may depend on it
	block   func() string                       // why it cannot be sent whatever is typed
	submit  func(m *Model, f *form) tea.Cmd     // all fields are good
	doc     func() string                       // a line about what this is; the first to go where there is no room
	below   func(m *Model, w int) [][]paint.Seg // lines under the fields
	result  func(m *Model, w int) [][]paint.Seg // lines that matter most: why it cannot be sent, what came of it
	closed  func(m *Model)                      // esc
	live    func() bool                         // something is in progress
	again   func(m *Model) tea.Cmd              // the world has changed
	top     int                                 // the row of the first field at the last drawing
	first   int                                 // which field that was
	shown   int                                 // how many there were
}

func (f *form) check() {
	if f.changed != nil {
		f.changed(f)
	}
	for _, x := range f.fields {
		x.check()
	}
}

func (f *form) refresh(m *Model) tea.Cmd {
	var cmd tea.Cmd
	if f.again != nil {
		cmd = f.again(m)
	}
	f.check()
	return cmd
}

func (f *form) moves(*Model) bool { return f.live != nil && f.live() }

const formWidth = 82

func (f *form) size(m *Model, w, h int) (int, int) {
	width := min(w, formWidth)
	text, result := f.text(m, width-4)
	return width, min(h, 2+f.rows(text, result))
}

// rows is how many rows it wants inside its border.
func (f *form) rows(text, result [][]paint.Seg) int {
	rows := 1 + len(f.fields)
	for _, part := range [][][]paint.Seg{text, result} {
		if len(part) > 0 {
			rows += len(part) + 1
		}
	}
	return rows
}

// text is what stands under the fields. A mistake in the field that is edited is told whole there, where there is no
// room for it beside the field.
func (f *form) text(m *Model, w int) (text, result [][]paint.Seg) {
	if f.doc != nil {
		if doc := f.doc(); doc != "" {
			text = append(text, labelled("", paint.Muted, doc, w))
		}
	}
	if f.below != nil {
		text = append(text, f.below(m, w)...)
	}
	if x := f.fields[f.at]; paint.Width(x.wrong()) > w/2 {
		for i, l := range paint.Wrap("✕ "+x.label+": "+x.wrong(), w) {
			if i < 3 {
				result = append(result, []paint.Seg{{Style: paint.Style{Fg: paint.Failed}, Text: l}})
			}
		}
	}
	if f.result != nil {
		result = append(result, f.result(m, w)...)
	}
	return text, result
}

func (f *form) labels() (n int) {
	for _, x := range f.fields {
		n = max(n, paint.Width(x.label))
	}
	return min(n, 16)
}

func (f *form) draw(m *Model, s *paint.Surface) *tea.Cursor {
	w, h := s.Size()
	in := paint.Frame{Title: f.title(), Focus: true}.Draw(s)
	iw, ih := w-2, h-2
	text, result := f.text(m, iw-2)
	gap := 1
	f.top, f.first, f.shown = 1, 0, len(f.fields)
	if f.rows(text, result) > ih { // on a small screen the field that is edited and what matters most stay in sight
		gap, f.top = 0, 0
		result = result[:max(0, min(len(result), ih/2))]
		f.shown = max(0, min(len(f.fields), ih-len(result)))
		f.first = clamp(f.at-f.shown+1, 0, len(f.fields)-f.shown)
		room := ih - len(result) - f.shown
		if f.doc != nil && f.doc() != "" && len(text) > room {
			text = text[1:]
		}
		text = text[:min(len(text), room)]
	}
	var cur *tea.Cursor
	label := f.labels()
	for i, x := range f.fields {
		x.spots = x.spots[:0]
		if i < f.first || i >= f.first+f.shown {
			continue
		}
		if c := f.row(in, f.top+i-f.first, iw, label, x, i == f.at); c != nil {
			cur = c
		}
	}
	y := f.top + f.shown
	for _, part := range [][][]paint.Seg{text, result} {
		if len(part) > 0 {
			y += gap
		}
		for _, line := range part {
			in.Line(1, y, line...)
			y++
		}
	}
	return cur
}

// row draws a field: label, value, and at the right its type and whether it is good.
func (f *form) row(s *paint.Surface, y, w, label int, x *field, focus bool) *tea.Cursor {
	bg := paint.Default
	st := paint.Style{Fg: paint.Muted}
	if focus {
		bg = paint.Cursor
		st = paint.Style{Fg: paint.Accent, Attr: paint.Bold}
		s.In(paint.Rect{Y: y, W: w, H: 1}).Fill(paint.Style{Bg: bg})
		s.Text(0, y, st.On(bg), "▸")
	}
	s.Text(1, y, st.On(bg), paint.Pad(x.label, label))
	left := label + 3
	note, role, hint := x.note, paint.Muted, x.hint
	if wrong := x.wrong(); wrong != "" {
		note, role, hint = "✕ "+wrong, paint.Failed, "" // the hint would look like what is wrong
	} else if x.typ != "" {
		note = strings.TrimSpace(x.typ + "  " + note)
	}
	value := x.value()
	need := paint.Width(value) + 2
	if x.choices != nil {
		need = 0
		for _, c := range x.choices {
			need += paint.Width(c) + 2
		}
	}
	room := max(min(need, w-left-1), w-left-paint.Width(note)-3)
	room = max(min(room, w-left-1), min(12, w-left-1))
	if n := w - left - room - 2; n > 0 {
		text := paint.Fit(note, n)
		s.TextRight(w-1, y, paint.Style{Fg: role, Bg: bg}, text)
	}
	if x.choices != nil {
		f.choicesRow(s, left, y, room, bg, x)
		return nil
	}
	in := s.In(paint.Rect{X: left, Y: y, W: room, H: 1})
	if !focus {
		if value == "" {
			in.TextIn(0, 0, room, paint.Style{Fg: paint.Muted}, hint)
		} else {
			in.TextIn(0, 0, room, paint.Style{Fg: paint.Text}, value)
		}
		f.mark(in, x)
		return nil
	}
	cur := drawField(in, 0, 0, room, &x.input, hint)
	in.Restyle(paint.Rect{W: room, H: 1}, func(st paint.Style) paint.Style { return st.On(bg) })
	if paint.Width(value) < room {
		f.mark(in, x)
	}
	return cur
}

// mark underlines the place of a mistake.
func (f *form) mark(s *paint.Surface, x *field) {
	if x.wrong() != "" {
		markColumn(s, 0, x.value(), x.column)
	}
}

// markColumn underlines a column, from 1, of a text that is drawn from x on.
func markColumn(s *paint.Surface, x int, text string, column int) {
	if column <= 0 {
		return
	}
	v := []rune(text)
	s.Restyle(paint.Rect{X: x + paint.Width(string(v[:min(column-1, len(v))])), W: 1, H: 1}, func(st paint.Style) paint.Style {
		return paint.Style{Fg: paint.Failed, Bg: st.Bg, Attr: st.Attr | paint.Underline | paint.Bold}
	})
}

func (f *form) choicesRow(s *paint.Surface, x, y, room int, bg paint.Role, c *field) {
	in := s.In(paint.Rect{X: x, Y: y, W: room, H: 1})
	from, to := c.fits(room)
	pos := 0
	if from > 0 {
		pos = in.Text(0, 0, paint.Style{Fg: paint.Muted, Bg: bg}, "…")
	}
	for i := from; i < to; i++ {
		word := c.choices[i]
		st := paint.Style{Fg: paint.Muted, Bg: bg}
		if c.whyNot != nil && c.whyNot[i] != "" {
			st.Attr |= paint.Strike
		}
		if i == c.at {
			st.Fg, st.Attr = paint.Text, st.Attr|paint.Bold
			word = "‹" + word + "›"
		} else {
			word = " " + word + " "
		}
		from := pos
		pos = in.Text(pos, 0, st, word)
		c.spots = append(c.spots, span{x + from, x + min(pos, room), i})
	}
	if to < len(c.choices) {
		in.Text(pos, 0, paint.Style{Fg: paint.Muted, Bg: bg}, "…")
	}
}

func (f *form) hints(*Model) []boxKey {
	return append([]boxKey{{key: "enter", hint: f.verb}, {key: "tab", hint: "next field"}, {key: "esc", hint: "close"}}, f.keys...)
}

func (f *form) key(m *Model, msg tea.KeyPressMsg) tea.Cmd {
	k := msg.String()
	for _, bk := range f.keys {
		if bk.key == k {
			return bk.do(m)
		}
	}
	x := f.fields[f.at]
	switch k {
	case "esc":
		m.drop(f)
		if f.closed != nil {
			f.closed(m)
		}
		return nil
	case "enter", "ctrl+s":
		return f.send(m)
	case "tab", "down":
		f.at = (f.at + 1) % len(f.fields)
		return nil
	case "shift+tab", "up":
		f.at = (f.at + len(f.fields) - 1) % len(f.fields)
		return nil
	}
	if x.choices != nil {
		switch k {
		case "left", "h":
			x.at = (x.at + len(x.choices) - 1) % max(1, len(x.choices))
		case "right", "l", "space":
			x.at = (x.at + 1) % max(1, len(x.choices))
		default:
			for by := range x.choices { // its first letter chooses the next of them
				i := (x.at + 1 + by) % len(x.choices)
				if msg.Text != "" && strings.HasPrefix(strings.ToLower(x.choices[i]), strings.ToLower(msg.Text)) {
					x.at = i
					break
				}
			}
		}
		f.check()
		return nil
	}
	before := x.input.Value()
	var cmd tea.Cmd
	x.input, cmd = x.input.Update(msg)
	if x.input.Value() != before {
		x.touched = true
		f.check()
	}
	return cmd
}

// send submits, or goes to the first field that is wrong.
func (f *form) send(m *Model) tea.Cmd {
	f.check()
	if f.block != nil {
		if why := f.block(); why != "" {
			m.say(sayWarn, why)
			return nil
		}
	}
	for i, x := range f.fields {
		x.touched = true
		if x.err != "" {
			f.at = i
			m.say(sayWarn, x.label+": "+x.err)
			return nil
		}
	}
	return f.submit(m, f)
}

func (f *form) paste(_ *Model, text string) tea.Cmd {
	if x := f.fields[f.at]; x.choices == nil {
		insertText(&x.input, text)
		x.touched = true
		f.check()
	}
	return nil
}

func (f *form) click(_ *Model, x, y int) tea.Cmd {
	row := y - 1 - f.top
	if row < 0 || row >= f.shown {
		return nil
	}
	f.at = f.first + row
	c := f.fields[f.at]
	for _, at := range c.spots {
		if x-1 >= at.from && x-1 < at.to {
			c.at = at.choice
			f.check()
			break
		}
	}
	return nil
}
