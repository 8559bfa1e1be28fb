package carrier

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestTheEnvironmentChoosesTheCarrier(t *testing.T) {
	for _, c := range []struct{ value, name, why string }{
		{"", NamePoll, ""},
		{"fast", NamePoll, ""},
		{"plain", NamePlain, "MONARCH_CARRIER=plain"},
		{"nopoll", NameGRO, "MONARCH_CARRIER=nopoll"},
	} {
		t.Setenv(Env, c.value)
		o, err := FromEnv(Options{})
		if err != nil {
			t.Fatal(err)
		}
		a, _ := opened(t, "127.0.0.1:0", "127.0.0.1", o)
		want := Info{c.name, c.why}
		if runtime.GOOS != "linux" && c.value != "plain" {
			want = Info{NamePlain, "it is made for Linux, this is " + runtime.GOOS}
		}
		if a.Info() != want {
			t.Errorf("%s=%q gives %v, want %v", Env, c.value, a.Info(), want)
		}
	}
	t.Setenv(Env, "plian\x1b[31m")
	if _, err := FromEnv(Options{}); err == nil || !strings.Contains(err.Error(), "want plain, nopoll") || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("a value that nobody knows: %v", err)
	}
}

// parkOnce reads from c, to which nobody sends, until the reader has parked.
func parkOnce(t *testing.T, c *Conn) {
	t.Helper()
	was := c.Stats().Parks
	done := make(chan error, 1)
	go func() { _, err := take(c, make([]byte, 10)); done <- err }()
	for end := time.Now().Add(patience); c.Stats().Parks == was; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("the reader does not park: %+v", c.Stats())
		}
	}
	_ = c.SetReadDeadline(time.Now())
	if err := within(t, "a read whose deadline is set to now", done); !isTimeout(err) {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Time{})
}

func TestPollingIsSwitchedWithAReason(t *testing.T) {
	a, _ := opened(t, "127.0.0.1:0", "127.0.0.1", Options{})
	if a.Info().Name != NamePoll {
		t.Skip(a.Info())
	}
	a.SetPoll(false, "64 ranks on 2 CPUs")
	if want := (Info{NameGRO, "64 ranks on 2 CPUs"}); a.Info() != want || a.Info().String() != "udp+gro (64 ranks on 2 CPUs)" {
		t.Errorf("the carrier is %v, want %v", a.Info(), want)
	}
	parkOnce(t, a)
	if s := a.Stats(); s.Hits+s.Late+s.Misses != 0 || s.Parks != 1 {
		t.Errorf("while polling is off: %+v, want one park and no poll", s)
	}
	a.SetPoll(true, "")
	parkOnce(t, a)
	if s := a.Stats(); s.Misses != 1 {
		t.Errorf("when polling is on again: %+v, want a poll", s)
	}
	if want := (Info{NamePoll, ""}); a.Info() != want || a.Info().String() != "udp+gro+poll" {
		t.Errorf("the carrier is %v, want %v", a.Info(), want)
	}
	b, _ := opened(t, "127.0.0.1:0", "127.0.0.1", Options{Poll: -1})
	b.SetPoll(true, "")
	parkOnce(t, b)
	if s := b.Stats(); b.Info().Name != NameGRO || s.Hits+s.Late+s.Misses != 0 || s.Parks != 1 {
		t.Errorf("a carrier that was opened without polling polls: %v, %+v", b.Info(), s)
	}
}

func TestAnAddressThatCannotBeOpenedIsAnError(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:99999", "no port", "192.0.2.1:0"} {
		if c, err := Listen(addr, Options{}); err == nil {
			_ = c.Close()
			t.Errorf("%q opens", addr)
		}
	}
}
