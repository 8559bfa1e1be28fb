package reloads

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// look is a state of a rank: a sign, a word and a colour.
type look struct {
	state, sign string
	role        paint.Role
	one, many   string // in a count
}

// looks are the states, the gravest first.
var looks = []look{
	{control.RankLost, "✕", paint.Failed, "lost", "lost"},
	{control.RankRestored, "↩", paint.Warning, "restored", "restored"},
	{control.RankKept, "▲", paint.Warning, "kept", "kept"},
	{control.RankMoves, "◌", paint.Starting, "moves", "move"},
	{control.RankWaits, "·", paint.Idle, "waits", "wait"},
	{control.RankMoved, "✓", paint.Busy, "moved", "moved"},
}

// lookOf is the place in looks of a state; an unknown one waits.
func lookOf(state string) int {
	for i := range looks {
		if looks[i].state == state {
			return i
		}
	}
	return waits
}

const waits = 4 // the place of RankWaits in looks

// counted is how many ranks are in a state, in words. Who waits for a reload that is over stays.
func (l look) counted(n int, over bool) string {
	word := l.many
	if n == 1 {
		word = l.one
	}
	if over && l.state == control.RankWaits {
		word = map[bool]string{true: "stays", false: "stay"}[n == 1]
	}
	return paint.Exact(n) + " " + word
}

// Sign is the sign of a reload, and its colour.
func Sign(r *control.Reload) (string, paint.Role) {
	switch {
	case r.State == control.ReloadDone && lacking(r) > 0:
		return "▲", paint.Warning
	case r.State == control.ReloadDone:
		return "✓", paint.Busy
	case r.State == control.ReloadFailed:
		return "✕", paint.Failed
	}
	return "◌", paint.Starting
}

// lacking is how many ranks a reload that is done has not moved: those that had ended before.
func lacking(r *control.Reload) int { return len(r.Ranks) - r.Moved }

// Progress is how far a reload is, in few words: building, 3 of 8, done, failed.
func Progress(r *control.Reload) string {
	switch r.State {
	case control.ReloadRolling:
		return fmt.Sprintf("rolling %s of %s", paint.Exact(r.Moved), paint.Exact(len(r.Ranks)))
	case control.ReloadBuilding, control.ReloadDone, control.ReloadFailed:
		return r.State
	}
	return paint.OneLine(r.State)
}

// Summary is what came of a reload, in a line.
func Summary(r *control.Reload) string {
	switch {
	case r.State == control.ReloadDone:
		return fmt.Sprintf("%s in %s", moved(r), Took(r.Took))
	case r.State == control.ReloadFailed && len(r.Errors) > 0:
		text := r.Errors[0].String()
		if n := len(r.Errors) - 1; n > 0 {
			text += fmt.Sprintf("  (+%d)", n)
		}
		return text
	case r.State == control.ReloadFailed:
		return paint.OneLine(cmp.Or(r.Reason, "failed"))
	}
	return Progress(r)
}

// Noted is the first of what is to be known of a reload that is done, such as state that did not move, and how much more there is;
// "" where all of it fitted.
func Noted(w *world.World, r *control.Reload) string {
	lost := *r
	lost.Ranks = slices.DeleteFunc(slices.Clone(r.Ranks), func(x control.ReloadRank) bool { return had(r, &x) })
	list, text := notes(&lost), ""
	switch {
	case len(list) > 0:
		text = w.RanksName(list[0].name, list[0].ranks) + " " + list[0].text
	case len(r.Notes) > 0:
		text = paint.OneLine(r.Notes[0])
	}
	if n := len(list) + len(r.Notes) - 1; n > 0 {
		text += fmt.Sprintf("  (+%d)", n)
	}
	return text
}

func moved(r *control.Reload) string {
	if lacking(r) > 0 {
		return fmt.Sprintf("%s of %s", paint.Exact(r.Moved), paint.Plural(len(r.Ranks), "rank"))
	}
	return paint.Plural(len(r.Ranks), "rank")
}

// Took is a time as reloads tell it: tenths of seconds.
func Took(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", max(0, d).Seconds())
	}
	return paint.Duration(d)
}

// from is the build that the ranks had before, short; of several the one of the most, and how many others.
func from(r *control.Reload) string {
	count := map[string]int{}
	most := ""
	for i := range r.Ranks {
		id := world.ShortBuild(r.Ranks[i].From)
		if id == "" {
			continue
		}
		if count[id]++; most == "" || count[id] > count[most] {
			most = id
		}
	}
	if n := len(count) - 1; n > 0 {
		most += fmt.Sprintf(" +%d", n)
	}
	return most
}

// SameBuild reports whether all ranks had the new build before: nothing moved.
func SameBuild(r *control.Reload) bool {
	return len(r.Ranks) > 0 && !slices.ContainsFunc(r.Ranks, func(x control.ReloadRank) bool { return !had(r, &x) })
}

// had reports whether a rank had the new build before: nothing of it moved, and nothing was lost.
func had(r *control.Reload, x *control.ReloadRank) bool {
	return r.Build != "" && world.ShortBuild(x.From) == world.ShortBuild(r.Build)
}

// noteOf takes apart what is said of an actor: @counter[5] Step is new.
func noteOf(x *control.ReloadRank, text string) (mesh, rest string) {
	text = paint.OneLine(text)
	name, after, ok := strings.Cut(text, " ")
	at := strings.LastIndexByte(name, '[')
	if !ok || at <= 0 || !strings.HasSuffix(name, "]") {
		return x.Procs, text
	}
	return strings.TrimPrefix(name[:at], "@"), after
}
