package filter_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

var rows = map[string]*filter.Fields{
	"ping": {
		From: "pinger[0]", To: "ponger[3]", Endpoint: "pong", Mesh: []string{"pinger", "ponger"}, State: "replied", Kind: "call",
		Rank: []int{0, 3}, Call: 41, Family: 7, Took: 1200 * time.Microsecond, HasTook: true, Text: "pinger[0] ponger[3] pong(n=3) 4",
	},
	"hello": {
		From: "main", To: "toy[12]", Endpoint: "HelloWorld", Mesh: []string{"toy"}, State: "failed", Kind: "error",
		Rank: []int{12}, Call: 42, Took: 3 * time.Second, HasTook: true, Text: `main toy[12] HelloWorld(arg="Grüße") ✕ want int`,
	},
	"log":    {Mesh: []string{"toy"}, Rank: []int{5}, Stream: "err", Level: "warn", Text: "/x: disk 12:30 almost full"},
	"engine": {Stream: "engine", Level: "info", Text: "listening on 127.0.0.1"},
}

func TestAFilterLetsThrough(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "ping hello log engine",
		"pong":                       "ping",
		"PONG":                       "", // capitals count where there is one
		"HelloW":                     "hello",
		"hewo":                       "hello", // the beginnings of a name's pieces
		"hlw":                        "",
		"po3":                        "ping",
		"GRÜSSE":                     "",
		"grüße":                      "hello",
		`"n=3) 4"`:                   "ping",
		`"po3"`:                      "",
		`"/x"`:                       "log",
		"12:30":                      "log",
		"!pong":                      "hello log engine",
		"!!pong":                     "ping",
		"/p.nger/":                   "ping",
		"/P.nger/":                   "",
		`/\Wn=\d/`:                   "ping", // the capital of a class does not count
		`/\/x/`:                      "log",
		"from:pinger":                "ping",
		"from:main,pinger":           "ping hello",
		"to:*[12]":                   "hello",
		"to:ponger[1]":               "",
		"endpoint:/^p/":              "ping",
		"mesh:toy":                   "hello log",
		"mesh:toy rank:5":            "log",
		"rank:0-3":                   "ping",
		"rank:0:3":                   "ping",
		"rank:1:3":                   "",
		"rank:>4":                    "hello log",
		"rank:5,12":                  "hello log",
		"!rank:5,12":                 "ping engine",
		"state:fail":                 "hello",
		"kind:error,call !state:rep": "hello",
		"took:>5ms":                  "hello",
		"took:1ms":                   "ping hello",
		"took:<=2ms":                 "ping",
		"call:#41":                   "ping",
		"family:7":                   "ping",
		"family:42":                  "hello",
		"level:warn":                 "log",
		"level:>=info":               "log engine",
		"level:err":                  "",
		"stream:eng":                 "engine",
		"text:full !kind:error":      "log",
	} {
		f, err := filter.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, name := range []string{"ping", "hello", "log", "engine"} {
			if f.Match(rows[name]) {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s lets through %v, want %s", text, got, want)
		}
	}
}

