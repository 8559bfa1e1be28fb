package script

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// story has a step of every kind: values that differ, a listing, a guard, a failure, what is skipped.
const story = `# Set up <the> "toys"
procs p gpus=4
spawn @t on p Toy {Name: toy, Count: 10}

# Look & judge
call @t.Increment
call @t.Value        # four values
  any value == 12
[gpu] call @t.Nope
one @t[gpus=2].Hello "100% #1" => r
echo rank 2 says ${r}
call @t.Value
  value < 13
  @t[0-1]: state.count == 11 or state.name == "joe"
ls
`

const mistakes = "procs p\ncal @t.E\nls\n  value = = 2\n"

func TestReportsAreWhatAPersonExpects_INV_FOLD(t *testing.T) {
	for _, format := range Formats() {
		for name, script := range map[string]string{"story": story, "mistakes": mistakes} {
			t.Run(format+" "+name, func(t *testing.T) {
				change := func(r *Runner) { r.Format = format }
				_, got := play(t, newWorld(t), script, change)
				if _, again := play(t, newWorld(t), script, change); again != got {
					t.Errorf("two runs differ:\n%s\n%s", got, again)
				}
				golden := filepath.Join("testdata", name+"."+format)
				if *update {
					_ = os.MkdirAll("testdata", 0o755)
					_ = os.WriteFile(golden, []byte(got), 0o600)
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

func TestMachineReadableReportsAreWellFormed(t *testing.T) {
	_, out := play(t, newWorld(t), story, func(r *Runner) { r.Format = "junit"; r.Times = true })
	var suites junitSuites
	if err := xml.Unmarshal([]byte(out), &suites); err != nil {
		t.Fatal(err)
	}
	if suites.Tests != 9 || suites.Failures != 1 || suites.Suites[0].Skipped != 2 || suites.Suites[0].Cases[2].Time == "" {
		t.Errorf("%+v", suites.Suites[0])
	}
	_, out = play(t, newWorld(t), story, func(r *Runner) { r.Format = "ndjson" })
	for line := range strings.Lines(out) {
		var step jsonStep
		if err := json.Unmarshal([]byte(line), &step); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if step.Skipped != "" && (step.OK || step.Kind != "skipped") {
			t.Errorf("a step that did not run has not passed: %s", line)
		}
	}
	_, out = play(t, newWorld(t), "echo a\x1b[2Jb\xe2\x80\xae\nexpect text == 'x\x1b'\n", func(r *Runner) { r.Format = "junit" })
	if err := xml.Unmarshal([]byte(out), &suites); err != nil || strings.ContainsAny(out, "\x1b\u202e") {
		t.Errorf("%v: %q", err, out)
	}
}

// Jenkins checks a report against its schema and refuses it whole for one attribute too many.
func TestAJUnitReportHasOnlyWhatJenkinsTakes(t *testing.T) {
	allowed := map[string][]string{
		"testsuites": {"name", "time", "tests", "failures", "errors"},
		"testsuite":  {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
		"testcase":   {"name", "time", "classname", "group"},
		"skipped":    {"type", "message"}, "failure": {"type", "message"}, "error": {"type", "message"}, "system-out": nil, "system-err": nil,
	}
	for _, script := range []string{story, mistakes} {
		_, out := play(t, newWorld(t), script, func(r *Runner) { r.Format, r.Times = "junit", true })
		for d := xml.NewDecoder(strings.NewReader(out)); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			e, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			attrs, known := allowed[e.Name.Local]
			if !known {
				t.Errorf("there is no element %s", e.Name.Local)
			}
			for _, a := range e.Attr {
				if !slices.Contains(attrs, a.Name.Local) {
					t.Errorf("%s has no attribute %s", e.Name.Local, a.Name.Local)
				}
			}
		}
	}
}

func TestWhatAProgramSaysIsNoPartOfTheReportsOwnLanguage(t *testing.T) {
	hostile := "let a = \"x\\n::stop-commands::tok\\n \\t::error::e\\n##[group]g\"\necho ${a}\n! echo \"C:\\# SKIP me\"\n"
	_, out := play(t, newWorld(t), hostile, func(r *Runner) { r.Format = "github" })
	own := 0
	for line := range strings.Lines(out) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") {
			own++
			if !strings.HasPrefix(line, "::error file=test.mtui,line=3,") {
				t.Errorf("a line that is not ours: %q", line)
			}
		}
	}
	if own != 1 || strings.Contains(out, "##[") {
		t.Errorf("%d commands in\n%s", own, out)
	}
	_, out = play(t, newWorld(t), hostile, func(r *Runner) { r.Format = "tap" })
	if !strings.Contains(out, "not ok 3 - test.mtui:3 ! echo \"C:\\\\\\# SKIP me\"\n") {
		t.Errorf("a test's text is taken for a directive:\n%s", out)
	}
}

func TestABlankLineWithinADiagnosticKeepsItsIndent(t *testing.T) {
	var out strings.Builder
	r := &tapReport{w: &out}
	r.step(&Step{Stmt: &Stmt{Text: "x"}, Code: ExitCommand, Err: "one\n\ntwo"})
	want := "TAP version 13\nnot ok 1 - x\n  ---\n  message: |\n    one\n    \n    two\n  ...\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestTimesAndColoursComeOnlyWhenAsked(t *testing.T) {
	_, out := play(t, newWorld(t), "ls\n", func(r *Runner) { r.Times, r.Color = true, true })
	if !strings.Contains(out, " ms)") || !strings.Contains(out, "\x1b[32mok") {
		t.Error(out)
	}
	_, out = play(t, newWorld(t), "ls\n")
	if strings.Contains(out, " ms)") || strings.Contains(out, "\x1b") {
		t.Error(out)
	}
}

func TestFoldSaysOnceWhatRanksHaveInCommon(t *testing.T) {
	var f fold
	for r, text := range []string{"a", "b", "a", "a", "two\nlines"} {
		f.add(r, text)
	}
	want := "[0,2-3] a\n[1] b\n[4] two\n    lines"
	if got := strings.Join(f.lines(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	lines := foldLines(map[int][]string{0: {"x", "x", "only 0"}, 1: {"first 1", "x"}})
	want = "[0-1] x\n[0] x\n[0] only 0\n[1] first 1"
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
