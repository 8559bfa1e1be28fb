package tui

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
)

// draft is what was typed into a composer, kept when it is closed.
type draft struct {
	adverb, timeout string
	args            []string
	raw             bool
}

// unfolded is the fields of an argument that has become one literal.
type unfolded struct {
	literal string
	fields  []string
}

// keep remembers what was typed.
func (c *composer) keep() {
	c.m.drafts[c.name+"."+c.ep.Name] = draft{adverb: c.f.Fields[atAdverb].Value(), timeout: c.timeout().Value(), args: c.texts(), raw: c.raw}
}

func (c *composer) texts() []string {
	out := make([]string, 0, len(c.args()))
	for _, a := range c.args() {
		out = append(out, a.Value())
	}
	return out
}

// toggleRaw changes between a field for each part of the argument and one literal for all of it. Nothing is lost on the
// way, also back.
func (c *composer) toggleRaw() {
	switch {
	case c.ep.Arg == nil:
		c.m.say(sayWarn, c.ep.Name+" takes no argument")
		return
	case !c.raw:
		c.was = unfolded{c.literal(), c.texts()}
		c.raw = true
		c.argFields([]string{c.was.literal})
	default:
		fields, err := c.unfold(c.args()[0].Value())
		if err != nil {
			c.m.say(sayWarn, "first the literal: "+err.Error())
			return
		}
		c.raw = false
		c.argFields(fields)
	}
	c.f.At = min(atArgs, len(c.f.Fields)-1)
	c.f.Check()
}

// unfold finds the texts of the fields of a literal.
func (c *composer) unfold(text string) ([]string, error) {
	if text == c.was.literal {
		return c.was.fields, nil
	}
	st := c.named.Deref(c.ep.Arg)
	if !inFields(&st) {
		return []string{fieldText(isString(c.named, c.ep.Arg), text)}, nil
	}
	out := make([]string, len(st.Fields))
	if strings.TrimSpace(text) == "" {
		return out, nil
	}
	body, err := schema.ParseArg(c.ep.Param, c.named, c.ep.Arg, text, c.refs())
	if err != nil {
		msg, _ := literalMistake(err)
		return nil, errors.New(msg)
	}
	if st.Tuple { // one after the other, or by name
		text = schema.Literal(c.named, c.ep.Arg, body)
	}
	for _, part := range splitLiteral(text) {
		name, value, ok := strings.Cut(part, ":")
		name = strings.Trim(strings.TrimSpace(name), `"`)
		i := slices.IndexFunc(st.Fields, func(f schema.Field) bool { return f.Name == name })
		if i < 0 {
			i = slices.IndexFunc(st.Fields, func(f schema.Field) bool { return strings.EqualFold(f.Name, name) })
		}
		if !ok || i < 0 {
			return nil, errNoFields
		}
		out[i] = fieldText(isString(c.named, st.Fields[i].Type), strings.TrimSpace(value))
	}
	if again, err := schema.ParseArg(c.ep.Param, c.named, c.ep.Arg, c.fold(st.Fields, out), c.refs()); err != nil || !bytes.Equal(again, body) {
		return nil, errNoFields // rather than fields that mean something else
	}
	return out, nil
}

var errNoFields = errors.New("want {field: value, …} to make fields of it")

// inFields reports whether a form has a field for each part of an argument.
func inFields(s *schema.Schema) bool {
	return s.Kind == schema.KindStruct && (!s.Array || s.Tuple)
}

// fold is the literal of a struct whose fields are these texts; an empty one is left out, unless it is a text that has to be
// given.
func (c *composer) fold(fields []schema.Field, texts []string) string {
	parts := make([]string, 0, len(texts))
	for i, text := range texts {
		if strings.TrimSpace(text) != "" || fields[i].Required && isString(c.named, fields[i].Type) {
			parts = append(parts, fields[i].Name+": "+literalOf(c.named, fields[i].Type, text))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// fieldText is a value as it is typed into a field of its own, where text needs no quotes.
func fieldText(text bool, value string) string {
	if !text {
		return value
	}
	if s, err := strconv.Unquote(value); err == nil && plainText.MatchString(s) && s == strings.TrimSpace(s) {
		return s
	}
	return value
}

// splitLiteral is the parts of a struct's literal that has been found good: what stands between its own commas.
func splitLiteral(text string) (parts []string) {
	text = strings.TrimSpace(text)
	text = strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}")
	depth, from, quote, before := 0, 0, byte(0), byte(':')
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == '\\' && quote == '"' {
				i++
			} else if c == quote {
				quote = 0
			}
		case strings.IndexByte("\"`'", c) >= 0 && strings.IndexByte(":,[{(h", before) >= 0: // else it is an apostrophe
			quote = c
		case strings.IndexByte("{[(", c) >= 0:
			depth++
		case strings.IndexByte("}])", c) >= 0:
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, text[from:i])
			from = i + 1
		}
		if i < len(text) && text[i] != ' ' {
			before = text[i]
		}
	}
	if strings.TrimSpace(text[from:]) != "" {
		parts = append(parts, text[from:])
	}
	return parts
}

