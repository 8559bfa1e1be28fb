package script

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// Verb is one command of the language. Its row in the table holds everything that parser, runner, recorder, help,
// completion and the explorer need to know of it, so that adding a verb means adding its row and the code behind it.
type Verb struct {
	Name    string
	Aliases []string
	Group   string // heading in help and docs
	Usage   string
	Summary string

	Screen   bool   // needs a terminal: the explorer runs it
	Lacks    string // what this build does not have yet, "" for a verb that works
	Calls    bool   // calls an endpoint
	Changes  bool   // changes the session: refused to viewers
	Forkable bool   // leaves nothing in the session that ran it, so that a fork may run it beside others

	completes []word          // what may stand where, for completion
	more      func() []string // what help NAME tells besides; nil: nothing

	looksBack  bool // depends on what the commands before it gave, whatever its arguments are
	unrecorded bool // save and record leave it out
	answers    bool // what it gives are answers of ranks: save --expect writes them down
	rawText    bool // ${…} is filled in as it is, never as JSON
	settle     func(p *parser, st *Stmt, at int) error
	body
}

// Alive reports whether the verb works without a screen in this build.
func (v *Verb) Alive() bool { return !v.Screen && v.Lacks == "" }

// body is how a verb's arguments are read and what it does. Both know the type of the arguments; shows and gives make a
// body of them. A verb that is parsed only has no run.
type body struct {
	parse func(p *parser, c *cursor, v *Verb) (any, error)
	run   func(ctx context.Context, s *Session, args any, st *Stmt) (*result, error)
}

// reads is the part of a body that reads arguments of type A.
func reads[A any](parse func(p *parser, c *cursor, v *Verb) (A, error)) body {
	return body{parse: func(p *parser, c *cursor, v *Verb) (any, error) {
		a, err := parse(p, c, v)
		return a, err
	}}
}

// gives is the body of a verb that makes its own result.
func gives[A any](parse func(*parser, *cursor, *Verb) (A, error), run func(*Session, context.Context, A, *Stmt) (*result, error)) body {
	b := reads(parse)
	b.run = func(ctx context.Context, s *Session, args any, st *Stmt) (*result, error) {
		return run(s, ctx, args.(A), st) //nolint:forcetypeassert // parse made it
	}
	return b
}

// shows is the body of a verb that fills in a result which begins with the log line and the time of its start.
func shows[A any](parse func(*parser, *cursor, *Verb) (A, error), run func(*Session, context.Context, A, *result) error) body {
	return gives(parse, func(s *Session, ctx context.Context, a A, _ *Stmt) (*result, error) {
		r := &result{mark: s.logMark()}
		start := time.Now()
		err := run(s, ctx, a, r)
		r.ms = float64(time.Since(start).Microseconds()) / 1000
		return r, err
	})
}

// What the language asks the arguments of a command. Arguments that lack the method are about no ranks, or hold no
// literal.
type (
	// onRanks is implemented by arguments of verbs that on and cast may stand before. own is the target that they name
	// themselves, nil for none; takes is false where, as they were written, they are not about ranks.
	onRanks interface {
		onRanks() (own *Target, takes bool)
	}
	// judged is implemented by arguments of verbs whose expectations are judged rank by rank.
	judged interface {
		judged() *Target
	}
	// limited is implemented by arguments of commands that may take longer than others: limit is how long, 0 for as long as
	// they.
	limited interface {
		limit(opt Options) time.Duration
	}
	// placed is implemented by arguments that remember where a literal stands in the file.
	placed interface {
		withoutPlaces() any
	}
)

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
		list := slices.Concat(
			underHead("Meshes", slices.Concat(meshVerbs(), reloadVerbs())), underHead("Calls", callVerbs()), underHead("Looking", lookVerbs()), underHead("Session", sessionVerbs()),
			underHead("Debugger", debugVerbs()), underHead("Faults", faultVerbs()), underHead("Screen", screenVerbs()),
		)
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

// underHead gives verbs their heading.
func underHead(name string, list []*Verb) []*Verb {
	for _, v := range list {
		v.Group = name
	}
	return list
}

// VerbNamed finds a verb by its name or one of its aliases.
func VerbNamed(word string) (*Verb, bool) {
	v, ok := verbTable().byName[word]
	return v, ok
}

// CallVerbs are the names of the verbs that call an endpoint, in the order of the documentation.
func CallVerbs() (names []string) {
	for _, v := range Verbs() {
		if v.Calls {
			names = append(names, v.Name)
		}
	}
	return names
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
