package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/eval"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/engine/probe/cond"
	"github.com/monarch-tui/monarch-tui/engine/probe/walk"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// probeBody asks a process to look at something.
type probeBody struct {
	Number, Gen uint64 // of a frame, or
	Mesh        uint64 // an actor
	Name        string
	Body        []byte
}

// lookTime is how long a look waits for an actor to stand still, unless it says otherwise.
const lookTime = 2 * time.Second

// stillTime is how long a look at a frame waits for its actor's state: a frame whose actor goes on is shown without.
const stillTime = 200 * time.Millisecond

// probeHere looks at something of this process. The answer is CBOR as control has it.
func (n *node) probeHere(ctx context.Context, b probeBody) ([]byte, error) {
	if d, ok := ctx.Deadline(); ok { // the answer is to travel in time
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, d.Add(-time.Until(d)/answerShare))
		defer cancel()
	}
	var out any
	var err error
	switch b.Name {
	case control.ProbeFrame:
		out, err = probed(b.Body, func(q control.FrameQuery) (any, error) { return n.frameHere(ctx, b, q) })
	case control.ProbeEval:
		out, err = probed(b.Body, func(q control.EvalQuery) (any, error) { return n.evalHere(ctx, b, q.Expr) })
	case control.ProbeMailbox:
		out, err = probed(b.Body, func(q control.MailboxQuery) (any, error) {
			a := n.actors.get(b.Mesh)
			if a == nil {
				return nil, errors.New("the actor has ended")
			}
			return a.mailbox(q), nil
		})
	case control.ProbeStacks:
		var w bytes.Buffer
		err = pprof.Lookup("goroutine").WriteTo(&w, 0)
		out = w.Bytes()
	case control.ProbeEnv:
		out = slices.Sorted(slices.Values(os.Environ()))
	default:
		err = control.Unsupported("probe "+clip(b.Name, 40), Version, "")
	}
	if err != nil {
		return nil, err
	}
	return control.EncodeBody(out)
}

func probed[Q any](body []byte, look func(Q) (any, error)) (any, error) {
	var q Q
	if err := control.DecodeBody(body, &q); err != nil {
		return nil, fmt.Errorf("the question does not decode: %w", err)
	}
	return look(q)
}

// frame runs fn on a frame of this process that is stopped, guarded.
func (n *node) frame(number, gen uint64, fn func(act *activation, s probe.Site, stack string) error) error {
	return n.agent.Look(number, gen, func(x probe.Activation, s probe.Site, stack string) error {
		act, ours := x.(*activation)
		if !ours {
			return errors.New("it is not a frame of an actor")
		}
		return fn(act, s, stack)
	})
}

// frameHere shows a frame that is stopped.
func (n *node) frameHere(ctx context.Context, b probeBody, q control.FrameQuery) (v control.FrameView, err error) {
	query := walk.Query{Start: q.Start, Count: q.Count, Depth: q.Depth, Text: q.Text}
	root, path := cutRoot(q.Path)
	err = n.frame(b.Number, b.Gen, func(act *activation, s probe.Site, stack string) error {
		v.Stop, v.Stack, v.Bytes = act.About(s), stack, int(act.bytes)
		v.Stop.Site, v.Stop.Gen = s.String(), b.Gen
		if left, ok := act.Deadline(); ok {
			v.Budget = max(time.Until(left), 0)
		}
		for _, c := range act.waitsFor() {
			v.Chain = append(v.Chain, control.Waiting{Actor: c.Name, Msg: c.Msg})
		}
		if err := act.failure(); err != nil {
			v.Error = textOf(err)
		}
		err := guard("reading the frame", func() error {
			args := act.args()
			for i, name := range act.names() {
				if i < len(args) && (root == "" || root == "args") { // a handler that has returned has none
					v.Args = append(v.Args, nodeOfValue(args[i], "args", name, argPath(path, name), query))
				}
			}
			if result := act.result(); result.IsValid() && (root == "" || root == "result") {
				r := nodeOfValue(result, "result", "result", path, query)
				v.Result = &r
			}
			return nil
		})
		if err != nil || root != "" && root != "state" {
			return err
		}
		v.State = act.stateNow(ctx, path, query)
		return nil
	})
	return v, err
}

// cutRoot cuts args, result or state off a path.
func cutRoot(path string) (root, rest string) {
	for _, r := range []string{"args", "result", "state"} {
		if rest, ok := strings.CutPrefix(path, r); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return r, strings.TrimPrefix(rest, ".")
		}
	}
	return "", path
}

// argPath is what is left of a path into the arguments behind the name of one.
func argPath(path, name string) string {
	rest, ok := strings.CutPrefix(path, name)
	if !ok {
		return ""
	}
	return strings.TrimPrefix(rest, ".")
}

// names are those of the arguments, as the source has them.
func (a *activation) names() []string {
	names := slices.Clone(paramsOf(a.actor.typ, a.ep))
	for i := range a.ep.in {
		switch {
		case i >= len(names):
			names = append(names, fmt.Sprintf("arg%d", i))
		case names[i] == "" || names[i] == "_":
			names[i] = fmt.Sprintf("arg%d", i)
		}
	}
	return names
}

// waitsFor is who waits for the frame, outermost first.
func (a *activation) waitsFor() []quicnet.ChainEntry {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.chain)
}

