package control

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// lateServer greets after a while, on virtual time; what it returns is closed when it has.
func lateServer(t *testing.T, conn net.Conn, after time.Duration) <-chan struct{} {
	t.Helper()
	body, err := enc().Marshal(Info{Engine: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := appendMessage(nil, frame{Kind: kindWelcome, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		go io.Copy(io.Discard, conn) //nolint:errcheck // ends with the connection
		time.Sleep(after)
		_, _ = conn.Write(b)
	}()
	return done
}

func TestAGreetingTakesFiveSecondsUnlessTheCallerKnowsBetter(t *testing.T) {
	for name, tt := range map[string]struct {
		patience, takes time.Duration // no patience: no deadline
		fails           string
	}{
		"in time":                         {takes: 4 * time.Second},
		"too late":                        {takes: 6 * time.Second, fails: "no welcome within 5s"},
		"a program that starts slowly":    {patience: 15 * time.Second, takes: 12 * time.Second},
		"a program that never gets there": {patience: 15 * time.Second, takes: time.Minute, fails: "no welcome within 15s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.patience > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.patience)
					defer cancel()
				}
				ours, theirs := net.Pipe()
				defer theirs.Close()
				greeted := lateServer(t, theirs, tt.takes)
				c, err := NewClient(ctx, ours, ClientInfo{Name: "test"})
				if c != nil {
					defer c.Close()
				}
				<-greeted
				if tt.fails == "" && err != nil {
					t.Error(err)
				}
				if tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails) || !errors.Is(err, context.DeadlineExceeded)) {
					t.Errorf("got %v, want %q", err, tt.fails)
				}
			})
		})
	}
}

func TestWhoIsNoSessionIsToldByWhatItAnswers(t *testing.T) {
	for answer, want := range map[string]string{
		"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n": `it answered "HTTP/1.1 400 Bad Request" (malformed frame: length 1213486160`,
		"SSH-2.0-OpenSSH_9.2\n":                      `it answered "SSH-2.0-OpenSSH_9.2" (`,
		"\x1b[2J\x1b[31m" + strings.Repeat("x", 100): `it answered "\x1b[2J\x1b[31mxxxxx`,
		"\xff\xff\xff\xff":                           `(malformed frame`,
		"\x00\x00\x00\x02\xff\xff":                   `this is no monarch-tui session (malformed frame`,
		"\x00\x00\x00\x09not a frame":                `this is no monarch-tui session (malformed frame`,
	} {
		ours, theirs := net.Pipe()
		go io.Copy(io.Discard, theirs) //nolint:errcheck // ends with the connection
		go func() {
			_, _ = io.WriteString(theirs, answer)
			_ = theirs.Close()
		}()
		_, err := NewClient(t.Context(), ours, ClientInfo{Name: "test"})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "this is no monarch-tui session") || !errors.Is(err, errFrame) || len(err.Error()) > 300 {
			t.Errorf("%q: got %v, want %s", answer, err, want)
		}
	}
}
