package script

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

func meshVerbs() []*Verb {
	return []*Verb{
		{
			Name: "procs", Usage: "procs NAME dim=n… [in-process] [cpus=n] [virtual] [oversubscribe] [restart=never|on-failure|n/time] [lease=time] [hosts=name,… via=launcher [option=value…] [within=time]]",
			Summary: "start a grid of worker processes; in-process: goroutines instead; oversubscribe: ranks share GPUs; virtual: they have none; via: on other machines", more: func() []string { return launchHelp(control.Launchers()...) },
			Changes: true, Forkable: true, completes: append(words("gpus=", "hosts=", "in-process", "cpus=", "restart=", "virtual", "oversubscribe", "via="), word{kind: wordLauncher, key: viaWord}, word{kind: wordOption, after: viaWord}), body: shows(procsArgs, (*Session).makeProcs),
		},
		{
			Name: "spawn", Usage: "spawn @NAME on PROCS[sel] Type [restart=never|on-failure|n/time] [gang] [{field: value, …}]", Summary: "put one actor on each process",
			Changes: true, Forkable: true, completes: []word{{kind: wordProcs, after: "on"}, {kind: wordType, after: "on"}}, body: shows(spawnArgs, (*Session).spawn),
		},
		{
			Name: stopWord, Usage: "stop PROCS | @MESH", Summary: "end it in order: refuse new calls, finish the running ones",
			Changes: true, Forkable: true, completes: []word{{kind: wordProcs}, {kind: wordMesh}}, body: shows(stopArgs, (*Session).stop),
		},
		{
			Name: "kill", Usage: "kill PROCS[sel] | PROCS[?] [seed N] | @MESH[sel]", Summary: "end it at once; [?] is one that runs, drawn from the seed",
			Changes: true, Forkable: true, completes: []word{{kind: wordProcs}, {kind: wordMesh}}, body: shows(killArgs, (*Session).kill),
		},
		{
			Name: "restart", Usage: "restart PROCS[sel] | @MESH[sel]", Summary: "begin a new life of ranks that have ended; of processes, with the actors that died with them",
			Changes: true, Forkable: true, completes: []word{{kind: wordProcs}, {kind: wordMesh}}, body: shows(killArgs, (*Session).restart),
		},
		syncVerb(),
	}
}

// SpawnArgs are the arguments of spawn.
type SpawnArgs struct {
	Mesh    string
	Procs   *Target // Mesh is the name of a proc mesh here
	Type    string
	Literal Literal
	Restart *control.RestartPolicy
	Gang    bool
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
	if a.Mesh, err = c.newName("actor mesh", "a name for the mesh after @"); err != nil {
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
	if err := a.options(c); err != nil {
		return a, err
	}
	if err := a.optionsBehind(c); err != nil {
		return a, err
	}
	a.Literal = p.literal(c)
	p.scope.spawn(a.Mesh, a.Procs)
	return a, nil
}

// The words of spawn between the type and its fields.
const (
	restartWord = "restart"
	gangWord    = "gang"
)

// options takes them.
func (a *SpawnArgs) options(c *cursor) error {
	policy := false
	for {
		c.space()
		at := c.pos
		switch w := c.word(); {
		case w == gangWord && a.Gang, strings.HasPrefix(w, restartWord+"=") && policy:
			c.pos = at
			return fail(c.at(), "%s is there already", quoted(w))
		case w == gangWord:
			a.Gang = true
		case strings.HasPrefix(w, restartWord+"="):
			policy = true
			var err error
			if a.Restart, err = policyOf(w[len(restartWord)+1:]); err != nil {
				c.pos = at + len(restartWord) + 1
				return fail(c.at(), "%s", err)
			}
		default:
			c.pos = at
			return nil
		}
	}
}

// optionsBehind refuses options behind the fields, where a hand puts them that thinks of procs.
func (a *SpawnArgs) optionsBehind(c *cursor) error {
	rest := c.rest()
	end := strings.LastIndexByte(rest, '}')
	if end < 0 {
		return nil
	}
	behind := *c
	behind.pos += end + 1
	behind.space()
	at := behind.at()
	word := behind.word()
	if word != gangWord && !strings.HasPrefix(word, restartWord+"=") {
		return nil
	}
	return fail(at, "%s stands between the type and its fields: spawn @%s on %s %s %s {…}", quoted(word), a.Mesh, a.Procs.Mesh, a.Type, word)
}

// policyOf reads a restart policy: never, on-failure, or how many restarts of a rank in which time.
func policyOf(text string) (*control.RestartPolicy, error) {
	const want = "want never, on-failure (3 times in a minute), or COUNT/DURATION such as 5/10m"
	switch text {
	case "never":
		return nil, nil
	case "on-failure":
		p := control.DefaultRestart()
		return &p, nil
	}
	count, within, ok := strings.Cut(text, "/")
	n, err := strconv.Atoi(count)
	d, derr := time.ParseDuration(within)
	if !ok || err != nil || derr != nil {
		return nil, fmt.Errorf("%s %s: %s", restartWord, quoted(text), want)
	}
	p := &control.RestartPolicy{Max: n, Within: d}
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("%w; %s", err, want)
	}
	return p, nil
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

// anyProc is procMesh that reads PROCS[?] too.
func (p *parser) anyProc(c *cursor) (*Target, error) {
	c.space()
	at := strings.IndexByte(c.rest(), '[')
	if at < 0 || !strings.HasPrefix(c.rest()[at:], "[?]") || strings.ContainsAny(c.rest()[:at], " \t") {
		return p.procMesh(c)
	}
	t := &Target{Pos: p.src.pos(c.at()), Any: true, Sel: "?"}
	c.eat('@')
	var err error
	if t.Mesh, err = c.meshName("proc mesh", "the name of a proc mesh"); err != nil {
		return nil, err
	}
	c.pos += len("[?]")
	return t, nil
}

// EndArgs are the arguments of stop, kill and restart.
type EndArgs struct {
	Target *Target
	Procs  bool   // Target.Mesh is the name of a proc mesh
	Seed   uint64 // of a rank that is drawn; 0: the session's
}

func (a EndArgs) onRanks() (*Target, bool) { return a.Target, true }

// endTarget reads what stop, kill and restart are about.
func endTarget(p *parser, c *cursor, v *Verb) (a EndArgs, err error) {
	c.space()
	ch := c.peek()
	if ch != '@' && ch != '%' && ch != '.' && (ch != 0 || !p.focus) {
		mesh := p.procMesh
		if v.Name == "kill" {
			mesh = p.anyProc
		}
		if a.Target, err = mesh(c); err != nil {
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
		return a, fail(c.at(), "%s is for meshes, not endpoints: want @%s", v.Name, a.Target.Mesh)
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
	if err == nil && a.Target.Any && c.keyword("seed") {
		a.Seed, err = c.seed()
	}
	if err != nil {
		return a, err
	}
	return a, c.end(v.Usage)
}

// stopWord is the verb that ends a mesh in order.
const stopWord = "stop"
