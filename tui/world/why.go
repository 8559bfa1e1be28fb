package world

import (
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Why is a reason on one line with what matters first, for where there is little room: of "worker 2 of procs p (pid 7)
// was killed by SIGKILL" it makes "SIGKILL: worker 2 of procs p (pid 7)". A reason of another form stays as it is.
func Why(reason string) string {
	cause, rest := split(reason)
	if cause == "" {
		return rest
	}
	return cause + ": " + rest
}

// ProcWhy is why a process has ended, as Why: that memory ran out matters more than the signal that was sent for it. It
// is empty where no reason is known.
func ProcWhy(p *control.Proc) string {
	cause, rest := split(p.Reason)
	switch {
	case rest == "":
		return ""
	case p.State == "oom" && (cause != "" || !strings.Contains(strings.ToLower(rest), "out of memory")):
		return "OOM: " + rest
	case cause == "":
		return rest
	}
	return cause + ": " + rest
}

// RankWhy is why an actor has ended, as Why; with its process, which may be nil, where that has failed.
func RankWhy(r *control.RankState, p *control.Proc) string {
	if brokeDown(p) {
		return ProcWhy(p)
	}
	return Why(r.Reason)
}

// RankCause is the cause of the end of an actor, as Cause; its process's where RankWhy tells of that.
func RankCause(r *control.RankState, p *control.Proc) string {
	if brokeDown(p) {
		return ProcCause(p)
	}
	return Cause(r.Reason)
}

// brokeDown reports whether a process has failed and said why.
func brokeDown(p *control.Proc) bool { return p != nil && ProcWord(p) == "failed" && p.Reason != "" }

// endedInside is in the reason of the end of a rank that ran in the controller.
const endedInside = " (in-process) ended: "

// Cause is the cause alone: SIGKILL, exit 3; empty where the reason has another form.
func Cause(reason string) string {
	cause, _ := split(reason)
	return cause
}

// ProcCause is the cause of the end of a process, as Cause; OOM where memory ran out.
func ProcCause(p *control.Proc) string {
	if p.State == "oom" {
		return "OOM"
	}
	return Cause(p.Reason)
}

// split finds the cause of an end in a reason, and what is left without it. cause is empty where none is found.
func split(reason string) (cause, rest string) {
	text := strings.Join(strings.Fields(reason), " ")
	for _, form := range []struct{ before, after, prefix string }{
		{" was killed by ", "", ""}, {" was killed (", ")", ""}, {" exited with code ", "", "exit "},
	} {
		head, tail, ok := strings.Cut(text, form.before)
		if !ok || head == "" {
			continue
		}
		n := word(tail)
		if after, ok := strings.CutPrefix(tail[n:], form.after); ok && n > 0 {
			return form.prefix + tail[:n], head + after
		}
	}
	if head, tail, ok := strings.Cut(text, endedInside); ok && head != "" && tail != "" {
		return tail, head + " (in-process)"
	}
	return "", text
}

// word is how long the name of a signal or the number at the beginning of a text is.
func word(text string) int {
	n := 0
	for n < len(text) && (text[n] >= 'A' && text[n] <= 'Z' || text[n] >= '0' && text[n] <= '9') {
		n++
	}
	return n
}
