package paint

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

func theme(t testing.TB, name string) *Theme {
	t.Helper()
	th, err := NewTheme(name)
	if err != nil {
		t.Fatal(err)
	}
	return th
}

var texts = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
	"plain", "日本語テキスト", "a\x1b[31mred", "e\u0301tude", "👩‍🚀🏳️‍🌈", "tab\tnew\nline", "\xff\xfe", "\u200b\u202eevil", strings.Repeat("x", 300),
}))

// TestDrawingStaysInItsBoxINV_BOX holds INV-BOX.
func TestDrawingStaysInItsBoxINV_BOX(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(0, 30).Draw(t, "w"), rapid.IntRange(0, 12).Draw(t, "h")
		r := Rect{rapid.IntRange(-3, 30).Draw(t, "x"), rapid.IntRange(-3, 12).Draw(t, "y"), rapid.IntRange(-1, 30).Draw(t, "rw"), rapid.IntRange(-1, 12).Draw(t, "rh")}
		s := New(w, h)
		in := s.In(r)
		for range 5 {
			in.Text(rapid.IntRange(-40, 40).Draw(t, "tx"), rapid.IntRange(-4, 14).Draw(t, "ty"), Style{Fg: Accent}, texts.Draw(t, "text"))
		}
		Frame{Key: "3", Title: texts.Draw(t, "title"), Tabs: []string{texts.Draw(t, "tab")}, Right: texts.Draw(t, "right"), Foot: "1 of 2", FootLeft: texts.Draw(t, "left"), Focus: true, Total: 100, Shown: 3}.Draw(in)
		in.In(Rect{1, 1, 5, 2}).Fill(Style{Bg: Cursor})
		for y := range h {
			for x := range w {
				if c := s.c.cells[y*w+x]; c != blank && !r.Contains(x, y) {
					t.Fatalf("(%d,%d) outside %v was drawn: %+v", x, y, r, c)
				}
			}
		}
	})
}

// TestRowsAreAsWideAsTheSurfaceINV_WIDTH holds INV-WIDTH, and of what it draws INV-CLEAN and INV-ASCII.
func TestRowsAreAsWideAsTheSurfaceINV_WIDTH(t *testing.T) {
	dark, plain := theme(t, "dark"), theme(t, "mono")
	plain.ASCII = true
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 40).Draw(t, "w"), rapid.IntRange(1, 6).Draw(t, "h")
		s := New(w, h)
		for range 6 {
			s.Text(rapid.IntRange(-5, 40).Draw(t, "x"), rapid.IntRange(0, 6).Draw(t, "y"), Style{Fg: Role(rapid.IntRange(0, int(roles)-1).Draw(t, "role"))}, texts.Draw(t, "text"))
		}
		for _, th := range []*Theme{dark, plain} {
			lines := strings.Split(s.Encode(th), "\n")
			if len(lines) != h {
				t.Fatalf("%d rows, want %d", len(lines), h)
			}
			for _, l := range lines {
				bare := ansi.Strip(l)
				if got := ansi.StringWidthWc(bare); got != w {
					t.Fatalf("row %q is %d wide, want %d", bare, got, w)
				}
				for _, r := range bare {
					if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
						t.Fatalf("INV-CLEAN: control %q in %q", r, bare)
					}
					if th.ASCII && r > 0x7e {
						t.Fatalf("INV-ASCII: %q in %q", r, bare)
					}
				}
			}
		}
	})
}

func TestTextsAreFittedAndWrapped(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Fit("hello", 5), "hello"}, {Fit("hello", 4), "hel…"}, {Fit("hello", 1), "…"}, {Fit("hello", 0), ""}, {Fit("日本語", 5), "日本…"}, {Fit("日本語", 4), "日…"},
		{FitMiddle("trainer_group_a", 9), "trai…up_a"}, {FitMiddle("abc", 9), "abc"}, {Pad("ab", 4), "ab  "}, {PadLeft("ab", 4), "  ab"},
		{strings.Join(Wrap("one two three", 7), "|"), "one two|three"}, {strings.Join(Wrap("abcdefgh", 3), "|"), "abc|def|gh"}, {strings.Join(Wrap("", 3), "|"), ""},
		{strings.Join(Wrap("日本語", 1), "|"), ""},
		{strings.Join(Wrap("is pingpong.PingPongActor", 20), "|"), "is|pingpong.|PingPongActor"}, {strings.Join(Wrap("example.com/demos/toy.Toy", 12), "|"), "example.com/|demos/toy.|Toy"},
		{strings.Join(Wrap("v1.23456789", 8), "|"), "v1.|23456789"}, {strings.Join(Wrap("1.234567890123", 10), "|"), "1.23456789|0123"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestAFrameCarriesInformationInItsBorder(t *testing.T) {
	s := New(40, 4)
	Frame{Key: "2", Tabs: []string{"State", "Mailbox"}, Tab: 0, Right: "ponger", Foot: "1 of 24", FootLeft: "live"}.Draw(s).Text(0, 0, Style{}, "inside")
	want := `
╭[2] ‹State› Mailbox ───────── ponger ─╮
│inside                                │
│                                      │
╰─ live ───────────────────── 1 of 24 ─╯`
	if got := "\n" + s.Plain(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestAThemeThatIsNotThereIsNamedWithThoseThatAre(t *testing.T) {
	if _, err := NewTheme("drak"); err == nil || !strings.Contains(err.Error(), "have dark, light") {
		t.Fatal(err)
	}
}

// BenchmarkEncode is a whole screen of 200×60 with a style change every third cell.
func BenchmarkEncode(b *testing.B) {
	th := theme(b, "dark")
	s := New(200, 60)
	for y := range 60 {
		for x := 0; x < 200; x += 3 {
			s.Text(x, y, Style{Fg: Role(1 + (x/3)%int(roles-1))}, "● ")
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Encode(th)
	}
}

// TestALongWordIsWrappedInOneWalk would not end in time if each line looked at all that is left.
func TestALongWordIsWrappedInOneWalk(t *testing.T) {
	if got := len(Wrap(strings.Repeat("é", 1<<21), 50)); got != (1<<21+49)/50 {
		t.Errorf("%d lines", got)
	}
}

func TestTheTailOfATextFits(t *testing.T) {
	for text, want := range map[string]string{"": "", "ab": "ab", "abcd": "bcd", "日本語": "語", "é日": "é日"} {
		if got := Tail(text, 3); got != want {
			t.Errorf("Tail(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestVoiceMarksOfHalfWidthKanaAreKeptAndTakeACell(t *testing.T) {
	for text, want := range map[string]int{"ｶﾞｷﾞ": 4, "ﾊﾟｰﾄ": 4, "ﾞ": 1, "xﾞ": 2, "ｶ": 1, "ガ": 2} {
		s := New(8, 1)
		s.Text(0, 0, Style{}, text)
		if got := s.Plain(); Width(text) != want || got != text {
			t.Errorf("%q takes %d cells, want %d, and is drawn as %q", text, Width(text), want, got)
		}
	}
	if got := Fit("ｶﾞｷﾞ", 3); got != "ｶﾞ…" {
		t.Errorf("cut to %q", got)
	}
}
