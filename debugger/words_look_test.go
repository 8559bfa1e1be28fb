package debugger_test

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
)

// TestTheWordsThatLook plays the words about what a stopped frame holds, and about many ranks.
func TestTheWordsThatLook(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		code   int
		want   []string
	}{
		"arguments, the chain, the environment": {script: `
break @w[1].Do
one @asker.Ask 7 &c
expect stops == ["@w[1].Do"] within 10s
args => a
  text contains "N: 7"
expect a.o.N == 7
where
  text startsWith "#0 @w[1].Do stands at recv" and text contains "#1 @asker[0]"
where -go
  text contains "goroutine"
env
  text contains "PATH="
continue
wait c
`},
		"print at a frame and over ranks": {script: `
call @w[0].Do {N: 1}
call @w[0].Do {N: 1}
break @w[1].Do
one @w[1].Do {N: 7} &c
expect stops == ["@w[1].Do"] within 10s
print arg.N + 1
  value == 8
  text == "8"
p arg.N => n
expect n == 7
print state.count over @w
  value == (rank == 0 ? 2 : 0)
  results == [2, 0, 0, 0]
  text contains "4 ranks, 2 values" and text contains "1-3"
print state.count over ranks(0,1)
  results == [2, 0]
on @w[0-1] print state.count
  results == [2, 0]
! print state.nope
! print state.nope over @w
! print state.count over ranks(9)
cast w ranks(:) state.count
  results == [2, 0, 0, 0]
continue
wait c
diff @w[0] @w[2]
  text contains "count" and text contains "2" and text contains "0"
diff @w[2] @w[3]
! diff @w[2]
diff @w[0] @w[1] count => d
`, want: []string{"nope", "diff: want two ranks at least, and these are 1"}},
		"set a field, an argument, a result": {script: `
break @w[1].Do
one @w[1].Do {N: 7} &c
expect stops == ["@w[1].Do"] within 10s
set args.o {N: 9, Tags: [x]}
set state.count 41
  text contains "state.count was 0, and is 41"
! set state.count many
! set state.nope 3
! set result 3
next
  text contains "→ 42"
set result 7
continue
wait c
  value == 7
on @w[2-3] set state.count 5
expect @w: state.count == [0, 42, 5, 5][rank]
clear
call @w.Count
  results == [0, 42, 5, 5]
`, want: []string{"state.count", "nope"}},
		"into, finish and follow lead from actor to actor": {script: `
tbreak @asker.Ask
one @asker.Ask 7 &c
expect stops == ["@asker[0].Ask"] within 10s
into
  text contains "@w[1].Do stands at recv" and text contains "@asker[0].Ask goes on"
where
  text contains "#1 @asker[0]"
finish
  text contains "@w[1].Do stands at reply"
finish
  text contains "@asker[0].Ask stands at result" and text contains "@w[1].Do goes on"
continue
wait c
tbreak @asker.Ask
one @asker.Ask 8 &c
expect stops == ["@asker[0].Ask"] within 10s
follow
  text contains "@w[1].Do stands at recv: {N: 8"
continue @w[1]
expect stops == [] within 10s
wait c
`},
		"a panic, whose cause is taken away": {script: `
break panic
one @w[3].Panics &c
expect stops == ["@w[3].Panics"] within 10s
print state.count
  value == 0
set state.count 5
retry
wait c
  value == 5
one @w[3].Panics
`},
		"messages in another order": {script: `
break @w[1].Do
one @w[1].Do {N: 1} &a
expect stops == ["@w[1].Do"] within 10s
clear
one @w[1].Do {N: 2} &b
one @w[1].Do {N: 3} &c
one @w[1].Peek
mailbox => box
redeliver ${box[0][1].msg} {N: 4}
  text endsWith "is handled next"
mailbox
  value[0].arg contains "N: 4" and value[1].arg contains "N: 2"
! redeliver ${box[0][0].msg} {M: 4}
continue
wait a
wait b
  value == 3
wait c
  value == 2
`},
		"a mailbox": {script: `
break @w[1].Do
one @w[1].Do {N: 1} &a
expect stops == ["@w[1].Do"] within 10s
clear
one @w[1].Do {N: 2} &b
one @w[1].Do {N: 3} &c
one @w[1].Peek # it is concurrent, and comes behind the others
mailbox => box
  text contains "N: 2" and text contains "N: 3"
  len(value) == 2
mailbox @w[2]
  text == "no message waits for @w[2]"
discard ${box[0][0].msg}
  text endsWith "is discarded"
! wait b
! discard 99999
! redeliver 99999 @w[1]
! discard 3 @w
continue
wait a
wait c
  value == 2
`, want: []string{"a message waits for one actor, and @w has 4 ranks"}},
		"stacks, waits, deadlocks": {script: `
break @w[1].Do
one @asker.Ask 7 &c
expect stops == ["@w[1].Do"] within 10s
stacks @asker
  text contains "Ask"
stacks
! stacks @nobody
group %asking = @asker in (*Worker).Ask
  text == "%asking = @asker[0] (1 rank)"
! group %none = @asker in (*Worker).Nowhere
deadlocks => d
expect d == []
waits
continue
wait c
`},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, 4, func(s *scene) {
				p, err := engine.SpawnProcs(s.ctx, engine.Name("asking"), engine.Dim("gpus", 1))
				if err != nil {
					s.t.Fatal(err)
				}
				if _, err := engine.Spawn(s.ctx, p, "asker", Worker{Peer: s.m.Slice(engine.At("gpus", 1))}); err != nil {
					s.t.Fatal(err)
				}
				s.leave()
				s.tells(c.script, c.code, c.want)
			})
		})
	}
}
