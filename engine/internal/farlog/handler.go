package farlog

import (
	"context"
	"log/slog"
	"slices"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Logger is a log whose records go into the queue, from the level on that a session's log has: Info.
func (q *Queue) Logger() *slog.Logger { return slog.New(&handler{queue: q, gate: OfProcess()}) }

// handler makes records of what is logged.
type handler struct {
	queue *Queue
	gate  *Gate
	attrs []string
	group string // with a dot behind it
}

var _ slog.Handler = (*handler)(nil)

// Enabled leaves out what a session's log does.
func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

// Handle puts a record into the queue.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	out := Record{Time: r.Time.UnixMilli(), Level: int(r.Level), Text: clean.OneLine(r.Message, maxText), Attrs: slices.Clone(h.attrs)}
	r.Attrs(func(a slog.Attr) bool {
		out.Attrs = h.pairs(out.Attrs, h.group, a)
		return len(out.Attrs) < 2*maxAttrs
	})
	h.queue.Put(out, h.gate)
	return nil
}

// pairs adds an attribute to a list of keys and values. Those of a group have its name before theirs.
func (h *handler) pairs(to []string, group string, a slog.Attr) []string {
	v := a.Value.Resolve()
	if len(to) >= 2*maxAttrs || a.Equal(slog.Attr{}) {
		return to
	}
	if v.Kind() != slog.KindGroup {
		return append(to, clean.Name(group+a.Key, maxKey), clean.OneLine(v.String(), maxText))
	}
	if a.Key != "" {
		group += a.Key + "."
	}
	for _, in := range v.Group() {
		to = h.pairs(to, group, in)
	}
	return to
}

// WithAttrs is the handler with attributes on each record.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	out := *h
	out.attrs = slices.Clone(h.attrs)
	for _, a := range attrs {
		out.attrs = h.pairs(out.attrs, h.group, a)
	}
	return &out
}

// WithGroup is the handler with a name before the keys that follow.
func (h *handler) WithGroup(name string) slog.Handler {
	out := *h
	if name != "" {
		out.group += name + "."
	}
	return &out
}
