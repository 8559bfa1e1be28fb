package script

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	exprparser "github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// Bounds of an expression (INV-BOUND).
const (
	maxNodes   = 200
	maxExpr    = 8192    // bytes of its text: what nests in it nests on the stack of its parser
	maxMemory  = 100_000 // of expr's budget, which counts elements
	maxItems   = 100_000 // elements of a collection that goes in
	maxFmtText = 1 << 20
)

// Expr is a compiled expression.
type Expr struct {
	Pos
	Text  string
	prog  *vm.Program
	names map[string]bool // that it uses
	state []string        // fields of the actor's state that it names
	value [][]string      // the same of a call's value, with the fields in them
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
func wholeNames() []string { return []string{"results", "text", "stops", "seed"} }

// reservedNames are the names that let and => must not take.
func reservedNames() []string { return append(perRankNames(), wholeNames()...) }

// typed tells the compiler the types it can rely on, so that a comparison that can never hold is found early.
func typed() map[string]any {
	return map[string]any{"rank": 0, "ms": 0.0, "err": "", "out": "", "text": "", "results": []any{}, "stops": []string{}, "seed": 0}
}

// compile checks and compiles an expression. Errors are *usageError with offsets from at.
func compile(text string, at int, allowed names) (*Expr, error) {
	trimmed := strings.TrimRight(text, " \t\n")
	if trimmed == "" {
		return nil, fail(at, "want an expression, such as value == 4")
	}
	if len(trimmed) > maxExpr {
		return nil, fail(at, "an expression may have %d bytes, this has %d", maxExpr, len(trimmed))
	}
	if !utf8.ValidString(trimmed) {
		return nil, fail(at, "the expression is not valid UTF-8")
	}
	tree, err := exprparser.Parse(trimmed)
	if err != nil {
		return nil, exprError(trimmed, at, err)
	}
	e := &Expr{Text: trimmed, names: map[string]bool{}}
	if err := e.check(tree.Node, at, allowed); err != nil {
		return nil, err
	}
	e.prog, err = expr.Compile(trimmed, expr.Env(typed()), expr.AllowUndefinedVariables(), expr.MaxNodes(maxNodes), fmtFunction())
	if err != nil {
		return nil, exprError(trimmed, at, err)
	}
	return e, nil
}

func exprError(text string, at int, err error) error {
	if fe, ok := errors.AsType[*file.Error](err); ok {
		msg := strings.TrimSpace(fe.Message)
		if strings.Contains(msg, "token EOF") {
			msg = "the expression ends too early"
		}
		if rest, ok := strings.CutPrefix(msg, "unexpected token "); ok {
			if _, inner, ok := strings.Cut(rest, "("); ok {
				msg = "unexpected " + strings.TrimSuffix(inner, ")")
			}
		}
		return fail(at+byteOffset(text, fe.From), "%s", msg)
	}
	msg, _, _ := strings.Cut(err.Error(), "\n")
	return fail(at, "%s", msg)
}

// byteOffset turns expr's offset in runes into one in bytes.
func byteOffset(text string, runes int) int {
	for i := range text {
		if runes == 0 {
			return i
		}
		runes--
	}
	return len(text)
}

// checker walks over an expression: names, and predicates within predicates, whose cost is a product of sizes.
type checker struct {
	used  []*ast.IdentifierNode
	lets  map[string]bool
	funcs map[ast.Node]bool
	state []string   // fields of state
	value [][]string // and of value
	deep  ast.Node
	inner bool // inside a predicate
}

// Visit implements ast.Visitor; children come before their parents.
func (v *checker) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		v.used = append(v.used, n)
	case *ast.VariableDeclaratorNode:
		v.lets[n.Name] = true
	case *ast.MemberNode:
		switch name, fields := fieldPath(n); {
		case name == "state" && len(fields) == 1:
			v.state = append(v.state, fields...)
		case name == "value":
			v.value = append(v.value, fields)
		}
	case *ast.CallNode:
		v.funcs[n.Callee] = true
	case *ast.PredicateNode:
		if v.inner {
			v.deep = n
			return
		}
		in := &checker{lets: map[string]bool{}, funcs: map[ast.Node]bool{}, inner: true}
		ast.Walk(&n.Node, in)
		if in.deep != nil {
			v.deep = in.deep
		}
	}
}

