package group

import (
	"math"
	"math/big"
	"slices"
	"time"
)

// unit is what the numbers of a table are.
type unit int

const (
	plain unit = iota
	durations
)

// Spread is how the finite numbers of a table are spread.
type Spread struct {
	Min, Mean, Median, Max float64 // nanoseconds where they are durations
	Count                  int     // finite numbers
	Durations              bool    // the values are durations
}

// cell is the number that a rank's value is.
type cell struct {
	x      float64
	number bool // also NaN and infinities
}

func (c cell) finite() bool { return c.number && !math.IsNaN(c.x) && !math.IsInf(c.x, 0) }

// unitOf tells whether a table is of durations: there is one, and no number.
func unitOf(values []RankValue) unit {
	u := plain
	for _, v := range values {
		switch v.Value.(type) {
		case int, *big.Int, float64:
			if v.Err == "" {
				return plain
			}
		case time.Duration:
			if v.Err == "" {
				u = durations
			}
		}
	}
	return u
}

func cellOf(v RankValue, u unit) cell {
	if v.Err != "" {
		return cell{}
	}
	switch x := v.Value.(type) {
	case int:
		return cell{float64(x), true}
	case *big.Int:
		f, _ := new(big.Float).SetInt(x).Float64()
		return cell{f, true}
	case float64:
		return cell{x, true}
	case time.Duration:
		return cell{float64(x), u == durations}
	}
	return cell{}
}

func spreadOf(cells []cell, u unit) *Spread {
	var xs []float64
	for _, c := range cells {
		if c.finite() {
			xs = append(xs, c.x)
		}
	}
	if len(xs) == 0 {
		return nil
	}
	slices.Sort(xs)
	return &Spread{Min: xs[0], Max: xs[len(xs)-1], Mean: mean(xs), Median: middle(xs), Count: len(xs), Durations: u == durations}
}

// mean does not overflow where the sum does.
func mean(xs []float64) float64 {
	sum, n := 0.0, float64(len(xs))
	for _, x := range xs {
		sum += x
	}
	if !math.IsInf(sum, 0) && !math.IsNaN(sum) {
		return sum / n
	}
	sum = 0
	for _, x := range xs {
		sum += x / n
	}
	return sum
}

// middle is the median of sorted numbers.
func middle(xs []float64) float64 {
	at := len(xs) / 2
	if len(xs)%2 == 1 {
		return xs[at]
	}
	if sum := xs[at-1] + xs[at]; !math.IsInf(sum, 0) {
		return sum / 2
	}
	return xs[at-1]/2 + xs[at]/2
}
