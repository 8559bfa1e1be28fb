package schema

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// What Format shows of a value; Literal shows all.
const (
	maxText  = 200  // runes of a string
	maxHex   = 32   // bytes of a byte string
	maxItems = 16   // items of a list or map
	maxLine  = 1000 // bytes, roughly
	maxShown = 8    // levels
)

// Format prints a body on one line for people: 4, "hello", {By: 5, Tags: ["a"]}. Long values are cut, with counts;
// what is not CBOR, or not what s says, is shown as what it is. An empty body is "".
func Format(ts Types, s *Schema, body []byte) string { return render(ts, s, body, false) }

// Literal prints a body as text that ParseLiteral reads back to the same bytes. Tags and simple values of CBOR, which
// no type of a Builder but any encodes to, have no literal; they are shown as Format shows them.
func Literal(ts Types, s *Schema, body []byte) string { return render(ts, s, body, true) }

func render(ts Types, s *Schema, body []byte, full bool) string {
	if len(body) == 0 {
		return ""
	}
	p := &printer{types: ts, full: full, r: reader{b: body}}
	if err := p.value(s, 0); err != nil {
		n := min(len(body), maxHex)
		cut := ""
		if n < len(body) {
			cut = "…"
		}
		return "‹" + err.Error() + ": h'" + hex.EncodeToString(body[:n]) + cut + "', " + group(len(body)) + " bytes›"
	}
	if left := len(body) - p.r.pos; left > 0 {
		p.out.WriteString(" ‹and " + group(left) + " bytes more›")
	}
	return p.out.String()
}

type printer struct {
	types Types
	full  bool // a literal: nothing is cut
	r     reader
	out   strings.Builder
}

func (p *printer) cut(depth int) bool {
	return !p.full && (depth > maxShown || p.out.Len() > maxLine)
}

// value prints the next item as s says; an item of another kind than s wants is printed as what it is.
func (p *printer) value(s *Schema, depth int) error {
	if depth > maxDepth {
		return errNested
	}
	it, err := p.r.peek()
	if err != nil {
		return err
	}
	if p.cut(depth) {
		p.out.WriteString("…")
		_, err := p.r.skip(depth)
		return err
	}
	d := p.types.Deref(s)
	number := it.major == majorUint || it.major == majorNegint
	switch {
	case it.isNull():
		p.r.pos++
		if d.Kind == KindTime && !d.Optional {
			p.out.WriteString(time.Time{}.Format(time.RFC3339Nano)) // the codec's null
			return nil
		}
		p.out.WriteString("null")
		return nil
	case d.Kind == KindPort:
		p.out.WriteString("port")
		_, err := p.r.skip(depth)
		return err
	case it.major == majorTag && it.n == tagTime:
		return p.time(depth)
	case d.Kind == KindStruct && (it.major == majorMap && !d.Array || it.major == majorArray && d.Array):
		return p.structure(&d, depth)
	case it.major == majorMap:
		return p.mapping(d.Key, d.Elem, depth)
	case d.Kind == KindMesh && it.major == majorArray:
		return p.mesh(depth)
	case it.major == majorArray:
		return p.list(d.Elem, depth)
	case d.Kind == KindFloat && it.isFloat():
		p.r.accept()
		p.float(it.float(), floatBits(&d))
		return nil
	case d.Kind == KindDuration && number:
		if n, ok := it.int64(); ok {
			p.r.accept()
			p.out.WriteString(time.Duration(n).String())
			return nil
		}
	case d.Kind == KindTime && it.major == majorText:
		return p.untagged()
	}
	return p.plain(it, depth)
}

// plain prints an item by what it is.
func (p *printer) plain(it item, depth int) error {
	if _, err := p.r.next(); err != nil {
		return err
	}
	switch it.major {
	case majorUint, majorNegint:
		p.out.WriteString(it.integer())
	case majorText:
		p.text(string(p.r.take(it)))
	case majorBytes:
		p.bytes(p.r.take(it))
	case majorTag:
		if n, ok := p.r.bignum(it.n); ok {
			p.out.WriteString(n.String())
			return nil
		}
		p.out.WriteString(strconv.FormatUint(it.n, 10) + "(")
		if err := p.value(nil, depth+1); err != nil {
			return err
		}
		p.out.WriteByte(')')
	default:
		p.simple(it)
	}
	return nil
}