// fieldPath takes name.a.b apart; "" where it is anything else, or may be nil: name?.a.
func fieldPath(n *ast.MemberNode) (name string, fields []string) {
	field, ok := n.Property.(*ast.StringNode)
	if !ok || n.Optional {
		return "", nil
	}
	switch base := n.Node.(type) {
	case *ast.IdentifierNode:
		return base.Value, []string{field.Value}
	case *ast.MemberNode:
		name, fields = fieldPath(base)
		return name, append(fields, field.Value)
	}
	return "", nil
}

func (e *Expr) check(root ast.Node, at int, allowed names) error {
	v := &checker{lets: map[string]bool{}, funcs: map[ast.Node]bool{}}
	ast.Walk(&root, v)
	offset := func(n ast.Node) int { return at + byteOffset(e.Text, n.Location().From) }
	if v.deep != nil {
		return fail(offset(v.deep), "a predicate within a predicate may run for very long: use let to take a step before it")
	}
	e.state, e.value = v.state, v.value
	for _, n := range v.used {
		switch {
		case v.lets[n.Value]:
		case v.funcs[n]:
			if n.Value != "fmt" {
				return fail(offset(n), "no function %s%s", quoted(n.Value), schema.Suggest(n.Value, functionNames()))
			}
		case slices.Contains(allowed.have, n.Value):
			e.names[n.Value] = true
		default:
			hint := schema.Suggest(n.Value, allowed.have)
			if !allowed.loose || strings.Contains(hint, "did you mean") && len(allowed.have) > 0 {
				return fail(offset(n), "no name %s here%s", quoted(n.Value), hint)
			}
			e.names[n.Value] = true
		}
	}
	return nil
}

func functionNames() []string {
	return []string{"fmt", "all", "any", "none", "one", "filter", "map", "count", "len", "sum", "mean", "median", "min", "max", "first", "last", "keys", "values", "sort", "uniq", "join", "split", "int", "float", "string", "abs", "round"}
}

// uses reports whether the expression uses one of the names.
func (e *Expr) uses(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return e.names[n] })
}

// eval runs the expression. Names that are not in env are nil.
func (e *Expr) eval(env map[string]any) (any, error) {
	for n := range e.names {
		if size(env[n]) > maxItems {
			return nil, fmt.Errorf("%s has more than %d elements: too many for an expression", n, maxItems)
		}
	}
	machine := vm.VM{MemoryBudget: maxMemory}
	v, err := machine.Run(e.prog, env)
	if err != nil {
		msg, _, _ := strings.Cut(err.Error(), "\n")
		return nil, errors.New(msg)
	}
	return v, nil
}

// holds runs an expression that must give true or false.
func (e *Expr) holds(env map[string]any) (bool, error) {
	v, err := e.eval(env)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("it gives %s, want true or false", show(v))
	}
	return b, nil
}

func size(v any) int {
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Slice, reflect.Map, reflect.Array:
		return rv.Len()
	default:
		return 0
	}
}

// fmtFunction is fmt(format, …) with Go's verbs, less what could make it endless.
func fmtFunction() expr.Option {
	return expr.Function("fmt", func(args ...any) (any, error) {
		format, ok := args[0].(string)
		if !ok {
			return nil, fmt.Errorf("fmt: want a format text first, not %s", show(args[0]))
		}
		if err := checkFormat(format); err != nil {
			return nil, err
		}
		total := len(format)
		for _, a := range args[1:] {
			if s, ok := a.(string); ok {
				total += len(s)
			}
		}
		if total > maxFmtText {
			return nil, fmt.Errorf("fmt: more than %d bytes", maxFmtText)
		}
		return fmt.Sprintf(format, args[1:]...), nil
	}, new(func(string, ...any) string))
}

func checkFormat(f string) error {
	for i := 0; i < len(f); i++ {
		if f[i] != '%' {
			continue
		}
		digits := 0
		for i++; i < len(f) && strings.IndexByte("+-# 0123456789.[]*", f[i]) >= 0; i++ {
			if f[i] == '*' {
				return errors.New("fmt: a width of * is not allowed")
			}
			if f[i] >= '0' && f[i] <= '9' {
				if digits++; digits > 4 {
					return errors.New("fmt: a width may have 4 digits at most")
				}
			}
		}
	}
	return nil
}
