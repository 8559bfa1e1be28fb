package tui

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// View draws the screen, unless nothing has changed since the last time.
func (m *Model) View() (v tea.View) {
	defer m.guard(nil)
	if !m.dirty {
		return m.view
	}
	m.dirty = false
	m.world.Now = m.now()
	m.view = tea.View{
		AltScreen: true, ReportFocus: true, WindowTitle: m.title(),
	}
	if m.mouse {
		m.view.MouseMode = tea.MouseModeCellMotion
	}
	if m.w <= 0 || m.h <= 0 { // the first View comes before the size is known
		return m.view
	}
	if m.quitting { // nothing is left behind: tmux 3.3 puts what is drawn last into the shell's screen where the window has grown
		return m.view
	}
	if m.screen == nil || m.screen.Bounds() != (paint.Rect{W: m.w, H: m.h}) {
		m.screen = paint.New(m.w, m.h)
	}
	m.view.Cursor = m.draw(m.screen)
	m.view.Content = m.screen.Encode(m.theme)
	return m.view
}

// title is the title of the terminal's window.
func (m *Model) title() string {
	t := "monarch"
	if n := m.world.Session.Name; n != "" {
		t += " " + n
	}
	if n := m.world.PausedActors(); n > 0 {
		t += fmt.Sprintf(" ◆ %d paused", n)
	}
	if n := m.panes.warnings(m.world); n > 0 {
		t += fmt.Sprintf(" ▲ %d", n)
	}
	return t
}

// draw draws everything and gives the text cursor. Where the panes turn out to need other room than they have, it is given to
// them before anybody sees it.
func (m *Model) draw(s *paint.Surface) *tea.Cursor {
	cur := m.drawAll(s)
	for again, tries := m.learn(), 3; again && tries > 0; tries-- { // in another width a pane may show more
		cur = m.drawAll(s)
		again = m.measure()
	}
	return cur
}

func (m *Model) drawAll(s *paint.Surface) *tea.Cursor {
	s.Clear()
	m.clickable = m.clickable[:0]
	noDemos := len(m.cfg.Demos) == 0 || m.conn != nil && !m.dialer.own // :demo refuses there
	m.panes.tree.OfferDemos(!noDemos)
	m.panes.grid.NoDemos = noDemos
	m.layout = Arrange(m.w, m.h, m.focus, m.zoom, m.story != nil, m.isPaused(), m.side, m.learned.needs)
	l := &m.layout
	if l.Small {
		text := fmt.Sprintf("monarch-tui needs %d×%d, this is %d×%d", minWidth, minHeight, m.w, m.h)
		if paint.Width(text) > m.w {
			text = fmt.Sprintf("needs %d×%d", minWidth, minHeight)
		}
		s.Text(max(0, (m.w-paint.Width(text))/2), m.h/2, paint.Style{Fg: paint.Text}, text)
		return nil
	}
	m.drawHeader(s.In(l.Header))
	if !l.Tabs.Empty() {
		m.drawTabs(s.In(l.Tabs))
	}
	for p := Mesh; p < panes; p++ {
		switch {
		case !l.Panes[p].Empty():
			m.drawPane(s.In(l.Panes[p]), p)
		case !l.Titles[p].Empty():
			m.drawTitle(s.In(l.Titles[p]), p)
		}
	}
	if !l.Story.Empty() {
		m.drawStory(s.In(l.Story))
	}
	if !l.Bar.Empty() {
		m.drawPaused(s.In(l.Bar))
	}
	if !l.Status.Empty() {
		m.drawStatus(s.In(l.Status))
	}
	var cur *tea.Cursor
	if !l.Input.Empty() {
		cur = m.drawInput(s.In(l.Input))
	}
	switch {
	case l.Input.Empty() && (m.input != nil || m.pending != ""):
		cur = m.drawInput(s.In(l.Hints))
	case l.Status.Empty() && m.statusMatters():
		m.drawStatus(s.In(l.Hints))
	default:
		m.drawHints(s.In(l.Hints))
	}
	if m.pending != "" && m.chordHelp {
		bottom := l.Hints.Y
		for _, r := range []paint.Rect{l.Input, l.Status, l.Bar, l.Story} {
			if !r.Empty() {
				bottom = min(bottom, r.Y)
			}
		}
		m.drawChord(s.In(paint.Rect{Y: 1, W: m.w, H: max(0, bottom-1)}))
	}
	if len(m.overlays) > 0 {
		m.clickable = m.clickable[:0]
		for p := Mesh; p < panes; p++ { // what lies below steps back
			s.Restyle(l.Panes[p], func(st paint.Style) paint.Style { return paint.Style{Fg: paint.Muted, Attr: st.Attr &^ paint.Bold} })
		}
	}
	if o := m.top(); o != nil {
		_, height := o.Size(m.w, m.h)
		if strip, y := m.taskStrip(height); len(strip) > 0 {
			m.drawStrip(s.In(paint.Rect{Y: y, W: m.w, H: len(strip)}), strip)
		}
	}
	for _, o := range m.overlays {
		cur = o.Draw(s.In(m.overlayRect(o)))
	}
	return cur
}

