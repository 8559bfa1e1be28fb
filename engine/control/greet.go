package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
	"unicode/utf8"
)

// greet sends hello and reads welcome.
func greet(ctx context.Context, conn net.Conn, r *bufio.Reader, who ClientInfo) (Info, error) {
	within := helloTime
	if end, ok := ctx.Deadline(); ok { // a program that is only being started may need longer: the caller knows
		within = max(time.Until(end), 0).Round(100 * time.Millisecond)
	} else {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, helloTime)
		defer cancel()
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	info, err := exchangeHello(conn, r, who)
	if stop() && err == nil {
		return info, nil
	}
	if cause := ctx.Err(); errors.Is(cause, context.DeadlineExceeded) {
		return Info{}, fmt.Errorf("no welcome within %s: does this connection lead to a monarch-tui program? %w", within, cause)
	} else if cause != nil {
		return Info{}, cause
	}
	return Info{}, err
}

func exchangeHello(conn net.Conn, r *bufio.Reader, who ClientInfo) (Info, error) {
	body, err := enc().Marshal(hello{Min: MinVersion, Max: MaxVersion, Name: who.Name, Role: who.Role})
	if err != nil {
		return Info{}, err
	}
	b, err := appendMessage(nil, frame{Kind: kindHello, Body: body})
	if err != nil {
		return Info{}, err
	}
	_, wrote := conn.Write(b) // a server that turns us away may have closed already, and its reason waits to be read
	said := textOf(r)
	for {
		f, err := readFrame(r, friendlyDec())
		if err != nil && wrote != nil {
			return Info{}, fmt.Errorf("greet the program: %w", wrote)
		}
		if errors.Is(err, errFrame) {
			return Info{}, &strangerError{said, err}
		}
		if errors.Is(err, io.EOF) {
			return Info{}, errors.New("the program closed the connection without a welcome")
		}
		if err != nil {
			return Info{}, err
		}
		switch f.Kind {
		case kindBye:
			return Info{}, byeError(f)
		case kindWelcome:
			var info Info
			if err := friendlyDec().Unmarshal(f.Body, &info); err != nil {
				return Info{}, fmt.Errorf("%w: welcome: %w", errFrame, err)
			}
			return info, nil
		default: // from a newer program
		}
	}
}

// strangerError is what comes of greeting somebody who does not speak the protocol.
type strangerError struct {
	said  string // the first line, where it is text
	cause error
}

func (e *strangerError) what() string {
	if e.said == "" {
		return "this is no monarch-tui session"
	}
	return fmt.Sprintf("this is no monarch-tui session: it answered %q", e.said)
}

func (e *strangerError) Error() string { return e.what() + " (" + e.cause.Error() + ")" }
func (e *strangerError) Unwrap() error { return e.cause }

// textOf is the first line of what arrives first, if it is text: the length in front of a frame begins with a zero.
func textOf(r *bufio.Reader) string {
	const most = 60
	if _, err := r.Peek(1); err != nil {
		return ""
	}
	b, _ := r.Peek(min(r.Buffered(), most))
	line, _, _ := strings.Cut(string(b), "\n")
	if strings.ContainsRune(line, 0) || !utf8.ValidString(line) {
		return ""
	}
	return strings.TrimRight(line, "\r")
}

func byeError(f *frame) error {
	if f.Err == nil {
		return ErrClosed
	}
	return f.Err
}
