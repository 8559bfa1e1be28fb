// Command protoactor measures protoactor-go: a future of an actor in another process.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/monarch-tui/monarch-tui/engine/bench/echopb"
	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

func main() { measure.Peer{Name: "protoactor-go", Listen: listen, Dial: dial}.Main() }

const protoName = "echo"

func protoSystem(certs *measure.Certificates) (*actor.ActorSystem, error) {
	conf, err := certs.Config("h2")
	if err != nil {
		return nil, err
	}
	creds := credentials.NewTLS(conf)
	s := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }))
	remote.NewRemote(s, remote.Configure("127.0.0.1", 0,
		remote.WithServerOptions(grpc.Creds(creds)), remote.WithDialOptions(grpc.WithTransportCredentials(creds)))).Start()
	return s, nil
}

func listen(certs *measure.Certificates) (string, error) {
	s, err := protoSystem(certs)
	if err != nil {
		return "", err
	}
	_, err = s.Root.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
		if m, ok := c.Message().(*echopb.Call); ok {
			c.Respond(&echopb.Reply{Id: m.Id, Body: m.Body})
		}
	}), protoName)
	return s.Address(), err
}

func dial(_ context.Context, addr string, certs *measure.Certificates) (func(int) error, func(), error) {
	s, err := protoSystem(certs)
	if err != nil {
		return nil, nil, err
	}
	to := actor.NewPID(addr, protoName)
	return func(w int) error {
		got, err := s.Root.RequestFuture(to, &echopb.Call{Id: uint64(w), Body: measure.Payload}, measure.AnswerTime).Result()
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
