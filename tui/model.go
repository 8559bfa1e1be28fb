package tui

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/logs"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Model is the explorer's one tea.Model. Everything in it belongs to the goroutine of the program; what runs beside it
// answers with messages.
type Model struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelFunc
	reg    *Registry

	w, h       int
	focus      PaneID
	zoom       Zoom
	side       int
	layout     Layout
	learned    learned // what the panes need
	theme      *paint.Theme
	themeFixed bool // chosen by the person: the terminal's background does not change it
	dark, mono bool
	profile    colorprofile.Profile
	mouse      bool
	blurred    bool

	world     *world.World
	conn      *conn
	links     links
	dialer    dialer // of the session that is shown
	dialing   *dialing
	connErr   string
	unreached control.Failure // of the first connection; none without a text
	lost      bool            // the session that is shown was there, and is not now
	lastGen   int
	own       control.Session // the session that ends with us
	ownRuns   int             // proc meshes that ran in it when another one was attached

	panes     paneSet
	overlays  []dialog.Dialog
	input     *input // the open ':' line, filter or edit
	pending   string // the action whose key has begun a chord
	chords    int    // that were begun
	chordHelp bool   // the second keys of the pending one are listed
	history   []string

	commands   []*entry
	shownEntry *entry // in the status row
	serial     *entry // runs on the session itself; others wait
	waiting    []job
	errors     int
	toast      toast

	keys, moves  int               // pressed or clicked, and changes of the focus, so far
	live         liveCounts        // counted at the last drawing
	refreshed    uint64            // World.StateRevision when the dialogs were last told that the world has changed
	drafts       map[string]draft  // by mesh.Endpoint
	lastEndpoint map[string]string // by type
	lastType     string
	asking       bool // for the state that the inspector shows
	figures      figures
	reload       reloadLook
	watch        Watch  // of the source
	looking      bool   // for what it shows of a stopped actor
	show         target // to be shown as soon as the world has it
	newest       uint64 // id of the newest mesh that was seen

	wentOn   time.Time      // a person last let somebody go on
	stopCame time.Time      // somebody stopped where nobody was stopped
	removed  []removedBreak // by a person, the last one last
	keeping  *keeping       // of the breakpoints of the session that is shown
	turned   bool           // the slot of the logs has been turned to the breakpoints

	story     *story
	told      *story // the last one that was begun
	places    placeHistory
	rereading bool // the settings are being checked for changes
	quitting  bool
	stopped   time.Time // the last ctrl+c
	crash     *Crash
	began     time.Time
	stats     stats

	screen    *paint.Surface
	view      tea.View
	dirty     bool
	moving    bool // the animation's clock ticks
	step      int  // of the animation
	clickable []spot
	dragging  PaneID
}

// toast is a short word about what just happened.
type toast struct {
	kind  sayKind
	text  string
	until time.Time
}

type sayKind int

const (
	sayGood sayKind = iota
	sayWarn
	sayError
)

// spot is a place that can be clicked.
type spot struct {
	rect paint.Rect
	do   func() tea.Cmd
}

// stats are what the epilogue tells.
type stats struct{ messages int }

// New makes an explorer that has not begun. Close ends it.
func New(ctx context.Context, cfg Config) (*Model, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	reg, err := newRegistry(actions(), cfg.Settings.Keys)
	if err != nil {
		return nil, err
	}
	m := &Model{cfg: cfg, reg: reg, focus: Mesh, world: world.New(), dark: true, mouse: !cfg.Settings.NoMouse, dirty: true, began: cfg.Now(), links: links{open: map[*conn]bool{}}, drafts: map[string]draft{}, lastEndpoint: map[string]string{}}
	m.ctx, m.cancel = context.WithCancel(ctx)
	m.panes = newPaneSet(m)
	name := cfg.Settings.Theme
	m.themeFixed = name != ""
	if name == "" {
		name = "dark"
	}
	if err := m.setTheme(name); err != nil {
		return nil, err
	}
	m.history = m.loadHistory()
	return m, nil
}

// Close ends everything that runs beside the screen, and leaves the session.
func (m *Model) Close() {
	m.cancel()
	if m.told != nil {
		<-m.told.ended
	}
	m.conn.close()
	m.links.end()
}

// Init dials the session and starts the clock.
func (m *Model) Init() tea.Cmd {
	cmds := []tea.Cmd{m.clock(), m.watching()}
	if !m.themeFixed {
		cmds = append(cmds, tea.RequestBackgroundColor)
	}
	if m.cfg.Connect != nil {
		cmds = append(cmds, m.connect(dialer{dial: m.cfg.Connect, name: m.cfg.Name, own: m.cfg.Own}))
	}
	return tea.Batch(cmds...)
}

