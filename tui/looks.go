package tui

import (
	"context"
	"errors"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/inspect"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// lookMsg is the answer to a question of the inspector about a stopped actor.
type lookMsg struct {
	gen  int
	ask  inspect.Look
	seen inspect.Seen
}

// wantLook asks for what the inspector shows of a stopped actor, one question at a time.
func (m *Model) wantLook() tea.Cmd {
	if m.looking || m.offline() != "" || m.layoutHides(Inspect) {
		return nil
	}
	ask, ok := m.panes.inspect.WantLook(m.world)
	if !ok {
		return nil
	}
	x, found := m.world.MeshByID(ask.Mesh)
	if !found || x.Gone {
		return nil
	}
	m.looking = true
	c, gen, ctx, name := m.conn.client, m.conn.gen, m.ctx, x.Ref.Name
	return m.task(func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, stateTime)
		defer cancel()
		return lookMsg{gen, ask, askLook(ctx, c, name, ask)}
	})
}

// askLook asks the session.
func askLook(ctx context.Context, c *control.Client, mesh string, ask inspect.Look) (seen inspect.Seen) {
	switch ask.What {
	case control.ProbeFrame:
		seen.Frame, seen.Err = c.Frame(ctx, ask.Stop, control.FrameQuery{})
	case control.ProbeEnv:
		seen.Env, seen.Err = c.Env(ctx, ask.Stop)
	case control.ProbeEval:
		seen.Value, seen.Err = c.EvalAt(ctx, ask.Stop, ask.Expr)
	case control.ProbeMailbox:
		all, err := c.Mailboxes(ctx, mesh, []int{ask.Rank}, control.MailboxQuery{})
		switch {
		case err != nil:
			seen.Err = err
		case len(all) != 1:
			seen.Err = errors.New("the session sent no answer")
		case all[0].Error != "":
			seen.Err = errors.New(all[0].Error)
		default:
			seen.Mailbox = all[0].Answer
		}
	}
	return seen
}

func (l lookMsg) apply(m *Model) tea.Cmd {
	m.looking = false
	if m.conn == nil || l.gen != m.conn.gen {
		return nil
	}
	m.panes.inspect.SetLook(m.world, l.ask, l.seen)
	return m.wantLook()
}

// openLine asks for a text at the foot of the screen.
func (m *Model) openLine(mark, hint string, done func(m *Model, text string) tea.Cmd) {
	m.input = &input{mark: mark, field: dialog.NewEdit(""), hint: hint, keys: []dialog.Key{{Key: "enter", Hint: "do it"}, {Key: "esc", Hint: "back"}}, done: done}
	m.touch()
}

// openEditHeld opens the arguments of the message that is held, each as a literal. Those that are changed are set, one after
// the other.
func (m *Model) openEditHeld() tea.Cmd {
	st, args, ok := m.panes.inspect.Stopped()
	if !ok {
		return nil
	}
	if args == nil { // it has not been looked at
		c, gen, ctx := m.conn.client, m.conn.gen, m.ctx
		return m.task(func() tea.Msg {
			ctx, cancel := context.WithTimeout(ctx, stateTime)
			defer cancel()
			view, err := c.Frame(ctx, control.StopRef{ID: st.ID, Gen: st.Gen}, control.FrameQuery{})
			return tagged{gen, heldMsg{st, view.Args, err, m.keys}}
		})
	}
	m.editHeld(&st, args)
	return nil
}

// heldMsg is the arguments of the message that is held, to be changed.
type heldMsg struct {
	st   control.Stop
	args []control.StateNode
	err  error
	keys int // pressed, when it was asked for
}

func (h heldMsg) apply(m *Model) tea.Cmd {
	switch {
	case h.err != nil:
		m.say(sayError, "the arguments cannot be read: "+h.err.Error())
	case m.keys != h.keys || m.top() != nil || m.input != nil: // the person has gone on
	default:
		m.editHeld(&h.st, h.args)
	}
	return nil
}

// held is a field of the form of a held message.
type held struct {
	path  string
	was   string
	field *dialog.Field
}

