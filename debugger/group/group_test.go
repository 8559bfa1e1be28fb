package group

import (
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/eval"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// over gives values to the ranks 0, 1, …; an error stands for a rank that has none.
func over(values ...any) []RankValue {
	out := make([]RankValue, len(values))
	for i, v := range values {
		out[i] = RankValue{Rank: i, Value: v}
		if err, ok := v.(failed); ok {
			out[i] = RankValue{Rank: i, Err: string(err)}
		}
	}
	return out
}

type failed string

// TestATableIsWhatAPersonWouldSay is the goldens.
func TestATableIsWhatAPersonWouldSay(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name   string
		values []RankValue
		rows   int
		want   string
	}{
		{"one rank of sixteen drifted to NaN", over(2.5, 2.5, 2.25, 2.5, 2.5, nan, 2.5, 2.5, 2.5, 2.75, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5), 9, `
16 ranks, 4 values
  count  ranks              value
     13  0-1,3-4,6-8,10-15  2.5
      1  2                  2.25
      1  5                  NaN
      1  9                  2.75
min 2.25  mean 2.5  median 2.5  max 2.75
▅▅▁▅▅!▅▅▅█▅▅▅▅▅▅
0             15
3 ranks stand out:
  2: far below the median
  5: not a finite number
  9: far above the median`},
		{"texts, and a rank that is busy", over("red", "red", failed("busy in Train for 12s"), "blue"), 9, `
4 ranks, 3 values
  count  ranks  value
      2  0-1    "red"
      1  2      error: busy in Train for 12s
      1  3      "blue"
1 rank stands out:
  2: no value: busy in Train for 12s`},
		{"all the same", over(7, 7.0, uint8(7), 7), 9, `
4 ranks, 1 value
  count  ranks  value
      4  0-3    7
min 7  mean 7  median 7  max 7
▄▄▄▄
0  3`},
		{"durations", over(10*time.Millisecond, 11*time.Millisecond, 12*time.Millisecond, 11*time.Millisecond, 3*time.Second), 2, `
5 ranks, 4 values
  count  ranks  value
      2  1,3    11ms
      1  0      10ms
  … 2 values more on 2 ranks
min 10ms  mean 608.8ms  median 11ms  max 3s
▁▁▁▁█
0   4
1 rank stands out:
  4: far above the median`},
		{"values that were cut", over(eval.Cut("[1, 2, …]", "16 of its 99 elements were read"), eval.Cut("[1, 2, …]", "16 of its 99 elements were read"), []any{1, 2}), 9, `
3 ranks, 2 values
  count  ranks  value
      2  0-1    [1, 2, …] (cut: the rest may differ)
      1  2      [1, 2]`},
		{"no ranks", nil, 9, "\nno ranks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := New(c.values)
			if got := "\n" + strings.Join(table.Lines(60, c.rows), "\n"); got != c.want {
				t.Errorf("got%s\nwant%s", got, c.want)
			}
		})
	}
}

// someValue is one of few values, so that equal ones meet, in the many forms that equal values have.
func someValue(r *rand.Rand, depth int) any {
	switch n := r.IntN(20); {
	case n < 2 && depth > 0:
		l := make([]any, r.IntN(3))
		for i := range l {
			l[i] = someValue(r, depth-1)
		}
		return l
	case n < 4 && depth > 0:
		m := map[string]any{}
		for range r.IntN(3) {
			m[[]string{"a", "b", "a\x00"}[r.IntN(3)]] = someValue(r, depth-1)
		}
		return m
	}
	return []any{
		nil, true, false, 0, 1, -1, 0.0, math.Copysign(0, -1), 1.0, 0.5, float32(0.5), uint64(1), math.NaN(), math.Inf(1), math.Inf(-1), math.MaxInt, float64(1 << 63), uint64(1 << 63),
		new(big.Int).Lsh(big.NewInt(1), 63), uint64(math.MaxUint64), math.MaxFloat64, "", "1", "a", "n", []byte("a"), []byte{}, time.Duration(1), time.Unix(0, 1), time.Unix(0, 1).UTC(), time.Unix(1, 0),
	}[r.IntN(31)]
}

