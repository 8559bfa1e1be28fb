package engine

import (
	"cmp"
	"context"

	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// broadcast sends without asking for a reply.
func broadcast(ctx context.Context, b bound, arg any) error {
	nd, err := nodeOf(ctx)
	if err == nil {
		err = b.usable()
	}
	if err != nil {
		return err
	}
	body, err := encodeArg(b, arg)
	if err != nil {
		return err
	}
	return broadcastRaw(ctx, nd, b, body, "")
}

func broadcastRaw(ctx context.Context, nd *node, b bound, body []byte, client string) error {
	caller, sender := activationOf(ctx), actorOf(ctx)
	n := b.ref.View.Len()
	first := nd.nextMsg.Add(uint64(n)) - uint64(n) + 1
	env := quicnet.Envelope{
		Kind: quicnet.KindCall, Call: nd.newCallID(), From: nd.addrOf(caller), Region: b.ref.region,
		Adverb: uint8(adverbBroadcast), Endpoint: b.name, Hash: b.hash, Body: body,
	}
	caller.stamp(&env)
	told := nd.tel.on.Load()
	var head []byte
	if told {
		head = preview(body)
	}
	failed := &MeshError{Endpoint: b.name, Mesh: b.ref.Name, Ranks: n}
	probe.At(probe.Send)
	for i := range n {
		env.ID, env.Index = first+uint64(i), uint64(i)
		env.To = quicnet.Addr{Proc: b.ref.procOf(i), Actor: b.ref.ID}
		err := cmp.Or(ctx.Err(), nd.stoppedMesh(b.ref.ID))
		if err == nil {
			err = nd.windows.acquire(ctx, env.To, pendingSend{sender, client, b.ref, i, b.name, 0})
		}
		if err == nil {
			if told {
				nd.tellBroadcast(&env, caller, sender, client, b.ref, i, head)
			}
			if err = nd.send(ctx, quicnet.LaneCalls, &env); err != nil {
				nd.windows.release(env.To, 1)
			}
		}
		if err != nil {
			w := notSent(err)
			failed.Failed = append(failed.Failed, &RankError{Endpoint: b.name, Mesh: b.ref.Name, Rank: b.ref.View.RankAt(i),
				Point: b.ref.pointAt(i), Outcome: w.Outcome, Err: w.remote()})
		}
	}
	if len(failed.Failed) > 0 {
		return failed
	}
	return nil
}
