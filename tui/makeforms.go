package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// maker is a form whose command makes something: it stays open until that stands, and shows how far it is.
type maker struct {
	m        *Model
	f        *dialog.Form
	sent     *entry
	line     func() string
	note     func() string // what else there is to say of it; nil: nothing
	facts    func() string // the endpoints of what it makes; nil: it has none
	progress func() [][]paint.Seg
	made     func()
}

func newMaker(m *Model, title, enter string) *maker {
	k := &maker{m: m}
	k.f = &dialog.Form{
		Title: func() string { return title }, Enter: enter, Below: k.below, Result: k.result,
		Live: k.making,
		Submit: func() tea.Cmd {
			if k.making() {
				m.say(sayWarn, "it is being made; esc leaves it to it, ctrl+x cancels")
				return nil
			}
			cmd := m.command(k.line())
			k.sent = m.shownEntry
			return cmd
		},
		Again: func() tea.Cmd {
			if k.sent != nil && k.sent.done && k.sent.ok {
				m.drop(k.f)
				k.made()
				return m.worldChanged()
			}
			return nil
		},
		Keys: []dialog.Key{{Key: "ctrl+x", Hint: "cancel", Live: true, Do: func() tea.Cmd {
			if k.sent != nil && k.sent.cancel != nil {
				k.sent.cancel()
			}
			return nil
		}}},
	}
	return k
}

// making reports whether the command is on its way.
func (k *maker) making() bool { return k.sent != nil && !k.sent.done }

func (k *maker) below(w int) [][]paint.Seg {
	out := [][]paint.Seg{k.f.Labelled("command", paint.Text, k.line(), w)}
	if k.facts != nil && k.facts() != "" {
		out = append(out, k.f.Labelled("endpoints", paint.Muted, k.facts(), w))
	}
	if k.note != nil && k.note() != "" {
		out = append(out, k.f.Labelled("", paint.Warning, k.note(), w))
	}
	return out
}

// result is how far it is, or why it cannot be.
func (k *maker) result(w int) (out [][]paint.Seg) {
	m := k.m
	e := k.sent
	why := k.f.Block()
	switch {
	case e != nil && !e.done:
		out = append(out, []paint.Seg{{Style: paint.Style{Fg: paint.Busy}, Text: m.spinner() + " " + paint.Duration(m.now().Sub(e.began).Truncate(100*time.Millisecond))}})
		if k.progress != nil {
			out = append(out, k.progress()...)
		}
		return out
	case why == "" && e != nil && !e.ok && e.line == k.line(): // of what stands in the form now
		why = e.err
	case why == "":
		return nil
	}
	for i, l := range paint.Wrap(why, w-2) {
		if i == 6 {
			return append(out, []paint.Seg{{Style: paint.Style{Fg: paint.Muted}, Text: "  …" + m.keyHint(" (%s lists it whole)", "errors")}})
		}
		sign := map[bool]string{true: "✕ ", false: "  "}[i == 0]
		out = append(out, []paint.Seg{{Style: paint.Style{Fg: paint.Failed}, Text: sign + l}})
	}
	return out
}

// restartField asks what happens when a rank dies. back says with what it comes back.
func restartField(back string) *dialog.Field {
	f := dialog.ChoiceField("who dies", []string{"stays dead", "begins anew"}, 0)
	f.Judge = func(v string) (string, string, int) {
		if v == "stays dead" {
			return "", "", 0
		}
		p := control.DefaultRestart()
		return fmt.Sprintf("%s, %d times in %s at most", back, p.Max, p.Time()), "", 0
	}
	return f
}

// restartOf is what of a command it comes to.
func restartOf(f *dialog.Field) string { return []string{"", " restart=on-failure"}[f.At] }

// judgeName is what is wrong with a name for a mesh.
func judgeName(kind, name string) (note, err string, column int) {
	if name == "" {
		return "", "want a name for the " + kind, 1
	}
	if i := strings.IndexAny(name, " \t"); i >= 0 {
		return "", "a name is one word", i + 1
	}
	if err := control.CheckName(kind, name); err != nil {
		_, want, _ := strings.Cut(err.Error(), ": ")
		return "", want, 1
	}
	return "", "", 0
}

// freeName is the first of base0, base1, … that is not taken.
func freeName(base string, taken func(string) bool) string {
	for i := 0; ; i++ {
		if n := base + strconv.Itoa(i); !taken(n) {
			return n
		}
	}
}

