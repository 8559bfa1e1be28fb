package paint

// Frame is a box whose border carries information: a jump key and a title at the top left, tabs after it, more at the
// top right, a position at the bottom, and a scrollbar in the right side.
type Frame struct {
	Key       string   // the pane's jump key; "": none
	Title     string   // "" with tabs: the tabs are the title
	Tabs      []string // of the pane
	Tab       int      // the open one
	Right     string   // top right
	FootLeft  string   // bottom left
	Foot      string   // bottom right
	Focus     bool     // heavy border, bold title: told apart without colour
	Stale     bool     // drawn faint: what it shows is old
	Accent    Role     // of the border with the focus; Default: Accent
	At, Shown int      // first visible row and how many, of Total: a scrollbar when not all are shown
	Total     int
}

// borders are corners clockwise from the top left, then horizontal, vertical and the scrollbar's thumb.
var borders = map[bool][7]string{
	false: {"╭", "╮", "╯", "╰", "─", "│", "┃"},
	true:  {"┏", "┓", "┛", "┗", "━", "┃", "█"},
}

// Draw draws the frame around the surface, clears what is in it, and returns the inside.
func (f Frame) Draw(s *Surface) *Surface {
	w, h := s.Size()
	s.Clear()
	if w < 2 || h < 2 {
		return s.In(Rect{})
	}
	b := borders[f.Focus]
	line := Style{Fg: Faint}
	if f.Focus {
		line.Fg = Accent
		if f.Accent != Default {
			line.Fg = f.Accent
		}
	}
	if f.Stale {
		line.Fg = Faint
	}
	for x := 1; x < w-1; x++ {
		s.Text(x, 0, line, b[4])
		s.Text(x, h-1, line, b[4])
	}
	for y := 1; y < h-1; y++ {
		s.Text(0, y, line, b[5])
		s.Text(w-1, y, line, b[5])
	}
	s.Text(0, 0, line, b[0])
	s.Text(w-1, 0, line, b[1])
	s.Text(w-1, h-1, line, b[2])
	s.Text(0, h-1, line, b[3])
	f.top(s, line)
	f.bottom(s)
	f.scroll(s, line, b[6])
	return s.In(Rect{1, 1, w - 2, h - 2})
}

func (f Frame) top(s *Surface, line Style) {
	w, _ := s.Size()
	x, limit := 1, w-2
	title := Style{Fg: Text}
	if f.Focus {
		title = Style{Fg: line.Fg, Attr: Bold}
	}
	if f.Key != "" {
		x = s.Text(x, 0, title, Fit("["+f.Key+"]", limit-x+1))
	}
	put := func(st Style, text string) {
		if text = Fit(text, limit-x); text != "" {
			x = s.Text(x, 0, st, text)
		}
	}
	from, to, named := f.tabs(limit - x)
	if named {
		put(title, " "+f.Title)
	}
	for i, tab := range f.Tabs[from:to] {
		switch {
		case from+i == f.Tab && len(f.Tabs) > 1:
			put(title, " ‹"+tab+"›")
		case from+i == f.Tab:
			put(title, " "+tab)
		default:
			put(Style{Fg: Muted}, " "+tab)
		}
	}
	if to-from < len(f.Tabs) && x+2 <= limit {
		put(Style{Fg: Muted}, " …")
	}
	if x > 1 && x <= limit {
		x = s.Text(x, 0, title, " ")
	}
	if right := Fit(f.Right, limit-x-3); right != "" {
		s.TextRight(w-2, 0, Style{Fg: Muted}, " "+right+" ")
	}
}

// tabs is which tabs there is room for, and whether for the title: those far from the open one are left out first, then
// the title, because a word that is cut says nothing.
func (f Frame) tabs(room int) (from, to int, title bool) {
	from, to, title = 0, len(f.Tabs), f.Title != ""
	if to == 0 {
		return from, to, title
	}
	width := func() int {
		n := len("<>") // the marks of the open one
		if to-from < len(f.Tabs) {
			n += len(" .") // that there are more
		}
		for _, tab := range f.Tabs[from:to] {
			n += 1 + Width(tab)
		}
		if title {
			n += 1 + Width(f.Title)
		}
		return n
	}
	for width() > room && to-from > 1 {
		if f.Tab < to-1 {
			to--
		} else {
			from++
		}
	}
	if width() > room {
		title = false
	}
	return from, to, title
}

func (f Frame) bottom(s *Surface) {
	w, h := s.Size()
	end := w - 2
	if foot := Fit(f.Foot, w-6); foot != "" {
		end = s.TextRight(end, h-1, Style{Fg: Muted}, " "+foot+" ")
	}
	if left := Fit(f.FootLeft, end-4); left != "" {
		s.Text(2, h-1, Style{Fg: Muted}, " "+left+" ")
	}
}

func (f Frame) scroll(s *Surface, line Style, thumb string) {
	w, h := s.Size()
	track := h - 2
	if f.Total <= f.Shown || f.Shown <= 0 || track < 3 {
		return
	}
	size := max(1, track*f.Shown/f.Total)
	from := (track - size) * max(0, min(f.At, f.Total-f.Shown)) / max(1, f.Total-f.Shown)
	for y := from; y < from+size; y++ {
		s.Text(w-1, 1+y, line, thumb)
	}
}
