package farlog

import (
	"context"
	"log/slog"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Bounds of a record.
const (
	maxText  = 1024 // runes of the message, and of a value
	maxKey   = 64   // runes of a key
	maxAttrs = 16   // pairs
)

// Record is a line of the log on its way.
type Record struct {
	_     struct{} `cbor:",toarray"`
	Time  int64    // in Unix milliseconds, by the clock of who logged it
	Level int      // as slog has it
	Text  string
	Attrs []string // key and value, one after the other
	Lost  uint64   // records before this one that nobody will see
}

// Of is the record with what is known of who logged it before its own attributes: pairs of key and value. It is clean, and within the
// bounds.
func (r Record) Of(who ...string) Record {
	r.Text = clean.OneLine(r.Text, maxText)
	attrs := who
	for i := 0; i+1 < min(len(r.Attrs), 2*maxAttrs); i += 2 {
		attrs = append(attrs, clean.Name(r.Attrs[i], maxKey), clean.OneLine(r.Attrs[i+1], maxText))
	}
	r.Attrs = attrs
	return r
}

// Write puts the record into a log.
func (r Record) Write(to *slog.Logger) {
	level := slog.Level(r.Level)
	if !to.Enabled(context.Background(), level) {
		return
	}
	rec := slog.NewRecord(time.UnixMilli(r.Time), level, r.Text, 0)
	for i := 0; i+1 < len(r.Attrs); i += 2 {
		rec.AddAttrs(slog.String(r.Attrs[i], r.Attrs[i+1]))
	}
	if r.Lost > 0 {
		rec.AddAttrs(slog.Uint64("lost", r.Lost))
	}
	_ = to.Handler().Handle(context.Background(), rec) // a log that cannot be written says so itself
}