// hasNaN reports whether eval.Equal would find a value unequal to itself.
func hasNaN(v any) bool {
	same, err := eval.Equal(v, v)
	return err != nil || !same
}

// TestRanksShareAGroupExactlyWhereTheirValuesAreEqual holds INV-EQUAL and INV-ONCE against eval.Equal, pair by pair.
func TestRanksShareAGroupExactlyWhereTheirValuesAreEqual(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	shared := 0
	for range 300 {
		values := make([]RankValue, 40)
		for i := range values {
			values[i] = RankValue{Rank: i, Value: someValue(r, 2)}
		}
		table := New(values)
		groupOf := map[int]int{}
		for i, g := range table.Groups {
			for _, rank := range g.Ranks {
				if _, twice := groupOf[rank]; twice {
					t.Fatalf("rank %d is in two groups", rank)
				}
				groupOf[rank] = i
			}
		}
		if len(groupOf) != len(values) {
			t.Fatalf("%d of %d ranks are in a group", len(groupOf), len(values))
		}
		for i, a := range values {
			for j, b := range values[:i] {
				if hasNaN(a.Value) || hasNaN(b.Value) {
					continue
				}
				equal, err := eval.Equal(a.Value, b.Value)
				equal = equal && err == nil
				if together := groupOf[i] == groupOf[j]; together != equal {
					t.Fatalf("%s and %s: in one group %v, equal %v (%v)", eval.Show(a.Value), eval.Show(b.Value), together, equal, err)
				}
				if equal {
					shared++
				}
			}
		}
	}
	if shared < 1000 {
		t.Errorf("only %d pairs were equal: the values are too different to show anything", shared)
	}
	table := New(over(math.NaN(), float32(math.NaN()), []any{math.NaN()}, []any{math.NaN()}))
	if len(table.Groups) != 2 {
		t.Errorf("NaN goes with NaN, got %+v", table.Groups)
	}
}

func TestAValueThatIsTooDeepCountsAsCut(t *testing.T) {
	deep := func(inner any) any {
		for range 2 * maxDepth {
			inner = []any{inner}
		}
		return inner
	}
	table := New(over(deep(1), deep(2), []any{1}))
	if len(table.Groups) != 2 || !table.Groups[0].Cut || table.Groups[1].Cut {
		t.Errorf("got %+v", table.Groups)
	}
}

// TestTheOrderOfTheAnswersDoesNotMatter holds INV-STEADY.
func TestTheOrderOfTheAnswersDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		values := make([]RankValue, 30)
		for i := range values {
			values[i] = RankValue{Rank: 3 * i, Value: someValue(r, 1)}
		}
		a := New(values)
		r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		b := New(values)
		if !slices.Equal(a.Lines(80, 50), b.Lines(80, 50)) {
			t.Fatalf("%s\nand shuffled\n%s", strings.Join(a.Lines(80, 50), "\n"), strings.Join(b.Lines(80, 50), "\n"))
		}
	}
	twice := New([]RankValue{{Rank: 1, Value: 1}, {Rank: 0, Value: 5}, {Rank: 1, Value: 2}})
	if twice.Len() != 2 || twice.Spread.Min != 2 {
		t.Errorf("of a rank that is given twice the last counts, got %v", twice.Lines(40, 9))
	}
}

