package tui

import (
	"context"
	"errors"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// conn is a connection to a session, with what hangs on it.
type conn struct {
	gen     int // results of another generation are thrown away
	client  *control.Client
	session *script.Session
	watch   *control.Watch
	since   time.Time
	viewer  bool // may only look
}

func (c *conn) close() {
	if c == nil || c.client == nil {
		return
	}
	c.watch.Close()
	_ = c.session.Close()
	_ = c.client.Close()
}

// tagged is a result that belongs to a connection.
type tagged struct {
	gen int
	msg tea.Msg
}

// Messages about the connection.
type (
	connected struct {
		gen  int
		conn *conn
		err  error
	}
	updateMsg struct { // what has happened since the last frame
		update control.Update
	}
	lostMsg struct{ err error }
	redial  struct{ gen int }
)

// dialer makes a connection to a session, again after it was lost.
type dialer struct {
	dial func(ctx context.Context) (*control.Client, error)
	name string // what to call it before it answers
	own  bool   // the session ends with this program
}

// frame is the shortest time between two batches of updates; a terminal without focus gets them more rarely.
const (
	frame        = time.Second / 30
	frameBlurred = time.Second / 2
)

// connect dials in the background. The old connection stays until the new one stands.
func (m *Model) connect(d dialer) tea.Cmd {
	m.lastGen++
	gen := m.lastGen
	m.dialing = &dialing{dialer: d, gen: gen, began: m.now()}
	m.touch()
	return tea.Batch(m.task(func() tea.Msg {
		c, err := m.open(m.ctx, d)
		if c != nil {
			c.gen = gen
		}
		return connected{gen, c, err}
	}), m.animate())
}

// dialing is a connection that is being made.
type dialing struct {
	dialer
	gen   int
	began time.Time
	tries int
}

func (m *Model) open(ctx context.Context, d dialer) (*conn, error) {
	client, err := d.dial(ctx)
	if err != nil {
		return nil, err
	}
	c := &conn{client: client, since: m.now(), viewer: client.Info().Client.Role == control.RoleViewer}
	if c.session, err = script.NewSession(ctx, client, m.cfg.Commands); err == nil {
		c.watch, err = client.Watch(ctx)
	}
	if err != nil {
		if c.session != nil {
			_ = c.session.Close()
		}
		return nil, errors.Join(err, client.Close())
	}
	return c, nil
}

// connectedNow takes a connection, or the reason why there is none.
func (m *Model) connectedNow(msg connected) tea.Cmd {
	d := m.dialing
	if d == nil || d.gen != msg.gen {
		msg.conn.close()
		return nil
	}
	m.touch()
	if msg.err != nil {
		m.connErr = msg.err.Error()
		if m.conn == nil && m.everConnected || m.lost { // it was there: it may come back
			d.tries++
			return m.after(backoff(d.tries), redial{d.gen})
		}
		m.dialing = nil
		m.say(sayError, fmt.Sprintf("%s: %v", d.name, msg.err))
		m.errors++
		return nil
	}
	old := m.conn
	again := m.lost
	m.conn, m.dialer, m.dialing, m.connErr, m.lost, m.everConnected = msg.conn, d.dialer, nil, "", false, true
	m.dropJobs()
	if !again {
		m.forget()
	}
	m.world.AsOf = time.Time{}
	cmds := []tea.Cmd{m.pump(0)}
	if old != nil {
		cmds = append(cmds, m.task(func() tea.Msg { old.close(); return nil }))
	}
	if again {
		m.say(sayGood, "connected again")
	}
	if name := m.cfg.Demo; name != "" {
		m.cfg.Demo = ""
		for _, d := range m.cfg.Demos {
			if d.Name == name {
				cmds = append(cmds, m.startStory(d, m.cfg.Auto))
			}
		}
	}
	return tea.Batch(cmds...)
}

// pump waits for the next updates, not before the frame is over. Between two frames the watch gathers them, within
// bounds, and counts what it drops.
func (m *Model) pump(wait time.Duration) tea.Cmd {
	c, ctx := m.conn, m.ctx
	return m.task(func() tea.Msg {
		if wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return nil
			}
		}
		u, err := c.watch.Next(ctx)
		if err != nil {
			return tagged{c.gen, lostMsg{err}}
		}
		return tagged{c.gen, updateMsg{u}}
	})
}

// disconnected keeps what is known, and dials again.
func (m *Model) disconnected(err error) tea.Cmd {
	if m.quitting || m.ctx.Err() != nil {
		return nil
	}
	old := m.conn
	m.conn, m.lost = nil, true
	m.world.AsOf = m.now()
	m.connErr = err.Error()
	m.dropJobs()
	m.touch()
	closing := m.task(func() tea.Msg { old.close(); return nil })
	if m.dialer.own {
		m.say(sayError, "the session has ended: "+err.Error())
		return closing
	}
	m.say(sayWarn, "lost the connection: "+err.Error())
	m.lastGen++
	m.dialing = &dialing{dialer: m.dialer, gen: m.lastGen, began: m.now(), tries: 1}
	return tea.Batch(closing, m.after(backoff(1), redial{m.lastGen}), m.animate())
}

// dialAgain is the next try after a lost connection.
func (m *Model) dialAgain(msg redial) tea.Cmd {
	d := m.dialing
	if d == nil || d.gen != msg.gen {
		return nil
	}
	m.lastGen++
	d.gen = m.lastGen
	gen := d.gen
	m.touch()
	return m.task(func() tea.Msg {
		c, err := m.open(m.ctx, d.dialer)
		if c != nil {
			c.gen = gen
		}
		return connected{gen, c, err}
	})
}

// backoff is the pause before a try: 0.25 s, doubled up to 5 s.
func backoff(tries int) time.Duration {
	return min(5*time.Second, 250*time.Millisecond<<min(tries-1, 5))
}

// dropJobs gives up on commands that a lost connection cannot answer any more.
func (m *Model) dropJobs() {
	for _, e := range m.running() {
		if e.cancel != nil {
			e.cancel()
		}
		e.done, e.err = true, "the connection was lost before it ended; it may have run"
		m.errors++
	}
	m.serial, m.waiting = nil, nil
}

// attach connects to another session; without an address it lists those that run.
func (m *Model) attach(addr string) tea.Cmd {
	if addr == "" {
		return m.openSessions()
	}
	return m.connect(dialer{name: addr, dial: func(ctx context.Context) (*control.Client, error) {
		return control.Dial(ctx, addr, m.cfg.Who)
	}})
}
