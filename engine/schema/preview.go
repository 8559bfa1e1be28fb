package schema

import "unicode/utf8"

// Preview is Format for a body of which only the first bytes are there, as in a control.Message: it shows what can be
// read of them, and the size of all.
func Preview(ts Types, s *Schema, first []byte, size int) string {
	if size <= len(first) {
		return Format(ts, s, first)
	}
	all := " … of " + group(size) + " bytes"
	r := reader{b: first}
	if b, _ := r.mend(nil, 0); len(b) > 0 {
		return Format(ts, s, b) + all
	}
	return "…" + all[len(" …"):]
}

// mend appends the next item in a form that is complete: what ends too early is shortened, and what has not begun is
// left out. It appends nothing where nothing is left or the bytes are no CBOR; whole tells that nothing was lost.
func (r *reader) mend(out []byte, depth int) (_ []byte, whole bool) {
	at := r.pos
	it, err := r.head()
	if err != nil || depth > maxDepth {
		return out, false
	}
	switch it.major {
	case majorBytes, majorText:
		if left := uint64(len(r.b) - r.pos); it.n > left {
			return append(out, mended(it.major, r.b[r.pos:])...), false
		}
		r.take(it)
		return append(out, r.b[at:r.pos]...), true
	case majorArray:
		return r.mendItems(out, it, 1, depth)
	case majorMap:
		return r.mendItems(out, it, 2, depth)
	case majorTag:
		inner, whole := r.mend(nil, depth+1)
		if len(inner) == 0 || !whole && (it.n == tagBig || it.n == tagBigNegative) { // half a number is another one
			return out, false
		}
		return append(head(out, it.major, it.n), inner...), whole
	}
	return append(out, r.b[at:r.pos]...), true
}

// mended is a string that was cut, without half a rune at its end.
func mended(major byte, b []byte) []byte {
	for n := 0; major == majorText && n < utf8.UTFMax && len(b) > 0 && !utf8.Valid(b); n++ {
		b = b[:len(b)-1]
	}
	return append(head(nil, major, uint64(len(b))), b...)
}

// mendItems appends an array or a map: each entry is so many items, and only its last may be shortened.
func (r *reader) mendItems(out []byte, it item, each, depth int) (_ []byte, whole bool) {
	var items []byte
	n := uint64(0)
	whole = true
	for whole && n < it.n {
		entry := []byte(nil)
		for range each {
			before := len(entry)
			if !whole {
				return append(head(out, it.major, n), items...), false
			}
			if entry, whole = r.mend(entry, depth+1); len(entry) == before {
				return append(head(out, it.major, n), items...), false
			}
		}
		items = append(items, entry...)
		n++
	}
	return append(head(out, it.major, n), items...), whole && n == it.n
}
