package control

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipeTo connects a client that speaks byte by byte to a server, within a bubble.
func pipeTo(t *testing.T, s *Server) (*raw, chan error) {
	t.Helper()
	ours, theirs := net.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- s.ServeConn(theirs) }()
	t.Cleanup(func() { _ = ours.Close() })
	return &raw{t, ours, bufio.NewReader(ours)}, ended
}

// TestHalfAFrameDoesNotHoldAConnection holds INV-BEGUN: the client may be silent for as long as it likes, but not within a frame.
func TestHalfAFrameDoesNotHoldAConnection(t *testing.T) {
	for name, half := range map[string]string{"a length": "\x00\x00", "a frame": "\x00\x00\x00\x20\xa1\x01", "a large one": "\x00\xff\xff\xff\xa1"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := NewServer(ServerConfig{Backend: newFake()})
				r, ended := pipeTo(t, s)
				r.hello()
				time.Sleep(time.Hour)
				select {
				case err := <-ended:
					t.Fatalf("a client that is only silent was closed: %v", err)
				default:
				}
				began := time.Now()
				if _, err := r.conn.Write([]byte(half)); err != nil {
					t.Fatal(err)
				}
				f := r.recv()
				took, most := time.Since(began), 11*time.Second
				if name == "a large one" { // 16 MiB may take longer, but not for ever
					most = 5 * time.Minute
				}
				if f.Kind != kindBye || f.Err == nil || !strings.Contains(f.Err.Text, "did not end within") || took > most {
					t.Errorf("after %v: %+v %v", took, f, f.Err)
				}
				_ = r.conn.Close()
				if err := <-ended; err == nil {
					t.Error("it ended without an error")
				}
				_ = s.Close()
			})
		})
	}
}

// Connections that say hello and then nothing, or half a frame, do not keep the user out (A9). Those that have asked something
// keep their places.
func TestConnectionsThatAskNothingMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFake()
		s := NewServer(ServerConfig{Backend: b, Limits: Limits{Clients: 3}})
		var ends []chan error
		for i := range 3 {
			r, ended := pipeTo(t, s)
			if i > 0 { // the first one does not even say hello
				r.hello()
				if _, err := r.conn.Write([]byte("\x00\x00\x00")); err != nil {
					t.Fatal(err)
				}
			}
			ends = append(ends, ended)
		}
		synctest.Wait()
		early, _ := pipeTo(t, s)
		if f := early.recv(); f.Err == nil || f.Err.Code != CodeBusy {
			t.Errorf("a fourth at once: %+v", f)
		}
		time.Sleep(silentTime)
		for i := range 3 {
			r, _ := pipeTo(t, s)
			r.hello()
			r.send(kindRequest, 1, "snapshot", nil)
			if f := r.recv(); f.Kind != kindAnswer {
				t.Fatalf("client %d: %+v %v", i, f, f.Err)
			}
			if err := <-ends[i]; err == nil { // of the one that came first
				t.Error("it ended without an error")
			}
		}
		time.Sleep(time.Hour)
		late, _ := pipeTo(t, s)
		if f := late.recv(); f.Err == nil || f.Err.Code != CodeBusy {
			t.Errorf("with three that have asked something: %+v", f)
		}
		_ = s.Close()
	})
}
