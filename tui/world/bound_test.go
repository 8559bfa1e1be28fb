package world

import (
	"fmt"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// TestOfTheEventsOnlyTheLastAreKeptAndTheOthersCounted holds INV-BOUND and INV-COUNT.
func TestOfTheEventsOnlyTheLastAreKeptAndTheOthersCounted(t *testing.T) {
	const more = 777
	w := New()
	for n := range MaxMessages + more {
		w.Apply(control.Update{Events: []*control.Event{
			{Message: &control.Message{ID: uint64(n)}}, {Log: &control.Log{Text: fmt.Sprint(n)}}, {Failure: &control.Failure{What: fmt.Sprint(n)}},
		}})
	}
	w.Apply(control.Update{Events: []*control.Event{{Dropped: &control.Dropped{Data: 5}}}})
	if kept, gone := w.Messages.Total()-w.Messages.First(), w.Messages.First(); kept != MaxMessages || gone != more || w.Messages.Size() != MaxMessages {
		t.Errorf("%d messages are kept, %d are counted as gone, there is room for %d", kept, gone, w.Messages.Size())
	}
	if got := w.Messages.At(w.Messages.First()).ID; got != more {
		t.Errorf("the oldest message is %d, want %d", got, more)
	}
	if kept, gone := w.Logs.Total()-w.Logs.First(), w.Logs.First(); kept != MaxLogs || gone != MaxMessages+more-MaxLogs {
		t.Errorf("%d lines are kept, and %d are counted as gone", kept, gone)
	}
	if n := len(w.Failures); n > MaxMessages/10 {
		t.Errorf("%d failures are kept", n)
	}
	if w.Dropped.Data != 5 {
		t.Errorf("%d events are counted as dropped, want 5", w.Dropped.Data)
	}
}
