// Command hollywood measures hollywood: a request of an actor in another process. It is a program of its own because its
// Protobuf names are those of protoactor-go.
package main

import (
	"context"
	"fmt"

	"github.com/anthdm/hollywood/actor"
	"github.com/anthdm/hollywood/remote"

	"github.com/monarch-tui/monarch-tui/engine/bench/echopb"
	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

func main() { measure.Peer{Name: "hollywood", Listen: listen, Dial: dial}.Main() }

type hollywoodEcho struct{}

func (hollywoodEcho) Receive(c *actor.Context) {
	if m, ok := c.Message().(*echopb.Call); ok {
		c.Respond(&echopb.Reply{Id: m.Id, Body: m.Body})
	}
}

func hollywood(certs *measure.Certificates) (*actor.Engine, string, error) {
	conf, err := certs.Config("hollywood")
	if err != nil {
		return nil, "", err
	}
	addr, err := measure.FreeAddr()
	if err != nil {
		return nil, "", err
	}
	e, err := actor.NewEngine(actor.NewEngineConfig().WithRemote(remote.New(addr, remote.NewConfig().WithTLS(conf))))
	return e, addr, err
}

func listen(certs *measure.Certificates) (string, error) {
	e, addr, err := hollywood(certs)
	if err != nil {
		return "", err
	}
	e.Spawn(func() actor.Receiver { return hollywoodEcho{} }, "server", actor.WithID("primary"))
	return addr, nil
}

func dial(_ context.Context, addr string, certs *measure.Certificates) (func(int) error, func(), error) {
	e, _, err := hollywood(certs)
	if err != nil {
		return nil, nil, err
	}
	to := actor.NewPID(addr, "server/primary")
	return func(w int) error {
		got, err := e.Request(to, &echopb.Call{Id: uint64(w), Body: measure.Payload}, measure.AnswerTime).Result()
		if err != nil {
			return err
		}
		r, ok := got.(*echopb.Reply)
		if !ok {
			return fmt.Errorf("the answer is a %T", got)
		}
		return measure.CheckEcho(uint64(w), r.Id, r.Body)
	}, func() {}, nil // its remote ends with the process
}