// Messages of the clocks.
type (
	clockMsg struct{}
	animMsg  struct{}
)

// clock ticks at every full second: all that an idle screen redraws.
func (m *Model) clock() tea.Cmd {
	return m.after(time.Second-time.Duration(time.Now().Nanosecond()), clockMsg{})
}

// animate lets the spinner turn while something is in progress.
func (m *Model) animate() tea.Cmd {
	if m.moving {
		return nil
	}
	m.moving = true
	return m.after(100*time.Millisecond, animMsg{})
}

func (m *Model) now() time.Time { return m.cfg.Now() }

// touch says that the screen has to be drawn anew.
func (m *Model) touch() { m.dirty = true }

// say shows a short word for a few seconds.
func (m *Model) say(kind sayKind, text string) {
	m.toast = toast{kind, text, m.now().Add(5 * time.Second)}
	m.touch()
}

// Update takes a message.
func (m *Model) Update(msg tea.Msg) (next tea.Model, cmd tea.Cmd) {
	next = m //nolint:wastedassign // it is what a panic returns: Bubble Tea draws it once more
	defer m.guard(&cmd)
	if m.crash != nil { // View has panicked, and could not end the program itself
		return m, tea.Quit
	}
	m.world.Now = m.now()
	cmd = m.update(msg)
	m.storyLooks()
	return m, cmd
}

func (m *Model) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = max(0, min(msg.Width, 2000)), max(0, min(msg.Height, 1000))
		m.touch()
	case tea.ColorProfileMsg:
		m.mono, m.profile = msg.Profile <= colorprofile.ASCII, msg.Profile
		m.pickTheme()
	case tea.BackgroundColorMsg:
		m.dark = msg.IsDark()
		m.pickTheme()
	case tea.FocusMsg, tea.BlurMsg:
		_, m.blurred = msg.(tea.BlurMsg)
	case clockMsg:
		m.touch()
		return tea.Batch(m.clock(), m.everySecond())
	case animMsg:
		return m.animated()
	case tea.KeyPressMsg:
		m.touch()
		m.keys++
		return m.key(msg)
	case tea.PasteMsg:
		m.touch()
		m.keys++
		return m.paste(msg.Content)
	case tea.MouseMsg:
		m.touch()
		return m.mouseEvent(msg)
	case connected:
		return m.connectedNow(msg)
	case redial:
		return m.dialAgain(msg)
	case tagged:
		if m.conn == nil || msg.gen != m.conn.gen { // INV-LATE
			return nil
		}
		return m.update(msg.msg)
	case updateMsg:
		return m.updated(msg)
	case lostMsg:
		return m.disconnected(msg.err)
	case commandDone:
		return m.commandEnded(msg)
	case crashMsg:
		m.crashed(msg.value, msg.stack)
		return tea.Quit
	case interface{ apply(m *Model) tea.Cmd }:
		m.touch()
		return msg.apply(m)
	}
	return nil
}

// updated applies what has happened since the last frame.
func (m *Model) updated(msg updateMsg) tea.Cmd {
	if s := msg.update.Snapshot; s != nil {
		if was := m.world.Session; m.world.Loaded && (was.PID != s.Session.PID || !was.Started.Equal(s.Session.Started)) {
			m.forget() // INV-LATE: its ids mean something else now
			m.say(sayWarn, "the program was started anew: this is another session of that name")
		}
		if m.dialer.own {
			m.own = s.Session
		}
	}
	before := m.world.Messages.Total()
	if c := m.conn; c != nil {
		c.pulse.answered = max(c.pulse.answered, msg.update.Sync)
	}
	if m.conn != nil && m.conn.past != nil {
		m.conn.recall(m.world, &msg.update)
	}
	stopped := len(m.world.Stops)
	m.world.Apply(msg.update)
	m.noteStops(stopped)
	m.stats.messages += m.world.Messages.Total() - before
	m.touch()
	wait := frame
	if m.blurred {
		wait = frameBlurred
	}
	return tea.Batch(m.pump(wait), m.worldChanged(), m.keepBreaks(msg.update))
}

// animated draws the next frame of what is in progress, and stops when nothing is.
func (m *Model) animated() tea.Cmd {
	m.moving = false
	if len(m.running()) == 0 && m.dialing == nil && !m.overlayMoves() && !m.reloading() {
		m.touch()
		return nil
	}
	m.step++
	m.touch()
	return m.animate()
}

// everySecond is what ages.
func (m *Model) everySecond() tea.Cmd {
	m.feel()
	m.panes.top.Sample(m.world)
	return tea.Batch(m.storyTick(), m.wantState(), m.reread())
}

