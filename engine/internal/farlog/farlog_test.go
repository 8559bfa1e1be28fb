package farlog

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// written is what a queue's records look like in a session's log, without their times.
func written(q *Queue, who ...string) string {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	done := make(chan struct{})
	close(done)
	q.Run(done, func(r Record) { r.Of(who...).Write(log) })
	return out.String()
}

func TestARecordIsWrittenAsIfItWereLoggedHere(t *testing.T) {
	q := NewQueue()
	log := q.Logger().With("actor", "@m[3]")
	log.Warn("dropped an answer", "from", 7, "err", errors.New("it is late"), slog.Group("link", "rtt", time.Second))
	log.WithGroup("g").With("a", 1).Error("bad", "b", 2)
	log.Debug("nobody asked for it")
	want := `level=WARN msg="dropped an answer" host=n2 procs=p rank=3 actor=@m[3] from=7 err="it is late" link.rtt=1s
level=ERROR msg=bad host=n2 procs=p rank=3 actor=@m[3] g.a=1 g.b=2
`
	if got := written(q, "host", "n2", "procs", "p", "rank", "3"); got != want {
		t.Errorf("written was\n%swant\n%s", got, want)
	}
}

// TestNobodyWaitsForALog holds INV-NOWAIT and INV-BOUND: what is too much is counted, and told with what comes next.
func TestNobodyWaitsForALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue()
		log := q.Logger()
		for i := range 10_000 {
			log.Warn("again", "i", i)
		}
		if got := strings.Count(written(q), "\n"); got != queued {
			t.Errorf("%d records had room", got)
		}
		log.Warn("at once")
		if got := written(q); got != "" {
			t.Errorf("above its rate it told %s", got)
		}
		time.Sleep(time.Second)
		for range 200 {
			log.Warn("later")
		}
		got := written(q)
		if n := strings.Count(got, "\n"); n != 100 {
			t.Errorf("%d records in a second", n)
		}
		if first, _, _ := strings.Cut(got, "\n"); !strings.HasSuffix(first, fmt.Sprintf("lost=%d", 10_001-queued)) {
			t.Errorf("it did not tell what was lost: %s", first)
		}
	})
}

// TestWhatComesFromElsewhereIsCleaned holds INV-CLEAN, and INV-BOUND for one record.
func TestWhatComesFromElsewhereIsCleaned(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	r := Record{Text: "a\x1b[31m\nb\u202e" + long, Attrs: []string{"host", "mine", "k\n\x1b", "v\r\n\x00" + long, "odd"}}
	for range 100 {
		r.Attrs = append(r.Attrs, long, long)
	}
	q := NewQueue()
	q.Put(r, OfHost())
	got := written(q, "host", "n2")
	if strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\x1b\x00\r\u202e") || len(got) > 64<<10 {
		t.Errorf("written were %d bytes: %.300q", len(got), got)
	}
	if before, after, ok := strings.Cut(got, "host=n2"); !ok || strings.Contains(before, "host=") || !strings.Contains(after, "host=mine") {
		t.Errorf("whose it is does not come first: %.200q", after)
	}
	out := Record{Attrs: make([]string, 1000)}.Of()
	if len(out.Attrs) != 2*maxAttrs {
		t.Errorf("%d attributes", len(out.Attrs)/2)
	}
}
