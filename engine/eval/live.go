package eval

import (
	"errors"
	"fmt"
	"math"
	"regexp/syntax"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// Bounds of what is judged while an actor waits (INV-LIVE).
const (
	maxLiveSteps   = 150_000 // at 50 to 200 ns
	maxLivePattern = 500     // instructions of a regular expression
)

// Part is a part of a value that a live expression reads: state.next.tags["a"] is one, and so is len(state.losses).
type Part struct {
	Name   string
	Way    []Step
	Len    bool // only the length is asked for, a number
	Nil    bool // only whether it is nil is asked for, true or false
	Offset int  // of Name, in bytes of Expr.Text
}

// Step leads from a value to a part of it.
type Step struct {
	Name     string // a field, or the key of a map; "" where Indexed
	Index    int    // of a list; from its end where negative
	Indexed  bool
	Optional bool // it came with ?. so that nil before it gives nil
	Offset   int
}

// Scope knows what the parts are that an expression reads.
type Scope interface {
	// Kind is the kind that all values of a part have, as KindOf says it, "" where that is not known or where it may be
	// nil. An *Error says why there is no such part, and where.
	Kind(p Part) (string, error)
}

// Reader reads parts. Whoever reads one twice in an evaluation gets the same value.
type Reader interface {
	// Read gives the part of that number in Expr.Parts, as a canonical value.
	Read(part int) (any, error)

	// ReadAt gives what is at an index, or a key, of that part.
	ReadAt(part int, index any) (any, error)
}

// KindOf is what a canonical value is to a person: a number, a text, a truth value.
func KindOf(v any) string { return kindOf(v) }

// CompileLive compiles an expression that is judged while an actor waits for it. It reads only the parts of values that
// it gets to, through a Reader, and it is held to a few ten milliseconds at the most (INV-LIVE): functions that may take
// longer are refused. Every error is an *Error.
func CompileLive(text string, names []string, scope Scope) (*Expr, error) {
	return compileShifted(text, Names{Have: names}, scope)
}

// Parts are what a live expression reads.
func (e *Expr) Parts() []Part { return e.parts }

// Gives is the kind of the value that a live expression gives, "" where that is not known before it runs.
func (e *Expr) Gives() string { return e.gives }

// EvalLive runs an expression of CompileLive. Errors of the Reader come back as they are.
func (e *Expr) EvalLive(r Reader) (any, error) {
	if e.lively == nil {
		return nil, errors.New("the expression was not compiled to read parts")
	}
	return e.start(nil, r)
}

// HoldsLive runs an expression of CompileLive that must give true or false.
func (e *Expr) HoldsLive(r Reader) (bool, error) {
	v, err := e.EvalLive(r)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("it gives %s, want true or false", brief(v))
	}
	return b, nil
}

// lively is what the patcher of a live expression knows.
type lively struct {
	text  string
	names []string
	scope Scope
	parts []*Part          // nil: it has become a part of a longer way
	reads map[ast.Node]int // the nodes that read a part
	kinds map[int]string   // those that were asked for
}

// member makes one longer way of a way and a step, where the step is written out; else a read of one element.
func (l *lively) member(node *ast.Node, n *ast.MemberNode) bool {
	i, reads := l.reads[n.Node]
	if !reads || l.parts[i].Len || l.parts[i].Nil {
		return false
	}
	step, fixed := fixedStep(n.Property)
	if !fixed {
		if n.Optional {
			return false
		}
		replace(node, call(".readAt", &ast.IntegerNode{Value: i}, n.Property))
		return true
	}
	step.Optional, step.Offset = n.Optional, byteOffset(l.text, n.Property.Location().From)
	longer := *l.parts[i]
	longer.Way = append(slices.Clone(longer.Way), step)
	l.parts[i] = nil
	l.read(node, longer)
	return true
}

func (l *lively) read(node *ast.Node, p Part) {
	c := call(".read", &ast.IntegerNode{Value: len(l.parts)})
	l.parts = append(l.parts, &p)
	l.reads[c] = len(l.parts) - 1
	replace(node, c)
}

// fixedStep is the step of .name, ["name"], [3] or [-1].
func fixedStep(n ast.Node) (Step, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return Step{Name: n.Value}, true
	case *ast.IntegerNode:
		return Step{Index: n.Value, Indexed: true}, true
	case *ast.CallNode: // the unary minus has been patched
		if i, ok := n.Arguments[0].(*ast.IntegerNode); ok && name(n.Callee) == ".neg" && i.Value != math.MinInt {
			return Step{Index: -i.Value, Indexed: true}, true
		}
	}
	return Step{}, false
}

// length turns len(way) into a read of the length.
func (l *lively) length(node *ast.Node, n *ast.BuiltinNode) bool {
	if n.Name != "len" || len(n.Arguments) != 1 {
		return false
	}
	i, reads := l.reads[n.Arguments[0]]
	if !reads || l.parts[i].Len || l.parts[i].Nil {
		return false
	}
	p := *l.parts[i]
	p.Len, l.parts[i] = true, nil
	l.read(node, p)
	return true
}

