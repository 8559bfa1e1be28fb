package statediff

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe/walk"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

type trainer struct {
	step    int
	loss    float64
	name    string
	weights []float64
	seen    map[string]int
	raw     []byte
	next    *trainer
	any     any
	hook    func()
}

func read(rank int, v any, q walk.Query) control.StateNode {
	n := walk.Tree(v, q)
	n.Rank = rank
	return n
}

func lines(c Comparison) string { return "\n" + strings.Join(c.Lines(100, 20), "\n") }

// TestTwoStatesSideBySide is the goldens, on what the engine reads.
func TestTwoStatesSideBySide(t *testing.T) {
	base := func() *trainer {
		return &trainer{step: 7, loss: 0.5, name: "a", weights: []float64{1, 2, 3}, seen: map[string]int{"x": 1, "y.z": 2}, raw: []byte{1}, next: &trainer{name: "inner"}, any: 1}
	}
	for _, c := range []struct {
		name   string
		q      walk.Query
		change func(*trainer)
		want   string
	}{
		{"nothing", walk.Query{}, func(*trainer) {}, `
the same, and all of it was read`},
		{"fields, elements and keys", walk.Query{}, func(v *trainer) {
			v.step, v.next.name, v.weights = 8, "other", []float64{1, 2.5, 3, 4}
			v.seen = map[string]int{"x": 1, "new": 3}
		}, `
~ step         7 → 8
~ weights[1]   2 → 2.5
+ weights[3]   4
- seen["y.z"]  2
+ seen["new"]  3
~ next.name    "inner" → "other"
6 differences`},
		{"another type with the same text, and a pointer that went", walk.Query{}, func(v *trainer) { v.any, v.next = int64(1), nil }, `
~ next  {step: 0, loss: 0, name: "inner", weights: [], seen: {}, raw: h'', next: nil, any: ni… → nil
~ any   interface {}(int) 1 → interface {}(int64) 1
2 differences`},
		{"a list that was not read to its end", walk.Query{Count: 2, Path: "weights"}, func(v *trainer) { v.weights[2] = 99 }, `
? weights  2 of its 3 elements were read
no difference in what was read, which is not all of it`},
		{"a list that was not read to its end and has another length", walk.Query{Count: 2, Path: "weights"}, func(v *trainer) { v.weights = v.weights[:2] }, `
~ weights  3 elements → 2 elements
? weights  2 of its 3 elements were read
1 difference; not all of it was read, so there may be more`},
		{"a text that was not read to its end", walk.Query{Text: 4, Path: "name"}, func(v *trainer) { v.name = "aaaaaaab" }, `
~ name  "a" → "aaaa"… (8 bytes)
1 difference`},
		{"what is too deep", walk.Query{Depth: 1}, func(v *trainer) { v.next.name = "other" }, `
? weights  0 of its 3 elements were read
? seen     0 of its 2 elements were read
? next     0 of its 9 elements were read
no difference in what was read, which is not all of it`},
		{"a function tells nothing of itself", walk.Query{Path: "hook"}, func(*trainer) {}, `
? hook  a func does not show what is in it
no difference in what was read, which is not all of it`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := base(), base()
			c.change(b)
			if c.q.Path == "hook" {
				a.hook, b.hook = func() {}, func() { _ = t }
			}
			if got := lines(Compare(read(0, a, c.q), read(1, b, c.q))); got != c.want {
				t.Errorf("got%s\nwant%s", got, c.want)
			}
		})
	}
}

func TestManyRanksSideBySide(t *testing.T) {
	trees := make([]control.StateNode, 6)
	for i := range trees {
		v := &trainer{step: 7, loss: 0.5, seen: map[string]int{}}
		if i == 3 {
			v.loss, v.seen["x"] = 2, 1
		}
		trees[i] = read(i, v, walk.Query{})
	}
	trees[4] = control.StateNode{Rank: 4, Error: "busy in Train for 12s"}
	want := `
~ loss         0-2,5: 0.5 | 3: 2 | 4: (not read)
~ seen["x"]    0-2,5: (not there) | 3: 1 | 4: (not read)
? (the whole)  rank 4: busy in Train for 12s
2 differences; not all of it was read, so there may be more`
	if got := lines(Compare(trees...)); got != want {
		t.Errorf("got%s\nwant%s", got, want)
	}
	for _, few := range [][]control.StateNode{nil, {trees[4]}, {trees[4], trees[4]}, {trees[0], trees[4]}} {
		if c := Compare(few...); c.Verdict() != Unknown {
			t.Errorf("%d trees of which at most one was read: %v", len(few), c)
		}
	}
}

