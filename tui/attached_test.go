package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestWhatWasPrintedBeforeIsShownOnce(t *testing.T) {
	at := time.Unix(100, 5)
	line := func(text string) control.Log { return control.Log{Time: at, Rank: -1, Stream: "out", Text: text} }
	c := &conn{past: []control.Log{line("old"), line("both")}}
	both := line("both")
	u := control.Update{Events: []*control.Event{{Log: &both}}}
	c.recall(&u)
	var got []string
	for _, ev := range u.Events {
		got = append(got, ev.Log.Text)
	}
	if strings.Join(got, " ") != "old both" || c.past != nil {
		t.Errorf("got %v", got)
	}
}

func TestNothingSinceOneAttachedIsNotNothingAtAll(t *testing.T) {
	for _, c := range []struct {
		world *worldtest.Builder
		late  bool
	}{{worldtest.Pingpong(t), true}, {worldtest.New(t), false}} {
		m := still(t, worldtest.New(t), 120, 40)
		m.forget()
		snap := c.world.Snapshot
		snap.Session.Started = m.now()
		snap.Calls = nil
		m.world.Apply(control.Update{Snapshot: &snap})
		got := screen(t, m)
		if strings.Contains(got, "Nothing was called yet") == c.late || strings.Contains(got, "called since you attached") != c.late || strings.Contains(got, "printed since you") != c.late {
			t.Errorf("late %v:\n%s", c.late, got)
		}
	}
}

func TestQuittingNamesWhoElseIsAttachedAndWhatTheyRun(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Own = true })
	m.dialer.own = true
	me := m.conn.client.Info().Client
	m.world.Clients = []control.ClientInfo{me, {ID: me.ID + 1, Name: "ada"}, {ID: me.ID + 2, Name: "script smoke.mtui"}}
	m.world.Calls = []control.Call{{Client: "ada", Mesh: "ponger", Endpoint: "Pong"}, {Client: "ada", Mesh: "ponger", Endpoint: "Pong"}}
	got := strings.Join(strings.Fields(strings.NewReplacer("┃", "", "│", "").Replace(screen(t, press(t, m, "q")))), " ")
	for _, want := range []string{"ada (runs @ponger.Pong)", "script smoke.mtui;", "session ends too"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestASessionThatDoesNotAnswerIsNotLive(t *testing.T) {
	now := time.Unix(1000, 0)
	m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Now = func() time.Time { return now } })
	m.feel()
	if got := screen(t, m); !strings.Contains(got, "● live") {
		t.Error(got)
	}
	now = now.Add(4 * time.Second)
	m.feel()
	m.touch()
	if got := screen(t, m); !strings.Contains(got, "▲ no answer for 4") || strings.Contains(got, "● live") {
		t.Error(got)
	}
	m.updated(updateMsg{control.Update{Sync: m.conn.pulse.token}})
	if got := screen(t, m); !strings.Contains(got, "● live") {
		t.Error(got)
	}
}

func TestInASCIIWhatIsIdleIsNoSeparator(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Settings.ASCII = true })
	screen(t, m)
	if got := ansi.Strip(m.screen.Encode(m.theme)); !strings.Contains(got, "procs - ") || !strings.Contains(got, ". idle") {
		t.Error(got)
	}
}

func TestASpawnOnADeadRankIsToldInTheForm(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	if got := screen(t, press(t, m, "1", "a")); !strings.Contains(got, "rank 40-47 of trainers has ended: there will be no actor") {
		t.Error(got)
	}
}
