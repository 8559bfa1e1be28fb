package schema

import (
	"github.com/fxamacker/cbor/v2"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// meshWire is a mesh reference as the engine encodes it; see control.MeshRef.
type meshWire struct {
	_     struct{} `cbor:",toarray"`
	ID    uint64
	Name  string
	Type  string
	First uint64
	Home  shape.Region
	View  shape.Region
}

// meshText is the reference in the command language, @name or @name[sel], when the bytes are one.
func meshText(b []byte) (string, bool) {
	var w meshWire
	if err := cbor.Unmarshal(b, &w); err != nil || w.Name == "" {
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
