package tui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger"
	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// conn is a connection to a session, with what hangs on it.
type conn struct {
	gen      int // results of another generation are thrown away
	client   *control.Client
	session  *script.Session
	base     *script.Session         // what session knew when nothing ran on it: for whatever runs beside it
	heard    atomic.Pointer[answers] // who hears the answers of what runs on session
	watch    *control.Watch
	limit    time.Duration // of a command
	past     *past         // what was before, until it is shown
	pulse    pulse
	viewer   bool              // may only look
	attached debugger.Attached // whom session was attached to when a command on it ended
	links    *links
	once     sync.Once
}

func newConn(client *control.Client, session *script.Session, watch *control.Watch) *conn {
	c := &conn{limit: 30 * time.Second, client: client, session: session, watch: watch, viewer: client.Info().Client.Role == control.RoleViewer}
	session.Listen(func(x script.Answer) {
		if a := c.heard.Load(); a != nil {
			a.add(x)
		}
	})
	c.idle()
	return c
}

// idle notes what the session knows, while nothing runs on it.
func (c *conn) idle() {
	c.heard.Store(nil)
	c.base = c.session.Fork()
}

// close leaves the session; it may be called more than once.
func (c *conn) close() {
	if c == nil {
		return
	}
	c.once.Do(func() {
		c.links.remove(c)
		c.watch.Close()
		_ = c.session.Close()
		_ = c.client.Close()
	})
}

// links are the connections that stand. One may be made just when nobody takes it any more: this closes it.
type links struct {
	mu    sync.Mutex
	open  map[*conn]bool
	ended bool
}

// add is false when everything has ended: the connection is closed then.
func (l *links) add(c *conn) bool {
	l.mu.Lock()
	ended := l.ended
	if !ended {
		c.links, l.open[c] = l, true
	}
	l.mu.Unlock()
	if ended {
		c.close()
	}
	return !ended
}

func (l *links) remove(c *conn) {
	if l != nil {
		l.mu.Lock()
		delete(l.open, c)
		l.mu.Unlock()
	}
}

// end closes all, and whatever comes later.
func (l *links) end() {
	l.mu.Lock()
	l.ended = true
	all := slices.Collect(maps.Keys(l.open))
	l.mu.Unlock()
	for _, c := range all {
		c.close()
	}
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
	by   *entry // the command that wants it; nil: none
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
	return tea.Batch(m.dial(d, gen), m.animate())
}

func (m *Model) dial(d dialer, gen int) tea.Cmd {
	return m.task(func() tea.Msg {
		c, err := m.open(m.ctx, d)
		if c != nil {
			c.gen = gen
		}
		return connected{gen, c, err}
	})
}

// dialing is a connection that is being made.
type dialing struct {
	dialer
	gen   int
	began time.Time
	tries int  // so far
	again bool // it was there, and was lost: what is known of it still holds
}

func (m *Model) open(ctx context.Context, d dialer) (*conn, error) {
	client, err := d.dial(ctx)
	if err != nil {
		return nil, err
	}
	opt := m.cfg.Commands
	opt.Launches = m.cfg.Settings.Launches
	session, err := script.NewSession(ctx, client, opt)
	var watch *control.Watch
	if err == nil {
		watch, err = client.Watch(ctx)
	}
	if err != nil {
		if session != nil {
			_ = session.Close()
		}
		return nil, errors.Join(err, client.Close())
	}
	c := newConn(client, session, watch)
	look, cancel := context.WithTimeout(ctx, lookBack)
	defer cancel()
	c.past = &past{}
	c.past.lines, _ = client.Logs(look, control.LogsReq{Last: maxPast}) // without them it is a little less to see
	c.past.messages, _ = client.Messages(look, control.MessagesReq{Last: maxPastMessages})
	c.limit = cmp.Or(m.cfg.Commands.Timeout, c.limit)
	if !m.links.add(c) {
		return nil, context.Canceled
	}
	return c, nil
}

// pulse is how we know that a session still answers: one question a second, never two at a time.
type pulse struct {
	token    uint64
	asked    time.Time
	answered uint64
}

// silence is how long a session may take to answer before it is told: one that is stopped, by a debugger or a signal,
// keeps its connections, and nothing else shows it.
const silence = 2500 * time.Millisecond

// feel asks whether the session is there, if it has answered the last time.
func (m *Model) feel() {
	c := m.conn
	if c == nil || c.pulse.answered < c.pulse.token {
		return
	}
	c.pulse.token++
	c.pulse.asked = m.now()
	c.watch.Sync(c.pulse.token)
}

// silent is how long the session has not answered, 0 while it does.
func (m *Model) silent() time.Duration {
	c := m.conn
	if c == nil || c.pulse.answered >= c.pulse.token {
		return 0
	}
	if d := m.now().Sub(c.pulse.asked); d > silence {
		return d
	}
	return 0
}

const (
	maxPast         = 500             // lines from before we came; the engine keeps some thousands
	maxPastMessages = 4096            // and messages, which are all that it keeps
	lookBack        = 2 * time.Second // for a session that does not answer such questions
)

// past is what was before we came.
type past struct {
	lines    []control.Log
	messages control.MessageLog
}