// openSpawn opens the form for new actors.
func (m *Model) openSpawn() tea.Cmd {
	procs, _ := m.world.Live()
	types, named := slices.Clone(m.world.Types), m.world.Named
	if len(types) == 0 {
		m.say(sayWarn, "this program has registered no actor types (engine.Register)")
		return nil
	}
	slices.SortStableFunc(types, func(a, b control.Type) int { return strings.Compare(a.Name, b.Name) })
	names, kinds, at := []string{}, []string{}, 0
	here := m.target().procs
	for _, p := range procs {
		if p.Name == here {
			at = len(names)
		}
		names = append(names, p.Name)
	}
	for _, t := range types {
		kinds = append(kinds, t.Name)
	}
	k := newMaker(m, "Spawn actors", "spawn")
	on := dialog.ChoiceField("on procs", names, at)
	sel := dialog.TextField("ranks", "", dialog.Unset("all"))
	sel.Judge = func(text string) (string, string, int) {
		pm, ok := m.world.ProcMesh(on.Value())
		if !ok {
			return "", "", 0
		}
		parts, err := resolve(text, pm.Grid())
		switch {
		case err != nil:
			msg, col := columnOf(err)
			return "", msg, col
		case len(parts) > 1:
			return "", "actors are spawned on one regular slice, and this is several", 1
		}
		note := paint.Of(parts[0].Len(), pm.Extent.Len())
		if dead := m.deadOf(pm, parts[0]); len(dead) > 0 {
			note += fmt.Sprintf(" · %d ended", len(dead))
		}
		return note, "", 0
	}
	kind := dialog.ChoiceField("type", kinds, max(0, slices.Index(kinds, m.lastType)))
	name := dialog.TextField("name", "", "")
	taken := func(n string) bool { x, ok := m.world.Mesh(n); return ok && !x.Gone }
	name.Judge = func(text string) (string, string, int) {
		text = strings.TrimPrefix(text, "@")
		if taken(text) && !k.making() {
			return "", "there is a mesh @" + text, 1
		}
		return judgeName("actor mesh", text)
	}
	again := restartField("from what it saved")
	k.f.Fields = []*dialog.Field{on, sel, kind, name, again} // those of the type come before the last one
	const own = 4
	shown, given := -1, ""
	typed := map[string]*dialog.Field{} // what was typed for another type is there again when it is
	k.f.Changed = func(f *dialog.Form) {
		if kind.At == shown {
			return
		}
		shown = kind.At
		t := types[shown]
		base := strings.TrimSuffix(snake(t.Name), "_actor")
		if taken(base) {
			base = freeName(base, taken)
		}
		if name.Value() == given { // a name that was typed stays
			name.Set(base)
			given = base
		}
		f.Fields = f.Fields[:own:own]
		for _, fd := range t.Fields {
			if x := typed[t.Full+"."+fd.Name]; x != nil {
				f.Fields = append(f.Fields, x)
				continue
			}
			x := dialog.TextField(fd.Name, "", dialog.Unset("its zero value · "+dialog.Example(exampleOf(named, fd.Type))))
			typed[t.Full+"."+fd.Name] = x
			x.Type = fd.Type.TypeName()
			x.Judge = func(text string) (string, string, int) {
				if strings.TrimSpace(text) == "" {
					return "", "", 0
				}
				if m.conn == nil {
					return "", m.offline(), 0
				}
				if _, err := schema.ParseArg(fd.Name, named, fd.Type, literalOf(named, fd.Type, text), m.conn.base); err != nil {
					msg, col := literalMistake(err)
					return "", msg, col
				}
				return "✓", "", 0
			}
			f.Fields = append(f.Fields, x)
		}
		f.Fields = append(f.Fields, again)
	}
	k.note = func() string {
		pm, ok := m.world.ProcMesh(on.Value())
		if !ok {
			return ""
		}
		parts, err := resolve(sel.Value(), pm.Grid())
		if err != nil || len(parts) != 1 {
			return ""
		}
		if dead := m.deadOf(pm, parts[0]); len(dead) > 0 {
			return fmt.Sprintf("rank %s of %s has ended: there will be no actor", ranksText(dead), pm.Name)
		}
		return ""
	}
	k.line = func() string {
		t := types[kind.At]
		line := "spawn @" + strings.TrimPrefix(name.Value(), "@") + " on " + on.Value()
		line += selector(sel.Value()) + " " + t.Name + restartOf(again)
		parts := []string{}
		for i, fd := range t.Fields {
			if i+own+1 < len(k.f.Fields) {
				if v := k.f.Fields[i+own].Value(); strings.TrimSpace(v) != "" {
					parts = append(parts, fd.Name+": "+literalOf(named, fd.Type, v))
				}
			}
		}
		if len(parts) > 0 {
			line += " {" + strings.Join(parts, ", ") + "}"
		}
		return line
	}
	k.made = func() {
		m.lastType = kind.Value()
		m.goToActors(strings.TrimPrefix(name.Value(), "@"))
		m.say(sayGood, "@"+strings.TrimPrefix(name.Value(), "@")+" is ready"+m.keyHint("; %s calls it", "call"))
	}
	k.facts = func() string { return strings.Join(endpointNames(&types[kind.At]), ", ") }
	k.f.Doc = func() string { doc, _, _ := strings.Cut(types[kind.At].Doc, "\n"); return doc }
	k.f.Block = func() string {
		if p, ok := m.world.ProcMesh(on.Value()); !ok || p.Gone {
			return "procs " + on.Value() + " have ended"
		}
		return m.blocked()
	}
	k.f.At = 2
	k.f.Check()
	m.push(k.f)
	return nil
}

// deadOf are the ranks among some of a proc mesh whose processes have ended, or are about to.
func (m *Model) deadOf(pm *control.ProcMesh, of shape.Region) (dead []int) {
	for r := range of.Ranks() {
		p, ok := m.world.Proc(pm.FirstProc + uint64(r))
		if !ok {
			continue
		}
		if word := world.ProcWord(p); word == "failed" || word == "gone" || p.State == "stopping" {
			dead = append(dead, r)
		}
	}
	slices.Sort(dead)
	return dead
}

// endpointNames are the endpoints of a type, as they are called.
func endpointNames(t *control.Type) []string {
	names := make([]string, len(t.Endpoints))
	for i, e := range t.Endpoints {
		names[i] = e.Name
	}
	return names
}

// snake is a type's name as a mesh would be called: PingPongActor is ping_pong_actor.
func snake(s string) string {
	s = s[strings.LastIndexByte(s, '.')+1:]
	var b strings.Builder
	prev := rune(0)
	for _, r := range s {
		if unicode.IsUpper(r) && prev != 0 && !unicode.IsUpper(prev) && prev != '_' {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
		prev = r
	}
	return b.String()
}
