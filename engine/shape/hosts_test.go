package shape

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// grid is hosts=4 gpus=2, where n1 is there twice.
func grid() (Region, HostOf) {
	names := []string{"n1", "ada@n2", "n1", "12"}
	return RegionOf(Extent{{Name: "hosts", Size: 4}, {Name: "gpus", Size: 2}}), func(rank int) string { return names[rank/2] }
}

func TestHostsAreChosenByName(t *testing.T) {
	r, on := grid()
	for text, want := range map[string][]int{
		"hosts=ada@n2":                {2, 3},
		"hosts=n1":                    {0, 1, 4, 5}, // both places
		"hosts=(ada@n2,n1),gpus=1":    {1, 3, 5},
		"gpus=0 , hosts = ( n1 , 3 )": {0, 4, 6},
		"hosts=(ada@n2,2:4)":          {2, 3, 4, 5, 6, 7},
		`hosts="12"`:                  {6, 7}, // in quotes always a name
		`hosts="ada@n2"`:              {2, 3},
		"hosts=3":                     {6, 7},
		"hosts=0-1":                   {0, 1, 2, 3},
		"hosts=(n1)":                  {0, 1, 4, 5},
	} {
		s, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := s.RanksOn(r, on); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s chooses %v, %v, want %v", text, got, err, want)
		}
		back, err := Parse(s.String())
		if err != nil || back.String() != s.String() {
			t.Errorf("%s prints as %s, which reads as %s, %v", text, s, back, err)
		}
		if got, err := back.RanksOn(r, on); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s, which %s prints as, chooses %v, %v", back, text, got, err)
		}
	}
}

// TestOneHostDropsTheDimension: a name slices as the number of its place does.
func TestOneHostDropsTheDimension(t *testing.T) {
	r, on := grid()
	for _, c := range []struct {
		sel  Sel
		want string
	}{
		{OnHosts("ada@n2"), "{gpus: 2}"},
		{OnHosts("ada@n2", "12"), "{hosts: 2, gpus: 2}"},
		{OnHosts("n1"), "{hosts: 2, gpus: 2}"}, // two places
		{At("hosts", 1), "{gpus: 2}"},
	} {
		got, err := r.SliceOn(on, c.sel)
		if err != nil || got.Extent().String() != c.want {
			t.Errorf("%v is %s, %v, want %s", c.sel, got.Extent(), err, c.want)
		}
	}
	half, err := r.SliceOn(on, Span("hosts", 1, 3), OnHosts("n1"), At("gpus", 1))
	if err != nil || half.Len() != 1 || half.RankAt(0) != 5 {
		t.Errorf("within a slice a name means what is left of the host: %v, %v", half, err)
	}
}

