package eval

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/monarch-tui/monarch-tui/engine/internal/suggest"
)

// Bounds of an expression (INV-BOUND).
const (
	maxNodes  = 200
	maxText   = 8192    // bytes: what nests in the text nests on the stack of its parser
	maxMemory = 100_000 // of expr's budget, which counts elements
	maxItems  = 100_000 // elements of a collection that goes in
)

// Names says which names an expression may use.
type Names struct {
	Have  []string
	Loose bool           // other names may turn up when it runs
	Types map[string]any // a value of the type of a name, where it is known: mistakes are then found before it runs
}

// Any allows every name.
func Any() Names { return Names{Loose: true} }

// Error is a mistake in an expression.
type Error struct {
	Offset int // in bytes of its text
	Msg    string
}

// Error is the message.
func (e *Error) Error() string { return e.Msg }

func mistake(offset int, format string, args ...any) error {
	return &Error{offset, fmt.Sprintf(format, args...)}
}

// Expr is a compiled expression. It is safe for concurrent use.
type Expr struct {
	Text   string // as written, without blanks around it
	prog   *vm.Program
	root   ast.Node // as it was parsed, for Explain
	names  []string
	fields map[string][][]string
	runs   sync.Pool         // of *run
	big    map[string]string // what stands for the numbers beyond int in root, and their digits
	lets   map[string]int    // the names that let gives, and their places in bytes

	lively *lively // of a live expression, nil else; so are the two below
	parts  []Part
	gives  string
}

// Compile checks an expression and compiles it. Every error is an *Error.
func Compile(text string, allowed Names) (*Expr, error) { return compileShifted(text, allowed, nil) }

// compileShifted compiles a text without the blanks around it, and tells offsets within all of it.
func compileShifted(text string, allowed Names, scope Scope) (*Expr, error) {
	lead := len(text) - len(strings.TrimLeft(text, " \t\n"))
	e, err := compile(strings.TrimSpace(text), allowed, scope)
	if m, ok := errors.AsType[*Error](err); ok {
		return nil, mistake(lead+m.Offset, "%s", m.Msg)
	}
	return e, err
}

func compile(text string, allowed Names, scope Scope) (*Expr, error) {
	switch {
	case text == "":
		return nil, mistake(0, "want an expression, such as value == 4")
	case len(text) > maxText:
		return nil, mistake(0, "an expression may have %d bytes, this has %d", maxText, len(text))
	case !utf8.ValidString(text):
		return nil, mistake(0, "the expression is not valid UTF-8")
	}
	e := &Expr{Text: text, fields: map[string][][]string{}}
	source, numbers, err := e.lift()
	if err != nil {
		return nil, err
	}
	tree, err := parser.Parse(source)
	if err != nil {
		return nil, located(source, err)
	}
	e.root = tree.Node
	texts := byteTexts(e.Text)
	ast.Walk(&e.root, texts)
	if err := e.check(tree.Node, allowed); err != nil {
		return nil, err
	}
	p := &patcher{numbers: numbers, texts: texts}
	if scope != nil {
		for _, name := range allowed.Have {
			if at, hides := e.lets[name]; hides {
				return nil, mistake(at, "let %s hides the %s that is there already: take another name", name, name)
			}
		}
		p.live = &lively{text: source, names: allowed.Have, scope: scope, reads: map[ast.Node]int{}, kinds: map[int]string{}}
	}
	e.prog, err = expr.Compile(source, append(functions(),
		expr.Env(allowed.Types), expr.AllowUndefinedVariables(), expr.MaxNodes(maxNodes), expr.Patch(p), expr.Optimize(false))...)
	switch at, live := errors.AsType[*Error](p.mismatch); {
	case live:
		return nil, at
	case p.mismatch != nil:
		return nil, mistake(byteOffset(source, p.at), "%s", p.mismatch)
	case err != nil:
		return nil, located(source, err)
	case p.live != nil:
		if err := p.live.finish(e, e.prog.Node()); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// digits are the whole numbers of an expression that may be beyond int, and what must not be taken for one: texts,
// names, and numbers with a point or an exponent.
var digits = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|` + "`[^`]*`" + `|[A-Za-z_$#][\w$]*|[0-9][0-9_]*\.[0-9][\w]*|0[xXbBoO][\w]+|[0-9][0-9_]*[eE][+-]?[0-9]+|[0-9][0-9_]*`)
})

// lift puts names of the same length in the place of whole numbers that expr's parser has no room for, so that offsets
// stay as they are. It gives the text for the parser and the values of the names.
func (e *Expr) lift() (source string, numbers map[string]any, err error) {
	numbers = map[string]any{}
	e.big = map[string]string{}
	source = digits().ReplaceAllStringFunc(e.Text, func(token string) string {
		n, beyond := wholeDigits(token)
		if !beyond {
			return token
		}
		if n.BitLen() > maxBits {
			err = mistake(strings.Index(e.Text, token), "the number %s is beyond %d bits", token, maxBits)
			return token
		}
		name := fmt.Sprintf("_%d", len(e.big))
		name = strings.Repeat("_", len(token)-len(name)) + name
		e.big[name], numbers[name] = token, n
		return name
	})
	return source, numbers, err
}

// wholeDigits is the value of a whole number as it is written, with the digits after 0x, 0o and 0b too; known is false
// for what is none or cannot be beyond int.
func wholeDigits(token string) (n *big.Int, known bool) {
	plain, base := strings.ReplaceAll(token, "_", ""), 10
	switch {
	case plain == "" || plain[0] < '0' || plain[0] > '9':
		return nil, false
	case len(plain) > 2 && plain[0] == '0' && strings.IndexByte("xXoObB", plain[1]) >= 0:
		base = map[byte]int{'x': 16, 'o': 8, 'b': 2}[plain[1]|0x20]
		plain = plain[2:]
	}
	n, known = new(big.Int).SetString(plain, base)
	return n, known && !n.IsInt64()
}

// literals are the texts of an expression with an escape for a byte, such as "\xff", by their places in runes. The
// parser reads the escape as a character; a text that was printed means the byte, as in Go.
type literals map[int]string

// Visit implements ast.Visitor.
func (t literals) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.StringNode:
		if s, ok := t[n.Location().From]; ok {
			n.Value = s
		}
	case *ast.BinaryNode: // a regular expression is one of characters
		if pattern, ok := n.Right.(*ast.StringNode); ok && n.Operator == "matches" {
			pattern.Value = strings.ToValidUTF8(pattern.Value, "\ufffd")
		}
	}
}