// pickTheme follows the terminal, unless the person has chosen.
func (m *Model) pickTheme() {
	switch {
	case m.mono:
		_ = m.setTheme("mono")
	case m.themeFixed:
		_ = m.setTheme(m.cfg.Settings.Theme)
	case m.dark:
		_ = m.setTheme("dark")
	default:
		_ = m.setTheme("light")
	}
}

// setTheme changes the theme.
func (m *Model) setTheme(name string) error {
	if name == "" {
		name = "dark"
	}
	t, err := paint.NewTheme(name)
	if err != nil {
		return err
	}
	t.ASCII = m.cfg.Settings.ASCII
	switch m.profile {
	case colorprofile.ANSI:
		t.Limit(16)
	case colorprofile.ANSI256:
		t.Limit(256)
	case colorprofile.TrueColor, colorprofile.ASCII, colorprofile.NoTTY, colorprofile.Unknown:
	}
	m.theme = t
	m.panes.grid.NoColor = t.Mono
	m.touch()
	return nil
}

func themeNames() []string { return paint.Themes() }

// forget clears what belonged to another session. What was open on it would act on this one (INV-LATE): drafts are
// kept, questions are not.
func (m *Model) forget() {
	if m.world.Loaded {
		m.dropAll()
		if m.input != nil && m.input.mark != ":" {
			m.input = nil
		}
	}
	m.pending, m.dragging, m.show, m.newest, m.places = "", None, target{}, 0, placeHistory{}
	m.refreshed = 0
	m.world = world.New()
	m.world.Now = m.now()
	m.panes = newPaneSet(m)
	m.removed, m.turned, m.keeping, m.reload = nil, false, nil, reloadLook{}
	m.panes.grid.NoColor = m.theme.Mono
	m.touch()
}

// key goes to the topmost overlay, else to the open input, else to an action (INV-ORDER).
func (m *Model) key(msg tea.KeyPressMsg) tea.Cmd {
	k := msg.String()
	if a := m.reg.find(k, m.focus); a != nil && a.anywhere && utf8.RuneCountInString(k) > 1 {
		return m.do(a)
	}
	if o := m.top(); o != nil {
		return o.Key(host{m}, msg)
	}
	if m.input != nil {
		return m.inputKey(msg)
	}
	if m.pending != "" {
		first := m.pending
		m.pending = ""
		return m.chord(first, k)
	}
	if m.story.takesKey(k) {
		return m.storyNext()
	}
	a := m.reg.find(k, m.focus)
	if a == nil {
		m.habit(k)
	}
	return m.do(a)
}

// maxPaste bounds what is looked at of a paste, in bytes, as the language bounds a script.
const maxPaste = 1 << 20

// paste goes where keys go. What is too long for there is refused before anything works on it.
func (m *Model) paste(text string) tea.Cmd {
	if len(text) > maxPaste {
		m.say(sayWarn, fmt.Sprintf("a paste may have %s, and this has %s", paint.Bytes(maxPaste), paint.Bytes(uint64(len(text)))))
		return nil
	}
	if o := m.top(); o != nil {
		refused := "nothing can be pasted here"
		if p, ok := o.(dialog.Paster); ok {
			refused = p.Paste(text)
		}
		if refused != "" {
			m.say(sayWarn, refused)
		}
		return nil
	}
	if m.input == nil {
		m.openCommand("")
	}
	return m.pasteLine(text)
}

// joinedLines is a text of several lines as one that shows where they ended: nothing of it runs by itself.
func joinedLines(text string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	for i, l := range lines {
		lines[i] = paint.OneLine(l)
	}
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), " ; ")
}

// epilogue is the line that stays in the scrollback.
func (m *Model) epilogue() string {
	parts := []string{"monarch-tui ran for " + paint.Duration(m.now().Sub(m.began).Round(time.Second))}
	if n := len(m.commands); n > 0 {
		parts = append(parts, paint.Plural(n, "command"))
	}
	if m.stats.messages > 0 {
		parts = append(parts, paint.Plural(m.stats.messages, "message")+" seen")
	}
	if m.world.Session.Dir != "" && !m.dialer.own && m.conn != nil {
		parts = append(parts, fmt.Sprintf("session %s goes on", m.world.Session.Name))
		if n := m.world.PausedActors(); n > 0 {
			parts = append(parts, paint.Plural(n, "actor")+" left paused")
		}
		if name := logs.File(m.world); fileExists(name) { // our own ends with its session
			parts = append(parts, "its log is "+name)
		}
	}
	return strings.Join(parts, " · ")
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
