package tui

import (
	"cmp"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// IsWord reports whether a goal of a demo's step is a word to say, such as print or continue. Whoever shows the demo says
// it where the person does not. Any other goal is something that is made, called or selected, which the demo does itself.
func IsWord(line string) bool {
	g, err := parseGoal(line)
	return err == nil && g.isWord()
}

func (g *goal) isWord() bool {
	if g.caller != "" || g.refused || g.stmt.Cmd == nil {
		return false
	}
	v := g.stmt.Cmd.Verb
	return !v.Calls && !slices.Contains([]string{"procs", "spawn", "focus"}, v.Name)
}

// wordSeen reports whether a word was said, or the session is as if it had been: there are keys that do the same, and
// others who may be attached.
func (m *Model) wordSeen(t *task, g *goal) bool {
	switch a := argsOf(g.stmt).(type) {
	case script.BreakArgs:
		return slices.ContainsFunc(m.world.Breaks, func(b control.Breakpoint) bool { return a.Target != nil && sameBreak(&a.Spec, a.Target.Mesh, &b) })
	case script.GoArgs:
		switch {
		case a.How == control.GoContinue: // what the session shows may be a little behind the words: somebody must have been seen to stand
			t.stopped = t.stopped || len(m.world.Stops) > 0
			if t.stopped && len(m.world.Stops) == 0 {
				return true
			}
		case a.Target == nil && slices.ContainsFunc(m.world.Stops, func(st control.Stop) bool { return st.By != "" }):
			return true
		}
	}
	return slices.ContainsFunc(m.since(t.began), g.said)
}

// sameBreak reports whether a breakpoint stops whom another is to stop. Its condition is the person's own to choose.
func sameBreak(want *control.Breakpoint, mesh string, b *control.Breakpoint) bool {
	site := func(s string) string { return cmp.Or(s, control.SiteRecv) }
	return b.Mesh == mesh && b.Endpoint == want.Endpoint && site(b.Site) == site(want.Site) && (b.If != "") == (want.If != "")
}

// said reports whether a command is the word that a goal wants, and went well. What stands behind it is the person's own
// to choose, but for the mesh that it is about.
func (g *goal) said(e *entry) bool {
	if !e.done || !e.ok {
		return false
	}
	sc, errs := script.ParseLine(e.line)
	if len(errs) > 0 || len(sc.Stmts) != 1 || sc.Stmts[0].Cmd == nil || sc.Stmts[0].Cmd.Verb.Name != g.stmt.Cmd.Verb.Name {
		return false
	}
	want, ok := argsOf(g.stmt).(script.PrintArgs)
	if !ok || want.Target == nil {
		return true
	}
	got, ok := argsOf(sc.Stmts[0]).(script.PrintArgs)
	return ok && got.Target != nil && got.Target.Mesh == want.Target.Mesh
}

// sayWords says the words of a task in place of the person, once; nil where there is nothing more to say.
func (m *Model) sayWords() tea.Cmd {
	s := m.story
	if !s.open() || s.task.saying {
		return nil
	}
	var cmds []tea.Cmd
	for i := range s.task.goals {
		g := &s.task.goals[i]
		if g.met || !g.isWord() {
			continue
		}
		if len(cmds) == 0 && s.now.Await != "" {
			cmds = append(cmds, m.run("expect "+s.now.Await+" within 5s", runOptions{inOrder: true}))
		}
		cmds = append(cmds, m.run(g.line, runOptions{inOrder: true}))
	}
	if len(cmds) == 0 {
		return nil
	}
	s.task.saying, s.since = true, m.now()
	return tea.Batch(cmds...)
}
