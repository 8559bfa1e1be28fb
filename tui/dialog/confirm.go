package dialog

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// Confirm asks before something that cannot be undone: a key, or a name that has to be typed.
type Confirm struct {
	Title string
	Text  string
	Word  string // must be typed; "": y is enough
	Do    func() tea.Cmd

	typed string
}

// Size is how much of the screen it wants.
func (c *Confirm) Size(w, _ int) (int, int) {
	width := min(w, 64)
	lines := len(paint.Wrap(c.Text, width-4))
	if c.Word != "" {
		lines += 2
	}
	return width, lines + 4
}

// Draw draws it.
func (c *Confirm) Draw(s *paint.Surface) *tea.Cursor {
	w, _ := s.Size()
	in := paint.Frame{Title: c.Title, Focus: true, Accent: paint.Warning}.Draw(s)
	y := 1
	for _, l := range paint.Wrap(c.Text, w-4) {
		in.Text(1, y, paint.Style{Fg: paint.Text}, l)
		y++
	}
	if c.Word == "" {
		return nil
	}
	x := in.Text(1, y+1, paint.Style{Fg: paint.Muted}, "type "+c.Word+" to do it: ")
	role := paint.Text
	if !strings.HasPrefix(c.Word, c.typed) {
		role = paint.Failed
	}
	x = in.TextIn(x, y+1, w-x-3, paint.Style{Fg: role, Attr: paint.Bold}, c.typed)
	return cursorAt(in, x, y+1)
}

// Hints are its keys.
func (c *Confirm) Hints() []Key {
	if c.Word != "" {
		return []Key{{Key: "enter", Hint: "do it, once the name stands there"}, {Key: "esc", Hint: "no"}}
	}
	return []Key{{Key: "y", Hint: "yes"}, {Key: "esc", Hint: "no"}}
}

// Key takes a key.
func (c *Confirm) Key(h Host, msg tea.KeyPressMsg) tea.Cmd {
	k := msg.String()
	switch {
	case k == "esc", c.Word == "" && (k == "n" || k == "q"):
		h.Close(c)
	case c.Word == "" && k == "y", c.Word != "" && k == "enter" && c.typed == c.Word:
		h.Close(c)
		return c.Do()
	case c.Word == "":
	case k == "backspace":
		if r := []rune(c.typed); len(r) > 0 {
			c.typed = string(r[:len(r)-1])
		}
	case k == "ctrl+u":
		c.typed = ""
	case msg.Text != "" && len(c.typed) < 100:
		c.typed += msg.Text
	}
	return nil
}
