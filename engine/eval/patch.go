package eval

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
)

// operators are the binary operators that are ours, and the functions that do them. expr looks functions up by name;
// a person cannot call these, since check knows no name with a dot.
func operators() map[string]string {
	return map[string]string{
		"==": ".eq", "!=": ".ne", "<": ".lt", "<=": ".le", ">": ".gt", ">=": ".ge", "in": ".in",
		"+": ".add", "-": ".sub", "*": ".mul", "/": ".div", "%": ".mod", "**": ".pow", "^": ".pow",
	}
}

// IsFunction reports whether expressions have a function of a name, so that nothing else can be called by it.
func IsFunction(name string) bool { return name == "fmt" || slices.Contains(builtin.Names, name) }

// IsKeyword reports whether a word belongs to the grammar of expressions, so that it cannot be the name of a value.
func IsKeyword(word string) bool {
	switch word {
	case "true", "false", "nil", "not", "and", "or", "in", "matches", "contains", "startsWith", "endsWith", "if", "else", "let":
		return true
	}
	return false
}

// overridden are the builtins of expr that compare, add up or convert, and what is done instead.
func overridden() map[string]func(args ...any) (any, error) {
	return map[string]func(...any) (any, error){
		"len": length, "sum": sum, "max": extreme(1), "min": extreme(-1), "mean": mean, "median": median, "sort": sorted, "uniq": unique, "abs": absolute,
		"indexOf": indexOf, "string": toText, "int": toInt, "float": toFloat, "toJSON": toJSON, "join": join, "duration": toDuration,
		"round": rounding("round", math.Round), "floor": rounding("floor", math.Floor), "ceil": rounding("ceil", math.Ceil),
	}
}

// functions are the options that make our functions known to expr. Each takes, behind its own arguments, the steps that
// the evaluation has left.
func functions() (out []expr.Option) {
	charged := func(name string, f func(args ...any) (any, error)) {
		out = append(out, expr.Function(name, func(args ...any) (any, error) {
			n := len(args) - 1
			left, ok := args[n].(*steps)
			if !ok {
				return nil, errors.New("no budget") // only patched calls come here
			}
			if err := left.charge(name, args[:n]); err != nil {
				return nil, ours{err}
			}
			if name == ".read" || name == ".readAt" {
				v, err := readPart(left, args[:n])
				if err != nil {
					return nil, ours{err}
				}
				return v, nil
			}
			v, err := f(args[:n]...)
			if err != nil {
				return nil, ours{err}
			}
			return v, nil
		}))
	}
	binary := func(name string, f func(a, b any) (any, error)) {
		charged(name, func(args ...any) (any, error) { return f(args[0], args[1]) })
	}
	truth := func(name string, f func(a, b any) (bool, error)) {
		binary(name, func(a, b any) (any, error) { return f(a, b) })
	}
	truth(".eq", Equal)
	truth(".ne", func(a, b any) (bool, error) { ok, err := Equal(a, b); return !ok, err })
	truth(".lt", func(a, b any) (bool, error) { c, err := order(a, b); return c == less, err })
	truth(".le", func(a, b any) (bool, error) { c, err := order(a, b); return c == less || c == equal, err })
	truth(".gt", func(a, b any) (bool, error) { c, err := order(a, b); return c == greater, err })
	truth(".ge", func(a, b any) (bool, error) { c, err := order(a, b); return c == greater || c == equal, err })
	truth(".in", in)
	binary(".add", add)
	binary(".sub", subtract)
	binary(".mul", multiply)
	binary(".div", divide)
	binary(".mod", modulo)
	binary(".pow", power)
	binary(".at", at)
	charged(".neg", negate)
	charged(".method", method)
	charged(".whole", wholeOf)
	charged(".scan", func(args ...any) (any, error) { return wholeOf(args[0]) })
	charged(".read", nil) // done by readPart
	charged(".readAt", nil)
	charged(".holder", holder)
	charged("fmt", format)
	for name, f := range overridden() {
		charged("."+name, f)
	}
	return out
}

// stepsName is how a program finds its steps among its names.
const stepsName = ".steps"

// steps is what one evaluation may still do: elements looked at, and texts by the hundred bytes. expr counts memory and
// nothing else, and a predicate multiplies what stands in it.
type steps struct {
	left, most int
	reader     Reader // of a live expression, nil else
}

const maxSteps = 5_000_000 // about a second

func (s *steps) charge(f string, args []any) error {
	if s.reader != nil {
		s.left -= liveCost(f, args, s.left)
	} else {
		for _, a := range args {
			s.left--
			switch v := a.(type) {
			case string:
				s.left -= len(v) / 100
			default:
				s.left -= size(v)
			}
		}
	}
	if s.left < 0 {
		return fmt.Errorf("it takes more than %d steps: too many for an expression", s.most)
	}
	return nil
}

// patcher puts our functions in the place of operators, builtins, fields and methods.
type patcher struct {
	numbers  map[string]any // that stand for names
	texts    literals
	live     *lively // nil: its names come from an environment
	mismatch error   // the first comparison that can never be judged, by what expr knows of the types
	at       int     // its place, in runes
}

