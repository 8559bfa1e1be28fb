package inspect

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// restartText is a restart policy in words.
func restartText(p *control.RestartPolicy, gang bool) string {
	text := ""
	if p != nil {
		text = fmt.Sprintf("on failure, %s in %s for a rank", paint.Plural(p.Max, "time"), p.Time())
	}
	if gang && text != "" {
		text += ", "
	}
	if gang {
		text += "all ranks together"
	}
	return text
}

// began are ranks that began a life together.
type began struct {
	*control.Restart // of the last of them to be ready
	ranks            []int
}

// buildLives tells why the thing began each of its lives, the newest first: those that of accepts. Ranks that began one together
// are told together.
func (p *Pane) buildLives(w *world.World, of func(*control.Restart) bool, most int) {
	var all []began
	for i := range w.Restarts {
		r := &w.Restarts[i]
		if !of(r) {
			continue
		}
		at := slices.IndexFunc(all, func(l began) bool { return l.Time.Equal(r.Time) && l.State == r.State && l.Mesh == r.Mesh })
		if at < 0 {
			all = append(all, began{r, []int{r.Rank}})
			continue
		}
		all[at].ranks = append(all[at].ranks, r.Rank)
		if r.Took > all[at].Took {
			all[at].Restart = r
		}
	}
	if len(all) == 0 {
		return
	}
	slices.Reverse(all)
	p.head("Lives", seg(paint.Muted, paint.Plural(len(all), "restart")))
	for i := range all[:min(most, len(all))] {
		p.addLife(w, &all[i], i == 0)
	}
	if left := len(all) - most; left > 0 {
		p.note("lives", paint.Muted, "… "+paint.Exact(left)+" more before these")
	}
}

// addLife tells of one life; of the newest also what its process had printed last before.
func (p *Pane) addLife(w *world.World, l *began, newest bool) {
	key := "life " + l.Mesh + " " + strconv.Itoa(l.Rank) + " " + strconv.Itoa(l.Life)
	role, how := paint.Idle, "ready in "+paint.Duration(l.Took)
	switch l.State {
	case control.RestartWaiting:
		role, how = paint.Starting, "begins in "+paint.Duration(max(0, l.Due.Sub(w.Now)))
	case control.RestartStarting:
		role, how = paint.Starting, "starting"
	case control.RestartFailed:
		role, how = paint.Failed, "did not start"
	}
	who := ""
	if p.thing.kind == mesh || p.thing.kind == procs {
		slices.Sort(l.ranks)
		who = "[" + shape.FormatRanks(l.ranks) + "] "
	}
	p.add(line{
		key: key, left: []paint.Seg{seg(role, paint.Restarted+strconv.Itoa(l.Life)+" "), seg(paint.Text, who+how)},
		right: []paint.Seg{seg(paint.Muted, l.Time.Format("15:04:05"))}, copied: l.Why,
	})
	p.note(key+" why", paint.Muted, "because "+l.Why)
	p.note(key+" by", paint.Muted, "by "+l.By)
	if l.Error != "" {
		p.note(key+" error", paint.Failed, l.Error)
	}
	if !newest {
		return
	}
	for i, text := range l.Tail {
		p.add(line{key: key + " tail " + strconv.Itoa(i), left: []paint.Seg{seg(paint.Faint, "│ "), seg(paint.Muted, text)}, copied: text})
	}
}
