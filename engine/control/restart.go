package control

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// RestartPolicy says how often a rank that ended without an order is started anew by itself. The first restart is at once, each
// further one within the same time waits twice as long as the one before it. A rank that ends more often is a failure that its
// owner judges.
type RestartPolicy struct {
	Max    int           // restarts of one rank within Within, 1 to MaxRestarts
	Within time.Duration // 1 s to a week
}

// MaxRestarts bounds RestartPolicy.Max, and how many Restarts a session keeps.
const MaxRestarts = 1000

// DefaultRestart is the policy of who says no figures.
func DefaultRestart() RestartPolicy { return RestartPolicy{Max: 3, Within: time.Minute} }

// Check says what is wrong with a policy.
func (p *RestartPolicy) Check() error {
	const week = 7 * 24 * time.Hour
	switch {
	case p == nil:
		return nil
	case p.Max < 1 || p.Max > MaxRestarts:
		return fmt.Errorf("restart policy: %d restarts: want 1 to %d (to have none, leave the policy out)", p.Max, MaxRestarts)
	case p.Within < time.Second || p.Within > week:
		return fmt.Errorf("restart policy: within %v: want 1s to 168h", p.Within)
	}
	return nil
}

// String is the policy as the command language writes it: 3/1m.
func (p *RestartPolicy) String() string {
	if p == nil {
		return "never"
	}
	return strconv.Itoa(p.Max) + "/" + p.Time()
}

// Time is Within without the zeros at its end: 1m, 1h30m.
func (p *RestartPolicy) Time() string {
	text := p.Within.String()
	if p.Within >= time.Minute {
		text = strings.TrimSuffix(text, "0s")
		if text[len(text)-1] != 'm' { // 10s without its 0s
			text = p.Within.String()
		}
	}
	if p.Within >= time.Hour {
		if short, ok := strings.CutSuffix(text, "h0m"); ok {
			text = short + "h"
		}
	}
	return text
}

// Restart is one new life of a rank: why it began, and what came of it. A later event about the same Key takes the place of
// an earlier one.
type Restart struct {
	Time  time.Time // when it was decided
	Mesh  string    // actor mesh; "" where it is a process
	Procs string    // proc mesh of the process, or of the actor's process
	Rank  int       // of Mesh, else of Procs
	Proc  uint64    // of the process
	Life  int       // that begins: 1 is the first after the original
	Why   string    // how the life before ended, in plain words
	By    string    // who decided: a policy, an actor, the program, a front end
	Tail  []string  // of a process: its last lines of stderr before
	State string    // waiting | starting | ready | failed
	Due   time.Time // while it waits: when it begins
	Took  time.Duration
	Error string // why it failed
}

// The states of a Restart.
const (
	RestartWaiting  = "waiting"
	RestartStarting = "starting"
	RestartReady    = "ready"
	RestartFailed   = "failed"
)

// RestartKey says which life a Restart is about.
type RestartKey struct {
	Mesh, Procs string
	Proc        uint64
	Life        int
}

// Key tells it from others.
func (r *Restart) Key() RestartKey { return RestartKey{r.Mesh, r.Procs, r.Proc, r.Life} }

// RestartReq begins a new life of ranks that have ended, and returns when they are ready. Of a proc mesh, the processes with
// all actors that died with them; of an actor mesh, its actors, and their processes where these have ended. Answer: none.
type RestartReq struct {
	Procs  string // name of a proc mesh, or
	Mesh   string // name of an actor mesh
	ID     uint64 // as StopReq.ID
	Ranks  []int  // of it; empty: all that have ended
	Budget time.Duration
}

// errNoRestart tells an older engine's clients nothing: it is what a caller gets that names neither.
var errNoRestart = errors.New("restart: name a proc mesh or an actor mesh")

// Check says what is wrong with a request.
func (r *RestartReq) Check() error {
	if (r.Procs == "") == (r.Mesh == "") {
		return errNoRestart
	}
	return nil
}

// AddRestart keeps a Restart in a list of the newest.
func AddRestart(list []Restart, r Restart) []Restart {
	for i := range list {
		if list[i].Key() == r.Key() {
			list[i] = r
			return list
		}
	}
	list = append(list, r)
	return list[max(0, len(list)-MaxRestarts):]
}
