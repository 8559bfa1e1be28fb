package script

import "time"

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
	Timeout    time.Duration // of timeout DURATION; 0: as the session says
	Background string        // NAME of &NAME
	Capture    string        // NAME of => NAME
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
	Args any    // of the type that its verb reads, such as CallArgs
	Text string // as written
	lit  int    // offset in Text where the literal begins, -1 without one
	vars []hole
}

// onRanks is the target that a command names itself, nil for none, and whether it is about ranks at all.
func (c *Command) onRanks() (own *Target, takes bool) {
	if a, ok := c.Args.(onRanks); ok {
		return a.onRanks()
	}
	return nil, false
}

// judged is the target whose ranks the expectations below the command judge, nil where it has none.
func (c *Command) judged() *Target {
	if a, ok := c.Args.(judged); ok {
		return a.judged()
	}
	return nil
}

// hole is a ${EXPR} in a command's text.
type hole struct {
	start, end int
	expr       *Expr
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
