package schema

import (
	"github.com/fxamacker/cbor/v2"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// meshWire is what is shown of a mesh reference, an array of 6 to 8 as the engine encodes it; see control.MeshRef.
type meshWire struct {
	Name       string
	Home, View shape.Region
}

// readMesh decodes it, if the bytes are one.
func readMesh(b []byte) (w meshWire, ok bool) {
	var all []cbor.RawMessage
	if err := cbor.Unmarshal(b, &all); err != nil || len(all) < 6 || len(all) > 8 {
		return w, false
	}
	for i, into := range map[int]any{0: new(uint64), 1: &w.Name, 2: new(string), 3: new(uint64), 4: &w.Home, 5: &w.View} {
		if err := cbor.Unmarshal(all[i], into); err != nil {
			return w, false
		}
	}
	return w, w.Name != ""
}

// meshText is the reference in the command language, @name or @name[sel], when the bytes are one.
func meshText(b []byte) (string, bool) {
	w, ok := readMesh(b)
	if !ok {
		return "", false
	}
	name := "@" + clean.Escape(w.Name)
	if w.View.IsZero() || w.View.Validate() != nil || w.Home.Validate() != nil {
		return name, true
	}
	sel := shape.Describe(shape.RegionOf(w.Home.Extent()), w.View)
	if sel == "*" {
		return name, true
	}
	return name + "[" + sel + "]", true
}

func (p *printer) mesh(depth int) error {
	at := p.r
	b, err := p.r.skip(depth)
	if err != nil {
		return err
	}
	if text, ok := meshText(b); ok {
		p.out.WriteString(text)
		return nil
	}
	p.r = at
	return p.list(nil, depth)
}