// spot makes a place of a surface clickable, until the next drawing.
func (m *Model) spot(s *paint.Surface, r paint.Rect, do func() tea.Cmd) {
	x, y, visible := s.Place(r.X, r.Y)
	if visible {
		m.clickable = append(m.clickable, spot{paint.Rect{X: x, Y: y, W: r.W, H: r.H}, do})
	}
}

// spinner is the sign of what is in progress.
func (m *Model) spinner() string {
	if m.cfg.Settings.ReduceMotion {
		return "◌"
	}
	frames := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	return string(frames[m.step%len(frames)])
}

// drawTabs draws the row that names the panes.
func (m *Model) drawTabs(s *paint.Surface) {
	w, _ := s.Size()
	x := 1
	for p := Mesh; p < panes; p++ {
		st := paint.Style{Fg: paint.Muted}
		name := m.panes.slots[p].name
		if room := (w - 2) / int(panes-1); paint.Width(name)+6 > room && p != m.focus {
			name = paint.Fit(name, max(1, room-6))
			if room < 9 {
				name = ""
			}
		}
		text := fmt.Sprintf(" %s %s ", m.jumpKey(p), name)
		if name == "" {
			text = fmt.Sprintf(" %s ", m.jumpKey(p))
		}
		if p == m.focus {
			st = paint.Style{Fg: paint.Accent, Attr: paint.Bold}
			text = fmt.Sprintf("‹%s %s›", m.jumpKey(p), name)
		}
		from := x
		x = s.Text(x, 0, st, text)
		if note, role := m.panes.slots[p].note(m.world); note != "" && x+paint.Width(note)+1 < w {
			x = s.Text(x, 0, paint.Style{Fg: role}, note) + 1
		}
		m.spot(s, paint.Rect{X: from, W: x - from, H: 1}, func() tea.Cmd { m.setFocus(p); return nil })
	}
}

// jumpKey is the key that goes to a slot.
func (m *Model) jumpKey(p PaneID) string { return m.keyOf(jumpAction(p)) }

// drawPane draws a pane with its border.
func (m *Model) drawPane(s *paint.Surface, p PaneID) {
	f := m.panes.slots[p].frame(m.world)
	stale := !m.world.AsOf.IsZero()
	f.Key, f.Focus, f.Stale = m.jumpKey(p), p == m.focus && m.top() == nil, stale
	if m.zoom == Full && f.Foot == "" && p == m.focus {
		f.Foot = m.keyHint("%s back", "unzoom")
	}
	if stale {
		f.Foot = "as of " + m.world.AsOf.Format(time.TimeOnly)
	}
	in := f.Draw(s)
	m.panes.tab(p).Draw(in, m.world, p == m.focus)
	if stale {
		in.Restyle(in.Bounds(), func(st paint.Style) paint.Style { return paint.Style{Fg: paint.Muted, Attr: st.Attr} })
		w, h := s.Size()
		s.TextRight(w-2, h-1, paint.Style{Fg: paint.Warning}, " "+f.Foot+" ")
	}
}

// drawTitle draws a pane as one line.
func (m *Model) drawTitle(s *paint.Surface, p PaneID) {
	w, _ := s.Size()
	f := m.panes.slots[p].frame(m.world)
	x := s.Text(0, 0, paint.Style{Fg: paint.Faint}, "──")
	x = s.Text(x, 0, paint.Style{Fg: paint.Accent}, "["+m.jumpKey(p)+"]")
	title := f.Title
	if title == "" && len(f.Tabs) > 0 {
		title = f.Tabs[f.Tab]
	}
	x = s.TextIn(x+1, 0, w-x-2, paint.Style{Fg: paint.Text}, title) + 1
	if note, role := m.panes.slots[p].note(m.world); note != "" {
		x = s.Text(x, 0, paint.Style{Fg: role}, note) + 1
	}
	right := f.Right
	if right == "" {
		right = f.Foot
	}
	end := w
	if right = paint.Fit(right, w-x-3); right != "" {
		end = s.TextRight(w-1, 0, paint.Style{Fg: paint.Muted}, right) - 1
	}
	for ; x < end; x++ {
		s.Text(x, 0, paint.Style{Fg: paint.Faint}, "─")
	}
	m.spot(s, paint.Rect{W: w, H: 1}, func() tea.Cmd { m.setFocus(p); return nil })
}

