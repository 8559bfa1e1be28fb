package inspect

import (
	"strconv"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/messages"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// callList is the last calls of one actor, the newest first, found in the world's messages.
type callList struct {
	ref   string
	total int
	rows  []callRow
}

// callRow is a call that the actor got, or one that it sent to any number of ranks.
type callRow struct {
	call     control.Message
	answer   control.Message // the last one
	answered int
	failed   int
	gaveUp   int  // were cancelled
	n        int  // ranks it was sent to
	sent     bool // by this actor
}

// maxCalls bounds how many calls are listed.
const maxCalls = 200

// sync reads the messages again, where there are new ones.
func (c *callList) sync(w *world.World, meshName string, rank int) {
	ref := "@" + meshName + "[" + strconv.Itoa(rank) + "]"
	if c.ref == ref && c.total == w.Messages.Total() {
		return
	}
	*c = callList{ref: ref, total: w.Messages.Total(), rows: c.rows[:0]}
	answers := map[uint64]int{} // by the message that they answer
	for at := w.Messages.Total() - 1; at >= w.Messages.First() && len(c.rows) < maxCalls; at-- {
		m := w.Messages.At(at)
		from, to := m.From == ref, m.To == ref
		if !from && !to {
			continue
		}
		if m.IsAnswer() {
			if m.Parent != 0 {
				answers[m.Parent] = at
			}
			continue
		}
		row := callRow{call: *m, n: 1, sent: from}
		if last := len(c.rows) - 1; from && !to && last >= 0 && c.rows[last].sent && c.rows[last].call.Call == m.Call {
			c.rows[last].n++
			row = c.rows[last]
			c.rows = c.rows[:last]
		}
		if a, ok := answers[m.ID]; ok && m.ID != 0 {
			row.answered++
			if answer := w.Messages.At(a); row.answered == 1 || answer.Kind == control.MessageError {
				row.answer = *answer
			}
			switch answer := w.Messages.At(a); {
			case messages.Cancelled(answer):
				row.gaveUp++
			case answer.Kind == control.MessageError:
				row.failed++
			}
		}
		c.rows = append(c.rows, row)
	}
}

// byCall is the newest message of a call that the actor got, nil where none was seen.
func (c *callList) byCall(id uint64) *control.Message {
	for i := range c.rows {
		if r := &c.rows[i]; !r.sent && r.call.Call == id && id != 0 {
			return &r.call
		}
	}
	return nil
}

// buildCalls lists the calls.
func (p *Pane) buildCalls(w *world.World) {
	if len(p.calls.rows) == 0 {
		p.space()
		p.note("none", paint.Muted, "No message of this actor was seen yet. What it is called with, and what it calls, is listed here while you watch."+p.keys.Hint(" %s calls it.", "call"))
		return
	}
	for i := range p.calls.rows {
		p.add(p.callLine(w, &p.calls.rows[i]))
	}
	if len(p.calls.rows) == maxCalls {
		p.note("more", paint.Muted, "older ones are in "+p.keys.Hint("[%s] ", "pane.4")+"Messages")
	}
}

// callLine is one call: ← got, → sent; what came of it, and how long it took.
func (p *Pane) callLine(w *world.World, r *callRow) line {
	sign, peer := "← ", world.Name(r.call.From)
	if r.sent {
		sign, peer = "→ ", world.Name(r.call.To)
	}
	text := messages.Call(w, &r.call)
	l := line{key: "call " + strconv.FormatUint(r.call.Call, 10) + " " + strconv.FormatUint(r.call.ID, 10)}
	if p.w >= 56 {
		l.left = append(l.left, seg(paint.Muted, r.call.Time.Format("15:04:05.000")+" "))
	}
	l.left = append(l.left, seg(paint.Accent, sign), seg(paint.Text, text))
	if r.n > 1 {
		l.left = append(l.left, seg(paint.Muted, " ×"+strconv.Itoa(r.n)))
	}
	l.left = append(l.left, seg(paint.Muted, "  "+peer))
	l.copied = clock(r.call.Time) + " " + peer + " " + sign + text
	switch {
	case r.call.Adverb == control.AdverbBroadcast:
		l.right = []paint.Seg{seg(paint.Muted, "cast")}
	case r.answered == 0:
		l.right = []paint.Seg{seg(paint.Busy, "… "+paint.Duration(max(0, w.Now.Sub(r.call.Time))))}
	default:
		answer := messages.Answer(w, &r.answer)
		l.copied += " " + answer
		role, took := paint.Muted, paint.Duration(r.answer.Took.Round(time.Microsecond))
		if r.answer.Kind == control.MessageError {
			role = messages.AnswerRole(&r.answer)
		}
		if r.n > 1 {
			answer = strconv.Itoa(r.answered) + "/" + strconv.Itoa(r.n)
			if r.failed > 0 {
				answer += " ✕" + strconv.Itoa(r.failed)
				role = paint.Failed
			}
			if r.gaveUp > 0 {
				answer += " ○" + strconv.Itoa(r.gaveUp)
			}
		}
		room := p.w - 4 - paint.SegsWidth(l.left)
		if p.w < 40 {
			room = p.w/2 - 2
		}
		l.right = []paint.Seg{seg(role, paint.Fit(answer, max(6, min(room-paint.Width(took)-1, 40)))+" "), seg(paint.Muted, took)}
	}
	return l
}
