package clean

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

func TestLineLeavesNothingThatATerminalActsOn(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                             "plain",
		"grüße ✓ 日本":                        "grüße ✓ 日本",
		"\x1b[31mred\x1b[0m":                "red",
		"\x1b]52;c;aGk=\x07clip":            "clip",
		"\x1b]0;title\x1b\\t":               "t",
		"bell\x07 nul\x00 bs\b cr\rx":       "bell␇ nul␀ bs␈ cr␍x",
		"tab\there":                         "tab here",
		"del\x7f":                           "del␡",
		"rtl\u202eevil":                     "rtl\uFFFDevil",
		"sep\u2028line":                     "sep\uFFFDline",
		"bad\xff":                           "bad\uFFFD",
		"unfinished \x1b]52;c;AAAA":         "unfinished ",
		"tag \U000E0041":                    "tag \uFFFD",
		"family \U0001F469\u200D\U0001F467": "family \U0001F469\u200D\U0001F467",
	} {
		if got := Line(in); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestShownIsWhatATerminalWouldLeave(t *testing.T) {
	for in, want := range map[string]string{
		"0%\r100%":              "100%",
		"12345\rab":             "ab345",
		"done\r":                "done",
		"abc\b\bX":              "aXc",
		"\b\bx":                 "x",
		"a\tb":                  "a       b",
		"1234567\tb":            "1234567 b",
		"12345678\tb":           "12345678        b",
		"long text here\r\tx":   "long texx here",
		"\x1b[31mred\x1b[0m\rR": "Red",
		"bell\a \r\xff":         "\uFFFDell␇ ",

		"abc\r\x1b[Kx":              "x",
		"abc\b\x1b[0Kx":             "abx",
		"red\x1b[2K\rx":             "x",
		"red\x1b[2Kx":               "   x",
		"abcdef\x1b[4D\x1b[1Kx":     "  xdef",
		"50%\x1b[2K\x1b[1G100%":     "100%",
		"ab\x1b[5Gx":                "ab  x",
		"ab\x1b[2Cx\x1b[3Dy":        "aby x",
		"a\x1b[99999999999999999Gx": "ax",
		"a\x1b[Gx":                  "x",
		"a\x1b[1;2Gx\x1b[Jz":        "axz",
		"a\x1b[5":                   "a",
	} {
		if got := Shown(in); got != want {
			t.Errorf("Shown(%q) = %q, want %q", in, got, want)
		}
	}
}

// hostile has one of everything that the table in doc.go has a column for.
const hostile = "n\n t\t c\a\x7f 1\u009b f\u202e\u200b\ufeff\u00ad\u061c\u180e\u2028\U000E0041 b\xff\xfe e\x1b[1m z\u200d \"\\ é"

// TestTheRulesDoWhatTheTableSays is a row of the table in doc.go for each rule.
func TestTheRulesDoWhatTheTableSays(t *testing.T) {
	json, _ := JSON(hostile, 0)
	for rule, c := range map[string]struct{ got, want string }{
		"Line":    {Line(hostile), "n␊ t  c␇␡ 1� f�������� b� e z\u200d \"\\ é"},
		"Shown":   {Shown(hostile), "n␊ t     c␇␡ 1� f�������� b� e z\u200d \"\\ é"},
		"Text":    {Text(hostile), "n\n t\t c␇␡ 1� f�������� b� e␛[1m z\u200d \"\\ é"},
		"OneLine": {OneLine(hostile, 400), "n  t  c�� 1� f�������� b� e�[1m z\u200d \"\\ é"},
		"Name":    {Name(hostile, 400), "n� t� c�� 1� f�������� b� e�[1m z\u200d \"\\ é"},
		"Escape":  {Escape(hostile), `n\n t\t c\u0007\u007f 1\u009b f\u202e\u200b\ufeff\u00ad\u061c\u180e\u2028\udb40\udc41 b\xff\xfe e\u001b[1m z\u200d "\ é`},
		"JSON":    {json, `n\n t\t c\u0007\u007f 1\u009b f\u202e\u200b\ufeff\u00ad\u061c\u180e\u2028\udb40\udc41 b\xff\xfe e\u001b[1m z\u200d \"\\ é`},
		"Quote":   {Quote(hostile, 400), `"n\n t\t c\a\x7f 1\u009b f\u202e\u200b\ufeff\u00ad\u061c\u180e\u2028\U000e0041 b\xff\xfe e\x1b[1m z\u200d \"\\ é"`},
		"Clip":    {Clip(hostile, 400), hostile},
	} {
		if c.got != c.want {
			t.Errorf("%s gives %q\nwant %q", rule, c.got, c.want)
		}
	}
}

// TestALimitIsKept holds INV-BOUND: a text is cut between characters, and a limit counts what comes out.
func TestALimitIsKept(t *testing.T) {
	long := strings.Repeat("é", 1<<20)
	text, cut := JSON(long, 3)
	for rule, c := range map[string]struct{ got, want string }{
		"OneLine":                    {OneLine(long, 5), "éé…"},
		"OneLine of what grows":      {OneLine(strings.Repeat("\a", 6), 7), "��…"},
		"OneLine of what just fits":  {OneLine("éé", 4), "éé"},
		"Name":                       {Name(long, 3), "ééé"},
		"EscapeCut":                  {EscapeCut(long, 3), "ééé…"},
		"EscapeCut of what fits":     {EscapeCut("ééé", 3), "ééé"},
		"EscapeCut of what is short": {EscapeCut("", 0), ""},
		"JSON":                       {text, "ééé"},
		"Quote":                      {Quote(long, 3), `"ééé…"`},
		"Clip":                       {Clip(long, 3), "é… (2097149 bytes more)"},
	} {
		if c.got != c.want {
			t.Errorf("%s gives %.40q, want %q", rule, c.got, c.want)
		}
	}
	if !cut {
		t.Error("JSON does not say that it has cut")
	}
}

// TestWhatIsDangerousDoesNotPrint keeps the two predicates of the package in step: what may not be shown must be escaped,
// by Go's own quoting too.
func TestWhatIsDangerousDoesNotPrint(t *testing.T) {
	for r := range rune(unicode.MaxRune + 1) {
		if Dangerous(r) && strconv.IsPrint(r) {
			t.Errorf("%U is dangerous, and Quote would show it", r)
		}
		if control := unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp); control && r != zeroWidthJoiner && !Dangerous(r) {
			t.Errorf("%U is a control or format character and not dangerous", r)
		}
	}
}

