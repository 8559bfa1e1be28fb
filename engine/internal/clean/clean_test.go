package clean

import (
	"strings"
	"testing"
	"unicode"

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

func FuzzLine(f *testing.F) {
	f.Add("\x1b[2J\u009b31m\x00")
	f.Add("\x1bP+q\x1b\\ \u202e")
	f.Fuzz(func(t *testing.T, s string) {
		got := Line(s)
		if i := strings.IndexFunc(got, func(r rune) bool { return unicode.IsControl(r) || r == 0x202e }); i >= 0 {
			t.Fatalf("Line(%q) = %q still holds a control character", s, got)
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
