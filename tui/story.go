package tui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// Demo is a story that runs step by step in the session that the explorer shows.
type Demo struct {
	Name, Title string
	Steps       int // how often Run tells something
	// Run runs it. tell says what comes next, and returns when the person wants it to happen, or has done it.
	Run func(ctx context.Context, tell Tell) error
}

// Tell tells a step of a demo. done says that it was a task, and that the person has done it.
type Tell func(ctx context.Context, s Step) (done bool, err error)

// Step is what a demo tells before something happens. A step with goals is a task for the person.
type Step struct {
	Title   string   // of the idea
	Text    string   // the idea in a sentence or two; of a task, what is to be done
	Go      string   // the line that a program has for it
	Command string   // the line that the explorer takes for it
	How     string   // of a task: the keys that do it; {call} stands for the key of the action "call"
	Goals   []string // of a task: what is to be seen, each as the command that brings it about
	Await   string   // of a task: what must hold before its words can be said, as in len(stops) == 16
	Done    string   // of a task: what can be seen now
}

// story is a demo that runs.
type story struct {
	demo    Demo
	ctx     context.Context
	cancel  context.CancelFunc
	ended   chan struct{} // closed when it has been told, or given up
	next    chan bool     // one for each step that may happen: whether the person has done it
	tells   chan tale
	step    int
	now     Step  // what is told
	task    *task // what of it the person is to do, nil where it is no task
	page    int   // of what is told, where it needs several
	pages   int   // as of the last drawing
	waiting bool  // for the person
	done    bool
	err     error
	focused bool // space and enter turn the page, unless there is a task to do
	resume  bool // it was focused when the task began
	auto    bool
	since   time.Time
}

// tale is what a demo tells: a step that comes next, or its end.
type tale struct {
	s    *story
	step Step
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
	s := &story{demo: d, ctx: ctx, cancel: cancel, ended: make(chan struct{}), next: make(chan bool), tells: make(chan tale), focused: true, auto: auto, since: m.now(), now: Step{Title: d.Title}}
	before := m.told
	m.story, m.told = s, s
	go s.run(before)
	m.touch()
	return s.listen(m)
}

// run runs the demo, once the one before has cleared up.
func (s *story) run(before *story) {
	defer close(s.ended)
	defer func() { // the demo's fault, not the explorer's: it is told, and the terminal stays as it is
		if r := recover(); r != nil {
			_ = s.send(tale{s: s, done: true, err: fmt.Errorf("the demo panicked: %v", r)})
		}
	}()
	if before != nil {
		<-before.ended
	}
	err := s.demo.Run(s.ctx, func(ctx context.Context, step Step) (bool, error) {
		if err := s.send(tale{s: s, step: step}); err != nil {
			return false, err
		}
		select {
		case done := <-s.next:
			return done, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	})
	_ = s.send(tale{s: s, done: true, err: err})
}

func (s *story) send(t tale) error {
	select {
	case s.tells <- t:
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
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
	s.since, s.page = m.now(), 0
	if t.done {
		s.done, s.err, s.waiting = true, t.err, false
		if t.err != nil && !errors.Is(t.err, context.Canceled) {
			m.errors++
		}
		return nil
	}
	m.tellStep(t.step)
	return s.listen(m)
}

// tellStep shows a step, and begins to look out for what it asks for.
func (m *Model) tellStep(step Step) {
	s := m.story
	s.step++
	s.now, s.waiting, s.task = step, true, nil
	s.focused = s.focused || s.resume
	s.resume = false
	if len(step.Goals) > 0 {
		s.task = m.newTask(step.Goals)
		s.resume = s.focused
	}
}

// open reports whether the person has something to do.
func (s *story) open() bool { return s != nil && s.waiting && s.task != nil && !s.task.done }

// takesKey reports whether a key turns the page. While there is a task to do, the keys are for doing it.
func (s *story) takesKey(k string) bool {
	return s != nil && s.focused && !s.open() && (k == "space" || k == "enter")
}

// storyNext shows the next page, or lets the next step happen; a task that is not done is skipped.
func (m *Model) storyNext() tea.Cmd {
	s := m.story
	defer m.touch()
	switch {
	case s == nil:
		m.say(sayWarn, "no demo is running; :demo NAME starts one")
	case s.done:
		s.drop()
		m.story = nil
	case !s.waiting:
		m.say(sayWarn, "the step before is still running")
	case s.page+1 < s.pages && (s.task == nil || !s.task.done):
		s.page++
		s.since = m.now()
	default:
		if cmd := m.sayWords(); cmd != nil {
			return cmd
		}
		s.waiting = false
		done := s.task != nil && s.task.done
		return m.task(func() tea.Msg {
			select {
			case s.next <- done:
			case <-s.ctx.Done():
			}
			return nil
		})
	}
	return nil
}

// How long a text is left on the screen when nobody turns the pages: long enough to read it.
const (
	leastPause  = 4 * time.Second
	longPause   = 10 * time.Second
	perRune     = 45 * time.Millisecond
	praisePause = 5 * time.Second
)

// pause is how long the story waits before it goes on by itself; 0: until somebody turns the page.
func (s *story) pause() time.Duration {
	switch {
	case !s.waiting:
		return 0
	case s.task != nil && s.task.done:
		return praisePause
	case s.auto:
		return min(longPause, leastPause+time.Duration(len(s.now.Text+s.now.How)/max(1, s.pages))*perRune)
	}
	return 0
}

// storyTick turns the page when a demo plays by itself, or a task is done. Somebody who looks at a form or a text is not
// interrupted.
func (m *Model) storyTick() tea.Cmd {
	s := m.story
	if s == nil || s.pause() == 0 {
		return nil
	}
	if m.busyElsewhere() {
		s.since = m.now()
		return nil
	}
	if m.now().Sub(s.since) >= s.pause() {
		return m.storyNext()
	}
	return nil
}

// busyElsewhere reports whether a dialog or a line is open.
func (m *Model) busyElsewhere() bool { return m.top() != nil || m.input != nil }

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
