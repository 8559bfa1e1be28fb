// Command netrpc measures net/rpc of the standard library, with gob.
package main

import (
	"context"
	"crypto/tls"
	"net/rpc"

	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

func main() { measure.Peer{Name: "net/rpc", Listen: listen, Dial: dial}.Main() }

// RPCCall is what a call of net/rpc carries, there and back.
type RPCCall struct {
	ID   uint64
	Body []byte
}

// RPCEcho answers calls of net/rpc.
type RPCEcho struct{}

// Echo returns what it is given.
func (*RPCEcho) Echo(c RPCCall, reply *RPCCall) error {
	*reply = c
	return nil
}

func listen(certs *measure.Certificates) (string, error) {
	conf, err := certs.Config("rpc")
	if err != nil {
		return "", err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", conf)
	if err != nil {
		return "", err
	}
	s := rpc.NewServer()
	if err := s.Register(&RPCEcho{}); err != nil {
		return "", err
	}
	go s.Accept(l)
	return l.Addr().String(), nil
}

func dial(_ context.Context, addr string, certs *measure.Certificates) (func(int) error, func(), error) {
	conf, err := certs.Config("rpc")
	if err != nil {
		return nil, nil, err
	}
	conn, err := tls.Dial("tcp", addr, conf)
	if err != nil {
		return nil, nil, err
	}
	c := rpc.NewClient(conn)
	return func(w int) error {
		var r RPCCall
		if err := c.Call("RPCEcho.Echo", &RPCCall{uint64(w), measure.Payload}, &r); err != nil {
			return err
		}
		return measure.CheckEcho(uint64(w), r.ID, r.Body)
	}, func() { _ = c.Close() }, nil
}
