package shape

import (
	"errors"
	"strings"
	"testing"
)

func TestParseRefusals(t *testing.T) {
	for _, tc := range []struct {
		text   string
		offset int
		want   string
	}{
		{"", 0, "want *, ranks such as 0,2-5 or 1:4, or dim=…, but the text ends"},
		{"  ", 2, "want *, ranks"},
		{"-1", 0, "want a rank, and none is negative: they count from 0"},
		{"1-", 2, "want the last rank after the dash, as in 1-4, but the text ends"},
		{"1--2", 2, "none is negative"},
		{"5-3", 0, "5-3 runs backwards: want 3-5"},
		{"4:4", 0, "range 4:4 is empty: the end is not included, so want an end above 4"},
		{"1:9:0", 4, "step 0 never moves: want 1 or more"},
		{"1:9:-1", 4, "none is negative"},
		{"1,,2", 2, "want a rank, not ','"},
		{"1,", 1, "want another rank after the comma"},
		{",1", 0, "want a rank, not ','"},
		{"1 2", 2, "want a comma or the end, not '2'"},
		{"1x", 0, `want a rank, not "1x"`},
		{"0,dp=1", 2, "ranks and dimensions cannot be mixed"},
		{"dp=1,3", 5, "want dim=…, not '3'"},
		{"dp", 2, "want = after dp, as in dp=0, but the text ends"},
		{"dp=", 3, "want an index, but the text ends"},
		{"dp=x", 3, "want an index, not 'x'"},
		{"dp=-1", 3, "want an index, and none is negative"},
		{"dp=1,dp=2", 5, "dimension dp is given twice: write dp=(…) for several indices"},
		{"dp=(1,2", 7, "want a comma or the ) of dp=(…), but the text ends"},
		{"dp=()", 4, "want an index, not ')'"},
		{"dp=(1,)", 6, "want an index, not ')'"},
		{"dp=1,", 4, "want another dim=… after the comma"},
		{"*,1", 1, "want a comma or the end"},
		{"1:2:3:4", 5, "want a comma or the end, not ':'"},
		{"99999999999999999999", 0, "99999999999999999999 is too large for a rank"},
		{"ranks (1)", 5, "want ( directly after ranks, as in ranks(1,3)"},
		{"ranks(1", 7, "want a comma or the ) of ranks(…), but the text ends"},
		{"ranks(1) 2", 9, "want nothing after ranks(…), not '2'"},
		{"ranks(1-3)", 7, "ranges in ranks(…) are written with a colon, as in 1:4"},
		{"ranks(*)", 6, "want a rank, not '*'"},
		{"\x1b[2J", 0, `want a rank, not '\x1b'`},
		{"é", 0, "want a rank, not 'é'"},
	} {
		_, err := Parse(tc.text)
		perr, ok := errors.AsType[*ParseError](err)
		if !ok || perr.Offset != tc.offset || !strings.Contains(perr.Msg, tc.want) {
			t.Errorf("Parse(%q): got %v, want %q at byte %d", tc.text, err, tc.want, tc.offset)
		}
	}
}

