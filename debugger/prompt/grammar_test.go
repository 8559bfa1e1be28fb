package prompt

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/debugger/ranks"
	"github.com/monarch-tui/monarch-tui/debugger/script"
)

// TestCastIsReadAsMonarchReadsIt holds INV-MONARCH: what Monarch's grammar takes and refuses, the prompt does. It is judged by
// package ranks, which has Monarch's own verdicts. Names that no mesh of ours can have are left out.
func TestCastIsReadAsMonarchReadsIt(t *testing.T) {
	lines := []string{"attach foo 3", "a foo 007", "attach foo 3 4", "attach foo -4", "attach foo 0x3", "attach foo.bar 1", "attach é 1", "cast foo", "cast foo n", "cast ranks(1) n", "cast foo ranks (1) n", "cast foo ranks(1)", "cast foo ranks(1) ", "cast foo ranks(1) !x=1", "cast foo ranks(1) (x)", "cast foo ranks(:)n", "cast  foo  ranks( : ) n  ", "cast foo ranks(1) foo = 3", "cast foo ranks(1) pp x.y", "cast foo ranks(1) 1", "cast foo ranks(1) _", "cast ranks ranks(1) n", "cast foo-bar ranks(1) n"}
	for _, r := range []string{
		"0", "1,2", "1,3,5", ":", "::", ":3", "4:6", "1 : 9 : 3", "dim1=1", "dim1=1,dim2=3", "dim1=0:2, dim2 = ( 0 , 1 )", "dim2=::20",
		"", " ", "1ab", "1,a,3", "1,2,3(", "1,", ",1,2", "1,,2", ":::", "1:2:3,4", "1:2,3", "-1", "::0", "*", "1-3", "(1,2)", "1 2", "1.5", "dim", "dim=", "dim=*", "dim=()", "dim=(1)", "dim=(1,)", "dim=1,2", "1,dim=2", "dim==1",
	} {
		lines = append(lines, "cast foo ranks("+r+") n")
	}
	for _, line := range lines {
		_, want := ranks.ParseCommand(line)
		_, errs := script.ParseLine(line)
		if (want == nil) != (len(errs) == 0) {
			t.Errorf("%s: Monarch's reader says %v, the prompt %v", line, want, errs)
		}
	}
}
