package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/stops"
	"github.com/monarch-tui/monarch-tui/engine/probe"
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