// statusMatters reports whether the status should take the row of the hints where it has none of its own.
func (m *Model) statusMatters() bool {
	if m.now().Before(m.toast.until) {
		return true
	}
	e := m.shownEntry
	return e != nil && (!e.done || m.now().Sub(e.began.Add(e.took)) < 5*time.Second)
}

// drawStatus draws what was said last: a toast, else the last command and what it gave.
func (m *Model) drawStatus(s *paint.Surface) {
	w, _ := s.Size()
	right := ""
	if n := len(m.running()); n > 1 {
		right = paint.Plural(n, "command") + " running"
	}
	if m.errors > 0 && w >= pairWidth {
		right = strings.TrimPrefix(right+" · "+m.keyHint("%s ", "errors")+paint.Plural(m.errors, "error"), " · ")
	}
	end := w - 1
	if right != "" {
		end = s.TextRight(w-1, 0, paint.Style{Fg: paint.Muted}, right) - 2
		m.spot(s, paint.Rect{X: end, W: w - end, H: 1}, func() tea.Cmd { return m.do(m.reg.named("errors")) })
	}
	if t := m.toast; m.now().Before(t.until) {
		sign, role := "✓", paint.Busy
		switch t.kind {
		case sayWarn:
			sign, role = "▲", paint.Warning
		case sayError:
			sign, role = "✕", paint.Failed
		case sayGood:
		}
		x := s.Text(1, 0, paint.Style{Fg: role, Attr: paint.Bold}, sign)
		s.TextIn(x+1, 0, end-x-1, paint.Style{Fg: paint.Text}, t.text)
		return
	}
	e := m.shownEntry
	if e == nil {
		return
	}
	sign, role := m.sign(e)
	x := s.Text(1, 0, paint.Style{Fg: role, Attr: paint.Bold}, sign)
	line := paint.FitMiddle(e.line, max(10, (end-x)*55/100))
	x = s.TextIn(x+1, 0, end-x-1, paint.Style{Fg: paint.Text}, line)
	s.TextIn(x+2, 0, end-x-2, paint.Style{Fg: paint.Muted}, e.summary(m))
	m.spot(s, paint.Rect{W: end, H: 1}, func() tea.Cmd { m.openEntry(e); return nil })
}

// sign is the state of a command.
func (m *Model) sign(e *entry) (string, paint.Role) {
	switch {
	case e.queued:
		return "◌", paint.Starting
	case !e.done:
		return m.spinner(), paint.Busy
	case e.ok:
		return "✓", paint.Busy
	case e.cancelled:
		return "○", paint.Gone
	}
	return "✕", paint.Failed
}

// summary is what a command gave, in one line.
func (e *entry) summary(m *Model) string {
	switch {
	case e.queued:
		if before := m.waitsFor(e); before != nil {
			return "waits for " + before.line
		}
		return "waits for its turn"
	case !e.done:
		text := paint.Duration(m.now().Sub(e.began).Truncate(100 * time.Millisecond))
		if groups, n, _ := e.answers.list(); n > 0 {
			text = groupsLine(groups) + " · " + text
		}
		return text
	case e.cancelled:
		text := "cancelled"
		if e.took > 0 {
			text += " after " + paint.Duration(e.took)
		}
		if groups, n, _ := e.answers.list(); n > 0 && slices.ContainsFunc(groups, func(g answerGroup) bool { return g.ok }) {
			text += " · " + groupsLine(slices.DeleteFunc(groups, func(g answerGroup) bool { return !g.ok }))
		}
		return text
	case !e.ok:
		if groups, n, _ := e.answers.list(); n > 0 && !e.late {
			return failuresLine(groups)
		}
		first, _, _ := strings.Cut(e.err, "\n")
		return reasonFirst(first)
	}
	if groups, n, slow := e.answers.list(); n > 0 {
		return fmt.Sprintf("%s · %s", groupsLine(groups), paint.Duration(slow))
	}
	if _, is := e.args.(script.ReloadArgs); is && len(e.text) > 0 { // what stands before is told by its tab
		return e.text[len(e.text)-1] + " · " + paint.Duration(e.took)
	}
	if len(e.text) > 0 {
		return e.text[0] + map[bool]string{true: fmt.Sprintf("  (+%d)", len(e.text)-1)}[len(e.text) > 1]
	}
	if e.took > 0 {
		return paint.Duration(e.took)
	}
	return ""
}

