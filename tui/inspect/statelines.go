package inspect

import (
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// buildState lists the values of the actor's state as a tree.
func (p *Pane) buildState(w *world.World, m *control.Mesh, r *control.RankState) {
	s := p.snap()
	p.head("State", s.age(w, r)...)
	busy := inMessage(r) && p.stop.ID == 0 && (s.error == "" || s.busy)
	if s.error != "" && !busy {
		text := "could not be read: " + s.error
		if s.root != nil {
			text = "could not be read again: " + s.error
		}
		p.note("error", paint.Warning, paint.Glyph("warning")+" "+paint.OneLine(text))
	}
	switch {
	case s.root != nil:
		name := shortType(m.Ref.Type)
		p.buildNode(s.root, name, "", 0, paint.Width(name))
	case busy:
		p.note("none", paint.Muted, "busy in "+strings.Join(r.Running, ", ")+" for "+paint.Duration(max(0, w.Now.Sub(r.Since)))+"; its state is read between messages")
	case s.error == "" && (r.State == "gone" || r.State == "stopped"):
		p.note("none", paint.Muted, "The actor has ended; its state is gone with it.")
	case s.error == "" && r.State == "starting":
		p.note("none", paint.Muted, "The actor is starting.")
	case s.error == "":
		p.note("none", paint.Muted, "reading …")
	}
}

// age tells how old the state is, where that is worth telling, and what ~ means where there is one.
func (s *snapshot) age(w *world.World, r *control.RankState) []paint.Seg {
	var out []paint.Seg
	if s.root == nil {
		return nil
	}
	if s.root.changed {
		text := " changed"
		if s.stop.ID != 0 {
			text = " since last stop"
		}
		out = append(out, seg(paint.Accent, "~"), seg(paint.Muted, text))
	}
	if old := w.Now.Sub(s.read); old >= 2*time.Second && (s.error != "" || s.handled != r.Handled) {
		if len(out) > 0 {
			out = append(out, seg(paint.Muted, " · "))
		}
		out = append(out, seg(paint.Warning, "as of "+paint.Duration(old)+" ago"))
	}
	return out
}

// mostNameWidth is how wide the column of names gets.
const mostNameWidth = 16

// buildNode adds a value and, where it is open, its parts. guides is what is drawn before the branches of its parts.
func (p *Pane) buildNode(n *node, label, guides string, depth, nameWidth int) {
	open := n.Len > 0 && p.shows(n)
	l := line{key: "state " + n.Path, node: n, depth: depth, copied: n.copied(label, depth)}
	if guides != "" {
		l.left = append(l.left, seg(paint.Faint, guides))
	}
	l.sign = 1 + paint.Width(guides)
	switch {
	case open:
		l.left = append(l.left, seg(paint.Muted, "▾ "))
	case n.Len > 0:
		l.left = append(l.left, seg(paint.Muted, "▸ "))
	case depth > 0:
		l.left = append(l.left, seg(paint.Muted, "  "))
	}
	name := seg(paint.Muted, paint.Pad(label, nameWidth))
	if depth == 0 {
		name = seg(paint.Text, label)
	}
	l.left = append(append(l.left, name, seg(paint.Default, "  ")), p.valueSegs(n, open)...)
	if n.changed {
		l.right = []paint.Seg{seg(paint.Accent, "~")}
	}
	p.add(l)
	if open {
		p.buildKids(n, guides, depth)
	}
}

// buildKids adds the parts of a value, and what is not shown of them.
func (p *Pane) buildKids(n *node, guides string, depth int) {
	nameWidth := 0
	for _, kid := range n.kids {
		nameWidth = max(nameWidth, min(mostNameWidth, paint.Width(kid.Name)))
	}
	below := strings.TrimRight(strings.NewReplacer("├", "│", "└", " ").Replace(guides), " ")
	if below != "" || depth > 0 {
		below = paint.Pad(below, 2*depth-1)
		if depth > 0 {
			below += " "
		}
	}
	more := len(n.kids) < n.Len
	for i, kid := range n.kids {
		branch := "├"
		if i == len(n.kids)-1 && !more {
			branch = "└"
		}
		p.buildNode(kid, kid.Name, below+branch, depth+1, nameWidth)
	}
	if !more {
		return
	}
	text := "… " + paint.Exact(n.Len-len(n.kids)) + " more" + p.keys.Hint(" · %s", "open")
	role := paint.Muted
	switch {
	case n.error != "":
		text, role = "✕ "+paint.OneLine(n.error), paint.Warning
	case len(n.kids) == 0:
		text = "reading …"
	case len(n.kids) < max(n.want, 1):
		text = "reading …"
	}
	p.add(line{
		key: "more " + n.Path, node: n, more: true, depth: depth + 1, copied: text,
		left: []paint.Seg{seg(paint.Faint, below+"└ "), seg(role, text)},
	})
}

// valueSegs is what is written beside a name: old → new where it has changed.
func (p *Pane) valueSegs(n *node, open bool) []paint.Seg {
	var out []paint.Seg
	if p.types && n.Type != "" {
		out = append(out, seg(paint.Faint, ""), seg(paint.Muted, n.Type+"  "))
	}
	text := paint.OneLine(n.Text)
	switch n.Kind {
	case "list", "map":
		size := "[" + paint.Exact(n.Len) + "]"
		if n.Kind == "map" {
			size = "{" + paint.Exact(n.Len) + "}"
		}
		if n.Len == 0 {
			size = text
		}
		out = append(out, seg(paint.Muted, size))
		if !open && n.Len > 0 && text != size && !strings.HasSuffix(text, "…]") && text != "{…}" {
			out = append(out, seg(paint.Muted, " "), seg(paint.Text, text))
		}
		return out
	case "struct":
		if !open || n.Len == 0 {
			out = append(out, seg(paint.Text, text))
		}
		return out
	case "nil", "other":
		return append(out, seg(paint.Muted, text))
	case "bytes":
		if n.Len > 0 {
			text += "  " + paint.Bytes(uint64(n.Len))
		}
	}
	if n.old != "" {
		out = append(out, seg(paint.Muted, paint.OneLine(n.old)+" → "), bold(paint.Text, text))
		return out
	}
	return append(out, seg(paint.Text, text))
}

// copied is a value as it is copied: its path and its text.
func (n *node) copied(label string, depth int) string {
	path := n.Path
	if depth == 0 {
		path = label
	}
	if path == "" {
		path = n.Name
	}
	return path + " = " + n.Text
}
