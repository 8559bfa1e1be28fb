package schema

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Refs resolves the mesh references that a literal names.
type Refs interface {
	// Ref gives the CBOR of the reference @name[sel] (sel is "" without brackets) and the full name of its actor
	// type. Its error says what would be right.
	Ref(name string, sel string) (cbor []byte, fullType string, err error)
}

// LiteralError says what is wrong with a literal, and where.
type LiteralError struct {
	Column int    // in runes, from 1, where the bad token begins
	Path   string // of the value, e.g. arg.steps[2].by
	Msg    string
}

// Error is path, message and column: arg.by: want int, not "ten" (column 9).
func (e *LiteralError) Error() string {
	return e.Path + ": " + e.Msg + " (column " + strconv.Itoa(e.Column) + ")"
}

// ParseLiteral turns what a person typed into the CBOR of s, which may refer to ts. A nil s takes no argument.
//
// JSON is taken as it is. On top of it: bare words where a string is wanted (not beginning with { [ @ or a quote), a
// whole bare line for a string argument, bare keys, single quotes and raw backquotes, trailing commas, 0x1f 0b101
// 0o17 1_000, durations 1.5s, bytes h'00ff', RFC 3339 times, NaN Inf -Inf, meshes @name and @name[sel], typed map
// keys. null is for what can be nil in Go: pointers, slices, maps. Fields are found in any case; those not given
// stay zero.
//
// Its errors are *LiteralError, with paths that begin with "arg".
func ParseLiteral(ts Types, s *Schema, text string, refs Refs) ([]byte, error) {
	return ParseArg("arg", ts, s, text, refs)
}

// ParseArg is ParseLiteral with the name of the parameter, or of a form's field, in the paths of errors.
func ParseArg(param string, ts Types, s *Schema, text string, refs Refs) ([]byte, error) {
	p := &litParser{types: ts, refs: refs, text: text}
	if param == "" || param == "_" {
		param = "arg"
	}
	if at := invalidUTF8(text); at >= 0 {
		return nil, p.fail(at, param, "the text is not valid UTF-8 here")
	}
	p.space()
	if s == nil {
		if p.pos < len(text) {
			return nil, p.fail(p.pos, param, "this endpoint takes no argument")
		}
		return nil, nil
	}
	if line := strings.Trim(text, blanks); line != "null" && bareStart(p.peek()) && ts.Deref(s).Kind == KindString {
		return encText(line), nil
	}
	if s.Tuple {
		return p.tuple(s, param)
	}
	out, err := p.value(s, param, 0)
	if err != nil {
		return nil, err
	}
	return out, p.end(param)
}

// end wants the text to be over.
func (p *litParser) end(path string) error {
	if p.space(); p.pos < len(p.text) {
		return p.fail(p.pos, path, "want nothing after the value, not %s", p.token())
	}
	return nil
}

func invalidUTF8(text string) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// bareStart reports whether a bare word may begin with c.
func bareStart(c byte) bool { return c != 0 && !strings.ContainsRune("{[@\"'`", rune(c)) }

type litParser struct {
	types Types
	refs  Refs
	text  string
	pos   int
}

// value reads one value of s.
func (p *litParser) value(s *Schema, path string, depth int) ([]byte, error) {
	p.space()
	at := p.pos
	if c := p.peek(); depth > maxDepth || depth == maxDepth && (c == '[' || c == '{') {
		return nil, p.fail(at, path, "nested deeper than %d", maxDepth)
	}
	d := p.types.Deref(s)
	if at == len(p.text) {
		return nil, p.fail(at, path, "want %s, but the text ends", want(&d))
	}
	if p.isNull() && d.Kind != KindAny {
		switch {
		case !nilable(&d) && d.Kind == KindString:
			return nil, p.fail(at, path, "want string; null is only for pointers, and the word is written \"null\"")
		case !nilable(&d):
			return nil, p.fail(at, path, "want %s; null is only for pointers, slices and maps", want(&d))
		}
		p.pos += len("null")
		return []byte{cborNull}, nil
	}
	switch d.Kind {
	case KindStruct:
		return p.structure(&d, path, depth)
	case KindMap:
		return p.mapping(&d, path, depth)
	case KindList:
		return p.list(&d, path, depth)
	case KindMesh:
		return p.mesh(&d, path)
	case KindBytes:
		return p.bytes(&d, path)
	case KindString:
		return p.str(path)
	case KindPort:
		return nil, p.fail(at, path, "a port cannot be typed: it belongs to the program that opened it")
	case KindAny:
		return p.any(path, depth)
	}
	return p.scalar(&d, path)
}

// nilable reports whether the Go type of d has a nil: what encodes as null. Arrays and byte arrays have not.
func nilable(d *Schema) bool {
	switch d.Kind {
	case KindList, KindBytes:
		return d.Optional || d.Len == 0
	case KindMap:
		return true
	}
	return d.Optional
}

func (p *litParser) isNull() bool {
	rest := p.text[p.pos:]
	return strings.HasPrefix(rest, "null") && (len(rest) == 4 || strings.IndexByte(wordEnd, rest[4]) >= 0)
}