// Visit implements ast.Visitor; children come before their parents, so that what is put in is not visited.
func (p *patcher) Visit(node *ast.Node) {
	p.texts.Visit(node)
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if v, ok := p.numbers[n.Value]; ok {
			replace(node, &ast.ConstantNode{Value: v})
		} else if l := p.live; l != nil && slices.Contains(l.names, n.Value) {
			l.read(node, Part{Name: n.Value, Offset: byteOffset(l.text, n.Location().From)})
		}
	case *ast.ChainNode:
		if p.live != nil {
			if _, reads := p.live.reads[n.Node]; reads { // the way has its ?. in it
				*node = n.Node
			}
		}
	case *ast.BinaryNode:
		if _, ours := operators()[n.Operator]; ours || p.live != nil {
			p.judge(n)
		}
		if p.live != nil && p.live.isNil(node, n) {
			return
		}
		switch n.Operator {
		case "contains", "startsWith", "endsWith", "matches":
			n.Left = p.whole(n)
			if _, written := n.Right.(*ast.StringNode); !written { // one that is, expr compiles: it may be a regular expression
				n.Right = call(".whole", n.Right)
			}
		}
		if f, ours := operators()[n.Operator]; ours {
			replace(node, call(f, n.Left, n.Right))
		}
	case *ast.UnaryNode:
		if n.Operator == "-" {
			replace(node, call(".neg", n.Node))
		}
	case *ast.BuiltinNode:
		p.builtin(node, n)
	case *ast.MemberNode:
		if p.live != nil && p.live.member(node, n) {
			return
		}
		if mayBeAbsent(n) { // expr jumps over the rest of the chain
			if base, chained := n.Node.(*ast.MemberNode); n.Optional && (!chained || !mayBeAbsent(base)) {
				n.Node = call(".holder", n.Node, n.Property)
			}
			return
		}
		replace(node, call(".at", n.Node, n.Property))
	case *ast.SliceNode:
		n.Node = call(".whole", n.Node)
	case *ast.CallNode:
		if p.live != nil && p.live.method(node, n) {
			return
		}
		if name(n.Callee) == "fmt" {
			n.Arguments = append(n.Arguments, &ast.IdentifierNode{Value: stepsName})
		}
		if of, ok := n.Callee.(*ast.CallNode); ok && name(of.Callee) == ".at" { // x.Name(…): the callee has been patched already
			base := of.Arguments[:2:2] // without the steps
			replace(node, call(".method", append(base, n.Arguments...)...))
		}
	}
}

func name(n ast.Node) string {
	if id, ok := n.(*ast.IdentifierNode); ok {
		return id.Value
	}
	return ""
}

// judge notes a comparison of two kinds that are known before anything runs, such as rank == "x".
func (p *patcher) judge(n *ast.BinaryNode) {
	if p.live != nil {
		if p.mismatch == nil {
			p.mismatch = p.live.judge(n)
		}
		return
	}
	a, b := kindOfType(n.Left.Type()), kindOfType(n.Right.Type())
	if p.mismatch != nil || a == "" || b == "" || a == b || strings.Contains("+-*/%**^in", n.Operator) {
		return
	}
	p.mismatch, p.at = fmt.Errorf("%s compares a %s and a %s", n.Operator, a, b), n.Location().From
}

// whole is the left side of an operator on texts, which must not have been cut.
func (p *patcher) whole(n *ast.BinaryNode) ast.Node {
	if pattern, written := n.Right.(*ast.StringNode); written && p.live != nil && n.Operator == "matches" {
		return call(".scan", n.Left, &ast.IntegerNode{Value: programSize(pattern.Value)})
	}
	return call(".whole", n.Left)
}

// kindOfType is the kind of all values of a type, "" where it is not known.
func kindOfType(t reflect.Type) string {
	if t == nil {
		return ""
	}
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Float64, reflect.String:
		return kindOf(reflect.Zero(t).Interface())
	default:
		return ""
	}
}

// builtin replaces a builtin that is ours, and keeps what was cut from the others. Of ours that take a predicate, sum is
// one: it sums what map gives.
func (p *patcher) builtin(node *ast.Node, n *ast.BuiltinNode) {
	if p.live != nil {
		if p.live.length(node, n) {
			return
		}
		if !liveFunction(n.Name) && p.mismatch == nil {
			p.mismatch = mistake(byteOffset(p.live.text, n.Location().From), "%s(…) may take long, and an actor would wait for it", n.Name)
		}
	}
	if len(n.Arguments) == 0 {
		return
	}
	args := n.Arguments
	predicate := false
	if len(args) > 1 {
		_, predicate = args[1].(*ast.PredicateNode)
	}
	if predicate && p.live != nil && p.mismatch == nil {
		p.mismatch = p.live.elements(args[0], args[1].(*ast.PredicateNode)) //nolint:forcetypeassert // it is one
	}
	switch {
	case overridden()[n.Name] == nil || predicate && n.Name != "sum":
		n.Arguments[0] = call(".whole", args[0], &ast.StringNode{Value: n.Name})
		return
	case predicate:
		args = []ast.Node{&ast.BuiltinNode{Name: "map", Arguments: []ast.Node{call(".whole", args[0], &ast.StringNode{Value: n.Name}), args[1]}}}
	}
	replace(node, call("."+n.Name, args...))
}

func call(f string, args ...ast.Node) ast.Node {
	return &ast.CallNode{Callee: &ast.IdentifierNode{Value: f}, Arguments: append(args, &ast.IdentifierNode{Value: stepsName})}
}

// replace patches a node and keeps its place, for the messages of expr.
func replace(node *ast.Node, by ast.Node) {
	by.SetLocation((*node).Location())
	ast.Patch(node, by)
}

// mayBeAbsent reports whether a ?. stands in a chain of members.
func mayBeAbsent(n *ast.MemberNode) bool {
	for {
		if n.Optional {
			return true
		}
		base, ok := n.Node.(*ast.MemberNode)
		if !ok {
			return false
		}
		n = base
	}
}