// groupsLine is answers in one line: 20 → 4 │ 1 ✕ want int.
func groupsLine(groups []answerGroup) string {
	parts := make([]string, 0, len(groups))
	for _, g := range groups {
		if len(parts) == 4 {
			parts = append(parts, fmt.Sprintf("%d more", len(groups)-4))
			break
		}
		arrow, _ := g.look()
		text, _, _ := strings.Cut(g.text, "\n")
		parts = append(parts, fmt.Sprintf("%s %s %s", g.who(), arrow, paint.Fit(text, 32)))
	}
	return strings.Join(parts, " │ ")
}

// failuresLine is answers of which some failed in one line: why first, then who, then how many answered.
func failuresLine(groups []answerGroup) string {
	good := slices.DeleteFunc(slices.Clone(groups), func(g answerGroup) bool { return !g.ok })
	parts := make([]string, 0, len(groups))
	for _, g := range groups {
		switch {
		case g.ok:
			continue
		case len(parts) == 3:
			parts = append(parts, fmt.Sprintf("%d more failures", len(groups)-len(good)-3))
		case len(parts) < 3:
			text, _, _ := strings.Cut(g.text, "\n")
			parts = append(parts, fmt.Sprintf("%s  [%s]", paint.Fit(text, 48), paint.Fit(ranksText(g.ranks), 16)))
		}
	}
	if len(good) > 0 {
		parts = append(parts, groupsLine(good))
	}
	return strings.Join(parts, " │ ")
}

// noAnswer is how a call says that it took too long.
var noAnswer = regexp.MustCompile(`^(\S+): no answer from (\S+) within (\S+)$`)

// reasonFirst is the first line of an error with what happened before whom it happened to, which may be a long list.
func reasonFirst(text string) string {
	if m := noAnswer.FindStringSubmatch(text); m != nil {
		return "no answer within " + m[3] + " from " + m[2]
	}
	return text
}

// drawHints draws the keys that matter here, as many as fit: the heaviest stay.
func (m *Model) drawHints(s *paint.Surface) {
	w, _ := s.Size()
	var keys []dialog.Key
	if d := m.top(); d != nil {
		keys = d.Hints()
	} else if m.input != nil {
		keys = m.input.keys
	}
	if len(keys) > 0 {
		x := 1
		for _, k := range keys {
			key := keyName(k.Key)
			if k.Hint == "" || k.Key == "" {
				continue
			}
			if x+paint.Width(key)+paint.Width(k.Hint)+1 > w-1 {
				break
			}
			x = s.Text(x, 0, paint.Style{Fg: paint.Accent}, key)
			x = s.Text(x+1, 0, paint.Style{Fg: paint.Muted}, k.Hint) + 2
		}
		return
	}
	var hints []*Action
	for _, a := range m.reg.list {
		if a.Hint != "" && a.Here(m.focus) && (len(a.HintIn) == 0 || slices.Contains(a.HintIn, m.focus)) && m.offers(a) && len(a.Keys) > 0 && (a.hinted == nil || a.hinted(m)) {
			hints = append(hints, a)
		}
	}
	width := func(a *Action) int { return paint.Width(a.Key()) + 1 + paint.Width(a.Hint) + 2 }
	total := 0
	for _, a := range hints {
		total += width(a)
	}
	for total > w-2 && len(hints) > 1 {
		light := 0
		for i, a := range hints {
			if a.Weight < hints[light].Weight {
				light = i
			}
		}
		total -= width(hints[light])
		hints = append(hints[:light:light], hints[light+1:]...)
	}
	x := 1
	for _, a := range hints {
		from := x
		x = s.Text(x, 0, paint.Style{Fg: paint.Accent}, a.Key())
		x = s.Text(x+1, 0, paint.Style{Fg: paint.Muted}, a.Hint)
		m.spot(s, paint.Rect{X: from, W: x - from, H: 1}, func() tea.Cmd { return m.do(a) })
		x += 2
	}
}
