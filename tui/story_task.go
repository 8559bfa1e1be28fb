package tui

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// task is what a person is asked to do, and what has been seen of it.
type task struct {
	goals []goal
	done  bool
	known map[string]bool   // procs and @meshes that were there when it began
	names map[string]string // what the person calls what goals name, as @mesh or procs
	calls *callWatch
	first string // what was selected when it began
	after *entry // the last command that does not count as something else
	err   error  // of a goal that nobody can reach: a fault of the demo

	began   *entry // the last command before it
	saying  bool   // the explorer has said its words: it was to be skipped
	stopped bool   // somebody was stopped, while continue is to be said
}

// goal is one thing that is to be seen in the session. How it is brought about does not matter: by keys, by a command, or
// by somebody who is attached.
type goal struct {
	line    string // the command that does it
	caller  string // the mesh whose actors make the call; "": a person
	refused bool   // it is to fail
	stmt    *script.Stmt
	met     bool
}

// newTask begins to look out.
func (m *Model) newTask(lines []string) *task {
	t := &task{known: map[string]bool{}, names: map[string]string{}, first: m.selected(), calls: newCallWatch(m.world.Messages.Total()), after: m.lastEntry(), began: m.lastEntry()}
	procs, meshes := m.world.Live()
	for _, p := range procs {
		t.known[p.Name] = true
	}
	for _, x := range meshes {
		t.known["@"+x.Ref.Name] = true
	}
	for _, line := range lines {
		g, err := parseGoal(line)
		if err != nil {
			t.err = err
		}
		t.goals = append(t.goals, g)
	}
	return t
}

// parseGoal reads "[@caller: ][! ]command".
func parseGoal(line string) (goal, error) {
	g := goal{line: line}
	if rest, ok := strings.CutPrefix(line, "@"); ok {
		g.caller, line, _ = strings.Cut(rest, ": ")
	}
	sc, errs := script.ParseLine(line)
	if len(errs) > 0 || len(sc.Stmts) != 1 {
		return g, fmt.Errorf("the goal %q is no command", line)
	}
	g.stmt = sc.Stmts[0]
	g.refused = g.stmt.MustFail
	switch argsOf(g.stmt).(type) {
	case script.ProcsArgs, script.SpawnArgs, script.CallArgs:
	default:
		if g.stmt.Cmd == nil || g.stmt.Cmd.Verb.Lacks != "" || g.stmt.Cmd.Verb.Name != "focus" && !g.isWord() {
			return g, fmt.Errorf("the goal %q cannot be seen", line)
		}
	}
	return g, nil
}

// storyLooks looks whether what the person was asked to do has happened.
func (m *Model) storyLooks() {
	s := m.story
	if !s.open() || s.task.err != nil {
		return
	}
	t := s.task
	t.calls.read(m.world)
	done := true
	for i := range t.goals {
		g := &t.goals[i]
		if as, ok := m.seen(t, g); ok && !g.met {
			g.met, t.after = true, m.lastEntry()
			if as != nil {
				t.names[as[0]] = as[1]
			}
			m.touch()
		}
		done = done && g.met
	}
	if done {
		t.done, s.since, s.page = true, m.now(), 0
		s.focused, s.resume = s.focused || s.resume, false
		m.touch()
	}
}

// seen reports whether the session shows what a goal wants; as is the name of what it makes, and what the person calls it.
func (m *Model) seen(t *task, g *goal) (as []string, ok bool) {
	procs, meshes := m.world.Live()
	if g.isWord() {
		return nil, m.wordSeen(t, g)
	}
	switch a := argsOf(g.stmt).(type) {
	case script.ProcsArgs:
		for _, p := range procs {
			if !t.known[p.Name] && p.State == running && p.Extent.Len() >= a.Dims.Len() {
				return []string{a.Name, p.Name}, true
			}
		}
	case script.SpawnArgs:
		for _, x := range meshes {
			on := x.Procs == a.Procs.Mesh || !t.known[a.Procs.Mesh] && !t.known[x.Procs]
			if !t.known["@"+x.Ref.Name] && x.State == running && on && strings.HasSuffix("."+x.Ref.Type, "."+a.Type) {
				return []string{"@" + a.Mesh, "@" + x.Ref.Name}, true
			}
		}
	case script.CallArgs:
		if g.refused {
			return nil, slices.ContainsFunc(m.since(t.after), func(e *entry) bool { return wasRefused(e, a) })
		}
		return nil, slices.ContainsFunc(meshes, func(x *control.Mesh) bool {
			named := x.Ref.Name == a.Target.Mesh || !t.known["@"+a.Target.Mesh] && !t.known["@"+x.Ref.Name]
			return named && t.calls.covers(m.world, x, a, g.caller)
		})
	case script.TextArgs:
		mesh, want := m.chosen(a.Text)
		at, ok := m.panes.grid.Target()
		return nil, ok && at.Selected && !at.Procs && at.Name == mesh && slices.Equal(at.Ranks, want)
	}
	return nil, false
}

