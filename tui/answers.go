package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// answers gathers what ranks answered, grouped by equal value or error. The session's goroutine adds, the screen reads.
type answers struct {
	mu     sync.Mutex
	groups []answerGroup
	index  map[string]int
	total  int
	slow   time.Duration // the longest that one took
}

// answerGroup is the ranks that answered alike.
type answerGroup struct {
	ok    bool
	gave  bool   // up: it was cancelled, which is no error
	rest  bool   // they did not answer alike: there are too many groups
	text  string // the value, or the error
	more  string // the stack of a panic, or all that is known of the first
	ranks []int
}

// who is how many ranks answered alike, or which one did.
func (g answerGroup) who() string {
	if len(g.ranks) == 1 {
		return fmt.Sprintf("[%d]", g.ranks[0])
	}
	return paint.Exact(len(g.ranks))
}

// look is the sign and the colour of an answer.
func (g answerGroup) look() (sign string, role paint.Role) {
	switch {
	case g.ok:
		return "→", paint.Text
	case g.gave:
		return "○", paint.Gone
	}
	return "✕", paint.Failed
}

// maxGroups bounds the groups: more different values are counted as others, and more different errors.
const maxGroups = 1000

func newAnswers() *answers { return &answers{index: map[string]int{}} }

func (a *answers) add(x script.Answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ok, text, more := x.Outcome == control.OutcomeReply, x.Value, x.Stack
	if cause := world.Cause(x.Err); x.Outcome == control.OutcomeLost && cause != "" { // alike, though each names its own process
		text, more = "lost: "+cause, x.Err
	} else if !ok {
		text = x.Err
		if x.Outcome != control.OutcomeError && !strings.Contains(text, string(x.Outcome)) {
			text = string(x.Outcome) + ": " + text
		}
	} else if text == "" {
		text = "done"
	}
	key := text
	if !ok {
		key = "\x00" + text
	}
	i, found := a.index[key]
	rest := !found && len(a.groups) >= maxGroups
	if rest {
		if key, text = "\x01", "other values"; !ok {
			key, text, more = "\x01\x00", "other errors", ""
		}
		i, found = a.index[key]
	}
	if !found {
		i = len(a.groups)
		a.index[key] = i
		a.groups = append(a.groups, answerGroup{ok: ok, gave: x.Outcome == control.OutcomeCancelled, rest: rest, text: text, more: more})
	}
	a.groups[i].ranks = append(a.groups[i].ranks, x.Rank)
	a.total++
	a.slow = max(a.slow, x.Took)
}