// FuzzRules holds INV-SAFE and INV-BOUND for whatever a process may send.
func FuzzRules(f *testing.F) {
	f.Add(hostile, 7)
	f.Add("\x1b[2J\u009b31m\x00", 3)
	f.Add("\x1bP+q\x1b\\ \u202e", 400)
	f.Add(strings.Repeat("\xf0\x9f", 50), 10)
	f.Fuzz(func(t *testing.T, s string, most int) {
		most = max(1, most&0x3ff)
		json, _ := JSON(s, most)
		for rule, c := range map[string]struct {
			got          string
			bytes, runes int // limits, 0 = none
			allowed      string
		}{
			"Line":      {got: Line(s)},
			"Shown":     {got: Shown(s)},
			"Text":      {got: Text(s), allowed: "\n\t"},
			"OneLine":   {got: OneLine(s, most), bytes: most + len("…")},
			"Name":      {got: Name(s, most), runes: most},
			"Escape":    {got: Escape(s)},
			"EscapeCut": {got: EscapeCut(s, most), bytes: 12*most + len("…")},
			"JSON":      {got: json, bytes: 12 * most},
			"Quote":     {got: Quote(s, most), bytes: 12*most + len(`"…"`)},
		} {
			bad := func(r rune) bool { return Dangerous(r) && !strings.ContainsRune(c.allowed, r) }
			if !utf8.ValidString(c.got) || strings.ContainsFunc(c.got, bad) {
				t.Errorf("%s(%q) = %q is not safe", rule, s, c.got)
			}
			if c.bytes > 0 && len(c.got) > c.bytes || c.runes > 0 && utf8.RuneCountInString(c.got) > c.runes {
				t.Errorf("%s(%q) = %q is over its limit of %d", rule, s, c.got, most)
			}
		}
		if got := Clip(s, most); len(got) > most+len("… (9223372036854775807 bytes more)") {
			t.Errorf("Clip(%q) = %q is over its limit of %d", s, got, most)
		}
	})
}

// FuzzJSON holds INV-LOSSLESS.
func FuzzJSON(f *testing.F) {
	f.Add(hostile)
	f.Add("\\n \\ud800 \ufffd\xed\xa0\x80\U0001F469")
	pairs := regexp.MustCompile(`((?:^|[^\\])(?:\\\\)*)\\u(d[89ab]..)\\u(d[c-f]..)`)
	f.Fuzz(func(t *testing.T, s string) {
		text, _ := JSON(s, 0)
		whole := text
		for pairs.MatchString(whole) { // Go's literals have no surrogates
			m := pairs.FindStringSubmatchIndex(whole)
			high, err1 := strconv.ParseUint(whole[m[4]:m[5]], 16, 16)
			low, err2 := strconv.ParseUint(whole[m[6]:m[7]], 16, 16)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			whole = whole[:m[3]] + string(rune((high-0xd800)<<10+(low-0xdc00)+0x10000)) + whole[m[1]:]
		}
		if back, err := strconv.Unquote(`"` + whole + `"`); err != nil || back != s {
			t.Errorf("%q became %s and reads back as %q: %v", s, text, back, err)
		}
	})
}

func FuzzStrip(f *testing.F) {
	f.Add("a\x1b]0;日本\x1b\\b\u009b31mc\x9cd")
	f.Add("\x1b(B\x1b[38:2:1:2:3mx\x1bP1$r日\x1b\\")
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "\uFFFD")
		if got, want := strip(s), ansi.Strip(s); got != want {
			t.Fatalf("strip(%q) = %q, ansi.Strip gives %q", s, got, want)
		}
	})
}