// nodeOfValue is a value as a tree under a name.
func nodeOfValue(v reflect.Value, root, name, path string, q walk.Query) control.StateNode {
	box := reflect.New(v.Type())
	box.Elem().Set(v)
	q.Path = path
	node := walk.Tree(box.Interface(), q)
	if path == "" {
		node.Name = name
	}
	base := root
	if name != root {
		base += "." + name
	}
	prefix(&node, base)
	return node
}

// prefix makes the paths of a tree begin at a root.
func prefix(n *control.StateNode, root string) {
	switch {
	case n.Path == "":
		n.Path = root
	case n.Path[0] == '[':
		n.Path = root + n.Path
	default:
		n.Path = root + "." + n.Path
	}
	for i := range n.Nodes {
		prefix(&n.Nodes[i], root)
	}
}

// stateNow is the state of a frame's actor, if that stands still soon.
func (a *activation) stateNow(ctx context.Context, path string, q walk.Query) (out control.StateNode) {
	ctx, cancel := context.WithTimeout(ctx, stillTime)
	defer cancel()
	q.Path = path
	if err := a.actor.at(ctx, "reading the state", func() error { out = walk.Tree(a.actor.self, q); return nil }); err != nil {
		return control.StateNode{Error: err.Error()}
	}
	prefix(&out, "state")
	return out
}

// evalHere evaluates an expression about a frame that is stopped, or about an actor.
func (n *node) evalHere(ctx context.Context, b probeBody, expr string) (out control.Value, err error) {
	if b.Number == 0 {
		a := n.actors.get(b.Mesh)
		if a == nil {
			return out, errors.New("the actor has ended")
		}
		e, err := cond.CompileValue(expr, cond.Scope{State: a.typ.typ, Dims: a.here.Extent.Names()})
		if err != nil {
			return out, pointAt("print", expr, err)
		}
		err = a.at(ctx, "evaluating", func() (err error) {
			out, err = valueOf(e, &cond.Values{State: reflect.ValueOf(a.self).Elem(), Rank: a.rank, Coords: a.coords, Mesh: a.name})
			return err
		})
		return out, err
	}
	err = n.frame(b.Number, b.Gen, func(act *activation, s probe.Site, _ string) error {
		a := act.actor
		scope, _ := scopeOf(a.typ, a.here.Extent.Names(), act.ep.name)
		scope.Params = paramsOf(a.typ, act.ep)
		e, err := cond.CompileValue(expr, scope)
		if err != nil {
			return pointAt("print", expr, err)
		}
		v := cond.Values{Site: s.String()}
		_, v.Sender = act.Sender()
		value := func() (err error) {
			act.Values(&v)
			out, err = valueOf(e, &v)
			return err
		}
		if !e.Uses("state") {
			return guard("evaluating", value)
		}
		ctx, cancel := context.WithTimeout(ctx, stillTime)
		defer cancel()
		return a.at(ctx, "evaluating", value)
	})
	return out, err
}

func valueOf(e *cond.Expr, v *cond.Values) (control.Value, error) {
	x, err := e.Value(v)
	if err != nil {
		return control.Value{}, err
	}
	out := control.Value{Text: clip(eval.Show(x), maxErrorText), Kind: kindOf(x)}
	if !eval.Whole(x) { // a part that was cut would travel as an empty one
		return out, nil
	}
	if body, err := control.EncodeValue(x); err == nil && len(body) <= maxValue && out.Kind != "other" {
		out.Body = body
	}
	return out, nil
}

// maxValue bounds the value of an expression that travels whole.
const maxValue = 64 << 10

// kindOf is the kind of a canonical value of package eval.
func kindOf(x any) string {
	switch x.(type) {
	case nil:
		return "nil"
	case bool:
		return "bool"
	case int:
		return "int"
	case float64:
		return "float"
	case string:
		return "string"
	case []byte:
		return "bytes"
	case time.Time:
		return "time"
	case time.Duration:
		return "duration"
	case []any:
		return "list"
	case map[string]any:
		return "map"
	}
	return "other"
}

// defaultQueued is how many messages of a mailbox are shown.
const defaultQueued = 50

// mailbox shows what waits for the actor.
func (a *actor) mailbox(q control.MailboxQuery) control.Mailbox {
	if q.Count <= 0 {
		q.Count = defaultQueued
	}
	a.mu.Lock()
	box := control.Mailbox{Total: len(a.queue)}
	envs := a.queue[min(max(q.Start, 0), len(a.queue)):]
	envs = slices.Clone(envs[:min(q.Count, len(envs), maxQueued)])
	for _, env := range envs {
		env.Keep() // its argument is read when it may have left the mailbox
		box.Messages = append(box.Messages, control.Queued{
			Msg: messageID(env), Call: env.Call, Endpoint: env.Endpoint, Proc: env.From.Proc, Actor: env.From.Actor,
			Bytes: len(env.Body), Waiting: env.Flags&flagWaits != 0,
		})
	}
	a.mu.Unlock()
	for i, env := range envs {
		if ep := targetOf(env).ep; ep != nil {
			box.Messages[i].Arg = clip(ep.shown(env.Body), maxShown)
		}
	}
	return box
}

// maxQueued is how many messages of a mailbox travel at once.
const maxQueued = 1000

// shown is the argument of a message as text, without making the values that it is for.
func (ep *endpoint) shown(body []byte) string {
	if len(ep.in) == 0 || ep.arg == nil {
		return ""
	}
	registry.mu.RLock()
	defer registry.mu.RUnlock()
	return schema.Format(registry.schema.Types, ep.arg, body)
}
