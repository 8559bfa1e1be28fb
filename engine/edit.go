package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/stops"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/engine/probe/edit"
	"github.com/monarch-tui/monarch-tui/engine/probe/walk"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// probe executes the verb probe.
func (h *hub) probe(ctx context.Context, _ control.ClientInfo, r control.ProbeReq) ([]control.ProbeReply, error) {
	if r.Budget <= 0 {
		r.Budget = lookTime
	}
	ctx, cancel := context.WithTimeout(ctx, r.Budget)
	defer cancel()
	ask := func(to uint64, b probeBody) (control.ProbeReply, error) {
		b.Name, b.Body = r.Name, r.Body
		out := control.ProbeReply{Proc: to}
		err := h.node.request(ctx, quicnet.Addr{Proc: to}, sysProbe, b, &out.Body)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
			err = &control.Error{Code: control.CodeDeadline, Text: fmt.Sprintf("its process has not answered within %v: it hangs, or is very busy", r.Budget)}
		}
		return out, err
	}
	switch {
	case r.Stop.ID != 0:
		st, frame, err := h.findStop(r.Stop)
		if err != nil {
			return nil, err
		}
		out, err := ask(frame.Proc, probeBody{Number: frame.Number, Gen: st.Gen})
		if err != nil {
			return nil, fmt.Errorf("stop %d: %w", st.ID, err)
		}
		out.Rank = st.Rank
		if r.Name == control.ProbeFrame {
			out.Body, err = h.completeFrame(st, out.Body)
		}
		return []control.ProbeReply{out}, err
	case r.Mesh != "":
		return h.probeMesh(r, ask)
	}
	return h.probeProcs(r, ask)
}

// findStop gives a stop and its frame.
func (h *hub) findStop(ref control.StopRef) (control.Stop, stops.Frame, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.debug.book.Find(ref)
}

// completeFrame puts what only the controller knows of a stop into the view of its frame.
func (h *hub) completeFrame(st control.Stop, body []byte) ([]byte, error) {
	var v control.FrameView
	if err := control.DecodeAnswer(body, &v); err != nil {
		return nil, fmt.Errorf("the frame does not decode: %w", err)
	}
	edited := v.Stop.Edited
	v.Stop = st
	v.Stop.Edited = v.Stop.Edited || edited
	return control.EncodeBody(v)
}

// probeMesh asks the processes of actors.
func (h *hub) probeMesh(r control.ProbeReq, ask func(uint64, probeBody) (control.ProbeReply, error)) ([]control.ProbeReply, error) {
	m, err := h.findMesh(r.Mesh, 0)
	if err != nil {
		return nil, err
	}
	if err := checkRanks("@"+r.Mesh, r.Ranks, m.rec.Ref.Home.Len()); err != nil {
		return nil, err
	}
	live := h.live(m)
	ranks := r.Ranks
	if len(ranks) == 0 {
		for i := range live {
			ranks = append(ranks, i)
		}
	}
	out := make([]control.ProbeReply, len(ranks))
	todo := make([]*proc, len(ranks))
	for i, rank := range ranks {
		out[i] = control.ProbeReply{Rank: rank, Error: fmt.Sprintf("@%s[%d] is gone", r.Mesh, rank)}
		todo[i] = live[rank]
	}
	h.eachRank(todo, func(i int, p *proc) error {
		x, err := ask(p.id, probeBody{Mesh: m.rec.Ref.ID})
		if err == nil && r.Name == control.ProbeMailbox {
			x.Body, err = h.nameSenders(x.Body)
		}
		x.Rank = ranks[i]
		if err != nil {
			x.Error = err.Error()
		}
		out[i] = x
		return nil
	})
	return out, nil
}

// nameSenders names who sent the messages of a mailbox.
func (h *hub) nameSenders(body []byte) ([]byte, error) {
	var box control.Mailbox
	if err := control.DecodeAnswer(body, &box); err != nil {
		return nil, fmt.Errorf("the mailbox does not decode: %w", err)
	}
	h.mu.Lock()
	for i := range box.Messages {
		m := &box.Messages[i]
		m.Sender = h.senderOf(probe.Address{Proc: m.Proc, Actor: m.Actor}, m.Call)
	}
	h.mu.Unlock()
	return control.EncodeBody(box)
}

