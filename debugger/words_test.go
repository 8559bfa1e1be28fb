package debugger_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// told is what a script came to.
type told struct {
	code int
	text string // each step: its command, what it showed, and what went wrong
}

// play runs a script in the scene's session, as a client of its own.
func (s *scene) play(text string, opt script.Options) told {
	s.t.Helper()
	sc, errs := script.Parse("t.mtui", text)
	for _, e := range errs {
		s.t.Fatal(e.Detail())
	}
	c := s.client("script", control.RoleControl)
	ses, err := script.NewSession(s.t.Context(), c, opt)
	if err != nil {
		s.t.Fatal(err)
	}
	var out told
	var b strings.Builder
	tell := func(st *script.Step) {
		fmt.Fprintf(&b, "%d %s\n", st.Code, st.Stmt.Describe())
		for _, l := range st.Text {
			fmt.Fprintln(&b, "   "+l)
		}
		if st.Err != "" {
			fmt.Fprintln(&b, "   error: "+st.Err)
		}
		for _, f := range st.Failures {
			fmt.Fprintf(&b, "   does not hold: %s %v\n", f.Clause, f.Why)
		}
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	out.code = ses.Run(ctx, sc, tell)
	if step := ses.Finish(ctx, out.code); step != nil {
		tell(step)
		out.code = max(out.code, step.Code)
	}
	if err := ses.Close(); err != nil {
		s.t.Error(err)
	}
	_ = c.Close()
	out.text = b.String()
	return out
}

// tells plays a script, and looks at how it ended and that it said so.
func (s *scene) tells(text string, code int, want []string) {
	s.t.Helper()
	got := s.play(text, script.Options{Timeout: 20 * time.Second})
	if got.code != code {
		s.t.Errorf("exit %d, want %d:\n%s", got.code, code, got.text)
	}
	for _, w := range want {
		if !strings.Contains(got.text, w) {
			s.t.Errorf("it does not say %q:\n%s", w, got.text)
		}
	}
}

// leave has the scene's own front end go: the script is then the only one that could act.
func (s *scene) leave() {
	s.w.Close()
	_ = s.c.Close()
}

// TestTheWordsOfTheScript plays what a person types. Each story fails when a word in it does something else.
func TestTheWordsOfTheScript(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		code   int
		want   []string
	}{
		"stop and go": {script: `
break @w[1].Do
  text startsWith "breakpoint 1 at @w[1].Do, on 1 actor"
call @w.Do {N: 7} &c
expect stops == ["@w[1].Do"] within 10s
expect breaks[0].hits == 1 and breaks[0].state == "armed" and breaks[0].where == "@w[1].Do" within 5s
stops
  text contains "@w[1].Do"
continue
  text contains "@w[1].Do goes on"
wait c
  value == 1
expect stops == []
`},
		"all ranks, sorted, and those of a target": {script: `
b @w.Do
call @w.Do {N: 7} &c
expect stops == ["@w[0].Do", "@w[1].Do", "@w[2].Do", "@w[3].Do"] within 10s
continue @w[1-2]
  text == "@w[1-2].Do go on"
expect stops == ["@w[0].Do", "@w[3].Do"]
! step
c
clear
wait c
`, want: []string{"2 frames are stopped: say which, with attach NAME RANK or a target (@w[0,3].Do)"}},
		"next walks through the sites of a frame": {script: `
break @w[0].Do
one @w[0].Do {N: 1} &c
expect stops == ["@w[0].Do"] within 10s
clear
next
  text contains "@w[0].Do stands at reply" and text contains "→ 1"
continue
wait c
`},
		"errors and panics": {script: `
break error
one @w[2].Fails &c
expect stops == ["@w[2].Fails"] within 10s
stops
  text contains "no luck"
fail "worse luck"
! wait c
clear
break panic
one @w[3].Panics &d
expect stops == ["@w[3].Panics"] within 10s
crash
! wait d
`, want: []string{"worse luck", "count is 0"}},
		"a result that nobody computed": {script: `
break @w[0].Do
one @w[0].Do {N: 1} &c
expect stops == ["@w[0].Do"] within 10s
! return {A: 1}
return 42
wait c
  value == 42
clear
`, want: []string{"as wanted"}},
		"once, counts, conditions by number": {script: `
tbreak @w.Count
call @w.Count &c
expect len(stops) == 1 within 10s
expect breaks == []
continue
wait c
break @w.Do count
call @w.Do {N: 1}
expect breaks[0].hits == 4 within 5s
expect stops == []
disable 2
  text == "breakpoint 2 at @w.Do disabled"
expect breaks[0].state == "off"
enable 2
delete @w.Do
expect breaks == []
! delete 9
! enable 9
! condition 9 true
`, want: []string{"there is no breakpoint 9: none is set"}},
		"a breakpoint before its actor, and one that can never bind": {script: `
break @later.Do
  text == "breakpoint 1 at @later.Do, waiting: there is no actor mesh @later yet"
! break @w.Doo
! break @w[7].Do
breaks
  text contains "waiting"
clear
  text == "breakpoint 1 at @later.Do removed"
clear
  text == "there are no breakpoints"
`, want: []string{`which has no endpoint Doo (did you mean Do?)`, "@w[7]: rank 7 is out of range"}},
		"attach and detach": {script: `
break @w[1-2].Do
call @w[1-2].Do {N: 1} &c
expect len(stops) == 2 within 10s
! attach w 0
! attach w 9
! attach v 0
attach w 2
  text contains "attached to debug session for w 2 (" and text contains "@w[2].Do stands at recv"
next
  text contains "@w[2].Do stands at reply"
detach
! detach
! next
attach w 2
continue
  text contains "@w[2].Do goes on" and text contains "detached from debug session for w 2" and text contains "the endpoint has ended"
! detach
expect stops == ["@w[1].Do"]
c @w[1]
wait c
`, want: []string{
			"no debug session for rank 0 for actor w: stopped are @w[1-2].Do", "no debug sessions for actor v: there is no mesh @v",
			"you are attached to no frame",
		}},
		"cast, and the ranks that it finds running": {script: `
break @w.Do
call @w.Do {N: 1} &c
expect len(stops) == 4 within 10s
clear
cast w ranks(0,3) n
  text contains "@w[0].Do stands at reply" and text contains "@w[3].Do stands at reply"
cast w ranks(gpus=1) c
cast w ranks(0:2) c
  text contains "not stopped: @w[1]"
! cast w ranks(0,1) s
! cast w ranks(host=0) c
on @w[2-3] continue
wait c
`, want: []string{"@w[0-1] is not stopped; of @w are @w[2-3].Do", "no dimension host"}},
		"pause, and who steps an actor that runs": {script: `
! step
! step 4
! next @w[1]
! where
pause @w[1]
call @w.Do {N: 1} &c
expect stops == ["@w[1].Do"] within 10s
list
  text contains "Actor Name" and text contains "{'gpus': 1}" and text contains "Do@recv"
list -a
  text contains "idle"
! list nobody
continue
wait c
`, want: []string{
			"nothing is stopped: break @MESH.Endpoint stops who receives it next, pause @MESH[sel] who runs", "there is no stop 4: nothing is stopped",
			"@w[1] is not stopped, nobody of @w is: pause @w[1] stops it at its next site", "no mesh @nobody",
		}},
		"conditions and what they print": {script: `
break @w.Do if arg.N == 2 and rank > 1
call @w.Do {N: 1}
call @w.Do {N: 2} &c
expect stops == ["@w[2].Do", "@w[3].Do"] within 10s
expect breaks[0].hits == 2 and breaks[0].skipped == 6 within 10s
continue
wait c
condition 1 state.count > 90
call @w.Do {N: 2}
clear
break @w[1].Do print "n={arg.N} count={state.count}"
call @w.Do {N: 5}
  @w[1]: out contains "n=5 count=3" within 10s
clear
break @w.Do hit 2 total
call @w.Do {N: 5} &d
expect len(stops) == 1 within 10s
continue
clear
wait d
! break @w.Do if state.nope > 1
! break @w.Do if arg.N + 1
! break @w.Do if arg.Nope == 3
! break @w.Do if coords.gpu == 1
! break @w.Do print "{arg.Nope}"
! condition 99 true
breaks
  text == "there are no breakpoints (break @MESH.Endpoint sets one)"
`, want: []string{`no field "nope"`, `no field "Nope"`, "gpu"}},
		"of what is set": {script: `
break @w[1].Count
call @w[1].Count &c
expect stops == ["@w[1].Count"] within 10s
set state.seen {a: 1}
set state.seen["b"] 2
  text contains "now is 2"
! set args.o.N 1
continue
clear
wait c
! condition 9 rank == 1
call @w.Pause &p
expect len(stops) == 4 within 10s
stops
  text contains "Break: look at me" and not (text contains "Break: Break")
continue
wait p
`, want: []string{"Count has no argument o.N: it has none", "there is no breakpoint 9: none is set"}},
		"policy and hold": {script: `
policy
  text startsWith "continue: "
policy stay 3s
policy abort 20s
  text contains "fail after 20s"
policy continue
hold 1m
hold 0s
`},
		"the end applies the policy": {script: `
break @w[1].Do
call @w.Do {N: 1} &c
expect len(stops) == 1 within 10s
`, want: []string{"stopped were @w[1].Do; the policy is continue: the breakpoints are removed, they go on"}},
		"the end lets go who stops while it waits": {script: `
call @w.Pause &a
call @w.Pause &b
call @w.Pause &c
`},
		"the end aborts": {script: `
policy abort
break @w[1].Do
call @w.Do {N: 1} &c
expect len(stops) == 1 within 10s
`, code: script.ExitCommand, want: []string{"the policy is abort: the breakpoints are removed, their calls fail", "the script has ended"}},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, 4, func(s *scene) {
				s.leave()
				s.tells(c.script, c.code, c.want)
			})
		})
	}
}

