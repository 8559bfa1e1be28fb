package group

import (
	"math"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/eval"
)

// Outlier is a rank that stands out, see the package comment.
type Outlier struct {
	Rank  int
	Why   string  // in plain words
	Score float64 // M; 0 where the rank stands out for another reason than its number
}

// limit is where Iglewicz and Hoaglin call a value an outlier.
const limit = 3.5

// outliers are the ranks that stand out, by rank.
func outliers(values []RankValue, cells []cell, s *Spread) []Outlier {
	var out []Outlier
	score := scorer(cells, s)
	mostly := s != nil && s.Count*2 > len(cells)
	for i, v := range values {
		switch c := cells[i]; {
		case v.Err != "":
			out = append(out, Outlier{Rank: v.Rank, Why: "no value: " + eval.Shorten(v.Err)})
		case c.number && !c.finite():
			out = append(out, Outlier{Rank: v.Rank, Why: "not a finite number"})
		case !c.number && mostly:
			out = append(out, Outlier{Rank: v.Rank, Why: "not a number, as most are"})
		case c.finite():
			if m := score(c.x); math.Abs(m) > limit {
				why := "far above the median"
				if m < 0 {
					why = "far below the median"
				}
				out = append(out, Outlier{Rank: v.Rank, Why: why, Score: m})
			}
		}
	}
	return out
}

// scorer is M as a function of x. It works with halves, which have no difference that overflows; the quotient is the same.
func scorer(cells []cell, s *Spread) func(x float64) float64 {
	never := func(float64) float64 { return 0 }
	if s == nil {
		return never
	}
	away := func(x float64) float64 { return x/2 - s.Median/2 }
	var devs []float64
	for _, c := range cells {
		if c.finite() {
			devs = append(devs, math.Abs(away(c.x)))
		}
	}
	slices.Sort(devs)
	if mad := middle(devs); mad > 0 {
		return func(x float64) float64 { return 0.6745 * (away(x) / mad) }
	}
	if m := mean(devs); m > 0 {
		return func(x float64) float64 { return away(x) / m / 1.2533 }
	}
	return never
}
