package script

import (
	"slices"
	"strings"
	"sync"

	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// Verb is one word of the language.
type Verb struct {
	Name    string
	Aliases []string
	Group   string // heading in help and docs
	Usage   string
	Summary string
	Screen  bool   // needs a terminal
	Lacks   string // what this build does not have yet, "" for a verb that works
	takes   parseArgs
}

// Alive reports whether the verb works without a screen in this build.
func (v *Verb) Alive() bool { return !v.Screen && v.Lacks == "" }

// parseArgs reads the arguments of a verb.
type parseArgs func(p *parser, c *cursor, v *Verb) (any, error)

// Verbs is the table of verbs, in the order of the documentation.
func Verbs() []*Verb { return verbTable().list }

type verbIndex struct {
	list   []*Verb
	byName map[string]*Verb
}

// verbs is built once and then only read. A plain OnceValue would be an initialisation cycle: the arguments of on are
// a command, which needs the table.
var verbs struct {
	sync.Once
	verbIndex
}

func verbTable() verbIndex {
	verbs.Do(func() {
		list := slices.Concat(meshVerbs(), callVerbs(), lookVerbs(), sessionVerbs(), debugVerbs(), chaosVerbs(), screenVerbs())
		byName := map[string]*Verb{}
		for _, v := range list {
			for _, n := range append([]string{v.Name}, v.Aliases...) {
				if byName[n] != nil {
					panic("two verbs called " + n)
				}
				byName[n] = v
			}
		}
		verbs.verbIndex = verbIndex{list, byName}
	})
	return verbs.verbIndex
}

func verbNamed(word string) (*Verb, bool) {
	v, ok := verbTable().byName[word]
	return v, ok
}

// noVerb is the message for a word that is no verb.
func noVerb(word string) string {
	var alive []string
	for _, v := range Verbs() {
		if v.Alive() {
			alive = append(alive, v.Name)
		}
	}
	all := make([]string, 0, len(verbTable().byName))
	for n := range verbTable().byName {
		if len(n) > 2 {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	if len(word) > 40 {
		return "no command " + quoted(strings.ToValidUTF8(word[:40], "")+"…")
	}
	msg := "no command " + quoted(word)
	if s := schema.Suggest(word, alive); strings.Contains(s, "did you mean") {
		return msg + s
	}
	if s := schema.Suggest(word, all); strings.Contains(s, "did you mean") {
		return msg + s
	}
	return msg + ` ("help" lists them)`
}

func meshVerbs() []*Verb {
	g := "Meshes"
	return []*Verb{
		{Name: "procs", Group: g, Usage: "procs NAME dim=n… [in-process] [cpus=n] [virtual] [oversubscribe]", Summary: "start a grid of worker processes; in-process: goroutines instead", takes: procsArgs},
		{Name: "spawn", Group: g, Usage: "spawn @NAME on PROCS[sel] Type [{field: value, …}]", Summary: "put one actor on each process", takes: spawnArgs},
		{Name: "stop", Group: g, Usage: "stop PROCS | @MESH", Summary: "end it in order: refuse new calls, finish the running ones", takes: endArgs},
		{Name: "kill", Group: g, Usage: "kill PROCS[sel] | @MESH[sel]", Summary: "end it at once", takes: endArgs},
		{Name: "restart", Group: g, Usage: "restart @MESH[sel]", Summary: "begin a new incarnation of ranks", Lacks: "restart", takes: form("T")},
	}
}

func callVerbs() []*Verb {
	g := "Calls"
	return []*Verb{
		{Name: "call", Group: g, Usage: "call @MESH[sel].Endpoint [VALUE]", Summary: "call every rank and wait for all", takes: callArgs},
		{Name: "one", Aliases: []string{"call_one"}, Group: g, Usage: "one @MESH[sel].Endpoint [VALUE]", Summary: "call exactly one rank", takes: callArgs},
		{Name: "choose", Group: g, Usage: "choose @MESH[sel].Endpoint [VALUE]", Summary: "call one rank, the least loaded", takes: callArgs},
		{Name: "stream", Group: g, Usage: "stream @MESH[sel].Endpoint [VALUE]", Summary: "call every rank, take replies as they come", takes: callArgs},
		{Name: "broadcast", Group: g, Usage: "broadcast @MESH[sel].Endpoint [VALUE]", Summary: "send to every rank and wait for none", takes: callArgs},
		{Name: "wait", Group: g, Usage: "wait [JOB]", Summary: "wait for a call that was sent with &JOB, or for all of them", takes: jobArgs},
		{Name: "cancel", Group: g, Usage: "cancel JOB", Summary: "give up on a call that was sent with &JOB", takes: jobArgs},
		{Name: "cast", Group: g, Usage: "cast NAME ranks(…) COMMAND", Summary: "Monarch's form of on: do a command on those ranks", takes: castArgs},
		{Name: "on", Group: g, Usage: "on TARGET COMMAND", Summary: "do a command on a target: on @toy[0-1] call Hello hi", takes: onArgs},
	}
}

func lookVerbs() []*Verb {
	g := "Looking"
	return []*Verb{
		{Name: "ls", Group: g, Usage: "ls", Summary: "list proc meshes and actor meshes", takes: lookArgs},
		{Name: "endpoints", Group: g, Usage: "endpoints [Type]", Summary: "list actor types and their endpoints", takes: lookArgs},
		{Name: "info", Group: g, Usage: "info [PROCS[sel] | @MESH[sel]]", Summary: "describe the session, a proc mesh or an actor mesh", takes: lookArgs},
		{Name: "state", Group: g, Usage: "state @MESH[sel] [path]", Summary: "show the fields of actors, read between two messages", takes: lookArgs},
		{Name: "log", Group: g, Usage: "log [@MESH[sel]] [n]", Summary: "show what ranks printed, equal lines folded", takes: lookArgs},
		{Name: "calls", Group: g, Usage: "calls", Summary: "list the calls that have not ended and who has not answered", takes: lookArgs},
		{Name: "group", Group: g, Usage: "group %NAME = TARGET [+|- TARGET]… [where EXPR]", Summary: "name a set of ranks", takes: groupArgs},
	}
}

func sessionVerbs() []*Verb {
	g := "Session"
	return []*Verb{
		{Name: "let", Group: g, Usage: "let NAME = EXPR", Summary: "name a value", takes: letArgs},
		{Name: "expect", Group: g, Usage: "expect [TARGET:] [all|any|one|none] EXPR [within DURATION]", Summary: "judge the command above, as an indented line does", takes: nil},
		{Name: "sleep", Group: g, Usage: "sleep DURATION", Summary: "wait; an expectation with within is nearly always better", takes: sleepArgs},
		{Name: "echo", Group: g, Usage: "echo TEXT", Summary: "print a text, ${EXPR} filled in", takes: textArgs},
		{Name: "source", Group: g, Usage: "source FILE", Summary: "run another script here", takes: sourceArgs},
		{Name: "option", Group: g, Usage: "option timeout DURATION", Summary: "how long a command may take", takes: optionArgs},
		{Name: "record", Group: g, Usage: "record FILE", Summary: "write every command from now on to a file; what it held is kept in FILE~", takes: fileArgs},
		{Name: "save", Group: g, Usage: "save FILE [--expect]", Summary: "write the commands so far to a file, with your expectations that held; --expect adds what calls gave. What the file held is kept in FILE~", takes: fileArgs},
		{Name: "quit", Aliases: []string{"q"}, Group: g, Usage: "quit", Summary: "end the script here", takes: form("")},
		{Name: "help", Aliases: []string{"h"}, Group: g, Usage: "help [COMMAND]", Summary: "list the commands, or explain one", takes: lookArgs},
	}
}

// later is a verb that parses now and comes alive in a later build. lacks completes "this build has no … yet".
func later(group, names, lacks, usage, shape string) *Verb {
	all := strings.Fields(names)
	return &Verb{Name: all[0], Aliases: all[1:], Group: group, Usage: usage, Lacks: lacks, takes: form(shape)}
}

func debugVerbs() []*Verb {
	g := "Debugger"
	bp, stops, step, rec := "breakpoints", "stops", "stepping", "recordings"
	return []*Verb{
		later(g, "detach", stops, "detach", ""),
		{Name: "list", Aliases: []string{"l"}, Group: g, Usage: "list [NAME] [-a]", Lacks: stops, takes: form("W? W?")},
		{Name: "break", Aliases: []string{"b"}, Group: g, Usage: "break TARGET.Endpoint[@site] [if EXPR] [hit N] [once] [stop actor|rank|mesh] [do COMMAND]", Lacks: bp, takes: breakArgs},
		{Name: "tbreak", Group: g, Usage: "tbreak TARGET.Endpoint [if EXPR]", Lacks: bp, takes: breakArgs},
		later(g, "condition", bp, "condition N EXPR", "N E"),
		later(g, "ignore", bp, "ignore N COUNT", "N N"),
		later(g, "enable", bp, "enable N", "N"),
		later(g, "disable", bp, "disable N", "N"),
		later(g, "delete", bp, "delete N | TARGET.Endpoint", "W"),
		later(g, "clear cl", bp, "clear [N]", "N?"),
		later(g, "breaks", bp, "breaks", ""),
		later(g, "watch", bp, "watch TARGET EXPR", "T E"),
		later(g, "stops", stops, "stops", ""),
		later(g, "continue c cont", stops, "continue [TARGET]", "T?"),
		later(g, "resume", stops, "resume [TARGET]", "T?"),
		later(g, "pause", stops, "pause TARGET [now|message]", "T W?"),
		later(g, "take", stops, "take", ""),
		later(g, "step s", step, "step [N]", "N?"),
		later(g, "next n", step, "next [N]", "N?"),
		later(g, "into", step, "into [RANK|*]", "W?"),
		later(g, "finish r", step, "finish", ""),
		later(g, "until unt", step, "until EXPR", "E?"),
		later(g, "jump j", step, "jump LINE", "N"),
		later(g, "advance", step, "advance N", "N"),
		later(g, "quiesce", step, "quiesce [trace]", "W?"),
		later(g, "follow", step, "follow", ""),
		later(g, "where bt w", stops, "where [-go]", "W?"),
		later(g, "up u", stops, "up [N]", "N?"),
		later(g, "down d", stops, "down [N]", "N?"),
		later(g, "frame", stops, "frame N", "N"),
		later(g, "locals", stops, "locals", ""),
		later(g, "args", stops, "args", ""),
		later(g, "env", stops, "env", ""),
		later(g, "ll", stops, "ll", ""),
		later(g, "print p pp", "debugger to print with", "print EXPR [over TARGET]", "E"),
		later(g, "display", "debugger to print with", "display EXPR", "E"),
		later(g, "set", "debugger to change state with", "set state.field EXPR", "W E"),
		later(g, "return", stops, "return EXPR", "E"),
		later(g, "fail", stops, "fail TEXT", "R"),
		later(g, "requeue", stops, "requeue", ""),
		later(g, "redeliver", stops, "redeliver [VALUE]", "R?"),
		later(g, "mailbox", stops, "mailbox [deliver N|drop N|hold]", "W? N?"),
		later(g, "callers", "message history", "callers", ""),
		later(g, "callees", "message history", "callees", ""),
		later(g, "trace", "traces", `trace [TARGET] ["text {expr}"]`, "T? R?"),
		later(g, "diff", "diff of states", "diff TARGET TARGET [path]", "T T W?"),
		later(g, "stacks", "merged stacks", "stacks TARGET [n]", "T N?"),
		later(g, "profile", "profiles", "profile TARGET [cpu|heap] [DURATION]", "T W? W?"),
		later(g, "flight", "flight recorder", "flight TARGET", "T"),
		later(g, "leaks", "leak search", "leaks TARGET", "T"),
		later(g, "native", "native debugger", "native NAME RANK", "W N"),
		later(g, "core", "core dumps", "core NAME RANK", "W N"),
		later(g, "waits", "wait-for graph", "waits", ""),
		later(g, "deadlocks", "wait-for graph", "deadlocks", ""),
		later(g, "stats", "statistics", "stats TARGET", "T"),
		later(g, "top", "statistics", "top", ""),
		later(g, "who", rec, "who PATH", "W"),
		later(g, "replay", rec, "replay FILE | replay NAME RANK", "F N?"),
		later(g, "back", rec, "back [N]", "N?"),
		later(g, "forward", rec, "forward [N]", "N?"),
		later(g, "goto", rec, "goto N", "N"),
		later(g, "when", rec, "when EXPR", "E"),
		later(g, "bisect", rec, "bisect EXPR", "E"),
		later(g, "whatif", rec, "whatif TEXT", "R"),
		later(g, "export", "exports", "export trace|json|csv|perfetto|otlp|shiviz FILE", "W F"),
		later(g, "alias", "aliases", "alias NAME COMMAND", "W R"),
	}
}

func chaosVerbs() []*Verb {
	g, lacks := "Faults", "fault injection"
	return []*Verb{
		later(g, "delay", lacks, "delay TARGET.Endpoint DURATION", "T W"),
		later(g, "drop", lacks, "drop [TARGET.Endpoint N%]", "T? W?"),
		later(g, "heal", lacks, "heal [TARGET]", "T?"),
	}
}

func screenVerbs() []*Verb {
	g := "Screen"
	screen := func(name, usage, summary, shape string) *Verb {
		return &Verb{Name: name, Group: g, Usage: usage, Summary: summary, Screen: true, takes: form(shape)}
	}
	return []*Verb{
		{Name: "attach", Aliases: []string{"a"}, Group: g, Usage: "attach SESSION", Summary: "explore another session: its name, pid or socket", Screen: true, takes: attachArgs},
		screen("theme", "theme [NAME]", "colours of the screen", "W?"),
		screen("write", "write FILE", "write the screen as a picture, an SVG", "F"),
		screen("demo", "demo [NAME]", "watch a demo, step by step", "W?"),
		screen("focus", "focus TARGET", "select ranks on the grid", "T"),
	}
}
