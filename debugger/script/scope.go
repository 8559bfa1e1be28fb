package script

import (
	"maps"
	"slices"
)

// scope is what the parser knows to exist at a line, from the lines above it.
type scope struct {
	captures map[string]bool
	jobs     map[string]*Target  // targets of the calls that nobody has waited for
	procs    map[string][]string // dims of proc meshes
	meshes   map[string][]string // dims of actor meshes whose proc mesh is known
	groups   map[string]string   // mesh of a group
}

func newScope() *scope {
	return &scope{captures: map[string]bool{}, jobs: map[string]*Target{}, procs: map[string][]string{}, meshes: map[string][]string{}, groups: map[string]string{}}
}

func (s *scope) jobNames() []string { return slices.Sorted(maps.Keys(s.jobs)) }

func (s *scope) captureNames() []string { return slices.Sorted(maps.Keys(s.captures)) }

// spawn learns the dims of a mesh. A slice of a proc mesh may drop some: then all may still be used, and the run tells.
func (s *scope) spawn(mesh string, procs *Target) {
	if dims, ok := s.procs[procs.Mesh]; ok {
		s.meshes[mesh] = dims
		return
	}
	delete(s.meshes, mesh)
}

// rankNames are the names for an expression about the ranks of a target; nil for a command without ranks.
func (p *parser) rankNames(t *Target) names {
	n := names{have: append(reservedNames(), p.scope.captureNames()...), loose: p.loose}
	if t == nil {
		return n
	}
	mesh := t.Mesh
	if t.Group != "" {
		mesh = p.scope.groups[t.Group]
	}
	dims, known := p.scope.meshes[mesh]
	n.have, n.loose = append(n.have, dims...), n.loose || !known
	return n
}

// wholeNames are the names for an expression about everything: let and ${…}.
func (p *parser) wholeNames() names {
	return names{have: append(wholeNames(), p.scope.captureNames()...), loose: p.loose}
}
