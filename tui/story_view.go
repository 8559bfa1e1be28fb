package tui

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// storyRows is how many rows the narration has on a screen of w×h: one for its head, the others for what is told. Where
// they do not hold it all, there are pages.
func storyRows(w, h int, squash bool) int {
	most := 7
	if w >= wideWidth {
		most = 6
	}
	switch {
	case h < titlesHeight:
		return max(2, h-7)
	case h < squashHeight:
		return min(most, h-8)
	case squash:
		return min(most, h-12)
	}
	return min(most, h-17)
}

// storyHeight is the least height of a screen that shows a demo and is not squashed.
const storyHeight = 22

// drawStory draws the narration.
func (m *Model) drawStory(s *paint.Surface) {
	t := m.story
	w, h := s.Size()
	s.Fill(paint.Style{Fg: paint.Text, Bg: paint.Bar})
	lines := m.storyLines(w - 2)
	rows := h - 1
	t.pages = max(1, (len(lines)+rows-1)/rows)
	t.page = min(t.page, t.pages-1)
	m.drawStoryHead(s.In(paint.Rect{W: w, H: 1}))
	for i, line := range lines[min(len(lines), t.page*rows):min(len(lines), (t.page+1)*rows)] {
		for j := range line {
			line[j].Style = line[j].Style.On(paint.Bar)
		}
		s.Line(1, 1+i, line...)
	}
}

// drawStoryHead draws the row that says which step it is, and how to go on.
func (m *Model) drawStoryHead(s *paint.Surface) {
	t := m.story
	w, _ := s.Size()
	muted := paint.Style{Fg: paint.Muted, Bg: paint.Bar}
	x := s.Text(1, 0, paint.Style{Fg: paint.Accent, Bg: paint.Bar, Attr: paint.Bold}, "▶ "+t.demo.Name)
	if t.demo.Steps > 0 && t.step > 0 {
		count := fmt.Sprintf("%d of %d", min(t.step, t.demo.Steps), t.demo.Steps)
		if w < squashWidth {
			count = fmt.Sprintf("%d/%d", min(t.step, t.demo.Steps), t.demo.Steps)
		}
		x = s.Text(x+1, 0, muted, count)
	}
	title := t.now.Title
	if t.done {
		title = "That was it"
	}
	right, short := m.storyKeys()
	if w-x-5-paint.Width(right) < paint.Width(title) { // what is told comes first
		right = short
	}
	s.TextIn(x+2, 0, w-x-3-paint.Width(right)-2, paint.Style{Fg: paint.Text, Bg: paint.Bar, Attr: paint.Bold}, title)
	at := s.TextRight(w-1, 0, paint.Style{Fg: paint.Accent, Bg: paint.Bar}, right)
	m.spot(s, paint.Rect{X: at, W: w - at, H: 1}, m.storyNext)
}

// storyKeys says how the story goes on, in full and in short.
func (m *Model) storyKeys() (full, short string) {
	t := m.story
	next := func(what, inShort string) (string, string) {
		if t.focused && !t.open() && m.w >= squashWidth {
			return "space " + what + m.keyHint(" · %s from anywhere", "demo.next"), "space " + inShort
		}
		return m.keyHint("%s "+what, "demo.next"), m.keyHint("%s "+inShort, "demo.next")
	}
	goesOn := func() (string, string) {
		left := (t.pause() - m.now().Sub(t.since) + time.Second - 1).Truncate(time.Second)
		text := fmt.Sprintf("goes on in %ds", max(0, int(left.Seconds())))
		return text, text
	}
	switch {
	case t.done && t.err != nil:
		full = m.keyHint("%s close", "demo.next")
		return full, full
	case t.done:
		short = m.keyHint("%s close", "demo.next")
		return ":demo restarts" + m.keyHint(" · %s close", "demo.next"), short
	case !t.waiting:
		return m.spinner() + " running", m.spinner()
	case t.task != nil && t.task.done && m.busyElsewhere():
		return "✓ done; goes on when this is closed", "✓ done"
	case t.pause() > 0:
		return goesOn()
	case t.page+1 < t.pages:
		return next(fmt.Sprintf("more (%d of %d)", t.page+1, t.pages), "more")
	case t.open():
		return next("skip: the demo does it", "skip")
	}
	return next("next step", "next")
}

