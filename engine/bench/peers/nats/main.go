// Command nats measures NATS: request and reply, with the broker in the process that answers. That spares it one of two hops;
// a broker of its own would be slower.
package main

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

func main() { measure.Peer{Name: "NATS", Listen: listen, Dial: dial}.Main() }

const natsSubject = "actor.echo"

func listen(certs *measure.Certificates) (string, error) {
	conf, err := certs.Config("")
	if err != nil {
		return "", err
	}
	conf.NextProtos = nil
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true, TLS: true, TLSVerify: true, TLSConfig: conf})
	if err != nil {
		return "", err
	}
	go s.Start()
	if !s.ReadyForConnections(measure.AnswerTime) {
		return "", errors.New("the NATS server did not start")
	}
	c, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		return "", err
	}
	if _, err := c.Subscribe(natsSubject, func(m *nats.Msg) { _ = m.Respond(m.Data) }); err != nil {
		return "", err
	}
	return s.ClientURL(), c.Flush()
}

func dial(_ context.Context, addr string, certs *measure.Certificates) (func(int) error, func(), error) {
	conf, err := certs.Config("")
	if err != nil {
		return nil, nil, err
	}
	conf.NextProtos = nil
	c, err := nats.Connect(addr, nats.Secure(conf), nats.Timeout(5*time.Second))
	if err != nil {
		return nil, nil, err
	}
	return func(int) error {
		m, err := c.Request(natsSubject, measure.Payload, measure.AnswerTime)
		if err != nil {
			return err
		}
		return measure.CheckEcho(0, 0, m.Data)
	}, c.Close, nil
}
