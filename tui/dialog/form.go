package dialog

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// Field is a row of a form: a text that is judged while it is typed, or a choice.
type Field struct {
	Label   string
	Hint    string   // in an empty text; see Example and Unset
	Type    string   // at the right
	Choices []string // not nil: one of them is chosen with ← →
	WhyNot  []string // by choice: why it cannot be chosen now
	At      int      // the choice that is made
	Judge   func(text string) (note, err string, column int)

	input   textinput.Model
	note    string // what the text means
	err     string // why it cannot be sent
	touched bool   // something was typed, or tried to be sent: what is wrong is told
	column  int    // of the mistake, from 1; 0: none
	word    string // typed so far to find a choice
	spots   []span // where the choices are, to be clicked
}

// span is where a choice is in its row.
type span struct{ from, to, choice int }

// TextField is a row for a text.
func TextField(label, value, hint string) *Field {
	return &Field{Label: label, input: NewEdit(value), Hint: hint}
}

// Example is a hint that shows what may be typed. It must not look like a value: an empty field sends nothing of it.
func Example(text string) string { return "e.g. " + text }

// Unset is a hint that shows what an empty field means.
func Unset(meaning string) string { return "empty: " + meaning }

// ChoiceField is a row for one of several words.
func ChoiceField(label string, choices []string, at int) *Field {
	return &Field{Label: label, Choices: choices, At: clamp(at, 0, max(0, len(choices)-1))}
}

// Err is why what stands in the field cannot be used, "" if it can. It is of the last Check.
func (f *Field) Err() string { return f.err }

// Note is what the text means. It is of the last Check.
func (f *Field) Note() string { return f.note }

// Set puts a text into the field, with the cursor at its end.
func (f *Field) Set(text string) {
	f.input.SetValue(text)
	f.input.CursorEnd()
}

// Value is the text that was typed, or the choice that was made.
func (f *Field) Value() string {
	if f.Choices != nil {
		if len(f.Choices) == 0 {
			return ""
		}
		return f.Choices[f.At]
	}
	return f.input.Value()
}

// wrong is what is wrong with it for the eye: nothing as long as it is empty because nobody has been there.
func (f *Field) wrong() string {
	if !f.touched && f.Choices == nil && f.input.Value() == "" {
		return ""
	}
	return f.err
}

// Check judges the field.
func (f *Field) Check() {
	f.note, f.err, f.column = "", "", 0
	if f.Choices != nil && f.WhyNot != nil {
		f.err = f.WhyNot[f.At]
	}
	if f.Judge != nil && f.err == "" {
		f.note, f.err, f.column = f.Judge(f.Value())
	}
}

