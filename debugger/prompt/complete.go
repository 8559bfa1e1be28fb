package prompt

import (
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Complete gives the words with which a line could go on, and where in the line the word begins that they would replace.
func (p *Prompt) Complete(line string) (from int, words []string) {
	k := p.names()
	if rest, ok := strings.CutPrefix(line, "attach "); ok {
		return len(line) - len(rest), stoppedNames(p.s, rest)
	}
	return script.Complete(line, k)
}

// names are the names that completion offers.
func (p *Prompt) names() (k script.Known) {
	endpoints, refs := map[string][]string{}, map[string]control.MeshRef{}
	p.s.Look(func(r *control.Replica) {
		for i := range r.ProcMeshes {
			if m := &r.ProcMeshes[i]; !m.Gone {
				k.Procs = append(k.Procs, m.Name)
				refs[m.Name] = m.Grid()
			}
		}
		for i := range r.Types {
			k.Types = append(k.Types, r.Types[i].Name)
		}
		for i := range r.Meshes {
			m := &r.Meshes[i]
			if m.Gone {
				continue
			}
			k.Meshes = append(k.Meshes, m.Ref.Name)
			refs["@"+m.Ref.Name] = m.Ref
			if t, ok := r.Type(m.Ref.Type); ok {
				for _, e := range t.Endpoints {
					endpoints[m.Ref.Name] = append(endpoints[m.Ref.Name], e.Name)
				}
			}
		}
	})
	k.Endpoints = func(mesh string) []string { return endpoints[mesh] }
	k.Ref = func(target string) (control.MeshRef, bool) {
		ref, ok := refs[target]
		return ref, ok
	}
	return k
}

// stoppedNames are the actors behind attach that begin as typed.
func stoppedNames(s *script.Session, typed string) (out []string) {
	s.Look(func(r *control.Replica) {
		for i := range r.Stops {
			if n := r.Stops[i].Mesh; strings.HasPrefix(n, typed) && n != typed {
				out = append(out, n+" ")
			}
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}
