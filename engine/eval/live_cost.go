package eval

import (
	"math"
	"math/big"
)

// liveFunction reports whether a function is bounded by what it is given, so that steps count it rightly.
func liveFunction(name string) bool {
	switch name {
	case "all", "none", "any", "one", "filter", "map", "find", "findIndex", "findLast", "findLastIndex", "count", "sum",
		"len", "type", "abs", "ceil", "floor", "round", "int", "float", "string", "trim", "trimPrefix", "trimSuffix",
		"upper", "lower", "indexOf", "lastIndexOf", "hasPrefix", "hasSuffix", "max", "min", "mean", "median", "duration",
		"first", "last", "get", "keys", "values", "reverse", "take", "uniq", "sort", "now",
		"bitnot", "bitand", "bitor", "bitxor", "bitnand", "bitshl", "bitshr", "bitushr":
		return true
	}
	return false
}

// liveCost is what a call costs, in steps: what looks into its arguments pays for all that is in them.
func liveCost(f string, args []any, left int) int {
	cost := 1
	switch f {
	case ".int", ".float", ".string", ".duration", ".method", ".readAt": // they read or write digits, or look for a field
		cost = 3
	case "fmt":
		return cost + formatCost(args, left)
	}
	for _, a := range args {
		if beyondFloats(a) {
			cost += 15 // compared with a float, such a number becomes a fraction
		}
		switch f {
		case ".read", ".readAt", ".at", ".holder":
			if s, ok := a.(string); ok && f == ".at" {
				cost += len(s) / 16
			}
		case ".whole": // a loop comes next, or a function that reads a text
			if s, ok := a.(string); ok {
				cost += len(s) / 10
			}
			cost += size(a) / 4
		case ".scan": // a regular expression: the program is the other argument
			if s, ok := a.(string); ok {
				cost += len(s)
			}
		case ".sort", ".median", ".uniq":
			cost += deep(a, left/20) * 20
		case ".eq", ".ne", ".in", ".max", ".min", ".sum", ".mean", ".indexOf", ".string":
			cost += deep(a, left/4) * 4
		default:
			cost += deep(a, left)
		}
	}
	if f == ".scan" && len(args) == 2 {
		if n, ok := args[1].(int); ok {
			cost += cost * n / 8
		}
	}
	return cost
}

// beyondFloats reports whether v is a whole number that a float64 may not hold.
func beyondFloats(v any) bool {
	switch v := v.(type) {
	case int:
		return v > exactInts || v < -exactInts
	case *big.Int:
		return true
	}
	return false
}

// formatCost is what fmt costs: each verb may print all arguments, and its width.
func formatCost(args []any, left int) int {
	if len(args) == 0 {
		return 0
	}
	text, _ := args[0].(string)
	verbs, width, total := 0, 0, len(text)/20
	for _, c := range text {
		switch {
		case c == '%':
			verbs++
		case c >= '0' && c <= '9':
			width = min(10*width+int(c-'0'), math.MaxInt32)
			continue
		}
		total += width / 20
		width = 0
	}
	for _, a := range args[1:] {
		total += verbs * (5 + 4*deep(a, left))
	}
	return total
}

// deep is how many values are in lists and maps, and texts by the hundred bytes; it stops counting past most.
func deep(v any, most int) (n int) {
	switch v := v.(type) {
	case string:
		return len(v) / 100
	case []byte:
		return len(v) / 100
	case []any:
		for _, x := range v {
			if n += 1 + deep(x, most-n); n > most {
				break
			}
		}
	case map[string]any:
		for _, x := range v {
			if n += 1 + deep(x, most-n); n > most {
				break
			}
		}
	}
	return n
}
