package tui

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/breaks"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// The fields of the form of a breakpoint, in their order.
const (
	bpWhere = iota
	bpRanks
	bpWhen
	bpIf
	bpHit
	bpCount
	bpThen
	bpPrint
	bpOnce
	bpScope
)

// breakForm is the form of a breakpoint. What the session says of it is shown where it is meant, until that is changed.
type breakForm struct {
	m      *Model
	f      *dialog.Form
	id     uint64 // 0: a new one
	off    bool
	limits control.Breakpoint // Limit and Rate of the one that is edited
	sent   *entry
	told   *entry    // whose refusal the form has gone to
	mended [2]string // the condition and the template that were refused
}

// openBreak opens the form for a breakpoint on what the cursor is on.
func (m *Model) openBreak() tea.Cmd {
	b := m.breakHere()
	m.openBreakForm(&b)
	return nil
}

// breakHere is the breakpoint that what the cursor is on suggests: on a message its endpoint and its ranks, else the mesh,
// what is selected of it, and the endpoint that runs there or was called last.
func (m *Model) breakHere() control.Breakpoint {
	if v, ok := m.focused().(messagesTab); ok {
		if sel, ok := v.Selected(); ok && sel.Mesh != "" && sel.Endpoint != "" {
			return control.Breakpoint{Mesh: sel.Mesh, Endpoint: sel.Endpoint, Ranks: m.breakRanks(sel.Mesh, sel.Ranks)}
		}
	}
	if m.focus == Inspect {
		if id, ep := m.panes.inspect.Endpoint(); ep != "" {
			if x, ok := m.world.MeshByID(id); ok {
				return control.Breakpoint{Mesh: x.Ref.Name, Endpoint: ep}
			}
		}
	}
	t := m.stoppedTarget()
	b := control.Breakpoint{Mesh: t.mesh, Ranks: m.breakRanks(t.mesh, t.ranks)}
	x, ok := m.world.Mesh(t.mesh)
	if !ok {
		return b
	}
	for _, rank := range t.ranks {
		if rank < len(x.Ranks) && len(x.Ranks[rank].Running) > 0 {
			b.Endpoint = x.Ranks[rank].Running[0]
			return b
		}
	}
	b.Endpoint = m.lastEndpoint[x.Ref.Type]
	if typ, ok := m.world.Type(x.Ref.Type); ok && b.Endpoint == "" && len(typ.Endpoints) > 0 {
		b.Endpoint = typ.Endpoints[0].Name
	}
	return b
}

// breakRanks is a selection of ranks as a breakpoint has it, "" for all.
func (m *Model) breakRanks(mesh string, ranks []int) string {
	x, ok := m.world.Mesh(mesh)
	if len(ranks) == 0 || ok && len(ranks) == len(x.Ranks) {
		return ""
	}
	_, text, _ := strings.Cut(m.world.RanksName(mesh, ranks), "[")
	return strings.TrimSuffix(text, "]")
}

