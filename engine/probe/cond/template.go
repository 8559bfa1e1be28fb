package cond

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/eval"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Bounds of templates.
const (
	maxTemplate = 8 << 10 // bytes of its text
	maxParts    = 16      // expressions in it
	maxRendered = 4 << 10 // bytes of what it gives
	maxFailure  = 200     // characters of an error within it

	maxRender = 20 * time.Millisecond // after which no further expression is begun
)

// Template is a text with expressions in braces: g={args.g} step={state.step}. It is safe for concurrent use.
type Template struct {
	parts []piece
}

// piece is a text, or an expression.
type piece struct {
	text string
	expr *Expr
}

// ParseTemplate compiles a template. {{ and }} stand for braces; an expression that begins with a brace has a blank before
// it. Every error is an *eval.Error, with its place in the template.
func ParseTemplate(text string, s Scope) (*Template, error) {
	switch {
	case len(text) > maxTemplate:
		return nil, mistake(0, "a template may have %d bytes, this has %d", maxTemplate, len(text))
	case !utf8.ValidString(text):
		return nil, mistake(0, "the template is not valid UTF-8")
	}
	t := &Template{}
	var plain strings.Builder
	exprs := 0
	for i := 0; i < len(text); {
		switch two := text[i:min(i+2, len(text))]; {
		case two == "{{" || two == "}}":
			plain.WriteByte(two[0])
			i += 2
		case text[i] == '}':
			return nil, mistake(i, "} without {: a brace in the text is written }}")
		case text[i] != '{':
			plain.WriteByte(text[i])
			i++
		default:
			end := closing(text, i+1)
			if end < 0 {
				return nil, mistake(i, "{ without }: a brace in the text is written {{")
			}
			if exprs++; exprs > maxParts {
				return nil, mistake(i, "a template may have %d expressions", maxParts)
			}
			e, err := CompileValue(text[i+1:end], s)
			if err != nil {
				return nil, shifted(err, i+1)
			}
			t.parts = append(t.parts, piece{text: plain.String()}, piece{expr: e})
			plain.Reset()
			i = end + 1
		}
	}
	if plain.Len() > 0 {
		t.parts = append(t.parts, piece{text: plain.String()})
	}
	return t, nil
}

// closing is the place of the brace that ends the expression at a place, -1 without one. Texts and braces within it are
// jumped over.
func closing(text string, at int) int {
	depth := 0
	for i := at; i < len(text); i++ {
		switch c := text[i]; c {
		case '"', '\'', '`':
			for i++; i < len(text) && text[i] != c; i++ {
				if text[i] == '\\' && c != '`' {
					i++
				}
			}
		case '{':
			depth++
		case '}':
			if depth--; depth < 0 {
				return i
			}
		}
	}
	return -1
}

func shifted(err error, by int) error {
	if m, ok := errors.AsType[*eval.Error](err); ok {
		return mistake(by+m.Offset, "%s", m.Msg)
	}
	return mistake(by, "%s", err)
}

// Uses reports whether one of its expressions uses one of the names.
func (t *Template) Uses(names ...string) bool {
	return slices.ContainsFunc(t.parts, func(p piece) bool { return p.expr != nil && p.expr.Uses(names...) })
}

// Render fills the template in. An expression that fails stands there as {error: …}. What it gives has 4 KiB at most, and is
// safe to show but for what the template itself has between its expressions.
func (t *Template) Render(v *Values) string {
	var b strings.Builder
	start := time.Now()
	for _, p := range t.parts {
		switch {
		case b.Len() > maxRendered:
			return capped(b.String())
		case p.expr == nil:
			b.WriteString(p.text)
		case time.Since(start) > maxRender:
			b.WriteString("{error: the expressions before it took too long}")
		default:
			b.WriteString(rendered(p.expr, v))
		}
	}
	return capped(b.String())
}

// rendered is the value of an expression as text; a text is without its quotes.
func rendered(e *Expr, v *Values) string {
	x, err := e.Value(v)
	if err != nil {
		return fmt.Sprintf("{error: %s}", clean.EscapeCut(err.Error(), maxFailure))
	}
	if s, ok := x.(string); ok {
		return clean.EscapeCut(s, maxRendered)
	}
	return clean.Escape(eval.Show(x))
}

// capped is at most maxRendered bytes of a text, in whole characters.
func capped(s string) string {
	const mark = "…"
	if len(s) <= maxRendered {
		return s
	}
	return firstRunes(s, maxRendered-len(mark)) + mark
}
