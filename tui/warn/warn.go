package warn

import (
	"cmp"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Config says from when on something is a warning. What is zero has the default.
type Config struct {
	Off            []string      // names of rules that are switched off
	Backlog        int           // messages in a mailbox: 100
	NoReply        time.Duration // a call waits: 5 s
	SlowHandler    time.Duration // a handler runs: 5 s
	StragglerShare float64       // of the ranks of a call have answered: 0.9
	StragglerAfter time.Duration // and the others have not for: 2 s
	StragglerTimes float64       // and so many times as long as half of them took: 10
	Loss           float64       // of the packets to a host are lost: 0.05
	Queued         time.Duration // a host is queued: 10 min
}

func (c Config) withDefaults() Config {
	c.Backlog = cmp.Or(c.Backlog, world.Backlog)
	c.NoReply = cmp.Or(c.NoReply, 5*time.Second)
	c.SlowHandler = cmp.Or(c.SlowHandler, 5*time.Second)
	c.StragglerShare = cmp.Or(c.StragglerShare, 0.9)
	c.StragglerAfter = cmp.Or(c.StragglerAfter, 2*time.Second)
	c.StragglerTimes = cmp.Or(c.StragglerTimes, 10)
	c.Loss = cmp.Or(c.Loss, lossFrom)
	c.Queued = cmp.Or(c.Queued, queuedFrom)
	return c
}

// Warning is something that a rule has found.
type Warning struct {
	Name   string   // of the rule
	Severe bool     // something has failed; else it may still come right
	Count  int      // of offenders
	Line   string   // the summary, short enough for a line
	Detail string   // the explanation with its evidence, several lines
	Mesh   string   // the actor mesh it concerns, "" for none
	Procs  string   // the proc mesh, where Mesh is ""
	Ranks  []int    // the offenders, sorted
	Hosts  []uint64 // hosts that are the offenders, by id; Ranks are those on them
	Call   uint64   // 0 where it is not about one call
}

// Rule looks for one kind of trouble.
type Rule interface {
	Name() string // as settings switch it off
	About() string
	Check(l *Look) []Warning
}

// Look is what rules look at.
type Look struct {
	World  *world.World
	Config Config
	Pace   *Pace
	steady map[uint64][]steady // by mesh and rank
}

// rules are all rules; warnings that are equally severe are told in their order.
func rules() []Rule {
	return []Rule{session{}, logLost{}, failed{}, hosts{}, lostProc{}, gpuTrouble{}, straggler{}, noReply{}, slowHandler{}, backlog{}, reload{}, notCallable{}}
}

// Names are the names of the rules.
func Names() []string {
	var out []string
	for _, r := range rules() {
		out = append(out, r.Name())
	}
	return out
}

// About says what a rule looks for, under the default thresholds; "" for a name that none has.
func About(name string) string {
	for _, r := range rules() {
		if r.Name() == name {
			return r.About()
		}
	}
	return ""
}

// Checker keeps the warnings of a world up to date. It is for one goroutine.
type Checker struct {
	rules  []Rule
	look   Look
	list   []Warning
	rev    uint64
	second int64
	at     time.Time // of the last look
	crowd  bool      // there were many then
	runs   int
}

// New makes a checker.
func New(cfg Config) *Checker {
	c := &Checker{look: Look{Config: cfg.withDefaults(), Pace: NewPace()}}
	for _, r := range rules() {
		if !slices.Contains(cfg.Off, r.Name()) {
			c.rules = append(c.rules, r)
		}
	}
	return c
}

// Among so many actors and processes nobody is looked for more often than this: it would take a third of each frame.
const (
	manyRanks = 10_000
	pause     = 250 * time.Millisecond
)

func isCrowd(w *world.World) bool {
	n := len(w.Procs)
	for i := range w.Meshes {
		if !w.Meshes[i].Gone {
			n += len(w.Meshes[i].Ranks)
		}
	}
	return n > manyRanks
}

// List is what there is to be warned of, the severe first. It is for reading.
func (c *Checker) List(w *world.World) []Warning {
	rev, second := w.StateRevision(), w.Now.Unix()
	if c.look.World == w && second == c.second && (rev == c.rev || c.crowd && w.Now.Sub(c.at).Abs() < pause) {
		return c.list
	}
	c.look.World, c.rev, c.second = w, rev, second
	c.at, c.crowd = w.Now, isCrowd(w)
	c.runs++
	c.look.Pace.Look(w)
	c.look.watch()
	c.list = c.list[:0:0]
	for _, r := range c.rules {
		c.list = append(c.list, r.Check(&c.look)...)
	}
	slices.SortStableFunc(c.list, func(a, b Warning) int {
		switch {
		case a.Severe == b.Severe:
			return 0
		case a.Severe:
			return -1
		}
		return 1
	})
	return c.list
}
