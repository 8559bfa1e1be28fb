package tui

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// composer is the form in which a call is put together.
type composer struct {
	m     *Model
	f     *dialog.Form
	mesh  uint64 // id: another mesh of the same name is another mesh
	name  string
	typ   control.Type
	named schema.Types
	ep    control.Endpoint
	raw   bool
	was   unfolded // before it became one literal
	past  int      // how far up the earlier calls; 0: what was typed
	typed draft    // before the earlier calls were looked through
	sent  *entry
	asked int // how many ranks
	on    []shape.Region
	ranks int      // in them
	gone  string   // why it cannot be sent
	means meaning  // of what stands in the field of the ranks
	over  endCount // of the ranks
}

// The fields that every composer has, in their order; those of the argument come between ranks and timeout.
const (
	atEndpoint = iota
	atAdverb
	atRanks
	atArgs
)

// newComposer is the form for a call on ranks of a mesh, "" for all.
func newComposer(m *Model, mesh *control.Mesh, t *control.Type, sel string) *composer {
	c := &composer{m: m, mesh: mesh.Ref.ID, name: mesh.Ref.Name, typ: *t, named: m.world.Named}
	names := endpointNames(t)
	at := max(0, slices.Index(names, m.lastEndpoint[mesh.Ref.Type]))
	c.f = &dialog.Form{
		Title: c.title, Enter: "send", Changed: c.changed, Block: func() string { return c.gone }, Submit: c.send, Doc: c.doc, Below: c.below, Result: c.result,
		Fields: []*dialog.Field{dialog.ChoiceField("endpoint", names, at), dialog.ChoiceField("verb", script.CallVerbs(), 0), dialog.TextField("ranks", sel, dialog.Unset("all"))},
		Closed: c.keep,
		Live:   func() bool { return c.sent != nil && !c.sent.done },
	}
	c.f.Keys = []dialog.Key{
		{Key: "up", Hint: "earlier call", Do: func() tea.Cmd { c.recall(1); return nil }},
		{Key: "down", Hint: "", Do: func() tea.Cmd { c.recall(-1); return nil }},
		{Key: "ctrl+y", Hint: "", Do: func() tea.Cmd { c.past = 0; c.recall(1); return nil }},
		{Key: "ctrl+e", Hint: "literal", Do: func() tea.Cmd { c.toggleRaw(); return nil }},
		{Key: "ctrl+g", Hint: "grid", Do: c.toGrid},
		{Key: "ctrl+o", Hint: "answers", Do: func() tea.Cmd {
			if c.sent == nil {
				m.say(sayWarn, "nothing has been sent from here yet")
				return nil
			}
			m.openEntry(c.sent)
			return nil
		}},
		{Key: "ctrl+r", Hint: "search", Do: func() tea.Cmd { c.history(); return nil }},
		{Key: "ctrl+x", Hint: "cancel", Live: true, Do: func() tea.Cmd { return m.cancelEntry(c.sent) }},
	}
	c.endpoint()
	c.f.Check()
	c.f.At = atArgs
	if c.ep.Arg == nil {
		c.f.At = atEndpoint
	}
	return c
}

func (c *composer) title() string {
	return fmt.Sprintf("Call %s.%s on %s", c.name, c.ep.Name, paint.Plural(c.ranks, "rank"))
}

// endpoint builds the fields of the endpoint that is chosen, with its draft.
func (c *composer) endpoint() {
	c.ep = c.typ.Endpoints[c.f.Fields[atEndpoint].At]
	c.m.lastEndpoint[c.typ.Full] = c.ep.Name
	d, kept := c.m.drafts[c.name+"."+c.ep.Name]
	c.raw = kept && d.raw
	c.argFields(d.args)
	if kept {
		c.timeout().Set(d.timeout)
		c.f.Fields[atAdverb].At = max(0, slices.Index(script.CallVerbs(), d.adverb))
	}
	c.f.Fields[atEndpoint].Type = schema.Signature(c.ep.Name, c.ep.Param, c.ep.Arg, c.ep.Result)[len(c.ep.Name):]
}

