// Command goakt measures goakt: an ask of an actor in another process.
package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	actors "github.com/tochemey/goakt/v3/actor"
	"github.com/tochemey/goakt/v3/address"
	"github.com/tochemey/goakt/v3/goaktpb"
	"github.com/tochemey/goakt/v3/log"
	"github.com/tochemey/goakt/v3/remote"

	"github.com/monarch-tui/monarch-tui/engine/bench/echopb"
	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

func main() { measure.Peer{Name: "goakt", Listen: listen, Dial: dial}.Main() }

const (
	system = "bench"
	name   = "echo"
	host   = "127.0.0.1"
)

type echo struct{}

func (echo) PreStart(context.Context) error { return nil }
func (echo) PostStop(context.Context) error { return nil }

func (echo) Receive(c *actors.ReceiveContext) {
	switch m := c.Message().(type) {
	case *goaktpb.PostStart:
	case *echopb.Call:
		c.Response(&echopb.Reply{Id: m.Id, Body: m.Body})
	default:
		c.Unhandled()
	}
}

func listen(certs *measure.Certificates) (string, error) {
	conf, err := certs.Config("h2")
	if err != nil {
		return "", err
	}
	port, err := freePort() // it does not tell which one the system has given it
	if err != nil {
		return "", err
	}
	ctx := context.Background()
	s, err := actors.NewActorSystem(system, actors.WithLogger(log.DiscardLogger), actors.WithPassivationDisabled(),
		actors.WithRemote(remote.NewConfig(host, port)), actors.WithTLS(&actors.TLSInfo{ClientTLS: conf.Clone(), ServerTLS: conf}))
	if err != nil {
		return "", err
	}
	if err := s.Start(ctx); err != nil {
		return "", err
	}
	if _, err := s.Spawn(ctx, name, echo{}); err != nil {
		return "", err
	}
	at := net.JoinHostPort(host, strconv.Itoa(port))
	return at, await(at)
}

// freePort is a port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// await waits until somebody listens.
func await(addr string) error {
	for end := time.Now().Add(measure.AnswerTime); ; time.Sleep(time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(end) {
			return err
		}
	}
}

func dial(ctx context.Context, addr string, certs *measure.Certificates) (func(int) error, func(), error) {
	conf, err := certs.Config("h2")
	if err != nil {
		return nil, nil, err
	}
	_, text, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, nil, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, nil, err
	}
	r := actors.NewRemoting(actors.WithRemotingTLS(conf))
	to := address.New(name, system, host, port)
	return func(w int) error {
		any, err := r.RemoteAsk(ctx, address.NoSender(), to, &echopb.Call{Id: uint64(w), Body: measure.Payload}, measure.AnswerTime)
		if err != nil {
			return err
		}
		got, err := any.UnmarshalNew()
		if err != nil {
			return err
		}
		m, ok := got.(*echopb.Reply)
		if !ok {
			return fmt.Errorf("the answer is a %T", got)
		}
		return measure.CheckEcho(uint64(w), m.Id, m.Body)
	}, r.Close, nil
}
