package quicnet

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

func TestTheDocumentListsEveryCloseCode(t *testing.T) {
	b, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[Code]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| 0x([0-9a-f]{2}) \| [a-z ]+ \| (yes)? ?\|`).FindAllStringSubmatch(string(b), -1) {
		n, err := strconv.ParseUint(m[1], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		rows[Code(n)] = m[2] == "yes"
	}
	for c := range Code(256) {
		final, listed := rows[c]
		known := !strings.HasPrefix(c.text(), "unknown")
		if known != listed || listed && final != c.final() {
			t.Errorf("code 0x%02x %q: in the document %v, final there %v, here %v", uint64(c), c, listed, final, c.final())
		}
	}
}

func TestReasonsAreOneCleanLine(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                     "plain",
		"two\nlines":                "two lines",
		"\x1b]52;c;x\a":             "\uFFFD]52;c;x\uFFFD",
		"right\u202eleft\u2028\x9b": "right\uFFFDleft\uFFFD\uFFFD",
		strings.Repeat("long", 200): strings.Repeat("long", 100) + "…",
	} {
		if got := clean.OneLine(in, maxReason); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
