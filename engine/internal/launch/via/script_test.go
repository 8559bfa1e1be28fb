//go:build unix

package via

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// What a login shell is given must mean the same to all of them, and tell nothing of the launch.
func TestTheBootstrapIsShortAndPlain(t *testing.T) {
	if n := len(bootstrap); n > 100 {
		t.Errorf("it has %d bytes", n)
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(bootstrap, "exec /bin/sh -c '"), "'")
	if strings.ContainsAny(inner, "'!\\\n") || inner != shell[2] {
		t.Errorf("%s holds what some shell reads in another way", inner)
	}
}

func TestAnOrderIsOneLineOfPrintableASCII(t *testing.T) {
	line := order{mode: "run", nonce: "n", program: Program{Path: "/p/ü", Args: []string{"a\nb", "\x01", "é"}, OS: "linux", Arch: "arm64"}}.line()
	body, ok := strings.CutSuffix(line, "\n")
	if !ok {
		t.Error("it does not end")
	}
	for _, r := range body {
		if r < ' ' || r > '~' {
			t.Fatalf("it holds %q", r)
		}
	}
	if len(line) > 16<<10 {
		t.Errorf("it has %d bytes, which a shell reads one by one", len(line))
	}
}

// Whatever an argument is, a shell passes it on as it is.
func TestQuotedWordsReachAShellAsTheyAre(t *testing.T) {
	odd := []string{"", " ", "'", `"`, `\`, `\\n`, "$HOME", "`id`", "!!", "a\nb\n", "*", "~", "-e", "%s", "\t", "\x7f\x01", "ü€", `\c`, `\0101`, "a'b\"c"}
	for _, sh := range []string{"sh", "bash", "dash"} {
		path, err := exec.LookPath(sh)
		if err != nil {
			continue
		}
		script := "set --"
		for _, a := range odd {
			script += " " + quote(a)
		}
		script += `; for a; do printf "%s\0" "$a"; done`
		cmd := exec.Command(path, shell[1:]...)
		cmd.Stdin = strings.NewReader(escapeForPrintf(script) + "\nnot read")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", sh, err)
		}
		if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, odd) {
			t.Errorf("%s has made %q of %q", sh, got, odd)
		}
	}
}

func TestTheScriptIsRightForAShell(t *testing.T) {
	for _, sh := range []string{"dash", "bash"} {
		path, err := exec.LookPath(sh)
		if err != nil {
			continue
		}
		cmd := exec.Command(path, "-n")
		cmd.Stdin = strings.NewReader(agentScript)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v: %s", sh, err, out)
		}
	}
}

func TestMarksAreReadAndNothingElse(t *testing.T) {
	for line, want := range map[string]mark{
		"n0nce 3 need /home/a b/x": {3, "need", "/home/a b/x"},
		"n0nce 0 start \r":         {0, "start", ""},
		"n0nce 0 fail \x1b[31mred": {0, "fail", "\ufffd[31mred"},
	} {
		if m, ok := parseMark(line, "n0nce"); !ok || m != want {
			t.Errorf("%q is read as %+v, %v", line, m, ok)
		}
	}
	for _, line := range []string{"", "n0nce", "n0nce ", "n0nce x need y", "n0nce -1 need", "n0nce 4096 need", "other 0 need", " n0nce 0 need", "n0nce 0"} {
		if m, ok := parseMark(line, "n0nce"); ok {
			t.Errorf("%q is read as %+v", line, m)
		}
	}
}

func TestAHostThatIsAnotherMachineIsToldInTheWordsOfGo(t *testing.T) {
	linux := Program{OS: "linux", Arch: "amd64"}
	for text, want := range map[string]string{
		"Linux/x86_64 0 0 n1":  "",
		"Linux/amd64 0 0 n1":   "",
		"Linux/aarch64 0 0 n1": "it is linux/arm64, this program is linux/amd64: build one for linux/arm64 there",
		"Darwin/arm64 0 0 mac": "it is darwin/arm64, this program is linux/amd64: build one for darwin/arm64 there",
		"/ 0 0 n1":             "it does not say what machine it is: uname is missing there",
	} {
		if got := parseHello(text).refuses(linux); got != want {
			t.Errorf("%q is told as %q, want %q", text, got, want)
		}
	}
	if h := parseHello("Linux/x86_64 4711 0 node with spaces"); h.job != "4711" || h.step != "0" || h.node != "node with spaces" {
		t.Errorf("it is read as %+v", h)
	}
}

func FuzzParseMark(f *testing.F) {
	f.Add("n0nce 0 have /x")
	f.Add("n0nce 99999999999999999999 have")
	f.Fuzz(func(t *testing.T, line string) {
		m, ok := parseMark(line, "n0nce")
		if ok && (m.index < 0 || m.index >= maxHosts || m.word == "" || strings.ContainsAny(m.text, "\n\x1b")) {
			t.Errorf("%q is read as %+v", line, m)
		}
		parseHello(m.text).refuses(Program{})
	})
}

func FuzzSplitWords(f *testing.F) {
	f.Add(`a 'b c' "d \" e" f\ g`)
	f.Fuzz(func(t *testing.T, s string) {
		words, err := splitWords(s)
		if err != nil {
			return
		}
		var again []string
		for _, w := range words {
			again = append(again, quote(w))
		}
		got, err := splitWords(strings.Join(again, " "))
		if err != nil || !slices.Equal(got, words) {
			t.Errorf("%q is %q, and quoted again %q (%v)", s, words, got, err)
		}
	})
}

func TestWordsAreCutAsAShellDoes(t *testing.T) {
	for in, want := range map[string][]string{
		"":                        nil,
		"  a\t b ":                {"a", "b"},
		`a' 'b "c d"'e'`:          {"a b", "c de"},
		`'' ""`:                   {"", ""},
		`a\ b "\"\\\n" '\'`:       {"a b", `"\\n`, `\`},
		`-o "ProxyJump=a b" -J x`: {"-o", "ProxyJump=a b", "-J", "x"},
	} {
		if got, err := splitWords(in); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s is %q (%v), want %q", in, got, err, want)
		}
	}
	for _, in := range []string{`'a`, `"a`, `a\`} {
		if got, err := splitWords(in); err == nil {
			t.Errorf("%s is %q", in, got)
		}
	}
}
