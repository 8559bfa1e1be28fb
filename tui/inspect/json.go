package inspect

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// JSON is the value under the cursor, "" where it is on none. Of a value that is known in part the end says what is not.
func (p *Pane) JSON() string {
	if n := p.here().node; n != nil && p.thing.kind == actor {
		return indented(func(b *bytes.Buffer) { n.json(b) })
	}
	return ""
}

// All is everything that is known of what is shown, as JSON, and a name for a file; empty where nothing is shown. Of an
// actor it has the state of its values as far as they were read.
func (p *Pane) All(w *world.World) (text, name string) {
	switch p.thing.kind {
	case actor:
		m, r := p.rankOf(w)
		if m == nil {
			return "", ""
		}
		f := fields{{"actor", world.ActorName(m.Ref.Name, p.thing.rank)}, {"type", m.Ref.Type}, {"now", r}}
		if pr := procOf(w, m, p.thing.rank); pr != nil {
			f = append(f, field{"process", pr})
		}
		if s := p.snap(); s.root != nil {
			f = append(f, field{"read", s.read}, field{"state", s.root})
		}
		return f.text(), m.Ref.Name + "-" + strconv.Itoa(p.thing.rank)
	case mesh:
		if m, ok := w.MeshByID(p.thing.id); ok {
			f := fields{{"mesh", m}}
			if t, ok := w.Type(m.Ref.Type); ok {
				f = append(f, field{"type", t})
			}
			return f.text(), m.Ref.Name
		}
	case procs:
		if pm := procMesh(w, p.thing.id); pm != nil {
			var list []*control.Proc
			for pr := range procsOf(w, pm) {
				list = append(list, pr)
			}
			return fields{{"procs", pm}, {"processes", list}}.text(), pm.Name
		}
	case proc:
		if pr, ok := w.Proc(p.thing.id); ok {
			return fields{{"process", pr}}.text(), pr.Mesh + "-" + strconv.Itoa(pr.Rank)
		}
	case host:
		if h, ok := w.Host(p.thing.id); ok {
			return fields{{"host", h}}.text(), h.Mesh + "-host-" + strconv.Itoa(h.Index)
		}
	case nothing:
	}
	return "", ""
}

// fields are an object whose fields keep their order.
type fields []field

type field struct {
	name  string
	value any
}

func (f fields) text() string {
	return indented(func(b *bytes.Buffer) {
		b.WriteByte('{')
		for i, x := range f {
			if i > 0 {
				b.WriteByte(',')
			}
			quoted(b, x.name)
			b.WriteByte(':')
			if n, ok := x.value.(*node); ok {
				n.json(b)
				continue
			}
			text, err := json.Marshal(x.value)
			if err != nil { // no record holds what JSON cannot say
				text = []byte("null")
			}
			b.Write(text)
		}
		b.WriteByte('}')
	})
}

func indented(write func(b *bytes.Buffer)) string {
	var raw, out bytes.Buffer
	write(&raw)
	if err := json.Indent(&out, raw.Bytes(), "", "  "); err != nil {
		return raw.String()
	}
	return out.String() + "\n"
}

func quoted(b *bytes.Buffer, text string) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string always encodes
	b.Truncate(b.Len() - 1)
}

// json writes a value: structs and maps as objects, lists as arrays, numbers as they are, and all else as text.
func (n *node) json(b *bytes.Buffer) {
	switch n.Kind {
	case "nil":
		b.WriteString("null")
	case "bool", "int", "uint", "float":
		if json.Valid([]byte(n.Text)) {
			b.WriteString(n.Text)
		} else { // NaN, +Inf
			quoted(b, n.Text)
		}
	case "string":
		quoted(b, unquoted(n.Text))
	case "list":
		n.parts(b, '[', ']', false)
	case "struct", "map":
		n.parts(b, '{', '}', true)
	default:
		quoted(b, n.Text)
	}
}

// parts writes what is in a value; what of it is not known is told at the end, because a short list would look like all.
func (n *node) parts(b *bytes.Buffer, open, closing byte, named bool) {
	b.WriteByte(open)
	for i, kid := range n.kids {
		if i > 0 {
			b.WriteByte(',')
		}
		if named {
			quoted(b, unquoted(strings.TrimSuffix(strings.TrimPrefix(kid.Name, "["), "]"))) // a key stands in brackets
			b.WriteByte(':')
		}
		kid.json(b)
	}
	if more := n.Len - len(n.kids); more > 0 {
		if len(n.kids) > 0 {
			b.WriteByte(',')
		}
		if named {
			quoted(b, "…")
			b.WriteByte(':')
		}
		quoted(b, "… "+paint.Exact(more)+" more that were not read")
	}
	b.WriteByte(closing)
}

// unquoted is the text of a string without the quotes of Go; one that was cut stays as it is.
func unquoted(text string) string {
	if strings.HasPrefix(text, `"`) {
		if s, err := strconv.Unquote(text); err == nil {
			return s
		}
	}
	return text
}
