package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// results are all measurements of a run.
type results []result

// table is a Markdown table, the head first.
type table [][]string

func (t table) print() {
	width := make([]int, len(t[0]))
	for _, row := range t {
		for i, c := range row {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	for n, row := range t {
		fmt.Print("|")
		for i, c := range row {
			fmt.Print(" ", c, strings.Repeat(" ", width[i]-utf8.RuneCountInString(c)), " |")
		}
		fmt.Println()
		if n == 0 {
			fmt.Print("|")
			for _, w := range width {
				fmt.Print(strings.Repeat("-", w+2), "|")
			}
			fmt.Println()
		}
	}
}

func (all results) print(s settings) {
	for _, p := range placements() {
		all.calls("Round trip, one call at a time: "+p.name, whatRTT, p.name, func(r result) float64 { return r.P50 }, false)
	}
	for _, what := range []string{what64, what1024} {
		for _, p := range placements() {
			all.calls("Throughput, "+what+": "+p.name, what, p.name, func(r result) float64 { return r.Rate }, true)
		}
	}
	all.calls(fmt.Sprintf("A call on %d ranks", s.ranks), whatCast, "free", func(r result) float64 { return r.P50 }, false)
	all.starts(s)
	all.stops()
}

// pick is the figures of a peer, by repetition.
func (all results) pick(peer, what, place string, of func(result) float64) map[int]float64 {
	out := map[int]float64{}
	for _, r := range all {
		if r.Peer == peer && r.What == what && (r.Place == place || peer == peerPython) {
			out[r.Rep] = of(r)
		}
	}
	return out
}

// calls prints a table of calls. The ratio is ours ÷ the peer's, by repetition.
func (all results) calls(title, what, place string, of func(result) float64, rate bool) {
	ours := all.pick(peerEngine, what, place, of)
	if len(ours) == 0 {
		return
	}
	ratio := "p50, ours ÷ this"
	if rate {
		ratio = "calls/s, ours ÷ this"
	}
	t := table{{"peer", "runs", "p50 µs", "p99 µs", "calls/s", "CPU µs/call", ratio, "CPU, ours ÷ this"}}
	for _, p := range append(peers(), peerPython) {
		theirs := all.pick(p, what, place, of)
		if len(theirs) == 0 {
			continue
		}
		cpu := func(r result) float64 { return r.CPU }
		t = append(t, []string{
			p, fmt.Sprint(len(theirs)),
			spread(values(all.pick(p, what, place, func(r result) float64 { return r.P50 }))),
			spread(values(all.pick(p, what, place, func(r result) float64 { return r.P99 }))),
			spread(values(all.pick(p, what, place, func(r result) float64 { return r.Rate }))),
			spread(values(all.pick(p, what, place, cpu))),
			spread(pairs(ours, theirs)), spread(pairs(all.pick(peerEngine, what, place, cpu), all.pick(p, what, place, cpu))),
		})
	}
	fmt.Printf("\n## %s\n\n", title)
	t.print()
}

func (all results) starts(s settings) {
	secs := func(r result) float64 { return r.Secs }
	ours := all.pick(peerEngineStart, whatStart, "free", secs)
	if len(ours) == 0 {
		return
	}
	mib := func(r result) float64 { return r.MiB }
	t := table{{"peer", "runs", "seconds", "idle MiB of a worker (private)", "seconds, ours ÷ this", "MiB, ours ÷ this"}}
	for _, p := range []string{peerEngineStart, peerExec, peerPython} {
		theirs := all.pick(p, whatStart, "free", secs)
		if len(theirs) == 0 {
			continue
		}
		t = append(t, []string{
			p, fmt.Sprint(len(theirs)), spread(values(theirs)), spread(values(all.pick(p, whatStart, "free", mib))), spread(pairs(ours, theirs)),
			spread(pairs(all.pick(peerEngineStart, whatStart, "free", mib), all.pick(p, whatStart, "free", mib))),
		})
	}
	fmt.Printf("\n## Start-up of %d workers\n\n", s.ranks)
	t.print()
}

// stops prints how long a stop took to be shown, and what it did to the rest of its process.
func (all results) stops() {
	shown := func(r result) float64 { return r.Shown }
	armed := func(r result) float64 { return r.Armed }
	ours := all.pick(peerDebugger, whatStop, "free", armed)
	if len(ours) == 0 {
		return
	}
	t := table{{"debugger", "runs", "attach → shown ms", "arm → shown ms", "our arm → shown ÷ its attach → shown", "other actor, calls/s without", "while stopped", "share"}}
	for _, p := range []string{peerDebugger, peerDelve} {
		theirs := all.pick(p, whatStop, "free", shown)
		if len(theirs) == 0 {
			continue
		}
		free, rate := all.pick(p, whatStop, "free", func(r result) float64 { return r.Free }), all.pick(p, whatStop, "free", func(r result) float64 { return r.Rate })
		t = append(t, []string{
			p, fmt.Sprint(len(theirs)), spread(values(theirs)), spread(values(all.pick(p, whatStop, "free", armed))), spread(pairs(ours, theirs)),
			spread(values(free)), spread(slices.Collect(maps.Values(rate))), spread(pairs(rate, free)),
		})
	}
	fmt.Printf("\n## A stop in a worker process\n\nOurs stops an actor, Delve the process. Ours without a stop has the front end attached too.\n\n")
	t.print()
}

// pairs is the ratios of the repetitions that both have.
func pairs(ours, theirs map[int]float64) []float64 {
	var out []float64
	for rep, x := range ours {
		if y := theirs[rep]; y > 0 {
			out = append(out, x/y)
		}
	}
	return out
}

func ratios(ours, theirs []float64) []float64 {
	var out []float64
	for i := range ours {
		out = append(out, ours[i]/theirs[i])
	}
	return out
}

func values(m map[int]float64) []float64 {
	var out []float64
	for _, v := range m {
		if v > 0 {
			out = append(out, v)
		}
	}
	return out
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// spread is a median with least and most.
func spread(v []float64) string {
	if len(v) == 0 {
		return "–"
	}
	return fmt.Sprintf("%s [%s–%s]", figure(median(v)), figure(slices.Min(v)), figure(slices.Max(v)))
}

// figure shows three digits.
func figure(x float64) string {
	switch {
	case x >= 100:
		return thousands(fmt.Sprintf("%.0f", x))
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	case x >= 0.1:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.4f", x)
}

func thousands(s string) string {
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
