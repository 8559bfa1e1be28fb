package script

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

func TestAListingAfterALetIsNotRepeated(t *testing.T) {
	_, report := play(t, newWorld(t), toys+"call @t.Value\nlet n = 1\nlet m = n + 1\n")
	if n := strings.Count(report, "[0-3] 10"); n != 1 {
		t.Errorf("the values of the call are shown %d times, want once:\n%s", n, report)
	}
	if strings.Contains(report, "n = 1\n           n = 1") || !strings.Contains(report, "m = 2") {
		t.Errorf("want the value of m, and not that of n, which the command shows already:\n%s", report)
	}
}

func TestAStackIsCutToTheFramesOfThePersonWhoReadsIt(t *testing.T) {
	stack := strings.Join([]string{
		"goroutine 7 [running]:", "runtime/debug.Stack()", "\t/go/src/runtime/debug/stack.go:26 +0x5e",
		"example.com/x/engine.guard.func1()", "\t/x/engine/activation.go:148 +0x4d",
		"panic({0x8a5b40?, 0xa1e2d0?})", "\t/go/src/runtime/panic.go:783 +0x132",
		"main.(*B).inner(...)", "\t/src/main.go:22",
		"main.(*B).Boom(0xc0001, {0xa2c, 0xc00})", "\t/src/main.go:23 +0x25",
		"example.com/x/engine.Signal[...].func1()", "\t/x/engine/bind.go:99 +0x33",
	}, "\n")
	want := []string{"main.(*B).inner at /src/main.go:22", "main.(*B).Boom at /src/main.go:23"}
	if got := frames(stack); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, other := range []string{"", "panic(", "panic(1)\n\tx.go:1", "no stack at all"} {
		if got := frames(other); len(got) > 0 {
			t.Errorf("frames(%q) = %q, want none", other, got)
		}
	}
}

func TestRanksWhoseErrorsDifferOnlyByTheirOwnNameFold(t *testing.T) {
	p := &pendingCall{name: "@b.Slow", set: rankSet{ref: control.MeshRef{Name: "b"}, ranks: []int{0, 1}}}
	r := &result{set: p.set}
	for rank, text := range []string{"@b[0] panicked in Boom: boom", "@b[1] panicked in Boom: boom"} {
		r.ranks = append(r.ranks, rankResult{rank: rank, outcome: control.OutcomeError, err: text})
	}
	if got, want := r.failure(p).Error(), "@b.Slow failed: [0-1] panicked in Boom: boom"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	path := "@A[0] → @B[0] → @A[0].Ask would deadlock"
	if got := aboutRank("A", 0, path); got != path {
		t.Errorf("the path lost its beginning: %q", got)
	}
}

func TestAHangTellsWhoFailedAndWhatTheOthersAreDoing(t *testing.T) {
	snap := &control.Snapshot{Meshes: []control.Mesh{
		{Ref: control.MeshRef{Name: "b"}, Ranks: []control.RankState{{Running: []string{"Gate"}, Queue: 2}, {}, {Running: []string{"Gate"}, Queue: 2}, {Queue: 1}}},
		{Ref: control.MeshRef{Name: "a"}, Ranks: []control.RankState{{Running: []string{"Ask"}}}},
		{Ref: control.MeshRef{Name: "old"}, Gone: true, Ranks: []control.RankState{{Running: []string{"Ask"}}}},
	}}
	want := []string{"  @a[0] is in Ask", "  @b[0,2] is in Gate, 2 queued", "  @b[3] has 1 queued"}
	if got := busy(snap); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatIsSavedAsAnExpectationHoldsNextTime(t *testing.T) {
	call := func(a control.Adverb) *Stmt { return &Stmt{Cmd: &Command{Args: CallArgs{Adverb: a}}} }
	one := func(v any) *result { return &result{ranks: []rankResult{{value: v, text: "x"}}} }
	if got := observed(call(control.AdverbCall), one(1.5)); !slices.Equal(got, []string{"  value == 1.5"}) {
		t.Errorf("got %q", got)
	}
	for name, got := range map[string][]string{
		"a rank that was chosen": observed(call(control.AdverbChoose), one(1)),
		"not a number":           observed(call(control.AdverbCall), one(math.NaN())),
		"infinity":               observed(call(control.AdverbCall), one(math.Inf(-1))),
	} {
		if len(got) > 0 {
			t.Errorf("%s: got %q, want nothing", name, got)
		}
	}
}

func TestWhatIsNoScriptIsRefusedInWordsAndNotReadWhole_INV_BOUND(t *testing.T) {
	if _, err := ReadFile(t.TempDir()); err == nil || err.Error() != "this is a folder: name the scripts in it" {
		t.Errorf("a folder: %v", err)
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "x")); err == nil || err.Error() != "no such file or directory" {
		t.Errorf("a missing file: %v", err)
	}
	huge := filepath.Join(t.TempDir(), "huge")
	if err := errors.Join(os.WriteFile(huge, nil, 0o600), os.Truncate(huge, 4<<30)); err != nil { // holes: it takes no room
		t.Fatal(err)
	}
	endless := []string{huge}
	if runtime.GOOS != "windows" {
		endless = append(endless, "/dev/zero") // which says that it is empty
	}
	var b []byte
	for _, name := range endless {
		var err error
		if b, err = ReadFile(name); err != nil || len(b) != maxSource+1 {
			t.Fatalf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	_, errs := Parse("zero", string(b))
	if len(errs) != 1 || errs[0].Detail() != "zero: a script may have 1048576 bytes, and this has more" {
		t.Errorf("got %v", errs)
	}
}
