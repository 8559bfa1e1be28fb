package script

import (
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

func meshVerbs() []*Verb {
	return []*Verb{
		{
			Name: "procs", Usage: "procs NAME dim=n… [in-process] [cpus=n] [virtual] [oversubscribe]", Summary: "start a grid of worker processes; in-process: goroutines instead; oversubscribe: ranks share GPUs; virtual: they have none",
			Changes: true, Forkable: true, completes: words("gpus=", "hosts=", "in-process", "cpus=", "virtual", "oversubscribe"), body: shows(procsArgs, (*Session).makeProcs),
		},
		{
			Name: "spawn", Usage: "spawn @NAME on PROCS[sel] Type [{field: value, …}]", Summary: "put one actor on each process",
			Changes: true, Forkable: true, completes: []word{{kind: wordProcs, after: "on"}, {kind: wordType, after: "on"}}, body: shows(spawnArgs, (*Session).spawn),
		},
		{
			Name: stopWord, Usage: "stop PROCS | @MESH", Summary: "end it in order: refuse new calls, finish the running ones",
			Changes: true, Forkable: true, completes: []word{{kind: wordProcs}, {kind: wordMesh}}, body: shows(stopArgs, (*Session).stop),
		},
		{
			Name: "kill", Usage: "kill PROCS[sel] | @MESH[sel]", Summary: "end it at once",
			Changes: true, Forkable: true, completes: []word{{kind: wordProcs}, {kind: wordMesh}}, body: shows(killArgs, (*Session).kill),
		},
		{Name: "restart", Usage: "restart @MESH[sel]", Summary: "begin a new incarnation of ranks", Lacks: "restart", body: form("T")},
	}
}

// ProcsArgs are the arguments of procs.
type ProcsArgs struct {
	Name                              string
	Dims                              shape.Extent
	CPUs                              int
	InProcess, Virtual, Oversubscribe bool
}

// maxRanks bounds the product of the dims of a procs command; the engine has its own, lower limits for processes.
const maxRanks = 65536

func procsArgs(p *parser, c *cursor, v *Verb) (a ProcsArgs, err error) {
	if a.Name, err = c.meshName("proc mesh", "a name for the proc mesh"); err != nil {
		return a, fail(atOf(err, c.at()), "%s (usage: %s)", err, v.Usage)
	}
	for !c.done() {
		at := c.at()
		w := c.word()
		dim, n, isDim := strings.Cut(w, "=")
		switch {
		case w == "in-process":
			a.InProcess = true
		case w == "virtual":
			a.Virtual = true
		case w == "oversubscribe":
			a.Oversubscribe = true
		case !isDim:
			return a, fail(at, "want name=size for each dimension, such as hosts=2 gpus=4, not %s%s", quoted(w), schema.SuggestNear(w, []string{"in-process", "virtual", "oversubscribe"}))
		default:
			size, err := strconv.Atoi(n)
			if err != nil {
				return a, fail(at+len(dim)+1, "%s: want a whole number, not %s", dim, quoted(n))
			}
			if dim == "cpus" {
				if size < 1 {
					return a, fail(at, "cpus=%d: a process needs at least 1", size)
				}
				a.CPUs = size
				continue
			}
			if err := free(dim); err != nil {
				return a, fail(at, "%s", err)
			}
			a.Dims = append(a.Dims, shape.Dim{Name: dim, Size: size})
			if err := a.Dims.Validate(maxRanks); err != nil {
				return a, fail(at, "%s", err)
			}
		}
	}
	p.scope.procs[a.Name] = a.Dims.Names()
	return a, nil
}

// SpawnArgs are the arguments of spawn.
type SpawnArgs struct {
	Mesh    string
	Procs   *Target // Mesh is the name of a proc mesh here
	Type    string
	Literal Literal
}

func (a SpawnArgs) judged() *Target { return &Target{Mesh: a.Mesh} }

func (a SpawnArgs) withoutPlaces() any {
	a.Literal.Pos = Pos{}
	return a
}

func spawnArgs(p *parser, c *cursor, v *Verb) (a SpawnArgs, err error) {
	c.space()
	if !c.eat('@') {
		return a, fail(c.at(), "want @ and a name for the mesh, not %s (usage: %s)", c.found(), v.Usage)
	}
	if a.Mesh, err = c.meshName("actor mesh", "a name for the mesh after @"); err != nil {
		return a, err
	}
	if !c.keyword("on") {
		return a, fail(c.at(), "want on and the name of a proc mesh, not %s (usage: %s)", c.found(), v.Usage)
	}
	if a.Procs, err = p.procMesh(c); err != nil {
		return a, err
	}
	if c.done() {
		return a, fail(c.at(), "want the actor type (usage: %s)", v.Usage)
	}
	at := c.at()
	a.Type = c.word()
	if cut := strings.IndexByte(a.Type, '{'); cut > 0 { // Type{…} without a space
		c.pos -= len(a.Type) - cut
		a.Type = a.Type[:cut]
	} else if cut == 0 {
		return a, fail(at, "want the actor type before its fields (usage: %s)", v.Usage)
	}
	a.Literal = p.literal(c)
	p.scope.spawn(a.Mesh, a.Procs)
	return a, nil
}

// procMesh takes PROCS[sel]; an @ before it is read too.
func (p *parser) procMesh(c *cursor) (*Target, error) {
	c.space()
	t := &Target{Pos: p.src.pos(c.at())}
	c.eat('@')
	var err error
	if t.Mesh, err = c.meshName("proc mesh", "the name of a proc mesh"); err != nil {
		return nil, err
	}
	return t, c.selection(t)
}

// EndArgs are the arguments of stop and kill.
type EndArgs struct {
	Target *Target
	Procs  bool // Target.Mesh is the name of a proc mesh
}

func (a EndArgs) onRanks() (*Target, bool) { return a.Target, true }

// endTarget reads what stop and kill are about.
func endTarget(p *parser, c *cursor, v *Verb) (a EndArgs, err error) {
	c.space()
	ch := c.peek()
	if ch != '@' && ch != '%' && ch != '.' && (ch != 0 || !p.focus) {
		if a.Target, err = p.procMesh(c); err != nil {
			return a, fail(atOf(err, c.at()), "%s (usage: %s)", err, v.Usage)
		}
		a.Procs = true
		return a, nil
	}
	if ch == 0 {
		a.Target = &Target{Focus: true}
	} else if a.Target, err = p.target(c); err != nil {
		return a, err
	}
	if a.Target.Endpoint != "" {
		return a, fail(c.at(), "%s ends meshes, not endpoints: want @%s", v.Name, a.Target.Mesh)
	}
	return a, nil
}

func stopArgs(p *parser, c *cursor, v *Verb) (EndArgs, error) {
	a, err := endTarget(p, c, v)
	if err != nil {
		return a, err
	}
	if t := a.Target; t.Sel != "" && t.Sel != "*" {
		return a, fail(c.at(), "stop ends a whole mesh, not a slice: want stop %s (kill takes a slice)", strings.TrimSuffix(t.String(), "["+t.Sel+"]"))
	}
	return a, c.end(v.Usage)
}

func killArgs(p *parser, c *cursor, v *Verb) (EndArgs, error) {
	a, err := endTarget(p, c, v)
	if err != nil {
		return a, err
	}
	return a, c.end(v.Usage)
}

// stopWord is the verb that ends a mesh in order.
const stopWord = "stop"
