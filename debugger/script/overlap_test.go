package script

import (
	"strings"
	"testing"
)

// told records what happens to statements by name: "+a" starts a, "-a" ends it well, "!a" in failure, "~a" given up.
func told(t *testing.T, texts map[string]string, events string) string {
	t.Helper()
	r, open := &Recorder{}, map[string]*ticket{}
	for ev := range strings.FieldsSeq(events) {
		name := ev[1:]
		step := &Step{}
		switch ev[0] {
		case '+':
			sc, errs := ParseLine(texts[name])
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			open[name] = r.begin(sc.Stmts[0])
			continue
		case '!':
			step.Code = ExitCommand
		case '~':
			step.Code = ExitInterrupt
		}
		step.Stmt = open[name].st
		r.end(open[name], &result{ends: open[name].is(stopWord)}, step)
	}
	var b strings.Builder
	if _, err := r.Save(&b, false); err != nil {
		t.Fatal(err)
	}
	if _, errs := Parse("saved", "procs p gpus=1\nspawn @m on p T\n"+b.String()); len(errs) > 0 {
		t.Errorf("%s: what is saved has a mistake: %v\n%s", events, errs[0], b.String())
	}
	return b.String()
}

func TestWhatRanSideBySideIsSavedSo(t *testing.T) {
	texts := map[string]string{
		"a": "call @m.A", "b": "call @m.B", "c": "[!short] call @m.C {x: 1} timeout 4s", "s": "stop p", "t": "stop p", "n": "procs p gpus=2", "k": "kill p", "g": "broadcast @m.A", "v": "call @m.V => v", "e": "let n = len(results)",
	}
	for _, c := range []struct{ events, want string }{
		{"+a -a +b -b", "call @m.A\ncall @m.B\n"},
		{"+a +b -b -a", "call @m.A &beside1\ncall @m.B &beside2\nwait beside1\nwait beside2\n"},
		{"+a +b -b -a +a -a", "call @m.A &beside1\ncall @m.B &beside2\nwait beside1\nwait beside2\ncall @m.A\n"},
		{"+a +b -a +s -b -s", "call @m.A &beside1\ncall @m.B &beside2\nwait beside1\nstop p\nwait beside2\n"},
		{"+c +k !c -k", "[!short] call @m.C {x: 1} &beside1\nkill p\n[!short] ! wait beside1 timeout 4s\n"},
		{"+v +a -a -v", "call @m.V &beside1\ncall @m.A &beside2\nwait beside1 => v\nwait beside2\n"},
		{"+a +b ~a -b", "call @m.A &givenup1\ncancel givenup1\ncall @m.B &beside1\ncancel givenup1\nwait beside1\n"},
		{"+a ~a +e -e", "call @m.A &givenup1\ncancel givenup1\nlet n = len(results)\n"},
		{"+a ~a +b -b +e -e", "call @m.A &givenup1\ncancel givenup1\ncall @m.B\nlet n = len(results)\n"},
		{"+s +k -k !s", "  # it ended another way: stop p\nkill p\n"},
		{"+s +t -s -t", "stop p\n  # it ended another way: stop p\n"},
		{"+s ~s", "kill p\n"},
		{"+s +a -a -s", "call @m.A &beside1\nstop p\nwait beside1\n"},
		{"+s +g -g +a !a -s", "broadcast @m.A\nstop p\n  # it failed while others ran: call @m.A\n"},
		{"+b +s +a -a -s !b", "call @m.B &beside1\ncall @m.A &beside2\nstop p\n! wait beside1\nwait beside2\n"},
		{"+s +n !n -s", "stop p\n  # it failed while others ran: procs p gpus=2\n"},
		{"+a +g -g -a", "call @m.A &beside1\nbroadcast @m.A\nwait beside1\n"},
	} {
		if got := told(t, texts, c.events); got != c.want {
			t.Errorf("%s: saved\n%swant\n%s", c.events, got, c.want)
		}
	}
}

func TestAJobThatTheRecorderNamesIsNoOtherOnes(t *testing.T) {
	got := told(t, map[string]string{"a": "call @m.A &givenup1", "b": "call @m.B", "w": "wait givenup1"}, "+a -a +b ~b +w -w")
	if want := "call @m.A &givenup1\ncall @m.B &givenup2\ncancel givenup2\nwait givenup1\n"; got != want {
		t.Errorf("saved\n%s", got)
	}
}