// argFields makes the fields of the argument, and the one of the time-out.
func (c *composer) argFields(values []string) {
	within, limit := "", ""
	if c.m.conn != nil {
		limit = c.m.conn.limit.String()
	}
	if len(c.f.Fields) > atArgs {
		within = c.timeout().Value()
	}
	c.f.Fields = c.f.Fields[:atArgs:atArgs]
	named := c.named
	value := func(i int) string {
		if i < len(values) {
			return values[i]
		}
		return ""
	}
	add := func(label string, s *schema.Schema, required bool) {
		f := dialog.TextField(label, value(len(c.f.Fields)-atArgs), "")
		f.Type = s.TypeName()
		switch f.Hint = dialog.Example(exampleOf(named, s)); {
		case !required:
			f.Hint = dialog.Unset("its zero value · " + f.Hint)
		case isString(named, s):
			f.Hint = dialog.Unset(`"" · ` + f.Hint)
		}
		f.Judge = func(text string) (string, string, int) {
			if strings.TrimSpace(text) == "" && !required {
				return "", "", 0
			}
			if strings.TrimSpace(text) == "" && !isString(named, s) {
				return "", "want " + s.TypeName() + ", such as " + exampleOf(named, s), 0
			}
			_, err := schema.ParseArg(label, named, s, literalOf(named, s, text), c.refs())
			if err != nil {
				msg, col := literalMistake(err)
				if isString(named, s) { // the quotes are ours
					col = 0
				}
				return "", msg, col
			}
			return "✓", "", 0
		}
		c.f.Fields = append(c.f.Fields, f)
	}
	switch st := named.Deref(c.ep.Arg); {
	case c.ep.Arg == nil:
	case inFields(&st) && !c.raw:
		for _, fd := range st.Fields {
			add(fd.Name, fd.Type, fd.Required)
		}
	default:
		label := c.ep.Param
		if label == "" {
			label = "value"
		}
		add(label, c.ep.Arg, true)
		if c.raw {
			c.f.Fields[atArgs].Judge = func(text string) (string, string, int) {
				if _, err := schema.ParseArg(label, named, c.ep.Arg, text, c.refs()); err != nil {
					msg, col := literalMistake(err)
					return "", msg, col
				}
				return "✓", "", 0
			}
		}
	}
	timeout := dialog.TextField("timeout", within, dialog.Unset(limit))
	timeout.Judge = func(text string) (string, string, int) {
		if text == "" {
			return "", "", 0
		}
		if d, err := time.ParseDuration(text); err != nil || d <= 0 {
			return "", "want a time such as 500ms, 30s or 10m", 1
		}
		return "", "", 0
	}
	c.f.Fields = append(c.f.Fields, timeout)
	c.f.At = min(c.f.At, len(c.f.Fields)-1)
}

func literalMistake(err error) (string, int) {
	if e, ok := errors.AsType[*schema.LiteralError](err); ok {
		return e.Msg, e.Column
	}
	return err.Error(), 0
}

func isString(named schema.Types, s *schema.Schema) bool {
	return named.Deref(s).Kind == schema.KindString
}

