package relay

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

func frame(id uint64, body string) *quicnet.Envelope {
	return &quicnet.Envelope{Kind: quicnet.KindReply, ID: id, From: quicnet.Addr{Proc: 7, Actor: 3}, Body: []byte(body)}
}

// TestWhatIsReadIsWhatWasWritten holds INV-SAME.
func TestWhatIsReadIsWhatWasWritten(t *testing.T) {
	want := []Target{{0, 1, 0, 0}, {300, 1 << 40, 1<<32 - 1, 1<<32 - 1}, {1<<64 - 1, 5, 2, 7}}
	got, arg, err := Targets(append(AppendTargets(nil, want), "argument"...))
	if err != nil || !slices.Equal(got, want) || string(arg) != "argument" {
		t.Errorf("%v, %q, %v", got, arg, err)
	}
	var b []byte
	for i := range uint64(5) {
		b = AppendFrame(b, frame(i, "value"))
	}
	n := uint64(0)
	if err := Frames(b, func(env *quicnet.Envelope) error {
		if env.ID != n || string(env.Body) != "value" || env.From != (quicnet.Addr{Proc: 7, Actor: 3}) {
			t.Errorf("frame %d: %+v", n, env)
		}
		n++
		env.Free()
		return nil
	}); err != nil || n != 5 {
		t.Errorf("%d frames, %v", n, err)
	}
	stop := errors.New("stop")
	if err := Frames(b, func(*quicnet.Envelope) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
}

// TestWhatNobodyWritesIsRefused holds INV-HOSTILE.
func TestWhatNobodyWritesIsRefused(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":         nil,
		"half a number":   {0x80},
		"many ranks":      {0xff, 0xff, 0x03, 1, 1, 1, 1},
		"fewer than said": {3, 1, 1, 1, 1, 2, 2, 2, 2},
		"a long life":     {1, 1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		"a late epoch":    {1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1},
	} {
		if _, _, err := Targets(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	whole := AppendFrame(nil, frame(1, "x"))
	for name, b := range map[string][]byte{
		"half a length": {0, 0}, "a length of nothing": {0, 0, 0, 9}, "no envelope": {0, 0, 0, 2, 1, 2},
		"half of it": whole[:len(whole)-1], "more than it": append(bytes.Clone(whole), 0),
	} {
		if err := Frames(b, func(*quicnet.Envelope) error { return nil }); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzTargets(f *testing.F) {
	f.Add(AppendTargets(nil, []Target{{1, 2, 3, 4}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, arg, err := Targets(b)
		if err != nil {
			return
		}
		again, rest, err := Targets(append(AppendTargets(nil, got), arg...))
		if err != nil || !slices.Equal(got, again) || !bytes.Equal(arg, rest) {
			t.Errorf("%v, then %v, %v", got, again, err)
		}
	})
}

func FuzzFrames(f *testing.F) {
	f.Add(AppendFrame(AppendFrame(nil, frame(1, "x")), frame(2, "")))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_ = Frames(b, func(env *quicnet.Envelope) error { env.Free(); return nil })
	})
}
