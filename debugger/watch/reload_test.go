package watch_test

import (
	"context"
	"errors"
	"testing"

	"github.com/monarch-tui/monarch-tui/debugger/watch"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// session is one in which somebody else's reload goes on until it is over.
type session struct {
	asked int
	going bool
	sink  func(*control.Event)
	wrong error
}

func (s *session) Subscribe(sink func(*control.Event)) (*control.Snapshot, func()) {
	s.sink = sink
	snap := &control.Snapshot{Session: control.Session{Name: "s"}, Reloads: []control.Reload{{ID: 1, State: control.ReloadDone}, {ID: 2, State: control.ReloadRolling}}}
	if !s.going {
		snap.Reloads[1].State = control.ReloadDone
	}
	go func() {
		sink(&control.Event{Seq: 1, Reload: &control.Reload{ID: 2, State: control.ReloadRolling, Moved: 1}})
		sink(&control.Event{Seq: 2, Reload: &control.Reload{ID: 2, State: control.ReloadFailed}})
	}()
	return snap, func() {}
}

func (s *session) Handle(context.Context, control.ClientInfo, any) (any, error) {
	s.asked++
	switch {
	case s.wrong != nil:
		return nil, s.wrong
	case s.asked == 1:
		return nil, &control.Error{Code: control.CodeTaken, Text: "a reload is going on already, by ada"}
	}
	return control.Reload{ID: 3, State: control.ReloadDone}, nil
}

func (s *session) StartCall(context.Context, control.ClientInfo, control.CallReq, func(control.Reply)) func() (control.CallDone, error) {
	return nil
}
func (s *session) Attach(c control.ClientInfo) control.ClientInfo { return c }
func (s *session) Detach(control.ClientInfo)                      {}

// TestAChangeDuringAnotherReloadIsReloadedAfterIt: also where that was over before it could be looked at.
func TestAChangeDuringAnotherReloadIsReloadedAfterIt(t *testing.T) {
	for _, going := range []bool{true, false} {
		s := &session{going: going}
		c := control.InProcess(s, control.ClientInfo{Name: "watch"})
		rec, err := watch.Reload(t.Context(), c)
		if err != nil || rec.ID != 3 || s.asked != 2 {
			t.Errorf("going on: %v: reload %d, %v, asked %d times; want the second one that was asked for", going, rec.ID, err, s.asked)
		}
		c.Close()
	}
}

func TestAReloadThatIsRefusedOtherwiseIsTold(t *testing.T) {
	s := &session{wrong: errors.New("there are no worker processes")}
	c := control.InProcess(s, control.ClientInfo{Name: "watch"})
	defer c.Close()
	if _, err := watch.Reload(t.Context(), c); err == nil || err.Error() != s.wrong.Error() || s.asked != 1 {
		t.Errorf("%v, asked %d times", err, s.asked)
	}
}
