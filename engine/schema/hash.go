package schema

import (
	"encoding/binary"
	"hash"
	"hash/fnv"
)

// Hash is a number for what travels: two schemas of one hash encode alike. Names of Go types and docs do not count,
// names and order of fields do, and so does the actor type of meshes. It is stable across processes and versions.
func Hash(ts Types, s *Schema) uint64 {
	h := hasher{types: ts, sum: fnv.New64a(), seen: map[string]uint64{}}
	h.add(s, 0)
	return h.sum.Sum64()
}

// hasher numbers named types in the order it meets them, so recursion ends and their names do not matter.
type hasher struct {
	types Types
	sum   hash.Hash64
	seen  map[string]uint64
}

func (h *hasher) add(s *Schema, depth int) {
	if s == nil || depth > maxDepth {
		h.text("nil")
		return
	}
	h.flags(s.Optional)
	if s.Kind == KindRef {
		if n, ok := h.seen[s.Name]; ok {
			h.text("again")
			h.number(n)
			return
		}
		h.seen[s.Name] = uint64(len(h.seen))
		h.add(h.types[s.Name], depth+1)
		return
	}
	h.text(s.Kind)
	h.text(s.Mesh)
	h.number(uint64(s.Bits))
	h.number(uint64(s.Len))
	h.flags(s.Array)
	if s.Kind == KindList || s.Kind == KindMap {
		h.add(s.Key, depth+1)
		h.add(s.Elem, depth+1)
	}
	h.number(uint64(len(s.Fields)))
	for _, f := range s.Fields {
		h.text(f.Name)
		h.flags(f.IntKey)
		h.add(f.Type, depth+1)
	}
}

func (h *hasher) text(s string) {
	h.number(uint64(len(s)))
	h.sum.Write([]byte(s))
}

func (h *hasher) number(n uint64) {
	h.sum.Write(binary.BigEndian.AppendUint64(nil, n))
}

func (h *hasher) flags(b bool) {
	if b {
		h.number(1)
		return
	}
	h.number(0)
}