func TestTextsThatWereCutAreJudgedAsFarAsTheyGo(t *testing.T) {
	text := func(kind, s string) control.StateNode { return control.StateNode{Kind: kind, Text: s} }
	for _, c := range []struct {
		kind, a, b string
		want       Verdict
	}{
		{"string", `"abc"… (9 bytes)`, `"abc"… (9 bytes)`, Unknown},
		{"string", `"abc"… (9 bytes)`, `"abc"… (8 bytes)`, Different},
		{"string", `"abc"… (9 bytes)`, `"abd"… (9 bytes)`, Different},
		{"string", `"abc"… (9 bytes)`, `"abcd"… (9 bytes)`, Unknown},
		{"string", `"abc"… (4 bytes)`, `"abcd"`, Unknown},
		{"string", `"abcd"`, `"abc"… (5 bytes)`, Different},
		{"string", `"abc… (9 bytes)"`, `"abc… (9 bytes)"`, Same},
		{"bytes", `h'0102'… (9 bytes)`, `h'0102'… (9 bytes)`, Unknown},
		{"bytes", `h'0102'… (9 bytes)`, `h'0103'… (9 bytes)`, Different},
		{"float", "NaN", "NaN", Same},
		{"other", "chan with 0 of 1", "chan with 0 of 1", Unknown},
		{"other", "chan with 0 of 1", "chan with 1 of 1", Different},
		{"string", `"abc"… (99999999999999999999 bytes)`, `"x"`, Different},
	} {
		if got := Compare(text(c.kind, c.a), text(c.kind, c.b)); got.Verdict() != c.want {
			t.Errorf("%s and %s: %v, want %v", c.a, c.b, got.Verdict(), c.want)
		}
	}
}