// openBreakForm opens the form with a breakpoint in it; with an id it is changed.
func (m *Model) openBreakForm(b *control.Breakpoint) {
	k := &breakForm{m: m, id: b.ID, off: b.Off, limits: *b}
	choice := func(label string, words []string, at string) *dialog.Field {
		return dialog.ChoiceField(label, words, max(0, slices.Index(words, at)))
	}
	where := dialog.TextField("where", breaks.Where(b), dialog.Example("ponger.Pong, *.Init"))
	where.Judge = k.judgeWhere
	ranks := dialog.TextField("ranks", b.Ranks, dialog.Unset("all"))
	ranks.Judge = k.judgeRanks
	when := choice("when", control.Sites(), cmp.Or(b.Site, control.SiteRecv))
	when.Judge = func(string) (string, string, int) {
		now := k.breakpoint()
		return breaks.When(&now), "", 0
	}
	cond := dialog.TextField("if", b.If, dialog.Example("n > 2, state.loss == 0.5, hits > 10"))
	cond.Judge = func(text string) (string, string, int) { return k.judgeSent(0, "if: ", text) }
	hit := dialog.TextField("hit", b.Hit, dialog.Unset("each")+", "+dialog.Example(">5, %10"))
	count := choice("count by", []string{"rank", "all ranks"}, map[bool]string{true: "all ranks"}[b.Total])
	then := choice("then", []string{control.ThenPause, control.ThenPrint, control.ThenCount}, b.Then)
	tmpl := dialog.TextField("print", b.Print, dialog.Example("loss is {state.loss}"))
	tmpl.Judge = func(text string) (string, string, int) {
		switch {
		case then.Value() == control.ThenPrint && strings.TrimSpace(text) == "":
			return "", "want the line to print", 1
		case then.Value() != control.ThenPrint && text != "":
			return "only used when it prints", "", 0
		}
		return k.judgeSent(1, "print: ", text)
	}
	once := choice("once", []string{"no", "yes"}, map[bool]string{true: "yes"}[b.Once])
	scope := choice("stops", []string{control.ScopeActor, control.ScopeRank, control.ScopeMesh}, b.Scope)
	scope.Judge = func(v string) (string, string, int) {
		return map[string]string{control.ScopeRank: "the process: all its actors", control.ScopeMesh: "all ranks of the mesh"}[v], "", 0
	}
	title := "New breakpoint"
	if k.id > 0 {
		title = "Breakpoint " + strconv.FormatUint(k.id, 10)
	}
	k.f = &dialog.Form{
		Title: func() string { return title }, Enter: map[bool]string{true: "change it", false: "set it"}[k.id > 0],
		Fields: []*dialog.Field{where, ranks, when, cond, hit, count, then, tmpl, once, scope}, At: bpIf,
		Block: m.blocked, Below: k.below, Result: k.result, Submit: k.send, Live: func() bool { return k.sent != nil && !k.sent.done },
		Again: func() tea.Cmd {
			switch e := k.sent; {
			case e == nil || !e.done:
			case e.ok:
				m.drop(k.f)
			case k.told != e:
				k.told = e
				for at, head := range map[int]string{bpIf: "if: ", bpPrint: "print: "} {
					if strings.Contains(e.err, head) {
						k.f.At = at
					}
				}
			}
			return nil
		},
	}
	if b.Mesh == "" {
		k.f.At = bpWhere
	}
	k.f.Check()
	m.push(k.f)
}

func (k *breakForm) value(at int) string { return strings.TrimSpace(k.f.Fields[at].Value()) }

// breakpoint is what stands in the form.
func (k *breakForm) breakpoint() control.Breakpoint {
	if k.f == nil {
		return control.Breakpoint{}
	}
	b := control.Breakpoint{
		ID: k.id, Off: k.off, Limit: k.limits.Limit, Rate: k.limits.Rate,
		Ranks: k.value(bpRanks), Site: k.value(bpWhen), If: k.value(bpIf), Hit: k.value(bpHit), Total: k.f.Fields[bpCount].At == 1,
		Once: k.f.Fields[bpOnce].At == 1, Then: k.value(bpThen), Scope: k.value(bpScope),
	}
	b.Mesh, b.Endpoint = splitWhere(k.value(bpWhere))
	if b.Then == control.ThenPrint {
		b.Print = k.value(bpPrint)
	}
	return b
}

// splitWhere reads mesh.Endpoint; * alone is all of them, which a breakpoint says by nothing.
func splitWhere(text string) (mesh, endpoint string) {
	mesh, endpoint, _ = strings.Cut(strings.TrimPrefix(text, "@"), ".")
	all := func(s string) string {
		if s == "*" {
			return ""
		}
		return s
	}
	return all(strings.TrimSpace(mesh)), all(strings.TrimSpace(endpoint))
}

// judgeWhere tells what is there of that name; what is not there yet may come.
func (k *breakForm) judgeWhere(text string) (note, err string, column int) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", "want mesh.Endpoint; * stands for any of them", 1
	}
	if i := strings.IndexAny(text, " \t["); i >= 0 {
		return "", "want mesh.Endpoint; ranks have a field of their own", i + 1
	}
	mesh, endpoint := splitWhere(text)
	x, ok := k.m.world.Mesh(mesh)
	switch {
	case mesh == "" || strings.ContainsAny(mesh, "*?"):
		return "every mesh that fits", "", 0
	case !ok || x.Gone:
		return "not there yet: it binds when it comes", "", 0
	}
	typ, ok := k.m.world.Type(x.Ref.Type)
	if ok && endpoint != "" && !strings.ContainsAny(endpoint, "*?") && !slices.Contains(endpointNames(typ), endpoint) {
		return "", "a " + typ.Name + " has " + strings.Join(endpointNames(typ), ", "), strings.IndexByte(text, '.') + 2
	}
	return "", "", 0
}

