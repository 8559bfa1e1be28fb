package paint

// Style is how a cell looks: what the foreground and the background stand for, and attributes. The zero Style is the
// terminal's own.
type Style struct {
	Fg, Bg Role
	Attr   Attr
}

// Attr is a set of attributes.
type Attr uint8

// The attributes.
const (
	Bold Attr = 1 << iota
	Reverse
	Underline
	Strike
)

const (
	attrs  = 1 << 4
	styles = int(roles) * int(roles) * attrs
)

// number counts the styles.
func (s Style) number() int { return (int(s.Fg)*int(roles)+int(s.Bg))*attrs + int(s.Attr) }

// On is the style with a background.
func (s Style) On(bg Role) Style { s.Bg = bg; return s }

// With is the style with more attributes.
func (s Style) With(a Attr) Style { s.Attr |= a; return s }

type cell struct {
	text  string // one character as the terminal shows it; "" for the second half of a wide one and for a blank
	style Style
	width int8 // 0 for the second half
}

var blank = cell{text: " ", width: 1}

// canvas is what all surfaces of one screen share.
type canvas struct {
	w, h    int
	cells   []cell
	encoded int // bytes of the last encoding: the next one will be about as long
}

// Surface is a rectangle of a screen. Drawing beyond its edges is no error: it is clipped. It is for one goroutine.
type Surface struct {
	c      *canvas
	origin Rect // of this surface on the canvas, possibly beyond its edges
	clip   Rect // on the canvas
}

// New makes a blank screen of w×h cells.
func New(w, h int) *Surface {
	w, h = max(0, w), max(0, h)
	c := &canvas{w: w, h: h, cells: make([]cell, w*h)}
	all := Rect{0, 0, w, h}
	s := &Surface{c: c, origin: all, clip: all}
	s.Clear()
	return s
}

// Size is the width and the height in cells.
func (s *Surface) Size() (w, h int) { return s.origin.W, s.origin.H }

// Bounds is the surface's rectangle in its own coordinates.
func (s *Surface) Bounds() Rect { return Rect{0, 0, s.origin.W, s.origin.H} }

// In is the part r of the surface, with coordinates of its own.
func (s *Surface) In(r Rect) *Surface {
	r.W, r.H = max(0, r.W), max(0, r.H)
	o := Rect{s.origin.X + r.X, s.origin.Y + r.Y, r.W, r.H}
	return &Surface{c: s.c, origin: o, clip: o.Intersect(s.clip)}
}

// Clear makes every cell blank.
func (s *Surface) Clear() { s.Fill(Style{}) }

// Fill makes every cell blank, in a style.
func (s *Surface) Fill(st Style) {
	b := blank
	b.style = st
	if s.clip.W <= 0 {
		return
	}
	first, last := s.clip.X, s.clip.X+s.clip.W-1
	for y := s.clip.Y; y < s.clip.Y+s.clip.H; y++ {
		s.set(first, y, b) // half of a wide character may stand beyond the edges
		s.set(last, y, b)
		row := s.c.cells[y*s.c.w+first : y*s.c.w+last]
		for x := range row {
			row[x] = b
		}
	}
}

// Text writes one line of text from (x, y) on, and returns the x after it, also where it was clipped. Control
// characters are not drawn.
func (s *Surface) Text(x, y int, st Style, text string) int {
	cy := s.origin.Y + y
	visible := cy >= s.clip.Y && cy < s.clip.Y+s.clip.H
	for len(text) > 0 {
		ch, w, rest := next(text)
		text = rest
		if w == 0 {
			continue
		}
		if visible {
			s.put(s.origin.X+x, cy, cell{ch, st, int8(w)})
		}
		x += w
	}
	return x
}

// Word is a text that is drawn often: it is taken apart only once.
type Word []cell

// Spell makes a Word.
func Spell(text string) Word {
	var out Word
	for len(text) > 0 {
		ch, w, rest := next(text)
		if text = rest; w > 0 {
			out = append(out, cell{text: ch, width: int8(w)})
		}
	}
	return out
}

// Word writes a word as Text does.
func (s *Surface) Word(x, y int, st Style, word Word) int {
	cy := s.origin.Y + y
	visible := cy >= s.clip.Y && cy < s.clip.Y+s.clip.H
	for _, c := range word {
		if visible {
			c.style = st
			s.put(s.origin.X+x, cy, c)
		}
		x += int(c.width)
	}
	return x
}

// TextIn writes text into the w cells from (x, y) on, shortened with an ellipsis where it is longer.
func (s *Surface) TextIn(x, y, w int, st Style, text string) int {
	return s.Text(x, y, st, Fit(text, w))
}

// TextRight writes text so that it ends before x, and returns where it begins.
func (s *Surface) TextRight(x, y int, st Style, text string) int {
	from := x - Width(text)
	s.Text(from, y, st, text)
	return from
}

// Line writes segments one after the other and returns the x after the last.
func (s *Surface) Line(x, y int, segs ...Seg) int {
	for _, g := range segs {
		x = s.Text(x, y, g.Style, g.Text)
	}
	return x
}

// Seg is a piece of text in one style.
type Seg struct {
	Style Style
	Text  string
}

// SegsWidth is how many cells segments take, one after the other.
func SegsWidth(segs []Seg) (n int) {
	for _, g := range segs {
		n += Width(g.Text)
	}
	return n
}

// Restyle changes the style of the cells of r.
func (s *Surface) Restyle(r Rect, change func(Style) Style) {
	r = Rect{s.origin.X + r.X, s.origin.Y + r.Y, r.W, r.H}.Intersect(s.clip)
	for y := r.Y; y < r.Y+r.H; y++ {
		row := s.c.cells[y*s.c.w : (y+1)*s.c.w]
		for x := r.X; x < r.X+r.W; x++ {
			row[x].style = change(row[x].style)
		}
	}
}

// put draws a character; a wide one that does not fit as a whole leaves a blank.
func (s *Surface) put(x, y int, c cell) {
	if x+int(c.width) > s.clip.X+s.clip.W || x < s.clip.X {
		if c.width == 2 {
			for i := range 2 {
				if x+i >= s.clip.X && x+i < s.clip.X+s.clip.W {
					b := blank
					b.style = c.style
					s.set(x+i, y, b)
				}
			}
		}
		return
	}
	s.set(x, y, c)
	if c.width == 2 {
		s.set(x+1, y, cell{style: c.style})
	}
}

// set replaces a cell of the canvas.
func (s *Surface) set(x, y int, c cell) {
	at := &s.c.cells[y*s.c.w+x]
	if at.width != 1 {
		s.split(x, y, c)
	}
	*at = c
}

// split makes what is left of a wide character blank, of which a half is to be replaced.
func (s *Surface) split(x, y int, c cell) {
	row := s.c.cells[y*s.c.w : (y+1)*s.c.w]
	old := row[x]
	if old.width == 2 && x+1 < s.c.w && row[x+1].width == 0 {
		row[x+1] = cell{" ", row[x+1].style, 1}
	}
	if old.width == 0 && old.text == "" && x > 0 && row[x-1].width == 2 && c.text != "" {
		row[x-1] = cell{" ", row[x-1].style, 1}
	}
}

// Place is where (x, y) of the surface is on the screen, and whether it can be seen.
func (s *Surface) Place(x, y int) (sx, sy int, visible bool) {
	sx, sy = s.origin.X+x, s.origin.Y+y
	return sx, sy, s.clip.Contains(sx, sy)
}
