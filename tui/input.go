package tui

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// input is the line at the foot of the screen while something is typed into it: a command, a filter, a slice.
type input struct {
	mark    string // what stands before it: ":", "/", "slice"
	field   textinput.Model
	hint    string
	err     string // of what is typed so far
	errAt   int    // its column from 1, 0 for none
	done    func(m *Model, text string) tea.Cmd
	changed func(m *Model, text string) (err string, column int) // nil: nothing is judged while typing
	judge   func(text string) (err string, column int)           // nil: enter takes what changed has not refused
	leave   func(m *Model)                                       // esc
	keys    []dialog.Key                                         // for the last row
	pasted  pasted                                               // lines that come after this one
	recall  int                                                  // how far up the history; 0: what is typed
	typed   string                                               // before the history was looked through
	comp    *completion
}

// completion is the words that fit where the cursor is.
type completion struct {
	from  int // byte offset of the word
	words []string
	at    int // the one that is in the line; -1: none yet
}

// openCommand opens the ':' line.
func (m *Model) openCommand(text string) {
	m.input = &input{mark: ":", field: dialog.NewEdit(text), hint: "a command, such as help; tab completes", judge: m.lineMistake,
		keys: []dialog.Key{{Key: "enter", Hint: "run"}, {Key: "tab", Hint: "complete"}, {Key: "↑", Hint: "history"}, {Key: "ctrl+r", Hint: "search"}, {Key: "esc", Hint: "back"}},
		done: func(m *Model, text string) tea.Cmd { return m.typedLine(text, false) }}
	m.touch()
}

// keepOrBack are the keys of a line that changes what is seen while it is typed.
func keepOrBack() []dialog.Key {
	return []dialog.Key{{Key: "enter", Hint: "keep"}, {Key: "esc", Hint: "back"}}
}

// typedLine runs a line that was typed, and found good; one that says nothing does nothing. inOrder: after those before.
func (m *Model) typedLine(text string, inOrder bool) tea.Cmd {
	if cmd, ok := m.goToWord(text); ok && !inOrder {
		m.remember(strings.TrimSpace(text))
		return cmd
	}
	if sc, _ := m.parse(strings.TrimSpace(text)); sc == nil || len(sc.Stmts) == 0 {
		return nil
	}
	m.remember(text)
	return m.run(text, runOptions{typed: true, inOrder: inOrder, keys: m.keys, moves: m.moves})
}

// lineMistake is what is wrong with a line as a command, and its column.
func (m *Model) lineMistake(text string) (string, int) {
	line := strings.TrimLeftFunc(text, unicode.IsSpace)
	if placeWords()[strings.TrimSpace(text)] != nil {
		return "", 0
	}
	_, errs := m.parse(strings.TrimSpace(line))
	if len(errs) == 0 {
		return "", 0
	}
	first, _, _ := strings.Cut(errs[0].Msg, "\n")
	return first, max(1, errs[0].Column) + utf8.RuneCountInString(text) - utf8.RuneCountInString(line)
}

// inputKey is a key while the input is open.
func (m *Model) inputKey(msg tea.KeyPressMsg) tea.Cmd {
	i := m.input
	switch msg.String() {
	case "esc", "ctrl+g":
		m.leaveInput()
		return nil
	case "enter":
		return m.inputDone()
	case "backspace":
		if i.field.Value() == "" {
			i.leave = nil // it is meant to be empty
			m.leaveInput()
			return nil
		}
	case "up", "ctrl+p":
		m.recall(1)
		return nil
	case "down", "ctrl+n":
		m.recall(-1)
		return nil
	case "ctrl+r":
		if i.mark == ":" {
			m.openHistory(i.field.Value())
			return nil
		}
	case "tab", "shift+tab":
		if i.mark == ":" {
			m.complete(msg.String() == "tab")
			return nil
		}
	}
	var cmd tea.Cmd
	i.field, cmd = i.field.Update(msg)
	i.comp = nil
	return tea.Batch(cmd, m.inputChanged())
}

