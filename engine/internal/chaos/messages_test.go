package chaos

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/fault"
)

// TestTheSeedDecidesWhichMessagesAreDropped holds INV-DRAW: others are judged in between, and rules come and go.
func TestTheSeedDecidesWhichMessagesAreDropped(t *testing.T) {
	rule := MessageRule{ID: 1, Seed: 7, Stream: 3, Mesh: 5, Endpoint: "Train", Loss: 0.2, By: "ada"}
	dropped := func(r MessageRule, disturb bool) (which []int) {
		m := NewMessages(nil, []MessageRule{r})
		for i := range 200 {
			if disturb {
				m.Judge(5, "Other")
				m.Judge(6, "Train")
				if i%50 == 0 {
					m = NewMessages(m, []MessageRule{{ID: uint64(i + 2), Seed: 1, Mesh: 5, Delay: time.Second}, r})
				}
			}
			if v := m.Judge(5, "Train"); v.Dropped == 1 && v.By == "ada" {
				which = append(which, i)
			}
		}
		counts := m.Counts()
		if c := counts[slices.IndexFunc(counts, func(c fault.Count) bool { return c.ID == 1 })]; c.Seen != 200 || c.Dropped != uint64(len(which)) {
			t.Errorf("counted %+v of %d dropped", c, len(which))
		}
		return which
	}
	first := dropped(rule, false)
	if n := len(first); n < 20 || n > 65 {
		t.Errorf("of 200 messages at 20 %% %d were dropped", n)
	}
	if again := dropped(rule, true); !slices.Equal(first, again) {
		t.Errorf("the same seed dropped %v and %v", first, again)
	}
	other := rule
	other.Stream = 4
	if slices.Equal(first, dropped(other, false)) {
		t.Error("two ranks drop the same messages")
	}
	if NewMessages(nil, nil) != nil {
		t.Error("without rules there is a judge")
	}
}

func TestDelaysOfMessagesAddUp(t *testing.T) {
	m := NewMessages(nil, []MessageRule{{ID: 1, Mesh: 5, Delay: time.Second}, {ID: 2, Mesh: 5, Endpoint: "A", Delay: 2 * time.Second, Jitter: time.Second}})
	if v := m.Judge(5, "B"); v.Wait != time.Second {
		t.Errorf("B waits %v", v.Wait)
	}
	if v := m.Judge(5, "A"); v.Wait < 2*time.Second || v.Wait > 4*time.Second || v.Wait == 3*time.Second {
		t.Errorf("A waits %v", v.Wait)
	}
}

// TestLateMessagesKeepTheOrderOfTheirSender: what others send goes past them.
func TestLateMessagesKeepTheOrderOfTheirSender(t *testing.T) {
	now := time.Now()
	var l Late
	var queue []*quicnet.Envelope
	send := func(proc uint64, due time.Time) {
		env := &quicnet.Envelope{From: quicnet.Addr{Proc: proc}, ID: uint64(len(queue))}
		l.Hold(env, due, []uint64{proc})
		queue = append(queue, env)
	}
	next := func() string {
		i := l.Next(queue)
		if i < 0 {
			return "none"
		}
		env := queue[i]
		l.Forget(env)
		queue = slices.Delete(queue, i, i+1)
		return fmt.Sprint(env.ID)
	}
	send(1, now.Add(time.Minute)) // 0
	send(1, time.Time{})          // 1: behind 0
	send(2, time.Time{})          // 2
	send(2, now.Add(time.Hour))   // 3
	send(1, now.Add(time.Second)) // 4: behind 0
	var got []string
	for range 2 {
		got = append(got, next())
	}
	l.Ripen(now.Add(2 * time.Minute))
	for range 4 {
		got = append(got, next())
	}
	l.Release(map[uint64]bool{1: true}) // what holds up those of 2 acts no more
	got = append(got, next(), next())
	if want := []string{"2", "none", "0", "1", "4", "none", "3", "none"}; !slices.Equal(got, want) {
		t.Errorf("handled %v, want %v", got, want)
	}
}
