package build_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/build"
)

func TestTheCompilersWordsBecomePlaces(t *testing.T) {
	for said, want := range map[string][]control.CompileError{
		"# example.com/prog\n./main.go:14:4: undefined: Missing\n": {{File: "main.go", Line: 14, Col: 4, Text: "undefined: Missing"}},
		"a/b.go:3:1: x\na/b.go:3:1: x\n":                           {{File: "a/b.go", Line: 3, Col: 1, Text: "x"}},
		"./m.go:9:2: cannot use f(x) as T value:\n\thave ()\n\twant (int)\n": {
			{File: "m.go", Line: 9, Col: 2, Text: "cannot use f(x) as T value: have () want (int)"},
		},
		"go: cannot find main module\n":                {{Text: "go: cannot find main module"}},
		"main.go:7: missing return\n":                  {{File: "main.go", Line: 7, Text: "missing return"}},
		"\x1b[31m./m.go:1:1: evil\x1b]0;title\x07\r\n": {{File: "m.go", Line: 1, Col: 1, Text: "evil"}},
		"m.go:999999999999:1: far\n":                   {{File: "m.go", Text: "999999999999:1: far"}},
		"":                                             nil,
		"main.go:3:2: no required module provides x.y\n": {{File: "main.go", Line: 3, Col: 2, Text: "no required module provides x.y"}},
	} {
		if got := build.Errors(said); !slices.Equal(got, want) {
			t.Errorf("%q: %+v, want %+v", said, got, want)
		}
	}
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, "m.go:%d:1: wrong\n", i+1)
	}
	if got := build.Errors(many.String()); len(got) != control.MaxCompileErrors {
		t.Errorf("%d errors, want %d", len(got), control.MaxCompileErrors)
	}
}

func FuzzErrors(f *testing.F) {
	f.Add("./main.go:14:4: undefined: Missing\n\tmore\n# pkg\n")
	f.Fuzz(func(t *testing.T, said string) {
		for _, e := range build.Errors(said) {
			if e.Line < 0 || e.Col < 0 || strings.ContainsAny(e.String(), "\x1b\n\r") {
				t.Errorf("%q: %q", said, e.String())
			}
		}
	})
}

// self is the executable of this test.
func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatCannotBeBuiltSaysWhy(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, src := range map[string]build.Source{
		"how the program was built is not known": {Executable: text},
		"the program is the test binary of":      {Executable: self(t)},
		"want the folder of a package":           {Executable: self(t), Folder: text},
		"run the go command":                     {Executable: self(t), Folder: dir, Go: filepath.Join(dir, "nogo")},
	} {
		if _, err := build.Make(t.Context(), src); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	t.Setenv("PATH", dir)
	if _, err := build.Make(t.Context(), build.Source{Executable: self(t), Folder: dir}); err == nil || !strings.Contains(err.Error(), "there is no go command in PATH") {
		t.Error(err)
	}
}

// TestWhatTheGoCommandSaysIsTold plays its words: a command that writes them and fails.
func TestWhatTheGoCommandSaysIsTold(t *testing.T) {
	dir := t.TempDir()
	command := filepath.Join(dir, "go")
	if err := os.WriteFile(command, []byte("#!/bin/sh\necho '# prog' >&2\necho './main.go:3:9: undefined: x' >&2\necho './main.go:4:9: undefined: y' >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := build.Make(t.Context(), build.Source{Executable: self(t), Folder: dir, Go: command})
	if !errors.Is(err, build.ErrCompile) || err.Error() != "it does not compile: main.go:3:9: undefined: x (and 1 more)" || len(out.Errors) != 2 || out.Path != "" {
		t.Errorf("%v, %+v", err, out)
	}
}

func TestTwoContentsHaveTwoIDs(t *testing.T) {
	dir := t.TempDir()
	ids := map[string]bool{}
	for i, text := range []string{"a", "b", "b"} {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		id, err := build.ID(path)
		if err != nil || len(id) != 12 {
			t.Errorf("%q, %v", id, err)
		}
		ids[id] = true
	}
	id, err := build.ID(self(t))
	if err != nil || len(id) != 12 || ids[id] || len(ids) != 2 {
		t.Errorf("%q, %v beside %v", id, err, ids)
	}
	if _, err := build.ID(filepath.Join(dir, "none")); err == nil {
		t.Error("no error for a file that is not there")
	}
}
