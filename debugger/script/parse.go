package script

import (
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/eval"
	"github.com/monarch-tui/monarch-tui/engine/schema"
)

const (
	maxSource = 1 << 20 // bytes of a script
	maxDepth  = 16      // of scripts that source scripts
	maxErrors = 20      // told of one script
	maxNested = 8       // commands within commands
	maxHoles  = 64      // of ${…} in a command
)

// parser parses one script.
type parser struct {
	src      *source
	scope    *scope
	read     func(name string) ([]byte, error)
	from     []string // files that led here, outermost first
	focus    bool     // inside on, or Monarch's cast
	lit      int      // offset of the literal that was found last, in its cursor's text
	nested   int      // commands around the one that is being parsed
	loose    bool     // a single line: names that it does not define may exist in the session
	launches Launches
	errs     []*Error
}

// Parse parses a script, and the scripts that it sources, relative to its name. The errors are sorted by place; with
// any, nothing of the script may run.
func Parse(name, text string) (*Script, []*Error) { return ParseWith(ReadFile, name, text) }

// ParseWith is Parse with another way to read the files that the script sources.
func ParseWith(read func(name string) ([]byte, error), name, text string) (*Script, []*Error) {
	p := &parser{src: newSource(name, text), scope: newScope(), read: read}
	s := p.script()
	return s, p.errs
}

// ParseLine parses what a person typed at the ':' line or the prompt: one statement, or several lines. Names that
// nothing on it defines are left to the session that runs it.
func ParseLine(text string) (*Script, []*Error) { return Launches(nil).ParseLine(text) }

// parseFilled parses a command whose ${…} have been filled in. What was filled in is data: it begins no comment, no
// suffix and no ${…} of its own.
func (l Launches) parseFilled(text string) (*Command, error) {
	p := &parser{src: newSource("", text), scope: newScope(), read: ReadFile, loose: true, launches: l}
	return p.command(&cursor{text: text, raw: text})
}

func (p *parser) error(err error) {
	p.errs = append(p.errs, p.src.error(atOf(err, 0), err.Error()))
}

func (p *parser) script() *Script {
	s := &Script{Name: p.src.name}
	if len(p.src.text) > maxSource {
		p.errs = append(p.errs, &Error{Pos: Pos{File: p.src.name}, Msg: fmt.Sprintf("a script may have %d bytes, and this has more", maxSource)})
		return s
	}
	if at := badUTF8(p.src.text); at >= 0 {
		p.error(fail(at, "this is not valid UTF-8 text"))
		return s
	}
	phase := ""
	var last *Stmt // what an indented line judges
	for _, l := range p.src.split() {
		if len(p.errs) >= maxErrors {
			break
		}
		text := ""
		if !l.isPhase {
			text = p.src.plain[l.start:l.end]
		}
		switch {
		case l.isPhase:
			phase = l.phase
		case strings.TrimSpace(text) == "":
		case l.open >= 0:
			p.error(fail(l.open, "this %c is never closed", p.src.text[l.open]))
			return s // the rest of the file was read as part of it
		case l.indented:
			if c, err := p.indented(last, l); err != nil {
				p.error(err)
			} else {
				last.Expect = append(last.Expect, c)
			}
		default:
			st, err := p.stmt(l)
			if err != nil {
				p.error(p.orTwo(l, err))
				last = &Stmt{about: &Target{}} // its expectations are still read; which names they may use is unknown
				continue
			}
			st.Phase = phase
			s.Stmts = append(s.Stmts, st)
			last = st
		}
	}
	return s
}

// orTwo is what is wrong with a line: err, unless it holds one command and behind a ; another.
func (p *parser) orTwo(l logical, err error) error {
	first, rest, two := CutCommand(p.src.plain[l.start:l.end])
	if !two {
		return err
	}
	at := l.start + len(first)
	l.end = at
	if _, wrong := p.stmt(l); wrong != nil {
		return err
	}
	where := "on a line of its own"
	switch {
	case strings.TrimSpace(rest) == "":
		return fail(at, "a command ends without a ;")
	case p.loose:
		where = "as the next one"
	}
	return fail(at, "this is one command, and behind the ; another: write that %s", where)
}