func (p *litParser) list(d *Schema, path string, depth int) ([]byte, error) {
	open := p.pos
	if p.peek() != '[' {
		return nil, p.fail(open, path, "want %s, not %s", want(d), p.token())
	}
	var items [][]byte
	err := p.items(']', path, func() error {
		item, err := p.value(d.Elem, path+"["+strconv.Itoa(len(items))+"]", depth+1)
		items = append(items, item)
		return err
	})
	if err != nil {
		return nil, err
	}
	if d.Len > 0 && len(items) != d.Len {
		return nil, p.fail(open, path, "want %d items for %s, not %d", d.Len, d.TypeName(), len(items))
	}
	return encList(items), nil
}

// items reads the parts of a list, map or struct, the cursor being at its opening bracket.
func (p *litParser) items(end byte, path string, item func() error) error {
	open := p.pos
	p.pos++
	for {
		if p.space(); p.peek() == end {
			p.pos++
			return nil
		}
		if p.pos == len(p.text) {
			return p.fail(open, path, "this %c is never closed", p.text[open])
		}
		if err := item(); err != nil {
			return err
		}
		switch p.space(); {
		case p.peek() == ',':
			p.pos++
		case p.pos == len(p.text):
			return p.fail(open, path, "this %c is never closed", p.text[open])
		case p.peek() != end:
			return p.fail(p.pos, path, "want a comma or %c, not %s", end, p.token())
		}
	}
}

