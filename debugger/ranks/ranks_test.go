package ranks

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// The shapes below were judged by Monarch's own parser, version 0.7.0; ours must judge them the same.

// TestParseAcceptsWhatMonarchAccepts holds INV-MONARCH: each form of ranks(…), and which ranks of a 3×40 mesh it is.
func TestParseAcceptsWhatMonarchAccepts(t *testing.T) {
	extent := shape.Extent{{Name: "dim1", Size: 3}, {Name: "dim2", Size: 40}}
	for _, c := range []struct{ text, ranks string }{
		{"0", "0"}, {"119", "119"}, {"007", "7"}, {" 5 ", "5"},
		{"1,2", "1-2"}, {"1,3,5", "1,3,5"}, {"5,3,1", "1,3,5"}, {"1,1", "1"}, {" 1 , 2 ", "1-2"}, {"1\t,\n2", "1-2"},
		{":", "0-119"}, {"::", "0-119"}, {": :", "0-119"}, {":3", "0-2"}, {"117:", "117-119"}, {"4:6", "4-5"}, {"1 : 9 : 3", "1,4,7"},
		{"::60", "0,60"}, {"100::10", "100,110"}, {":3:", "0-2"}, {":9:4", "0,4,8"}, {"4:6:", "4-5"}, {"118:999", "118-119"},
		{"118:99999999999999999999", "118-119"}, {"118::", "118-119"},
		{"dim1=1", "40-79"}, {"dim2=0", "0,40,80"}, {"dim1=1,dim2=3", "43"}, {"dim1=(0,2),dim2=0", "0,80"}, {"dim1=0:2, dim2 = ( 0 , 1 )", "0-1,40-41"},
		{"dim2=::20", "0,20,40,60,80,100"}, {"dim1=:,dim2=39", "39,79,119"}, {"dim1=0,dim1=1,dim2=0", "40"}, {"dim1=(1,1),dim2=0", "40"},
	} {
		set, err := Parse(c.text)
		if err != nil {
			t.Errorf("ranks(%s): %v", c.text, err)
			continue
		}
		got, err := set.Ranks(extent)
		if err != nil || shape.FormatRanks(got) != c.ranks {
			t.Errorf("ranks(%s) = %s, %v, want %s", c.text, shape.FormatRanks(got), err, c.ranks)
		}
	}
	for _, accepted := range []string{"5:3", "0:0", "99999999999999999999", "nope=1", "_a9=:", "A=1", "ranks=1"} { // Monarch reads them, and matches nothing
		if _, err := Parse(accepted); err != nil {
			t.Errorf("ranks(%s): %v", accepted, err)
		}
	}
}

// TestParseRefusesWhatMonarchRefuses holds INV-MONARCH.
func TestParseRefusesWhatMonarchRefuses(t *testing.T) {
	for _, text := range []string{
		"", " ", "1ab", "1,a,3", "a:2:4", "1,2,3(", "1,2,3)", "1,", "1,2,", ",1,2", "1,,2", ":::", ":1::", "1:2:3,4", "1:2,3", "1,2:3", "1,:",
		"-1", "1,-2", "-1:2", "1:-2", "1::-1", "::0",
		"*", "1-3", "(1,2)", "1 2", "1.5", "0x1", "1_000", "+1", "ranks(1)", "()",
		"dim", "dim=", "dim=*", "dim=()", "dim=(1)", "dim=(1,)", "dim=(,1,2)", "dim=(1,,2)", "dim=(1,2", "dim=(1:2)", "dim=(1,2:3)", "dim=1,2", "dim=1,",
		"dim=1,,b=2", ",dim=1", "dim=1 b=2", "1,dim=2", "dim==1", "dim=b", "9a=1", "a-b=1", "a.b=1", "é=1", "dim=1-3", "dim=-1",
		strings.Repeat("1", 4301), strings.Repeat("1,", maxLine/2) + "11",
	} {
		_, err := Parse(text)
		if _, ok := errors.AsType[*shape.ParseError](err); !ok {
			t.Errorf("ranks(%.40s) must be refused with its place, got %v", text, err)
		}
	}
}