// selected is what is selected on the grid, "" where nothing is.
func (m *Model) selected() string {
	if at, ok := m.panes.grid.Target(); ok && at.Selected {
		return at.Selector
	}
	return ""
}

// running is the state of meshes and proc meshes that are whole.
const running = "running"

// wasRefused reports whether a command asked for what a goal wants to be refused, and was.
func wasRefused(e *entry, want script.CallArgs) bool {
	got, ok := e.args.(script.CallArgs)
	return ok && e.done && e.ok == strings.HasPrefix(e.line, "!") && got.Adverb == want.Adverb &&
		got.Target.Mesh == want.Target.Mesh && got.Target.Endpoint == want.Target.Endpoint && got.Target.Sel == want.Target.Sel
}

// chosen is the mesh and the ranks of "@mesh[sel]".
func (m *Model) chosen(text string) (name string, ranks []int) {
	name, sel, _ := strings.Cut(strings.TrimPrefix(text, "@"), "[")
	x, ok := m.world.Mesh(name)
	s, err := shape.Parse(strings.TrimSuffix(sel, "]"))
	if !ok || err != nil {
		return name, nil
	}
	ranks, _ = x.Ref.Ranks(s)
	return name, ranks
}

// lastEntry is the newest command, nil where there is none.
func (m *Model) lastEntry() *entry {
	if len(m.commands) == 0 {
		return nil
	}
	return m.commands[len(m.commands)-1]
}

// since are the commands after one.
func (m *Model) since(e *entry) []*entry {
	return m.commands[slices.Index(m.commands, e)+1:]
}

// next is what is still to do, nil when nothing is.
func (t *task) next() *goal {
	for i := range t.goals {
		if !t.goals[i].met {
			return &t.goals[i]
		}
	}
	return nil
}

// line is the command to show for the task: of what is still to do, else of what was done last.
func (t *task) line() string {
	line := ""
	for _, g := range t.goals {
		if g.caller == "" {
			line = g.line
			if !g.met {
				break
			}
		}
	}
	for name, as := range t.names { // the person's own
		line = regexp.MustCompile(`(^| )`+regexp.QuoteMeta(name)+`\b`).ReplaceAllString(line, "${1}"+as)
	}
	return line
}

// elsePatience is how long after a command nobody is told that it was another one: its messages may be on their way.
const elsePatience = 400 * time.Millisecond

// note is what there is to say about a task that is not done yet: how far it is, and what was done instead.
func (m *Model) note(t *task) string {
	if t.err != nil {
		return t.err.Error()
	}
	left := t.next()
	if left == nil {
		return ""
	}
	todo := "Still to do: " + m.goalText(t, left) + "."
	if list := m.since(t.after); len(list) > 0 {
		e := list[len(list)-1]
		switch {
		case !e.done || m.now().Sub(e.began.Add(e.took)) < elsePatience:
		case e.cancelled:
			return "○ " + paint.Fit(e.line, 48) + " was cancelled. " + todo
		case !e.ok:
			return "✕ " + paint.Fit(e.line, 48) + " has failed. " + todo
		default:
			return "Seen: " + paint.Fit(e.line, 48) + ". " + todo
		}
	}
	if sel := m.selected(); sel != "" && sel != t.first && left.stmt.Cmd.Verb.Name == "focus" {
		return "Selected: " + paint.Fit(sel, 32) + ". " + todo
	}
	met := 0
	for _, g := range t.goals {
		if g.met {
			met++
		}
	}
	if met > 0 {
		return fmt.Sprintf("✓ %d of %d done. %s", met, len(t.goals), todo)
	}
	return ""
}

// goalText is a goal in words.
func (m *Model) goalText(t *task, g *goal) string {
	of := func(target *script.Target, ranks string) string {
		name := "@" + target.Mesh
		if as, ok := t.names[name]; ok {
			name = as
		} else if !t.known[name] {
			name = "the actors that you spawn"
		}
		return ranks + " of " + name
	}
	switch a := argsOf(g.stmt).(type) {
	case script.ProcsArgs:
		return fmt.Sprintf("a proc mesh of %d", a.Dims.Len())
	case script.SpawnArgs:
		on := a.Procs.Mesh
		if as, ok := t.names[on]; ok {
			on = as
		} else if !t.known[on] {
			on = "it"
		}
		return "spawn " + a.Type + " on " + on
	case script.CallArgs:
		switch {
		case g.refused:
			return "the command " + strings.TrimPrefix(g.line, "! ")
		case g.caller != "":
			return fmt.Sprintf("actors of @%s call %s", g.caller, of(a.Target, a.Target.Endpoint))
		case a.Target.Sel != "":
			return a.Target.Endpoint + " on " + of(a.Target, "["+a.Target.Sel+"]")
		}
		return a.Target.Endpoint + " on " + of(a.Target, "all ranks")
	case script.TextArgs:
		return "select " + a.Text + " and nothing else"
	}
	return g.line
}
