package tui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// Demo is a story that runs step by step in the session that the explorer shows.
type Demo struct {
	Name, Title string
	Steps       int // how often Run tells something
	// Run runs it. tell says what comes next, and returns when the person wants it to happen.
	Run func(ctx context.Context, tell func(ctx context.Context, text string) error) error
}

// autoPause is how long a step is left on the screen when nobody turns the pages.
const autoPause = 4 * time.Second

// story is a demo that runs.
type story struct {
	demo    Demo
	ctx     context.Context
	cancel  context.CancelFunc
	ended   chan struct{} // closed when it has been told, or given up
	next    chan struct{} // one for each step that may happen
	tells   chan tale
	step    int
	text    string
	waiting bool // for the person
	done    bool
	err     error
	focused bool // space and enter turn the page
	auto    bool
	since   time.Time
}

// tale is what a demo tells: a step that comes next, or its end.
type tale struct {
	s    *story
	text string
	done bool
	err  error
}

// startStory begins a demo.
func (m *Model) startStory(d Demo, auto bool) tea.Cmd {
	m.story.drop()
	if m.w < wideWidth { // where not all panes are seen: those in which it happens
		m.setFocus(Messages)
	}
	ctx, cancel := context.WithCancel(m.ctx)
	s := &story{demo: d, ctx: ctx, cancel: cancel, ended: make(chan struct{}), next: make(chan struct{}), tells: make(chan tale), focused: true, auto: auto, since: m.now(), text: d.Title}
	before := m.told
	m.story, m.told = s, s
	send := func(t tale) error {
		select {
		case s.tells <- t:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	go func() {
		defer close(s.ended)
		defer func() { // the demo's fault, not the explorer's: it is told, and the terminal stays as it is
			if r := recover(); r != nil {
				_ = send(tale{s: s, done: true, err: fmt.Errorf("the demo panicked: %v", r)})
			}
		}()
		if before != nil { // it may still be clearing up
			<-before.ended
		}
		err := d.Run(ctx, func(ctx context.Context, text string) error {
			if err := send(tale{s: s, text: text}); err != nil {
				return err
			}
			select {
			case <-s.next:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		_ = send(tale{s: s, done: true, err: err})
	}()
	m.touch()
	return s.listen(m)
}

// listen waits for what the demo tells next.
func (s *story) listen(m *Model) tea.Cmd {
	return m.task(func() tea.Msg {
		select {
		case t := <-s.tells:
			return t
		case <-s.ctx.Done():
			return nil
		}
	})
}

// drop gives up on the demo; what it made stays.
func (s *story) drop() {
	if s != nil {
		s.cancel()
	}
}

// apply takes what the demo tells.
func (t tale) apply(m *Model) tea.Cmd {
	s := t.s
	if m.story != s { // INV-LATE
		return nil
	}
	s.since = m.now()
	if t.done {
		s.done, s.err, s.waiting = true, t.err, false
		if t.err != nil && !errors.Is(t.err, context.Canceled) {
			m.errors++
		}
		return nil
	}
	s.step++
	s.text, s.waiting = t.text, true
	return s.listen(m)
}

// takesKey reports whether a key turns the page.
func (s *story) takesKey(k string) bool {
	return s != nil && s.focused && (k == "space" || k == "enter")
}

// storyNext lets the next step happen.
func (m *Model) storyNext() tea.Cmd {
	s := m.story
	switch {
	case s == nil:
		m.say(sayWarn, "no demo is running; :demo NAME starts one")
	case s.done:
		s.drop()
		m.story = nil
	case !s.waiting:
		m.say(sayWarn, "the step before is still running")
	default:
		s.waiting = false
		m.touch()
		return m.task(func() tea.Msg {
			select {
			case s.next <- struct{}{}:
			case <-s.ctx.Done():
			}
			return nil
		})
	}
	m.touch()
	return nil
}

// storyTick turns the page when a demo plays by itself.
func (m *Model) storyTick() tea.Cmd {
	if s := m.story; s != nil && s.auto && s.waiting && m.now().Sub(s.since) >= autoPause {
		return m.storyNext()
	}
	return nil
}

// demoVerb is ":demo [NAME]".
func (m *Model) demoVerb(e *entry, name string) tea.Cmd {
	names := make([]string, 0, len(m.cfg.Demos))
	for _, d := range m.cfg.Demos {
		names = append(names, d.Name)
	}
	if name == "" && m.story != nil {
		name = m.story.demo.Name
	}
	switch i := slices.Index(names, name); {
	case len(names) == 0:
		m.failed(e, "demos run in monarch-tui's own session: start it without -p and attach")
	case !m.dialer.own:
		m.failed(e, "demos run in monarch-tui's own session, and this is "+m.dialer.name)
	case name == "":
		m.succeed(e)
		m.openDemos()
	case i < 0:
		m.failed(e, fmt.Sprintf("there is no demo %q%s", name, schema.Suggest(name, names)))
	default:
		m.succeed(e)
		return m.startStory(m.cfg.Demos[i], false)
	}
	return nil
}

// drawStory draws the narration.
func (m *Model) drawStory(s *paint.Surface) {
	t := m.story
	w, _ := s.Size()
	bar := paint.Style{Fg: paint.Text, Bg: paint.Bar}
	s.Fill(bar)
	sign := paint.Style{Fg: paint.Accent, Bg: paint.Bar, Attr: paint.Bold}
	x := s.Text(1, 0, sign, "▶ "+t.demo.Name)
	if t.demo.Steps > 0 && t.step > 0 && w >= pairWidth {
		x = s.Text(x+1, 0, paint.Style{Fg: paint.Muted, Bg: paint.Bar}, fmt.Sprintf("%d of %d", min(t.step, t.demo.Steps), t.demo.Steps))
	}
	right := "space next step" + m.keyHint(" · %s from anywhere", "demo.next")
	if !t.focused {
		right = m.keyHint("%s next step", "demo.next")
	}
	switch {
	case t.done && t.err != nil:
		right = m.keyHint("%s close", "demo.next")
	case t.done:
		right = ":demo restarts" + m.keyHint(" · %s close", "demo.next")
	case !t.waiting:
		right = m.spinner() + " running"
	case t.auto:
		right = fmt.Sprintf("goes on in %ds", max(0, int((autoPause-m.now().Sub(t.since)).Seconds())+1))
	}
	short := right
	switch {
	case t.done:
		short = m.keyHint("%s close", "demo.next")
	case t.waiting && !t.auto:
		short = m.keyHint("%s next", "demo.next")
	}
	text, st := t.text, bar
	if t.done {
		text = "That was it: " + t.demo.Title
		if t.err != nil {
			text, st = "✕ "+t.err.Error(), paint.Style{Fg: paint.Failed, Bg: paint.Bar}
		}
	}
	if w-x-5-paint.Width(right) < paint.Width(text) { // what is told comes first
		right = short
	}
	room := w - x - 3 - paint.Width(right) - 2
	s.TextIn(x+2, 0, room, st, text)
	at := s.TextRight(w-1, 0, paint.Style{Fg: paint.Accent, Bg: paint.Bar}, right)
	m.spot(s, paint.Rect{X: at, W: w - at, H: 1}, m.storyNext)
}
