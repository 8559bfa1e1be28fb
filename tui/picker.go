package tui

import (
	"cmp"
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/sahilm/fuzzy"

	"github.com/monarch-tui/monarch-tui/tui/list"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// choice is a row of a picker.
type choice struct {
	head  string // a heading: it cannot be chosen
	text  string
	right string // at the right edge: a key, an age
	why   string // why it cannot be chosen now
	key   string // what it is, where its text changes
	do    func(m *Model) tea.Cmd
}

// picker is a list to choose from, with a filter on top.
type picker struct {
	title  string
	empty  string // what to say when there is nothing
	verb   string // what enter does
	rows   []choice
	filter textinput.Model
	win    list.Window
	shown  []int         // rows that the filter leaves
	found  map[int][]int // where it matched
	reload func(m *Model) []choice
	free   func(m *Model, text string) tea.Cmd // takes a text that matches nothing; nil: nothing does
}

func newPicker(title string, rows []choice) *picker {
	p := &picker{title: title, rows: rows, filter: newField("")}
	p.apply()
	return p
}

// newField is a line of text that can be edited; it is drawn by us.
func newField(value string) textinput.Model {
	f := textinput.New()
	f.Prompt = ""
	f.KeyMap.Paste.SetEnabled(false) // it would start a program that reads the clipboard; terminals paste by themselves
	f.SetValue(value)
	f.CursorEnd()
	f.Focus()
	return f
}

// apply filters the rows. Without a filter they keep their order and headings; with one the best match comes first.
func (p *picker) apply() {
	p.found = map[int][]int{}
	p.shown = p.shown[:0]
	q := strings.TrimSpace(p.filter.Value())
	if q == "" {
		for i := range p.rows {
			p.shown = append(p.shown, i)
		}
	} else {
		var names []string
		var at []int
		for i, r := range p.rows {
			if r.head == "" {
				names, at = append(names, r.text), append(at, i)
				if r.right == q { // a key finds its action
					p.shown = append(p.shown, i)
				}
			}
		}
		for _, f := range fuzzy.Find(q, names) {
			if i := at[f.Index]; !slices.Contains(p.shown, i) {
				p.shown = append(p.shown, i)
				p.found[i] = f.MatchedIndexes
			}
		}
	}
	p.win = list.Window{Size: p.win.Size}
	p.win.Fit(len(p.shown), p.win.Size)
	p.skip(1)
}

// skip moves off headings.
func (p *picker) skip(dir int) {
	for range p.shown {
		if c := p.current(); c == nil || c.head == "" {
			return
		}
		if p.win.Cursor == 0 {
			dir = 1
		}
		if p.win.Cursor == len(p.shown)-1 {
			dir = -1
		}
		p.win.Move(dir)
	}
}

func (p *picker) current() *choice {
	if p.win.Cursor < 0 || p.win.Cursor >= len(p.shown) {
		return nil
	}
	return &p.rows[p.shown[p.win.Cursor]]
}

func (p *picker) size(_ *Model, w, h int) (int, int) {
	want := 30
	for _, r := range p.rows {
		want = max(want, paint.Width(r.text)+max(paint.Width(r.right), paint.Width(r.why))+8)
	}
	return min(want, min(w, 84)), min(h, len(p.rows)+5)
}

func (p *picker) draw(_ *Model, s *paint.Surface) *tea.Cursor {
	_, h := s.Size()
	rows := max(0, h-4)
	p.win.Fit(len(p.shown), rows)
	in := paint.Frame{Title: p.title, Focus: true, Foot: p.count(), At: p.win.Top, Shown: rows, Total: len(p.shown)}.Draw(s)
	iw, _ := in.Size()
	cur := drawField(in, 1, 0, iw-2, &p.filter, "type to filter")
	for x := range iw {
		in.Text(x, 1, paint.Style{Fg: paint.Faint}, "─")
	}
	body := in.In(paint.Rect{Y: 2, W: iw, H: rows})
	if len(p.shown) == 0 {
		text := p.empty
		if len(p.rows) > 0 || text == "" {
			text = "nothing matches " + strings.TrimSpace(p.filter.Value())
		}
		if typed := strings.TrimSpace(p.filter.Value()); p.free != nil && typed != "" {
			text = "enter: " + p.verb + " " + typed
		}
		for i, l := range paint.Wrap(text, iw-2) {
			body.Text(1, i, paint.Style{Fg: paint.Muted}, l)
		}
	}
	from, to := p.win.Visible()
	for line, i := 0, from; i < to; line, i = line+1, i+1 {
		p.row(body, line, iw, p.shown[i], i == p.win.Cursor)
	}
	return cur
}

func (p *picker) row(s *paint.Surface, y, w, i int, at bool) {
	r := p.rows[i]
	if r.head != "" {
		s.TextIn(1, y, w-2, paint.Style{Fg: paint.Accent, Attr: paint.Bold}, r.head)
		return
	}
	st, right, bg := paint.Style{Fg: paint.Text}, paint.Style{Fg: paint.Accent}, paint.Default
	if r.why != "" {
		st, right = paint.Style{Fg: paint.Muted, Attr: paint.Strike}, paint.Style{Fg: paint.Muted}
	}
	if at {
		bg = paint.Cursor
		s.In(paint.Rect{Y: y, W: w, H: 1}).Fill(paint.Style{Bg: bg})
		s.Text(0, y, paint.Style{Fg: paint.Accent, Bg: bg, Attr: paint.Bold}, "▸")
	}
	room := w - 4 - paint.Width(r.right)
	if r.why != "" && at {
		room = w - 4
		text := paint.Fit(r.text, max(8, room/2, room-paint.Width(r.why)-1))
		x := s.Text(2, y, st.On(bg), text)
		s.TextIn(x+1, y, w-x-2, paint.Style{Fg: paint.Warning, Bg: bg}, r.why)
		return
	}
	text := paint.Fit(r.text, room)
	s.Text(2, y, st.On(bg), text)
	for _, at := range p.found[i] {
		if at < len(text) && text[at] < 0x80 {
			s.Text(2+paint.Width(text[:at]), y, paint.Style{Fg: paint.Match, Bg: bg, Attr: st.Attr | paint.Bold}, text[at:at+1])
		}
	}
	s.TextRight(w-1, y, right.On(bg), r.right)
}

func (p *picker) key(m *Model, msg tea.KeyPressMsg) tea.Cmd {
	switch msg.String() {
	case "esc":
		if p.filter.Value() != "" {
			p.filter.SetValue("")
			p.apply()
			return nil
		}
		m.drop(p)
	case "ctrl+g":
		m.drop(p)
	case "enter":
		return p.choose(m)
	case "up", "ctrl+p", "shift+tab":
		p.win.Move(-1)
		p.skip(-1)
	case "down", "ctrl+n", "tab":
		p.win.Move(1)
		p.skip(1)
	case "pgup", "ctrl+u":
		p.win.Page(-1)
		p.skip(-1)
	case "pgdown", "ctrl+d":
		p.win.Page(1)
		p.skip(1)
	default:
		before := p.filter.Value()
		var cmd tea.Cmd
		p.filter, cmd = p.filter.Update(msg)
		if p.filter.Value() != before {
			p.apply()
		}
		return cmd
	}
	return nil
}

func (p *picker) choose(m *Model) tea.Cmd {
	c := p.current()
	if typed := strings.TrimSpace(p.filter.Value()); c == nil && p.free != nil && typed != "" {
		m.drop(p)
		return p.free(m, typed)
	}
	if c == nil || c.do == nil {
		return nil
	}
	if c.why != "" {
		m.say(sayWarn, c.text+": "+c.why)
		return nil
	}
	m.drop(p)
	return c.do(m)
}

func (p *picker) click(m *Model, _, y int) tea.Cmd {
	row := p.win.RowAt(y - 3)
	if row < 0 || p.rows[p.shown[row]].head != "" {
		return nil
	}
	if row == p.win.Cursor {
		return p.choose(m)
	}
	p.win.To(row)
	return nil
}

func (p *picker) wheel(_ *Model, lines int) { p.win.Scroll(lines) }

func (p *picker) paste(_ *Model, text string) tea.Cmd {
	insertText(&p.filter, text)
	p.apply()
	return nil
}

// refresh loads the rows anew and keeps the cursor on its text.
func (p *picker) refresh(m *Model) tea.Cmd {
	if p.reload == nil {
		return nil
	}
	name := func(c *choice) string { return cmp.Or(c.key, c.text) }
	at, win := "", p.win
	if c := p.current(); c != nil {
		at = name(c)
	}
	p.rows = p.reload(m)
	p.apply()
	p.win = win
	p.win.Fit(len(p.shown), p.win.Size)
	for i, r := range p.shown {
		if name(&p.rows[r]) == at {
			p.win.To(i)
			break
		}
	}
	return nil
}

// insertText puts a text into a field where its cursor is, on one line.
func insertText(f *textinput.Model, text string) {
	text = strings.Join(strings.Fields(text), " ")
	v, at := []rune(f.Value()), f.Position()
	f.SetValue(string(v[:at]) + text + string(v[at:]))
	f.SetCursor(at + len([]rune(text)))
}

// drawField draws a line of text that is edited, scrolled so that the cursor is in it, and gives the cursor.
func drawField(s *paint.Surface, x, y, w int, f *textinput.Model, hint string) *tea.Cursor {
	if w <= 0 {
		return nil
	}
	value := []rune(f.Value())
	if len(value) == 0 {
		s.TextIn(x, y, w, paint.Style{Fg: paint.Muted}, hint)
		return cursorAt(s, x, y)
	}
	at := min(f.Position(), len(value))
	from := 0
	for paint.Width(string(value[from:at])) > w-1 {
		from++
	}
	s.TextIn(x, y, w, paint.Style{Fg: paint.Text}, string(value[from:]))
	return cursorAt(s, x+paint.Width(string(value[from:at])), y)
}

// cursorAt is the terminal's cursor at a place of a surface, nil where it cannot be seen.
func cursorAt(s *paint.Surface, x, y int) *tea.Cursor {
	sx, sy, visible := s.Place(x, y)
	if !visible {
		return nil
	}
	return tea.NewCursor(sx, sy)
}

// count is how many of the rows the filter leaves.
func (p *picker) count() string {
	n := 0
	for _, i := range p.shown {
		if p.rows[i].head == "" {
			n++
		}
	}
	return paint.Exact(n)
}

func (p *picker) hints(*Model) []boxKey {
	verb := p.verb
	if verb == "" {
		verb = "choose"
	}
	return []boxKey{{key: "enter", hint: verb}, {key: "↑↓", hint: "move"}, {key: "esc", hint: "back"}}
}
