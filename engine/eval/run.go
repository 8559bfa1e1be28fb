package eval

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
)

// Eval runs the expression with the values of its names. A name that env does not have is an error.
func (e *Expr) Eval(env map[string]any) (any, error) {
	for _, n := range e.names {
		v, ok := env[n]
		if !ok {
			return nil, fmt.Errorf("there is no %s here", n)
		}
		if size(v) > maxItems {
			return nil, fmt.Errorf("%s has more than %d elements: too many for an expression", n, maxItems)
		}
	}
	return e.start(env, nil)
}

// start runs the expression with an environment, or with a reader of parts.
func (e *Expr) start(env map[string]any, reader Reader) (any, error) {
	r, ok := e.runs.Get().(*run)
	if !ok {
		r = &run{machine: vm.VM{MemoryBudget: maxMemory}, env: map[string]any{}}
	}
	defer e.free(r)
	maps.Copy(r.env, env)
	r.left = steps{left: maxSteps, most: maxSteps, reader: reader}
	if reader != nil {
		r.left.left, r.left.most = maxLiveSteps, maxLiveSteps
	}
	r.env[stepsName] = &r.left
	v, err := r.machine.Run(e.prog, r.env)
	if err == nil {
		return Canonical(v), nil
	}
	return nil, e.told(err)
}

// ours is an error of a function of this package, which is told as it is.
type ours struct{ error }

// mixUp is how Go tells that a value has another type than the one that was asked for.
var mixUp = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^interface conversion: interface \{\} is ([\w.\[\]{} ]+), not ([\w.\[\]{} ]+)$`)
})

// told is an error of expr in words of ours: what it says of Go's types means nothing to a person.
func (e *Expr) told(err error) error {
	if o, ok := errors.AsType[ours](err); ok {
		return o.error
	}
	msg, _, _ := strings.Cut(err.Error(), "\n")
	where := ""
	if fe, ok := errors.AsType[*file.Error](err); ok {
		msg = fe.Message
		if from := byteOffset(e.Text, fe.From); from > 0 {
			where = " at " + brief(e.Text[from:])
		}
	}
	if strings.HasPrefix(msg, "memory budget exceeded") {
		return fmt.Errorf("memory budget exceeded: it makes more than %d elements, too many for an expression", maxMemory)
	}
	if m := mixUp().FindStringSubmatch(msg); m != nil {
		return fmt.Errorf("%s cannot be judged%s: a %s is given where a %s is wanted", brief(e.Text), where, kindOfName(m[1]), kindOfName(m[2]))
	}
	return fmt.Errorf("%s cannot be judged%s: a value there is none of those that it takes", brief(e.Text), where)
}

// kindOfName is the kind of the values of a Go type, by its name.
func kindOfName(goType string) string {
	for _, v := range []any{false, 0, &big.Int{}, 0.0, "", []byte{}, time.Time{}, time.Duration(0), []any{}, map[string]any{}} {
		if fmt.Sprintf("%T", v) == goType {
			return kindOf(v)
		}
	}
	return goType
}

// run is what one evaluation needs. It is kept for the next one: a condition is judged for every message of its endpoint.
type run struct {
	machine vm.VM
	env     map[string]any
	left    steps
}

// free keeps a run without the values that it has seen, unless it has grown large.
func (e *Expr) free(r *run) {
	if cap(r.machine.Stack) > 4*maxNodes {
		return
	}
	clear(r.env)
	r.left.reader = nil
	clear(r.machine.Stack[:cap(r.machine.Stack)])
	clear(r.machine.Variables)
	e.runs.Put(r)
}

// Holds runs an expression that must give true or false.
func (e *Expr) Holds(env map[string]any) (bool, error) {
	v, err := e.Eval(env)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("it gives %s, want true or false", brief(v))
	}
	return b, nil
}

func size(v any) int {
	switch v := v.(type) {
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	}
	return 0
}

// Explain shows the values that an expression compares: "state.count = 2".
func (e *Expr) Explain(env map[string]any) string {
	var parts []string
	for _, n := range e.operands(e.root) {
		text := e.restore(n.String())
		part, err := Compile(text, Any())
		if err != nil {
			continue
		}
		v, err := part.Eval(env)
		if err != nil {
			continue
		}
		if p := text + " = " + Show(v); !slices.Contains(parts, p) {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return "it is false"
	}
	return strings.Join(parts, ", ")
}

// restore puts numbers back into a text that was made of the tree.
func (e *Expr) restore(text string) string {
	for name, digits := range e.big {
		text = strings.ReplaceAll(text, name, digits)
	}
	return text
}

// operands are the parts of an expression worth showing: what and, or and not connect is taken apart, what a
// comparison compares is shown unless it is constant.
func (e *Expr) operands(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "or", "&&", "||":
			return append(e.operands(n.Left), e.operands(n.Right)...)
		}
		var out []ast.Node
		for _, side := range []ast.Node{n.Left, n.Right} {
			if !e.constant(side) {
				out = append(out, side)
			}
		}
		return out
	case *ast.UnaryNode:
		return e.operands(n.Node)
	case *ast.BuiltinNode:
		if len(n.Arguments) > 0 {
			return n.Arguments[:1]
		}
		return nil
	}
	if e.constant(n) {
		return nil
	}
	return []ast.Node{n}
}

// constant reports whether a part of the expression has no names in it.
func (e *Expr) constant(n ast.Node) bool {
	v := newVisitor()
	ast.Walk(&n, v)
	for _, id := range v.used {
		if !v.funcs[id] && e.big[id.Value] == "" {
			return false
		}
	}
	return true
}
