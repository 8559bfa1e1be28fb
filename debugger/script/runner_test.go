package script

import (
	"bytes"
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

func reflectType(v any) reflect.Type { return reflect.TypeOf(v) }

// play runs a script on a fresh world and returns the exit code and the report.
func play(t *testing.T, w *world, text string, change ...func(*Runner)) (int, string) {
	t.Helper()
	var out bytes.Buffer
	r := &Runner{Out: &out, Options: Options{Timeout: 5 * time.Second}}
	r.Open = func(context.Context) (*control.Client, func() error, error) {
		c := control.InProcess(w, control.ClientInfo{Name: "script"})
		return c, c.Close, nil
	}
	for _, c := range change {
		c(r)
	}
	code := r.Sources(t.Context(), Source{"test.mtui", text})
	return code, out.String()
}

const toys = "procs p gpus=4\nspawn @t on p Toy {Name: toy, Count: 10}\n"

// TestScriptsEndAsTheyShould holds INV-EXIT: the code of each case is that of the worst thing in it.
func TestScriptsEndAsTheyShould(t *testing.T) {
	cases := []struct {
		name, script string
		code         int
		want         []string // in the report
	}{
		{"values by rank", toys + "call @t.Value\n  value == 10\n", 0, []string{"[0-3] 10"}},
		{"a wrong value", toys + "call @t.Increment\ncall @t.Value\n  value == 11\n", 1,
			[]string{"FAIL   4  call @t.Value", "test.mtui:5:3: does not hold: value == 11", "want it on all of 4 ranks, it holds on 1", "[1] value = 12", "[3] value = 14"}},
		{"quantifiers", toys + "call @t.Increment\ncall @t.Value => v\n  any value == 12\n  one value > 13\n  none value > 14\n  all value > 10\n  sum(results) == 50\nexpect v == [11, 12, 13, 14]\n", 0, nil},
		{"what cannot be judged is never what none wants", toys + "call @t.Value\n  none value > \"x\"\n", 1, []string{"does not hold: none value > \"x\"", "it cannot be judged:", `[0-3] 10 and "x" have no order: a number and a text`}},
		{"nor what any would have on the other ranks", toys + "call @t.Value\n  any (rank == 0 ? value : nosuch) == 10\n", 2, []string{`no name "nosuch" here`}},
		{"nor what != would give", toys + "call @t.Value\n  value != \"10\"\n", 1, []string{`[0-3] 10 and "10" cannot be compared`}},
		{"a name that no rank has", toys + "ls\nexpect none value == 3\n", 1, []string{"there is no value here"}},
		{"numbers beyond int", "let big = 18446744073709551615\nexpect big > 0 and big != -1 and big == 18446744073709551615\n", 0, nil},
		{"structs and maps by value", "let v = {X: 2.0, Y: [1, 2.0]}\nexpect v == {X: 2, Y: [1.0, 2]}\nexpect none v != {X: 2, Y: [1, 2]}\n", 0, nil},
		{"one on two", toys + "call @t.Increment\ncall @t.Value\n  one value > 12\n", 1, []string{"want it on exactly one of 4 ranks, it holds on 2", "[2] value = 13", "[3] value = 14"}},
		{"none that is some", toys + "call @t.Value\n  none value == 10\n", 1, []string{"want it on none of 4 ranks, it holds on 4", "[0-3] value = 10"}},
		{"any that is none", toys + "call @t.Value\n  any value == 1\n", 1, []string{"want it on any of 4 ranks, it holds on 0"}},
		{"dims and rank", toys + "call @t.Increment\ncall @t.Value\n  value == 11 + gpus and rank == gpus\n", 0, nil},
		{"one rank", toys + "one @t[gpus=2].Hello hi there => r\n  value == \"hello from 2\"\n  rank == 2\necho got ${r}\n  text == \"got hello from 2\"\n", 0, nil},
		{"one on many", toys + "one @t.Hello hi\n", 3, []string{"one calls exactly 1 rank and @t has 4: pick one, such as @t[0].Hello"}},
		{"choose", toys + "choose @t.Hello hi => r\nexpect r == \"hello from 3\"\n", 0, nil},
		{"stream", toys + "stream @t.Value\n  len(results) == 4\n", 0, nil},
		{"an irregular set is several casts", toys + "call @t[0,1,3].Hello hi\n  value startsWith \"hello\"\n  len(results) == 3\n", 0, []string{"[0] \"hello from 0\"", "[3] \"hello from 3\""}},
		{"out", toys + "call @t.Hello hi\n  out == fmt(\"toy %d: hi\", rank)\n", 0, nil},
		{"out begins with the command", toys + "call @t.Hello hi\ncall @t.Value\n  out == \"\"\n", 0, nil},
		{"out of a plain print, later", toys + "call @t.Later \"boo\"\n  out == \"boo\" within 5s\n", 0, nil},
		{"out that never comes", toys + "call @t.Value\n  out == \"boo\" within 30ms\n", 1, []string{"not within 30ms:", `[0-3] out = ""`}},
		{"state", toys + "call @t[1].Increment\n  @t: one state.count == 12\n  state.name == \"toy\" and state.peer == nil\n", 0, nil},
		{"state within", toys + "call @t.Later x\n  state.count == 99 within 5s\n", 0, nil},
		{"state wrong", toys + "call @t[1].Increment\n  @t: state.count == 10\n", 1, []string{"[1] state.count = 12"}},
		{"must fail and does", toys + "! call @t.Add {By: 1000}\n  err matches \"bad rank\" or rank % 2 == 0\n", 0, nil},
		{"must fail and does not", toys + "! call @t.Value\n", 1, []string{"want a failure (!), and the command succeeded"}},
		{"some ranks fail", toys + "call @t.Add {By: 1000}\n", 3, []string{"@t.Add failed on 2 of 4 ranks:", "[1,3] add 1000: bad rank"}},
		{"all ranks fail", toys + "call @t[1].Add {By: 1000}\n", 3, []string{"@t[1].Add failed: [1] add 1000: bad rank"}},
		{"a wrong literal", toys + "call @t.Add {By: ten}\n", 3, []string{`test.mtui:3:18: @t.Add: arg.By: want int, not "ten"`}},
		{"a wrong literal on a later line", toys + "call @t.Add {By: 1,\n  Noet: x}\n", 3, []string{`test.mtui:4:3: @t.Add: arg`, "did you mean Note?"}},
		{"no such endpoint", toys + "call @t.Vlaue\n", 3, []string{`Toy has no endpoint "Vlaue" (did you mean Value?)`}},
		{"a method that is none", toys + "call @t.Helper\n", 3, []string{"Toy.Helper is a method and no endpoint: it has no context.Context"}},
		{"no such mesh", toys + "call @tt.Value\n", 3, []string{"no mesh @tt (did you mean @t?)"}},
		{"no mesh at all", "call @tt.Value\n", 3, []string{"no mesh @tt: nothing has been spawned"}},
		{"no such type", "procs p\nspawn @t on p Tyo\n", 3, []string{"no actor type Tyo (did you mean Toy?)"}},
		{"no such procs", "procs p\nspawn @t on q Toy\n", 3, []string{"no proc mesh q"}},
		{"a rank out of range", toys + "call @t[7].Value\n", 3, []string{"@t[7]"}},
		{"a field that is none", "procs p\nspawn @t on p Toy {Naem: x}\n", 3, []string{"test.mtui:2:20:", "did you mean Name?"}},
		{"two meshes of a name", "procs p\nprocs p\n", 3, []string{"procs p: the name is taken"}},
		{"a failure skips the rest", toys + "call @t.Nope\ncall @t.Value\n", 3, []string{"skip   4  call @t.Value", "4 steps: 2 ok, 1 failed, 1 skipped"}},
		{"quit", "quit\nls\n", 0, []string{"skip   2  ls"}},
		{"guards", "[windows] nosuch\n", 2, nil},
		{"guards that do not hold", "[gpu] call @x.Y\n[!gpu] echo here\n[cap:warp] quit\necho there\n", 0, []string{"skip   1  [gpu] call @x.Y", "here", "there"}},
		{"jobs", toys + "call @t.Hello hi &j\nwait j => r\n  value startsWith \"hello\"\n  len(results) == 4\nexpect len(r) == 4\n", 0, nil},
		{"a job nobody waits for", toys + "call @t.Hello hi &j\n", 0, nil},
		{"a failed job nobody waits for", toys + "call @t.Add {By: 1000} &j\n", 3, []string{"FAIL   3  (end of the script)", "&j: @t.Add failed on 2 of 4 ranks"}},
		{"cancel", toys + "call @t.Gate &j\ncancel j\n! wait j\n  err contains \"gave up\"\n", 0, nil},
		{"cancel and forget", toys + "call @t.Gate &j\ncancel j\n", 0, nil},
		{"wait for all", toys + "call @t.Hello a &a\ncall @t.Hello b &b\nwait\nlog @t\n  text contains \"toy 0: a\\n[0] toy 0: b\"\n", 0, nil},
		{"out of jobs begins with the first of them", toys + "call @t[0].Hello a &a\ncall @t[1].Hello b &b\nwait a\nwait b\n  @t[0-1]: out startsWith fmt(\"toy %d: \", rank)\ncall @t[0].Hello c &c\nwait c\n  out == \"toy 0: c\"\ncall @t[2].Hello d &d\nwait\nexpect @t[2]: out == \"toy 2: d\"\n", 0, nil},
		{"broadcast", toys + "broadcast @t.Increment\ncall @t.Value\n  value == 11 + rank\n", 0, nil},
		{"let", toys + "call @t.Value => v\nlet n = sum(v) + len(results)\nexpect n == 44\necho ${n} and ${v}\n  text == \"44 and [10, 10, 10, 10]\"\n", 0, nil},
		{"interpolation in a literal", toys + "one @t[0].Hello x => r\ncall @t.Hello ${r}\n  out == fmt(\"toy %d: hello from 0\", rank)\ncall @t.Add {By: 1, Note: \"a ${r}\"}\ncall @t.Hello say ${r}!\n  out endsWith \"say hello from 0!\"\n", 0, nil},
		{"what is filled in is data", "let v = \"a # b &j => c $\" + \"{1}\"\necho ${v}\n  text endsWith \"=> c $\" + \"{1}\"\n" + toys + "one @t[0].Hello ${v}\n  out == \"toy 0: a # b &j => c $\" + \"{1}\"\n", 0, nil},
		{"a filled in mistake", toys + "let v = \"x\"\ncall @t.Add {By: ${v}}\n", 3, []string{`arg.By: want int, not "x"`}},
		{"interpolation inside on", toys + "let n = 1\non @t[${n}] call Hello \"n${n}\"\n  out == \"toy 1: n1\"\n", 0, nil},
		{"interpolation of a rank", toys + "let n = 2\none @t[${n}].Value\n  rank == 2\n", 0, nil},
		{"cast", toys + "cast t ranks(0,2) call Hello hi\n  value startsWith \"hello\"\n  len(results) == 2\n", 0, nil},
		{"on", toys + "on @t[gpus=1:3] call Hello hi\n  rank in [1, 2]\non @t[1] state\non @t[1] call .Value\n", 0, nil},
		{"groups", toys + "call @t.Increment\ngroup %big = @t where state.count > 12\n  text == \"%big = @t[2-3] (2 ranks)\"\ngroup %rest = @t - %big\ncall %rest.Value\n  value < 13\n  len(results) == 2\ncall @t.Value\n  %big: value >= 13\n", 0, nil},
		{"an empty group", toys + "group %g = @t where rank > 9\n! call %g.Value\n", 0, []string{"%g is empty"}},
		{"spawn on a slice", "procs p hosts=2 gpus=2\nspawn @t on p[hosts=1] Toy\ncall @t.Value\n  gpus == rank\n", 0, nil},
		{"kill and stop", toys + "spawn @u on p Toy\nstop @u\n! call @u.Value\nkill p[1]\nstop p\n", 0, nil},
		{"a later verb", "advance 3\n", 3, []string{"advance: this build has no stepping by messages yet"}},
		{"a later form", "break toy.go:12\n", 3, []string{"break: this build has no breakpoints on lines yet"}},
		{"a later verb that must fail", "! advance 3\n! theme dark\n", 0, nil},
		{"a screen verb", "theme dark\n", 3, []string{"theme needs a terminal"}},
		{"stops", "expect stops == []\n", 0, nil},
		{"an expression that fails", toys + "call @t.Tags\n  value[7] == \"x\"\n", 1, []string{"[0-3] "}},
		{"an expression that is no yes or no", toys + "call @t.Value\n  value\n", 1, []string{"it gives 10, want true or false"}},
		{"an expression that eats memory", toys + "call @t.Value\n  len(1..10000000) > 1\n", 1, []string{"memory budget exceeded"}},
		{"a width that is absurd", toys + "call @t.Value\n  fmt(\"%1000000000d\", rank) == \"\"\n", 1, []string{"a width may have 4 digits at most"}},
		{"option", "option timeout 7s\n", 0, nil},
		{"let that is typed wrong", "let x = nope\n", 2, nil},
		{"info", toys + "info\n  text contains \"session test of prog\"\ninfo p\n  text contains \"gpus: 4\"\ninfo @t[0-1]\n  text contains \"[0-1] idle\"\nls\n  text contains \"@t\"\nendpoints\n  text contains \"Toy.Hello(msg string) → string\"\nendpoints Toy\n  text contains \"not callable: Toy.Helper\"\n  not (text contains \"Kept\")\n  text contains \"it takes 2 arguments; write func (t *Toy) Add2(ctx context.Context, a Add2Args) error\"\ncalls\n  text == \"\"\nhelp\n  not (text contains \"advance\")\nhelp break\nlog\n", 0, nil},
		{"sleep", "sleep 1ms\n", 0, nil},
		{"wait tells a hang", toys + "option timeout 100ms\ncall @t.Gate &j\nwait\n", 4, []string{"FAIL   5  wait", "&j: @t.Gate: no answer from @t[0-3]"}},
		{"the end of the script tells a hang", toys + "option timeout 100ms\ncall @t.Gate &j\n", 4, []string{"FAIL   4  (end of the script)", "&j: @t.Gate: no answer from @t[0-3]"}},
		{"the worst of several jobs gives the code", toys + "option timeout 100ms\ncall @t.Add {By: 1000} &a\ncall @t.Gate &b\nwait\n", 4, []string{"&a: @t.Add failed on 2 of 4 ranks", "&b: @t.Gate: no answer"}},
		{"wait shows what jobs gave", toys + "call @t[0].Hello a &a\ncall @t.Value &b\nwait\n", 0, []string{`&a [0] "hello from 0"`, "&b [0-3] 10"}},
		{"let shows what it named", toys + "call @t.Value\nlet n = sum(results) + 2\n", 0, []string{"n = 42\n"}},
		{"a wanted failure can be read", toys + "! call @t.Add {By: 1000}\n", 0, []string{"as wanted: @t.Add failed on 2 of 4 ranks:", "[1,3] add 1000: bad rank"}},
		{"a value's field that is none", toys + "call @t.Last\n  none value.Bye == 3\n", 1, []string{`value has no field "Bye" (did you mean By?)`}},
		{"a value's fields", toys + "call @t.Last\n  all value.By == rank and value.Note == \"\"\n  none value?.Bye == 3\n", 0, nil},
		{"a state's field that is none", toys + "call @t.Value\n  none state.cuont == 3\n", 1, []string{`the state has no field "cuont" (did you mean count?)`}},
		{"a state's field that may be missing", toys + "call @t.Value\n  state?.cuont == nil\n", 0, nil},
		{"info of some processes", toys + "info p[1:3]\n  text contains \"[1-2] \"\ninfo p ranks(0)\n", 0, nil},
		{"info of a process that is none", toys + "info p[9]\n", 3, []string{"p: rank 9 is out of range"}},
		{"types by the name that spawn takes", toys + "ls\ninfo @t\n", 0, []string{" Toy on p ", "@t: Toy {gpus: 4} on p"}},
		{"a long command is cut in the report", "echo " + strings.Repeat("x", 2000) + "\n", 0, []string{"xxx… (2005 characters)\n"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			code, report := play(t, w, c.script)
			if code != c.code {
				t.Errorf("exit %d, want %d", code, c.code)
			}
			for _, s := range c.want {
				if !strings.Contains(report, s) {
					t.Errorf("the report lacks %q", s)
				}
			}
			if t.Failed() {
				t.Logf("report:\n%s", report)
			}
			for _, m := range w.snap.ProcMeshes {
				if !m.Gone {
					t.Errorf("procs %s still run", m.Name)
				}
			}
			if len(w.snap.Calls) > 0 {
				t.Errorf("calls still run: %+v", w.snap.Calls)
			}
		})
	}
}

func TestAnEndOfWhatHasEndedIsNoMistake(t *testing.T) {
	w := newWorld(t)
	code, report := play(t, w, toys+"stop @t\nstop @t\nkill @t[0]\nstop p\nkill p\nstop p\n! stop q\n! stop @never\n")
	if code != ExitOK || strings.Count(report, "has ended already") != 2 || strings.Count(report, "procs p have ended already") != 2 {
		t.Errorf("exit %d, report:\n%s", code, report)
	}
}

// TestAScriptEndsWhatItMadeAndNotWhoTookTheName_INV_END has somebody else end the processes of a script and make others of
// their name.
func TestAScriptEndsWhatItMadeAndNotWhoTookTheName_INV_END(t *testing.T) {
	w := newWorld(t)
	c := control.InProcess(w, control.ClientInfo{})
	defer c.Close()
	s, err := NewSession(t.Context(), c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sc, _ := ParseLine("procs p gpus=2")
	if step := s.Exec(t.Context(), sc.Stmts[0]); !step.OK() {
		t.Fatal(step.Err)
	}
	other := control.InProcess(w, control.ClientInfo{})
	defer other.Close()
	if err := other.Kill(t.Context(), control.KillReq{Procs: "p"}); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Procs(t.Context(), control.ProcsReq{Name: "p", Dims: shape.Extent{{Name: "gpus", Size: 2}}}); err != nil {
		t.Fatal(err)
	}
	if step := s.Finish(t.Context(), ExitOK); step != nil {
		t.Error(step.Err)
	}
	if !slices.Equal(w.done, []string{"kill p"}) {
		t.Errorf("ended: %q", w.done)
	}
}

func TestFailuresOfASliceNameTheRanksAndTheirPlacesInIt(t *testing.T) {
	for call, want := range map[string]string{
		"call @t.Add {by: 1000}":           "@t.Add failed on 2 of 4 ranks:\n           [1,3] add 1000: bad rank",
		"call @t[1:4].Add {by: 1000}":      "failed on 2 of 3 ranks:\n           [1,3] ([0,2] of the slice) add 1000: bad rank",
		"call @t[gpus=2:4].Add {by: 1000}": "failed on 1 of 2 ranks:\n           [3] (gpus=1 of the slice) add 1000: bad rank",
		"one @t[3].Add {by: 1000}":         "@t[3].Add failed: [3] add 1000: bad rank",           // a slice of one rank numbers nothing
		"call @t[0,1,3].Add {by: 1000}":    "failed on 2 of 3 ranks:\n           [1,3] add 1000", // two slices
	} {
		if code, report := play(t, newWorld(t), toys+call+"\n"); code != ExitCommand || !strings.Contains(report, want) {
			t.Errorf("%s: exit %d, report:\n%s\nwant\n%s", call, code, report, want)
		}
	}
}
