// Command bare is a process that has quic-go and nothing else: it accepts connections and sends back what comes on a stream.
// The memory of an idle worker is compared with such a process's, so it links no engine.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/quic-go/quic-go"

	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

func main() {
	client := flag.String("client", "", "internal")
	server := flag.String("server", "", "internal")
	flag.Int("ranks", 0, "not used: a few processes are enough for a median")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case *server != "":
		err = measure.Serve(listen)
	case *client != "":
		err = weigh(ctx)
	default:
		err = fmt.Errorf("the benchmark runs this program: see -help")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-bare:", err)
		os.Exit(1)
	}
}

func listen(certs *measure.Certificates) (string, error) {
	conf, err := certs.Config("bench")
	if err != nil {
		return "", err
	}
	l, err := quic.ListenAddr("127.0.0.1:0", conf, nil)
	if err != nil {
		return "", err
	}
	go func() {
		for {
			c, err := l.Accept(context.Background())
			if err != nil {
				return
			}
			go func() {
				if s, err := c.AcceptStream(context.Background()); err == nil {
					_, _ = io.Copy(s, s)
				}
			}()
		}
	}()
	return l.Addr().String(), nil
}

// What is private to a process does not depend on how many there are. Each answers some calls before it is weighed, as the
// workers that it is compared with have done.
const (
	processes = 8
	calls     = 110
)

func weigh(ctx context.Context) error {
	certs, err := measure.MakeCertificates()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var pids []int
	for range processes {
		kid, err := measure.StartChild(self, "bare", certs, "GOMAXPROCS=1")
		if err != nil {
			return err
		}
		defer kid.Stop()
		end, err := call(ctx, kid.Addr, certs)
		if err != nil {
			return err
		}
		defer end()
		pids = append(pids, kid.PID())
	}
	return measure.Tell(measure.Result{What: measure.AtRest, MiB: measure.PrivateMiB(pids)})
}

// call makes calls, and returns what ends the connection.
func call(ctx context.Context, addr string, certs *measure.Certificates) (end func(), err error) {
	conf, err := certs.Config("bench")
	if err != nil {
		return nil, err
	}
	c, err := quic.DialAddr(ctx, addr, conf, nil)
	if err != nil {
		return nil, err
	}
	end = func() { _ = c.CloseWithError(0, "") }
	s, err := c.OpenStreamSync(ctx)
	if err != nil {
		end()
		return nil, err
	}
	back := make([]byte, len(measure.Payload))
	for range calls {
		if _, err = s.Write(measure.Payload); err == nil {
			_, err = io.ReadFull(s, back)
		}
		if err == nil && !bytes.Equal(back, measure.Payload) {
			err = fmt.Errorf("%q came back", back)
		}
		if err != nil {
			end()
			return nil, err
		}
	}
	return end, nil
}
