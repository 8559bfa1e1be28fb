package warn

import (
	"fmt"
	"maps"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

type reload struct{}

func (reload) Name() string  { return "reload" }
func (reload) About() string { return "reloads that failed, and ranks that they left on the old build" }

// Check looks at the newest reload, until there is a newer one that has not failed, or nobody is left on the old build.
func (r reload) Check(l *Look) (out []Warning) {
	rec, ok := l.World.Reload()
	if !ok || rec.State != control.ReloadFailed {
		return nil
	}
	stayed := l.World.Stayed(rec)
	names := slices.Sorted(maps.Keys(stayed))
	if len(rec.Errors) > 0 || rec.Build == "" { // there is no new build
		w := Warning{Name: r.Name(), Count: 1, Line: "reload: it does not build", Detail: r.unbuilt(rec)}
		if n := len(rec.Errors); n > 0 {
			w.Count, w.Line = n, "reload: "+plural(n, "error", "errors")+" in "+rec.Errors[0].File
		}
		if len(names) > 0 {
			w.Procs, w.Ranks = names[0], stayed[names[0]]
		}
		return []Warning{w}
	}
	for _, name := range names {
		ranks := stayed[name]
		out = append(out, Warning{
			Name: r.Name(), Count: len(ranks), Procs: name, Ranks: ranks, Line: fmt.Sprintf("reload: %d of %s stay", len(ranks), name),
			Detail: r.stopped(rec, name, ranks),
		})
	}
	return out
}

func (r reload) unbuilt(rec *control.Reload) string {
	var d lines
	for _, e := range rec.Errors {
		d.add("%s", e.String())
	}
	if len(rec.Errors) == 0 {
		d.add("%s", rec.Reason)
	}
	return d.end("The new build is not there, so no rank has moved: all go on with the build that they have.")
}

func (r reload) stopped(rec *control.Reload, name string, ranks []int) string {
	var d lines
	for i := range rec.Ranks {
		x := &rec.Ranks[i]
		if x.Procs != name || x.Error == "" {
			continue
		}
		d.add("%s %s: %s", world.ActorName(name, x.Rank), x.State, x.Error)
		if n := len(x.Tail); n > 0 {
			d.add("   its last line: %s", x.Tail[n-1])
		}
	}
	if d.n == 0 {
		d.add("%s", rec.Reason)
	}
	return d.end("%s on another build than %s. What has moved stays moved; another reload moves the rest.",
		plural(len(ranks), "rank of "+name+" is", "ranks of "+name+" are"), world.ShortBuild(rec.Build))
}