// TestASetThatMatchesNothingSaysWhatThereIs holds INV-FOUND.
func TestASetThatMatchesNothingSaysWhatThereIs(t *testing.T) {
	extent := shape.Extent{{Name: "hosts", Size: 2}, {Name: "gpus", Size: 4}}
	for _, c := range []struct{ text, err string }{
		{"host=0", "ranks(host=0): host=0: no dimension host in {hosts: 2, gpus: 4} (did you mean hosts?)"},
		{"8", "rank 8 is out of range"},
		{"1,8", "rank 8 is out of range"},
		{"8:", "begin out of range"},
		{"5:3", "hold nothing"},
		{"gpus=4", "gpus"},
		{"gpus=(1,9)", "gpus"},
		{"hosts=1:1", "hosts"},
		{"99999999999999999999", "out of range"},
	} {
		set, err := Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := set.Ranks(extent)
		if err == nil || !strings.Contains(err.Error(), c.err) || !strings.HasPrefix(err.Error(), "ranks(") {
			t.Errorf("ranks(%s) of %s = %v, %v; want an error with %q", c.text, extent, got, err, c.err)
		}
	}
	for _, e := range []shape.Extent{{{Name: "a", Size: 0}}, {{Name: "a", Size: math.MaxInt}}, {{Name: "a", Size: 2 << 20}}, {{Name: "a", Size: 1}, {Name: "a", Size: 1}}} {
		if got, err := (Set{}).Ranks(e); err == nil {
			t.Errorf("a set of %v must be refused, gave %d ranks", e, len(got))
		}
	}
	if got, err := (Set{}).Ranks(nil); err != nil || !reflect.DeepEqual(got, []int{0}) {
		t.Errorf("a mesh without dimensions has rank 0, got %v, %v", got, err)
	}
}

func TestAmongTellsTheStoppedFromTheRest(t *testing.T) {
	extent := shape.Extent{{Name: "rank", Size: 8}}
	set, err := Parse("1:5")
	if err != nil {
		t.Fatal(err)
	}
	here, absent, err := set.Among(extent, []int{7, 3, 1})
	if err != nil || !reflect.DeepEqual(here, []int{1, 3}) || !reflect.DeepEqual(absent, []int{2, 4}) {
		t.Errorf("got %v, %v, %v", here, absent, err)
	}
	for _, c := range []struct {
		present []int
		err     string
	}{{[]int{7, 6}, "stopped are 6-7"}, {nil, "no rank of this mesh is stopped"}} {
		if here, _, err := set.Among(extent, c.present); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("of %v: %v, %v, want %q", c.present, here, err, c.err)
		}
	}
}

// TestCommandsAreReadAsMonarchReadsThem holds INV-MONARCH for whole lines.
func TestCommandsAreReadAsMonarchReadsThem(t *testing.T) {
	for line, want := range map[string]string{
		"attach foo 3": "attach foo 3", "a foo 3": "attach foo 3", "attach foo 3 ": "attach foo 3", " attach\tfoo\n3\n": "attach foo 3",
		"attach 3 4": "attach 3 4", "attach foo-3 4": "attach foo-3 4", "attach 3foo 4": "attach 3foo 4", "attach foo_bar 1": "attach foo_bar 1",
		"attach foo 007": "attach foo 7", "a a 1": "attach a 1", "a  1 1": "attach 1 1", "attach - 1": "attach - 1",
		"attach foo 99999999999999999999": fmt.Sprint("attach foo ", math.MaxInt),
		"cast foo ranks(:) n":             "cast foo : |n|", "cast foo ranks(:)n": "cast foo : |n|", "cast foo ranks( : ) n  ": "cast foo : |n  |",
		"cast foo ranks(1) é": "cast foo 1 |é|", "cast foo ranks(1) n\n": "cast foo 1 |n|", "cast foo ranks(1) n\r": "cast foo 1 |n\r|",
		"cast ranks ranks(1) n": "cast ranks 1 |n|", "cast foo\nranks(1)\nn": "cast foo 1 |n|", "cast foo ranks(1\n) n": "cast foo 1 |n|",
		"cast  foo  ranks(a=1,b=(1,2)) p x, y ranks(1) n": "cast foo a=1,b=(1,2) |p x, y ranks(1) n|",
		"cast foo ranks(1) 1":                             "cast foo 1 |1|", "cast foo ranks(1) _": "cast foo 1 |_|", "cast foo ranks(1) ²": "cast foo 1 |²|", "cast foo ranks(1) ①": "cast foo 1 |①|",
		"cast foo ranks(1) p f(x))": "cast foo 1 |p f(x))|",
		"h":                         "help", "help": "help", " help ": "help", "l": "list", "list": "list", "c": "continue", "continue": "continue", "q": "quit", "quit": "quit",
	} {
		c, err := ParseCommand(line)
		got := string(c.Word)
		switch c.Word {
		case Attach:
			got += fmt.Sprintf(" %s %d", c.Actor, c.Rank)
		case Cast:
			got += fmt.Sprintf(" %s %s |%s|", c.Actor, c.Ranks, c.Line)
		case List, Continue, Quit, Help:
		}
		if err != nil || got != want {
			t.Errorf("%q = %q, %v, want %q", line, got, err, want)
		}
	}
}