func (p *litParser) structure(d *Schema, path string, depth int) ([]byte, error) {
	below := path + "."
	if d.Tuple {
		below = ""
	}
	open := p.pos
	if p.peek() != '{' {
		return nil, p.fail(open, path, "want %s, not %s", want(d), p.token())
	}
	given := make([][]byte, len(d.Fields))
	err := p.items('}', path, func() error {
		at := p.pos
		name, err := p.key(path)
		if err != nil {
			return err
		}
		i := findField(d.Fields, name)
		if i < 0 && d.Tuple {
			return p.fail(at, clean.Escape(name), "no argument has this name%s", Suggest(name, fieldNames(d.Fields)))
		}
		if i < 0 {
			return p.fail(at, path, "%s has no field %s%s", d.TypeName(), quote(name), Suggest(name, fieldNames(d.Fields)))
		}
		f := d.Fields[i]
		if given[i] != nil {
			return p.fail(at, path, "field %s is given twice", clean.Escape(f.Name))
		}
		given[i], err = p.value(f.Type, below+clean.Escape(f.Name), depth+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, f := range d.Fields {
		if d.Tuple && given[i] == nil {
			return nil, p.fail(open, clean.Escape(f.Name), "this argument is missing: want %s", f.Type.TypeName())
		}
		if f.Required && given[i] == nil {
			return nil, p.fail(open, path, "field %s of %s is required", clean.Escape(f.Name), d.TypeName())
		}
	}
	return encStruct(d, given), nil
}

// encStruct encodes the fields given; an absent one keeps its zero value on the other side.
func encStruct(d *Schema, given [][]byte) []byte {
	if d.Array {
		for i := range given {
			if given[i] == nil {
				given[i] = []byte{cborNull}
			}
		}
		return encList(given)
	}
	var pairs []pair
	for i, f := range d.Fields {
		if given[i] == nil {
			continue
		}
		pairs = append(pairs, pair{fieldKey(&f), given[i]})
	}
	return encMap(pairs)
}

func fieldKey(f *Field) []byte {
	if f.IntKey {
		if n, err := strconv.ParseInt(f.Name, 10, 64); err == nil {
			return encInt(n)
		}
	}
	return encText(f.Name)
}

// findField prefers the exact name, as the decoder does.
func findField(fields []Field, name string) int {
	i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		i = slices.IndexFunc(fields, func(f Field) bool { return strings.EqualFold(f.Name, name) })
	}
	return i
}

func fieldNames(fields []Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = clean.Escape(f.Name)
	}
	return names
}

func (p *litParser) mapping(d *Schema, path string, depth int) ([]byte, error) {
	if p.peek() != '{' {
		return nil, p.fail(p.pos, path, "want %s, not %s", want(d), p.token())
	}
	key := p.types.Deref(d.Key)
	var pairs []pair
	seen := map[string]bool{}
	err := p.items('}', path, func() error {
		at := p.pos
		name, err := p.key(path)
		if err != nil {
			return err
		}
		k, err := p.keyValue(at, &key, name, path)
		if err != nil {
			return err
		}
		if seen[string(k)] {
			return p.fail(at, path, "key %s is given twice", quote(name))
		}
		seen[string(k)] = true
		v, err := p.value(d.Elem, path+"["+keyText(&key, name)+"]", depth+1)
		pairs = append(pairs, pair{k, v})
		return err
	})
	if err != nil {
		return nil, err
	}
	return encMap(pairs), nil
}

func keyText(key *Schema, name string) string {
	if key.Kind == KindString || key.Kind == KindAny {
		return quote(name)
	}
	return clean.Escape(name)
}

// keyValue encodes the text of a map key; the cursor has passed it, at is where it began.
func (p *litParser) keyValue(at int, key *Schema, name, path string) ([]byte, error) {
	switch key.Kind {
	case KindString:
		return encText(name), nil
	case KindAny:
		if p.text[at] != '"' && p.text[at] != '\'' && p.text[at] != '`' {
			if n, err := strconv.ParseInt(name, 10, 64); err == nil {
				return encInt(n), nil
			}
		}
		return encText(name), nil
	}
	out, msg := encScalar(key, name)
	if msg != "" {
		return nil, p.fail(at, path, "key: %s", msg)
	}
	return out, nil
}

// key reads a key and the colon after it.
func (p *litParser) key(path string) (string, error) {
	at := p.pos
	var name string
	switch c := p.peek(); c {
	case '"', '\'', '`':
		s, err := p.quoted(path)
		if err != nil {
			return "", err
		}
		name = s
	default:
		for p.pos < len(p.text) && strings.IndexByte(keyEnd, p.text[p.pos]) < 0 {
			p.pos++
		}
		if name = p.text[at:p.pos]; name == "" {
			return "", p.fail(at, path, "want a key, not %s", p.token())
		}
	}
	if p.space(); p.peek() != ':' {
		return "", p.fail(p.pos, path, "want : after the key %s, not %s", quote(name), p.token())
	}
	p.pos++
	return name, nil
}

func (p *litParser) mesh(d *Schema, path string) ([]byte, error) {
	at := p.pos
	if p.peek() != '@' {
		return nil, p.fail(at, path, "want %s, not %s", want(d), p.token())
	}
	name, sel, err := p.reference(path)
	if err != nil {
		return nil, err
	}
	if p.refs == nil {
		return nil, p.fail(at, path, "meshes cannot be named here")
	}
	out, full, err := p.refs.Ref(name, sel)
	if err != nil {
		return nil, p.fail(at, path, "%s", clean.Escape(err.Error()))
	}
	if d.Mesh != "" && full != d.Mesh {
		return nil, p.fail(at, path, "@%s holds %s, want %s", name, ShortType(full), ShortType(d.Mesh))
	}
	return out, nil
}

// reference reads @name or @name[sel].
func (p *litParser) reference(path string) (name, sel string, err error) {
	at := p.pos
	p.pos++
	for p.pos < len(p.text) && strings.IndexByte(wordEnd+"[{:", p.text[p.pos]) < 0 {
		p.pos++
	}
	name = p.text[at+1 : p.pos]
	if name == "" {
		return "", "", p.fail(at, path, "want the name of a mesh after @")
	}
	if p.peek() != '[' {
		return name, "", nil
	}
	n := shape.EndOf(p.text[p.pos+1:], ']')
	if n < 0 {
		return "", "", p.fail(p.pos, path, "this [ is never closed")
	}
	sel = p.text[p.pos+1 : p.pos+1+n]
	p.pos += n + 2
	return name, sel, nil
}

// any reads a value whose type nobody knows: JSON, and what is unmistakable of the rest.
func (p *litParser) any(path string, depth int) ([]byte, error) {
	at := p.pos
	switch c := p.peek(); {
	case c == '{':
		return p.mapping(&Schema{Kind: KindMap, Name: "any"}, path, depth)
	case c == '[':
		return p.list(&Schema{Kind: KindList, Name: "any"}, path, depth)
	case c == '@':
		return nil, p.fail(at, path, "%s; put it in quotes if it is text", noMesh)
	case c == '"' || c == '\'' || c == '`':
		s, err := p.quoted(path)
		return encText(s), err
	case strings.HasPrefix(p.text[at:], "h'"):
		return p.bytes(&Schema{Kind: KindBytes}, path)
	case p.isNull():
		p.pos += len("null")
		return []byte{cborNull}, nil
	}
	w := p.word()
	switch w {
	case "true", "false":
		return encBool(w == "true"), nil
	case "":
		return nil, p.fail(at, path, "want a value, not %s", p.token())
	}
	for _, kind := range []string{KindInt, KindUint, KindFloat, KindTime} {
		if out, msg := encScalar(&Schema{Kind: kind, Bits: 64}, w); msg == "" {
			return out, nil
		}
		if kind == KindUint && isInteger(w) { // a float would have other digits
			return nil, p.fail(at, path, "%s is out of range for an integer (%d to %d); with .0 at its end it is a float", clip(w), math.MinInt64, uint64(math.MaxUint64))
		}
	}
	return nil, p.fail(at, path, "want a value, not %s; text needs quotes here", quote(w))
}

// isInteger reports whether w is an integer, of any size.
func isInteger(w string) bool {
	digits, ok := ungroup(w)
	_, isInt := new(big.Int).SetString(digits, 0)
	return ok && isInt
}

func (p *litParser) fail(at int, path, format string, args ...any) error {
	return &LiteralError{Column: utf8.RuneCountInString(p.text[:min(at, len(p.text))]) + 1, Path: path, Msg: fmt.Sprintf(format, args...)}
}