// TestWhoStandsOut holds the rule of the package comment.
func TestWhoStandsOut(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []any
		want   []int
	}{
		{"nobody among equals", []any{1, 1, 1, 1, 1, 1}, nil},
		{"one far above", []any{1.0, 1.1, 0.9, 1.05, 0.95, 9}, []int{5}},
		{"one far below", []any{1.0, 1.1, 0.9, 1.05, 0.95, -9}, []int{5}},
		{"two that would hide each other from a standard deviation", []any{1.0, 1.1, 0.9, 1.05, 0.95, 900, 1000}, []int{5, 6}},
		{"one among equals, where MAD is 0", []any{1, 1, 1, 1, 1, 1, 1, 2}, []int{7}},
		{"none of an even spread", []any{1, 2, 3, 4, 5, 6, 7, 8, 9}, nil},
		{"just inside 3.5", []any{-1, -1, 0, 1, 1, 5.68}, nil},
		{"just outside 3.5", []any{-1, -1, 0, 1, 1, 5.7}, []int{5}},
		{"NaN, infinities and errors always", []any{1, math.NaN(), math.Inf(-1), failed("gone")}, []int{1, 2, 3}},
		{"all of them bad", []any{math.NaN(), math.Inf(1)}, []int{0, 1}},
		{"a text among numbers", []any{1, 2, 3, "x"}, []int{3}},
		{"a number among texts does not", []any{"a", "b", "c", 1}, nil},
		{"numbers whose difference has no float", []any{-math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64, math.MaxFloat64}, nil},
		{"one whose distance has no float", []any{math.MaxFloat64, math.MaxFloat64, math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64}, []int{4}},
		{"an integer beyond all floats", []any{1, 1, new(big.Int).Lsh(big.NewInt(1), 2000)}, []int{2}},
		{"durations", []any{time.Second, time.Second, time.Second, time.Second, time.Second, time.Second, time.Hour}, []int{6}},
		{"nothing", nil, nil},
	} {
		table := New(over(c.values...))
		var got []int
		for _, o := range table.Outliers {
			got = append(got, o.Rank)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v stand out, want %v", c.name, table.Outliers, c.want)
		}
	}
}

func TestTheSpreadDoesNotOverflow(t *testing.T) {
	table := New(over(-math.MaxFloat64, math.MaxFloat64, math.MaxFloat64, math.MaxFloat64))
	s := table.Spread
	if s.Median != math.MaxFloat64 || math.Abs(s.Mean/math.MaxFloat64-0.5) > 1e-9 || s.Min != -math.MaxFloat64 {
		t.Errorf("got %+v", *s)
	}
	if got := table.Spark(4); got != "▁███" {
		t.Errorf("bars %s", got)
	}
	if s := New(over(1, 2, 3, 10)).Spread; s.Mean != 4 || s.Median != 2.5 || s.Count != 4 {
		t.Errorf("got %+v", *s)
	}
}

// TestARankThatStandsOutIsSeenAmongMany holds INV-SEEN.
func TestARankThatStandsOutIsSeenAmongMany(t *testing.T) {
	for _, bad := range []struct {
		value any
		bar   string
	}{{math.NaN(), "!"}, {failed("gone"), "!"}, {50, "█"}, {-50, "▁"}} {
		for _, at := range []int{0, 1, 499, 998, 999} {
			values := make([]any, 1000)
			for i := range values {
				values[i] = i % 3
			}
			values[at] = bad.value
			table := New(over(values...))
			bars := table.Spark(40)
			if utf8.RuneCountInString(bars) != 40 || strings.Count(bars, bad.bar) < 1 || []rune(bars)[at/25] != []rune(bad.bar)[0] {
				t.Errorf("rank %d is %v: its place in %s should be %s", at, bad.value, bars, bad.bar)
			}
		}
	}
	texts := New(over("a", "b", 1, 2))
	if got := texts.Spark(9); got != "··▁█" {
		t.Errorf("bars %s", got)
	}
}

// FuzzLines holds INV-SAFE.
func FuzzLines(f *testing.F) {
	f.Add("a\x1b[31m", "\u202eerr\n", 1.5, 40, 3)
	f.Add("", "", math.NaN(), -1, -1)
	f.Fuzz(func(t *testing.T, text, failure string, x float64, width, rows int) {
		width = min(width, 1000)
		table := New([]RankValue{{0, text, ""}, {1, nil, failure}, {-5, x, ""}, {math.MaxInt, map[string]any{text: []any{x}}, ""}, {7, eval.Cut(text, failure), ""}})
		for _, line := range table.Lines(width, rows) {
			if utf8.RuneCountInString(line) > max(width, minWidth) || !utf8.ValidString(line) || strings.ContainsFunc(line, clean.Dangerous) {
				t.Fatalf("width %d: %q", width, line)
			}
		}
	})
}

func BenchmarkGroupTenThousandRanks(b *testing.B) {
	values := make([]RankValue, 10_000)
	for i := range values {
		values[i] = RankValue{Rank: i, Value: float64(i%7) + 0.5}
	}
	for b.Loop() {
		table := New(values)
		table.Lines(80, 20)
	}
}