func TestMarksSinceTheLastStop(t *testing.T) {
	old := &trainer{step: 1, weights: []float64{1}, seen: map[string]int{"a": 1, "b": 2, "c": 3, "d": 4}, next: &trainer{weights: []float64{1, 2}}}
	now := &trainer{step: 2, weights: []float64{1, 2}, seen: map[string]int{}, next: &trainer{weights: []float64{1}}}
	got := Marks(read(0, old, walk.Query{}), read(0, now, walk.Query{}))
	want := map[string]string{
		"step": "1", "weights[1]": NotThere, "seen": `had ["a"]: 1, ["b"]: 2, ["c"]: 3 and 1 more`, "next.weights": "had [1]: 2",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if got := Marks(control.StateNode{}, control.StateNode{Error: "busy"}); len(got) != 0 {
		t.Errorf("what was not read has no marks, got %v", got)
	}
}

// TestPathsAreSplitAtTheirLastStep goes with the paths of the engine.
func TestPathsAreSplitAtTheirLastStep(t *testing.T) {
	for path, want := range map[string][2]string{
		"a": {"", "a"}, "a.b": {"a", "b"}, "a[3]": {"a", "[3]"}, `a["x.y"]`: {"a", `["x.y"]`}, `a["]"].c`: {`a["]"]`, "c"}, `a[{A: 1, B: [2]}]`: {"a", "[{A: 1, B: [2]}]"},
		`m["\""]["q"]`: {`m["\""]`, `["q"]`}, "": {"", ""}, "[0][1]": {"[0]", "[1]"}, "a.b[0].c": {"a.b[0]", "c"}, "]]]": {"", "]]]"},
	} {
		if parent, name := split(path); parent != want[0] || name != want[1] {
			t.Errorf("%q is split into %q and %q, want %q", path, parent, name, want)
		}
	}
}

// someTree is a random value, as the engine would read it.
func someTree(r *rand.Rand, name, path string, depth int) control.StateNode {
	n := control.StateNode{Name: name, Path: path, Type: "T", Kind: "int", Text: fmt.Sprint(r.IntN(2))}
	if depth == 0 || r.IntN(3) == 0 {
		return n
	}
	n.Kind, n.Text = "map", "{…}"
	for i := range 4 {
		if r.IntN(4) == 0 {
			continue
		}
		k := fmt.Sprintf("[%d]", i)
		n.Nodes = append(n.Nodes, someTree(r, k, path+k, depth-1))
	}
	n.Len = len(n.Nodes)
	return n
}

// flat are the leaves and the kinds of a tree by path.
func flat(n control.StateNode, into map[string]string) map[string]string {
	into[n.Path] = n.Kind
	if n.Kind != "map" {
		into[n.Path] = n.Text
	}
	for _, k := range n.Nodes {
		flat(k, into)
	}
	return into
}

// TestNoDifferenceIsLeftOut holds INV-FOUND and INV-WHOLE against a comparison of all paths, on random trees of which some
// were cut at random.
func TestNoDifferenceIsLeftOut(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	verdicts := map[Verdict]int{}
	for range 20_000 {
		a := someTree(r, "", "", 3)
		b := a
		if r.IntN(2) == 0 {
			b = someTree(r, "", "", 3)
		}
		fa, fb := flat(a, map[string]string{}), flat(b, map[string]string{})
		want := map[string]bool{}
		for _, m := range []map[string]string{fa, fb} {
			for p := range m {
				if fa[p] != fb[p] && (p == "" || fa[p[:max(strings.LastIndexByte(p, '['), 0)]] == fb[p[:max(strings.LastIndexByte(p, '['), 0)]]) {
					want[p] = true // the highest place that differs
				}
			}
		}
		got := map[string]bool{}
		c := Compare(a, b)
		for _, row := range c.Rows {
			got[row.Path] = true
		}
		if !reflect.DeepEqual(got, want) || (c.Verdict() == Same) != (len(want) == 0) {
			t.Fatalf("%v\n%v\ngot %v, want %v", fa, fb, got, want)
		}
		// What is cut of them may hide differences, and must not make any, nor a verdict that they are the same.
		ca, cutA := cutTree(r, a)
		cb, cutB := cutTree(r, b)
		c = Compare(ca, cb)
		verdicts[c.Verdict()]++
		if c.Verdict() == Same && (cutA || cutB) || c.Verdict() == Different && len(want) == 0 {
			t.Fatalf("cut: %v\n%v\n%v", ca, cb, c)
		}
	}
	for _, v := range []Verdict{Same, Different, Unknown} {
		if verdicts[v] < 500 {
			t.Errorf("the verdict %d came %d times: the trees do not show enough", v, verdicts[v])
		}
	}
}

// cutTree leaves out some children.
func cutTree(r *rand.Rand, n control.StateNode) (control.StateNode, bool) {
	done := false
	var kept []control.StateNode
	for _, k := range n.Nodes {
		if r.IntN(20) == 0 {
			done = true
			continue
		}
		c, below := cutTree(r, k)
		kept, done = append(kept, c), done || below
	}
	n.Nodes = kept
	return n, done
}

// TestHostileTreesAreBounded holds INV-BOUND.
func TestHostileTreesAreBounded(t *testing.T) {
	deep := control.StateNode{Kind: "map"}
	for range 100_000 {
		deep = control.StateNode{Kind: "map", Len: 1, Nodes: []control.StateNode{deep}}
	}
	if c := Compare(deep, deep); c.Verdict() != Unknown || len(c.Gaps) != 1 {
		t.Errorf("a tree of 100,000 levels: %d rows, %v", len(c.Rows), c.Gaps)
	}
	wide := control.StateNode{Kind: "list", Len: 50_000}
	for i := range wide.Len {
		wide.Nodes = append(wide.Nodes, control.StateNode{Name: fmt.Sprintf("[%d]", i), Kind: "int", Text: "1"})
	}
	other := wide
	other.Nodes = slices.Clone(wide.Nodes)
	for i := range other.Nodes {
		other.Nodes[i].Text = "2"
	}
	if c := Compare(wide, other); len(c.Rows) != maxRows || c.MoreRows != wide.Len-maxRows {
		t.Errorf("%d rows and %d more", len(c.Rows), c.MoreRows)
	}
	narrow := wide
	narrow.Nodes, narrow.Len = wide.Nodes[:2000], 2000
	many := make([]control.StateNode, 1000)
	many[0] = narrow
	for i := range many[1:] {
		many[i+1] = control.StateNode{Rank: i + 1, Kind: "list"}
	}
	if c := Compare(many...); len(c.Rows) != maxCells/1000 || c.MoreRows != 2000-maxCells/1000 {
		t.Errorf("%d rows of %d cells and %d more", len(c.Rows), len(c.Ranks), c.MoreRows)
	}
	many[0] = wide
	if c := Compare(many...); len(c.Gaps) == 0 || c.Verdict() == Same {
		t.Errorf("more than can be compared: %d rows, %d gaps", len(c.Rows), len(c.Gaps))
	}
	gaps := control.StateNode{Kind: "list", Len: 2 * maxGaps}
	for i := range gaps.Len {
		gaps.Nodes = append(gaps.Nodes, control.StateNode{Name: fmt.Sprintf("[%d]", i), Kind: "list", Len: 9})
	}
	if c := Compare(gaps, gaps); len(c.Gaps) != maxGaps || c.MoreGaps != maxGaps {
		t.Errorf("%d gaps and %d more", len(c.Gaps), c.MoreGaps)
	}
	same := control.StateNode{Kind: "map", Len: 3, Nodes: []control.StateNode{{Name: "[NaN]", Text: "1"}, {Name: "[NaN]", Text: "2"}, {Name: "[NaN]", Text: "3"}}}
	if c := Compare(same, same); c.Verdict() != Same {
		t.Errorf("keys of one name: %v", lines(c))
	}
	second := same
	second.Nodes = slices.Clone(same.Nodes)
	second.Nodes[1].Text = "9"
	if c := Compare(same, second); len(c.Rows) != 1 || c.Rows[0].Cells[0].Text != "2" || c.Rows[0].Cells[1].Text != "9" {
		t.Errorf("keys of one name of which one differs: %v", lines(c))
	}
	big := control.StateNode{Kind: "string", Text: `"` + strings.Repeat("x", 1<<20) + `"`}
	if c := Compare(big, control.StateNode{Kind: "string", Text: `""`}); len(c.Rows[0].Cells[0].Text) > 2*maxText {
		t.Errorf("a cell of %d bytes", len(c.Rows[0].Cells[0].Text))
	}
}

// FuzzLines holds INV-SAFE, and that no tree makes it panic.
func FuzzLines(f *testing.F) {
	f.Add("a", "[0]", "list", "x\x1b[2J", "\u202e", 3, 40)
	f.Fuzz(func(t *testing.T, name, path, kind, text, err string, length, width int) {
		width = min(width, 500)
		kid := control.StateNode{Name: name, Path: path, Kind: kind, Text: text, Len: length}
		a := control.StateNode{Kind: kind, Text: text, Len: length, Nodes: []control.StateNode{kid, kid}}
		b := control.StateNode{Kind: kind, Text: err, Len: 1, Nodes: []control.StateNode{{Name: name, Kind: "string", Text: err}}}
		for _, trees := range [][]control.StateNode{{a, b}, {a, b, {Rank: 2, Error: err}}} {
			c := Compare(trees...)
			Marks(a, b)
			for _, line := range c.Lines(width, 5) {
				if utf8.RuneCountInString(line) > max(width, minWidth) || strings.ContainsFunc(line, clean.Dangerous) || !utf8.ValidString(line) {
					t.Fatalf("width %d: %q", width, line)
				}
			}
		}
	})
}

func TestComparingIsFast(t *testing.T) {
	wide := control.StateNode{Kind: "struct", Len: 20_000}
	for i := range wide.Len {
		wide.Nodes = append(wide.Nodes, control.StateNode{Name: fmt.Sprint("f", i), Kind: "int", Text: "1"})
	}
	trees := slices.Repeat([]control.StateNode{wide}, 16)
	start := time.Now()
	if c := Compare(trees...); c.Verdict() != Same {
		t.Fatal(lines(c))
	}
	if took := time.Since(start); took > 5*time.Second { // 0.1 s on a laptop: a comparison of each with each would take minutes
		t.Errorf("16 states of 20,000 fields took %v", took)
	}
}
