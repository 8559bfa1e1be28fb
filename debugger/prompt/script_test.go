package prompt

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// walk is Monarch's walk as a script: the prompt's words mean the same there. A script does not freeze panics by being there.
const walk = `
# 1: four stand
expect stops == ["@debugee[0].ToDebug", "@debugee[1].ToDebug", "@debugee[2].ToDebug", "@debugee[3].ToDebug"] within 20s
break panic
list debugee
  text contains "{'hosts': 1, 'gpus': 0}" and text contains "ToDebug"

# 2: attach, four times next, detach, and again
attach debugee 1
n
  text startsWith "@debugee[1].ToDebug stands at send"
n
  text contains "stands at result"
n
n
  text contains "stands at result"
detach
a debugee 1
  text contains "stands at result"
detach

# 3: cast moves 0 and 3, and nobody else
cast debugee ranks(0,3) n
  text contains "@debugee[0].ToDebug stands at send" and text contains "@debugee[3].ToDebug stands at send"
cast debugee ranks(0,3) n
stops => them
expect them[0] == "@debugee[0].ToDebug"
cast debugee ranks(:) state.rank
  results[0] == 0 and results[3] == 3
  rank != 1 or value > 1

# 4: rank 2 goes wrong
attach debugee 2
c
expect len(stops) == 4 and "@debugee[2].ToDebug" in stops within 20s
print state.rank
  value > 2

# 5: where it went wrong; then it goes
bt
  text contains "bad rank" and text contains "(*Debugee).ToDebug"
c
  text contains "detached from debug session for debugee 2"
expect stops == ["@debugee[0].ToDebug", "@debugee[1].ToDebug", "@debugee[3].ToDebug"]

# 6: all go on
continue
  text contains "@debugee[0-1,3].ToDebug go on"
expect stops == [] within 20s
`

// TestMonarchsWalkAsAScript holds INV-MONARCH: what is typed at the prompt does the same in a script.
func TestMonarchsWalkAsAScript(t *testing.T) {
	d := sit(t)
	d.leave() // a front end that debugs freezes panics by being there
	c := control.InProcess(d.e.Backend(), control.ClientInfo{Name: "script", Role: control.RoleControl})
	defer c.Close()
	ses, err := script.NewSession(t.Context(), c, script.Options{Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer ses.Close()
	sc, errs := script.Parse("walk.mtui", walk)
	for _, e := range errs {
		t.Fatal(e.Detail())
	}
	var told strings.Builder
	code := ses.Run(t.Context(), sc, func(st *script.Step) {
		fmt.Fprintf(&told, "%d %s %v %s %v\n", st.Code, st.Stmt, st.Text, st.Err, st.Failures)
	})
	if code != script.ExitOK {
		t.Fatalf("exit %d\n%s", code, told.String())
	}
	if err := <-d.answer; err == nil || !strings.Contains(err.Error(), "bad rank") {
		t.Errorf("the caller got %v", err)
	}
}