var plainText = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 _.,!?:/-]*$`)

// literalOf is what was typed into a field as the language writes it: text needs no quotes in a field of its own.
func literalOf(named schema.Types, s *schema.Schema, text string) string {
	if !isString(named, s) {
		return text
	}
	if t := strings.TrimSpace(text); len(t) > 1 && t[0] == '"' && t[len(t)-1] == '"' {
		return t
	}
	return strconv.Quote(text)
}

// exampleOf shows what a value of a type looks like.
func exampleOf(named schema.Types, s *schema.Schema) string {
	switch d := named.Deref(s); d.Kind {
	case schema.KindString:
		return "text"
	case schema.KindInt, schema.KindUint:
		return "0"
	case schema.KindFloat:
		return "0.5"
	case schema.KindBool:
		return "true"
	case schema.KindDuration:
		return "1.5s"
	case schema.KindTime:
		return "2026-01-31T12:00:00Z"
	case schema.KindBytes:
		return "h'00ff'"
	case schema.KindList:
		return "[" + exampleOf(named, d.Elem) + ", …]"
	case schema.KindMap:
		return "{key: " + exampleOf(named, d.Elem) + "}"
	case schema.KindMesh:
		return "@mesh"
	case schema.KindAny: // the quotes teach: bare words are no values here
		return `"text"`
	case schema.KindStruct:
		return schema.Fields(named, s)
	}
	return "…" // a port: no literal is one
}

// refs finds the meshes that a literal names.
func (c *composer) refs() schema.Refs {
	if c.m.conn == nil {
		return nil
	}
	return c.m.conn.base
}

// changed is told that a field has changed.
func (c *composer) changed(f *dialog.Form) {
	if c.typ.Endpoints[f.Fields[atEndpoint].At].Name != c.ep.Name {
		c.keep()
		c.endpoint()
	}
	c.judgeRanks()
	c.look()
}

// timeout is the field of the time-out, the last.
func (c *composer) timeout() *dialog.Field { return c.f.Fields[len(c.f.Fields)-1] }

// within is the time-out, 0 without one.
func (c *composer) within() time.Duration {
	d, _ := time.ParseDuration(c.timeout().Value()) // judged where it is typed
	return d
}

// look finds out whether the call could be sent at all.
func (c *composer) look() {
	mesh, ok := c.m.world.MeshByID(c.mesh)
	c.gone = ""
	switch {
	case c.m.blocked() != "":
		c.gone = c.m.blocked()
	case !ok || mesh.Gone:
		c.gone = "@" + c.name + " has ended; the draft is kept"
		if ok && mesh.Reason != "" {
			c.gone = "@" + c.name + " has ended (" + world.Why(mesh.Reason) + "); the draft is kept"
		}
	default:
		if n, why := c.ended(mesh); n > 0 && n == c.ranks {
			c.gone = fmt.Sprintf("none of %s lives (%s); the draft is kept", paint.Plural(n, "rank"), why)
		}
	}
}

// judgeRanks resolves the ranks and says which adverbs can be used on them.
func (c *composer) judgeRanks() {
	f := c.f.Fields[atRanks]
	mesh, ok := c.m.world.MeshByID(c.mesh)
	if !ok {
		return
	}
	view := mesh.Ref.View
	f.Judge = func(text string) (string, string, int) {
		if err := c.resolve(text, mesh.Ref); err != nil {
			msg, col := columnOf(err)
			return "", msg, col
		}
		note := paint.Of(c.ranks, view.Len())
		if len(c.on) > 1 {
			note += fmt.Sprintf(" · %d slices", len(c.on))
		}
		if n, _ := c.ended(mesh); n > 0 {
			note += fmt.Sprintf(" · %d ended", n)
		}
		return note, "", 0
	}
	f.Check()
	verbs := script.CallVerbs()
	why := make([]string, len(verbs))
	if c.ranks != 1 {
		why[slices.Index(verbs, "one")] = fmt.Sprintf("one needs exactly 1 rank, and %d are selected", c.ranks)
	}
	if len(c.on) > 1 {
		why[slices.Index(verbs, "choose")] = "choose needs one regular slice, and this is several"
	}
	c.f.Fields[atAdverb].WhyNot = why
}

// While a composer is open its ranks are judged with every update, 30 times a second, and there may be 65,536 of them. So
// what they are is found anew only when the text changes, and how many of them have ended only when one has.

// meaning is what a text of ranks means in a view. The zero meaning is none yet.
type meaning struct {
	known bool
	text  string
	mesh  uint64
	view  shape.Region
	err   error
}

// endCount is how many of a composer's ranks have ended.
type endCount struct {
	known   bool
	version uint64 // of World.Ended
	n       int
	first   int // the first of them, where there is one
	walks   int // how often the ranks were walked through
}

// resolve finds which ranks a text means. Where it means none they stay as they were.
func (c *composer) resolve(text string, ref control.MeshRef) error {
	if c.means.known && c.means.text == text && c.means.mesh == ref.ID && c.means.view.Equal(ref.View) {
		return c.means.err
	}
	parts, err := resolve(text, ref)
	c.means = meaning{true, text, ref.ID, ref.View, err}
	if err != nil {
		return err
	}
	c.on, c.ranks, c.over.known = parts, 0, false
	for _, p := range parts {
		c.ranks += p.Len()
	}
	return nil
}

// resolve finds the regions that a selection means; "" and "all" mean all.
func resolve(text string, ref control.MeshRef) ([]shape.Region, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "all" {
		return []shape.Region{ref.View}, nil
	}
	if inner, ok := strings.CutPrefix(text, "ranks("); ok {
		sel, err := shape.ParseRanks(strings.TrimSuffix(inner, ")"))
		if e, ok := errors.AsType[*shape.ParseError](err); ok { // its place is in what stands in the parentheses
			e.Offset += len("ranks(")
		}
		if err != nil {
			return nil, err
		}
		return ref.Resolve(sel)
	}
	sel, err := shape.Parse(text)
	if err != nil {
		return nil, err
	}
	return ref.Resolve(sel)
}

// ended is how many of the ranks have ended or failed, and why the first of them did.
func (c *composer) ended(mesh *control.Mesh) (n int, why string) {
	w := c.m.world
	if _, version := w.Ended(mesh); !c.over.known || c.over.version != version {
		c.over.known, c.over.version = true, version
		c.countEnded(mesh)
	}
	if c.over.n == 0 {
		return 0, ""
	}
	proc, _ := w.ProcOf(mesh, c.over.first)
	return c.over.n, cmp.Or(world.RankWhy(&mesh.Ranks[c.over.first], proc), "ended")
}

func (c *composer) countEnded(mesh *control.Mesh) {
	c.over.walks++
	c.over.n = 0
	for _, part := range c.on {
		if part.Len() > len(mesh.Ranks) { // a session may say anything
			continue
		}
		for r := range part.Ranks() {
			if r >= len(mesh.Ranks) || !c.m.world.HasEnded(mesh, r) {
				continue
			}
			if c.over.n++; c.over.n == 1 {
				c.over.first = r
			}
		}
	}
}

// columnOf is the text of an error, and the column that it names.
func columnOf(err error) (string, int) {
	if e, ok := errors.AsType[*shape.ParseError](err); ok {
		return e.Msg, e.Offset + 1
	}
	return filterMistake(err)
}

// args are the texts of the argument's fields.
func (c *composer) args() []*dialog.Field { return c.f.Fields[atArgs : len(c.f.Fields)-1] }

// literal is the argument as the language writes it.
func (c *composer) literal() string {
	args := c.args()
	st := c.named.Deref(c.ep.Arg)
	switch {
	case c.ep.Arg == nil:
		return ""
	case c.raw:
		return strings.TrimSpace(args[0].Value())
	case inFields(&st):
		return c.fold(st.Fields, c.texts())
	}
	text := args[0].Value()
	if isString(c.named, c.ep.Arg) && plainText.MatchString(text) && text == strings.TrimSpace(text) && !script.EndsInSuffix(text) {
		return text
	}
	return literalOf(c.named, c.ep.Arg, text)
}

// line is the call as a command.
func (c *composer) line() string {
	line := c.f.Fields[atAdverb].Value() + " @" + c.name + selector(c.f.Fields[atRanks].Value()) + "." + c.ep.Name
	if l := c.literal(); l != "" {
		line += " " + l
	}
	if d := c.within(); d > 0 {
		line += " timeout " + d.String()
	}
	return line
}

// selector is what was typed into a field of ranks as the language writes it behind a name; "" is all.
func selector(ranks string) string {
	ranks = strings.TrimSpace(ranks)
	if inner, ok := strings.CutPrefix(ranks, "ranks("); ok {
		ranks = strings.TrimSpace(strings.TrimSuffix(inner, ")"))
	}
	if ranks == "" || ranks == "all" {
		return ""
	}
	return "[" + strings.ReplaceAll(ranks, ", ", ",") + "]"
}

// send sends the call; the form stays, with the answers.
func (c *composer) send() tea.Cmd {
	c.keep()
	line := c.line()
	m := c.m
	m.remember(line)
	cmd := m.command(line)
	c.sent, c.asked = m.shownEntry, c.ranks
	return cmd
}
