package dialog

import (
	"cmp"
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/monarch-tui/monarch-tui/tui/list"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// Choice is a row of a picker.
type Choice struct {
	Head  string // a heading: it cannot be chosen
	Text  string
	Right string // at the right edge: a key, an age
	Why   string // why it cannot be chosen now
	Key   string // what it is, where its text changes
	Do    func() tea.Cmd
}

// Picker is a list to choose from, with a filter on top.
type Picker struct {
	Title  string
	Empty  string                    // what to say when there is nothing
	Enter  string                    // what enter does
	Reload func() []Choice           // the rows as they are now; nil: they stay
	Free   func(text string) tea.Cmd // takes a text that matches nothing; nil: nothing does

	rows   []Choice
	filter textinput.Model
	win    list.Window
	shown  []int         // rows that the filter leaves
	found  map[int][]int // where it matched
}

// NewPicker makes a picker of rows.
func NewPicker(title string, rows []Choice) *Picker {
	p := &Picker{Title: title, rows: rows, filter: NewEdit("")}
	p.apply()
	return p
}

// Rows are all rows, whatever the filter.
func (p *Picker) Rows() []Choice { return p.rows }

// SetRows replaces the rows.
func (p *Picker) SetRows(rows []Choice) {
	p.rows = rows
	p.apply()
}

// Filter is what was typed to filter the rows.
func (p *Picker) Filter() string { return p.filter.Value() }

// SetFilter filters the rows as if the text had been typed.
func (p *Picker) SetFilter(text string) {
	p.filter.SetValue(text)
	p.filter.CursorEnd()
	p.apply()
}

// apply filters the rows. Without a filter they keep their order and headings; with one the best match comes first.
func (p *Picker) apply() {
	p.found = map[int][]int{}
	p.shown = p.shown[:0]
	q := strings.TrimSpace(p.filter.Value())
	if rest := strings.TrimPrefix(q, "/"); rest != "" { // a hand that filters elsewhere with /
		q = rest
	}
	if q == "" {
		for i := range p.rows {
			p.shown = append(p.shown, i)
		}
	} else {
		var names []string
		var at []int
		for i, r := range p.rows {
			if r.Head == "" {
				names, at = append(names, r.Text), append(at, i)
				if r.Right == q { // a key finds its action
					p.shown = append(p.shown, i)
				}
			}
		}
		for _, f := range match(q, names) {
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
func (p *Picker) skip(dir int) {
	for range p.shown {
		if c := p.current(); c == nil || c.Head == "" {
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

func (p *Picker) current() *Choice {
	if p.win.Cursor < 0 || p.win.Cursor >= len(p.shown) {
		return nil
	}
	return &p.rows[p.shown[p.win.Cursor]]
}

// Size is how much of the screen it wants.
func (p *Picker) Size(w, h int) (int, int) {
	want := 30
	for _, r := range p.rows {
		want = max(want, paint.Width(r.Text)+max(paint.Width(r.Right), paint.Width(r.Why))+8)
	}
	if len(p.rows) > 0 {
		return min(want, min(w, 84)), min(h, len(p.rows)+5)
	}
	want = min(max(want, min(paint.Width(p.Empty)+4, 60)), w)
	return want, min(h, len(paint.Wrap(p.Empty, max(1, want-4)))+5)
}

// Draw draws it.
func (p *Picker) Draw(s *paint.Surface) *tea.Cursor {
	_, h := s.Size()
	rows := max(0, h-4)
	p.win.Fit(len(p.shown), rows)
	in := paint.Frame{Title: p.Title, Focus: true, Foot: p.count(), At: p.win.Top, Shown: rows, Total: len(p.shown)}.Draw(s)
	iw, _ := in.Size()
	cur := DrawEdit(in, 1, 0, iw-2, &p.filter, "type to filter")
	for x := range iw {
		in.Text(x, 1, paint.Style{Fg: paint.Faint}, "─")
	}
	body := in.In(paint.Rect{Y: 2, W: iw, H: rows})
	if len(p.shown) == 0 {
		text := p.Empty
		if len(p.rows) > 0 || text == "" {
			text = "nothing matches " + strings.TrimSpace(p.filter.Value())
		}
		if typed := strings.TrimSpace(p.filter.Value()); p.Free != nil && typed != "" {
			text = "enter: " + p.Enter + " " + typed
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

func (p *Picker) row(s *paint.Surface, y, w, i int, at bool) {
	r := p.rows[i]
	if r.Head != "" {
		s.TextIn(1, y, w-2, paint.Style{Fg: paint.Accent, Attr: paint.Bold}, r.Head)
		return
	}
	st, right, bg := paint.Style{Fg: paint.Text}, paint.Style{Fg: paint.Accent}, paint.Default
	if r.Why != "" {
		st, right = paint.Style{Fg: paint.Muted, Attr: paint.Strike}, paint.Style{Fg: paint.Muted}
	}
	if at {
		bg = paint.Cursor
		s.In(paint.Rect{Y: y, W: w, H: 1}).Fill(paint.Style{Bg: bg})
		s.Text(0, y, paint.Style{Fg: paint.Accent, Bg: bg, Attr: paint.Bold}, "▸")
	}
	room := w - 4 - paint.Width(r.Right)
	if r.Why != "" && at {
		room = w - 4
		text := paint.Fit(r.Text, max(8, room/2, room-paint.Width(r.Why)-1))
		x := s.Text(2, y, st.On(bg), text)
		s.TextIn(x+1, y, w-x-2, paint.Style{Fg: paint.Warning, Bg: bg}, r.Why)
		return
	}
	text := paint.Fit(r.Text, room)
	s.Text(2, y, st.On(bg), text)
	for _, at := range p.found[i] {
		if at < len(text) && text[at] < 0x80 {
			s.Text(2+paint.Width(text[:at]), y, paint.Style{Fg: paint.Match, Bg: bg, Attr: st.Attr | paint.Bold}, text[at:at+1])
		}
	}
	s.TextRight(w-1, y, right.On(bg), r.Right)
}

// Key takes a key.
func (p *Picker) Key(h Host, msg tea.KeyPressMsg) tea.Cmd {
	switch msg.String() {
	case "esc":
		if p.filter.Value() != "" {
			p.filter.SetValue("")
			p.apply()
			return nil
		}
		h.Close(p)
	case "ctrl+g":
		h.Close(p)
	case "enter":
		return p.choose(h)
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

func (p *Picker) choose(h Host) tea.Cmd {
	c := p.current()
	if typed := strings.TrimSpace(p.filter.Value()); c == nil && p.Free != nil && typed != "" {
		h.Close(p)
		return p.Free(typed)
	}
	if c == nil || c.Do == nil {
		return nil
	}
	if c.Why != "" {
		h.Warn(c.Text + ": " + c.Why)
		return nil
	}
	h.Close(p)
	return c.Do()
}

// Click goes to a row; on the row of the cursor it chooses it.
func (p *Picker) Click(h Host, _, y int) tea.Cmd {
	row := p.win.RowAt(y - 3)
	if row < 0 || p.rows[p.shown[row]].Head != "" {
		return nil
	}
	if row == p.win.Cursor {
		return p.choose(h)
	}
	p.win.To(row)
	return nil
}

// Wheel scrolls.
func (p *Picker) Wheel(lines int) { p.win.Scroll(lines) }

// Paste puts a text into the filter.
func (p *Picker) Paste(text string) (refused string) {
	refused = Insert(&p.filter, text)
	p.apply()
	return refused
}

// Refresh loads the rows anew and keeps the cursor on its text.
func (p *Picker) Refresh() tea.Cmd {
	if p.Reload == nil {
		return nil
	}
	name := func(c *Choice) string { return cmp.Or(c.Key, c.Text) }
	at, win := "", p.win
	if c := p.current(); c != nil {
		at = name(c)
	}
	p.rows = p.Reload()
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

// count is how many of the rows the filter leaves.
func (p *Picker) count() string {
	n := 0
	for _, i := range p.shown {
		if p.rows[i].Head == "" {
			n++
		}
	}
	return paint.Exact(n)
}

// Hints are its keys.
func (p *Picker) Hints() []Key {
	enter := cmp.Or(p.Enter, "choose")
	return []Key{{Key: "enter", Hint: enter}, {Key: "↑↓", Hint: "move"}, {Key: "esc", Hint: "back"}}
}
