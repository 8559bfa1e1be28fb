package tui

import (
	"errors"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/inspect"
)

// pongFrame is the frame of a stopped ponger.
func pongFrame(st control.Stop) control.FrameView {
	return control.FrameView{
		Stop: st, Bytes: 13, Budget: 4100e6,
		Args: []control.StateNode{{Name: "ball", Path: "args.ball", Type: "pingpong.Ball", Kind: "struct", Text: `{n: 3, tag: "warm"}`, Len: 2, Nodes: []control.StateNode{
			{Name: "n", Path: "args.ball.n", Type: "int", Kind: "int", Text: "3"}, {Name: "tag", Path: "args.ball.tag", Type: "string", Kind: "string", Text: `"warm"`},
		}}},
		Stack: "goroutine 41 [running]:\nexample.com/pingpong.(*Ponger).Pong(0xc000128000, {0x1, 0x2})\n\t/src/pingpong/pingpong.go:41 +0x1d\ngithub.com/monarch-tui/monarch-tui/engine.(*actor).invoke(0xc0001a2000)\n\t/src/engine/actor.go:311 +0x2c4\n",
		Chain: []control.Waiting{{Actor: "@driver[0]", Msg: 12}, {Actor: "@pinger[9]", Msg: 40}},
	}
}

// looked answers what the inspector asks for.
func looked(m *Model) {
	m.panes.inspect.LookAgain()
	for range 40 {
		if ask, ok := m.panes.inspect.Want(m.world); ok {
			m.panes.inspect.SetState(m.world, ask, ballState("1181"), nil)
		}
		ask, ok := m.panes.inspect.WantLook(m.world)
		if !ok {
			break
		}
		var seen inspect.Seen
		switch ask.What {
		case control.ProbeFrame:
			st, _, _ := m.panes.inspect.Stopped()
			seen.Frame = pongFrame(st)
		case control.ProbeMailbox:
			seen.Mailbox = control.Mailbox{Total: 54, Messages: []control.Queued{
				{Msg: 1183, Call: 42, Endpoint: "Pong", Arg: `{n: 4, tag: "warm"}`, Sender: "@pinger[1]", Bytes: 13, Waiting: true},
				{Msg: 1184, Call: 43, Endpoint: "Pong", Arg: `{n: 5, tag: "warm"}`, Sender: "@pinger[1]", Bytes: 13, Edited: true},
				{Msg: 1185, Call: 44, Endpoint: "Status", Sender: "main"},
			}}
		case control.ProbeEnv:
			seen.Env = []string{"CUDA_VISIBLE_DEVICES=1", "PATH=/usr/bin"}
		case control.ProbeEval:
			seen.Value = control.Value{Text: "1182", Kind: "int"}
		}
		m.panes.inspect.SetLook(m.world, ask, seen)
	}
	m.touch()
}

// watching looks at the state of a rank at two stops, with a value that is watched.
func watching(t testing.TB, m *Model) {
	press(t, m, "2", "n", "3")
	looked(m)
	press(t, m, "g")
	for range 12 {
		if strings.HasPrefix(m.panes.inspect.Text(), "count") {
			break
		}
		press(t, m, "j")
	}
	press(t, m, "w")
	looked(m)
	st, _, _ := m.panes.inspect.Stopped()
	st.Gen, st.By, st.Reason = st.Gen+1, "explorer", "step"
	m.world.Apply(control.Update{Events: []*control.Event{{Stop: &control.StopEvent{Stop: st}}}})
	for range 10 {
		if ask, ok := m.panes.inspect.Want(m.world); ok {
			m.panes.inspect.SetState(m.world, ask, ballState("1182"), nil)
		}
		if ask, ok := m.panes.inspect.WantLook(m.world); ok {
			m.panes.inspect.SetLook(m.world, ask, inspect.Seen{Frame: pongFrame(st), Value: control.Value{Text: "1183", Kind: "int"}})
		}
	}
	m.toast = toast{}
	m.touch()
}

// compared keeps the state of one rank, and looks at the next that is paused.
func compared(t testing.TB, m *Model) {
	press(t, m, "2", "n")
	looked(m)
	press(t, m, "&", "n")
	for range 3 {
		if ask, ok := m.panes.inspect.Want(m.world); ok {
			m.panes.inspect.SetState(m.world, ask, ballState("1179"), nil)
		}
	}
	m.toast = toast{}
	m.touch()
}

// refused has the session refuse a condition, with the place.
func refused(t testing.TB, m *Model) {
	press(t, m, "2", "n", "b")
	typeText(m, "state.cuont > 2")
	press(t, m, "enter")
	debugDone{e: m.shownEntry, err: errors.New("break: if: there is no field cuont in state (did you mean count?)\n  state.cuont > 2\n        ^")}.apply(m)
}
