package script

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/eval"
)

// fill puts the values of ${…} into a command and parses it again. See filled.
func (s *Session) fill(cmd *Command) (*Command, error) {
	env := s.whole()
	var b strings.Builder
	at := 0
	for _, h := range cmd.vars {
		b.WriteString(cmd.Text[at:h.start])
		v, err := h.expr.Eval(env)
		if err != nil {
			return nil, fmt.Errorf("${%s}: %w", h.expr.Text, err)
		}
		b.WriteString(filled(v, cmd.Text, h.start, cmd.lit, cmd.Verb.rawText))
		at = h.end
	}
	b.WriteString(cmd.Text[at:])
	out, err := s.opt.Launches.parseFilled(b.String())
	if err != nil {
		return nil, fmt.Errorf("%w (after filling in: %s)", err, b.String())
	}
	out.forgetPlaces()
	return out, nil
}

// filled is a value as it stands in a command. Outside of a literal that is more than bare words, texts go in as they
// are; within one, a value is written as a literal, and between quotes as the inside of a text.
func filled(v any, text string, at, lit int, plain bool) string {
	str, isText := v.(string)
	if plain || lit < 0 || at < lit || strings.IndexByte("{[\"", text[lit]) < 0 && !strings.HasPrefix(text[lit:], "${") {
		if isText {
			return str
		}
		return show(v)
	}
	quotes := 0
	for i := lit; i < at; i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			quotes++
		}
	}
	literal := literalOf(v)
	if quotes%2 == 0 {
		return literal
	}
	if !isText {
		literal = quoteJSON(literal)
	}
	return literal[1 : len(literal)-1]
}

// literalOf writes a value so that it can be read back, whatever the schema of the place wants: durations, times and
// bytes have literals of their own.
func literalOf(v any) string {
	switch v := eval.Canonical(v).(type) {
	case nil:
		return "null"
	case string:
		return quoteJSON(v)
	case float64:
		switch {
		case math.IsInf(v, 1):
			return "Inf"
		case math.IsInf(v, -1):
			return "-Inf"
		}
		return strconv.FormatFloat(v, 'g', -1, 64) // NaN too
	case []any:
		parts := make([]string, 0, len(v))
		for _, x := range v {
			parts = append(parts, literalOf(x))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			key := k
			if !bareKey.MatchString(k) {
				key = quoteJSON(k)
			}
			parts = append(parts, key+": "+literalOf(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default: // numbers, truth values, bytes, durations and times are shown as their literals
		return eval.Show(v)
	}
}

// bareKey is a key of a map or a struct that needs no quotes: a name, or a whole number, which is typed as such.
var bareKey = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*|-?[0-9]+)$`)

// quoteJSON writes a text as a literal: as JSON does, and bytes that are no UTF-8 as the escape \xff.
func quoteJSON(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for s != "" {
		n := 0
		for n < len(s) {
			r, size := utf8.DecodeRuneInString(s[n:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			n += size
		}
		var part strings.Builder
		enc := json.NewEncoder(&part)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(s[:n]) //nolint:errchkjson // a text encodes
		b.WriteString(strings.TrimSuffix(part.String(), "\"\n")[1:])
		if s = s[n:]; s != "" {
			fmt.Fprintf(&b, `\x%02x`, s[0])
			s = s[1:]
		}
	}
	b.WriteByte('"')
	return b.String()
}

// forgetPlaces drops the places of literals in a filled text, which would mislead: the file has other columns.
func (c *Command) forgetPlaces() {
	if a, ok := c.Args.(placed); ok {
		c.Args = a.withoutPlaces()
	}
}