// list is the groups, errors last and the others behind those of a kind, else the largest first and of equal ones that of the
// first rank, with their ranks in order.
func (a *answers) list() (groups []answerGroup, total int, slowest time.Duration) {
	if a == nil {
		return nil, 0, 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	groups = slices.Clone(a.groups)
	for i := range groups {
		groups[i].ranks = slices.Clone(groups[i].ranks)
		slices.Sort(groups[i].ranks)
	}
	slices.SortStableFunc(groups, func(x, y answerGroup) int {
		if x.ok != y.ok {
			if x.ok {
				return -1
			}
			return 1
		}
		if x.rest != y.rest {
			if y.rest {
				return -1
			}
			return 1
		}
		return cmp.Or(len(y.ranks)-len(x.ranks), x.ranks[0]-y.ranks[0])
	})
	return groups, a.total, a.slow
}

// toAnswers goes to the ranks that answered alike; of several groups a person picks one. What is open is closed on the
// way.
func (m *Model) toAnswers(e *entry, box *dialog.TextBox) tea.Cmd {
	groups, _, _ := e.answers.list()
	rows := make([]dialog.Choice, 0, len(groups))
	for _, g := range groups {
		sign, _ := g.look()
		text, _, _ := strings.Cut(g.text, "\n")
		rows = append(rows, dialog.Choice{Text: g.who() + " " + sign + " " + text, Right: "[" + paint.Fit(ranksText(g.ranks), 24) + "]", Do: func() tea.Cmd {
			m.drop(box)
			return m.toRanks(e.mesh, g.ranks)
		}})
	}
	switch len(rows) {
	case 0:
		m.say(sayWarn, "nothing has been answered")
		return nil
	case 1:
		return rows[0].Do()
	}
	p := dialog.NewPicker("Answers of "+e.line, rows)
	p.Enter = "select its ranks"
	m.push(p)
	return nil
}

// toRanks selects ranks of a mesh on the grid, and goes there.
func (m *Model) toRanks(mesh string, ranks []int) tea.Cmd {
	if x, ok := m.world.Mesh(mesh); !ok || x.Gone {
		m.say(sayWarn, "@"+mesh+" has ended")
		return nil
	}
	m.dropAll()
	m.panes.showMesh(m.world, mesh)
	m.panes.grid.Mark()
	_ = m.panes.grid.SetSelection(ranksText(ranks)) // ranks that answered are ranks
	m.setFocus(Ranks)
	return m.cursorMoved()
}

// openEntry shows a command with everything it gave.
func (m *Model) openEntry(e *entry) {
	b := &dialog.TextBox{Title: e.line, Live: func() bool { return !e.done }}
	b.Lines = func() []paint.Seg { return m.entryLines(e) }
	if !e.done {
		b.Keys = []dialog.Key{{Key: "ctrl+x", Hint: "cancel", Do: func() tea.Cmd { return m.cancelEntry(e) }}}
	}
	if e.mesh != "" {
		b.Keys = append(b.Keys, dialog.Key{Key: "enter", Hint: "to the ranks", Do: func() tea.Cmd { return m.toAnswers(e, b) }})
	}
	b.Keys = append(b.Keys, m.boundKeys("repeat", "repeat", func() tea.Cmd { m.drop(b); return m.command(e.line) })...)
	if m.input == nil && len(m.overlays) == 0 {
		b.Keys = append(b.Keys, m.boundKeys("command", "command", func() tea.Cmd { m.drop(b); m.openCommand(""); return nil })...)
	}
	m.pushText(b)
}

func (m *Model) entryLines(e *entry) (out []paint.Seg) {
	add := func(r paint.Role, text string) { out = append(out, paint.Seg{Style: paint.Style{Fg: r}, Text: text}) }
	sign, role := m.sign(e)
	add(role, sign+" ")
	add(paint.Text, e.line+"\n")
	when := "began " + e.began.Format("15:04:05.000")
	if e.done {
		when += ", took " + paint.Duration(e.took)
	} else {
		when += ", runs for " + paint.Duration(m.now().Sub(e.began).Truncate(100*time.Millisecond))
	}
	add(paint.Muted, when+"\n")
	if groups, n, slow := e.answers.list(); n > 0 {
		add(paint.Muted, fmt.Sprintf("\n%s, the slowest after %s\n", paint.Plural(n, "answer"), paint.Duration(slow)))
		width := 4
		for _, g := range groups {
			width = max(width, paint.Width(g.who()))
		}
		for _, g := range groups {
			sign, r := g.look()
			add(paint.Muted, paint.PadLeft(g.who(), width))
			add(r, " "+sign+" "+g.text+"\n")
			if len(g.ranks) > 1 {
				add(paint.Muted, strings.Repeat(" ", width+3)+"ranks "+ranksText(g.ranks)+"\n")
			}
			if g.more != "" {
				add(paint.Muted, indent(g.more, "       ")+"\n")
			}
		}
	} else if len(e.text) > 0 {
		add(paint.Text, "\n"+strings.Join(e.text, "\n")+"\n")
	}
	if e.cancelled {
		add(paint.Muted, "\n"+e.err+"\n")
	} else if e.err != "" {
		add(paint.Failed, "\n"+e.err+"\n")
	}
	return out
}

func indent(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+by)
}
