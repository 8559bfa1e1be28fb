package messages

import (
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// group is what parties of one mesh have in common: the mesh, or the client itself.
func group(party string) string {
	if open := strings.LastIndexByte(party, '['); open > 0 {
		return party[:open]
	}
	return party
}

// endpoint finds what was called: the endpoint as its type describes it.
func endpoint(w *world.World, to, name string) *control.Endpoint {
	mesh, _, ok := world.SplitName(to)
	if !ok {
		return nil
	}
	m, ok := w.Mesh(mesh)
	if !ok {
		return nil
	}
	t, ok := w.Type(m.Ref.Type)
	if !ok {
		return nil
	}
	for i := range t.Endpoints {
		if t.Endpoints[i].Name == name {
			return &t.Endpoints[i]
		}
	}
	return nil
}

// Call is the call that a message makes, with its argument: Pong(n=3). The result of an answer is not in it.
func Call(w *world.World, m *control.Message) string {
	if m.IsAnswer() {
		return m.Endpoint
	}
	return m.Endpoint + "(" + argument(w, m, true) + ")"
}

// argument is a call's argument as text; a lone value has the name of its parameter.
func argument(w *world.World, m *control.Message, named bool) string {
	ep := endpoint(w, m.To, m.Endpoint)
	var arg *schema.Schema
	if ep != nil {
		arg = ep.Arg
	}
	text := Preview(w.Named, arg, m.Body, m.Cut)
	if arg != nil && w.Named.Deref(arg).Kind == schema.KindStruct {
		return strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}")
	}
	if named && ep != nil && ep.Param != "" && text != "" {
		return ep.Param + "=" + text
	}
	return text
}

// Cancelled reports whether a message says that its caller has given the call up, which is no error.
func Cancelled(m *control.Message) bool {
	return m.Kind == control.MessageError && m.Outcome == control.OutcomeCancelled
}

// gaveUp is the sign and the word of a call that was cancelled, as of a command that was.
const gaveUp = "○ cancelled"

// AnswerRole is the colour of what came back.
func AnswerRole(m *control.Message) paint.Role {
	switch {
	case Cancelled(m):
		return paint.Gone
	case m.Kind == control.MessageError:
		return paint.Failed
	}
	return paint.Text
}

// Answer is what came back: ↩ 4, ✕ and the error, or ○ where it was cancelled.
func Answer(w *world.World, m *control.Message) string {
	if Cancelled(m) {
		return gaveUp
	}
	if m.Kind == control.MessageError {
		return "✕ " + errorText(m)
	}
	text := result(w, m)
	if text == "" {
		return "↩"
	}
	return "↩ " + text
}

func result(w *world.World, m *control.Message) string {
	var res *schema.Schema
	if ep := endpoint(w, m.From, m.Endpoint); ep != nil {
		res = ep.Result
	}
	return Preview(w.Named, res, m.Body, m.Cut)
}

func errorText(m *control.Message) string {
	if m.Error != "" {
		return world.Why(m.Error)
	}
	if m.Outcome != "" {
		return string(m.Outcome)
	}
	return "failed"
}