// byteEscape is an escape for a byte that is no character of its own.
var byteEscape = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\\(?:[xX][89a-fA-F][0-9a-fA-F]|[23][0-7][0-7])`) })

func byteTexts(text string) literals {
	found := literals{}
	for _, m := range digits().FindAllStringIndex(text, -1) {
		token := text[m[0]:m[1]]
		if quote := token[0]; quote != '"' && quote != '\'' || m[0] > 0 && strings.IndexByte("bB", text[m[0]-1]) >= 0 || !byteEscape().MatchString(token) {
			continue
		}
		if s, ok := unescaped(token[1 : len(token)-1]); ok {
			found[utf8.RuneCountInString(text[:m[0]])] = s
		}
	}
	return found
}

// unescaped is the inside of a quoted text; false where an escape is not known, which the parser has to say.
func unescaped(s string) (string, bool) {
	var b strings.Builder
	for s != "" {
		if len(s) > 1 && s[0] == '\\' {
			if strings.IndexByte("?`'\"", s[1]) >= 0 {
				b.WriteByte(s[1])
				s = s[2:]
				continue
			}
			if digits, rest, ok := strings.Cut(s[2:], "}"); ok && strings.HasPrefix(s[1:], "u{") {
				r, err := strconv.ParseUint(digits[1:], 16, 21)
				if err != nil {
					return "", false
				}
				b.WriteRune(rune(r))
				s = rest
				continue
			}
			if s[1] == 'X' {
				s = `\x` + s[2:]
			}
		}
		r, multibyte, rest, err := strconv.UnquoteChar(s, 0)
		if err != nil {
			return "", false
		}
		if multibyte {
			b.WriteRune(r)
		} else {
			b.WriteByte(byte(r))
		}
		s = rest
	}
	return b.String(), true
}

