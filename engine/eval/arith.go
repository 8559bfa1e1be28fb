package eval

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"
)

// maxBits bounds whole numbers: what no 64-bit type holds is still right in sums and products of a few.
const maxBits = 128

// small is the number as an int where that has room.
func small(n *big.Int) (any, error) {
	if n.IsInt64() {
		return int(n.Int64()), nil
	}
	if n.BitLen() > maxBits {
		return nil, fmt.Errorf("the result is a number beyond %d bits", maxBits)
	}
	return n, nil
}

// integer is a whole number as a *big.Int; nil for anything else.
func integer(v any) *big.Int {
	switch v := v.(type) {
	case int:
		return big.NewInt(int64(v))
	case *big.Int:
		return v
	}
	return nil
}

// float is a number as a float64, NaN for anything else.
func float(v any) float64 {
	switch v := v.(type) {
	case int:
		return float64(v)
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f
	case float64:
		return v
	}
	return math.NaN()
}

// operator is one of + - * / % **, with what it does to each pair of kinds; nil where it does nothing.
type operator struct {
	sign      string
	whole     func(z, x, y *big.Int) *big.Int // on whole numbers; nil: as on floats
	floats    func(x, y float64) float64
	texts     func(x, y string) any
	durations func(x, y time.Duration) any
	scaled    func(d time.Duration, by float64) float64 // a duration and a number
	times     func(x, y time.Time) any
	moved     func(t time.Time, by time.Duration) any
}

func (o *operator) do(a, b any) (any, error) {
	a, b = Canonical(a), Canonical(b)
	if err := unbroken(a, b); err != nil {
		return nil, err
	}
	ka, kb := kindOf(a), kindOf(b)
	switch {
	case ka == "number" && kb == "number":
		if x, y := integer(a), integer(b); o.whole != nil && x != nil && y != nil {
			return small(o.whole(new(big.Int), x, y))
		}
		if o.floats != nil {
			return o.floats(float(a), float(b)), nil
		}
	case ka == "text" && kb == "text" && o.texts != nil:
		return o.texts(a.(string), b.(string)), nil //nolint:forcetypeassert // kindOf says so
	case ka == "duration" && kb == "duration" && o.durations != nil:
		return o.durations(a.(time.Duration), b.(time.Duration)), nil //nolint:forcetypeassert // as above
	case ka == "duration" && kb == "number" && o.scaled != nil:
		return o.scale(a.(time.Duration), float(b)) //nolint:forcetypeassert // as above
	case ka == "number" && kb == "duration" && o.scaled != nil && o.sign == "*":
		return o.scale(b.(time.Duration), float(a)) //nolint:forcetypeassert // as above
	case ka == "time" && kb == "time" && o.times != nil:
		return o.times(a.(time.Time), b.(time.Time)), nil //nolint:forcetypeassert // as above
	case ka == "time" && kb == "duration" && o.moved != nil:
		return o.moved(a.(time.Time), b.(time.Duration)), nil //nolint:forcetypeassert // as above
	}
	return nil, fmt.Errorf("%s %s %s: there is no %s of a %s and a %s", brief(a), o.sign, brief(b), o.sign, ka, kb)
}

func (o *operator) scale(d time.Duration, by float64) (any, error) {
	f := o.scaled(d, by)
	if math.IsNaN(f) || f >= math.MaxInt64 || f <= math.MinInt64 {
		return nil, fmt.Errorf("%s %s %v is no duration", d, o.sign, by)
	}
	return time.Duration(math.Round(f)), nil
}

func add(a, b any) (any, error) {
	o := operator{
		sign: "+", whole: (*big.Int).Add, floats: func(x, y float64) float64 { return x + y }, texts: func(x, y string) any { return x + y },
		durations: func(x, y time.Duration) any { return x + y }, moved: func(t time.Time, d time.Duration) any { return t.Add(d) },
	}
	if kindOf(a) == "duration" && kindOf(b) == "time" {
		a, b = b, a
	}
	return o.do(a, b)
}

func subtract(a, b any) (any, error) {
	o := operator{
		sign: "-", whole: (*big.Int).Sub, floats: func(x, y float64) float64 { return x - y }, durations: func(x, y time.Duration) any { return x - y },
		times: func(x, y time.Time) any { return x.Sub(y) }, moved: func(t time.Time, d time.Duration) any { return t.Add(-d) },
	}
	return o.do(a, b)
}

func multiply(a, b any) (any, error) {
	o := operator{
		sign: "*", whole: (*big.Int).Mul, floats: func(x, y float64) float64 { return x * y },
		scaled: func(d time.Duration, by float64) float64 { return float64(d) * by },
	}
	return o.do(a, b)
}

func divide(a, b any) (any, error) {
	o := operator{
		sign: "/", floats: func(x, y float64) float64 { return x / y }, durations: func(x, y time.Duration) any { return float64(x) / float64(y) },
		scaled: func(d time.Duration, by float64) float64 { return float64(d) / by },
	}
	return o.do(a, b)
}

func power(a, b any) (any, error) {
	o := operator{sign: "**", floats: math.Pow}
	return o.do(a, b)
}

func modulo(a, b any) (any, error) {
	if y := integer(Canonical(b)); y != nil && y.Sign() == 0 {
		return nil, errors.New("there is no remainder of a division by 0")
	}
	if integer(Canonical(a)) == nil || integer(Canonical(b)) == nil {
		return nil, fmt.Errorf("%s %% %s: %% is for whole numbers", brief(a), brief(b))
	}
	o := operator{sign: "%", whole: (*big.Int).Rem}
	return o.do(a, b)
}

func negate(args ...any) (any, error) {
	switch v := Canonical(args[0]).(type) {
	case float64:
		return -v, nil
	case time.Duration:
		return -v, nil
	default:
		return subtract(0, v)
	}
}
