package script

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestWellFormedScriptsParse(t *testing.T) {
	good := []string{
		"", "\n\n", "# only a comment", "  # an indented comment\n", "\ufeffls\r\nls\r\n", "ls # a comment", "ls\t#x",
		"procs p", "procs p gpus=4 hosts=2 in-process cpus=2 virtual oversubscribe",
		"spawn @t on p Toy", "spawn @t on p[gpus=0:2] main.Toy {A: 1}", "spawn @t on p Toy{A: 1}", `spawn @t on p Toy {A: "} gang"}`, "spawn @t on p ranks(0,1) Toy", "spawn @t on @p Toy",
		"call @t.Hello hi there # greeting", "call @t.Hello \"a # b\"", "call @t.Hello don't stop", "call @t.Hello (see #4)",
		"call @t.Hello {a: 1,\n  b: [2,\n3]} => r # done", "call @t.Hello {a: \"}\",\n # comment\n b: 1}",
		"call @t[0,2-5].E", "call @t[1:4].E", "call @t[dp=1:4,tp=(1,2)].E", "call @t[*].E", "call @t ranks(0,3).E", "call @t[ranks(gpus=0:2)].E", "call_one @t.E x", "one @t[0].E", "choose @t.E", "stream @t.E", "broadcast @t.E",
		"call @t.E &j\nwait j", "call @t.E x &j\nwait j => r\nlet q = r", "call @t.E &j\ncancel j\n! wait j", "call @t.E &j\nwait\ncall @t.E &j",
		"call @t.Hello \"x &y\"", "call @t.Hello x& y", "call @t.Hello a => b c", "echo x =>y",
		"! call @t.E", "!call @t.E", "[linux] ls", "[!short] [cap:x] ! ls", "[ gpu ] ls",
		"call @t.E\n  value == 1\n\tall value == 1 within 1s\n  @t[0]: out contains \"x\"\n  none err != \"\" # c\n\n  any rank == 1",
		"call @t.E\n  all(results, # > 3)", "call @t.E\n  all(results, {# > 3})", "call @t.E\n  filter(results, # > 1) == [\n   2]",
		"call @t.E\n  out contains \"within 3\"", "call @t.E\n  out == \"a: b\" and fmt(\"%d\", rank) != ''",
		"expect stops == [\"@t[1].E\"] within 1s", "expect @t: state.x == 1", "expect all value == 1",
		"let x = 1 + 2\nlet y = x * 2\necho ${x} ${ {\"a\": x}.a }", "call @t[${1+1}].E", "sleep ${\"1s\"}", "option timeout 5s", "sleep 1.5s",
		"group %g = @t where state.count > 3\ncall %g.E\n  %g: rank > 0\ngroup %h = %g + @t[0] - @t[1]",
		"on @t[0-1] call Hello hi", "on @t call .Hello hi", "on @t state", "on @t log 3", "on @t[0] step", "on @t where", "cast t ranks(:) c", "cast t ranks(0) set state.x 3", "cast t ranks(0) break E", "cast t ranks(0,2) n", "cast t ranks(:) !x"[:16] + "p x", "cast my-actor ranks(host=0:2, gpu=(1,3)) bt", "cast t ranks(1:10:2) foo = 3",
		"state @t", "state @t[0] count", "state @t.count", "log", "log @t", "log @t[0] 20", "log 5", "info", "info p", "info @t[0]", "ls", "endpoints", "endpoints Toy", "calls", "help", "help call", "h", "q", "quit",
		"record out.mtui", "save \"my file.mtui\" --expect", "save x.mtui",
		"list", "l", "list t -a", "attach t 3", "a t 3", "attach trainer-42", "attach /run/x.sock", "attach host:1", "attach \"a b\"", "detach", "c", "continue", "continue @t[0]", "step", "s 3", "n", "next", "bt", "w", "u", "d", "r", "unt", "cl 3", "pp x.y", "j 3", "ll", "args",
		"break @t[1].Hello if arg startsWith \"stop\"", "b @t.E@recv if a > 1 once do continue", "break toy.go:12", "break panic", "break @t.E hit >=3 stop mesh", "tbreak @t.E", "delete @t[1].E", "condition 1 x > 2", "ignore 1 2", "enable 1", "enable 1 2", "clear", "clear 1 2", "break @t", "break @t@reply", "break @t.*@error", "break @t[0].He?lo", "break error", "break @t.E if arg > 3 count", "break @t.E if state.stop and once hit 3", "break @t.E if arg == \"a once b\" once", "break @t.E if count(args, # > 1) == 2 print \"n={arg.n} once\"", "break @t.E total hit %10", "stop @t", "policy", "policy stay", "policy abort 5s", "hold 3s", "retry", "crash", "into", "follow", "finish @t[0]", "cont 3", "resume @t", "where -go", "where @t[0] -go", "env", "print state.x over @t[0-3]", "print len(over) over ranks(0,1)", "p state.over", "discard 17 @t[0]", "return", "set args.n 4", "set result {A: 1}", "list -a", "breaks", "stops",
		"watch @t state.loss", "trace @t.E \"{arg}\"", "trace", "print state.x", "display a", "set state.count 3", "return 4", "fail oops", "requeue", "redeliver 12", "redeliver 12 @t[1] {N: 3}", "redeliver 12 {N: 3}", "redeliver 12 @t[1]", "discard 3", "mailbox", "mailbox @t[0]", "diff @t[0] @t[1]", "diff @t[0] @t[1] a.b", "stacks @t", "stacks", "profile @t cpu 5s", "waits", "deadlocks", "restart @t[2]", "reload", "reload p", "reload p[1]", "reload fail", "reload p[0-3] drain program=./v2 batch=4", "reload package=./cmd/prog", "stats @t", "top",
		"delay @t.E 50ms", "drop @t.E 10%", "heal", "pause @t[3]", "delay p[2] 50ms ±20ms in for 3s seed 7", "delay p controller 1s", "delay p[0] q[1-2] 5ms +-1ms", "drop p[gpus=2] 0.5% for 1m", "drop @t[1].E 100% seed 3", "on @t[0] drop 10%", "on @t delay 5ms", "rate p[2] 500KB/s", "rate p q 1MB/s out", "partition p[0-3] p[4-7]", "partition p[1]", "partition p controller in for 5s", "pause p[1]", "pause p for 2s", "heal 1 2", "heal p[2]", "heal @t[0]", "on @t[0] heal", "chaos", "kill p[?]", "kill p[?] seed 4", "pause p[?] for 1s seed 3", "delay p[?] 5ms seed 9", "partition p[?]", "export json f.json", "replay f.rec", "theme light", "write screen.svg", "demo", "focus @t[0]",
		"call @t.E\n\n# phase\n  value == 1",
	}
	for _, text := range good {
		t.Run(text, func(t *testing.T) {
			sc, errs := Parse("t.mtui", text)
			for _, e := range errs {
				t.Errorf("%s", e.Detail())
			}
			if sc == nil {
				t.Error("no script")
			}
		})
	}
}

