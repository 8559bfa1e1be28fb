package script

import (
	"cmp"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// cursor walks over the text of one statement. base is the text's offset in the source: errors carry offsets there.
type cursor struct {
	text string
	base int
	pos  int
	raw  string // the text before ${…} was masked; same length

	globs bool // names of endpoints may hold * and ?
}

func (c *cursor) at() int { return c.base + c.pos }

func (c *cursor) space() {
	for c.pos < len(c.text) && strings.IndexByte(" \t\n", c.text[c.pos]) >= 0 {
		c.pos++
	}
}

// done skips space and reports whether the text has ended.
func (c *cursor) done() bool {
	c.space()
	return c.pos >= len(c.text)
}

func (c *cursor) rest() string { return c.text[c.pos:] }

func (c *cursor) peek() byte {
	if c.pos < len(c.text) {
		return c.text[c.pos]
	}
	return 0
}

func (c *cursor) eat(b byte) bool {
	if c.peek() != b {
		return false
	}
	c.pos++
	return true
}

// word takes everything up to the next space.
func (c *cursor) word() string {
	c.space()
	start := c.pos
	for c.pos < len(c.text) && strings.IndexByte(" \t\n", c.text[c.pos]) < 0 {
		c.pos++
	}
	return c.text[start:c.pos]
}

// keyword takes the word if it comes next, as a word of its own.
func (c *cursor) keyword(w string) bool {
	c.space()
	rest := c.rest()
	if !strings.HasPrefix(rest, w) || len(rest) > len(w) && nameByte(rest[len(w)]) {
		return false
	}
	c.pos += len(w)
	return true
}

func nameByte(b byte) bool {
	return b == '_' || b == '-' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

func (c *cursor) found() string {
	if c.done() {
		return "nothing"
	}
	save := c.pos
	w := c.word()
	c.pos = save
	if len(w) > 30 {
		w = w[:30] + "…"
	}
	return quoted(w)
}

func quoted(s string) string { return `"` + s + `"` }

// name takes a name: letters, digits, _ and -.
func (c *cursor) name(what string) (string, error) {
	c.space()
	start := c.pos
	for nameByte(c.peek()) {
		c.pos++
	}
	if c.pos == start {
		return "", fail(c.at(), "want %s, not %s", what, c.found())
	}
	return c.text[start:c.pos], nil
}

// meshName takes the name of a mesh, as the engine would take it; one that ${…} will give is not judged now. kind is
// "actor mesh" or "proc mesh".
func (c *cursor) meshName(kind, what string) (string, error) {
	c.space()
	from := c.pos
	n, err := c.name(what)
	if err != nil || c.raw != "" && strings.Contains(c.raw[from:c.pos], "${") {
		return n, err
	}
	if err := control.CheckName(kind, n); err != nil {
		return "", fail(c.base+from, "%s", err)
	}
	return n, nil
}

// newName takes the name of a mesh that is to be made, behind which no endpoint can follow.
func (c *cursor) newName(kind, what string) (string, error) {
	n, err := c.meshName(kind, what)
	if err != nil || !strings.HasPrefix(c.rest(), ".") {
		return n, err
	}
	from := c.at() - len(n)
	more, _, _ := strings.Cut(c.rest(), " ")
	return "", fail(from, "%s", cmp.Or(control.CheckName(kind, n+more), errors.New("want a blank behind the name, not "+c.found())))
}

// identifier takes the name of a method: a Go identifier, which may have letters of any alphabet.
func (c *cursor) identifier(what string) (string, error) {
	c.space()
	n := strings.IndexFunc(c.rest(), func(r rune) bool {
		glob := c.globs && (r == '*' || r == '?')
		return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !glob
	})
	if n < 0 {
		n = len(c.rest())
	}
	if n == 0 {
		return "", fail(c.at(), "want %s, not %s", what, c.found())
	}
	c.pos += n
	return c.text[c.pos-n : c.pos], nil
}

// variable takes the name of a capture or job.
func (c *cursor) variable(what string) (string, error) {
	c.space()
	at := c.at()
	n, err := c.name(what)
	if err == nil && !isVariable(n) {
		return "", fail(at, "want %s: a letter or _, then letters, digits or _, not %q", what, n)
	}
	return n, err
}

func isVariable(s string) bool {
	for i := range len(s) {
		if s[i] == '-' || i == 0 && s[i] >= '0' && s[i] <= '9' {
			return false
		}
	}
	return s != ""
}

// file takes a word or a quoted text.
func (c *cursor) file(what string) (string, error) {
	c.space()
	if q := c.peek(); q == '"' || q == '\'' {
		end := closing(c.text, c.pos, len(c.text))
		if end < 0 {
			return "", fail(c.at(), "the quote is never closed")
		}
		s := c.text[c.pos+1 : end]
		c.pos = end + 1
		return s, nil
	}
	if w := c.word(); w != "" {
		return w, nil
	}
	return "", fail(c.at(), "want %s", what)
}

// quotedText takes a text between double quotes, with the escapes of JSON.
func (c *cursor) quotedText() (string, error) {
	end := closing(c.text, c.pos, len(c.text))
	if end < 0 {
		return "", fail(c.at(), "the quote is never closed")
	}
	var s string
	if err := json.Unmarshal([]byte(c.text[c.pos:end+1]), &s); err != nil {
		return "", fail(c.at(), "this is no text as JSON writes it: %s", err)
	}
	c.pos = end + 1
	return s, nil
}

// number takes a whole number.
func (c *cursor) number(what string, most int) (int, error) {
	c.space()
	at := c.at()
	w := c.word()
	n := 0
	for _, d := range []byte(w) {
		if d < '0' || d > '9' || n > most {
			n = most + 1
			break
		}
		n = 10*n + int(d-'0')
	}
	if w == "" || n > most {
		return 0, fail(at, "want %s: a whole number up to %d, not %s", what, most, quoted(w))
	}
	return n, nil
}

// duration takes a time such as 1.5s; one that ${…} will give is not judged now.
func (c *cursor) duration(what string) (time.Duration, error) {
	c.space()
	from := c.pos
	w := c.word()
	if c.raw != "" && strings.Contains(c.raw[from:c.pos], "${") {
		return 0, nil
	}
	return parseDuration(w, c.base+from, what)
}

func parseDuration(w string, at int, what string) (time.Duration, error) {
	d, err := time.ParseDuration(w)
	if err != nil || d < 0 {
		return 0, fail(at, "want %s such as 500ms, 2s or 1m30s, not %s", what, quoted(w))
	}
	return d, nil
}

// end refuses what is left over.
func (c *cursor) end(usage string) error {
	if c.done() {
		return nil
	}
	return fail(c.at(), "want nothing more here, not %s (usage: %s)", c.found(), usage)
}

// Target is what a command or an expectation is about: @mesh[sel].Endpoint, %group or "." (the ranks of an enclosing on).
type Target struct {
	Pos
	Mesh     string
	Sel      string // as written between the brackets, "" for all
	Choice   shape.Selection
	Group    string // %group
	Focus    bool   // "."
	Any      bool   // [?]: one of those that run, drawn from a seed
	Endpoint string
}

// String is the target as the language writes it.
func (t *Target) String() string {
	s := "@" + t.Mesh
	switch {
	case t.Focus:
		s = "."
	case t.Group != "":
		s = "%" + t.Group
	}
	if t.Sel != "" {
		s += "[" + t.Sel + "]"
	}
	if t.Endpoint != "" {
		s = strings.TrimSuffix(s, ".") + "." + t.Endpoint
	}
	return s
}

// target takes a target.
func (c *cursor) target() (*Target, error) {
	c.space()
	t := &Target{}
	start := c.at()
	switch {
	case c.eat('@'):
		n, err := c.meshName("actor mesh", "the name of a mesh after @")
		if err != nil {
			return nil, err
		}
		t.Mesh = n
		if err := c.selection(t); err != nil {
			return nil, err
		}
	case c.eat('%'):
		n, err := c.name("the name of a group after %")
		if err != nil {
			return nil, err
		}
		t.Group = n
	case c.peek() == '.':
		t.Focus = true
		if len(c.rest()) == 1 || strings.IndexByte(" \t\n:", c.rest()[1]) >= 0 {
			c.pos++
		}
	default:
		if w := c.found(); nameByte(c.peek()) {
			return nil, fail(start, "want a mesh with @ before its name, such as @%s", strings.Trim(w, `"`))
		}
		return nil, fail(start, "want a mesh such as @toy, @toy[0-3] or @toy[gpus=2], not %s", c.found())
	}
	if c.eat('.') {
		n, err := c.identifier("the name of an endpoint after the dot")
		if err != nil {
			return nil, err
		}
		t.Endpoint = n
	}
	return t, nil
}

// selection takes [sel], or Monarch's ranks(…), if one of them comes next.
func (c *cursor) selection(t *Target) error {
	save := c.pos
	if c.peek() == '[' {
		inner := c.rest()[1:]
		end := shape.EndOf(inner, ']')
		if end < 0 {
			return fail(c.at(), "the [ of the selection is never closed")
		}
		at := c.at() + 1
		t.Sel = strings.TrimSpace(inner[:end])
		sel, err := shape.Parse(inner[:end])
		if err != nil {
			return selError(at, err)
		}
		t.Choice = sel
		c.pos += end + 2
		return nil
	}
	c.space()
	if !strings.HasPrefix(c.rest(), "ranks(") {
		c.pos = save
		return nil
	}
	sel, text, err := c.ranks()
	if err != nil {
		return err
	}
	t.Sel, t.Choice = text, sel
	return nil
}

// ranks takes Monarch's ranks(…), accepting and refusing what Monarch does.
func (c *cursor) ranks() (shape.Selection, string, error) {
	c.space()
	const word = "ranks("
	if !strings.HasPrefix(c.rest(), word) {
		return shape.Selection{}, "", fail(c.at(), "want ranks(…), such as ranks(0,3) or ranks(gpus=0:2), not %s", c.found())
	}
	at := c.at() + len(word)
	inner := c.rest()[len(word):]
	depth, end := 1, -1
	for i := 0; i < len(inner) && end < 0; i++ {
		switch inner[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				end = i
			}
		}
	}
	if end < 0 {
		return shape.Selection{}, "", fail(at-1, "the ( of ranks is never closed")
	}
	sel, err := shape.ParseRanks(inner[:end])
	if err != nil {
		return shape.Selection{}, "", selError(at, err)
	}
	c.pos += len(word) + end + 1
	return sel, sel.String(), nil
}

func selError(base int, err error) error {
	if p, ok := err.(*shape.ParseError); ok { //nolint:errorlint // shape.Parse returns it bare
		return fail(base+p.Offset, "%s", p.Msg)
	}
	return fail(base, "%s", err)
}