// probeProcs asks processes: those of a proc mesh, or all, with the controller as rank -1.
func (h *hub) probeProcs(r control.ProbeReq, ask func(uint64, probeBody) (control.ProbeReply, error)) ([]control.ProbeReply, error) {
	var todo []*proc
	all := r.Procs == ""
	h.mu.Lock()
	for _, pm := range h.procMeshes {
		if !all && pm.rec.Name != r.Procs {
			continue
		}
		for _, p := range pm.procs {
			if p.local == nil && p.isReady() && !p.over() && (len(r.Ranks) == 0 || slices.Contains(r.Ranks, p.rank)) {
				todo = append(todo, p)
			}
		}
		all = all || pm.rec.InProcess // its ranks are in the controller
	}
	h.mu.Unlock()
	if r.Procs != "" {
		if _, err := h.findProcs(r.Procs, 0); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(todo, func(a, b *proc) int { return int(a.id) - int(b.id) })
	out := make([]control.ProbeReply, len(todo))
	h.eachRank(todo, func(i int, p *proc) error {
		x, err := ask(p.id, probeBody{})
		x.Rank = p.rank
		if err != nil {
			x.Error = err.Error()
		}
		out[i] = x
		return nil
	})
	if all {
		x, err := ask(0, probeBody{})
		x.Rank = -1
		if err != nil {
			x.Error = err.Error()
		}
		out = append(out, x)
	}
	return out, nil
}

// editBody asks a process to change something.
type editBody struct {
	Number, Gen uint64 // of a frame, or
	Mesh        uint64 // an actor
	Req         control.EditReq
}

// editHere changes something of this process.
func (n *node) editHere(ctx context.Context, b editBody) (control.Edited, error) {
	if b.Req.Op != "" && b.Req.Op != "set" {
		a := n.actors.get(b.Mesh)
		if a == nil {
			return control.Edited{}, errors.New("the actor has ended")
		}
		return a.editQueue(b.Req)
	}
	root, path := cutRoot(b.Req.Path)
	if b.Number == 0 {
		a := n.actors.get(b.Mesh)
		switch {
		case a == nil:
			return control.Edited{}, errors.New("the actor has ended")
		case root != "state":
			return control.Edited{}, fmt.Errorf("set %s: want state.FIELD; arguments and results are those of a stopped frame", clip(b.Req.Path, 100))
		}
		return a.setState(ctx, path, b.Req.Value)
	}
	var out control.Edited
	err := n.frame(b.Number, b.Gen, func(act *activation, s probe.Site, _ string) (err error) {
		switch root {
		case "state":
			out, err = act.actor.setState(ctx, path, b.Req.Value)
		case "args":
			out, err = act.setArg(path, b.Req.Value)
		case "result":
			out, err = act.setResult(s, path, b.Req.Value)
		default:
			return fmt.Errorf("set %s: want state.FIELD, args.NAME or result", clip(b.Req.Path, 100))
		}
		act.edited = act.edited || err == nil
		return err
	})
	return out, err
}

// setState sets what is at a path of the actor's state while that stands still.
func (a *actor) setState(ctx context.Context, path, literal string) (out control.Edited, err error) {
	err = a.at(ctx, "setting the state", func() (err error) {
		out, err = setValue(reflect.ValueOf(a.self).Elem(), path, literal)
		return err
	})
	return out, err
}

// setArg sets an argument, or a part of one. It counts where the handler has not begun.
func (a *activation) setArg(path, literal string) (control.Edited, error) {
	args := a.args()
	if len(args) < len(a.ep.in) {
		return control.Edited{}, fmt.Errorf("the handler %s has returned: its arguments are gone", a.ep.name)
	}
	for i, name := range a.names() {
		if rest, ok := strings.CutPrefix(path, name); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return setValue(args[i], strings.TrimPrefix(rest, "."), literal)
		}
	}
	if len(a.ep.in) == 1 && (path == "" || path[0] == '[') { // args alone, of one argument
		return setValue(args[0], path, literal)
	}
	return control.Edited{}, fmt.Errorf("%s has no argument %s: it has %s", a.ep.name, clip(path, 100), cmp.Or(orList(a.names()), "none"))
}

