package world

import "github.com/monarch-tui/monarch-tui/engine/control"

// RankWord is World.Word of an actor whose process, nil when it is not known, is at hand, with what is known of it besides
// (World.MarksOf).
func RankWord(r *control.RankState, p *control.Proc, mark Mark) string {
	if p != nil {
		if word := ProcWord(p); word == "failed" || word == "paused" {
			return word
		}
	}
	switch r.State {
	case "starting", "failed":
		return r.State
	case "idle", "busy", "paused":
		switch {
		case mark.Stopped || r.State == "paused":
			return "paused"
		case r.State != "idle" && r.Queue >= Backlog:
			return "warning"
		case mark.Faulty:
			return "fault"
		}
		return r.State
	}
	return "gone" // stopped, gone
}

// MeshWord is the state of a whole mesh or proc mesh in the screens' vocabulary, of what its record says.
func MeshWord(state string, gone bool) string {
	switch {
	case gone:
		return "gone"
	case state == "starting" || state == "failed":
		return state
	case state == "stopping": // what is in it is there until it has ended
		return "busy"
	case state == "stopped":
		return "gone"
	}
	return "idle"
}

// Severities are the words of the screens' vocabulary from the one that needs nobody to the one that needs somebody
// first.
func Severities() []string {
	return []string{"idle", "busy", "fault", "starting", "gone", "paused", "warning", "failed"}
}

// Graver is the code of a state, as Severity counts, that a group of two shows: the worst of what lives or has failed,
// and that something is gone only when all of it is.
func Graver(a, b uint8) uint8 {
	switch {
	case a == Gone:
		return b
	case b == Gone:
		return a
	}
	return max(a, b)
}

// Gone is Severity("gone"): of a group of which nothing is known yet it is the state to begin with.
const Gone = 4

// Severity is the place of a word in Severities: of several states the highest is the one to show.
func Severity(word string) int {
	switch word {
	case "busy":
		return 1
	case "fault":
		return 2
	case "starting":
		return 3
	case "gone":
		return Gone
	case "paused":
		return 5
	case "warning":
		return 6
	case "failed":
		return 7
	}
	return 0
}