// recall puts what was before before what comes first. The lines of the time between are in both; the messages of it are
// those that came after the snapshot.
func (c *conn) recall(w *world.World, u *control.Update) {
	key := func(l *control.Log) string { return fmt.Sprint(l.Time.UnixNano(), l.Proc, l.Stream, l.Text) }
	known := map[string]bool{}
	for _, ev := range u.Events {
		if ev.Log != nil {
			known[key(ev.Log)] = true
		}
	}
	var before []*control.Event
	for i := range c.past.lines {
		if l := &c.past.lines[i]; !known[key(l)] {
			before = append(before, &control.Event{Log: l})
		}
	}
	if u.Snapshot != nil {
		w.Older = c.past.messages.Older
		for i := range c.past.messages.Events {
			if ev := &c.past.messages.Events[i]; (ev.Message != nil || ev.Failure != nil) && ev.Seq <= u.Snapshot.Seq {
				before = append(before, ev)
			}
		}
	}
	u.Events = append(before, u.Events...)
	c.past = nil
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
		if m.conn == nil {
			m.connErr = msg.err.Error()
		}
		if d.again { // it was there: it may come back
			d.tries++
			return m.after(backoff(d.tries), redial{d.gen})
		}
		m.dialing = nil
		m.notAttached(d, msg.err)
		if m.lost { // back to waiting for the one that was lost
			return m.redial()
		}
		return nil
	}
	old, again := m.conn, d.again
	if again {
		msg.conn.past = nil // they are shown
	} else {
		m.leave()
	}
	m.conn, m.dialer, m.dialing, m.connErr, m.lost = msg.conn, d.dialer, nil, "", false
	m.world.AsOf = time.Time{}
	cmds := []tea.Cmd{m.pump(0)}
	if old != nil {
		cmds = append(cmds, m.task(func() tea.Msg { old.close(); return nil }))
	}
	if again {
		m.say(sayGood, "connected again")
	}
	if name := m.cfg.Demo; name != "" && d.own {
		m.cfg.Demo = ""
		for _, d := range m.cfg.Demos {
			if d.Name == name {
				cmds = append(cmds, m.startStory(d, m.cfg.Auto))
			}
		}
	}
	return tea.Batch(cmds...)
}

// notAttached has the command that wanted a connection fail, so that its reason can still be read later.
func (m *Model) notAttached(d *dialing, err error) {
	e := d.by
	if e == nil { // the first one, that no command wants
		m.unreached = control.Failure{Time: m.now(), What: fmt.Sprintf("%s: %v", d.name, err)}
		m.say(sayError, m.unreached.What)
		m.errors++
		return
	}
	e.ok, e.took = false, m.now().Sub(e.began)
	m.toast = toast{} // it would hide the failure
	m.failed(e, strings.TrimPrefix(err.Error(), "attach "+d.name+": "))
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
	m.dropJobs("the connection was lost before it ended; it may have run")
	m.touch()
	closing := m.task(func() tea.Msg { old.close(); return nil })
	if m.dialer.own {
		m.say(sayError, "the session has ended: "+err.Error())
		return closing
	}
	m.say(sayWarn, "lost the connection: "+err.Error())
	if m.dialing != nil { // on the way to another session: that comes first
		return closing
	}
	return tea.Batch(closing, m.redial())
}

// redial begins to dial what was lost; what ended with its program does not come back.
func (m *Model) redial() tea.Cmd {
	if m.dialer.own {
		return nil
	}
	m.lastGen++
	m.dialing = &dialing{dialer: m.dialer, gen: m.lastGen, began: m.world.AsOf, tries: 1, again: true}
	return tea.Batch(m.after(backoff(1), redial{m.lastGen}), m.animate())
}

// leave forgets the session that is shown, for another one.
func (m *Model) leave() {
	m.dropJobs("you left the session before it ended; it may have run")
	if m.dialer.own {
		procs, _ := m.world.Live()
		m.ownRuns = len(procs)
		m.story.drop()
		m.story = nil
	}
	m.forget()
}

// dialAgain is the next try after a lost connection.
func (m *Model) dialAgain(msg redial) tea.Cmd {
	d := m.dialing
	if d == nil || d.gen != msg.gen {
		return nil
	}
	m.lastGen++
	d.gen = m.lastGen
	m.touch()
	return m.dial(d.dialer, d.gen)
}

// backoff is the pause before a try: 0.25 s, doubled up to 5 s.
func backoff(tries int) time.Duration {
	return min(5*time.Second, 250*time.Millisecond<<min(tries-1, 5))
}

// dropJobs gives up on commands that the connection cannot answer any more.
func (m *Model) dropJobs(why string) {
	for _, e := range m.running() {
		if e.cancel != nil {
			e.cancel()
		}
		e.done, e.err = true, why
		if e.queued {
			e.queued, e.err = false, "the session is gone; its turn had not come, so it has not run"
		}
		m.errors++
	}
	m.serial, m.waiting = nil, nil
}

// attach connects to another session, as a command wants it; without an address it lists those that run.
func (m *Model) attach(by *entry, addr string) tea.Cmd {
	if addr == "" {
		return m.openSessions()
	}
	own := m.own.Name != "" && (addr == m.own.Name || addr == strconv.Itoa(m.own.PID)) // back from another one
	return m.connect(dialer{name: addr, own: own, by: by, dial: func(ctx context.Context) (*control.Client, error) {
		return control.Dial(ctx, addr, m.cfg.Who)
	}})
}
