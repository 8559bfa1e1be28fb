package script

import (
	"errors"
	"fmt"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/eval"
)

// Expr is a compiled expression with its place in a script.
type Expr struct {
	Pos
	*eval.Expr
}

// names says which names an expression may use.
type names struct {
	have  []string
	loose bool // other names may turn up when it runs, such as the dims of a mesh that the file does not make
}

var anyNames = names{loose: true}

// perRankNames are the names whose values differ between ranks. The dimensions of the mesh are names besides.
func perRankNames() []string { return []string{"value", "err", "ms", "rank", "out", "state"} }

// wholeNames are the names whose values are the same for all ranks.
func wholeNames() []string {
	return []string{"results", "text", "stops", "breaks", "restarts", "faults", "machines", "builds", "seed"}
}

// reservedNames are the names that let and => must not take.
func reservedNames() []string { return append(perRankNames(), wholeNames()...) }

// free says why a name cannot be given by let, => or a dimension; nil if it can.
func free(name string) error {
	if slices.Contains(reservedNames(), name) {
		return fmt.Errorf("%s has a meaning of its own in expressions: choose another name", name)
	}
	if eval.IsKeyword(name) {
		return fmt.Errorf("%s is a word of expressions: choose another name", name)
	}
	if eval.IsFunction(name) {
		return fmt.Errorf("%s is a function in expressions: choose another name", name)
	}
	return nil
}

// types are the types of names that are known before anything runs, so that a comparison that can never be judged is
// found early.
func types() map[string]any {
	return map[string]any{"rank": 0, "ms": 0.0, "err": "", "out": "", "text": "", "results": []any{}, "stops": []any{}, "breaks": []any{}, "restarts": []any{}, "faults": []any{}, "machines": []any{}, "builds": []any{}, "seed": 0}
}

// compile checks and compiles an expression. Errors are *usageError with offsets from at.
func compile(text string, at int, allowed names) (*Expr, error) {
	e, err := eval.Compile(text, eval.Names{Have: allowed.have, Loose: allowed.loose, Types: types()})
	if m, ok := errors.AsType[*eval.Error](err); ok {
		return nil, fail(at+m.Offset, "%s", m.Msg)
	}
	return &Expr{Expr: e}, err
}