func badUTF8(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i, r := range s {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return i
			}
		}
	}
	return -1
}

// cursor walks over a logical line, less the space at its end.
func (p *parser) cursor(l logical) *cursor {
	text := strings.TrimRight(p.src.plain[l.start:l.end], " \t\n")
	return &cursor{text: text, base: l.start}
}

// stmt parses one statement.
func (p *parser) stmt(l logical) (*Stmt, error) {
	c := p.cursor(l)
	st := &Stmt{Text: tidy(c.text)}
	if err := p.guards(c, st); err != nil {
		return nil, err
	}
	c.space()
	st.MustFail = c.eat('!')
	c.space()
	st.Pos = p.src.pos(c.at())
	if c.done() {
		return nil, fail(c.at(), "want a command")
	}
	if w := c.rest(); strings.HasPrefix(w, expectWord) && (len(w) == len(expectWord) || !nameByte(w[len(expectWord)])) {
		return st, p.expectStmt(c, st)
	}
	if err := p.suffixes(c, st); err != nil {
		return nil, err
	}

	cmd, err := p.command(c)
	if err != nil {
		return nil, err
	}
	st.Cmd = cmd
	return st, p.settle(st)
}

// tidy is the text as it is shown: without the space at the ends of its lines.
func tidy(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \t")
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

func guardNames() []string {
	return []string{"gpu", "short", "linux", "darwin", "unix", "amd64", "arm64"}
}

func (p *parser) guards(c *cursor, st *Stmt) error {
	for c.space(); c.eat('['); c.space() {
		at := c.at()
		end := strings.IndexByte(c.rest(), ']')
		if end < 0 {
			return fail(at-1, "the [ of the guard is never closed")
		}
		g := Guard{Pos: p.src.pos(at), Cond: strings.TrimSpace(c.rest()[:end])}
		c.pos += end + 1
		if rest, not := strings.CutPrefix(g.Cond, "!"); not {
			g.Not, g.Cond = true, strings.TrimSpace(rest)
		}
		if capability, is := strings.CutPrefix(g.Cond, "cap:"); is && capability != "" {
			st.Guards = append(st.Guards, g)
			continue
		}
		if !slices.Contains(append(guardNames(), runtime.GOOS, runtime.GOARCH), g.Cond) {
			return fail(at, "no guard %s%s, or cap:NAME", quoted(g.Cond), schema.Suggest(g.Cond, guardNames()))
		}
		st.Guards = append(st.Guards, g)
	}
	return nil
}

// suffixes takes timeout DURATION, &NAME and => NAME from the end of the statement.
func (p *parser) suffixes(c *cursor, st *Stmt) error {
	take := func(mark string) (name string, at int, ok bool) {
		end := strings.TrimRight(c.text[c.pos:], " \t\n")
		i := len(end)
		for i > 0 && (nameByte(end[i-1]) && end[i-1] != '-') {
			i--
		}
		name, at = end[i:], c.at()+i
		head := strings.TrimRight(end[:i], " \t")
		if mark == "&" && len(head) != i || !isVariable(name) || !strings.HasSuffix(head, mark) {
			return "", 0, false
		}
		head = strings.TrimSuffix(head, mark)
		if head == "" || strings.IndexByte(" \t\n", head[len(head)-1]) < 0 {
			return "", 0, false
		}
		c.text = c.text[:c.pos] + strings.TrimRight(head, " \t\n")
		return name, at, true
	}
	if n, at, ok := take("=>"); ok {
		if err := free(n); err != nil {
			return fail(at, "%s", err)
		}
		st.Capture = n
	}
	if n, _, ok := take("&"); ok {
		st.Background = n
	}
	return p.timeout(c, st)
}

// timeoutForm is what limits one command, at its end. A text that ends in these words is written with quotes.
var timeoutForm = regexp.MustCompile(`^(?s)(.*\S)[ \t\n]+timeout[ \t\n]+(\d[0-9A-Za-zµ.]*)[ \t\n]*$`)

// EndsInSuffix reports whether a bare text would lose its end to the statement that it stands in: a front end that
// writes commands puts it between quotes.
func EndsInSuffix(text string) bool { return timeoutForm.MatchString("echo " + text) }

func (p *parser) timeout(c *cursor, st *Stmt) error {
	m := timeoutForm.FindStringSubmatch(c.text[c.pos:])
	if m == nil || m[1] == "option" { // option timeout 3s is about all commands
		return nil
	}
	at := c.at() + strings.LastIndex(c.text[c.pos:], m[2])
	d, err := parseDuration(m[2], at, "a time after timeout,")
	switch {
	case err != nil:
		return err
	case d == 0:
		return fail(at, "a timeout must be more than 0")
	case st.Background != "":
		return fail(at, "what comes of &%s is known at wait %s: put the timeout there", st.Background, st.Background)
	}
	st.Timeout = d
	c.text = c.text[:c.pos+len(m[1])]
	return nil
}

// settle checks what concerns the whole statement, and tells the scope.
func (p *parser) settle(st *Stmt) error {
	at := p.offset(st.Pos)
	if st.Background != "" {
		if a, ok := st.Cmd.Args.(CallArgs); !ok {
			return fail(at, "&%s sends a call into the background; %s is no call", st.Background, st.Cmd.Verb.Name)
		} else if a.Adverb.String() == "broadcast" {
			return fail(at, "a broadcast waits for nobody: it needs no &%s", st.Background)
		}
		if st.MustFail || st.Capture != "" {
			return fail(at, "what comes of &%s is known at wait %s: put ! and => there", st.Background, st.Background)
		}
		if p.scope.jobs[st.Background] != nil {
			return fail(at, "&%s is taken by a call above that has not been waited for", st.Background)
		}
		p.scope.jobs[st.Background] = st.Cmd.judged()
	}
	st.about = st.Cmd.judged()
	if st.Capture != "" {
		p.scope.captures[st.Capture] = true
	}
	if s := st.Cmd.Verb.settle; s != nil {
		return s(p, st, at)
	}
	return nil
}

// offset finds a place of this source again.
func (p *parser) offset(pos Pos) int {
	at := p.src.lines[pos.Line-1]
	for range pos.Column - 1 {
		_, n := utf8.DecodeRuneInString(p.src.text[at:])
		at += n
	}
	return at
}

// include parses the file of a source statement.
func (p *parser) include(st *Stmt, file string, at int) error {
	path := file
	if !filepath.IsAbs(path) && p.src.name != "" {
		path = filepath.Join(filepath.Dir(p.src.name), file)
	}
	from := append(slices.Clone(p.from), p.src.name)
	if slices.Contains(from, path) {
		return fail(at, "source goes round in a circle: %s", strings.Join(append(from[slices.Index(from, path):], path), " → "))
	}
	if len(from) > maxDepth {
		return fail(at, "scripts that source scripts go %d deep at most", maxDepth)
	}
	text, err := p.read(path)
	if err != nil {
		return fail(at, "source %s: %s", file, err)
	}
	sub := &parser{src: newSource(path, string(text)), scope: p.scope, read: p.read, from: from, loose: p.loose, launches: p.launches}
	st.Include = sub.script()
	p.errs = append(p.errs, sub.errs...)
	return nil
}

// command parses a verb and its arguments.
func (p *parser) command(c *cursor) (*Command, error) {
	c.space()
	if p.nested++; p.nested > maxNested {
		return nil, fail(c.at(), "commands within commands go %d deep at most", maxNested)
	}
	defer func() { p.nested-- }()
	start := c.pos
	cmd := &Command{Pos: p.src.pos(c.at()), lit: -1}
	holes, err := p.holes(c)
	if err != nil {
		return nil, err
	}
	cmd.vars = holes
	word := c.word()
	if i := strings.IndexFunc(word, func(r rune) bool { return r >= 0x80 || !nameByte(byte(r)) }); i > 0 {
		c.pos -= len(word) - i // call@toy and the like: the rest is judged below
		word = word[:i]
	}
	v, ok := VerbNamed(word)
	switch {
	case ok && v.parse != nil:
	case ok:
		return nil, fail(c.base+start, "%s is a statement of its own", word)
	default:
		return nil, fail(c.base+start, "%s", noVerb(word))
	}
	if ch := c.peek(); ch != 0 && strings.IndexByte(" \t\n", ch) < 0 {
		return nil, fail(c.at(), "want a space after %s (usage: %s)", word, v.Usage)
	}
	p.lit = -1
	args, err := v.parse(p, c, v)
	if err != nil {
		return nil, err
	}
	cmd.Verb, cmd.Args, cmd.Text = v, args, c.text[start:]
	if c.raw != "" {
		cmd.Text = c.raw[start:]
	}
	if p.lit >= 0 {
		cmd.lit = p.lit - start
	}
	for i := range cmd.vars {
		cmd.vars[i].start -= start
		cmd.vars[i].end -= start
	}
	return cmd, nil
}

// holes finds ${EXPR} in the rest of the text, compiles it, and puts digits of the same length in its place, so that
// the command's form can be judged before anything runs.
func (p *parser) holes(c *cursor) ([]hole, error) {
	if c.raw != "" || !strings.Contains(c.text[c.pos:], "${") {
		return nil, nil
	}
	masked := []byte(c.text)
	var out []hole
	for i := c.pos; i+1 < len(c.text); i++ {
		if c.text[i] != '$' || c.text[i+1] != '{' {
			continue
		}
		end := closeBrace(c.text, i+1)
		if end < 0 {
			return nil, fail(c.base+i, "this ${ is never closed")
		}
		if len(out) == maxHoles {
			return nil, fail(c.base+i, "a command may have %d of ${…}", maxHoles)
		}
		e, err := p.expression(c.text[i+2:end], c.base+i+2, p.wholeNames())
		if err != nil {
			return nil, err
		}
		for j := i; j <= end; j++ {
			masked[j] = '1'
		}
		out = append(out, hole{i, end + 1, e})
		i = end
	}
	c.raw, c.text = c.text, string(masked)
	return out, nil
}

// closeBrace finds the } that closes the { at i, quotes considered.
func closeBrace(text string, i int) int {
	depth := 0
	for j := i; j < len(text); j++ {
		switch text[j] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return j
			}
		case '"', '\'', '`':
			if end := closing(text, j, len(text)); end > 0 {
				j = end
			}
		}
	}
	return -1
}

