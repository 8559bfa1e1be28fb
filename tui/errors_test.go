package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// TestTheErrorsAreListedTheNewestFirst mixes what a person did and what the session tells.
func TestTheErrorsAreListedTheNewestFirst(t *testing.T) {
	now := worldtest.Start()
	b := worldtest.Pingpong(t)
	for i, what := range []string{"second thing", "fourth thing"} {
		b.Failure(control.Failure{Time: now.Add(time.Duration(2*i+2) * time.Minute), What: what})
	}
	m := still(t, b, 120, 40, func(c *Config) { c.Now = func() time.Time { return now } })
	for _, minute := range []int{1, 3, 5} {
		now = worldtest.Start().Add(time.Duration(minute) * time.Minute)
		m.failed(m.logCommand([]string{"first", "third", "fifth"}[minute/2]+" thing"), "no")
	}
	press(t, m, "E")
	got, from := screen(t, m), 0
	got = got[strings.Index(got, "Errors"):]
	for _, name := range []string{"fifth", "fourth", "third", "second", "first"} {
		at := strings.Index(got, name+" thing")
		if at < from {
			t.Fatalf("%s stands too high, or not at all:\n%s", name, got)
		}
		from = at
	}
}