func TestHostsThatCannotBeChosenSayWhy(t *testing.T) {
	r, on := grid()
	split, err := r.Split("hosts", Extent{{Name: "racks", Size: 2}, {Name: "hosts", Size: 2}})
	if err != nil {
		t.Fatal(err)
	}
	flat := RegionOf(Extent{{Name: "gpus", Size: 8}})
	none := func(int) string { return "" }
	some := func(rank int) string { return []string{"n1", "", "", ""}[rank/2] }
	long := func(rank int) string { return strings.Repeat("x", 500) + "\x1b[31m" }
	for _, c := range []struct {
		name, text string
		r          Region
		on         HostOf
		want       string
	}{
		{"no such host", "hosts=n9", r, on, `no host n9: it has n1, ada@n2, "12"`},
		{"a number that is a name", `hosts="3"`, r, on, `no host "3": it has`},
		{"one machine", "hosts=n1", r, nil, "hosts=n1: all its ranks are on one machine, where hosts have numbers and no names (0 to 3)"},
		{"no hosts", "hosts=n1", flat, nil, "hosts=n1: no dimension hosts in {gpus: 8}"},
		{"no hosts left", "hosts=n1", flat, on, "hosts=n1: no dimension hosts in {gpus: 8}"},
		{"queued", "hosts=n1", r, none, "no host n1: none has a name yet; their numbers are 0 to 3"},
		{"some are queued", "hosts=n2", r, some, "no host n2: it has n1, and 3 whose name is not known yet"},
		{"a dimension of another meaning", "hosts=n1", split, on, ""}, // both places have n1
		{"a place with two hosts", "hosts=12", split, on, "hosts=12 is out of range"},
		{"a place with two hosts, by name", `hosts="12"`, split, on, `hosts=1 has ranks on ada@n2 and on "12": choose by numbers`},
		{"a hostile name", "hosts=n1", r, long, "no host n1: it has "},
	} {
		s, err := Parse(c.text)
		if err != nil {
			t.Fatal(c.name, err)
		}
		_, err = s.RanksOn(c.r, c.on)
		if c.want == "" && err == nil {
			continue
		}
		if err == nil || c.want == "" || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 300 || strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := r.SliceOn(on, OnHosts()); err == nil || !strings.Contains(err.Error(), "names none") {
		t.Errorf("no names: %v", err)
	}
	if _, err := OnHosts("n1").Resolve(r); err == nil {
		t.Error("a name was taken for a place")
	}
}

func TestNamesOfHostsAreReadByOneRule(t *testing.T) {
	for text, want := range map[string]string{ // where each begins to be wrong
		"hosts=n1:22":           `the name of a host that has other characters than letters, digits and . _ - @ stands between double quotes, as in hosts="fe80::1", not ':' (column 9)`,
		"hosts=fe80::1":         "stands between double quotes",
		`hosts="n1`:             "the quote is never closed (column 7)",
		`hosts=""`:              "want the name of a host between the quotes (column 7)",
		"hosts=\"\u202en1\"":    "want the name of a host between the quotes (column 7)",
		"hosts=-n1":             "none is negative",
		"hosts=(n1,":            "want an index, but the text ends",
		"hosts=(n1 n2)":         "stands between double quotes",
		"gpus=n1":               "want an index, not 'n'",
		`gpus="n1"`:             `want an index, not '"'`,
		"n1":                    "want = after n1",
		"ranks(hosts=n1)":       "ranks(…) knows no names: write [hosts=n1] instead (column 13)",
		"ranks(hosts=(n1,n2))":  "ranks(…) knows no names",
		`ranks(hosts="fe80::")`: `ranks(…) knows no names: write [hosts="fe80::"] instead`,
	} {
		if s, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v, want %q", text, s, err, want)
		}
	}
	for name, want := range map[string]string{
		"n1": "n1", "node-07.cluster.local": "node-07.cluster.local", "ada@n1": "ada@n1", "10.0.0.7": "10.0.0.7", "3com": "3com", "größe": "größe", "1-b": "1-b",
		"12": `"12"`, "1-3": `"1-3"`, "-n": `"-n"`, "": `""`, "fe80::1%eth0": `"fe80::1%eth0"`, "[::1]": `"[::1]"`, `a"b`: `"a\"b"`, "a\nb": `"a\nb"`, "\xff": `"\xff"`,
	} {
		if got := HostText(name); got != want {
			t.Errorf("%q is written %s, want %s", name, got, want)
		}
	}
}

func TestTheEndOfASelectionIsNotInAName(t *testing.T) {
	for text, want := range map[string]int{
		`0]`: 1, `hosts="[::1]"].Get`: 13, `hosts=n1]"]`: 8, `hosts="a\"]b"]`: 13, `hosts="n1]`: 9, `hosts=1`: -1, ``: -1,
	} {
		if got := EndOf(text, ']'); got != want {
			t.Errorf("%s ends at %d, want %d", text, got, want)
		}
	}
}

// TestAnyNameIsFound: whatever a host is called, its text is a selection of it, and of no other.
func TestAnyNameIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringN(1, 20, 40), 1, 4, rapid.ID).Draw(t, "names")
		r := RegionOf(Extent{{Name: "hosts", Size: len(names)}, {Name: "gpus", Size: 2}})
		want := rapid.IntRange(0, len(names)-1).Draw(t, "host")
		s, err := Parse("hosts=" + HostText(names[want]))
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.RanksOn(r, func(rank int) string { return names[rank/2] })
		if err != nil || !slices.Equal(got, []int{2 * want, 2*want + 1}) {
			t.Fatalf("%s of %q chooses %v, %v", s, names, got, err)
		}
		if at := EndOf("hosts="+HostText(names[want])+"]", ']'); at != len("hosts="+HostText(names[want])) {
			t.Fatalf("%s ends at %d", s, at)
		}
	})
}
