package walk

import (
	"math/big"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

type inner struct {
	Name string
	next *inner
}

type thing struct {
	N      int
	loss   float64
	tags   map[string]int
	list   []int
	self   *thing
	kids   []inner
	when   time.Time
	took   time.Duration
	raw    []byte
	any    any
	f      func()
	ch     chan int
	nilmap map[int]bool
	deep   inner
	huge   *big.Int
	less   big.Int
}

func sample() *thing {
	t := &thing{
		N: 3, loss: 0.25, tags: map[string]int{"b": 2, "a": 1}, kids: []inner{{Name: "x"}}, when: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		took: 1500 * time.Millisecond, raw: []byte{0, 255}, any: inner{Name: "boxed"}, f: func() {}, ch: make(chan int, 4), nilmap: nil,
		deep: inner{Name: "1", next: &inner{Name: "2", next: &inner{Name: "3"}}},
	}
	for i := range 200 {
		t.list = append(t.list, i)
	}
	t.self = t
	t.huge = new(big.Int).Lsh(big.NewInt(1), 80)
	t.less.Neg(t.huge)
	return t
}

func TestWalkReadsUnexportedFieldsWithTheirTexts(t *testing.T) {
	got := map[string]string{}
	for _, n := range Tree(sample(), Query{Depth: 1}).Nodes {
		got[n.Name] = n.Kind + " " + n.Text
	}
	for name, want := range map[string]string{
		"N": "int 3", "loss": "float 0.25", "when": "time 2026-01-02T03:04:05.000000006Z", "took": "duration 1.5s",
		"raw": "bytes h'00ff'", "huge": "int 1208925819614629174706176", "less": "int -1208925819614629174706176", "f": "other func", "ch": "other chan with 0 of 4", "nilmap": "map {}", "list": "list […]", "tags": "map {…}",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
}

func TestWalkPagesAndCountsWhatItLeavesOut(t *testing.T) {
	n := Tree(sample(), Query{Path: "list", Start: 190, Count: 5})
	if n.Len != 200 || len(n.Nodes) != 5 || n.Nodes[0].Name != "[190]" || n.Nodes[0].Path != "list[190]" || n.Nodes[0].Text != "190" {
		t.Errorf("page %+v", n)
	}
	if n := Tree(sample(), Query{}); n.Len != 16 || !strings.HasPrefix(n.Text, "{N: 3, loss: 0.25") {
		t.Errorf("whole: %d fields, %q", n.Len, n.Text)
	}
}

func TestWalkFollowsPathsIntoEverything(t *testing.T) {
	for path, want := range map[string]string{
		"N": "3", "list[7]": "7", `tags["a"]`: "1", "deep.next.next.Name": `"3"`, "any.Name": `"boxed"`, "kids[0].Name": `"x"`, "self.self.N": "3",
	} {
		if n := Tree(sample(), Query{Path: path}); n.Text != want || n.Error != "" {
			t.Errorf("%s = %q (%s), want %q", path, n.Text, n.Error, want)
		}
	}
	for path, want := range map[string]string{
		"nope": "has no field nope", "list[200]": "there are 200", `tags["z"]`: "no key", "N.x": "cannot be followed", "list[": "[ without ]", "deep.next.next.next.Name": "nil before Name", "list[-1]": "no element",
	} {
		if n := Tree(sample(), Query{Path: path}); !strings.Contains(n.Error, want) {
			t.Errorf("%s: error %q, want %q in it", path, n.Error, want)
		}
	}
}

func TestWalkEndsOnCyclesDepthAndSize(t *testing.T) {
	n := Tree(sample(), Query{Depth: 16})
	if self := find(n.Nodes, "self"); self == nil || self.Text == "" {
		t.Errorf("self is %+v", self)
	}
	wide := make([][]int, 1000)
	for i := range wide {
		wide[i] = make([]int, 1000)
	}
	big := Tree(&wide, Query{Count: 1000, Depth: 3})
	if c := count(big); c > maxNodes+2 {
		t.Errorf("%d nodes, the bound is %d", c, maxNodes)
	}
	long := struct{ s string }{strings.Repeat("ü", 10_000)}
	if s := Tree(&long, Query{}).Nodes[0].Text; len(s) > 2*defaultText || !strings.Contains(s, "(20000 bytes)") {
		t.Errorf("long text: %q", s)
	}
}

func find(nodes []control.StateNode, name string) *control.StateNode {
	i := slices.IndexFunc(nodes, func(n control.StateNode) bool { return n.Name == name })
	if i < 0 {
		return nil
	}
	return &nodes[i]
}

func count(n control.StateNode) int {
	c := 1
	for _, k := range n.Nodes {
		c += count(k)
	}
	return c
}

func FuzzWalkPath(f *testing.F) {
	f.Add("list[3]")
	f.Add(`tags["a"].x[`)
	f.Fuzz(func(_ *testing.T, path string) { Tree(sample(), Query{Path: path}) })
}

// Keys that a map tells apart are told apart: by their values, in a stable order, and a path leads to each.
func TestWalkShowsEveryEntryOfAMap(t *testing.T) {
	type key struct{ A, B int }
	one, two := new(int), new(int)
	m := struct {
		keys map[key]int
		arr  map[[2]string]int
		ptr  map[*int]string
		any  map[any]int
		long map[string]int
		took map[time.Duration]int
		when map[time.Time]int
		same map[any]int
		held map[*int]int
	}{
		keys: map[key]int{{1, 2}: 1, {3, 4}: 2, {1, 3}: 3}, arr: map[[2]string]int{{"a]", `"`}: 1, {"a", "b"}: 2}, ptr: map[*int]string{one: "x", two: "y"},
		any: map[any]int{key{1, 2}: 1, 7: 2, "7": 3}, long: map[string]int{strings.Repeat("x", 300) + "1": 1, strings.Repeat("x", 300) + "2": 2},
		took: map[time.Duration]int{time.Second: 1, 2 * time.Second: 2}, when: map[time.Time]int{time.Unix(0, 5).UTC(): 1},
		same: map[any]int{1: 1, int8(1): 2, 1.0: 3, uint(1): 4, true: 5, "true": 6, key{1, 2}: 7, [1]any{int8(1)}: 8, [1]any{1}: 9}, held: map[*int]int{},
	}
	for i := range 20 {
		m.held[new(int)] = i
	}
	if n := Tree(&m, Query{Path: "same"}); n.Text != `{"true": 6, 1: 3, 1 #2: 1, 1 #3: 2, 1 #4: 4, [1]: 9, [1] #2: 8, true: 5, {A: 1, B: 2}: 7}` {
		t.Errorf("keys with the same text: %s", n.Text)
	}
	for i, n := range Tree(&m, Query{Path: "held"}).Nodes[:10] {
		if want := slices.Sorted(slices.Values(strings.Fields("0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19")))[i]; n.Text != want {
			t.Errorf("%s holds %s, want %s: the order of what the entries hold", n.Name, n.Text, want)
		}
	}
	for field, want := range map[string]string{
		"keys": "[{A: 1, B: 2}] [{A: 1, B: 3}] [{A: 3, B: 4}]", "arr": `[["a", "b"]] [["a]", "\""]]`, "ptr": "[*int] [*int #2]", "took": "[1s] [2s]", "when": "[1970-01-01T00:00:00.000000005Z]", "any": `["7"] [7] [{A: 1, B: 2}]`,
	} {
		var names []string
		n := Tree(&m, Query{Path: field})
		for _, c := range n.Nodes {
			names = append(names, c.Name)
			if at := Tree(&m, Query{Path: c.Path}); at.Error != "" || at.Text != c.Text && field != "ptr" {
				t.Errorf("%s leads to %q (%s), want %q", c.Path, at.Text, at.Error, c.Text)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: keys %s, want %s", field, got, want)
		}
	}
	if n := Tree(&m, Query{Path: "long"}); len(n.Nodes) != 2 || n.Nodes[0].Name == n.Nodes[1].Name {
		t.Errorf("long keys: %+v", n.Nodes)
	}
}

func TestWalkGivesAsMuchOfATextAsIsAskedFor(t *testing.T) {
	v := struct {
		s   string
		raw []byte
	}{strings.Repeat("x", 1000), make([]byte, 1000)}
	for _, n := range Tree(&v, Query{Text: 4000}).Nodes {
		if strings.Contains(n.Text, "…") {
			t.Errorf("%s was cut: %q", n.Name, n.Text[len(n.Text)-20:])
		}
	}
	for _, n := range Tree(&v, Query{Text: 900}).Nodes {
		if !strings.HasSuffix(n.Text, "… (1000 bytes)") {
			t.Errorf("%s does not say that it was cut: %q", n.Name, n.Text[len(n.Text)-20:])
		}
	}
}

func TestATimeIsReadWithItsInstant(t *testing.T) {
	for seconds, want := range map[int]string{
		3600: "2026-01-02T03:04:05.000000006+01:00", 3630: "2026-01-02T03:03:35.000000006+01:00", -1: "2026-01-02T03:04:06.000000006Z",
	} {
		v := struct{ at time.Time }{time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", seconds))}
		if n := Tree(&v, Query{Path: "at"}); n.Text != want {
			t.Errorf("an offset of %d s: %s, want %s", seconds, n.Text, want)
		}
	}
}

// What looking at a state costs: a struct with a list of a million elements, unexported fields and a cycle.
func BenchmarkStateTreeMillion(b *testing.B) {
	type state struct {
		losses []float64
		table  map[string]int
		self   *state
		inner  inner
	}
	s := &state{losses: make([]float64, 1_000_000), table: map[string]int{"a": 1}, inner: inner{Name: "x"}}
	s.self = s
	b.ReportAllocs()
	for b.Loop() {
		if n := Tree(s, Query{}); len(n.Nodes) != 4 || n.Nodes[0].Len != 1_000_000 {
			b.Fatalf("%+v", n)
		}
	}
}

// TestAGigabyteIsNotCopied: what a look costs does not follow from how much there is.
func TestAGigabyteIsNotCopied(t *testing.T) {
	raw := make([]byte, 1<<30) // its pages are only there once somebody reads them
	v := struct {
		raw   []byte
		text  string
		words []uint64
		rows  [][]byte
	}{raw, unsafe.String(&raw[0], len(raw)), unsafe.Slice((*uint64)(unsafe.Pointer(&raw[0])), len(raw)/8), slices.Repeat([][]byte{raw}, 1000)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n := Tree(&v, Query{Text: 1 << 30, Count: 1 << 30, Depth: 1 << 30})
	runtime.ReadMemStats(&after)
	body, err := control.EncodeBody(n)
	if err != nil {
		t.Fatal(err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 32<<20 || len(body) > 6<<20 {
		t.Errorf("it took %d MiB, and %d MiB travel", took>>20, len(body)>>20)
	}
	if rows := find(n.Nodes, "rows"); rows == nil || len(rows.Nodes) == 0 || rows.Len != 1000 {
		t.Errorf("the rows: %+v", rows)
	}
}