// fits is which choices are drawn: the chosen one, the one after it, and as many more as there is room for, each with a
// cell at both sides, and a cell for … where some are left out.
func (f *Field) fits(room int) (from, to int) {
	n := len(f.Choices)
	width := func(from, to int) (w int) {
		for _, c := range f.Choices[from:to] {
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
	to = min(f.At+2, n)
	for from < f.At && width(from, to) > room {
		from++
	}
	if width(from, to) > room {
		to = min(f.At+1, n)
	}
	for to < n && width(from, to+1) <= room {
		to++
	}
	for from > 0 && width(from-1, to) <= room {
		from--
	}
	return from, to
}

// Form is a dialog of fields. Title, Fields, Enter and Submit are needed.
type Form struct {
	Title   func() string
	Fields  []*Field
	At      int    // the field that is edited
	Enter   string // what enter does
	Keys    []Key
	Changed func(f *Form)             // a field has changed: others may depend on it
	Block   func() string             // why it cannot be sent whatever is typed
	Submit  func() tea.Cmd            // all fields are good
	Doc     func() string             // a line about what this is; the first to go where there is no room
	Below   func(w int) [][]paint.Seg // lines under the fields
	Result  func(w int) [][]paint.Seg // lines that matter most: why it cannot be sent, what came of it
	Closed  func()                    // esc
	Live    func() bool               // something is in progress
	Again   func() tea.Cmd            // the world has changed

	top   int // the row of the first field at the last drawing
	first int // which field that was
	shown int // how many there were
}

// Check judges all fields.
func (f *Form) Check() {
	if f.Changed != nil {
		f.Changed(f)
	}
	for _, x := range f.Fields {
		x.Check()
	}
}

// Refresh judges the fields anew: the world has changed.
func (f *Form) Refresh() tea.Cmd {
	var cmd tea.Cmd
	if f.Again != nil {
		cmd = f.Again()
	}
	f.Check()
	return cmd
}

// Moves reports whether something is in progress.
func (f *Form) Moves() bool { return f.Live != nil && f.Live() }

// Leave tells its maker that it was closed.
func (f *Form) Leave() {
	if f.Closed != nil {
		f.Closed()
	}
}

const formWidth = 82

// Size is how much of the screen it wants.
func (f *Form) Size(w, h int) (int, int) {
	width := min(w, formWidth)
	text, result := f.text(width - 4)
	return width, min(h, 2+f.rows(text, result))
}

// rows is how many rows it wants inside its border.
func (f *Form) rows(text, result [][]paint.Seg) int {
	rows := 1 + len(f.Fields)
	for _, part := range [][][]paint.Seg{text, result} {
		if len(part) > 0 {
			rows += len(part) + 1
		}
	}
	return rows
}

// text is what stands under the fields. A mistake in the field that is edited is told whole there, where there is no
// room for it beside the field.
func (f *Form) text(w int) (text, result [][]paint.Seg) {
	if f.Doc != nil {
		if doc := f.Doc(); doc != "" {
			text = append(text, f.Labelled("", paint.Muted, doc, w))
		}
	}
	if f.Below != nil {
		text = append(text, f.Below(w)...)
	}
	if x := f.Fields[f.At]; paint.Width(x.wrong()) > w/2 {
		for i, l := range paint.Wrap("✕ "+x.Label+": "+x.wrong(), w) {
			if i < 3 {
				result = append(result, []paint.Seg{{Style: paint.Style{Fg: paint.Failed}, Text: l}})
			}
		}
	}
	if f.Result != nil {
		result = append(result, f.Result(w)...)
	}
	return text, result
}

func (f *Form) labels() (n int) {
	for _, x := range f.Fields {
		n = max(n, paint.Width(x.Label))
	}
	return min(max(n, paint.Width("command")), 16)
}

// Draw draws it.
func (f *Form) Draw(s *paint.Surface) *tea.Cursor {
	w, h := s.Size()
	in := paint.Frame{Title: f.Title(), Focus: true}.Draw(s)
	iw, ih := w-2, h-2
	text, result := f.text(iw - 2)
	gap := 1
	f.top, f.first, f.shown = 1, 0, len(f.Fields)
	if f.rows(text, result) > ih { // on a small screen the field that is edited and what matters most stay in sight
		gap, f.top = 0, 0
		result = result[:max(0, min(len(result), ih/2))]
		f.shown = max(0, min(len(f.Fields), ih-len(result)))
		f.first = clamp(f.At-f.shown+1, 0, len(f.Fields)-f.shown)
		room := ih - len(result) - f.shown
		if f.Doc != nil && f.Doc() != "" && len(text) > room {
			text = text[1:]
		}
		text = text[:min(len(text), room)]
	}
	var cur *tea.Cursor
	label := f.labels()
	for i, x := range f.Fields {
		x.spots = x.spots[:0]
		if i < f.first || i >= f.first+f.shown {
			continue
		}
		if c := f.row(in, f.top+i-f.first, iw, label, x, i == f.At); c != nil {
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
func (f *Form) row(s *paint.Surface, y, w, label int, x *Field, focus bool) *tea.Cursor {
	bg := paint.Default
	st := paint.Style{Fg: paint.Muted}
	if focus {
		bg = paint.Cursor
		st = paint.Style{Fg: paint.Accent, Attr: paint.Bold}
		s.In(paint.Rect{Y: y, W: w, H: 1}).Fill(paint.Style{Bg: bg})
		s.Text(0, y, st.On(bg), "▸")
	}
	s.Text(1, y, st.On(bg), paint.Pad(x.Label, label))
	left := label + 3
	note, role, hint := x.note, paint.Muted, x.Hint
	if wrong := x.wrong(); wrong != "" {
		note, role, hint = "✕ "+wrong, paint.Failed, "" // the hint would look like what is wrong
	} else if x.Type != "" {
		note = strings.TrimSpace(x.Type + "  " + note)
	}
	value := x.Value()
	need := paint.Width(value) + 2
	if x.Choices != nil {
		need = 0
		for _, c := range x.Choices {
			need += paint.Width(c) + 2
		}
	}
	room := max(min(need, w-left-1), w-left-paint.Width(note)-3)
	room = max(min(room, w-left-1), min(12, w-left-1))
	if n := w - left - room - 2; n > 0 {
		text := paint.Fit(note, n)
		s.TextRight(w-1, y, paint.Style{Fg: role, Bg: bg}, text)
	}
	if x.Choices != nil {
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
	cur := DrawEdit(in, 0, 0, room, &x.input, hint)
	in.Restyle(paint.Rect{W: room, H: 1}, func(st paint.Style) paint.Style { return st.On(bg) })
	if paint.Width(value) < room {
		f.mark(in, x)
	}
	return cur
}

// mark underlines the place of a mistake.
func (f *Form) mark(s *paint.Surface, x *Field) {
	if x.wrong() != "" {
		Underline(s, 0, x.Value(), x.column)
	}
}

func (f *Form) choicesRow(s *paint.Surface, x, y, room int, bg paint.Role, c *Field) {
	in := s.In(paint.Rect{X: x, Y: y, W: room, H: 1})
	from, to := c.fits(room)
	pos := 0
	if from > 0 {
		pos = in.Text(0, 0, paint.Style{Fg: paint.Muted, Bg: bg}, "…")
	}
	for i := from; i < to; i++ {
		word := c.Choices[i]
		st := paint.Style{Fg: paint.Muted, Bg: bg}
		if c.WhyNot != nil && c.WhyNot[i] != "" {
			st.Attr |= paint.Strike
		}
		if i == c.At {
			st.Fg, st.Attr = paint.Text, st.Attr|paint.Bold
			word = "‹" + word + "›"
		} else {
			word = " " + word + " "
		}
		from := pos
		pos = in.Text(pos, 0, st, word)
		if at := strings.Index(strings.ToLower(c.Choices[i]), c.word); i == c.At && c.word != "" && at >= 0 {
			in.Restyle(paint.Rect{X: from + 1 + paint.Width(c.Choices[i][:at]), W: paint.Width(c.word), H: 1}, func(st paint.Style) paint.Style {
				return paint.Style{Fg: paint.Match, Bg: st.Bg, Attr: st.Attr | paint.Underline}
			})
		}
		c.spots = append(c.spots, span{x + from, x + min(pos, room), i})
	}
	if to < len(c.Choices) {
		in.Text(pos, 0, paint.Style{Fg: paint.Muted, Bg: bg}, "…")
	}
}

// Hints are its keys.
func (f *Form) Hints() []Key {
	keys := []Key{{Key: "enter", Hint: f.Enter}, {Key: "tab", Hint: "next field"}, {Key: "esc", Hint: "close"}}
	for _, k := range f.Keys {
		switch {
		case !k.Live:
			keys = append(keys, k)
		case f.Moves():
			keys = slices.Insert(keys, 0, k)
		}
	}
	return keys
}

// Key takes a key.
func (f *Form) Key(h Host, msg tea.KeyPressMsg) tea.Cmd {
	k := msg.String()
	if cmd, ok := press(f.Keys, k); ok {
		return cmd
	}
	x := f.Fields[f.At]
	if msg.Text == "" && k != "backspace" {
		x.word = ""
	}
	switch k {
	case "esc":
		h.Close(f)
		f.Leave()
		return nil
	case "enter", "ctrl+s":
		return f.send(h)
	case "tab", "down":
		f.At = (f.At + 1) % len(f.Fields)
		return nil
	case "shift+tab", "up":
		f.At = (f.At + len(f.Fields) - 1) % len(f.Fields)
		return nil
	}
	if x.Choices != nil {
		switch n := len(x.Choices); {
		case k == "left":
			x.At = (x.At + n - 1) % max(1, n)
		case k == "right", k == "space":
			x.At, x.word = (x.At+1)%max(1, n), ""
		case k == "backspace":
			x.find(x.word[:max(0, len(x.word)-1)], x.At)
		case msg.Text == "":
		case x.word != "" && x.find(x.word+strings.ToLower(msg.Text), x.At):
		case !x.find(strings.ToLower(msg.Text), x.At+1): // the first letter, again or of another word: the next that fits
			x.word = ""
		}
		f.Check()
		return nil
	}
	before := x.input.Value()
	var cmd tea.Cmd
	x.input, cmd = x.input.Update(msg)
	if x.input.Value() != before {
		x.touched = true
		f.Check()
	}
	return cmd
}

// find chooses the choice, from one on, that begins with a word, else that holds it.
func (f *Field) find(word string, from int) bool {
	for _, fits := range []func(s, word string) bool{strings.HasPrefix, strings.Contains} {
		for by := range f.Choices {
			if i := (from + by) % len(f.Choices); fits(strings.ToLower(f.Choices[i]), word) {
				f.At, f.word = i, word
				return true
			}
		}
	}
	return false
}

// send submits, or goes to the first field that is wrong.
func (f *Form) send(h Host) tea.Cmd {
	f.Check()
	if f.Block != nil {
		if why := f.Block(); why != "" {
			h.Warn(why)
			return nil
		}
	}
	for i, x := range f.Fields {
		x.touched = true
		if x.err != "" {
			f.At = i
			h.Warn(x.Label + ": " + x.err)
			return nil
		}
	}
	return f.Submit()
}

// Paste puts a text into the field that is edited.
func (f *Form) Paste(text string) (refused string) {
	x := f.Fields[f.At]
	if x.Choices != nil {
		return x.Label + " is a choice: nothing can be pasted there"
	}
	if refused = Insert(&x.input, text); refused == "" {
		x.touched = true
		f.Check()
	}
	return refused
}

// Click goes to a field, and makes a choice.
func (f *Form) Click(_ Host, x, y int) tea.Cmd {
	row := y - 1 - f.top
	if row < 0 || row >= f.shown {
		return nil
	}
	f.At = f.first + row
	c := f.Fields[f.At]
	for _, at := range c.spots {
		if x-1 >= at.from && x-1 < at.to {
			c.At = at.choice
			f.Check()
			break
		}
	}
	return nil
}

// Labelled is a line under the fields of a form, its text below their values.
func (f *Form) Labelled(label string, role paint.Role, text string, w int) []paint.Seg {
	at := f.labels() + 2
	return []paint.Seg{{Style: paint.Style{Fg: paint.Muted}, Text: paint.Pad(label, at)}, {Style: paint.Style{Fg: role}, Text: paint.Fit(text, max(0, w-at))}}
}
