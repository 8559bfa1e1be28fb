// Package walk reads an actor's state as a tree: unexported fields included, bounded, page by page, with cycles marked. It
// changes nothing, and runs where nobody writes what it reads.
package walk

import (
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Query says which part of a value to read.
type Query struct {
	Path  string // "" for the whole; else as StateNode.Path gave it
	Start int    // first child
	Count int    // children at most; 0: 64
	Depth int    // levels of children; 0: 3
	Text  int    // bytes of a text or of a byte string; 0: 256. What is longer is cut, and says its length
	Bytes int    // of all nodes together, about; 0: 4 MiB, which is the most. Children beyond it are left out, as those beyond Count are
}

const (
	defaultCount = 64
	maxCount     = 16_384
	defaultDepth = 3
	maxDepth     = 16
	defaultText  = 256
	maxText      = 64 << 10
	maxKeyText   = 1024
	maxKeyParts  = 64
	maxKeys      = 100_000
	maxNodes     = 20_000
	maxBytes     = 4 << 20
	nodeBytes    = 64       // of a node beside its texts
	maxBig       = 8 * 1024 // bits of a big.Int that is shown as a number
)

// Stater is a value with a rendering of its own, such as a mesh reference.
type Stater interface{ StateText() string }

// Tree reads the value that v points to, unexported fields included. It changes nothing. It must run where nobody writes
// the value meanwhile: between two messages of an actor, or while it is stopped.
func Tree(v any, q Query) control.StateNode {
	if q.Count <= 0 {
		q.Count = defaultCount
	}
	if q.Depth <= 0 {
		q.Depth = defaultDepth
	}
	if q.Text <= 0 {
		q.Text = defaultText
	}
	w := walker{count: min(q.Count, maxCount), start: max(0, q.Start), left: maxNodes, bytes: maxBytes, text: min(q.Text, maxText)}
	if q.Bytes > 0 {
		w.bytes = min(q.Bytes, maxBytes)
	}
	root := reflect.ValueOf(v)
	if root.Kind() == reflect.Pointer && !root.IsNil() {
		root = root.Elem()
	}
	at, err := follow(root, q.Path)
	if err != nil {
		return control.StateNode{Path: q.Path, Error: err.Error()}
	}
	n := w.node("", q.Path, at, min(q.Depth, maxDepth))
	return n
}

type walker struct {
	start, count int
	left, bytes  int // that there is room for
	text         int
	seen         []unsafe.Pointer
}

// Readable makes an unexported field readable, and settable; it needs an address, which fields reached through a pointer have.
// Without one it gives v as it is.
func Readable(v reflect.Value) reflect.Value {
	if !v.IsValid() || v.CanInterface() || !v.CanAddr() {
		return v
	}
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem() //nolint:gosec // reading a field of our own process
}

func (w *walker) node(name, path string, v reflect.Value, depth int) control.StateNode {
	w.left--
	n := control.StateNode{Name: name, Path: path}
	if !v.IsValid() {
		n.Kind, n.Text = "nil", "nil"
		return n
	}
	v = Readable(v)
	n.Type = v.Type().String()
	if w.special(&n, v) {
		return n
	}
	switch v.Kind() {
	case reflect.Pointer:
		w.pointer(&n, v, depth)
	case reflect.Interface:
		if v.IsNil() {
			n.Kind, n.Text = "nil", "nil"
			return n
		}
		inner := w.node(name, path, v.Elem(), depth)
		inner.Type = n.Type + "(" + inner.Type + ")"
		return inner
	case reflect.Struct:
		w.structure(&n, v, depth)
	case reflect.Slice, reflect.Array:
		w.list(&n, v, depth)
	case reflect.Map:
		w.mapping(&n, v, depth)
	default:
		n.Kind, n.Text = scalar(v, w.text)
	}
	return n
}

// special renders types that say more as a whole than by their parts.
func (w *walker) special(n *control.StateNode, v reflect.Value) bool {
	if !v.CanInterface() {
		return false
	}
	switch x := v.Interface().(type) {
	case Stater:
		if v.Kind() == reflect.Pointer && v.IsNil() {
			return false
		}
		n.Kind, n.Text = "mesh", w.textOf(x)
	case time.Time:
		n.Kind, n.Text = "time", timeText(x)
	case time.Duration:
		n.Kind, n.Text = "duration", x.String()
	case big.Int:
		if x.BitLen() > maxBig {
			return false
		}
		n.Kind, n.Text = "int", x.String()
	case []byte:
		n.Kind, n.Len = "bytes", len(x)
		n.Text = fmt.Sprintf("h'%x'", x[:min(len(x), w.text/4)])
		if len(x) > w.text/4 {
			n.Text += fmt.Sprintf("… (%d bytes)", len(x))
		}
	default:
		return false
	}
	return true
}

// timeText is RFC 3339, which has no seconds in offsets: with such an offset the wall clock moves, and the instant stays.
func timeText(t time.Time) string {
	if name, offset := t.Zone(); offset%60 != 0 {
		t = t.In(time.FixedZone(name, offset-offset%60))
	}
	return t.Format(time.RFC3339Nano)
}

// textOf is the rendering of a value by itself. It is user code at times: it may panic, and say anything.
func (w *walker) textOf(x Stater) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprintf("StateText panicked: %v", p)
		}
		text = strings.ToValidUTF8(firstBytes(text, w.text), "\uFFFD")
	}()
	return x.StateText()
}

