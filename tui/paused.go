package tui

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// isPaused reports whether a frame stands at a site.
func (m *Model) isPaused() bool { return len(m.world.Stops) > 0 }

// heldState is the part of the header about what stands still: how many actors, and the engine's clock.
func (m *Model) heldState(w int) (out []paint.Seg) {
	if n := m.world.PausedActors(); n > 0 {
		text := "◆ " + paint.Count(n)
		if w >= squashWidth {
			text += " paused"
		}
		out = append(out, paint.Seg{Style: paint.Style{Fg: paint.Paused, Attr: paint.Bold}, Text: text})
	}
	switch d := &m.world.Debug; {
	case !d.Held || w < pairWidth:
	case len(out) == 0: // a client holds it, and nobody is paused
		out = append(out, paint.Seg{Style: paint.Style{Fg: paint.Starting}, Text: "◌ clock held"})
	case w >= wideWidth:
		out = append(out, paint.Seg{Style: paint.Style{Fg: paint.Muted}, Text: " · clock held"})
	}
	return out
}

// thisActor is the actor that the inspector shows: what the keys of the debugger are about.
func (m *Model) thisActor() (mesh string, rank int, ok bool) {
	id, rank, ok := m.panes.inspect.Actor()
	if !ok {
		return "", 0, false
	}
	x, ok := m.world.MeshByID(id)
	if !ok || x.Gone {
		return "", 0, false
	}
	return x.Ref.Name, rank, true
}

// thisStop is the stop of the actor that the inspector shows.
func (m *Model) thisStop() (control.Stop, bool) {
	mesh, rank, ok := m.thisActor()
	if !ok {
		return control.Stop{}, false
	}
	return m.world.StopAt(mesh, rank)
}

// stopName is a stopped actor as commands name it.
func stopName(st *control.Stop) string { return "@" + world.ActorName(st.Mesh, st.Rank) }

// goPaused goes to the next stop, or to the one before.
func (m *Model) goPaused(back bool) tea.Cmd {
	mesh, rank, _ := m.thisActor()
	id := uint64(0)
	if st, ok := m.thisStop(); ok {
		id = st.ID
	} else if back {
		id = ^uint64(0)
	}
	st, ok := m.world.NextStop(mesh, rank, id, back)
	if !ok {
		return nil
	}
	return m.goStop(&st)
}

// goStop puts the cursors on a stopped actor. A pane whose own cursor leads gives the focus to the grid: it would lead back.
func (m *Model) goStop(st *control.Stop) tea.Cmd {
	x, ok := m.world.Mesh(st.Mesh)
	if !ok || st.Rank < 0 || st.Rank >= len(x.Ranks) {
		m.say(sayWarn, stopName(st)+" is not on the screen yet")
		return nil
	}
	if _, leads := m.focused().(leader); leads {
		m.setFocus(Ranks)
	}
	m.panes.grid.Show(m.world, x.Ref.ID)
	m.panes.grid.SetCursor(st.Rank)
	return m.cursorMoved()
}

// grace is how long after a first stop has come its keys do nothing: what a hand is typing then is not meant for it.
const grace = 300 * time.Millisecond

// noteStops notes when somebody stops where nobody was stopped, unless it is what our own step has led to.
func (m *Model) noteStops(before int) {
	if before == 0 && m.isPaused() && m.now().Sub(m.wentOn) > time.Second {
		m.stopCame = m.now()
	}
}

// stoppedAt is what a stopped frame stands at, in a few words: before pong(n=3) from pinger[1].
func stoppedAt(st *control.Stop) string {
	text := paint.OneLine(world.SiteText(st))
	if st.Sender != "" {
		text += " from " + paint.OneLine(world.Name(st.Sender))
	}
	return text
}

// drawPaused draws the bar: how many are paused, the keys that let them go on, and what the one that is looked at stands at.
func (m *Model) drawPaused(s *paint.Surface) {
	w, _ := s.Size()
	s.Fill(paint.Style{Fg: paint.Text, Bg: paint.Bar})
	on := func(st paint.Style) paint.Style { return st.On(paint.Bar) }
	paused := m.world.PausedActors()
	text := "◆ " + paint.Count(paused) + " paused"
	x := s.Text(1, 0, on(paint.Style{Fg: paint.Paused, Attr: paint.Bold}), text)
	if running := m.alive().actors - paused; w >= pairWidth && running >= 0 {
		x = s.Text(x, 0, on(paint.Style{Fg: paint.Muted}), " · "+paint.Count(running)+" running")
	}
	x += 2
	for _, k := range []struct{ action, text string }{{"step", "step"}, {"continue", "continue"}, {"continue.all", "all"}, {"next.paused", "next"}} {
		a := m.reg.named(k.action)
		key := a.Key()
		if key == "" || m.whyNot(a) != "" {
			continue
		}
		if x+paint.Width(key)+paint.Width(k.text)+1 > w-1 {
			break
		}
		from := x
		x = s.Text(x, 0, on(paint.Style{Fg: paint.Accent}), key)
		x = s.Text(x+1, 0, on(paint.Style{Fg: paint.Text}), k.text)
		m.spot(s, paint.Rect{X: from, W: x - from, H: 1}, func() tea.Cmd { return m.do(a) })
		x += 2
	}
	x++
	room := w - x - 1
	st, ok := m.thisStop()
	if !ok {
		where := m.pausedNames()
		if paint.Width(where) > room {
			where = "the others go on"
		}
		if paint.Width(where) <= room {
			s.TextIn(x, 0, room, on(paint.Style{Fg: paint.Muted}), where)
		}
		return
	}
	at := world.ActorName(st.Mesh, st.Rank) + " " + stoppedAt(&st)
	if st.Reason != "" {
		at += " · " + paint.OneLine(st.Reason)
	}
	if room >= 16 {
		s.TextIn(x, 0, room, on(paint.Style{Fg: paint.Text}), paint.Fit(at, room))
	}
}

// pausedNames are the paused actors by mesh: ponger[1,5], and that the others go on.
func (m *Model) pausedNames() string {
	var parts []string
	var ranks []int
	list := m.world.StopList()
	const most = 512 // of more the names do not fit
	if len(list) > most {
		return "the others go on"
	}
	for i := range list {
		if st := &list[i]; len(ranks) == 0 || ranks[len(ranks)-1] != st.Rank {
			ranks = append(ranks, st.Rank)
		}
		if i == len(list)-1 || list[i+1].Mesh != list[i].Mesh {
			parts, ranks = append(parts, m.world.RanksName(list[i].Mesh, ranks)), nil
		}
	}
	return strings.Join(parts, " ") + " · the others go on"
}