// storyLines is what is told, as wide as it may be.
func (m *Model) storyLines(w int) (lines [][]paint.Seg) {
	t := m.story
	text := paint.Style{Fg: paint.Text}
	switch {
	case t.done && t.err != nil:
		return m.prose("✕ "+t.err.Error(), paint.Style{Fg: paint.Failed}, w)
	case t.done:
		return m.prose("What you made yourself stays until you quit. "+m.otherDemos(), text, w)
	case t.task != nil && t.task.done:
		lines = m.prose("✓ "+t.now.Done, text, w)
	case t.task != nil:
		said := t.now.Text
		if note := m.note(t.task); note != "" {
			said = note
		}
		lines = append(m.prose(said, text, w), m.prose(t.now.How, text, w)...)
	default:
		lines = m.prose(t.now.Text, text, w)
	}
	command := t.now.Command
	if t.task != nil {
		command = t.task.line()
	}
	lines = append(lines, codeLines("Go", t.now.Go, w)...)
	return append(lines, codeLines(cmp.Or(m.keyOf("command"), "cmd"), command, w)...)
}

// otherDemos says how to see the others.
func (m *Model) otherDemos() string {
	var names []string
	for _, d := range m.cfg.Demos {
		if d.Name != m.story.demo.Name {
			names = append(names, ":demo "+d.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "More: " + strings.Join(names, ", ") + "."
}

// codeLines is a line of a program or a command, below which it goes on where it is long.
func codeLines(label, code string, w int) (lines [][]paint.Seg) {
	const indent = 4
	if code == "" {
		return nil
	}
	for i, part := range paint.Wrap(code, w-indent) {
		if i > 0 {
			label = ""
		}
		lines = append(lines, []paint.Seg{
			{Text: paint.Pad(label, indent), Style: paint.Style{Fg: paint.Muted}},
			{Text: part, Style: paint.Style{Fg: paint.Busy}},
		})
	}
	return lines
}

// prose is a text in lines, with the keys of the actions that it names as {action}.
func (m *Model) prose(text string, st paint.Style, w int) (lines [][]paint.Seg) {
	var line []paint.Seg
	width := 0
	for _, word := range m.wordsOf(text, st) {
		n := paint.SegsWidth(word)
		switch {
		case width == 0:
		case width+1+n > w:
			lines, line, width = append(lines, line), nil, 0
		default:
			line = append(line, paint.Seg{Text: " ", Style: st})
			width++
		}
		line = append(line, word...)
		width += n
	}
	if width > 0 {
		lines = append(lines, line)
	}
	return lines
}

// wordsOf takes a text apart, each word with its punctuation.
func (m *Model) wordsOf(text string, st paint.Style) (words [][]paint.Seg) {
	for word := range strings.FieldsSeq(text) {
		before, rest, named := strings.Cut(word, "{")
		action, after, closed := strings.Cut(rest, "}")
		if !named || !closed || action != keys.Arrows && m.reg.named(action) == nil { // a brace of some code
			words = append(words, []paint.Seg{{Text: word, Style: st}})
			continue
		}
		words = append(words, []paint.Seg{{Text: before, Style: st}, {Text: m.keyFor(action), Style: paint.Style{Fg: paint.Accent}}, {Text: after, Style: st}})
	}
	return words
}

// keyFor is the key of an action, else where the action can be found.
func (m *Model) keyFor(action string) string {
	if k := m.keyOf(action); k != "" {
		return k
	}
	return m.keyHint("%s ", "palette") + "“" + action + "”"
}

// taskStrip is what a demo asks for, short, for the foot of a screen on which a dialog of a height leaves no room for the
// narration: a task that cannot be seen while it is done is none. y is its first row.
func (m *Model) taskStrip(height int) (lines []string, y int) {
	t := m.story
	if t == nil || t.task == nil || t.done || m.h <= minHeight {
		return nil, 0
	}
	end := m.h
	if m.w >= squashWidth && m.h >= squashHeight {
		if height < m.layout.Story.Y { // it is seen
			return nil, 0
		}
		end = m.layout.Status.Y
	}
	text := t.now.Text
	if note := m.note(t.task); note != "" {
		text = note
	}
	if t.task.done {
		text = "✓ " + t.now.Done
	}
	var words []string
	for _, word := range m.wordsOf(strings.TrimPrefix(text, "Now you: "), paint.Style{}) {
		var b strings.Builder
		for _, seg := range word {
			b.WriteString(seg.Text)
		}
		words = append(words, b.String())
	}
	most := 1
	if m.h >= titlesHeight {
		most = 2
	}
	const indent = 3
	lines = paint.Wrap(strings.Join(words, " "), m.w-indent-1)
	if len(lines) > most {
		lines[most-1] = paint.Fit(strings.Join(lines[most-1:], " "), m.w-indent-1)
		lines = lines[:most]
	}
	return lines, end - len(lines)
}

// drawStrip draws what taskStrip says.
func (m *Model) drawStrip(s *paint.Surface, lines []string) {
	s.Fill(paint.Style{Fg: paint.Text, Bg: paint.Bar})
	s.Text(1, 0, paint.Style{Fg: paint.Accent, Bg: paint.Bar, Attr: paint.Bold}, "▶")
	for y, line := range lines {
		s.Text(3, y, paint.Style{Fg: paint.Text, Bg: paint.Bar}, line)
	}
}