// judgeRanks tells how many ranks are meant.
func (k *breakForm) judgeRanks(text string) (note, err string, column int) {
	if strings.TrimSpace(text) == "" {
		return "", "", 0
	}
	mesh, _ := splitWhere(k.value(bpWhere))
	x, ok := k.m.world.Mesh(mesh)
	if !ok || x.Gone {
		if _, e := shape.Parse(text); e != nil {
			err, column = columnOf(e)
		}
		return "", err, column
	}
	parts, e := resolve(text, x.Ref)
	if e != nil {
		err, column = columnOf(e)
		return "", err, column
	}
	n := 0
	for _, p := range parts {
		n += p.Len()
	}
	return paint.Exact(n) + " of " + paint.Exact(len(x.Ranks)), "", 0
}

// judgeSent is what the session said of a text, as long as it stands there: only the session knows the language of
// conditions, and the types.
func (k *breakForm) judgeSent(which int, head, text string) (note, err string, column int) {
	if k.sent == nil || !k.sent.done || k.sent.ok || k.mended[which] != strings.TrimSpace(text) {
		return "", "", 0
	}
	at := strings.Index(k.sent.err, head)
	if at < 0 {
		return "", "", 0
	}
	msg, rest, _ := strings.Cut(k.sent.err[at+len(head):], "\n")
	lines := strings.Split(rest, "\n")
	if len(lines) > 1 && strings.TrimSpace(lines[1]) == "^" && len(lines[0]) > 2 {
		column = len([]rune(lines[1])) - 2
	}
	return "", paint.OneLine(msg), column
}

func (k *breakForm) below(w int) [][]paint.Seg {
	b := k.breakpoint()
	return [][]paint.Seg{k.f.Labelled("command", paint.Text, breaks.Line(&b), w)}
}

// result is why the session did not take it, with the place where it told one.
func (k *breakForm) result(w int) (out [][]paint.Seg) {
	if k.sent == nil || !k.sent.done || k.sent.ok {
		return nil
	}
	b := k.breakpoint()
	if k.sent.line != breaks.Line(&b) {
		return nil // something else stands there now
	}
	told := paint.Width(k.f.Fields[k.f.At].Err()) > w/2 // the form tells it whole
	for i, l := range strings.Split(strings.TrimRight(k.sent.err, "\n"), "\n") {
		switch {
		case i == 4:
			return out
		case i == 0 && told:
			continue
		}
		sign := map[bool]string{true: "✕ ", false: "  "}[i == 0]
		out = append(out, []paint.Seg{{Style: paint.Style{Fg: paint.Failed}, Text: paint.Fit(sign+l, w-2)}})
	}
	return out
}

func (k *breakForm) send() tea.Cmd {
	m := k.m
	if k.f.Live() {
		return nil
	}
	b := k.breakpoint()
	k.mended = [2]string{b.If, b.Print}
	cmd := m.setBreak(&b)
	k.sent = m.shownEntry
	return cmd
}

// setBreak sets a breakpoint, or changes the one with its id, and goes to it. The language has no word that changes all of
// one, and none for meshes by a pattern: those are asked of the session as they are.
func (m *Model) setBreak(b *control.Breakpoint) tea.Cmd {
	set, line := *b, breaks.Line(b)
	m.panes.breaks.GoNext()
	if _, errs := script.ParseLine(line); b.ID == 0 && !b.Off && len(errs) == 0 {
		m.showBreaks()
		return m.command(line)
	}
	return m.debugDo(line, func(ctx context.Context, c *control.Client) (string, error) {
		got, err := c.Breaks(ctx, control.BreaksReq{Set: &set})
		if err != nil || len(got) == 0 {
			return "", err
		}
		text := "breakpoint " + strconv.FormatUint(got[0].ID, 10)
		switch {
		case got[0].State == control.BreakWaiting:
			text += " waits: " + got[0].Why
		case got[0].Bound > 0:
			text += " is bound to " + paint.Plural(got[0].Bound, "actor")
		}
		return text, nil
	}, (*Model).showBreaks)
}