// TestForksAreAboutTheSameFrame: an explorer runs commands side by side, and who is attached is so for all of them.
func TestForksAreAboutTheSameFrame(t *testing.T) {
	s := newScene(t, 2, engine.AllInProcess())
	ses, err := script.NewSession(t.Context(), s.c, script.Options{Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer ses.Close()
	exec := func(on *script.Session, line string) *script.Step {
		sc, errs := script.ParseLine(line)
		for _, e := range errs {
			t.Fatal(e.Detail())
		}
		return on.Exec(t.Context(), sc.Stmts[0])
	}
	s.brk(control.Breakpoint{Endpoint: "Do"})
	all := begin(func() (int, error) {
		vm, err := engine.Method(s.m, (*Worker).Do).Call(s.ctx, Order{})
		return len(vm.Answered()), err
	})
	s.stops(2)
	fork := ses.Fork()
	for _, line := range []string{"expect len(stops) == 2 within 10s", "attach w 1"} { // it hears of stops when they are told, not when we do
		if step := exec(ses, line); !step.OK() {
			t.Fatalf("%+v", step)
		}
	}
	if step := exec(fork, "next"); !step.OK() || !strings.Contains(strings.Join(step.Text, "\n"), "@w[1].Do stands at reply") {
		t.Errorf("%+v", step)
	}
	exec(fork, "continue")
	if step := exec(ses, "detach"); step.OK() {
		t.Error("the endpoint that somebody was attached to has ended, and he still is")
	}
	exec(ses, "continue")
	want(t, all, 2, "")
}
