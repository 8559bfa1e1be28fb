package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

func TestAGoalIsReachedByTheMedianOfTheRatios(t *testing.T) {
	for _, c := range []struct {
		a    aim
		want bool
	}{
		{aim{"", []float64{0.2, 0.5, 9}, 0.5, false}, true},
		{aim{"", []float64{0.2, 0.6, 0.7}, 0.5, false}, false},
		{aim{"", []float64{1, 2, 9}, 2, true}, true},
		{aim{"", []float64{1, 1.9, 9}, 2, true}, false},
		{aim{"", nil, 2, false}, false}, // nothing was measured
	} {
		if got := c.a.reached(); got != c.want {
			t.Errorf("%v: %v", c.a, got)
		}
	}
}

// TestARatioIsOfOneRepetition: a repetition that only one of two has counts for none.
func TestARatioIsOfOneRepetition(t *testing.T) {
	var all results
	put := func(peer, what string, rep int, r result) {
		r.Peer, r.What, r.Place, r.Rep = peer, what, measure.TwoCPUs.Name, rep
		all = append(all, r)
	}
	put(peerEngine, measure.At64, 0, result{Rate: 10, CPU: 4})
	put(peerStream, measure.At64, 0, result{Rate: 5, CPU: 2})
	put(peerEngine, measure.At64, 1, result{Rate: 30, CPU: 1})
	put(peerStream, measure.At64, 1, result{Rate: 10, CPU: 2})
	put(peerStream, measure.At64, 2, result{Rate: 1, CPU: 1})
	goals := all.goals(settings{ranks: 64})
	if len(goals) != 13 {
		t.Errorf("%d goals", len(goals))
	}
	for _, c := range []struct {
		goal string
		want []float64
	}{{"CPU per call at 64", []float64{0.5, 2}}, {"calls/s at 64", []float64{2, 3}}} {
		i := slices.IndexFunc(goals, func(g goal) bool { return strings.HasPrefix(g.what, c.goal) })
		if got := slices.Sorted(slices.Values(goals[i].figures[0].ratios)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.goal, got, c.want)
		}
	}
}

// TestAStrangerThatFailedHasAPlaceInTheGoals: with the ones that nobody can measure here.
func TestAStrangerThatFailedHasAPlaceInTheGoals(t *testing.T) {
	all := results{
		{Peer: "one", What: measure.At1024, Place: measure.TwoCPUs.Name},
		{Peer: "other", Place: measure.TwoCPUs.Name, Err: "it cannot"},
		{Peer: peerRaw, What: measure.At1024},
	}
	var labels []string
	for _, g := range all.goals(settings{}) {
		if strings.Contains(g.what, "NATS") {
			for _, a := range g.figures {
				labels = append(labels, a.label)
			}
		}
	}
	if want := []string{"one, two CPUs", "one, same CPU", "other, two CPUs", "other, same CPU", "goakt"}; !slices.Equal(labels, want) {
		t.Errorf("%q", labels)
	}
}

func TestOnlyTablesThatExist(t *testing.T) {
	s := settings{reps: 1, dur: 1e9, ranks: 1, only: "calls,bulk"}
	if err := s.check(); err != nil || !s.wants(tabBulk) || s.wants(tabStop) {
		t.Errorf("%v", err)
	}
	if s.only = "call"; s.check() == nil || s.wants(tabCalls) {
		t.Error("a part of a name was taken")
	}
}