// TestLinesThatMonarchRefuses holds INV-MONARCH; the column is where a person looks.
func TestLinesThatMonarchRefuses(t *testing.T) {
	for line, column := range map[string]int{
		"": 1, "   ": 4, "he": 1, "helph": 1, "help h": 6, "list foo": 6, "cont": 1, "quit now": 6, "HELP": 1, "detach": 1, "help\v": 5,
		"afoo 3": 1, "attachfoo 3": 1, "attach": 7, "attach ": 8, "attach foo": 11, "attach foo3": 12, "attach 34": 10, "attach foo -4": 12, "attach foo 3 4": 14,
		"attach foo 0x3": 13, "attach foo.bar 1": 11, "attach @foo 1": 8, "attach é 1": 8, "attach foo ٣": 12, "attach foo " + strings.Repeat("1", 4301): 12,
		"cast fooranks(1) n": 14, "cast foo ranks (1) n": 10, "cast foo ranks(1) !x=1": 19, "cast foo ranks(1)": 18, "cast foo ranks(1) ": 19,
		"cast ranks(1) n": 11, "castfoo ranks(1) n": 1, "c foo ranks(1) n": 3, "cast foo ranks(1) n\nfoo": 20, "cast foo ranks(1) (x)": 19,
		"cast foo ranks(1)\u00a0n": 18, "cast foo ranks(١) n": 16, "cast foo ranks(1) \u0300": 19, "cast foo ranks(1) ‿": 19,
		"cast foo ranks(1,) n": 17, "cast foo ranks() n": 16, "cast foo ranks(1": 17, "cast foo ranks(a=(1,2) n": 24, "cast foo n": 10,
		"cast foo ranks(1) " + strings.Repeat("n", maxLine): maxLine + 1, "cast foo ranks(1) \xff": 19,
	} {
		c, err := ParseCommand(line)
		pe, ok := errors.AsType[*shape.ParseError](err)
		if !ok {
			t.Errorf("%.60q must be refused, gave %+v, %v", line, c, err)
		} else if pe.Offset+1 != column {
			t.Errorf("%.60q: %v, want column %d", line, err, column)
		}
	}
}

// FuzzParseCommand holds INV-BOUND: any line is a command or an error with a place in the line.
func FuzzParseCommand(f *testing.F) {
	for _, seed := range []string{"list", "a toy 3", "cast toy ranks(host=0:2, gpu=(1,3)) n", "cast toy ranks(:) p \xff", "attach toy 99999999999999999999"} {
		f.Add(seed)
	}
	extent := shape.Extent{{Name: "host", Size: 3}, {Name: "gpu", Size: 5}}
	f.Fuzz(func(t *testing.T, line string) {
		c, err := ParseCommand(line)
		if err != nil {
			pe, ok := errors.AsType[*shape.ParseError](err)
			if !ok || pe.Offset < 0 || pe.Offset > len(line) || pe.Msg == "" {
				t.Fatalf("%q: %v", line, err)
			}
			return
		}
		if c.Word != Cast {
			return
		}
		again, err := Parse(c.Ranks.String())
		if err != nil {
			t.Fatalf("%q: %q is not read again: %v", line, c.Ranks, err)
		}
		got, errGot := c.Ranks.Ranks(extent)
		if same, errSame := again.Ranks(extent); (errGot == nil) != (errSame == nil) || !reflect.DeepEqual(got, same) {
			t.Fatalf("%q: %v, %v and again %v, %v", line, got, errGot, same, errSame)
		}
		if errGot == nil && len(got) == 0 {
			t.Fatalf("%q: no rank and no error", line)
		}
	})
}