// isNil turns way == nil and way != nil into a read of that only.
func (l *lively) isNil(node *ast.Node, n *ast.BinaryNode) bool {
	way := n.Left
	if _, left := way.(*ast.NilNode); left {
		way = n.Right
	} else if _, right := n.Right.(*ast.NilNode); !right {
		return false
	}
	i, reads := l.reads[way]
	if !reads || l.parts[i].Len || l.parts[i].Nil || n.Operator != "==" && n.Operator != "!=" {
		return false
	}
	p := *l.parts[i]
	p.Nil, l.parts[i] = true, nil
	l.read(&way, p)
	if n.Operator == "!=" {
		way = &ast.UnaryNode{Operator: "not", Node: way}
	}
	replace(node, way)
	return true
}

// method takes the name of a method off the way that it was taken for; x.Name(…) is of times and durations only.
func (l *lively) method(node *ast.Node, n *ast.CallNode) bool {
	i, reads := l.reads[n.Callee]
	if !reads || len(l.parts[i].Way) == 0 || l.parts[i].Len || l.parts[i].Nil {
		return false
	}
	p := *l.parts[i]
	last := p.Way[len(p.Way)-1]
	p.Way, l.parts[i] = p.Way[:len(p.Way)-1], nil
	of := n.Callee
	l.read(&of, p)
	replace(node, call(".method", append([]ast.Node{of, &ast.StringNode{Value: last.Name}}, n.Arguments...)...))
	return true
}

// judge says what is wrong with a binary operator, as far as the kinds of its sides are known.
func (l *lively) judge(n *ast.BinaryNode) error {
	a, err := l.kind(n.Left)
	if err != nil {
		return err
	}
	b, err := l.kind(n.Right)
	if err != nil {
		return err
	}
	at := byteOffset(l.text, n.Location().From)
	switch n.Operator {
	case "and", "or", "&&", "||":
		for _, k := range []string{a, b} {
			if k != "" && k != truthValue {
				return mistake(at, "%s wants two truth values, such as comparisons give, not a %s", n.Operator, k)
			}
		}
	case "==", "!=", "<", "<=", ">", ">=":
		switch {
		case a == "" || b == "" || a == b:
		case a == "nil", b == "nil":
			other := a
			if a == "nil" {
				other = b
			}
			return mistake(at, "%s compares with nil, and a %s is never nil%s", n.Operator, other, emptied(other))
		default:
			return mistake(at, "%s compares a %s and a %s", n.Operator, a, b)
		}
	case "matches":
		pattern, written := n.Right.(*ast.StringNode)
		if !written {
			return mistake(at, "the regular expression behind matches must be written out: an actor waits while it runs")
		}
		if size := programSize(pattern.Value); size > maxLivePattern {
			return mistake(at, "this regular expression takes %d instructions, a condition may have %d", size, maxLivePattern)
		}
	}
	return nil
}

func emptied(kind string) string {
	switch kind {
	case "list", "map", "byte string":
		return ": an empty one has len(…) == 0"
	case "text":
		return `: an empty one is ""`
	}
	return ""
}

// programSize is the number of instructions of a regular expression, 0 for what is none.
func programSize(pattern string) int {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return 0
	}
	return len(prog.Inst)
}

const truthValue = "truth value"

// kind is the kind of all values of a node, "" where it is not known.
func (l *lively) kind(node ast.Node) (string, error) {
	if i, reads := l.reads[node]; reads {
		if k, known := l.kinds[i]; known {
			return k, nil
		}
		if l.parts[i].Len {
			whole := *l.parts[i]
			whole.Len = false
			k, err := l.scope.Kind(whole)
			if err == nil && slices.Contains([]string{"number", truthValue, "time", "duration"}, k) {
				err = mistake(whole.Offset, "len wants a list, a map or a text, not a %s", k)
			}
			l.kinds[i] = "number"
			return "number", err //nolint:wrapcheck // an *Error, by the interface
		}
		k, err := l.scope.Kind(*l.parts[i])
		if l.parts[i].Nil {
			k = truthValue
		}
		l.kinds[i] = k
		return k, err //nolint:wrapcheck // an *Error, by the interface
	}
	switch n := node.(type) {
	case *ast.NilNode:
		return "nil", nil
	case *ast.BoolNode:
		return truthValue, nil
	case *ast.IntegerNode, *ast.FloatNode:
		return "number", nil
	case *ast.StringNode:
		return "text", nil
	case *ast.ArrayNode:
		return "list", nil
	case *ast.MapNode:
		return "map", nil
	case *ast.UnaryNode: // - has been patched
		if n.Operator == "+" {
			return l.kind(n.Node)
		}
		return truthValue, nil
	case *ast.BinaryNode:
		if slices.Contains([]string{"and", "or", "&&", "||", "contains", "startsWith", "endsWith", "matches"}, n.Operator) {
			return truthValue, nil
		}
	case *ast.VariableDeclaratorNode:
		return l.kind(n.Expr)
	case *ast.ConditionalNode:
		return l.either(n)
	case *ast.BuiltinNode:
		return kindOfBuiltin(n.Name), nil
	case *ast.CallNode:
		switch called := name(n.Callee); called {
		case ".add", ".sub", ".mul", ".div", ".neg":
			return l.arithmetic(n.Arguments[:len(n.Arguments)-1]) // without the steps
		default:
			return kindOfCall(called), nil
		}
	}
	return "", nil
}