func TestAFilterHasOneText(t *testing.T) {
	for text, want := range map[string]string{
		"  a   b ":              "a b",
		"!!a !!!b":              "a !b",
		"FROM:x":                "from:x",
		"took:5ms":              "took:>=5ms",
		"took:>60m":             "took:>1h",
		"took:<90s":             "took:<1m30s",
		"call:#41,41,0042":      "call:41,42",
		"rank:0:8,3-3,>=9":      "rank:0-7,3,>=9",
		"call:2199023255553":    "call:2.1",
		"family:i3.07":          "family:i3.7",
		"level:WARNING":         "level:warn",
		"level:>=e":             "level:>=error",
		`"a \"b\" \\ c"`:        `"a \"b\" \\ c"`,
		`/a\/b\\/ from:/x/,"y"`: `/a\/b\\/ from:/x/,"y"`,
		"from:a,b,a":            "from:a,b",
	} {
		f, err := filter.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := f.String(); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

func TestAnErrorSaysWhereAndWhatWouldBeRight(t *testing.T) {
	logs := []filter.Key{filter.Level, filter.Rank, filter.Mesh, filter.Stream, filter.Text}
	for _, c := range []struct {
		text, want string
		keys       []filter.Key
	}{
		{"a !", "column 3: after ! comes what must not be: !kind:error", nil},
		{"pong form:x", "column 6: there is no form: (did you mean from?); put text with a colon in quotes", nil},
		{"took:>5ms", "column 1: took: means nothing here; there is text: mesh: stream: level: rank:", logs},
		{"lvel:warn", "column 1: there is no lvel: (did you mean level?); put text with a colon in quotes", logs},
		{"from:", "column 5: from: wants a text: from:name", nil},
		{"from:a,", "column 7: from: wants a text: from:name", nil},
		{"rank:x", `column 6: rank: wants ranks such as 3, 0-7, 0:8 or >7, not "x"`, nil},
		{"rank:1,5-2", "column 8: rank: 5-2 holds no rank", nil},
		{"took:>5", "column 7: took: wants a unit: 5ms, 5s", nil},
		{"took:>fast", `column 7: took: wants a time such as 5ms or 1.5s, not "fast"`, nil},
		{"call:x", `column 6: call: wants the number of a call, not "x"`, nil},
		{"level:lout", `column 7: there is no level "lout" (have debug, error, info, warn)`, nil},
		{"a /b", "column 3: the expression has no closing /; text that begins with / goes in quotes", nil},
		{"/x/y", "column 4: after the closing / comes a blank; text that begins with / goes in quotes", nil},
		{"/(b/", "column 1: the expression cannot be read: missing closing ): (b", nil},
		{"// x", "column 1: there is nothing between the two /", nil},
		{`x "ab`, "column 3: the text has no closing quote", nil},
		{`grüße "ab"c`, "column 11: after the closing quote comes a blank", nil},
		{"/" + strings.Repeat("a", 201) + "/", "column 1: an expression has at most 200 characters, this one 201", nil},
		{strings.Repeat("a ", 33), "column 65: a filter has at most 32 terms", nil},
	} {
		_, err := filter.Parse(c.text, c.keys...)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestAChipCanBeTakenAway(t *testing.T) {
	f, err := filter.Parse("a from:b !c")
	if err != nil {
		t.Fatal(err)
	}
	if terms := f.Terms(); len(terms) != 3 || terms[1].String() != "from:b" || terms[1].Key != filter.From || !terms[2].Not {
		t.Errorf("the terms are %v", terms)
	}
	if got := f.Without(1).String(); got != "a !c" {
		t.Errorf("without its second term it is %q", got)
	}
	if f.String() != "a from:b !c" || !f.Uses(filter.Word) || f.Uses(filter.Took) || f.Empty() || !(*filter.Filter)(nil).Empty() {
		t.Error("a filter changed, or does not know what it looks at")
	}
}

func TestWhatIsFoundIsMarked(t *testing.T) {
	for _, c := range []struct {
		filter string
		key    filter.Key
		text   string
		want   string
	}{
		{"pong", filter.To, "ponger pong", "[pong]er [pong]"},
		{"hewo", filter.Endpoint, "say HelloWorld", "say [He]llo[Wo]rld"},
		{"from:ping", filter.From, "pinger", "[ping]er"},
		{"from:ping", filter.To, "pinger", "pinger"},
		{"!ping", filter.From, "pinger", "pinger"},
		{"/n=\\d/ ong", filter.Endpoint, "pong(n=3)", "p[ong]([n=3])"},
		{"üß ß", filter.Text, "GRÜẞE grüße", "GR[Üẞ]E gr[üß]e"},
		{"aba ab", filter.Text, "ababa", "[abab]a"}, // what touches is one
	} {
		f, err := filter.Parse(c.filter)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, seg := range f.Segs(c.key, c.text, paint.Style{}) {
			if seg.Style.Fg == paint.Match {
				b.WriteString("[" + seg.Text + "]")
			} else {
				b.WriteString(seg.Text)
			}
		}
		if b.String() != c.want {
			t.Errorf("%s marks %s, want %s", c.filter, b.String(), c.want)
		}
	}
}

// FuzzFilter holds INV-CANON, INV-COLUMN and INV-HOSTILE.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		`pong from:pinger[3] took:>5ms !kind:reply /want \w+/`, `"a \" b" level:>=warn rank:1,4-7,2:8,>7`, "call:#41 !!x /a\\/b/ from:*x*",
		"from:/a/,\"b,c\",d", "!", "form:x", "/(/", "grüße:x", "\xff\xfe", "took:1h0m0s", "text:hewo hewo",
	} {
		f.Add(s, "Grüße HelloWorld ponger[3] \xff a/b")
	}
	f.Fuzz(func(t *testing.T, text, row string) {
		fl, err := filter.Parse(text)
		if err != nil {
			fe, ok := errors.AsType[*filter.Error](err)
			if n := len([]rune(text)); !ok || fe.Column < 1 || fe.Column > max(1, n) {
				t.Fatalf("%q (%d runes): %v", text, n, err)
			}
			return
		}
		canon := fl.String()
		again, err := filter.Parse(canon)
		if err != nil || again.String() != canon {
			t.Fatalf("%q is %q, which is %q, %v", text, canon, again.String(), err)
		}
		fields := &filter.Fields{
			From: row, To: row, Endpoint: row, Mesh: []string{row}, State: row, Kind: row, Stream: row, Level: row, Text: row,
			Rank: []int{len(row)}, Call: 41, Took: time.Duration(len(row)) * time.Millisecond, HasTook: true,
		}
		if fl.Match(fields) != again.Match(fields) {
			t.Fatalf("%q and %q do not agree about %q", text, canon, row)
		}
		at := 0
		for _, s := range fl.Spans(filter.From, row) {
			if s.From < at || s.To <= s.From || s.To > len(row) {
				t.Fatalf("%q marks %v in %q", text, s, row)
			}
			at = s.To
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	for _, text := range []string{"from:pinger took:>5ms", "hewo", "/p.n(g|k)er/"} {
		b.Run(text, func(b *testing.B) {
			f, err := filter.Parse(text)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				f.Match(rows["ping"])
			}
		})
	}
}
