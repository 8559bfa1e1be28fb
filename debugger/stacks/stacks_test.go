package stacks

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// The frames of an actor's goroutine in a handler, the outermost first.
var below = []Frame{
	{"runtime.goexit", "asm_amd64.s", 1700}, {engine + "(*actor).loop", "actor.go", 131}, {engine + "(*actor).handle", "activation.go", 79},
	{engine + "(*actor).invoke", "activation.go", 162}, {"reflect.Value.Call", "value.go", 365}, {"reflect.Value.call", "value.go", 581},
}

var (
	step1  = Frame{"example.com/x/main.(*Worker).Step", "worker.go", 41}
	step2  = Frame{"example.com/x/main.(*Worker).Step", "worker.go", 44}
	reduce = Frame{"example.com/x/main.(*Worker).reduce", "worker.go", 90}
	recv   = Frame{"runtime.chanrecv1", "chan.go", 506}
	park   = []Frame{{"runtime.chanrecv", "chan.go", 667}, {"runtime.gopark", "proc.go", 462}}
	sleep  = Frame{"time.Sleep", "sleep.go", 20}
)

func in(frames ...Frame) []Frame { return slices.Concat(below, frames) }

func of(mesh string, rank int) map[string]string {
	return map[string]string{"actor": mesh, "rank": strconv.Itoa(rank), "endpoint": "Step"}
}

// sixteen is four processes of four ranks each, of which rank 5 sleeps.
func sixteen(t testing.TB) []Process {
	var out []Process
	for p := range 4 {
		w := newWritten()
		for i := range 4 {
			rank := 4*p + i
			switch rank {
			case 5:
				w.stack(1, of("worker", rank), in(step2, sleep, Frame{"runtime.timeSleep", "time.go", 1}, park[1])...)
			case 9:
				w.stack(1, of("worker", rank), in(step1, reduce)...) // it runs
			default:
				w.stack(1, of("worker", rank), in(slices.Concat([]Frame{step1, reduce, recv}, park)...)...)
			}
		}
		w.stack(1, of("logger", p), append(below[:2:2], recv, park[0])...)
		w.stack(7, nil, below[0], Frame{"main.main", "main.go", 3})
		out = append(out, Process{fmt.Sprintf("procs[%d]", p), w.packed(t)})
	}
	return out
}

// TestATreeShowsWhoIsElsewhere is the goldens.
func TestATreeShowsWhoIsElsewhere(t *testing.T) {
	processes := append(sixteen(t), Process{"procs[4]", []byte("no profile")})
	for _, c := range []struct {
		name string
		o    Options
		rows int
		want string
	}{
		{"by line", Options{}, 50, `
20 ranks of 4 processes
├─ 15 ranks  @worker[0-4,6-15]
│  main.(*Worker).Step worker.go:41
│  main.(*Worker).reduce worker.go:90
│  ├─ 14 ranks  @worker[0-4,6-8,10-15]
│  │  runtime.chanrecv1 chan.go:506
│  └─ 1 rank  @worker[9]: ends here
├─ 4 ranks  @logger[0-3]
│  (in no handler)
└─ 1 rank  @worker[5]
   main.(*Worker).Step worker.go:44
   time.Sleep sleep.go:20
   runtime.timeSleep time.go:1
28 goroutines of no actor not shown
procs[4]: the profile cannot be read: its field 13 has the unknown wire type 6`},
		{"by function, and all", Options{NoLine: true, All: true}, 12, `
24 ranks of 4 processes
├─ 16 ranks  @worker[0-15]
│  main.(*Worker).Step
│  ├─ 15 ranks  @worker[0-4,6-15]
│  │  main.(*Worker).reduce
│  │  ├─ 14 ranks  @worker[0-4,6-8,10-15]
│  │  │  runtime.chanrecv1
│  │  └─ 1 rank  @worker[9]: ends here
│  └─ 1 rank  @worker[5]
│     time.Sleep
│     runtime.timeSleep
├─ 4 ranks  procs[0] procs[1] procs[2] procs[3]  (28 goroutines)
│  main.main
… 2 lines more
procs[4]: the profile cannot be read: its field 13 has the unknown wire type 6`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := "\n" + strings.Join(Merge(processes, c.o).Lines(80, c.rows), "\n"); got != c.want {
				t.Errorf("got%s\nwant%s", got, c.want)
			}
		})
	}
}

