package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// heldState is the part of the header about what is not as it would be by itself: what stands still, and the faults that act.
func (m *Model) heldState(w int) []paint.Seg {
	out := m.stoodState(w)
	if segs := m.reloadState(w); len(segs) > 0 {
		if len(out) > 0 {
			out = append(out, paint.Seg{Text: "  "})
		}
		out = append(out, segs...)
	}
	n := len(m.world.FaultList())
	if n == 0 {
		return out
	}
	text := paint.Glyph("fault") + " "
	if w >= squashWidth {
		text += paint.Plural(n, "fault")
	} else {
		text += paint.Count(n)
	}
	if len(out) > 0 {
		out = append(out, paint.Seg{Text: "  "})
	}
	return append(out, paint.Seg{Style: paint.Style{Fg: paint.Fault, Attr: paint.Bold}, Text: text})
}

// stoodState is what stands still: how many actors, the engine's clock, and the breakpoints.
func (m *Model) stoodState(w int) (out []paint.Seg) {
	if n := m.world.PausedActors(); n > 0 {
		text := "◆ " + paint.Count(n)
		if w >= squashWidth {
			text += " paused"
		}
		out = append(out, paint.Seg{Style: paint.Style{Fg: paint.Paused, Attr: paint.Bold}, Text: text})
	}
	d := &m.world.Debug
	switch {
	case w < squashWidth:
	case len(out) == 0 && d.Held: // a client holds it, and nobody is paused
		text := "◌ clock held"
		if w >= wideWidth {
			text += " by a client"
		}
		out = append(out, paint.Seg{Style: paint.Style{Fg: paint.Starting}, Text: text})
	case len(out) == 0 && d.Asleep && len(m.world.Breaks) > 0:
		text := "○ breakpoints sleep"
		if w >= wideWidth {
			text += " until a front end comes"
		}
		out = append(out, paint.Seg{Style: paint.Style{Fg: paint.Gone}, Text: text})
	case len(out) > 0 && d.Held && w >= wideWidth:
		out = append(out, paint.Seg{Style: paint.Style{Fg: paint.Muted}, Text: " · clock held"})
	}
	return out
}

// aloneText says what becomes of who is paused while no front end is there that could let them go on, and when; "" while one
// is.
func (m *Model) aloneText(w int) string {
	d := &m.world.Debug
	if d.Alone.IsZero() {
		return ""
	}
	text := map[string]string{control.PolicyStay: "they stay paused", control.PolicyAbort: "their calls fail"}[d.Policy]
	if text == "" {
		text = "they go on"
	}
	if d.Policy != control.PolicyStay {
		left := d.Grace - m.now().Sub(d.Alone) // the session's clock may be another one
		text += " in " + paint.Duration(min(max(0, left), d.Grace).Truncate(time.Second))
	}
	if w >= wideWidth {
		text = "nobody is here who may act: " + text + " (policy " + d.Policy + ")"
	}
	return text
}

// followAttached looks at the stopped actor that a command has attached somebody to: the keys and the words are about the
// same one then.
func (m *Model) followAttached() tea.Cmd {
	at := m.conn.session.Attached()
	if at == m.conn.attached {
		return nil
	}
	m.conn.attached = at
	if at.Mesh == "" {
		return nil
	}
	st, err := debugger.Which(m.world.StopList(), at)
	if err != nil { // it runs
		return nil
	}
	return m.goStop(&st)
}
