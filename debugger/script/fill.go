package script

import (
	"encoding/json"
	"fmt"
	"strings"
)

// fill puts the values of ${…} into a command and parses it again. In a literal that is JSON-like a value is written
// as JSON, inside quotes escaped; elsewhere texts go in as they are.
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
	out, err := parseFilled(b.String())
	if err != nil {
		return nil, fmt.Errorf("%w (after filling in: %s)", err, b.String())
	}
	out.forgetPlaces()
	return out, nil
}

func filled(v any, text string, at, lit int, plain bool) string {
	str, isText := v.(string)
	if plain || lit < 0 || at < lit || strings.IndexByte("{[\"", text[lit]) < 0 && !strings.HasPrefix(text[lit:], "${") {
		if isText {
			return str
		}
		return show(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
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
	if quotes%2 == 0 {
		return string(b)
	}
	if isText {
		return strings.Trim(string(b), `"`)
	}
	b, _ = json.Marshal(string(b)) //nolint:errchkjson // a text encodes
	return strings.Trim(string(b), `"`)
}

// forgetPlaces drops the places of literals in a filled text, which would mislead: the file has other columns.
func (c *Command) forgetPlaces() {
	if a, ok := c.Args.(placed); ok {
		c.Args = a.withoutPlaces()
	}
}
