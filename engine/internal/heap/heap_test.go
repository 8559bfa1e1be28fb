package heap

import (
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// run gives a tender collections so far apart, and the percentage after the last.
func run(t *tender, at *time.Time, n int, apart time.Duration, live uint64, percent int) int {
	for range n {
		*at = at.Add(apart)
		percent = t.judge(*at, live, percent)
	}
	return percent
}

// TestASmallHeapThatIsCollectedOftenGrowsAndShrinks holds INV-FEW.
func TestASmallHeapThatIsCollectedOftenGrowsAndShrinks(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name  string
		apart time.Duration
		live  uint64
		want  int
	}{
		{"a busy worker", 10 * time.Millisecond, 2 * mib, 400},
		{"one that holds a little more", 10 * time.Millisecond, 6 * mib, 166},
		{"one that holds much", 10 * time.Millisecond, 8 * mib, 100},
		{"one that holds more than the roof", 10 * time.Millisecond, 100 * mib, 100},
		{"one that does little", 100 * time.Millisecond, 2 * mib, 100},
		{"one that holds nothing", 10 * time.Millisecond, 0, 400},
	} {
		var tend tender
		at := time.Unix(1e9, 0)
		if got := run(&tend, &at, recent, c.apart, c.live, usual); got != usual {
			t.Errorf("%s: %d%% after %d collections, before it is known how often they come", c.name, got, recent)
		}
		got := run(&tend, &at, 1, c.apart, c.live, usual)
		if got != c.want {
			t.Errorf("%s: %d%%, want %d%%", c.name, got, c.want)
		}
		if top := max(c.live*uint64(100+got)/100, 4*mib*uint64(got)/100); c.live < Roof/2 && top > Roof {
			t.Errorf("%s: its heap grows to %d bytes", c.name, top)
		}
		if got = run(&tend, &at, 1, 10*calm, c.live, got); got != usual {
			t.Errorf("%s: %d%% when it has calmed down", c.name, got)
		}
	}
}

func TestAHeapThatGrowsWhileItIsCollectedOftenFollows(t *testing.T) {
	var tend tender
	at := time.Unix(1e9, 0)
	got := run(&tend, &at, recent+1, time.Millisecond, 1<<20, usual)
	if got = run(&tend, &at, 1, 30*time.Millisecond, 5<<20, got); got != 220 {
		t.Errorf("with 5 MiB: %d%%", got)
	}
	if got = run(&tend, &at, 1, 30*time.Millisecond, 5<<20+100, got); got != 220 {
		t.Errorf("with a little more: %d%%, for a change that is none", got)
	}
	if got = run(&tend, &at, 1, 30*time.Millisecond, 64<<20, got); got != usual {
		t.Errorf("with 64 MiB: %d%%", got)
	}
}

// TestWhatSomebodyElseHasSetStays holds INV-THEIRS.
func TestWhatSomebodyElseHasSetStays(t *testing.T) {
	for _, percent := range []int{0, 50, 101, 400, 1 << 30} {
		var tend tender
		at := time.Unix(1e9, 0)
		if got := run(&tend, &at, 3*recent, time.Millisecond, 1<<20, percent); got != percent {
			t.Errorf("%d%% became %d%%", percent, got)
		}
	}
	var tend tender
	at := time.Unix(1e9, 0)
	run(&tend, &at, recent+1, time.Millisecond, 1<<20, usual)
	if got := run(&tend, &at, 1, time.Millisecond, 1<<20, 37); got != 37 {
		t.Errorf("37%%, set while ours acted, became %d%%", got)
	}
	if got := run(&tend, &at, 1, 10*calm, 1<<20, 37); got != 37 {
		t.Errorf("37%%, set while ours acted, became %d%% later", got)
	}
}

var kept []byte

// TestThisProcessIsTended makes garbage until the percentage has changed, then as little as it takes to have it back.
func TestThisProcessIsTended(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	defer debug.SetGCPercent(debug.SetGCPercent(usual))
	Tend()
	percent := func() uint64 {
		sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	for end := time.Now().Add(time.Minute); percent() == usual; {
		if kept = make([]byte, 4<<10); time.Now().After(end) {
			t.Fatal("nothing was done about very many collections")
		}
	}
}