// arithmetic is the kind of a sum and the like: that of numbers is one. Durations and times give several kinds.
func (l *lively) arithmetic(of []ast.Node) (string, error) {
	for _, n := range of {
		if k, err := l.kind(n); err != nil || k != "number" {
			return "", err
		}
	}
	return "number", nil
}

func (l *lively) either(n *ast.ConditionalNode) (string, error) {
	a, err := l.kind(n.Exp1)
	if err != nil {
		return "", err
	}
	b, err := l.kind(n.Exp2)
	if a != b {
		return "", err
	}
	return a, err
}

func kindOfBuiltin(name string) string {
	switch name {
	case "all", "any", "none", "one", "hasPrefix", "hasSuffix":
		return truthValue
	case "count", "findIndex", "findLastIndex":
		return "number"
	case "filter", "map", "keys", "values":
		return "list"
	case "upper", "lower", "trim", "trimPrefix", "trimSuffix", "type":
		return "text"
	}
	return ""
}

func kindOfCall(name string) string {
	switch name {
	case ".eq", ".ne", ".lt", ".le", ".gt", ".ge", ".in":
		return truthValue
	case ".len", ".pow", ".mod", ".indexOf", ".int", ".float", ".round", ".floor", ".ceil":
		return "number"
	case "fmt", ".string":
		return "text"
	case ".sort", ".uniq":
		return "list"
	}
	return ""
}

// finish asks the scope for every part that is read, and notes them.
func (l *lively) finish(e *Expr, root ast.Node) error {
	for n, i := range l.reads {
		if l.parts[i] == nil {
			delete(l.reads, n)
		}
	}
	e.parts = make([]Part, len(l.parts))
	var first *Error
	for n, i := range l.reads {
		e.parts[i] = *l.parts[i]
		delete(l.kinds, i)
		if _, err := l.kind(n); err != nil {
			m, ok := errors.AsType[*Error](err)
			if !ok {
				return mistake(l.parts[i].Offset, "%s", err)
			}
			if first == nil || m.Offset < first.Offset {
				first = m
			}
		}
	}
	if first != nil {
		return first
	}
	var err error
	e.gives, err = l.kind(root)
	e.lively = l
	return err
}

// readPart is .read(part), and .readAt(part, index).
func readPart(s *steps, args []any) (any, error) {
	i, ok := args[0].(int)
	switch {
	case !ok || s.reader == nil:
		return nil, errors.New("nothing can be read here")
	case len(args) > 1:
		return s.reader.ReadAt(i, args[1]) //nolint:wrapcheck // the reader's own words
	}
	return s.reader.Read(i) //nolint:wrapcheck // as above
}

// elements looks for fields of elements that there are not: any(state.peers, .los > 1).
func (l *lively) elements(of ast.Node, predicate *ast.PredicateNode) error {
	i, reads := l.reads[of]
	if !reads || l.parts[i].Len || l.parts[i].Nil {
		return nil
	}
	if k, err := l.kind(of); k != "list" || err != nil {
		return err
	}
	element := *l.parts[i]
	element.Way = append(slices.Clone(element.Way), Step{Indexed: true, Offset: element.Offset})
	v := &elementFields{live: l, element: element}
	ast.Walk(&predicate.Node, v)
	return v.err
}

// elementFields walks over a predicate, which has been patched already.
type elementFields struct {
	live    *lively
	element Part
	err     error
}

// Visit implements ast.Visitor.
func (v *elementFields) Visit(node *ast.Node) {
	if v.err != nil {
		return
	}
	p := v.element
	if way, ok := v.live.wayOf(*node); ok && len(way) > 0 {
		p.Way = append(slices.Clone(p.Way), way...)
		_, v.err = v.live.scope.Kind(p)
	}
}

// wayOf is the way from the element of a predicate.
func (l *lively) wayOf(node ast.Node) ([]Step, bool) {
	switch n := node.(type) {
	case *ast.PointerNode:
		return nil, n.Name == ""
	case *ast.CallNode:
		if name(n.Callee) != ".at" {
			return nil, false
		}
		way, ok := l.wayOf(n.Arguments[0])
		step, fixed := fixedStep(n.Arguments[1])
		step.Offset = byteOffset(l.text, n.Arguments[1].Location().From)
		return append(way, step), ok && fixed
	}
	return nil, false
}