// editHeld opens the form.
func (m *Model) editHeld(st *control.Stop, args []control.StateNode) {
	var fields []held
	add := func(n *control.StateNode, label string) {
		f := dialog.TextField(label, n.Text, "")
		f.Type = n.Type
		fields = append(fields, held{n.Path, n.Text, f})
	}
	for i := range args {
		n := &args[i]
		if n.Kind != "struct" || len(n.Nodes) == 0 || len(n.Nodes) < n.Len {
			add(n, n.Name)
			continue
		}
		for j := range n.Nodes { // each field is easier to change than all of it
			add(&n.Nodes[j], n.Name+"."+n.Nodes[j].Name)
		}
	}
	if len(fields) == 0 {
		m.say(sayWarn, st.Endpoint+" takes no arguments")
		return
	}
	var sent *entry
	var f *dialog.Form
	changed := func() (out []held) {
		for _, x := range fields {
			if x.field.Value() != x.was {
				out = append(out, x)
			}
		}
		return out
	}
	line := func() string {
		var parts []string
		for _, x := range changed() {
			parts = append(parts, "on "+stopName(st)+" set "+x.path+" "+x.field.Value())
		}
		return strings.Join(parts, " ; ")
	}
	ref := control.StopRef{ID: st.ID, Gen: st.Gen}
	f = &dialog.Form{
		Title: func() string { return "What " + world.ActorName(st.Mesh, st.Rank) + " gets in " + st.Endpoint },
		Enter: "change it", Block: m.blocked,
		Below: func(w int) [][]paint.Seg { return [][]paint.Seg{f.Labelled("command", paint.Text, line(), w)} },
		Result: func(w int) (out [][]paint.Seg) {
			if sent == nil || !sent.done || sent.ok {
				return nil
			}
			for i, l := range paint.Wrap("✕ "+sent.err, w-2) {
				if i < 4 {
					out = append(out, []paint.Seg{{Style: paint.Style{Fg: paint.Failed}, Text: l}})
				}
			}
			return out
		},
		Live: func() bool { return sent != nil && !sent.done },
		Again: func() tea.Cmd {
			if sent != nil && sent.done && sent.ok {
				m.drop(f)
			}
			return nil
		},
		Submit: func() tea.Cmd {
			list := changed()
			if len(list) == 0 {
				m.say(sayWarn, "nothing is changed")
				return nil
			}
			var reqs []control.EditReq
			for _, x := range list {
				reqs = append(reqs, control.EditReq{Stop: ref, Path: x.path, Value: x.field.Value()})
			}
			cmd := m.debugDo(line(), func(ctx context.Context, c *control.Client) (string, error) {
				var done []string
				for _, r := range reqs {
					got, err := c.Edit(ctx, r)
					if err != nil {
						return "", err
					}
					done = append(done, r.Path+": "+got.Old+" → "+got.New)
				}
				return strings.Join(done, " · "), nil
			}, func(m *Model) { m.panes.inspect.LookAgain() })
			sent = m.shownEntry
			return cmd
		},
	}
	for i := range fields {
		f.Fields = append(f.Fields, fields[i].field)
	}
	f.Check()
	m.push(f)
}

func noQueued(m *Model) string {
	if why := m.blocked(); why != "" {
		return why
	}
	if _, ok := m.panes.inspect.Queued(); !ok || m.focus != Inspect {
		return "the cursor is on no message of a mailbox (in the inspector)"
	}
	return ""
}

// askDiscard discards the message under the cursor, once it is said that it is meant.
func (m *Model) askDiscard() tea.Cmd {
	q, ok := m.panes.inspect.Queued()
	mesh, rank, is := m.thisActor()
	if !ok || !is {
		return nil
	}
	line := "discard " + strconv.FormatUint(q.Msg, 10) + " @" + world.ActorName(mesh, rank)
	m.push(&dialog.Confirm{
		Title: "discard " + q.Endpoint + "?", Text: "The message never reaches @" + world.ActorName(mesh, rank) + "; who waits for its answer gets an error. This cannot be undone.",
		Do: func() tea.Cmd {
			m.panes.inspect.LookAgain()
			return m.command(line)
		},
	})
	return nil
}
