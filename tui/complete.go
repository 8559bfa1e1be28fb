package tui

import (
	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// known are the names that completion offers at the ':' line.
func (m *Model) known() script.Known {
	k := script.Known{Themes: paint.Themes()}
	procs, meshes := m.world.Live()
	for _, p := range procs {
		k.Procs = append(k.Procs, p.Name)
	}
	for _, x := range meshes {
		k.Meshes = append(k.Meshes, x.Ref.Name)
	}
	for _, t := range m.world.Types {
		k.Types = append(k.Types, t.Name)
	}
	for _, d := range m.cfg.Demos {
		k.Demos = append(k.Demos, d.Name)
	}
	k.Endpoints = func(mesh string) (names []string) {
		if x, ok := m.world.Mesh(mesh); ok {
			if t, ok := m.world.Type(x.Ref.Type); ok {
				for _, ep := range t.Endpoints {
					names = append(names, ep.Name)
				}
			}
		}
		return names
	}
	k.Dims = func(mesh string) []string {
		x, ok := m.world.Mesh(mesh)
		if !ok {
			return nil
		}
		return x.Ref.Extent().Names()
	}
	return k
}
