package script

import (
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// Script is a parsed file, line or piece of text.
type Script struct {
	Name  string
	Stmts []*Stmt
}

// Stmt is one command with its expectations.
type Stmt struct {
	Pos
	Text       string // as written, without comments
	Phase      string // the comment at column 0 above it
	Guards     []Guard
	MustFail   bool
	Cmd        *Command
	Background string // NAME of &NAME
	Capture    string // NAME of => NAME
	Expect     []*Clause
	Include    *Script // what source names
	about      *Target // whose ranks the expectations are about; nil for none
}

// Guard is [cond] or [!cond]: the statement is skipped where it does not hold.
type Guard struct {
	Pos
	Not  bool
	Cond string
}

// Command is a verb with its arguments.
type Command struct {
	Pos
	Verb *Verb
	Args any    // one of the …Args types
	Text string // as written
	lit  int    // offset in Text where the literal begins, -1 without one
	vars []hole
}

// hole is a ${EXPR} in a command's text.
type hole struct {
	start, end int
	expr       *Expr
}

// The arguments of the verbs.
type (
	// ProcsArgs are those of procs.
	ProcsArgs struct {
		Name                              string
		Dims                              shape.Extent
		CPUs                              int
		InProcess, Virtual, Oversubscribe bool
	}
	// SpawnArgs are those of spawn.
	SpawnArgs struct {
		Mesh    string
		Procs   *Target // Mesh is the name of a proc mesh here
		Type    string
		Literal Literal
	}
	// EndArgs are those of stop and kill.
	EndArgs struct {
		Target *Target
		Procs  bool // Target.Mesh is the name of a proc mesh
	}
	// CallArgs are those of the calling verbs.
	CallArgs struct {
		Adverb  control.Adverb
		Target  *Target
		Literal Literal
	}
	// JobArgs are those of wait and cancel; wait without a name waits for all.
	JobArgs struct{ Name string }
	// LookArgs are those of the verbs that show something.
	LookArgs struct {
		Target *Target // nil: everything
		Procs  *Target // of info; Mesh is the name of a proc mesh
		Name   string  // of an actor type or a verb
		Path   string  // into a state
		Last   int     // lines
	}
	// LetArgs are those of let.
	LetArgs struct {
		Name string
		Expr *Expr
	}
	// SleepArgs are those of sleep.
	SleepArgs struct{ For time.Duration }
	// TextArgs are those of echo, and of verbs that this build only parses.
	TextArgs struct{ Text string }
	// FileArgs are those of source, record and save.
	FileArgs struct {
		File   string
		Expect bool // save --expect
	}
	// OptionArgs are those of option.
	OptionArgs struct {
		Name  string
		Value time.Duration
	}
	// GroupArgs are those of group.
	GroupArgs struct {
		Name  string
		Terms []GroupTerm
		Where *Expr
	}
	// OnArgs are those of on, and of Monarch's cast.
	OnArgs struct {
		Target *Target
		Cmd    *Command
	}
	// ExpectArgs marks the expect statement; its clause is in Stmt.Expect.
	ExpectArgs struct{}
)

// GroupTerm is one operand of a group's definition.
type GroupTerm struct {
	Op     byte // '+' or '-'
	Target *Target
}

// Literal is a value as typed; it is judged when the schema is known.
type Literal struct {
	Pos
	Text string
}

// Clause is an expectation.
type Clause struct {
	Pos
	Text   string
	Target *Target // nil: the ranks of the command above
	Quant  string  // all, any, one or none
	Expr   *Expr
	Within time.Duration // 0: now
}
