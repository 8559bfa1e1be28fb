package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
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
	places := append(measure.Pinned(), measure.Unpinned)
	for _, p := range places {
		all.calls("Round trip, one call at a time: "+p.Name, measure.RoundTrip, p.Name, func(r result) float64 { return r.P50 }, false)
	}
	for _, what := range []string{measure.At64, measure.At1024} {
		for _, p := range measure.Pinned() {
			all.calls("Throughput, "+what+": "+p.Name, what, p.Name, func(r result) float64 { return r.Rate }, true)
		}
	}
	all.failures()
	all.bulk()
	all.pairsOf("Both CPUs busy with other processes", peerBusy, []string{peerBusy, peerBusyPlain}, []string{measure.RoundTrip, measure.At64}, measure.Unpinned.Name)
	all.pairsOf("A call to an actor of the same process, GOMAXPROCS=1", peerLocal, []string{peerLocal, peerLocalBase}, []string{measure.RoundTrip}, onOne().Name)
	all.calls(fmt.Sprintf("A call on %d ranks", s.ranks), measure.OnAll, measure.Unpinned.Name, func(r result) float64 { return r.P50 }, false)
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

// measured are the peers that have such a figure, in the order in which they were first measured in; ours comes first.
func (all results) measured(what, place string) []string {
	out := []string{peerEngine}
	for _, r := range all {
		if r.What == what && (r.Place == place || r.Peer == peerPython) && !slices.Contains(out, r.Peer) && !strings.HasPrefix(r.Peer, peerEngine+",") {
			out = append(out, r.Peer)
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
	for _, p := range all.measured(what, place) {
		theirs := all.pick(p, what, place, of)
		t = append(t, append(all.figures(p, what, place),
			spread(pairs(ours, theirs)), spread(pairs(all.pick(peerEngine, what, place, cpuOf), all.pick(p, what, place, cpuOf)))))
	}
	fmt.Printf("\n## %s\n\n", title)
	t.print()
}

// figures is the first columns of a table of calls.
func (all results) figures(peer, what, place string) []string {
	row := []string{peer, fmt.Sprint(len(all.pick(peer, what, place, rateOf)))}
	for _, of := range []func(result) float64{p50Of, p99Of, rateOf, cpuOf} {
		row = append(row, spread(values(all.pick(peer, what, place, of))))
	}
	return row
}

func p50Of(r result) float64  { return r.P50 }
func p99Of(r result) float64  { return r.P99 }
func rateOf(r result) float64 { return r.Rate }
func cpuOf(r result) float64  { return r.CPU }
func mibOf(r result) float64  { return r.MiB }
func secsOf(r result) float64 { return r.Secs }

// failures says what a stranger could not do.
func (all results) failures() {
	said := map[string]bool{}
	for _, r := range all {
		line := fmt.Sprintf("%s, %s: %s", r.Peer, r.Place, r.Err)
		if r.Err != "" && !said[line] {
			said[line] = true
			fmt.Printf("\nNot measured in repetition %d: %s\n", r.Rep+1, line)
		}
	}
}

// pairsOf prints figures of two peers for each of some measurements.
func (all results) pairsOf(title, ours string, peers, whats []string, place string) {
	t := table{{"peer", "runs", "p50 µs", "p99 µs", "calls/s", "CPU µs/call", "what", "calls/s, ours ÷ this", "p50, ours ÷ this"}}
	for _, what := range whats {
		for _, p := range peers {
			if theirs := all.pick(p, what, place, rateOf); len(theirs) > 0 {
				t = append(t, append(all.figures(p, what, place), what, spread(pairs(all.pick(ours, what, place, rateOf), theirs)),
					spread(pairs(all.pick(ours, what, place, p50Of), all.pick(p, what, place, p50Of)))))
			}
		}
	}
	if len(t) > 1 {
		fmt.Printf("\n## %s\n\n", title)
		t.print()
	}
}

// bulk prints large bodies, and what they do to small calls on the same connection.
func (all results) bulk() {
	place := split().Name
	ours := all.pick(peerEngine, whatBulk, place, rateOf)
	if len(ours) == 0 {
		return
	}
	t := table{{"peer", "runs", "MB/s", "CPU µs/MiB", "small call alone, p99 µs", "beside, p99 µs", "beside ÷ alone, p99", "to another actor beside, p50 µs", "p99 µs", "÷ alone, p99", "MB/s, ours ÷ this", "CPU, ours ÷ this"}}
	for _, p := range all.measured(whatBulk, place) {
		theirs := all.pick(p, whatBulk, place, rateOf)
		var mb []float64
		for _, rate := range theirs {
			mb = append(mb, rate*bulkBytes/1e6)
		}
		alone, beside := all.pick(p, whatAlone, place, p99Of), all.pick(p, whatBeside, place, p99Of)
		other := all.pick(p, whatOther, place, p99Of)
		t = append(t, []string{
			p, fmt.Sprint(len(theirs)), spread(mb), spread(values(all.pick(p, whatBulk, place, cpuOf))), spread(values(alone)), spread(values(beside)),
			spread(pairs(beside, alone)), spread(values(all.pick(p, whatOther, place, p50Of))), spread(values(other)), spread(pairs(other, alone)),
			spread(pairs(ours, theirs)), spread(pairs(all.pick(peerEngine, whatBulk, place, cpuOf), all.pick(p, whatBulk, place, cpuOf))),
		})
	}
	fmt.Printf("\n## Bodies of 1 MiB, %d in flight: %s\n\nA body goes one way and is answered with %d bytes. The small calls go one at a time, on the same connection: to\nthe actor that takes the bodies, where each waits for those before it (for gRPC: on the same stream), and to another one.\n\n", bulkInFlight, place, len(payload))
	t.print()
}

func (all results) starts(s settings) {
	place := measure.Unpinned.Name
	ours, weighs := all.pick(peerEngineStart, measure.StartUp, place, secsOf), all.pick(peerEngineStart, measure.StartUp, place, mibOf)
	if len(ours) == 0 {
		return
	}
	t := table{{"peer", "runs", "seconds", "idle MiB of a process (private)", "seconds, ours ÷ this", "MiB, ours ÷ this"}}
	for _, p := range []string{peerEngineStart, peerExec, peerBare, peerPython} {
		what := measure.StartUp
		if p == peerBare {
			what = measure.AtRest
		}
		secs, mib := all.pick(p, what, place, secsOf), all.pick(p, what, place, mibOf)
		if len(secs) == 0 {
			continue
		}
		t = append(t, []string{p, fmt.Sprint(len(secs)), spread(values(secs)), spread(values(mib)), spread(pairs(ours, secs)), spread(pairs(weighs, mib))})
	}
	fmt.Printf("\n## Start-up of %d workers, and what one weighs at rest\n\n", s.ranks)
	t.print()
}

// stops prints how long a stop took to be shown, and what it did to the rest of its process.
func (all results) stops() {
	shown := func(r result) float64 { return r.Shown }
	armed := func(r result) float64 { return r.Armed }
	ours := all.pick(peerDebugger, whatStop, measure.Unpinned.Name, armed)
	if len(ours) == 0 {
		return
	}
	t := table{{"debugger", "runs", "attach → shown ms", "arm → shown ms", "our arm → shown ÷ its attach → shown", "other actor, calls/s without", "while stopped", "share"}}
	for _, p := range []string{peerDebugger, peerDelve} {
		theirs := all.pick(p, whatStop, measure.Unpinned.Name, shown)
		if len(theirs) == 0 {
			continue
		}
		free, rate := all.pick(p, whatStop, measure.Unpinned.Name, func(r result) float64 { return r.Free }), all.pick(p, whatStop, measure.Unpinned.Name, func(r result) float64 { return r.Rate })
		t = append(t, []string{
			p, fmt.Sprint(len(theirs)), spread(values(theirs)), spread(values(all.pick(p, whatStop, measure.Unpinned.Name, armed))), spread(pairs(ours, theirs)),
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

// spread is a median with least and most.
func spread(v []float64) string {
	if len(v) == 0 {
		return "–"
	}
	return fmt.Sprintf("%s [%s–%s]", figure(measure.Median(v)), figure(slices.Min(v)), figure(slices.Max(v)))
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
