package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// drawHeader draws the first row: where we are, how much there is, and the state of the connection.
func (m *Model) drawHeader(s *paint.Surface) {
	w, _ := s.Size()
	right := m.connState()
	s.Line(w-1-paint.SegsWidth(right), 0, right...)
	room := w - 3 - paint.SegsWidth(right)
	if held := m.heldState(w); len(held) > 0 {
		s.Line(room-paint.SegsWidth(held), 0, held...)
		room -= paint.SegsWidth(held) + 2
	}
	x := s.Text(1, 0, paint.Style{Fg: paint.Accent, Attr: paint.Bold}, m.logo())
	if w >= wideWidth {
		x = s.Text(x+1, 0, paint.Style{Fg: paint.Accent, Attr: paint.Bold}, "monarch") + 1
	}
	crumbs := m.crumbs()
	counts := m.counts(w)
	left := room - x
	for len(crumbs) > 1 && paint.Width(strings.Join(crumbs, " ▸ ")) > left {
		crumbs = crumbs[1:]
	}
	for i, c := range crumbs {
		st := paint.Style{Fg: paint.Muted}
		if i == len(crumbs)-1 {
			st = paint.Style{Fg: paint.Text, Attr: paint.Bold}
		}
		if i > 0 {
			x = s.Text(x, 0, paint.Style{Fg: paint.Faint}, " ▸")
		}
		x = s.TextIn(x+1, 0, max(0, room-x), st, c)
	}
	free := room - x - 3
	for width := w; paint.Width(counts) > free && width >= squashWidth; { // less of it, rather than nothing
		width -= 20
		counts = m.counts(width)
	}
	if paint.Width(counts) <= free {
		s.TextRight(room, 0, paint.Style{Fg: paint.Muted}, counts)
	}
}

// logo is the sign of the program: ◆, which in ASCII would be the letter of what is paused.
func (m *Model) logo() string {
	if m.theme.ASCII {
		return "#"
	}
	return "◆"
}

// crumbs are the way to what the cursor is on.
func (m *Model) crumbs() []string {
	var out []string
	if n := m.world.Session.Name; n != "" {
		out = append(out, n)
	}
	return append(out, m.panes.place(m.world)...)
}

// counts say how much there is and how much goes on.
func (m *Model) counts(w int) string {
	if !m.world.Loaded {
		return ""
	}
	alive := m.alive()
	text := counted(alive.procs, "proc") + " · " + counted(alive.actors, "actor")
	if w < squashWidth {
		return text
	}
	rate := m.world.Rate(8)
	text += " · " + paint.PadLeft(paint.Count(rate[len(rate)-1]), 5) + " msg/s"
	if w >= pairWidth && !m.cfg.Settings.ReduceMotion {
		text += " " + paint.Spark(rate)
	}
	return text
}

// counted is a count with its noun, short: 1 proc, 65.5k actors.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return paint.Count(n) + " " + noun
}

// connState is the right end of the header.
func (m *Model) connState() []paint.Seg {
	age := func(t time.Time) string { return paint.Duration(m.now().Sub(t).Truncate(100 * time.Millisecond)) }
	seg := func(r paint.Role, text string) []paint.Seg {
		return []paint.Seg{{Style: paint.Style{Fg: r, Attr: paint.Bold}, Text: text}}
	}
	switch d := m.dialing; {
	case d != nil && m.lost:
		text := "○ reconnecting"
		if !d.again {
			text = "○ attaching"
		} else if strings.Contains(m.connErr, "ended") { // it comes back only if it is started again
			text = "○ ended, looking for it"
		}
		text += " " + age(d.began)
		if d.again && m.w >= squashWidth {
			text += fmt.Sprintf(" · try %d", d.tries)
		}
		return seg(paint.Warning, text)
	case d != nil && m.conn != nil && m.now().Sub(d.began) > 150*time.Millisecond:
		return seg(paint.Starting, m.spinner()+" attaching "+age(d.began))
	case d != nil && m.conn == nil && m.now().Sub(d.began) > 150*time.Millisecond:
		return seg(paint.Starting, m.spinner()+" connecting "+age(d.began))
	case m.conn == nil && d != nil:
		return seg(paint.Starting, "◌ connecting")
	case m.conn == nil && (m.lost || m.connErr != ""):
		return seg(paint.Failed, "✕ not connected")
	case m.conn == nil:
		return seg(paint.Muted, "○ no session")
	case m.silent() > 0:
		return seg(paint.Warning, "▲ no answer for "+paint.Duration(m.silent().Truncate(time.Second)))
	case m.world.Session.State == "failed":
		return seg(paint.Failed, "✕ failed "+clockAge(m.now().Sub(m.world.Session.Started)))
	case m.conn.viewer:
		return seg(paint.Busy, "● viewing "+clockAge(m.now().Sub(m.world.Session.Started)))
	}
	return seg(paint.Busy, "● live "+clockAge(m.now().Sub(m.world.Session.Started)))
}

// clockAge is an age as minutes and seconds, or hours and minutes.
func clockAge(d time.Duration) string {
	d = max(0, d)
	if d >= time.Hour {
		return fmt.Sprintf("%dh%02d", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// liveCounts is how many processes and actors live (World.Alive).
type liveCounts struct {
	world         *world.World // it was counted of
	rev           uint64
	procs, actors int
}

// alive counts what lives, anew only when something has happened.
func (m *Model) alive() liveCounts {
	w := m.world
	if m.live.world == w && m.live.rev == w.StateRevision() && w.StateRevision() > 0 {
		return m.live
	}
	m.live = liveCounts{world: w, rev: w.StateRevision()}
	m.live.procs, m.live.actors = w.Alive()
	return m.live
}