// leaveInput closes the line; nothing of it happens.
func (m *Model) leaveInput() {
	i := m.input
	if i.leave != nil {
		i.leave(m)
	}
	m.input = nil
	if n := len(i.pasted.rest); n > 0 {
		m.say(sayWarn, "dropped what was left of the paste: "+paint.Plural(n+1, "line"))
	}
}

// inputDone takes what was typed, unless there is a mistake in it: then the line stays, and takes every key.
func (m *Model) inputDone() tea.Cmd {
	i := m.input
	if i.judge != nil {
		i.err, i.errAt = i.judge(i.field.Value())
	}
	if i.err != "" {
		m.say(sayWarn, i.err)
		if i.mark == ":" && len(i.pasted.rest) == 0 { // what is typed now goes on with the line
			i.keys = []dialog.Key{{Key: "enter", Hint: "run what you mended"}, {Key: "ctrl+u", Hint: "empty the line"}, {Key: "↑", Hint: "history"}, {Key: "esc", Hint: "back"}}
		}
		return nil
	}
	m.input = nil
	if len(i.pasted.rest) > 0 {
		m.openPasted(i.pasted)
	}
	m.toast = toast{} // of a text before, which was wrong
	return i.done(m, i.field.Value())
}

func (m *Model) inputChanged() tea.Cmd {
	i := m.input
	i.err, i.errAt = "", 0
	if i.changed != nil {
		i.err, i.errAt = i.changed(m, i.field.Value())
	}
	m.touch()
	return nil
}

// recall walks through the history.
func (m *Model) recall(by int) {
	i := m.input
	if i.mark != ":" {
		return
	}
	if i.recall == 0 {
		i.typed = i.field.Value()
	}
	at := clamp(i.recall+by, 0, len(m.history))
	i.recall = at
	text := i.typed
	if at > 0 {
		text = m.history[len(m.history)-at]
	}
	i.field.SetValue(text)
	i.field.CursorEnd()
	i.comp, i.err, i.errAt = nil, "", 0
}

// complete puts the next word that fits into the line.
func (m *Model) complete(forward bool) {
	i := m.input
	i.err, i.errAt = "", 0
	if i.comp == nil {
		text := string([]rune(i.field.Value())[:i.field.Position()])
		from, words := script.Complete(text, m.known())
		words = withPlaces(words, from, text)
		if len(words) == 0 {
			return
		}
		i.comp = &completion{from: from, words: words, at: -1}
		if len(words) > 1 {
			if common := commonPrefix(words); len(common) > len(text)-from {
				m.replaceWord(common)
				return
			}
		}
	}
	c := i.comp
	step := 1
	if !forward {
		step = len(c.words) - 1
		if c.at < 0 {
			c.at = 0
		}
	}
	c.at = (c.at + step) % len(c.words)
	m.replaceWord(c.words[c.at])
	if len(c.words) == 1 {
		i.comp = nil
	}
}

// withPlaces adds the places that a word alone goes to, where it begins like one.
func withPlaces(words []string, from int, text string) []string {
	if from > 0 || strings.TrimSpace(text) == "" {
		return words
	}
	words = slices.Clone(words)
	for place := range placeWords() {
		if strings.HasPrefix(place, text) && !slices.Contains(words, place) {
			words = append(words, place)
		}
	}
	slices.Sort(words)
	return words
}

func (m *Model) replaceWord(word string) {
	i := m.input
	v := []rune(i.field.Value())
	before, after := string(v[:i.field.Position()]), string(v[i.field.Position():])
	before = before[:min(i.comp.from, len(before))] + word
	i.field.SetValue(before + after)
	i.field.SetCursor(len([]rune(before)))
}

func commonPrefix(words []string) string {
	p := words[0]
	for _, w := range words[1:] {
		for !strings.HasPrefix(w, p) {
			p = p[:len(p)-1]
		}
	}
	return p
}

