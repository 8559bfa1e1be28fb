package messages

import (
	"fmt"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// memo holds the texts of a fold that cost more than a look: they are made anew when more messages of it have come.
type memo struct {
	seen     int
	answered int
	matched  int
	from, to string
	call     string
	ranks    []int // that were called
	senders  []int // that called, where they are several
	slowest  int   // rank, -1
	result   string
	err      string
	gaveUp   string // that some were cancelled
	median   time.Duration
}

// texts are the texts of a fold.
func (p *Pane) texts(f *fold) *memo {
	if m := f.memo; m != nil && m.seen == f.seen && m.answered == f.answered && m.matched == f.matched {
		return m
	}
	m := f.memo
	if m == nil {
		m = new(memo)
		f.memo = m
	}
	*m = memo{slowest: -1, seen: f.seen, answered: f.answered, matched: f.matched, ranks: m.ranks[:0], senders: m.senders[:0]}
	p.made++
	p.parties(f, m)
	p.outcomes(f, m)
	return m
}

// parties names who called whom, and with what.
func (p *Pane) parties(f *fold, m *memo) {
	first := f.one()
	msg := first.message(p.src)
	from, to := ends(msg)
	m.from, m.to, m.call = world.Name(from), world.Name(to), Call(p.w, msg)
	if f.ranks == 1 && len(f.exchanges) == 1 {
		_, rank, ok := world.SplitName(to)
		if ok {
			m.ranks = append(m.ranks, rank)
		}
		return
	}
	argument, alike := p.digests.body(msg), true
	for _, h := range f.exchanges {
		if h.messages() == 0 {
			continue
		}
		g := p.read(h)
		if g.from >= 0 {
			m.senders = append(m.senders, int(g.from))
		}
		if g.to >= 0 {
			m.ranks = append(m.ranks, int(g.to))
		}
		alike = alike && (h.call < 0 || g.argument == argument)
	}
	if !alike {
		m.call = msg.Endpoint + "(…)"
	}
	slices.Sort(m.ranks)
	m.ranks = slices.Compact(m.ranks)
	if mesh, _, ok := world.SplitName(to); ok {
		if known, ok := p.w.Mesh(mesh); ok && f.ranks == len(known.Ranks) && !f.senders {
			m.to = mesh + "[*]"
		} else {
			m.to = p.w.RanksName(mesh, m.ranks)
		}
	}
	if mesh, _, ok := world.SplitName(from); ok && f.senders {
		slices.Sort(m.senders)
		m.senders = slices.Compact(m.senders)
		m.from = p.w.RanksName(mesh, m.senders)
	} else {
		m.senders = m.senders[:0]
	}
}

// most is how many answers are looked at to tell whether they are equal.
const most = 65

// outcomes sums up what came back.
func (p *Pane) outcomes(f *fold, m *memo) {
	clear(p.results)
	clear(p.errors)
	times, last := p.durations[:0], uint64(0)
	for _, h := range f.exchanges {
		if !h.answered || h.messages() == 0 {
			continue
		}
		times = append(times, h.took)
		if h.answer < 0 {
			continue
		}
		g := p.read(h)
		if h.took == f.max && g.to >= 0 {
			m.slowest = int(g.to)
		}
		switch {
		case h.failed && len(p.errors) < most:
			if m.err == "" {
				m.err = errorText(p.src.At(h.answer))
			}
			p.errors[g.answer] = true
		case h.failed || h.cancelled:
		case len(p.results) == 0 || g.answer != last && len(p.results) < most:
			last = g.answer
			p.results[last] = h.answer
		}
	}
	p.durations = times
	if len(times) > 0 {
		m.median = nthOf(times, len(times)/2)
	}
	switch n := len(p.results); {
	case n == 1:
		m.result = Answer(p.w, p.src.At(p.results[last]))
	case n >= most:
		m.result = "↩ many values"
	case n > 1:
		m.result = fmt.Sprintf("↩ %d values", n)
	}
	switch {
	case f.cancelled > 1 || f.cancelled > 0 && f.ranks > 1:
		m.gaveUp = fmt.Sprintf("○ %s cancelled", paint.Exact(f.cancelled))
	case f.cancelled > 0:
		m.gaveUp = gaveUp
	}
	switch n := len(p.errors); {
	case f.failed == 0:
	case n > 1:
		m.err = fmt.Sprintf("✕ %d  %s, …", f.failed, m.err)
	case f.failed > 1 || f.ranks > 1:
		m.err = fmt.Sprintf("✕ %d  %s", f.failed, m.err)
	default:
		m.err = "✕ " + m.err
	}
}

// nthOf is the value that would stand at n were the values in order. It moves them.
func nthOf(values []time.Duration, n int) time.Duration {
	for from, to := 0, len(values)-1; from < to; {
		pivot := values[from+(to-from)/2]
		i, j := from, to
		for i <= j {
			for values[i] < pivot {
				i++
			}
			for values[j] > pivot {
				j--
			}
			if i <= j {
				values[i], values[j] = values[j], values[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case n <= j:
			to = j
		case n >= i:
			from = i
		default:
			return values[n]
		}
	}
	return values[n]
}

// times is what the row of a fold says of its duration, in at most w cells.
func (p *Pane) times(f *fold, m *memo, w int) (string, paint.Role) {
	switch {
	case f.broadcast && f.answered == 0:
		return oneOf(w, "broadcast", "cast"), paint.Muted
	case f.ranks == 1 && f.answered > 0:
		return paint.PadLeft(paint.Duration(m.median), 6), took(f.failed > 0)
	case f.answered == 0:
		return p.waiting(f.one()), paint.Muted
	case f.answered < f.ranks:
		return oneOf(w, paint.Of(f.answered, f.ranks)+" replied", paint.Of(f.answered, f.ranks),
			fmt.Sprintf("%d/%d", f.answered, f.ranks), fmt.Sprintf("-%d", f.ranks-f.answered)), paint.Text
	}
	half, top := paint.PadLeft(paint.Duration(m.median), 6), paint.Duration(f.max)
	return oneOf(w, half+" p50 · "+top+" max", half+" max "+top, half), paint.Muted
}

func took(failed bool) paint.Role {
	if failed {
		return paint.Failed
	}
	return paint.Muted
}

// waiting is for how long a call has had no answer.
func (p *Pane) waiting(h *exchange) string {
	if h == nil || h.call < 0 {
		return "┊"
	}
	m := p.src.At(h.call)
	if mesh, rank, ok := world.SplitName(m.To); ok {
		if known, ok := p.w.Mesh(mesh); ok && (known.Gone || rank < len(known.Ranks) && p.w.Word(known, rank) == "gone") {
			return "unseen" // it cannot come any more
		}
	}
	sign := "┊"
	if p.stands(m) {
		sign = paint.Glyph("paused")
	}
	if m.Adverb != control.AdverbBroadcast || sign != "┊" {
		d := max(0, p.w.Now.Sub(m.Time))
		step := 100 * time.Millisecond // the digits are to be read
		if d < time.Second {
			step = 10 * time.Millisecond
		}
		return sign + paint.PadLeft(paint.Duration(d.Truncate(step)), 5)
	}
	return "cast"
}

// stands reports whether the handler of a message stands at a site.
func (p *Pane) stands(m *control.Message) bool {
	mesh, rank, ok := world.SplitName(m.To)
	if !ok || !p.w.IsStopped(mesh, []int{rank}) {
		return false
	}
	return slices.ContainsFunc(p.w.StopsIn(mesh, []int{rank}), func(st control.Stop) bool { return st.Msg == m.ID || st.Msg == 0 && st.Call == m.Call })
}

// oneOf is the first of the texts that fits, or the last one cut.
func oneOf(w int, texts ...string) string {
	for _, t := range texts {
		if paint.Width(t) <= w {
			return t
		}
	}
	return paint.Fit(texts[len(texts)-1], w)
}