func (w *walker) pointer(n *control.StateNode, v reflect.Value, depth int) {
	if v.IsNil() {
		n.Kind, n.Text = "nil", "nil"
		return
	}
	p := v.UnsafePointer()
	if slices.Contains(w.seen, p) {
		n.Kind, n.Text = "other", "↺ a value above"
		return
	}
	w.seen = append(w.seen, p)
	inner := w.node(n.Name, n.Path, v.Elem(), depth)
	w.seen = w.seen[:len(w.seen)-1]
	inner.Type = n.Type
	*n = inner
}

func (w *walker) structure(n *control.StateNode, v reflect.Value, depth int) {
	n.Kind = "struct"
	if !v.CanAddr() && v.CanInterface() { // a copy has an address, so its unexported fields can be read
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		v = c
	}
	t := v.Type()
	for i := range t.NumField() {
		if t.Field(i).Name == "_" {
			continue
		}
		n.Len++
		if w.page(n.Len-1, len(n.Nodes)) && depth > 0 && w.room() {
			name := t.Field(i).Name
			n.Nodes = append(n.Nodes, w.child(name, join(n.Path, name), v.Field(i), depth))
		}
	}
	n.Text = summary(n, "{", "}")
}

func (w *walker) list(n *control.StateNode, v reflect.Value, depth int) {
	n.Kind, n.Len = "list", v.Len()
	if v.Kind() == reflect.Slice && v.IsNil() {
		n.Text = "[]"
		return
	}
	for i := w.first(); i < v.Len() && len(n.Nodes) < w.count && depth > 0 && w.room(); i++ {
		name := "[" + strconv.Itoa(i) + "]"
		n.Nodes = append(n.Nodes, w.child(name, n.Path+name, v.Index(i), depth))
	}
	n.Text = summary(n, "[", "]")
}

func (w *walker) mapping(n *control.StateNode, v reflect.Value, depth int) {
	n.Kind, n.Len = "map", v.Len()
	if n.Len == 0 {
		n.Text = "{}"
		return
	}
	entries := entriesOf(v)
	for i := w.first(); i < len(entries) && len(n.Nodes) < w.count && depth > 0 && w.room(); i++ {
		name := "[" + entries[i].key + "]"
		n.Nodes = append(n.Nodes, w.child(name, n.Path+name, entries[i].val, depth))
	}
	n.Text = summary(n, "{", "}")
}

// child pages only the node that was asked for: its children start at their beginning.
func (w *walker) child(name, path string, v reflect.Value, depth int) control.StateNode {
	start := w.start
	w.start = 0
	n := w.node(name, path, v, depth-1)
	w.bytes -= nodeBytes + len(n.Name) + len(n.Path) + len(n.Type) + len(n.Text)
	w.start = start
	return n
}

func (w *walker) room() bool            { return w.left > 0 && w.bytes > 0 }
func (w *walker) first() int            { return w.start }
func (w *walker) page(i, have int) bool { return i >= w.start && have < w.count }

// summary is one line for a composite.
func summary(n *control.StateNode, open, shut string) string {
	if n.Len == 0 {
		return open + shut
	}
	if len(n.Nodes) == 0 {
		return open + "…" + shut
	}
	var b strings.Builder
	b.WriteString(open)
	for i, c := range n.Nodes {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len() > defaultText/2 {
			b.WriteString("…")
			return b.String() + shut
		}
		if n.Kind != "list" {
			b.WriteString(strings.TrimSuffix(strings.TrimPrefix(c.Name, "["), "]") + ": ")
		}
		b.WriteString(firstBytes(c.Text, defaultText))
	}
	if len(n.Nodes) < n.Len {
		fmt.Fprintf(&b, ", … %d of %d", len(n.Nodes), n.Len)
	}
	return b.String() + shut
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// firstBytes is the beginning of a text, not cut within a rune.
func firstBytes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// scalar is a leaf's kind and text; of a string at most so many bytes.
func scalar(v reflect.Value, most int) (kind, text string) {
	switch v.Kind() {
	case reflect.Bool:
		return "bool", strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "int", strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return "uint", strconv.FormatUint(v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		return "float", strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits())
	case reflect.Complex64, reflect.Complex128:
		return "other", strconv.FormatComplex(v.Complex(), 'g', -1, 128)
	case reflect.String:
		return "string", quote(v.String(), most)
	case reflect.Chan:
		if v.IsNil() {
			return "nil", "nil"
		}
		return "other", fmt.Sprintf("chan with %d of %d", v.Len(), v.Cap())
	case reflect.Func:
		if v.IsNil() {
			return "nil", "nil"
		}
		return "other", "func"
	case reflect.Invalid:
		return "nil", "nil"
	default: // what has parts is walked, not printed
		return "other", v.Type().String()
	}
}

func quote(s string, most int) string {
	if len(s) <= most {
		return strconv.Quote(s)
	}
	return strconv.Quote(firstBytes(s, most)) + fmt.Sprintf("… (%d bytes)", len(s))
}
