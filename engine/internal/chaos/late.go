package chaos

import (
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

// Late are the messages of a mailbox that are not to be handled yet. They have their place in it, and whoever looks at it finds
// them. It belongs to whoever holds the lock of the mailbox; its zero value is empty.
type Late struct {
	due   map[*quicnet.Envelope]hold
	timer *time.Timer
}

// hold is until when a message waits, and for which faults: its own, and those of one before it that it waits for.
type hold struct {
	until time.Time
	by    []uint64
}

// Any reports whether there are some.
func (l *Late) Any() bool { return len(l.due) > 0 }

// Hold notes a message that is to wait until due, for some faults, or for one of its sender that waits. It reports false where
// nothing has it wait.
func (l *Late) Hold(env *quicnet.Envelope, due time.Time, by []uint64) bool {
	h := hold{due, by}
	for other, at := range l.due {
		if other.From == env.From && at.until.After(h.until) {
			h = at
		}
	}
	if h.until.IsZero() {
		return false
	}
	if l.due == nil {
		l.due = map[*quicnet.Envelope]hold{}
	}
	l.due[env] = h
	return true
}

// Forget takes a message off that has left the mailbox.
func (l *Late) Forget(env *quicnet.Envelope) { delete(l.due, env) }

// Ripen takes off those that wait no longer.
func (l *Late) Ripen(now time.Time) {
	for env, at := range l.due {
		if !at.until.After(now) {
			delete(l.due, env)
		}
	}
}

// Release takes off those that a fault holds up which does not act any more.
func (l *Late) Release(acts map[uint64]bool) {
	for env, at := range l.due {
		if slices.ContainsFunc(at.by, func(id uint64) bool { return !acts[id] }) {
			delete(l.due, env)
		}
	}
}

// Clear takes all off.
func (l *Late) Clear() { clear(l.due) }

// Arm has fn called when the next one becomes due.
func (l *Late) Arm(fn func()) {
	var first time.Time
	for _, at := range l.due {
		if first.IsZero() || at.until.Before(first) {
			first = at.until
		}
	}
	switch {
	case first.IsZero():
		if l.timer != nil {
			l.timer.Stop()
		}
	case l.timer == nil:
		l.timer = time.AfterFunc(time.Until(first), fn)
	default:
		l.timer.Reset(time.Until(first))
	}
}

// Waits reports whether the i-th message of the mailbox has to wait: for its time, or for one of its sender before it.
func (l *Late) Waits(queue []*quicnet.Envelope, i int) bool {
	if len(l.due) == 0 {
		return false
	}
	if _, held := l.due[queue[i]]; held {
		return true
	}
	for _, before := range queue[:i] {
		if _, held := l.due[before]; held && before.From == queue[i].From {
			return true
		}
	}
	return false
}

// Next is the place of the message that is to be handled next, -1 for none.
func (l *Late) Next(queue []*quicnet.Envelope) int {
	if len(l.due) == 0 {
		return min(len(queue), 1) - 1
	}
	for i := range queue {
		if !l.Waits(queue, i) {
			return i
		}
	}
	return -1
}