func TestMistakesAreToldWithPlaceAndWhatWouldBeRight(t *testing.T) {
	cases := []struct{ script, want string }{
		{"cal @x.Y", `1:1: no command "cal" (did you mean call?)`},
		{"brek @x.Y", `1:1: no command "brek" (did you mean break?)`},
		{"xyzzy", `1:1: no command "xyzzy" ("help" lists them)`},
		{"@toy.Hello", `1:1: no command "@toy.Hello" ("help" lists them)`},
		{"procs p gpus=2; spawn @t on p Toy", `1:15: this is one command, and behind the ; another: write that on a line of its own`},
		{"ls; ls", `1:3: this is one command`},
		{"ls ls; ls", `1:4: want nothing more here`},
		{"procs p gpus=2;", `1:15: a command ends without a ;`},
		{"ls ls", `1:4: want nothing more here, not "ls" (usage: ls)`},
		{"  value == 1", `1:3: an indented line is an expectation and needs a command above it (a command begins at column 1)`},
		{"ls\n  expect x", `2:3: an indented line is an expectation already: drop the word expect`},
		{"call @t.E\n  value ==", `2:11: the expression ends too early`},
		{"call @t.E\n  vlaue == 1", `2:3: no name "vlaue" here (did you mean value?)`},
		{"call @t.E\n  value == 1 within fast", `2:21: want a time after within, such as 500ms, 2s or 1m30s, not "fast"`},
		{"call @t.E\n  all", `2:6: want an expression after all`},
		{"call @t.E\n  foo(value)", `2:3: no function "foo"`},
		{"call @t.E\n  err matches \"(\"", `2:7: this is no regular expression`},
		{"call @t.E timeout 0s", `1:19: a timeout must be more than 0`},
		{"call @t.E x timeout 3parsecs", `1:21: want a time after timeout, such as 500ms, 2s or 1m30s, not "3parsecs"`},
		{"call @t.E timeout 3s &j", `1:19: what comes of &j is known at wait j: put the timeout there`},
		{"let max = 3", `1:5: max is a function in expressions: choose another name`},
		{"call @t.E => len", `1:14: len is a function in expressions: choose another name`},
		{"procs p count=2", `1:9: count is a function in expressions: choose another name`},
		{"procs p rank=2", `1:9: rank has a meaning of its own in expressions: choose another name`},
		{"call @t.E\n  rank == \"x\"", `2:8: == compares a number and a text`},
		{"call @t.E\n  all(results, all(results, # > 1))", `2:29: a predicate within a predicate may run for very long`},
		{"call @t.E\n  @t.E: value == 1", `an expectation is about ranks, not endpoints: want @t: EXPR`},
		{"call @t.E\n  @t value == 1", `2:6: want a colon after the target: @t: EXPR`},
		{"procs p gpus=2\nspawn @t on p Toy\ncall @t.E\n  hosts == 1", `4:3: no name "hosts" here`},
		{"call @t.E => value", `value has a meaning of its own in expressions: choose another name`},
		{"procs", `1:6: want a name for the proc mesh, not nothing (usage: procs NAME`},
		{"procs p gpus", `1:9: want name=size for each dimension, such as hosts=2 gpus=4, not "gpus"`},
		{"procs p gpus=x", `1:14: gpus: want a whole number, not "x"`},
		{"procs p gpus=0", `1:9: `},
		{"procs p gpus=-1", `1:9: `},
		{"procs p a=2 a=2", `1:13: `},
		{"procs p a=100000", `1:9: `},
		{"procs p cpus=0", `1:9: cpus=0: a process needs at least 1`},
		{"procs p in_process", `1:9: want name=size for each dimension, such as hosts=2 gpus=4, not "in_process" (did you mean in-process?)`},
		{"spawn t on p Toy", `1:7: want @ and a name for the mesh, not "t"`},
		{"spawn @t.v2 on p Toy", `1:8: actor mesh name "t.v2": a dot begins the name of an endpoint, as in @t_v2.Get; write t_v2`},
		{"procs p.v2 gpus=1", `1:7: proc mesh name "p.v2": a dot begins the name of an endpoint, as in @p_v2.Get; write p_v2`},
		{"spawn @t p Toy", `1:10: want on and the name of a proc mesh, not "p"`},
		{"spawn @t on p", `1:14: want the actor type`},
		{"spawn @t on p {A: 1}", `1:15: want the actor type before its fields`},
		{"call toy.Hello", `1:6: want a mesh with @ before its name, such as @toy.Hello`},
		{"call @t", `1:8: want an endpoint after the target: @t.Endpoint`},
		{"call @t[0.E", `1:8: this [ is never closed`},
		{"call @t[x].E", `1:10: want = after x`},
		{"call @t[3-1].E", `1:9: `},
		{"call @t.E {a: 1\nls\nls", `1:11: this { is never closed`},
		{"call @t.E(1)", `1:10: want a space between the endpoint and its argument, not "(1)"`},
		{"call@t.E", `1:5: want a space after call`},
		{"call", `1:5: want a mesh such as @toy, @toy[0-3] or @toy[gpus=2], not nothing`},
		{"call %g.E", `no group %g`},
		{"call .E", `"." is the target of an enclosing on: want @mesh`},
		{"stop @t[0]", `stop ends a whole mesh, not a slice: want stop @t (kill takes a slice)`},
		{"stop @t.E", `stop is for meshes, not endpoints: want @t`},
		{"stop", `1:5: want the name of a proc mesh, not nothing (usage: stop PROCS | @MESH)`},
		{"wait j", `1:6: no job &j: no call above ends with &j`},
		{"call @t.E &job\nwait jbo", `2:6: no job &jbo (did you mean job?)`},
		{"call @t.E &j\nwait j\nwait j", `3:6: no job &j: no call above ends with &j`},
		{"call @t.E &j\ncall @t.E &j", `2:1: &j is taken by a call above that has not been waited for`},
		{"call @t.E &j\n  value == 1", `2:3: &j is still running here: put the expectation below wait j`},
		{"call @t.E &j => r", `1:1: what comes of &j is known at wait j: put ! and => there`},
		{"ls &j", `1:1: &j sends a call into the background; ls is no call`},
		{"broadcast @t.E &j", `a broadcast waits for nobody: it needs no &j`},
		{"cancel", `1:7: want the name of a job`},
		{"[nosuch] ls", `1:2: no guard "nosuch"`},
		{"[linx] ls", `1:2: no guard "linx" (did you mean linux?), or cap:NAME`},
		{"[linux ls", `1:1: this [ is never closed`},
		{"!", `1:2: want a command`},
		{"! expect value == 1", `! is for commands; an expectation that must not hold is: expect none EXPR`},
		{"expect", `1:7: want an expression`},
		{"let = 3", `1:5: want a name, not "="`},
		{"procs 9 gpus=1", `1:7: proc mesh name "9": want a letter or _, then letters, digits, _ or -, 63 at most (usage: procs`},
		{"spawn @1a on p T", `1:8: actor mesh name "1a": want a letter or _`},
		{"spawn @a on 1p T", `1:13: proc mesh name "1p": want a letter or _`},
		{"call @-a.E", `1:7: actor mesh name "-a": want a letter or _`},
		{"stop 9", `1:6: proc mesh name "9": want a letter or _`},
		{"cast 9 ranks(0) E", `1:6: actor mesh name "9": want a letter or _`},
		{"let 3x = 3", `want a name: a letter or _, then letters, digits or _, not "3x"`},
		{"let x 3", `1:7: want = and an expression, not "3"`},
		{"let x = ", `1:8: want an expression, such as value == 4`},
		{"let out = 1", `1:5: out has a meaning of its own in expressions: choose another name`},
		{"let x = y", `1:9: no name "y" here`},
		{"echo ${x}", `1:8: no name "x" here`},
		{"echo ${1", `1:7: this { is never closed`},
		{"sleep", `want how long such as 500ms, 2s or 1m30s, not ""`},
		{"sleep -1s", `not "-1s"`},
		{"option timeuot 5s", `1:8: no option "timeuot" (did you mean timeout?)`},
		{"option timeout 0s", `a timeout must be more than 0`},
		{"source nosuch.mtui", `1:1: source nosuch.mtui: no such file or directory`},
		{"group g = @t", `1:7: want % and a name for the group, not "g" (usage: group %NAME`},
		{"group %g @t", `1:10: want = after the group's name, not "@t"`},
		{"group %g = @t.E", `a group is made of ranks, not of endpoints`},
		{"on @t", `1:6: want a command (usage: on TARGET COMMAND)`},
		{"on @t.E ls", `on takes ranks, not an endpoint: on @t CMD`},
		{"on @t nosuch", `1:7: no command "nosuch"`},
		{"on @t[0] ls", `1:10: ls is not about ranks: it needs no on`},
		{"on @t[0] call @u.E", `1:10: on has said which ranks: want call without @u.E, or no on`},
		{"cast t ranks(0,1) call @t.E x", `1:19: cast has said which ranks: want call without @t.E, or no cast`},
		{"cast t ranks(0) kill @t[1]", `cast has said which ranks: want kill without @t[1], or no cast`},
		{"ls\n  call @t.E", `(an indented line is an expectation; the command call begins at column 1)`},
		{"ls\n  one valu == 3 4", `2:`},
		{"cast t.E x", `1:7: want ranks(…), such as ranks(0,3) or ranks(gpus=0:2), not ".E" (usage: cast NAME ranks(…) COMMAND; to send without waiting use broadcast)`},
		{"cast @t.E", `to send without waiting use broadcast`},
		{"cast t ranks() n", `1:14: `},
		{"cast t ranks(1,) n", `1:1`},
		{"cast t ranks(0) !x=1", `1:17: want a command that begins with a letter, a digit or _, not "!x=1"`},
		{"attach", `want the name of an actor and its rank, or an address`},
		{"attach t x", `1:10: want the rank: a whole number`},
		{"state", `1:6: want a mesh (usage: state @MESH[sel] [path])`},
		{"state toy", `1:7: want a mesh such as @toy, not "toy"`},
		{"help cal", `1:6: no command "cal" (did you mean call?)`},
		{"log x", `want how many lines: a whole number up to 1000000, not "x"`},
		{"break", `want a target`},
		{"break hello", `1:7: want @mesh.Endpoint, FILE:LINE, error, panic or deadlock, not "hello"`},
		{"break @t.E if", `want an expression`},
		{"break @t.E maybe", `want if, hit, total, once, stop, print or count, not "maybe"`},
		{"condition x 1", `1:11: want the number of a breakpoint: a whole number`},
		{"break @t.E if state.x >  hit 3", `1:24: `},
		{"break @t.E if state.x > (", `1:26: the expression ends too early`},
		{"\n\ncondition 1 arg ==", `3:19: `},
		{"break @t.E@recvv", `1:12: no site "recvv": want recv, send`},
		{"break @t.E hit x", `1:16: want which hits count: 3 for the third`},
		{"break @t.E stop all", `1:17: want whom to stop: actor, rank, mesh, not "all"`},
		{"break @t.E print x", `1:18: want a text between quotes`},
		{`break @t.E print "x" count`, `1:22: a breakpoint prints or counts, not both`},
		{"delete", `1:7: want the number of a breakpoint (usage: delete N… | TARGET.Endpoint; breaks lists them)`},
		{"step 0", `1:6: stops are numbered from 1`},
		{"step toy", `1:6: want nothing more here, not "toy"`},
		{"step @t.E", `step takes ranks, not an endpoint`},
		{"pause", `want a target such as @toy`},
		{"fail", `want the text of the error`},
		{"print", `want an expression`},
		{"print state. over @t", `1:12: unexpected end`},
		{"print state.x over toy", `1:20: want a mesh with @ before its name, such as @toy`},
		{"set count 3", `1:5: want state.FIELD, args.NAME or result, not "count"`},
		{"set state 3", `want a field of it: state.NAME`},
		{"set state.x", `want a value`},
		{"discard x", `1:9: want the number of a message, as mailbox tells it, not "x"`},
		{"discard 3 @t[1] x", `want nothing more here, not "x"`},
		{"diff", `want ranks to compare`},
		{"policy never", `1:8: want continue, stay or abort, not "never"`},
		{"policy stay soon", `1:13: want how long after the last front end has left such as 500ms`},
		{"attach t 1 2", `want nothing more here`},
		{"attach 3x 1", `1:8: actor mesh name "3x"`},
		{"break @t.Hello if state.count >> 3", `1:32: unexpected ">"`},
		{"let breaks = 1", `1:5: breaks has a meaning of its own`},
		{"restart", `want the name of a proc mesh`},
		{"reload p p", `1:10: want drain, fail, program, package, batch, not "p"`},
		{"reload p drain fail", `1:16: "drain" is there already`},
		{"reload @t.Hello", `want drain, fail, program, package, batch, not ".Hello"`},
		{"reload program=a package=b", `1:18: a program or a package, and one of them`},
		{"reload program=", `want the executable`},
		{"reload batch=0", `1:14: batch=0: want 1 to 1024`},
		{"reload batch=2 batch=3", `1:16: "batch=2" is there already`},
		{"reload p programm=x", `1:10: want drain, fail, program, package, batch, not "programm=x" (did you mean program?)`},
		{"restart @t.Hello", `restart is for meshes, not endpoints: want @t`},
		{"procs p gpus=1 lease=soon", `1:22: lease "soon": want how long a process may hear nothing of the controller, such as 8s`},
		{"procs p gpus=1 gang", `1:16: gang is for actors: spawn @NAME on p Type gang`},
		{"procs p gpus=1 restart=often", `1:24: restart "often": want never, on-failure (3 times in a minute), or COUNT/DURATION such as 5/10m`},
		{"spawn @t on p T restart=0/1m", `1:25: restart policy: 0 restarts: want 1 to 1000`},
		{"spawn @t on p T restart=3/1ms", `restart policy: within 1ms: want 1s to 168h`},
		{"spawn @t on p T gang restart=never gang", `1:36: "gang" is there already`},
		{"spawn @t on p T {a: 1} restart=3/1m gang", `1:24: "restart=3/1m" stands between the type and its fields: spawn @t on p T restart=3/1m {…}`},
		{"spawn @t on p T{a: {b: 1}}  gang", `1:29: "gang" stands between the type and its fields`},
		{"spawn @t on p T restart=never restart=3/1m", `1:31: "restart=3/1m" is there already`},
		{"procs p gpus=1 restart=never restart=3/1m", `1:30: "restart=3/1m" is there already`},
		{"procs p gpus=1 lease=8s lease=9s", `1:25: "lease=9s" is there already`},
		{"spawn @t on p T gang restart= {a: 1}", `restart "": want never`},
		{"let true = 3", `1:5: true is a word of expressions: choose another name`},
		{"let nil = 3", `1:5: nil is a word of expressions`},
		{"call @t.E => not", `1:14: not is a word of expressions`},
		{"procs p in=2", `1:9: in is a word of expressions`},
		{"let startsWith = 3", `1:5: startsWith is a word of expressions`},
		{"procs 9 gpus=1", `1:7: proc mesh name "9": want a letter or _`},
		{"spawn @1a on p T", `1:8: actor mesh name "1a": want a letter or _`},
		{"spawn @a on 1p T", `1:13: proc mesh name "1p": want a letter or _`},
		{"call @-a.E", `1:7: actor mesh name "-a": want a letter or _`},
		{"kill 9", `1:6: proc mesh name "9": want a letter or _`},
		{"procs " + strings.Repeat("a", 64) + " gpus=1", `63 at most`},
		{"ls \xff", `1:4: this is not valid UTF-8 text`},
		{"call @té.E", `1:8: want an endpoint after the target`},
		{"delay p", `delay needs how much of it`},
		{"delay p[2] soon", `1:16: delay needs how much of it`},
		{"delay p 50", `want a delay such as 500ms`},
		{"delay p 5ms for", `want for how long such as`},
		{"delay p 5ms for 0s", `1:13: for 0s: a fault acts for more than no time`},
		{"delay p 5ms seed 0", `seeds are numbered from 1`},
		{"delay p @t 5ms", `1:9: the other end of a link is a proc mesh or controller, not an actor mesh`},
		{"delay 5ms", `1:7: proc mesh name "5ms"`},
		{"drop", `want the name of a proc mesh, not nothing, or a mesh with @ (usage: drop `},
		{"drop @t.E 10", `1:11: want how many of a hundred, such as 10%`},
		{"drop p 0%", `more than 0% and up to 100%, not "0%"`},
		{"drop p 101%", `up to 100%, not "101%"`},
		{"drop @t 10% in", `1:13: want nothing more here, not "in"`},
		{"rate p 5", `1:8: want a rate such as 500KB/s`},
		{"rate p 0MB/s", `want a rate such as 500KB/s`},
		{"rate p 999999999GB/s", `from 1B/s to 100GB/s`},
		{"partition @t", `1:11: partition is for processes and their links, not for actors: want the name of a proc mesh`},
		{"on @t rate 5MB/s", `rate is for processes and their links`},
		{"partition p seed 3", `1:13: want nothing more here, not "seed"`},
		{"pause @t for 2s", `only processes are paused for a time; to hold up the messages of actors: delay @t DURATION`},
		{"pause p in", `1:9: want nothing more here`},
		{"heal 0", `faults are numbered from 1`},
		{"heal @t.E", `heal takes ranks, not an endpoint`},
		{"kill @t[?]", `want a rank`},
		{"kill p[2] seed 4", `want nothing more here, not "seed"`},
		{"stop p[?]", `want a rank, not '?'`},
		{"let faults = 1", `1:5: faults has a meaning of its own`},
		{"let x = " + strings.Repeat("1+", 200) + "1", "expression exceeds maximum allowed nodes"},
	}
	for _, c := range cases {
		t.Run(c.script, func(t *testing.T) {
			_, errs := Parse("t.mtui", c.script)
			if len(errs) == 0 {
				t.Fatal("it parses")
			}
			if got := strings.TrimPrefix(errs[0].Error(), "t.mtui:"); !strings.Contains(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestAMistakeOnLine40IsToldThereAndNothingRuns_INV_PARSE(t *testing.T) {
	script := toys + strings.Repeat("echo fine\n", 37) + "call @t.Value {a: \"x\",\n" + "  b: 2\n"
	w := newWorld(t)
	code, report := play(t, w, script)
	want := "test.mtui:40:15: this { is never closed\n    call @t.Value {a: \"x\",\n                  ^\n"
	if code != ExitUsage || report != want {
		t.Errorf("exit %d, report:\n%s\nwant:\n%s", code, report, want)
	}
	if len(w.snap.ProcMeshes) > 0 {
		t.Error("something ran")
	}
}

func TestEveryMistakeIsToldNotOnlyTheFirst(t *testing.T) {
	_, errs := Parse("t", "cal x\nls\nlss\n  value == 1\n  valu == 1\n")
	var lines []int
	for _, e := range errs {
		lines = append(lines, e.Line)
	}
	if fmt.Sprint(lines) != "[1 3 5]" {
		t.Errorf("lines %v", lines)
	}
}

func TestColumnsCountCharactersAndTheCaretPointsAtThem(t *testing.T) {
	_, errs := Parse("t", "call @t.E\n  out == \"ééé\" and valeu == 1\n")
	want := "t:2:20: no name \"valeu\" here (did you mean value?)\n      out == \"ééé\" and valeu == 1\n                       ^"
	if len(errs) != 1 || errs[0].Detail() != want {
		t.Errorf("got\n%s\nwant\n%s", errs[0].Detail(), want)
	}
}

func TestPlacesOfStatementsAreTheirs(t *testing.T) {
	sc, errs := Parse("t", "# one\nls\n\n# two\n[linux] ! call @t.E {a: [1,\n2]} => r # c\n  err == \"\"\nlet x = r\n")
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	st := sc.Stmts[1]
	if st.Line != 5 || st.Column != 11 || st.Phase != "two" || !st.MustFail || st.Capture != "r" || st.Text != "[linux] ! call @t.E {a: [1,\n2]} => r" {
		t.Errorf("%+v", st)
	}
	if a := st.Cmd.Args.(CallArgs); a.Literal.Text != "{a: [1,\n2]}" || a.Literal.Column != 21 {
		t.Errorf("%+v", a.Literal)
	}
	if c := st.Expect[0]; c.Line != 7 || c.Column != 3 {
		t.Errorf("%+v", c.Pos)
	}
}

func TestMonarchsRanksAreReadAsMonarchDoes(t *testing.T) {
	valid := []string{"ranks(1)", "ranks(1,4)", "ranks(1,4,6)", "ranks(1:4)", "ranks(:4)", "ranks(1:)", "ranks(:)", "ranks(1:10:2)", "ranks(::2)", "ranks(:)", "ranks(x=1)", "ranks(x=1,y=2)", "ranks(x=1:4, y=(2,3))", "ranks( 1 , 2 )"}
	invalid := []string{"ranks()", "ranks(1,)", "ranks(,1)", "ranks(1,,2)", "ranks(:::)", "ranks(1,2:3)", "ranks (1)", "ranks(x)", "ranks(x=)", "ranks(x=())", "ranks(x=(1,))", "ranks(-1)", "ranks(1", "ranks(x=1,)", "rank(1)", "ranks(x=1,2)"}
	for _, r := range valid {
		if _, errs := Parse("t", "cast toy "+r+" n"); len(errs) > 0 {
			t.Errorf("%s: %s", r, errs[0])
		}
	}
	for _, r := range invalid {
		if _, errs := Parse("t", "cast toy "+r+" n"); len(errs) == 0 {
			t.Errorf("%s is accepted", r)
		}
	}
}

func TestSourcedScriptsAreParsedFirstAndCirclesRefused(t *testing.T) {
	files := map[string]string{"dir/a.mtui": "source b.mtui\necho ${b}\n", "dir/b.mtui": "let b = 2\n", "dir/c.mtui": "source d.mtui", "dir/d.mtui": "ls\nsource c.mtui", "dir/e.mtui": "ls\nnosuch\n"}
	read := func(name string) ([]byte, error) {
		if s, ok := files[name]; ok {
			return []byte(s), nil
		}
		return nil, os.ErrNotExist
	}
	sc, errs := ParseWith(read, "dir/main.mtui", "source a.mtui\necho ${b}")
	if len(errs) > 0 || len(sc.Stmts[0].Include.Stmts) != 2 || sc.Stmts[0].Include.Stmts[0].Include.Stmts[0].File != "dir/b.mtui" {
		t.Errorf("%v", errs)
	}
	if _, errs = ParseWith(read, "dir/main.mtui", "source c.mtui"); len(errs) != 1 || errs[0].Error() != "dir/d.mtui:2:1: source goes round in a circle: dir/c.mtui → dir/d.mtui → dir/c.mtui" {
		t.Errorf("%v", errs)
	}
	if _, errs = ParseWith(read, "dir/main.mtui", "source e.mtui"); len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), `dir/e.mtui:2:1: no command "nosuch"`) {
		t.Errorf("%v", errs)
	}
}

func TestParseLineLeavesUnknownNamesToTheSession(t *testing.T) {
	for _, line := range []string{"call @t.E => r", "wait j", "echo ${x}", "call %g.E", "state . count"} {
		if _, errs := ParseLine(line); len(errs) > 0 {
			t.Errorf("%s: %v", line, errs[0])
		}
	}
}

func TestParseLineTakesOneCommand(t *testing.T) {
	_, errs := ParseLine("procs p gpus=2; ls")
	if len(errs) != 1 || errs[0].Error() != ":1:15: this is one command, and behind the ; another: write that as the next one" {
		t.Errorf("%v", errs)
	}
	for _, line := range []string{"echo a; b", `call @t.E "x; y"`} {
		if _, errs := ParseLine(line); len(errs) > 0 {
			t.Errorf("%s: %v", line, errs[0])
		}
	}
}

func TestAbsurdScriptsAreRefusedInTime_INV_BOUND(t *testing.T) {
	for name, text := range map[string]string{
		"commands in commands": "ls\n" + strings.Repeat("on @t ", 150_000),
		"break in break":       strings.Repeat("break @t.E do ", 70_000),
		"parentheses":          "let x = " + strings.Repeat("(", 1_000_000),
		"a line of quotes":     "echo " + strings.Repeat(" \"", 500_000) + "\nlss",
		"brackets":             strings.Repeat("[", 1_000_000),
		"many mistakes":        strings.Repeat("x\n", 500_000),
		"many holes":           "lss\necho " + strings.Repeat("${1}", 100_000),
		"much too long":        strings.Repeat("ls\n", 400_000),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, errs := Parse("t", text)
			if len(errs) == 0 || len(errs) > maxErrors {
				t.Errorf("%d errors", len(errs))
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestVerbTableIsComplete(t *testing.T) {
	for _, v := range Verbs() {
		if v.Usage == "" || !strings.HasPrefix(v.Usage, v.Name) || v.Group == "" || v.Alive() && v.Summary == "" {
			t.Errorf("%+v", v)
		}
		byParser := v.Name == expectWord || v.Name == "source" // these two the parser takes apart itself
		if has, want := v.run != nil, v.Alive() && !byParser; has != want {
			t.Errorf("%s: that there is code to run is %t, want %t", v.Name, has, want)
		}
		if v.Calls && !v.Changes {
			t.Errorf("%s calls, and a viewer may do it", v.Name)
		}
	}
	md := Markdown()
	if !strings.Contains(md, "| `call @MESH[sel].Endpoint [VALUE…]` | call every rank and wait for all |") || !strings.Contains(md, "`watch`") || strings.Contains(md, "| `watch") || !strings.Contains(md, "| `break WHERE") {
		t.Error(md)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"break @t.*@reply if arg.n > 1 hit %2 print \"n={arg}\"\ntbreak error\ncondition 1 x", "print [1].over over ranks(1:2)\nset args.x {a: 1}\nfail \"x\ny\"\ncast t ranks(:) x = 3\ndiff @t @t a", toys, "call @t.E {a: [\n1]} => r\n  @t: all value == ${x} within 1s\n", "cast t ranks(x=(1,2)) p y", "[!gpu] ! on @t[0-1] call E \"a\" &j", "echo ${ {\"a\": 1} } # x", "break @t.E@recv if a once do c", "\ufeffls\r\n\t# x", "procs p hosts=n1,${x} via=exec command=\"a {b}\" within=1m q='x' gpus=2 via=local"} {
		f.Add(s)
	}
	read := func(string) ([]byte, error) { return nil, errors.New("no files here") }
	f.Fuzz(func(t *testing.T, text string) {
		_, errs := ParseWith(read, "f", text)
		for _, e := range errs {
			if e.Line < 1 || e.Column < 1 || e.Msg == "" {
				t.Fatalf("%+v", e)
			}
			e.Detail()
		}
		ParseLine(text)
	})
}

func TestANameThatIsFilledInIsNotJudgedBefore(t *testing.T) {
	if _, errs := Parse("t", "let n = \"x\"\nprocs ${n} gpus=1\nspawn @${n} on ${n} T\ncall @${n}.E\nkill ${n}\n"); len(errs) > 0 {
		t.Error(errs)
	}
}
