package measure

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"time"
)

// Peer is a framework with which Go programs call each other, in a program of its own.
type Peer struct {
	Name string
	// Listen answers calls, and returns the address that Dial takes.
	Listen func(*Certificates) (addr string, err error)
	// Dial connects to it, and returns what worker w calls it with.
	Dial func(ctx context.Context, addr string, certs *Certificates) (call func(w int) error, end func(), err error)
}

// AnswerTime is how long a call may take before it counts as lost.
const AnswerTime = 10 * time.Second

// Main is the main of the peer's program: it prints the name, answers, or measures and tells the results.
func (p Peer) Main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil))) // frameworks log to it
	name := flag.Bool("name", false, "print the name of the peer")
	server := flag.String("server", "", "internal")
	client := flag.String("client", "", "internal")
	what := flag.String("what", "", "internal")
	dur := flag.Duration("d", 400*time.Millisecond, "how long one measurement takes")
	flag.Parse()
	Pin(*server != "")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case *server != "":
		err = Serve(p.Listen)
	case *client != "":
		err = p.measure(ctx, *what, *dur)
	case *name:
		fmt.Println(p.Name)
	default:
		err = fmt.Errorf("the benchmark runs this program: see -help")
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench, %s: %v\n", p.Name, err)
		os.Exit(1)
	}
}

func (p Peer) measure(ctx context.Context, what string, dur time.Duration) error {
	certs, err := MakeCertificates()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	only := func(w string) bool { return what == "" || what == w }
	return Calls(p.Name, dur, only, func(int) (*Caller, error) {
		kid, err := StartChild(self, p.Name, certs)
		if err != nil {
			return nil, err
		}
		call, end, err := p.Dial(ctx, kid.Addr, certs)
		if err != nil {
			kid.Stop()
			return nil, err
		}
		return &Caller{Call: call, ServerCPU: kid.CPU, Close: func() { end(); kid.Stop() }}, nil
	})
}

// FreeAddr is an address of this machine at which nobody listens: for frameworks that do not tell which one they have chosen.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// CheckEcho says whether an answer is the one to a call.
func CheckEcho(w, id uint64, body []byte) error {
	if id != w || string(body) != string(Payload) {
		return fmt.Errorf("call %d was answered with %d, %q", w, id, body)
	}
	return nil
}
