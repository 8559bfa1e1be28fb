package engine_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
)

// What is no decision escalates, and the log says that it was none.
func TestWhatIsNoDecisionIsToldAndEscalates(t *testing.T) {
	for name, opts := range map[string][]engine.Option{"in one process": {engine.AllInProcess()}, "worker processes": nil} {
		t.Run(name, func(t *testing.T) {
			log := &buffer{}
			e, err := engine.Start(t.Context(), append(opts, engine.NoSession(), engine.Log(slog.New(slog.NewTextHandler(log, nil))))...)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			climbed := make(chan engine.Failure, 1)
			if _, err := engine.Supervise(e.Context(), func(_ context.Context, f engine.Failure) engine.Decision {
				climbed <- f
				return engine.Handled
			}); err != nil {
				t.Fatal(err)
			}
			parent := spawn(t, e.Context(), "parent", 1, Parent{Decision: 7})
			kids, err := engine.Method(parent, (*Parent).Raise).CallOne(e.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			if err := engine.Signal(kids, (*Acc).Fail).Broadcast(e.Context()); err != nil {
				t.Fatal(err)
			}
			select {
			case f := <-climbed:
				if !strings.Contains(f.What, "bad rank") {
					t.Errorf("what escalated is %q", f.What)
				}
			case <-time.After(eventLimit):
				t.Fatal("the failure did not escalate")
			}
			if text := strings.Join(log.lines(), "\n"); !strings.Contains(text, "7 is no decision: want Escalate, Handled") {
				t.Errorf("the log has %q", text)
			}
		})
	}
}
