package breaks

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// State is a breakpoint's state as a glyph, a word and a colour.
func (r *row) state() (glyph, word string, role paint.Role) {
	switch {
	case r.State == control.BreakOff || r.Off:
		return "○", "off", paint.Gone
	case r.asleep && r.stands == 0:
		return "○", "asleep until a front end comes that may act", paint.Gone
	case r.stands > 0:
		return "◆", "hit now", paint.Paused
	case r.State == control.BreakWaiting:
		return "◌", "not bound", paint.Starting
	case r.Then == control.ThenPrint || r.Then == control.ThenCount:
		return "◇", r.Then, paint.Busy
	}
	return "●", "armed", paint.Busy
}

// Where is where a breakpoint stops actors: ponger.Pong, *.Init.
func Where(b *control.Breakpoint) string { return orAll(b.Mesh) + "." + orAll(b.Endpoint) }

func orAll(pattern string) string { return cmp.Or(pattern, "*") }

// When is at what point of a message a breakpoint stops: before Pong.
func When(b *control.Breakpoint) string {
	ep := orAll(b.Endpoint)
	switch b.Site {
	case control.SiteSend:
		return "before " + ep + " sends"
	case control.SiteResult:
		return "when " + ep + " has an answer"
	case control.SiteReply:
		return "before " + ep + " answers"
	case control.SiteError:
		return "when " + ep + " fails"
	case control.SitePanic:
		return "when " + ep + " panics"
	case control.SiteBreak:
		return "at engine.Break in " + ep
	}
	return "before " + ep
}

// Line is the command that sets a breakpoint.
func Line(b *control.Breakpoint) string {
	var out strings.Builder
	word := "break "
	if b.Once {
		word = "tbreak "
	}
	out.WriteString(word)
	switch anywhere := b.Mesh == "" && b.Endpoint == "" && b.Ranks == ""; {
	case anywhere && (b.Site == control.SiteError || b.Site == control.SitePanic):
		out.WriteString(b.Site)
	default:
		out.WriteString("@" + orAll(b.Mesh))
		if b.Ranks != "" {
			out.WriteString("[" + b.Ranks + "]")
		}
		if b.Endpoint != "" || b.Mesh == "" {
			out.WriteString("." + orAll(b.Endpoint))
		}
		if b.Site != "" && b.Site != control.SiteRecv {
			out.WriteString("@" + b.Site)
		}
	}
	if b.If != "" {
		out.WriteString(" if " + b.If)
	}
	if b.Hit != "" {
		out.WriteString(" hit " + b.Hit)
	}
	if b.Total {
		out.WriteString(" total")
	}
	if b.Scope != "" && b.Scope != control.ScopeActor {
		out.WriteString(" stop " + b.Scope)
	}
	switch b.Then {
	case control.ThenPrint:
		out.WriteString(" print " + strconv.Quote(b.Print))
	case control.ThenCount:
		out.WriteString(" count")
	}
	return out.String()
}
