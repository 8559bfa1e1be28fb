package filter

import (
	"errors"
	"math"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// matcher judges a row by one value.
type matcher interface {
	match(k Key, row *Fields) bool
	text() string // canonical
}

func compile(k Key, v value) (matcher, error) {
	switch k {
	case Rank, Call, Family, Took, Level:
		if v.form != bare {
			return nil, wrong(v.column, "%s: wants %s", k, strings.TrimPrefix(wants(k), k.String()+": "))
		}
	default:
		return compilePattern(k, v)
	}
	switch k {
	case Took:
		return compileTook(v)
	case Level:
		return compileLevel(v)
	case Rank:
		return compileRange(k, v)
	default:
		return compileCall(k, v)
	}
}

// operator cuts a comparison off a value; "" where there is none.
func operator(s string) (op, rest string) {
	for _, op := range []string{">=", "<=", ">", "<", "="} {
		if rest, ok := strings.CutPrefix(s, op); ok {
			return op, rest
		}
	}
	return "", s
}

func compare[N int | int64](op string, a, b N) bool {
	switch op {
	case ">":
		return a > b
	case ">=":
		return a >= b
	case "<":
		return a < b
	case "<=":
		return a <= b
	}
	return a == b
}

type took struct {
	op string
	d  time.Duration
}

func compileTook(v value) (matcher, error) {
	op, rest := operator(v.text)
	at := v.column + utf8.RuneCountInString(op)
	if op == "" {
		op = ">="
	}
	if rest == "" {
		return nil, wrong(v.column, "took: wants a time after %s: took:%s5ms", op, op)
	}
	d, err := time.ParseDuration(rest)
	if err != nil {
		if _, err := strconv.ParseFloat(rest, 64); err == nil && rest != "" {
			return nil, wrong(at, "took: wants a unit: %sms, %ss", rest, rest)
		}
		return nil, wrong(at, "took: wants a time such as 5ms or 1.5s, not %q", rest)
	}
	return took{op, d}, nil
}

func (t took) match(_ Key, row *Fields) bool {
	return row.HasTook && compare(t.op, int64(row.Took), int64(t.d))
}

func (t took) text() string {
	d := t.d.String()
	if strings.HasSuffix(d, "m0s") {
		d = strings.TrimSuffix(d, "0s")
	}
	if strings.HasSuffix(d, "h0m") {
		d = strings.TrimSuffix(d, "0m")
	}
	return t.op + d
}

// levels of log lines, from the least to the worst.
var levels = [...]string{"debug", "info", "warn", "error"}

type level struct {
	op string
	n  int
}

// levelOf is the place of a level among levels, -1 for none.
func levelOf(name string) int {
	name = strings.ToLower(name)
	for i, l := range levels {
		if len(name) >= 1 && (strings.HasPrefix(l, name) || l == "warn" && name == "warning") {
			return i
		}
	}
	return -1
}

func compileLevel(v value) (matcher, error) {
	op, rest := operator(v.text)
	if op == "" {
		op = "="
	}
	n := levelOf(rest)
	if n < 0 {
		return nil, wrong(v.column, "there is no level %q%s", rest, schema.Suggest(rest, levels[:]))
	}
	return level{op, n}, nil
}

func (l level) match(_ Key, row *Fields) bool {
	n := levelOf(row.Level)
	return n >= 0 && compare(l.op, n, l.n)
}

func (l level) text() string { return strings.TrimPrefix(l.op, "=") + levels[l.n] }

// numbers from lo to hi.
type numbers struct {
	lo, hi int
	canon  string
}

func compileRange(k Key, v value) (matcher, error) {
	bad := func() (matcher, error) {
		return nil, wrong(v.column, "%s: wants ranks such as 3, 0-7, 0:8 or >7, not %q", k, v.text)
	}
	op, rest := operator(v.text)
	if op != "" {
		n, ok := rankNumber(rest)
		if !ok {
			return bad()
		}
		switch op {
		case ">":
			return numbers{n + 1, math.MaxInt, ">" + strconv.Itoa(n)}, nil
		case ">=":
			return numbers{n, math.MaxInt, ">=" + strconv.Itoa(n)}, nil
		case "<":
			return numbers{0, n - 1, "<" + strconv.Itoa(n)}, nil
		case "<=":
			return numbers{0, n, "<=" + strconv.Itoa(n)}, nil
		}
		return numbers{n, n, strconv.Itoa(n)}, nil
	}
	sep := strings.IndexAny(rest, "-:")
	if sep < 0 {
		n, ok := rankNumber(rest)
		if !ok {
			return bad()
		}
		return numbers{n, n, strconv.Itoa(n)}, nil
	}
	lo, okLo := rankNumber(rest[:sep])
	hi, okHi := rankNumber(rest[sep+1:])
	if !okLo || !okHi {
		return bad()
	}
	if rest[sep] == ':' {
		hi--
	}
	if hi < lo {
		return nil, wrong(v.column, "%s: %s holds no rank", k, v.text)
	}
	canon := strconv.Itoa(lo)
	if hi > lo {
		canon += "-" + strconv.Itoa(hi)
	}
	return numbers{lo, hi, canon}, nil
}

func rankNumber(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err == nil
}

func (n numbers) match(_ Key, row *Fields) bool {
	for _, r := range row.Rank {
		if r >= n.lo && r <= n.hi {
			return true
		}
	}
	return false
}

func (n numbers) text() string { return n.canon }

type call uint64

func compileCall(k Key, v value) (matcher, error) {
	n, ok := world.ParseCall(strings.TrimPrefix(v.text, "#"))
	if !ok {
		return nil, wrong(v.column, "%s: wants the number of a call, not %q", k, v.text)
	}
	return call(n), nil
}

func (c call) match(k Key, row *Fields) bool {
	if k == Family {
		return row.Family == uint64(c) || row.Call == uint64(c)
	}
	return row.Call == uint64(c)
}

func (c call) text() string { return world.CallName(uint64(c)) }

// compilePattern makes the matcher of a text.
func compilePattern(k Key, v value) (matcher, error) {
	p := &pattern{canon: v.text, fold: !capital(v.text)}
	switch v.form {
	case quoted:
		p.canon = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v.text) + `"`
	case regex:
		p.canon = "/" + escapeSlash(v.text) + "/"
		return p, p.regexp(v.text, v)
	case bare:
		if k != Word && k != Text && strings.Contains(v.text, "*") {
			parts := strings.Split(v.text, "*")
			for i := range parts {
				parts[i] = regexp.QuoteMeta(parts[i])
			}
			p.whole = true
			return p, p.regexp("(?s)^"+strings.Join(parts, ".*")+"$", v)
		}
		p.loose = k == Word
	}
	p.part = v.text
	if p.fold {
		p.part = strings.ToLower(v.text)
	}
	return p, nil
}

func (p *pattern) regexp(src string, v value) error {
	if n := utf8.RuneCountInString(src); n > maxRegexp {
		return wrong(v.column, "an expression has at most %d characters, this one %d", maxRegexp, n)
	}
	if p.fold {
		src = "(?i)" + src
	}
	re, err := regexp.Compile(src)
	if err != nil {
		what := err.Error()
		if se, ok := errors.AsType[*syntax.Error](err); ok {
			what = string(se.Code)
			if se.Expr != "" {
				what += ": " + strings.TrimPrefix(strings.TrimPrefix(se.Expr, "(?i)"), "(?s)")
			}
		}
		return wrong(v.column, "the expression cannot be read: %s", what)
	}
	p.re = re
	return nil
}

// capital reports whether a pattern has a capital letter that is not part of a class such as \W.
func capital(s string) bool {
	escaped := false
	for _, r := range s {
		if !escaped && unicode.IsUpper(r) {
			return true
		}
		escaped = r == '\\' && !escaped
	}
	return false
}

// escapeSlash puts a backslash before each / that has none.
func escapeSlash(s string) string {
	var b strings.Builder
	escaped := false
	for _, r := range s {
		if r == '/' && !escaped {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		escaped = r == '\\' && !escaped
	}
	return b.String()
}
