package paint

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a time in at most six cells: 850ns, 12.1µs, 1.2ms, 4.1s, 12m05s, 3h20m, 2d04h.
func Duration(d time.Duration) string {
	if d < 0 {
		return "-" + Duration(-d)
	}
	unit := func(f float64, u string) string {
		if f < 9.95 {
			return strconv.FormatFloat(f, 'f', 1, 64) + u
		}
		return strconv.FormatFloat(f, 'f', 0, 64) + u
	}
	switch {
	case d == 0:
		return "0s"
	case d < time.Microsecond:
		return strconv.Itoa(int(d)) + "ns"
	case d < 999500*time.Nanosecond:
		return unit(float64(d)/float64(time.Microsecond), "µs")
	case d < 999500*time.Microsecond:
		return unit(float64(d)/float64(time.Millisecond), "ms")
	case d < 60*time.Second:
		return unit(d.Seconds(), "s")
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

// Count is a number in at most five cells: 999, 12.4k, 3.1M, 120G.
func Count[N ~int | ~int64 | ~uint64](n N) string {
	if f := float64(n); f < 1000 && f > -1000 {
		return strconv.FormatInt(int64(n), 10)
	}
	f, units := float64(n), "kMGTPE"
	for i := range units {
		f /= 1000
		if f < 999.5 || i == len(units)-1 {
			if f < 99.95 {
				return strconv.FormatFloat(f, 'f', 1, 64) + units[i:i+1]
			}
			return strconv.FormatFloat(f, 'f', 0, 64) + units[i:i+1]
		}
	}
	return ""
}

// Of is how many of how many, each exact.
func Of(n, all int) string { return Exact(n) + " of " + Exact(all) }

// Exact is a number with a comma between thousands.
func Exact[N ~int | ~int64 | ~uint64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	from := len(s) % 3
	out := s[:from]
	for i := from; i < len(s); i += 3 {
		if out != "" && out != "-" {
			out += ","
		}
		out += s[i : i+3]
	}
	return out
}

// Bytes is a size: 31 B, 4.2 KiB, 1.5 MiB, 2.0 GiB.
func Bytes(n uint64) string {
	if n < 1024 {
		return strconv.FormatUint(n, 10) + " B"
	}
	f, units := float64(n), []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	for i, u := range units {
		f /= 1024
		if f < 1023.5 || i == len(units)-1 {
			return strconv.FormatFloat(f, 'f', 1, 64) + " " + u
		}
	}
	return ""
}

// Plural is a count with its noun: 1 rank, 3 ranks.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "s") || strings.HasSuffix(noun, "sh") || strings.HasSuffix(noun, "ch") {
		return Exact(n) + " " + noun + "es"
	}
	return Exact(n) + " " + noun + "s"
}

// Spark draws values as a line of bars, the highest of them full.
func Spark(values []int) string {
	const bars = "▁▂▃▄▅▆▇█"
	top := 0
	for _, v := range values {
		top = max(top, v)
	}
	out := make([]rune, len(values))
	for i, v := range values {
		n := 0
		if top > 0 {
			n = (v*8 - 1) / top
		}
		out[i] = []rune(bars)[max(0, min(7, n))]
	}
	return string(out)
}

// Span is a time as a person would type it, without parts that are zero: 10m, 1h30m.
func Span(d time.Duration) string {
	text := d.String()
	if whole, ok := strings.CutSuffix(text, "m0s"); ok {
		text = whole + "m"
	}
	if whole, ok := strings.CutSuffix(text, "h0m"); ok {
		text = whole + "h"
	}
	return text
}