func (p *printer) simple(it item) {
	switch {
	case it.isFloat():
		at := p.out.Len()
		p.float(it.float(), 64)
		if p.full && !strings.ContainsAny(p.out.String()[at:], ".eNI") {
			p.out.WriteString(".0") // an integer's text would read back as an integer
		}
	case it.info == cborFalse&31:
		p.out.WriteString("false")
	case it.info == cborTrue&31:
		p.out.WriteString("true")
	case it.info == 23:
		p.out.WriteString("undefined")
	default:
		p.out.WriteString("simple(" + strconv.FormatUint(it.n, 10) + ")")
	}
}

func (p *printer) text(s string) {
	limit := maxText
	if p.full {
		limit = 0
	}
	p.out.WriteString(jsonText(s, limit))
}

func (p *printer) bytes(b []byte) {
	if p.full || len(b) <= maxHex {
		p.out.WriteString("h'" + hex.EncodeToString(b) + "'")
		return
	}
	p.out.WriteString("h'" + hex.EncodeToString(b[:maxHex]) + "…' (" + group(len(b)) + " bytes)")
}

// float prints the shortest text that reads back to the same number.
func (p *printer) float(f float64, bits int) {
	switch {
	case math.IsNaN(f):
		p.out.WriteString("NaN")
	case math.IsInf(f, 0):
		p.out.WriteString(strings.TrimPrefix(strconv.FormatFloat(f, 'g', -1, bits), "+"))
	default:
		format := byte('f')
		if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e15) {
			format = 'e'
		}
		p.out.WriteString(strconv.FormatFloat(f, format, -1, bits))
	}
}

// time prints a tagged time, and what is tagged as one and is none as it is.
func (p *printer) time(depth int) error {
	tag, err := p.r.next()
	if err != nil {
		return err
	}
	it, err := p.r.peek()
	switch {
	case err != nil:
		return err
	case it.major == majorText:
		return p.untagged()
	}
	p.out.WriteString(strconv.FormatUint(tag.n, 10) + "(")
	defer p.out.WriteByte(')')
	return p.value(nil, depth+1)
}

// untagged prints the text of a time as it came, so that its zone stays; text that is no time gets quotes.
func (p *printer) untagged() error {
	it, err := p.r.next()
	if err != nil {
		return err
	}
	s := string(p.r.take(it))
	if _, err := time.Parse(time.RFC3339Nano, s); err != nil {
		p.text(s)
		return nil
	}
	p.out.WriteString(clean.Escape(s))
	return nil
}

func (p *printer) list(elem *Schema, depth int) error {
	it, err := p.r.next()
	if err != nil {
		return err
	}
	p.out.WriteByte('[')
	for i := range it.n {
		if i > 0 {
			p.out.WriteString(", ")
		}
		if !p.full && (i == maxItems || p.cut(depth)) {
			return p.rest(it.n-i, 1, ']', depth)
		}
		if err := p.value(elem, depth+1); err != nil {
			return err
		}
	}
	p.out.WriteByte(']')
	return nil
}

// rest passes what is not shown: n entries of so many items each.
func (p *printer) rest(n, each uint64, end byte, depth int) error {
	for range n * each {
		if _, err := p.r.skip(depth + 1); err != nil {
			return err
		}
	}
	p.out.WriteString("… " + group(int(n)) + " more")
	p.out.WriteByte(end)
	return nil
}

func (p *printer) mapping(key, elem *Schema, depth int) error {
	it, err := p.r.next()
	if err != nil {
		return err
	}
	k := p.types.Deref(key)
	p.out.WriteByte('{')
	for i := range it.n {
		if i > 0 {
			p.out.WriteString(", ")
		}
		if !p.full && (i == maxItems || p.cut(depth)) {
			return p.rest(it.n-i, 2, '}', depth)
		}
		if err := p.key(&k, depth+1); err != nil {
			return err
		}
		p.out.WriteString(": ")
		if err := p.value(elem, depth+1); err != nil {
			return err
		}
	}
	p.out.WriteByte('}')
	return nil
}

