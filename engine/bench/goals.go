package main

import (
	"fmt"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

// goal is a line of the table that says what is reached: one figure or several, each with its own aim.
type goal struct {
	what    string
	figures []aim
}

// aim is the ratios of the repetitions, and what their median has to be.
type aim struct {
	label  string
	ratios []float64
	limit  float64
	least  bool // the limit is the least that is wanted; else the most
}

func (a aim) reached() bool {
	return len(a.ratios) > 0 && (a.least && measure.Median(a.ratios) >= a.limit || !a.least && measure.Median(a.ratios) <= a.limit)
}

func (a aim) wants() string {
	sign := "≤"
	if a.least {
		sign = "≥"
	}
	return fmt.Sprintf("%s %g", sign, a.limit)
}

// printGoals prints what the engine is to reach beside others, and what it reaches.
func (all results) printGoals(s settings) {
	t := table{{"what, ours ÷ theirs", "goal", "now: median [least–most] of the repetitions", "reached?"}}
	some := false
	for _, g := range all.goals(s) {
		var goals, now []string
		reached, missed, unknown := 0, 0, 0
		for _, a := range g.figures {
			if w := a.wants(); len(goals) == 0 || goals[len(goals)-1] != w {
				goals = append(goals, w)
			}
			switch {
			case len(a.ratios) == 0:
				unknown++
				now = append(now, a.label+" not measured")
			case a.reached():
				reached++
				now = append(now, a.label+" "+spread(a.ratios))
			default:
				missed++
				now = append(now, a.label+" **"+spread(a.ratios)+"**")
			}
		}
		some = some || reached+missed > 0
		verdict := "yes"
		switch {
		case reached+missed == 0:
			verdict = "not measured"
		case missed > 0:
			verdict = fmt.Sprintf("no: %d of %d", reached, reached+missed)
		case unknown > 0:
			verdict = "as far as measured"
		}
		t = append(t, []string{g.what, strings.Join(goals, "; "), strings.Join(now, "; "), verdict})
	}
	if !some {
		return
	}
	fmt.Print("\n## Goals\n\nWhat misses its goal is bold.\n\n")
	t.print()
}

func (all results) goals(s settings) []goal {
	one, two, free := measure.SameCPU.Name, measure.TwoCPUs.Name, measure.Unpinned.Name
	ratio := func(what, place, peer string, of func(result) float64) []float64 {
		return pairs(all.pick(peerEngine, what, place, of), all.pick(peer, what, place, of))
	}
	rate := func(what, peer, label string, least float64) (out []aim) {
		for _, place := range []string{two, one} {
			out = append(out, aim{label + ", " + place, ratio(what, place, peer, rateOf), least, true})
		}
		return out
	}
	rtt := func(place, peer string, most float64) aim {
		return aim{strings.TrimSuffix(peer, " stream echo") + ", " + place, ratio(measure.RoundTrip, place, peer, p50Of), most, false}
	}
	cpu := func(place string) aim { return aim{place, ratio(measure.At64, place, peerStream, cpuOf), 0.5, false} }
	return []goal{
		{"CPU per call at 64 in flight ÷ gRPC stream, mTLS", []aim{cpu(two), cpu(one)}},
		{"calls/s at 64 ÷ gRPC stream; ÷ gRPC unary (mTLS)", append(rate(measure.At64, peerStream, "stream", 2), rate(measure.At64, peerUnary, "unary", 8)...)},
		{"calls/s at 1,024 ÷ gRPC stream; ÷ unary", append(rate(measure.At1024, peerStream, "stream", 2.5), rate(measure.At1024, peerUnary, "unary", 15)...)},
		{"calls/s at 1,024 ÷ NATS, ergo, hollywood, protoactor, goakt, net/rpc each", all.frameworks(rate)},
		{"call_one p50, split and unpinned: ÷ stock raw quic-go echo; ÷ gRPC stream", []aim{rtt(two, peerRaw, 0.3), rtt(two, peerStream, 0.3), rtt(free, peerRaw, 0.3), rtt(free, peerStream, 0.3)}},
		{"call_one p50, same core: ÷ stock raw quic-go echo; ÷ gRPC stream", []aim{rtt(one, peerRaw, 0.9), rtt(one, peerStream, 1)}},
		{"call_one p50 ÷ Monarch; calls/s ÷ Monarch at 64, 1,024", []aim{
			{"p50", ratio(measure.RoundTrip, free, peerPython, p50Of), 0.05, false},
			{"64", ratio(measure.At64, two, peerPython, rateOf), 100, true},
			{"1,024", ratio(measure.At1024, two, peerPython, rateOf), 150, true},
		}},
		{"in-process call at GOMAXPROCS=1 ÷ the older build (-base)", []aim{
			{"p50", pairs(all.pick(peerLocal, measure.RoundTrip, onOne().Name, p50Of), all.pick(peerLocalBase, measure.RoundTrip, onOne().Name, p50Of)), 0.3, false},
		}},
		{fmt.Sprintf("%d workers, exec to Ready ÷ exec alone", s.ranks), []aim{
			{"seconds", pairs(all.pick(peerEngineStart, measure.StartUp, free, secsOf), all.pick(peerExec, measure.StartUp, free, secsOf)), 1.5, false},
		}},
		{"1 MiB bodies ÷ gRPC stream, mTLS; small calls' p99 beside a bulk transfer ÷ alone", []aim{
			{"MB/s", ratio(whatBulk, split().Name, peerStream, rateOf), 0.9, true},
			{"p99", pairs(all.pick(peerEngine, whatBeside, split().Name, p99Of), all.pick(peerEngine, whatAlone, split().Name, p99Of)), 3, false},
			{"p99 to another actor", pairs(all.pick(peerEngine, whatOther, split().Name, p99Of), all.pick(peerEngine, whatAlone, split().Name, p99Of)), 3, false},
		}},
		{fmt.Sprintf("call on %d ranks ÷ gRPC fan-out; ÷ Monarch", s.ranks), []aim{
			{"gRPC", ratio(measure.OnAll, free, peerFanOut, p50Of), 0.6, false},
			{"Monarch", ratio(measure.OnAll, free, peerPython, p50Of), 0.1, false},
		}},
		{"both cores saturated by others: calls/s ÷ the same with plain UDP", []aim{all.busy(measure.RoundTrip, "one at a time"), all.busy(measure.At64, "64")}},
		{"private memory of an idle worker ÷ bare quic-go process", []aim{
			{"MiB", pairs(all.pick(peerEngineStart, measure.StartUp, free, mibOf), all.pick(peerBare, measure.AtRest, free, mibOf)), 1.25, false},
		}},
	}
}

func (all results) busy(what, label string) aim {
	place := measure.Unpinned.Name
	return aim{label, pairs(all.pick(peerBusy, what, place, rateOf), all.pick(peerBusyPlain, what, place, rateOf)), 1, true}
}

// frameworks is every stranger that bench-peers has measured, or failed to.
func (all results) frameworks(rate func(what, peer, label string, least float64) []aim) (out []aim) {
	ours := []string{peerEngine, peerRaw, peerMux, peerUnary, peerStream, peerPython}
	seen := map[string]bool{}
	for _, p := range ours {
		seen[p] = true
	}
	for _, r := range all {
		if (r.What == measure.At1024 || r.Err != "") && !seen[r.Peer] {
			seen[r.Peer] = true
			out = append(out, rate(measure.At1024, r.Peer, r.Peer, 3)...)
		}
	}
	if !seen[peerGoakt] {
		out = append(out, aim{peerGoakt, nil, 3, true}) // its modules cannot be fetched everywhere
	}
	return out
}