// drawInput draws the line at the foot, and gives the cursor.
func (m *Model) drawInput(s *paint.Surface) *tea.Cursor {
	w, _ := s.Size()
	if m.input == nil {
		switch {
		case m.pending != "":
			s.TextIn(1, 0, w-2, paint.Style{Fg: paint.Accent, Attr: paint.Bold}, m.keyOf(m.pending)+" …   a letter: the selection's name    esc")
		case m.w >= squashWidth:
			s.Text(1, 0, paint.Style{Fg: paint.Muted}, ":")
		}
		return nil
	}
	i := m.input
	x := s.Text(1, 0, paint.Style{Fg: paint.Accent, Attr: paint.Bold}, i.mark)
	if len(i.mark) > 1 {
		x++
	}
	if note := i.pasted.note(w); note != "" {
		s.TextRight(w-1, 0, paint.Style{Fg: paint.Muted}, note)
		w -= paint.Width(note) + 2
	}
	room := max(1, w-x-1)
	if i.err != "" {
		room = max(room/2, room-paint.Width(i.err)-3)
	}
	cur := dialog.DrawEdit(s, x, 0, room, &i.field, i.hint)
	switch {
	case i.err != "":
		if paint.Width(i.field.Value()) < room {
			dialog.Underline(s, x, i.field.Value(), i.errAt)
		}
		s.TextIn(x+room+1, 0, w-x-room-2, paint.Style{Fg: paint.Failed}, "✕ "+i.err)
	case i.comp != nil && len(i.comp.words) > 1:
		used := x + paint.Width(i.field.Value()) + 3
		for n, word := range i.comp.words {
			st := paint.Style{Fg: paint.Muted}
			if n == i.comp.at {
				st = paint.Style{Fg: paint.Accent, Attr: paint.Bold}
			}
			if used+paint.Width(word)+2 > w-2 {
				s.Text(used, 0, paint.Style{Fg: paint.Muted}, "…")
				break
			}
			used = s.Text(used, 0, st, word) + 2
		}
	}
	return cur
}

// known are the names that completion offers at the ':' line.
func (m *Model) known() script.Known {
	k := script.Known{Themes: paint.Themes(), Launches: m.cfg.Settings.Launches}
	procs, meshes := m.world.Live()
	for _, p := range procs {
		k.Procs = append(k.Procs, p.Name)
	}
	for _, x := range meshes {
		k.Meshes = append(k.Meshes, x.Ref.Name)
	}
	for _, t := range m.world.Types {
		k.Types = append(k.Types, t.Name)
	}
	for _, d := range m.cfg.Demos {
		k.Demos = append(k.Demos, d.Name)
	}
	k.Endpoints = func(mesh string) []string {
		if x, ok := m.world.Mesh(mesh); ok {
			if t, ok := m.world.Type(x.Ref.Type); ok {
				return endpointNames(t)
			}
		}
		return nil
	}
	k.Ref = m.refOf
	return k
}

// refOf is what @MESH or PROCS stands for.
func (m *Model) refOf(target string) (control.MeshRef, bool) {
	if mesh, ok := strings.CutPrefix(target, "@"); ok {
		if x, ok := m.world.Mesh(mesh); ok {
			return x.Ref, true
		}
	} else if pm, ok := m.world.ProcMesh(target); ok {
		return pm.Grid(), true
	}
	return control.MeshRef{}, false
}

// openFilter opens the filter of the focused pane.
func (m *Model) openFilter() {
	t := m.panes.tab(m.focus)
	if v, ok := t.body.(selecter); ok {
		v.EditSelection()
		return
	}
	f, ok := t.body.(filterer)
	if !ok {
		return
	}
	before := f.Filter()
	set := func(_ *Model, text string) (string, int) {
		if err := f.SetFilter(text); err != nil {
			_ = f.SetFilter(before) // what was typed up to the mistake is not what is meant
			return columnOf(err)
		}
		return "", 0
	}
	m.input = &input{
		mark: "/", field: dialog.NewEdit(before), hint: t.filter, changed: set, keys: keepOrBack(),
		done:  func(m *Model, text string) tea.Cmd { set(m, text); return nil },
		leave: func(*Model) { _ = f.SetFilter(before) },
	}
	m.touch()
}

// filterMistake is the text of a filter's error, and its column.
func filterMistake(err error) (string, int) {
	if e, ok := err.(*filter.Error); ok { //nolint:errorlint // it comes as it is
		return e.What, e.Column
	}
	return err.Error(), 0
}
