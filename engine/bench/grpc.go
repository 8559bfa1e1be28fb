package main

import (
	"context"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/monarch-tui/monarch-tui/engine/bench/echopb"
	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

type echoServer struct{ echopb.UnimplementedEchoServer }

func (echoServer) One(_ context.Context, c *echopb.Call) (*echopb.Reply, error) {
	return &echopb.Reply{Id: c.Id, Body: cut(c.Body)}, nil
}

func (echoServer) Many(s grpc.BidiStreamingServer[echopb.Call, echopb.Reply]) error {
	for {
		c, err := s.Recv()
		if err != nil {
			return err
		}
		if err := s.Send(&echopb.Reply{Id: c.Id, Body: cut(c.Body)}); err != nil {
			return err
		}
	}
}

func serveGRPC(certs *measure.Certificates) (string, error) {
	conf, err := certs.Config("h2")
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

func dialGRPC(addr string, certs *measure.Certificates) (*grpc.ClientConn, error) {
	conf, err := certs.Config("h2")
	if err != nil {
		return nil, err
	}
	return grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(credentials.NewTLS(conf)))
}

func unaryCaller(ctx context.Context, c *caller, addr string, certs *measure.Certificates) error {
	conn, err := dialGRPC(addr, certs)
	if err != nil {
		return err
	}
	client := echopb.NewEchoClient(conn)
	c.Call = func(w int) error {
		_, err := client.One(ctx, &echopb.Call{Id: uint64(w), Endpoint: "Echo", Body: payload})
		return err
	}
	c.Close = func() { _ = conn.Close() }
	return nil
}

// grpcStream is one bidirectional stream that callers share, each with a slot of its own.
type grpcStream struct {
	stream grpc.BidiStreamingClient[echopb.Call, echopb.Reply]
	mu     sync.Mutex
	slots  []chan error
}

func openGRPC(ctx context.Context, addr string, certs *measure.Certificates, slots int) (*grpcStream, func(), error) {
	conn, err := dialGRPC(addr, certs)
	if err != nil {
		return nil, nil, err
	}
	st, err := streamOn(ctx, conn, slots)
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return st, func() { _ = conn.Close() }, nil
}

// streamOn opens one of the streams of a connection.
func streamOn(ctx context.Context, conn *grpc.ClientConn, slots int) (*grpcStream, error) {
	s, err := echopb.NewEchoClient(conn).Many(ctx)
	if err != nil {
		return nil, err
	}
	st := &grpcStream{stream: s, slots: make([]chan error, slots)}
	for i := range st.slots {
		st.slots[i] = make(chan error, 1)
	}
	go st.read()
	return st, nil
}

// read hands each answer to its slot. Its end is everybody's.
func (st *grpcStream) read() {
	for {
		r, err := st.stream.Recv()
		if err == nil {
			st.slots[r.Id] <- nil
			continue
		}
		for _, slot := range st.slots {
			select {
			case slot <- err:
			default:
			}
		}
		return
	}
}

func (st *grpcStream) send(w int, body []byte) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.stream.Send(&echopb.Call{Id: uint64(w), Endpoint: "Echo", Body: body})
}

func (st *grpcStream) await(w int) error { return <-st.slots[w] }

func (st *grpcStream) call(w int, body []byte) error {
	if err := st.send(w, body); err != nil {
		return err
	}
	return st.await(w)
}

func streamCaller(ctx context.Context, c *caller, addr string, certs *measure.Certificates, inFlight int) error {
	st, end, err := openGRPC(ctx, addr, certs, inFlight)
	if err != nil {
		return err
	}
	c.Call = func(w int) error { return st.call(w, payload) }
	c.Close = end
	return nil
}
