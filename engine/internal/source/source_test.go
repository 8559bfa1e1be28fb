package source

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// probed is a type with a comment.
type probed struct{}

// Take takes what it gets.
func (*probed) Take(_ int, what string) { _ = what }

func (*probed) Bare(_ int, other string) { _ = other }

func TestAMethodsSourceIsRead(t *testing.T) {
	r := NewReader(func() []string { return nil })
	q := Query{PC: reflect.ValueOf((*probed).Take).Pointer(), Type: "probed", Name: "Take", Arg: true}
	m := r.Method(q)
	if m.Params[0] != "what" || m.Doc != "Take takes what it gets." || m.TypeDoc != "probed is a type with a comment." || m.File != "source_test.go" || m.Line == 0 {
		t.Errorf("%+v", m)
	}
	if again := r.Method(q); again != m {
		t.Errorf("then %+v", again)
	}
	bare := r.Method(Query{PC: reflect.ValueOf((*probed).Bare).Pointer(), Type: "probed", Name: "Bare", Arg: true})
	if bare.Params[0] != "other" || bare.Doc != "" {
		t.Errorf("%+v", bare)
	}
}

func TestASourceThatChangedSinceTheBuildIsNotBelieved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.go")
	if err := os.WriteFile(path, []byte("package x\n\ntype T struct{}\n\n// M is new.\nfunc (T) M(a, b int) {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if m := readFile(path, 6, "T", "M"); m.Params[0] != "b" || m.Doc != "M is new." {
		t.Errorf("%+v", m)
	}
	for what, m := range map[string]Method{"another line": readFile(path, 3, "T", "M"), "no file": readFile(path+"x", 6, "T", "M")} {
		if m != (Method{}) {
			t.Errorf("%s: %+v", what, m)
		}
	}
}

// program prints what a Reader knows of its method.
const program = `package main

import (
	"fmt"
	"reflect"
	"runtime"

	"github.com/monarch-tui/monarch-tui/engine/internal/source"
)

type T struct{ n int }

// M is a method.
//
//go:noinline
func (t *T) M(first, second int) int { t.n += first + second; return t.n }

func main() {
	pc := reflect.ValueOf((*T).M).Pointer()
	name := runtime.FuncForPC(pc).Name()
	m := source.NewReader(func() []string { return []string{name} }).Method(source.Query{PC: pc, Type: "T", Name: "M", Arg: true})
	fmt.Printf("%s,%s\n", m.Params[0], m.Doc)
}
`

func TestWithoutSourcesTheArgumentsNameComesFromDebugInformation(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("debug information is read from ELF files")
	}
	dir := t.TempDir()
	main, overlay, exe := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "program")
	here, err := filepath.Abs("gone") // a folder that is there for the compiler only
	if err != nil {
		t.Fatal(err)
	}
	table, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(here, "main.go"): main}})
	if err := errors.Join(err, os.WriteFile(main, []byte(program), 0o600), os.WriteFile(overlay, table, 0o600)); err != nil {
		t.Fatal(err)
	}
	for flags, want := range map[string]string{"-ldflags=": "second,", "-ldflags=-w": ","} {
		if out, err := exec.Command("go", "build", "-overlay", overlay, flags, "-o", exe, "./gone").CombinedOutput(); err != nil {
			t.Fatalf("go build %s: %v\n%s", flags, err, out)
		}
		out, err := exec.Command(exe).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", flags, got, err, want)
		}
	}
}