// setResult sets the result, or a part of it, where there is one.
func (a *activation) setResult(s probe.Site, path, literal string) (control.Edited, error) {
	if s != probe.Reply || !a.result().IsValid() {
		return control.Edited{}, fmt.Errorf("there is no result at %s: it is set at reply; return VALUE gives one in place of the handler", s)
	}
	box := reflect.New(a.ep.out).Elem()
	box.Set(a.result())
	out, err := setValue(box, path, literal)
	if err == nil {
		a.run.SetResult(box)
	}
	return out, err
}

func setValue(root reflect.Value, path, literal string) (out control.Edited, err error) {
	text := func() string {
		return clip(walk.Tree(root.Addr().Interface(), walk.Query{Path: path, Depth: 2, Count: 16}).Text, maxShown)
	}
	out.Old = text()
	if err := edit.Set(root, path, literal); err != nil {
		return control.Edited{}, err
	}
	out.New = text()
	return out, nil
}

// editQueue discards a message of the mailbox, or has it handled next.
func (a *actor) editQueue(r control.EditReq) (control.Edited, error) {
	a.mu.Lock()
	i := slices.IndexFunc(a.queue, func(env *quicnet.Envelope) bool { return fmt.Sprint(messageID(env)) == r.Path })
	if i < 0 {
		a.mu.Unlock()
		return control.Edited{}, fmt.Errorf("no message %s waits for %s", clip(r.Path, 40), a.label())
	}
	env := a.queue[i]
	var out control.Edited
	switch r.Op {
	case "discard":
		a.dropQueued(i)
	case "redeliver":
		a.late.Forget(env)
		if r.Value != "" {
			next, err := a.withArg(env, r.Value)
			if err != nil {
				a.mu.Unlock()
				return out, err
			}
			env = next
			a.size += len(env.Body) - len(a.queue[i].Body)
		}
		a.queue = slices.Insert(slices.Delete(a.queue, i, i+1), 0, env)
	default:
		a.mu.Unlock()
		return out, fmt.Errorf("edit %.40q: want set, discard or redeliver", r.Op)
	}
	a.mu.Unlock()
	if r.Op == "discard" {
		a.node.refuse(env, &wireError{Outcome: control.OutcomeCancelled, Type: "debugger", Msg: "the debugger discarded the message before " + a.label() + " handled it"})
	}
	a.node.touch()
	return out, nil
}

// withArg is a message with another argument.
func (a *actor) withArg(env *quicnet.Envelope, literal string) (*quicnet.Envelope, error) {
	ep := targetOf(env).ep
	if ep == nil || len(ep.in) != 1 {
		return nil, fmt.Errorf("%s does not have one argument", clip(env.Endpoint, 100))
	}
	v, err := edit.Literal(ep.in[0], literal)
	if err != nil {
		return nil, err
	}
	env.Keep()
	next := *env
	if next.Body, err = bodies.Encode(v.Interface(), ep.in[0]); err != nil {
		return nil, err
	}
	return &next, nil
}

// edit executes the verb edit.
func (h *hub) edit(ctx context.Context, client control.ClientInfo, r control.EditReq) (out control.Edited, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	b := editBody{Req: r}
	if r.Stop.ID != 0 {
		st, frame, err := h.findStop(r.Stop)
		if err != nil {
			return out, err
		}
		b.Number, b.Gen = frame.Number, st.Gen
		if err := h.node.request(ctx, quicnet.Addr{Proc: frame.Proc}, sysEdit, b, &out); err != nil {
			return out, fmt.Errorf("stop %d: %w", st.ID, err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if st, ok := h.debug.book.Change(st.ID, func(x *control.Stop) { x.Edited, x.By = true, client.Name }); ok {
			h.publish(control.Event{Stop: &control.StopEvent{Stop: st, By: client.Name}})
		}
		return out, nil
	}
	m, err := h.findMesh(r.Mesh, 0)
	if err != nil {
		return out, err
	}
	if err := checkRanks("@"+r.Mesh, []int{r.Rank}, m.rec.Ref.Home.Len()); err != nil {
		return out, err
	}
	p := h.live(m)[r.Rank]
	if p == nil {
		return out, fmt.Errorf("@%s[%d] is gone", r.Mesh, r.Rank)
	}
	b.Mesh = m.rec.Ref.ID
	if err := h.node.request(ctx, quicnet.Addr{Proc: p.id}, sysEdit, b, &out); err != nil {
		return out, fmt.Errorf("@%s[%d]: %w", r.Mesh, r.Rank, err)
	}
	return out, nil
}