func TestABranchIsAGroupOfRanks(t *testing.T) {
	tree := Merge(sixteen(t), Options{})
	for _, c := range []struct {
		path []string
		want string
	}{
		{nil, "@logger[0-3] @worker[0-15]"},
		{[]string{"main.(*Worker).Step worker.go:44"}, "@worker[5]"},
		{[]string{"main.(*Worker).Step worker.go:41", "example.com/x/main.(*Worker).reduce"}, "@worker[0-4,6-15]"},
		{[]string{"main.(*Worker).Step worker.go:41", "example.com/x/main.(*Worker).reduce", "runtime.chanrecv1"}, "@worker[0-4,6-8,10-15]"},
	} {
		if got, err := tree.Ranks(c.path...); err != nil || Fold(got) != c.want {
			t.Errorf("%q: %s, %v, want %s", c.path, Fold(got), err, c.want)
		}
	}
	_, err := tree.Ranks("main.(*Worker).Step worker.go:41", "nope")
	if want := `the stacks have no branch "nope" as step 2: there are "main.(*Worker).reduce worker.go:90"`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestBranchesAreMadeUpOfWhatIsBelow holds INV-ALL and INV-BRANCH.
func TestBranchesAreMadeUpOfWhatIsBelow(t *testing.T) {
	for _, o := range []Options{{}, {NoLine: true}, {All: true}, {Whole: true, All: true}} {
		tree := Merge(sixteen(t), o)
		goroutines := 0
		var check func(b *Branch)
		check = func(b *Branch) {
			parts := slices.Clone(b.Ends)
			for _, k := range b.Branches {
				parts = append(parts, k.Members...)
				check(k)
			}
			slices.SortFunc(parts, compareMembers)
			if !reflect.DeepEqual(slices.Compact(parts), b.Members) {
				t.Errorf("%s: %v is made up of %v", b.Frame, b.Members, parts)
			}
		}
		for _, b := range tree.Branches {
			goroutines += b.Count
			check(b)
		}
		if goroutines+tree.Left != 16+4+28 {
			t.Errorf("%+v: %d goroutines in the tree and %d left out, of 48", o, goroutines, tree.Left)
		}
	}
}

func TestWhatTheEngineAndTheRuntimeDoIsTrimmed(t *testing.T) {
	leaf := Frame{"main.f", "m.go", 1}
	for _, c := range []struct {
		name         string
		frames, want []Frame
	}{
		{"a handler", in(leaf), []Frame{leaf}},
		{"a handler that waits", in(leaf, recv, park[0], park[1]), []Frame{leaf, recv}},
		{"a handler that calls another actor", in(leaf, Frame{engine + "Call", "call.go", 1}, recv), []Frame{leaf, {engine + "Call", "call.go", 1}, recv}},
		{"a goroutine that a handler started", []Frame{below[0], leaf}, []Frame{leaf}},
		{"an actor between messages", below[:2], []Frame{{Func: idle}}},
		{"a test of the engine, which is another package", []Frame{below[0], {"github.com/monarch-tui/monarch-tui/engine_test.(*Acc).Add", "a.go", 2}}, []Frame{{"github.com/monarch-tui/monarch-tui/engine_test.(*Acc).Add", "a.go", 2}}},
		{"the runtime alone", []Frame{below[0], park[1]}, []Frame{below[0]}},
		{"nothing", nil, nil},
	} {
		if got := trimmed(c.frames); len(got) != len(c.want) || len(got) > 0 && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	for name, want := range map[string]string{
		"a/b.c/main.(*T).M": "main.(*T).M", "main.F[go.shape.a/b.C]": "main.F[go.shape.a/b.C]", "x/y.F[a/b.C].func1": "y.F[a/b.C].func1", "": "?", "x/": "?",
	} {
		if got := (Frame{Func: name}).String(); got != want {
			t.Errorf("%q is shown as %q, want %q", name, got, want)
		}
	}
}

//go:noinline
func waits(ready *sync1, done chan struct{}) {
	ready.here()
	<-done
}

// sync1 tells that a goroutine has begun.
type sync1 struct{ c chan struct{} }

func (s *sync1) here() { s.c <- struct{}{} }

// TestAProfileOfThisProcessIsRead goes against what runtime/pprof writes.
func TestAProfileOfThisProcessIsRead(t *testing.T) {
	ready, done := &sync1{make(chan struct{})}, make(chan struct{})
	defer close(done)
	for rank := range 5 {
		go pprof.Do(context.Background(), pprof.Labels("mesh", "toy", "actor", "other", "rank", strconv.Itoa(rank/2), "endpoint", "Step"), func(context.Context) { waits(ready, done) })
	}
	for range 5 {
		<-ready.c
	}
	var b bytes.Buffer
	// A goroutine that was heard from may not wait yet, so its innermost frame is any; who waits for it is told by its labels.
	if err := pprof.Lookup("goroutine").WriteTo(&b, 0); err != nil {
		t.Fatal(err)
	}
	tree := Merge([]Process{{"this", b.Bytes()}}, Options{})
	if got := Fold(tree.Members); got != "@toy[0-2]" || tree.Left == 0 || len(tree.Failed) != 0 {
		t.Fatalf("the labelled are %s, %d others, %v", got, tree.Left, tree.Failed)
	}
	if tree.Branches[0].Count != 5 {
		t.Errorf("%d goroutines", tree.Branches[0].Count)
	}
	found := false
	for _, s := range must(Read(b.Bytes()))(t) {
		if s.Rank < 0 {
			continue
		}
		found = found || slices.ContainsFunc(s.Frames, func(f Frame) bool {
			return strings.HasSuffix(f.Func, "stacks.waits") && f.File == "stacks_test.go" && f.Line > 0
		})
		if s.Endpoint != "Step" || s.Frames[0].Func != "runtime/pprof.Do" && s.Frames[0].Func != "runtime.goexit" && !strings.Contains(s.Frames[0].Func, "TestAProfile") {
			t.Errorf("stack %+v", s)
		}
	}
	if !found {
		t.Errorf("no stack is in waits: %s", strings.Join(tree.Lines(100, 50), "\n"))
	}
}

func must(s []Stack, err error) func(testing.TB) []Stack {
	return func(t testing.TB) []Stack {
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// TestBadProfilesAreRefusedInWords holds INV-HOSTILE.
func TestBadProfilesAreRefusedInWords(t *testing.T) {
	leaf := Frame{"main.f", "m.go", 1}
	good := func() *written { return newWritten().stack(1, of("a", 0), leaf) }
	if s, err := Read(good().packed(t)); err != nil || len(s) != 1 {
		t.Fatalf("the good one: %v, %v", s, err)
	}
	if s, err := Read(good().raw()); err != nil || len(s) != 1 {
		t.Fatalf("the good one, not packed: %v, %v", s, err)
	}
	sample := func(s []byte) []byte { return message(good().raw(), profileSample, s) }
	deep := message(nil, sampleLocation, bytes.Repeat([]byte{1}, maxDeep+1))
	manyLabels := newWritten()
	labels := map[string]string{}
	for i := range maxLabels + 1 {
		labels[strconv.Itoa(i)] = "x"
	}
	manyLabels.stack(1, labels, leaf)
	wide := message(nil, sampleLocation, bytes.Repeat([]byte{1}, maxDeep))
	inlined := number(nil, locationID, 9)
	for range maxInlined + 1 {
		inlined = message(inlined, locationLine, nil)
	}
	for _, c := range []struct {
		name string
		in   []byte
		err  string
	}{
		{"nothing", nil, "not one of goroutines"},
		{"another kind of profile", message(nil, profileString, nil), "not one of goroutines"},
		{"a text", []byte("goroutine profile: total 3"), "cannot be read"},
		{"half of one", good().packed(t)[:40], "unexpected EOF"},
		{"gzip of nothing good", zipped(t, []byte{0xff}), "without a number"},
		{"a field that is too long", []byte{profileSample<<3 | packed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, "ends within"},
		{"a varint of eleven bytes", append([]byte{profileSample << 3}, bytes.Repeat([]byte{0xff}, 11)...), "ends within"},
		{"a group", []byte{1<<3 | 3}, "unknown wire type 3"},
		{"a bomb", zipped(t, make([]byte, maxBytes+1)), "unpacked it has more than"},
		{"too large as it comes", make([]byte, maxPacked+1), "bytes and"},
		{"a location that is not there", sample(message(nil, sampleLocation, []byte{99})), "location 99"},
		{"a string that is not there", sample(message(nil, sampleLabel, number(nil, labelKey, 99))), "string 99"},
		{"a stack that is too deep", sample(deep), "more than 1024 frames"},
		{"too many labels", manyLabels.raw(), "more than 64 labels"},
		{"too many inlined calls", message(good().raw(), profileLocation, inlined), "more than 64 lines"},
		{"too many frames in all", append(good().raw(), bytes.Repeat(message(nil, profileSample, wide), maxFrames/maxDeep+1)...), "frames"},
		{"too many strings", append(good().raw(), bytes.Repeat(message(nil, profileString, nil), maxEntries)...), "more than 200000 strings"},
		{"too many functions", numbered(profileFunction, functionID), "more than 200000 functions"},
		{"too many locations", numbered(profileLocation, locationID), "more than 200000 locations"},
		{"too many stacks", append(good().raw(), bytes.Repeat(message(nil, profileSample, append(message(nil, sampleLocation, []byte{1}), number(nil, sampleValue, 1)...)), maxEntries)...), "more than 200000 stacks"},
	} {
		s, err := Read(c.in)
		if err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %d stacks, %v; want an error with %q", c.name, len(s), err, c.err)
		}
	}
	odd := newWritten().stack(1, map[string]string{"mesh": "a", "rank": "x"}, leaf).stack(1, map[string]string{"mesh": "a", "rank": "-3"}, leaf).stack(1, map[string]string{"rank": "1"}, leaf)
	odd.stack(0, of("a", 1), leaf).stack(1, of("a", 2))
	s, err := Read(odd.raw())
	if err != nil || len(s) != 3 || s[0].Rank != -1 || s[1].Rank != -1 || s[2].Rank != -1 {
		t.Errorf("labels that say nothing: %+v, %v", s, err)
	}
}

// numbered is more entries than are read, each with an id of its own.
func numbered(field, id int) []byte {
	var b []byte
	for i := range maxEntries + 1 {
		b = message(b, field, number(nil, id, uint64(i)))
	}
	return b
}

// TestATreeHasABound holds INV-HOSTILE for many profiles: one that has no room is named, and no part of it is shown.
func TestATreeHasABound(t *testing.T) {
	b := builder{root: &Branch{}, below: map[step]*Branch{}}
	b.members = maxMembers - 3
	if err := b.room([]Stack{{Frames: in(step1)}}); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("got %v", err)
	}
	if err := b.room([]Stack{{Frames: below[:2]}}); err != nil {
		t.Error(err)
	}
}

// FuzzRead holds INV-HOSTILE and INV-SAFE.
func FuzzRead(f *testing.F) {
	f.Add(newWritten().stack(1, of("a", 0), in(step1)...).stack(2, of("a\x1b[2J", 1), in(step1, reduce)...).raw())
	f.Add(newWritten().stack(1, nil, Frame{"\u202e", "\n", 1}).packed(f))
	f.Add([]byte{0x1f, 0x8b})
	f.Fuzz(func(t *testing.T, profile []byte) {
		s, err := Read(profile)
		if err != nil && len(s) > 0 {
			t.Fatal("stacks and an error")
		}
		tree := Merge([]Process{{"p\x1b", profile}, {"q", profile}}, Options{All: true})
		for _, line := range tree.Lines(40, 20) {
			if utf8.RuneCountInString(line) > 40 || strings.ContainsFunc(line, clean.Dangerous) || !utf8.ValidString(line) {
				t.Fatalf("%q", line)
			}
		}
	})
}

func TestAThousandRanksAreMergedAtOnce(t *testing.T) {
	w := newWritten()
	frames := in(step1, reduce)
	for i := range 40 {
		frames = append(frames, Frame{fmt.Sprintf("main.f%d", i), "f.go", i + 1})
	}
	for rank := range 1000 {
		w.stack(1, of("worker", rank), frames...)
	}
	profile := w.packed(t)
	start := time.Now()
	tree := Merge(slices.Repeat([]Process{{"p", profile}}, 16), Options{})
	if took := time.Since(start); took > 10*time.Second { // 0.1 s on a laptop
		t.Errorf("it took %v", took)
	}
	if len(tree.Members) != 1000 || len(tree.Failed) != 0 || tree.Branches[0].Count != 16_000 {
		t.Errorf("%d members, %v", len(tree.Members), tree.Failed)
	}
}

func BenchmarkMergeOneThousandRanks(b *testing.B) {
	w := newWritten()
	for rank := range 1000 {
		w.stack(1, of("worker", rank), in(step1, reduce, recv)...)
	}
	profile := w.packed(b)
	for b.Loop() {
		Merge([]Process{{"p", profile}}, Options{})
	}
}
