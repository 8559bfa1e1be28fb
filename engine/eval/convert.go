package eval

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// toText is string(…): a text is itself, bytes are read as UTF-8.
func toText(args ...any) (any, error) {
	switch v := Canonical(args[0]).(type) {
	case string:
		return v, nil
	case []byte:
		if !utf8.Valid(v) {
			return nil, fmt.Errorf("string wants bytes that are UTF-8 text, not %s", brief(v))
		}
		return string(v), nil
	case nil:
		return "nil", nil
	case Incomplete:
		return nil, v.err()
	default:
		return fmt.Sprint(v), nil
	}
}

// toInt is int(…): a float loses what is behind its point.
func toInt(args ...any) (any, error) {
	switch v := Canonical(args[0]).(type) {
	case int, *big.Int:
		return v, nil
	case time.Duration:
		return int(v), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("int wants a number with an end, not %v", v)
		}
		n, _ := new(big.Float).SetFloat64(v).Int(nil)
		return small(n)
	case string:
		if n, ok := new(big.Int).SetString(v, 10); ok {
			return small(n)
		}
	case Incomplete:
		return nil, v.err()
	}
	return nil, noNumber("int", "a whole number", args[0])
}

func toFloat(args ...any) (any, error) {
	switch v := Canonical(args[0]).(type) {
	case int, *big.Int, float64:
		return float(v), nil
	case time.Duration:
		return float64(v), nil
	case string:
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return f, nil
		}
	case Incomplete:
		return nil, v.err()
	}
	return nil, noNumber("float", "a number", args[0])
}

func noNumber(name, what string, v any) error {
	if v = Canonical(v); kindOf(v) == "text" {
		return fmt.Errorf("%s wants a number or the text of %s, not the text %s", name, what, brief(v))
	}
	return fmt.Errorf("%s wants a number or the text of %s, not the %s %s", name, what, kindOf(v), brief(v))
}

// rounding is round, floor or ceil: whole numbers stay as they are.
func rounding(name string, f func(float64) float64) func(args ...any) (any, error) {
	return func(args ...any) (any, error) {
		switch v := Canonical(args[0]).(type) {
		case int, *big.Int:
			return v, nil
		case float64:
			return f(v), nil
		case Incomplete:
			return nil, v.err()
		default:
			return nil, fmt.Errorf("%s wants a number, not the %s %s", name, kindOf(v), brief(v))
		}
	}
}

// MarshalJSON refuses to write a part as if it were the whole.
func (v Incomplete) MarshalJSON() ([]byte, error) { return nil, v.err() }

func toJSON(args ...any) (any, error) {
	v := Canonical(args[0])
	b, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		return string(b), nil
	}
	if within, ok := errors.AsType[*json.MarshalerError](err); ok {
		return nil, within.Err
	}
	return nil, fmt.Errorf("toJSON: JSON has no way to write %s: want numbers with an end, texts, truth values, lists and maps", brief(v))
}

func join(args ...any) (any, error) {
	list, ok := Canonical(args[0]).([]any)
	if !ok {
		_, err := wholeOf(args[0])
		if err == nil {
			err = fmt.Errorf("join wants a list of texts, not the %s %s", kindOf(Canonical(args[0])), brief(args[0]))
		}
		return nil, err
	}
	between := ""
	if len(args) > 1 {
		if between, ok = args[1].(string); !ok {
			return nil, fmt.Errorf("join wants a text to put between, not %s", brief(args[1]))
		}
	}
	parts, total := make([]string, len(list)), 0
	for i, v := range list {
		if parts[i], ok = Canonical(v).(string); !ok {
			return nil, fmt.Errorf("join wants a list of texts, and [%d] is the %s %s (map(…, string(#)) makes texts)", i, kindOf(Canonical(v)), brief(v))
		}
		if total += len(parts[i]) + len(between); total > maxFmtText {
			return nil, fmt.Errorf("join: more than %d bytes", maxFmtText)
		}
	}
	return strings.Join(parts, between), nil
}

func toDuration(args ...any) (any, error) {
	switch v := Canonical(args[0]).(type) {
	case time.Duration:
		return v, nil
	case string:
		if d, err := time.ParseDuration(v); err == nil {
			return d, nil
		}
	case Incomplete:
		return nil, v.err()
	}
	return nil, fmt.Errorf(`duration wants a text such as "1.5s" or "1m30s", not %s`, brief(args[0]))
}