// located turns an error of expr into one of ours.
func located(text string, err error) error {
	msg, _, _ := strings.Cut(err.Error(), "\n")
	fe, ok := errors.AsType[*file.Error](err)
	if !ok {
		return mistake(0, "%s", msg)
	}
	msg = strings.TrimSpace(fe.Message)
	if strings.Contains(msg, "token EOF") {
		return mistake(len(text), "the expression ends too early")
	}
	if strings.HasPrefix(msg, "error parsing regexp") {
		msg = `this is no regular expression: want one of Go's, with \\ before ( ) [ ] { } * + ? . | ^ $ that stand for themselves`
	}
	if strings.Contains(msg, "strconv.") {
		msg = "this is no number that an expression has room for: want digits, or a float up to 1.8e308"
	}
	if rest, ok := strings.CutPrefix(msg, "unexpected token "); ok {
		if _, inner, ok := strings.Cut(rest, "("); ok {
			msg = "unexpected " + strings.TrimSuffix(inner, ")")
		}
	}
	return mistake(byteOffset(text, fe.From), "%s", msg)
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

// check judges the names, and notes what the expression uses.
func (e *Expr) check(root ast.Node, allowed Names) error {
	v := newVisitor()
	ast.Walk(&root, v)
	offset := func(n ast.Node) int { return byteOffset(e.Text, n.Location().From) }
	if v.deep != nil {
		return mistake(offset(v.deep), "a predicate within a predicate may run for very long: use let to take a step before it")
	}
	e.fields, e.lets = v.fields, map[string]int{}
	for name, let := range v.lets {
		e.lets[name] = offset(let)
	}
	for _, n := range v.used {
		name := n.Value
		switch {
		case v.lets[name] != nil || e.big[name] != "":
		case v.funcs[n]:
			if name != "fmt" {
				return mistake(offset(n), "no function %q%s", name, suggest.Suffix(name, Functions()))
			}
		case IsFunction(name):
			return mistake(offset(n), "%s is a function: it takes arguments, %s(…)", name, name)
		case slices.Contains(allowed.Have, name):
			e.names = append(e.names, name)
		default:
			hint := suggest.Suffix(name, allowed.Have)
			if !allowed.Loose || strings.Contains(hint, "did you mean") && len(allowed.Have) > 0 {
				return mistake(offset(n), "no name %q here%s", name, hint)
			}
			e.names = append(e.names, name)
		}
	}
	return nil
}

// Uses reports whether the expression uses one of the names.
func (e *Expr) Uses(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(e.names, n) })
}

// Bare reports whether the expression uses a name as a whole, not only fields of it.
func (e *Expr) Bare(name string) bool {
	uses := 0
	for _, n := range e.names {
		if n == name {
			uses++
		}
	}
	roots := 0
	for _, way := range e.fields[name] {
		if len(way) == 1 {
			roots++
		}
	}
	return uses > roots
}

// Fields are the fields of a name that the expression reads, each as the way from the name: value.pos.x is [pos x].
// What is read with ?. is not among them: it may be absent.
func (e *Expr) Fields(name string) [][]string { return e.fields[name] }

// visitor walks over an expression for names, and predicates within predicates, whose cost is a product of sizes.
type visitor struct {
	used   []*ast.IdentifierNode
	lets   map[string]ast.Node
	funcs  map[ast.Node]bool
	fields map[string][][]string
	deep   ast.Node
	inner  bool // inside a predicate
}

func newVisitor() *visitor {
	return &visitor{lets: map[string]ast.Node{}, funcs: map[ast.Node]bool{}, fields: map[string][][]string{}}
}

// Visit implements ast.Visitor; children come before their parents.
func (v *visitor) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		v.used = append(v.used, n)
	case *ast.VariableDeclaratorNode:
		v.lets[n.Name] = n
	case *ast.MemberNode:
		if name, way := fieldPath(n); name != "" {
			v.fields[name] = append(v.fields[name], way)
		}
	case *ast.CallNode:
		v.funcs[n.Callee] = true
	case *ast.PredicateNode:
		if v.inner {
			v.deep = n
			return
		}
		in := newVisitor()
		in.inner = true
		ast.Walk(&n.Node, in)
		if in.deep != nil {
			v.deep = in.deep
		}
	}
}

// fieldPath takes name.a.b apart; "" where it is anything else, or may be nil: name?.a.
func fieldPath(n *ast.MemberNode) (name string, way []string) {
	field, ok := n.Property.(*ast.StringNode)
	if !ok || n.Optional {
		return "", nil
	}
	switch base := n.Node.(type) {
	case *ast.IdentifierNode:
		return base.Value, []string{field.Value}
	case *ast.MemberNode:
		if name, way = fieldPath(base); name != "" {
			return name, append(slices.Clone(way), field.Value)
		}
	}
	return "", nil
}
