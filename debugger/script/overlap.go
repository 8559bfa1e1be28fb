package script

import (
	"fmt"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// ticket is a statement from its start to its end. Forks run statements side by side, and a script that ran them one
// after the other would do something else: a call that waits for another one would hang, one that was cut short by a kill
// would succeed. So calls that others ran beside are recorded as jobs that are waited for where they had ended.
type ticket struct {
	done
	began, ended int // by the recorder's ticks; ended is 0 while it runs
	job          string
	late         bool // it began while a mesh was being ended, and failed
}

// done is a statement that has run, with what came of it.
type done struct {
	st   *Stmt
	res  *result
	step *Step
}

// givenUp reports whether the statement was interrupted, or took too long.
func (d done) givenUp() bool { return d.step.Code == ExitTimeout || d.step.Code == ExitInterrupt }

// failed reports whether the command failed that was to succeed.
func (d done) failed() bool { return d.step.Code == ExitCommand && !d.st.MustFail }

// begin notes that a statement starts; nil where it is not recorded.
func (r *Recorder) begin(st *Stmt) *ticket {
	if st.Cmd == nil || st.Cmd.Verb.unrecorded {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ticks++
	t := &ticket{done: done{st: st}, began: r.ticks}
	r.open = append(r.open, t)
	if st.Background != "" {
		r.takeJob(st.Background)
	}
	return t
}

// end notes what came of a statement. Its line is written as soon as nothing runs any more that ran beside it.
func (r *Recorder) end(t *ticket, res *result, step *Step) {
	if t == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ticks++
	t.res, t.step, t.ended = res, step, r.ticks
	if !slices.ContainsFunc(r.open, func(t *ticket) bool { return t.ended == 0 }) {
		together := r.open
		r.open = nil
		r.settle(together)
	}
}

// settle writes the lines of statements that ran side by side, in the order of their starts. A job is waited for before
// the next statement that started after it had ended, so that what that one finds is the same.
func (r *Recorder) settle(all []*ticket) {
	all = aroundEnds(all)
	var jobs []*ticket
	wait := func(until int) {
		for _, t := range jobs {
			if t.ended < until {
				r.write(t.wait())
			}
		}
		jobs = slices.DeleteFunc(jobs, func(t *ticket) bool { return t.ended < until })
	}
	for i, t := range all {
		wait(t.began)
		beside := all[i+1:]
		if n := slices.IndexFunc(beside, func(u *ticket) bool { return u.began > t.ended }); n >= 0 {
			beside = beside[:n]
		}
		switch {
		case t.is(stopWord) && (slices.ContainsFunc(beside, t.killedBy) || slices.ContainsFunc(all[:i], t.stoppedBy)):
			r.write(recorded{text: remark("it ended another way: " + t.st.Text)})
		case t.failed() && !t.waitable() && slices.ContainsFunc(all, t.ranBeside): // such as a spawn while the name is being given up
			r.write(recorded{text: remark("it failed while others ran: " + t.st.Text)})
		case t.waitable() && (len(beside) > 0 || len(jobs) > 0): // with jobs: what is waited for last is what is judged next
			t.job = r.freshJob(map[bool]string{true: "givenup", false: "beside"}[t.givenUp()])
			l := recorded{text: guardsText(t.st) + t.st.Cmd.Text + " &" + t.job}
			if t.givenUp() { // at once: what ran beside it may wait for its end
				l.text += "\n" + t.wait().text
			}
			r.write(l)
			jobs = append(jobs, t)
		default:
			r.write(r.lineOf(t.done))
		}
	}
	wait(r.ticks + 1)
}

// aroundEnds moves what began while a mesh was being ended, and got through, before the stop or the kill: after it, it
// would find no mesh. What did not get through is marked: how it fails depends on when it came.
func aroundEnds(all []*ticket) []*ticket {
	out := slices.Clone(all)
	for _, end := range all {
		if !end.is(stopWord) && !end.is("kill") {
			continue
		}
		for _, t := range all {
			if t.began < end.began || t.began > end.ended || !t.st.Cmd.Verb.Calls {
				continue
			}
			if t.failed() {
				t.late = true
				continue
			}
			out = slices.DeleteFunc(out, func(u *ticket) bool { return u == t })
			out = slices.Insert(out, slices.Index(out, end), t)
		}
	}
	return out
}

// waitable reports whether the statement is a call that may be a job.
func (t *ticket) waitable() bool {
	return t.st.Cmd.Verb.Calls && t.st.Background == "" && !isBroadcast(t.st) && !t.late && (t.res != nil || !t.givenUp() && !t.failed())
}

// isBroadcast reports whether a statement is a call that waits for nobody.
func isBroadcast(st *Stmt) bool {
	a, ok := st.Cmd.Args.(CallArgs)
	return ok && a.Adverb == control.AdverbBroadcast
}

func (t *ticket) is(verb string) bool { return t.st.Cmd.Verb.Name == verb }

// killedBy reports whether a statement that began while this stop ran is a kill of the same mesh, which ended it.
func (t *ticket) killedBy(u *ticket) bool {
	return u.is("kill") && u.step.OK() && ended(u) == ended(t)
}

// stoppedBy reports whether a statement that began before is a stop of the same mesh that was still running: this one
// only waited for it.
func (t *ticket) stoppedBy(u *ticket) bool {
	return u.is(stopWord) && u.ended > t.began && ended(u) == ended(t)
}

// ranBeside reports whether another statement ran at the same time.
func (t *ticket) ranBeside(u *ticket) bool { return u != t && u.began < t.ended && u.ended > t.began }

// ended is what a stop or a kill is about, as it was written.
func ended(t *ticket) string {
	_, what, _ := strings.Cut(t.st.Cmd.Text, " ")
	return strings.TrimSpace(what)
}

// wait is the line that waits for a job, with all that was wanted of its call; a job that was given up is cancelled.
func (t *ticket) wait() recorded {
	if t.givenUp() {
		return recorded{text: guardsText(t.st) + "cancel " + t.job}
	}
	text := "wait " + t.job
	if t.st.MustFail || t.failed() {
		text = "! " + text
	}
	if t.st.Timeout > 0 {
		text += " timeout " + t.st.Timeout.String()
	}
	if t.st.Capture != "" {
		text += " => " + t.st.Capture
	}
	l := recorded{text: guardsText(t.st) + text, written: held(t.st, t.step)}
	if !t.failed() {
		l.expect = observed(t.st, t.res)
	}
	return l
}

// guardsText are the guards of a statement, as they stand before it.
func guardsText(st *Stmt) string {
	var b strings.Builder
	for _, g := range st.Guards {
		fmt.Fprintf(&b, "[%s%s] ", map[bool]string{true: "!"}[g.Not], g.Cond)
	}
	return b.String()
}

// freshJob is a name for a job that no line has; mu is held.
func (r *Recorder) freshJob(prefix string) string {
	for n := 1; ; n++ {
		if name := fmt.Sprintf("%s%d", prefix, n); !r.jobs[name] {
			r.takeJob(name)
			return name
		}
	}
}

func (r *Recorder) takeJob(name string) {
	if r.jobs == nil {
		r.jobs = map[string]bool{}
	}
	r.jobs[name] = true
}