// toGrid goes to the grid, with the ranks that the form has: x comes back with those that are picked there.
func (c *composer) toGrid() tea.Cmd {
	m := c.m
	c.keep()
	m.drop(c.f)
	if mesh, ok := m.world.MeshByID(c.mesh); ok && !mesh.Gone {
		m.panes.showMesh(m.world, c.name)
		if ranks := c.f.Fields[atRanks]; ranks.Err() == "" && selector(ranks.Value()) != "" {
			_ = m.panes.grid.SetSelection(strings.Trim(selector(ranks.Value()), "[]")) // it was judged there
		}
	}
	m.setFocus(Ranks)
	return m.cursorMoved()
}

// earlierCall is a call as it was sent, its argument and its time-out, "" for none.
type earlierCall struct{ line, arg, timeout string }

// earlier are the calls of this endpoint that were sent before, the newest first.
func (c *composer) earlier() (out []earlierCall) {
	for _, line := range slices.Backward(c.m.history) {
		if call, ok := parseCall(line, c.ep.Name); ok {
			out = append(out, call)
		}
	}
	return out
}

// parseCall takes a line apart that calls an endpoint; ok is false for every other line, and for one whose argument is
// known only when it runs.
func parseCall(line, endpoint string) (call earlierCall, ok bool) {
	if !strings.Contains(line, "."+endpoint) || strings.Contains(line, "${") { // most lines need no parsing
		return call, false
	}
	sc, errs := script.ParseLine(line)
	if len(errs) > 0 || len(sc.Stmts) != 1 {
		return call, false
	}
	a, ok := argsOf(sc.Stmts[0]).(script.CallArgs)
	if !ok || a.Target.Endpoint != endpoint {
		return call, false
	}
	call = earlierCall{line: line, arg: strings.TrimSpace(a.Literal.Text)}
	if d := sc.Stmts[0].Timeout; d > 0 {
		call.timeout = d.String()
	}
	return call, true
}

// fill puts an earlier call into the fields; an argument that cannot be taken apart stays one literal.
func (c *composer) fill(call earlierCall) {
	c.was = unfolded{}
	fields, err := c.unfold(call.arg)
	if c.raw = err != nil && c.ep.Arg != nil; c.raw {
		fields = []string{call.arg}
	}
	c.argFields(fields)
	c.timeout().Set(call.timeout)
	c.f.Check()
}

// recall goes by so many calls back in time, and at last to what was typed.
func (c *composer) recall(by int) {
	list := c.earlier()
	at := c.past + by
	switch {
	case len(list) == 0:
		c.m.say(sayWarn, c.ep.Name+" has not been called yet")
		return
	case at < 0 || at > len(list):
		return
	case c.past == 0:
		c.typed = draft{args: c.texts(), raw: c.raw, timeout: c.timeout().Value()}
	}
	if c.past = at; at > 0 {
		c.fill(list[at-1])
		return
	}
	c.was, c.raw = unfolded{}, c.typed.raw
	c.argFields(c.typed.args)
	c.timeout().Set(c.typed.timeout)
	c.f.Check()
}

// history lists earlier calls of this endpoint.
func (c *composer) history() {
	var rows []dialog.Choice
	for _, call := range c.earlier() {
		rows = append(rows, dialog.Choice{Text: call.line, Do: func() tea.Cmd { c.fill(call); return nil }})
	}
	p := dialog.NewPicker("Earlier calls of "+c.ep.Name, rows)
	p.Empty = "this endpoint has not been called yet"
	c.m.push(p)
}
