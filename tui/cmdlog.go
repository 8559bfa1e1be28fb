package tui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/list"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// cmdLog is the pane that lists the commands: what every key, form and line has done.
type cmdLog struct {
	m   *Model
	win list.Window
}

// newCmdLog is at the newest command, and follows.
func newCmdLog(m *Model) *cmdLog { return &cmdLog{m: m, win: list.Window{Follow: true}} }

// Draw draws the rows.
func (c *cmdLog) Draw(s *paint.Surface, _ *world.World, focus bool) {
	w, h := s.Size()
	c.win.Fit(len(c.m.commands), h)
	if len(c.m.commands) == 0 {
		for i, l := range paint.Wrap("What you do appears here as the command it was: :save FILE makes a script of it.", w-2) {
			s.Text(1, i+1, paint.Style{Fg: paint.Muted}, l)
		}
		return
	}
	from, to := c.win.Visible()
	for i := from; i < to; i++ {
		e, y := c.m.commands[i], i-from
		bg := paint.Default
		if focus && i == c.win.Cursor {
			bg = paint.Cursor
			s.In(paint.Rect{Y: y, W: w, H: 1}).Fill(paint.Style{Bg: bg})
		}
		x := 1
		if w >= 50 {
			x = s.Text(x, y, paint.Style{Fg: paint.Muted, Bg: bg}, e.began.Format(time.TimeOnly)) + 1
		}
		sign, role := c.m.sign(e)
		x = s.Text(x, y, paint.Style{Fg: role, Bg: bg, Attr: paint.Bold}, sign) + 1
		line := e.line
		if room := w - x - 2; room > 40 {
			line = paint.FitMiddle(line, room*6/10)
		}
		x = s.TextIn(x, y, w-x-1, paint.Style{Fg: paint.Text, Bg: bg}, line) + 2
		s.TextIn(x, y, w-x-1, paint.Style{Fg: paint.Muted, Bg: bg}, e.summary(c.m))
	}
}

// Frame tells where in the log the cursor is.
func (c *cmdLog) Frame(*world.World) paint.Frame {
	f := paint.Frame{At: c.win.Top, Shown: c.win.Size, Total: c.win.Total}
	if n := len(c.m.commands); n > 0 {
		f.Foot = paint.Exact(c.win.Cursor+1) + " of " + paint.Exact(n)
	}
	return f
}

// current is the command under the cursor.
func (c *cmdLog) current() *entry {
	if c.win.Cursor < 0 || c.win.Cursor >= len(c.m.commands) {
		return nil
	}
	return c.m.commands[c.win.Cursor]
}

// Activate shows the command under the cursor with all that it gave.
func (c *cmdLog) Activate() tea.Cmd {
	if e := c.current(); e != nil {
		c.m.openEntry(e)
	}
	return c.m.cursorMoved()
}

// Text is the command under the cursor.
func (c *cmdLog) Text() string {
	if e := c.current(); e != nil {
		return e.line
	}
	return ""
}

// PageText is all commands.
func (c *cmdLog) PageText() string {
	var b strings.Builder
	for _, e := range c.m.commands {
		fmt.Fprintf(&b, "%s  %s\n", e.began.Format(time.TimeOnly), e.line)
	}
	return b.String()
}

// Up moves the cursor.
func (c *cmdLog) Up(n int) { c.win.Move(-n) }

// Down moves the cursor.
func (c *cmdLog) Down(n int) { c.win.Move(n) }

// Home goes to the first command.
func (c *cmdLog) Home() { c.win.To(0) }

// End goes to the last command, and follows.
func (c *cmdLog) End() { c.win.End() }

// Page moves by half a page.
func (c *cmdLog) Page(n int) { c.win.Page(n) }

// Wheel scrolls.
func (c *cmdLog) Wheel(lines int) { c.win.Scroll(lines) }

// Click goes to a command.
func (c *cmdLog) Click(_, y int) {
	if row := c.win.RowAt(y); row >= 0 {
		c.win.To(row)
	}
}