func TestParseReadsBothForms(t *testing.T) {
	for text, want := range map[string]string{
		"*":                            "*",
		" * ":                          "*",
		"3":                            "3",
		"0, 2-5":                       "0,2-5",
		"1:4":                          "1-3",
		"1:10:2":                       "1:10:2",
		":":                            ":",
		"2:":                           "2:",
		":4":                           "0-3",
		"::2":                          "::2",
		"0,2:4,8-9":                    "0,2-3,8-9",
		"dp=1:4,tp=(1,2)":              "dp=1:4,tp=(1,2)",
		"dp = 1-3 , tp = * ":           "dp=1:4,tp=:",
		"tp=(1)":                       "tp=(1)",
		"tp=(1,2:5)":                   "tp=(1,2:5)",
		"ranks(3)":                     "3",
		" ranks( 1 , 3,5 ) ":           "1,3,5",
		"ranks(1:10:2)":                "1:10:2",
		"ranks(host=0:2, gpu=(1,3))":   "host=0:2,gpu=(1,3)",
		"ranks=2":                      "ranks=2",
		"ranks =2":                     "ranks=2",
		"ranks(pp=2, dp=(1,3),tp=2:8)": "pp=2,dp=(1,3),tp=2:8",
	} {
		got, err := Parse(text)
		if err != nil || got.String() != want {
			t.Errorf("Parse(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

// TestParseRanksAcceptsAndRefusesAsMonarch holds INV-MONARCH: the published cases of Monarch's debugger, as far as they concern what is inside ranks(…), and their neighbours.
func TestParseRanksAcceptsAndRefusesAsMonarch(t *testing.T) {
	valid := map[string]string{
		"123": "123", "12,34,56": "12,34,56",
		":": ":", ":123": "0-122", "123:": "123:", "123:456": "123-455",
		"::": ":", "::123": "::123", "123::": "123:", ":123:": "0-122", ":456:123": "0:456:123",
		"456::123": "456::123", "123:456:": "123-455", "456:789:123": "456:789:123",
		"dim1=123":                              "dim1=123",
		"dim1=123, dim2=(12,34,56), dim3=15::2": "dim1=123,dim2=(12,34,56),dim3=15::2",
		" 1 , 2 ":                               "1,2",
		"1 : 2 : 3":                             "1:2:3",
		": :":                                   ":",
		"a = ( 1 , 2 )":                         "a=(1,2)",
		"_a9=:":                                 "_a9=:",
		"007":                                   "7",
		"5:3":                                   "5:3",
		"0:0":                                   "0:0",
		"1,1":                                   "1,1",
		"dp=1,dp=2":                             "dp=2",
		"99999999999999999999":                  "9223372036854775807",
		"0:99999999999999999999":                ":",
		"\n1\r,\f2\t":                           "1,2",
		"dim1=1,dim2=2:,dim3=(0,0)":             "dim1=1,dim2=2:,dim3=(0,0)",
		strings.Repeat("0", 4299) + "1":         "1",
		strings.Repeat("1,", 1000) + "1":        strings.Repeat("1,", 1000) + "1",
		"a=1,b=2:3:4,c=::,d=(1,2,3),e=0":        "a=1,b=2:3:4,c=:,d=(1,2,3),e=0",
		"ranks=1":                               "ranks=1",
		"dim1 =123":                             "dim1=123",
		"x=1:2 , y=3":                           "x=1:2,y=3",
		"A=1":                                   "A=1",
		"dim1=(12,34,56), dim1=1:2, dim2=3, dim1=9": "dim1=9,dim2=3",
	}
	for text, want := range valid {
		got, err := ParseRanks(text)
		if err != nil || got.String() != want {
			t.Errorf("ranks(%.40s) = %.60q, %v, want %.60q", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", " ", "1ab", "1,a,3", "a:2:4", "1,2,3(", "1,2,3)", "1,", "1,2,", ",1,2", "1,,2", ":::", ":123::", "1:2:3,4",
		"dim1=", "dim1=123, dim2=", "dim1=123, dim2=(12,34,56", "dim1=123, dim2=(,12,34,56", "dim1=123, dim2=(,12,34,56)",
		"dim1=123, dim2=(12,,34,56)", "dim1=123,", "dim1=123,,dim2=1", ",dim1=1",
		"-1", "1,-2", "-1:2", "1:-2", "1::-1", "1::0", "::0", "1:2:0", "dim=::0",
		"*", "dim=*", "1-3", "dim=1-3", "dim=(1)", "dim=()", "dim=(1,2:3)", "dim=(1:2)", "(1,2)", "1 2", "1:2 3",
		"dim", "dim=1 dim2=2", "1,dim=2", "dim=2,1", "1:2,3:4", "1,2:3", "9a=1", "a-b=1", "é=1", "a==1", "a=b", "dim=1,2",
		"1.5", "0x1", "1_000", "+1", "ranks(1)", strings.Repeat("1", 4301),
	} {
		if got, err := ParseRanks(text); err == nil {
			t.Errorf("ranks(%.40s) must be refused, gave %q", text, got)
		} else if _, ok := errors.AsType[*ParseError](err); !ok {
			t.Errorf("ranks(%.40s): %T is no ParseError", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"*", "0,2-5", "1:10:2", "dp=1:4,tp=(1,2)", "ranks(host=0:2, gpu=(1,3))", "ranks(:)", "1-9223372036854775807", "\xff,", "hosts=n2", "hosts=(n1,ada@n2,2:4),tp=1", `hosts="fe80::1"`, `hosts="a\"]"`} {
		f.Add(seed)
	}
	r := RegionOf(Extent{{Name: "dp", Size: 3}, {Name: "tp", Size: 5}, {Name: "hosts", Size: 2}})
	on := func(rank int) string { return []string{"n1", "n2"}[rank%2] }
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func(string) (Selection, error){Parse, ParseRanks} {
			s, err := parse(text)
			if err != nil {
				perr, ok := errors.AsType[*ParseError](err)
				if !ok || perr.Offset < 0 || perr.Offset > len(text) {
					t.Fatalf("%q: bad error %v", text, err)
				}
				continue
			}
			if parts, err := s.ResolveOn(r, on); err == nil {
				seen := map[int]bool{}
				for _, p := range parts {
					for base := range p.Ranks() {
						if _, ok := r.IndexOf(base); !ok || seen[base] {
							t.Fatalf("%q chooses %d twice or outside", text, base)
						}
						seen[base] = true
					}
				}
				if len(seen) == 0 {
					t.Fatalf("%q resolved to nothing without an error", text)
				}
			}
		}
		if s, err := Parse(text); err == nil && !strings.Contains(text, "ranks") {
			back, err := Parse(s.String())
			if err != nil || back.String() != s.String() {
				t.Fatalf("%q prints as %q, which reads as %q, %v", text, s, back, err)
			}
		}
	})
}

func TestPlacesInASliceAreToldWhereTheyAreOtherNumbers(t *testing.T) {
	whole := RegionOf(Extent{{Name: "hosts", Size: 2}, {Name: "gpus", Size: 2}})
	slice := func(s ...Sel) Region {
		t.Helper()
		r, err := whole.Slice(s...)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for want, view := range map[string]Region{
		"[0-3]":                      whole,
		"[0-1]":                      slice(At("hosts", 0)),
		"[2-3] ([0-1] of the slice)": slice(At("hosts", 1)),
		"[0,2] ([0-1] of the slice)": slice(At("gpus", 0)),
		"[3] (gpus=0 of the slice)":  slice(At("hosts", 1), Span("gpus", 1, 2)),
		"[2]":                        slice(At("hosts", 1), At("gpus", 0)),
	} {
		var ranks []int
		var points []Point
		for i := range view.Len() {
			ranks, points = append(ranks, view.RankAt(i)), append(points, view.Point(i))
		}
		if got := FormatPlaces(ranks, points); got != want {
			t.Errorf("%v: %s, want %s", view, got, want)
		}
	}
}