func (p *parser) target(c *cursor) (*Target, error) {
	c.space()
	pos := p.src.pos(c.at())
	t, err := c.target()
	if err != nil {
		return nil, err
	}
	t.Pos = pos
	if t.Focus && !p.focus && !p.loose {
		return nil, fail(c.at(), "\".\" is the target of an enclosing on: want @mesh")
	}
	if _, ok := p.scope.groups[t.Group]; t.Group != "" && !ok && !p.loose {
		have := make([]string, 0, len(p.scope.groups))
		for n := range p.scope.groups {
			have = append(have, n)
		}
		slices.Sort(have)
		return nil, fail(c.at(), "no group %%%s%s", t.Group, schema.Suggest(t.Group, have))
	}
	return t, nil
}

func (p *parser) expression(text string, at int, allowed names) (*Expr, error) {
	lead := len(text) - len(strings.TrimLeft(text, " \t\n"))
	e, err := compile(text[lead:], at+lead, allowed)
	if err != nil {
		return nil, err
	}
	e.Pos = p.src.pos(at + lead)
	return e, nil
}

// Describe is the statement in one line, for reports.
func (s *Stmt) Describe() string {
	first, _, more := strings.Cut(s.Text, "\n")
	if more {
		return eval.Shorten(first) + " …"
	}
	return eval.Shorten(first)
}

// String is for debugging.
func (s *Stmt) String() string { return fmt.Sprintf("%s: %s", s.Pos, s.Text) }