// key prints a map key, bare where it can be.
func (p *printer) key(k *Schema, depth int) error {
	it, err := p.r.peek()
	if err != nil {
		return err
	}
	if it.major != majorText {
		return p.value(k, depth)
	}
	p.r.accept()
	p.name(string(p.r.take(it)))
	return nil
}

func (p *printer) name(s string) {
	if bareName(s) {
		p.out.WriteString(s)
		return
	}
	p.text(s)
}

// bareName reports whether a key may stand without quotes and does not look like a number.
func bareName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c != '-' && c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != "" && len(s) <= maxText
}

// structure prints the fields in the order of the Go type, then what the schema does not know.
func (p *printer) structure(d *Schema, depth int) error {
	fields, unknown, err := split(&p.r, d, depth)
	if err != nil {
		return err
	}
	after := p.r
	p.out.WriteByte('{')
	n := 0
	for i, f := range d.Fields {
		if fields[i] == nil || p.full && p.absent(d, i, fields[i]) {
			continue
		}
		if n++; n > 1 {
			p.out.WriteString(", ")
		}
		if p.cut(depth) {
			p.out.WriteString("…")
			break
		}
		p.name(f.Name)
		p.out.WriteString(": ")
		p.r = reader{b: fields[i]}
		if err := p.value(f.Type, depth+1); err != nil {
			return err
		}
	}
	for i, u := range unknown {
		if n++; n > 1 {
			p.out.WriteString(", ")
		}
		if !p.full && (i == maxItems || p.cut(depth)) {
			p.out.WriteString("… " + group(len(unknown)-i) + " more")
			break
		}
		for j, part := range [][]byte{u.key, u.value} {
			if len(part) == 0 {
				p.out.WriteString("?")
			} else if p.r = (reader{b: part}); j == 0 {
				if err := p.key(&anySchema, depth+1); err != nil {
					return err
				}
			} else if err := p.value(nil, depth+1); err != nil {
				return err
			}
			if j == 0 {
				p.out.WriteString(": ")
			}
		}
	}
	p.out.WriteByte('}')
	p.r = after
	return nil
}

// absent reports whether a field of a struct that travels as an array is a null that only fills the place.
func (p *printer) absent(d *Schema, i int, value []byte) bool {
	f := p.types.Deref(d.Fields[i].Type)
	return d.Array && len(value) == 1 && value[0] == cborNull && !nilable(&f) && f.Kind != KindTime
}

// split reads a struct: the bytes of each field of d, nil where absent, and what d does not know.
func split(r *reader, d *Schema, depth int) (fields [][]byte, unknown []pair, err error) {
	it, err := r.next()
	if err != nil {
		return nil, nil, err
	}
	fields = make([][]byte, len(d.Fields))
	if d.Array {
		for i := range it.n {
			v, err := r.skip(depth + 1)
			if err != nil {
				return nil, nil, err
			}
			if i < uint64(len(fields)) {
				fields[i] = v
			} else {
				unknown = append(unknown, pair{value: v})
			}
		}
		return fields, unknown, nil
	}
	pairs, err := r.pairs(it, depth)
	if err != nil {
		return nil, nil, err
	}
	byKey := make(map[string]int, len(d.Fields))
	for i := range d.Fields {
		byKey[string(fieldKey(&d.Fields[i]))] = i
	}
	for _, kv := range pairs {
		i, ok := byKey[string(kv.key)]
		if !ok && len(unknown) < maxItems { // in another case, as the decoder would take it; a few are enough
			if name, isText := textKey(kv.key); isText {
				i = findField(d.Fields, name)
				ok = i >= 0
			}
		}
		if !ok || fields[i] != nil {
			unknown = append(unknown, kv)
			continue
		}
		fields[i] = kv.value
	}
	return fields, unknown, nil
}
