package main

import (
	"context"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/monarch-tui/monarch-tui/engine/bench/echopb"
)

type echoServer struct{ echopb.UnimplementedEchoServer }

func (echoServer) One(_ context.Context, c *echopb.Call) (*echopb.Reply, error) {
	return &echopb.Reply{Id: c.Id, Body: c.Body}, nil
}

func (echoServer) Many(s grpc.BidiStreamingServer[echopb.Call, echopb.Reply]) error {
	for {
		c, err := s.Recv()
		if err != nil {
			return err
		}
		if err := s.Send(&echopb.Reply{Id: c.Id, Body: c.Body}); err != nil {
			return err
		}
	}
}

func serveGRPC(certs *certificates) (string, error) {
	conf, err := certs.config("h2")
	if err != nil {
		return "", err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(conf)))
	echopb.RegisterEchoServer(s, echoServer{})
	go func() { _ = s.Serve(l) }()
	return l.Addr().String(), nil
}

func dialGRPC(addr string, certs *certificates) (*grpc.ClientConn, error) {
	conf, err := certs.config("h2")
	if err != nil {
		return nil, err
	}
	return grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(credentials.NewTLS(conf)))
}

func unaryCaller(ctx context.Context, c *caller, addr string, certs *certificates) error {
	conn, err := dialGRPC(addr, certs)
	if err != nil {
		return err
	}
	client := echopb.NewEchoClient(conn)
	c.call = func(w int) error {
		_, err := client.One(ctx, &echopb.Call{Id: uint64(w), Endpoint: "Echo", Body: payload})
		return err
	}
	c.close = func() { _ = conn.Close() }
	return nil
}

// streamCaller shares one bidirectional stream between all callers.
func streamCaller(ctx context.Context, c *caller, addr string, certs *certificates, inFlight int) error {
	conn, err := dialGRPC(addr, certs)
	if err != nil {
		return err
	}
	s, err := echopb.NewEchoClient(conn).Many(ctx)
	if err != nil {
		return err
	}
	slots := make([]chan struct{}, inFlight)
	for i := range slots {
		slots[i] = make(chan struct{}, 1)
	}
	go func() {
		for {
			r, err := s.Recv()
			if err != nil {
				return
			}
			slots[r.Id] <- struct{}{}
		}
	}()
	var mu sync.Mutex
	c.call = func(w int) error {
		mu.Lock()
		err := s.Send(&echopb.Call{Id: uint64(w), Endpoint: "Echo", Body: payload})
		mu.Unlock()
		if err != nil {
			return err
		}
		<-slots[w]
		return nil
	}
	c.close = func() { _ = conn.Close() }
	return nil
}
