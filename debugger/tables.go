package debugger

import (
	"cmp"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// StopHeads are the headings of StopRow.
func StopHeads() []string { return []string{"stop", "where", "site", "why", "sender", "about"} }

// StopRow is a stop as a row of a table. Its texts come from outside: who shows them cleans them.
func StopRow(st *control.Stop) []string {
	why := st.Reason
	if st.Shared {
		why += ", shared"
	}
	if st.Edited {
		why += ", edited"
	}
	return []string{strconv.FormatUint(st.ID, 10), Place(st), st.Site, why, st.Sender, About(st)}
}

// About is what a stop is about, in a few words: the argument, and what the site adds to it.
func About(st *control.Stop) string {
	out := st.Arg
	switch st.Site {
	case control.SiteReply:
		out += " → " + cmp.Or(st.Value, "done")
	case control.SiteError, control.SitePanic:
		out += " " + st.Site + ": " + st.Value
	case control.SiteSend:
		if st.Target != "" {
			out += " to " + st.Target
		}
	case control.SiteResult:
		if st.Target != "" {
			out += " from " + st.Target
		}
	}
	return strings.TrimSpace(out)
}

// Line is a stop in one line: where it stands, what it is about, and why.
func Line(st *control.Stop) string {
	line := fmt.Sprintf("%s stands at %s", Place(st), st.Site)
	if about := About(st); about != "" {
		line += ": " + about
	}
	if st.Reason != "" && st.Reason != "step" && st.Reason != st.Site {
		line += " (" + st.Reason + ")"
	}
	return line
}

// ListHeads are the headings of ListRow, which are those of Monarch's list.
func ListHeads() []string {
	return []string{"Actor Name", "Rank", "Coords", "Hostname", "Function", "Line No."}
}

// ListRow is a stop as a row of Monarch's list. The hostname is that of the host its process runs on, as the session says.
func ListRow(p *control.Replica, st *control.Stop) []string {
	function, line := st.Endpoint+"@"+st.Site, ""
	if st.Func != "" {
		function = path.Base(st.Func)
	}
	if st.Line > 0 {
		line = strconv.Itoa(st.Line)
	}
	return []string{st.Mesh, strconv.Itoa(st.Rank), Coords(st.Point), Host(p, st), function, line}
}

// Coords are the coordinates of a point as Monarch's list writes them: {'hosts': 0, 'gpus': 1}.
func Coords(p shape.Point) string {
	var parts []string
	for _, name := range p.Extent.Names() {
		if c, ok := p.Coord(name); ok {
			parts = append(parts, fmt.Sprintf("'%s': %d", name, c))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// Host is the host that a stopped frame's process runs on; local where the session does not say.
func Host(p *control.Replica, st *control.Stop) string {
	if pr, ok := p.Proc(st.Proc); ok && pr.Host != "" {
		return pr.Host
	}
	return "local"
}

// BreakHeads are the headings of BreakRow.
func BreakHeads() []string {
	return []string{"number", "where", "state", "bound", "hits", "skipped", "errors", "about"}
}

// BreakRow is a breakpoint as a row of a table.
func BreakRow(b *control.Breakpoint) []string {
	n := func(n uint64) string { return strconv.FormatUint(n, 10) }
	about := []string{}
	add := func(ok bool, format string, args ...any) {
		if ok {
			about = append(about, fmt.Sprintf(format, args...))
		}
	}
	add(b.If != "", "if %s", b.If)
	add(b.Hit != "", "hit %s", b.Hit)
	add(b.Total, "total")
	add(b.Once, "once")
	add(b.Scope != "" && b.Scope != control.ScopeActor, "stop %s", b.Scope)
	add(b.Then == control.ThenPrint, "print %q", b.Print)
	add(b.Then == control.ThenCount, "count")
	add(b.Why != "", "(%s)", b.Why)
	add(b.LastError != "" && b.LastError != b.Why, "(last error: %s)", b.LastError)
	return []string{n(b.ID), BreakPlace(b), b.State, strconv.Itoa(b.Bound), n(b.Hits), n(b.Skipped), n(b.Errors), strings.Join(about, " ")}
}

// BreakPlace is where a breakpoint stops, as the word break takes it: @toy[1].HelloWorld@reply, or error.
func BreakPlace(b *control.Breakpoint) string {
	site := cmp.Or(b.Site, control.SiteRecv)
	if b.Mesh == "" && b.Ranks == "" && b.Endpoint == "" {
		return site
	}
	out := "@" + cmp.Or(b.Mesh, "*")
	if b.Ranks != "" {
		out += "[" + b.Ranks + "]"
	}
	if b.Endpoint != "" {
		out += "." + b.Endpoint
	}
	if site != control.SiteRecv {
		out += "@" + site
	}
	return out
}

// BreakValue is a breakpoint as expectations judge it: a map of id, where, hits, skipped, errors, bound, state and why.
func BreakValue(b *control.Breakpoint) map[string]any {
	return map[string]any{
		"id": int(b.ID), "where": BreakPlace(b), "hits": int(b.Hits), "skipped": int(b.Skipped), "errors": int(b.Errors),
		"bound": b.Bound, "state": b.State, "why": b.Why,
	}
}
