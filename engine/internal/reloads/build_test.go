//go:build unix

package reloads_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
)

// source is a program whose actors are their fields. It does what it reads, and says what came of it.
const source = `package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine"
)

type Counter struct {
FIELDS
}

func (c *Counter) Inc(ctx context.Context, ARG) (int, error) { c.N++; return c.N, nil }
func (c *Counter) Get(context.Context) (string, error) { return fmt.Sprintf("%+v", *c), nil }

func main() { engine.Register[Counter](); engine.Main(run, engine.NoSession()) }

func run(ctx context.Context) error {
	p, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Dim("hosts", 2))
	if err != nil {
		return err
	}
	m, err := engine.Spawn(ctx, p, "c", Counter{N: 10})
	if err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		switch in.Text() {
		case "inc":
			_, err = engine.Method(m, (*Counter).Inc).Call(ctx, VALUE)
			fmt.Println(strings.ReplaceAll(fmt.Sprint("inc: ", err), "\n", " "))
		case "get":
			s, err := engine.Query(m.Slice(engine.At("hosts", 1)), (*Counter).Get).CallOne(ctx)
			fmt.Println("get:", s, err)
		case "reload":
			rec, err := engine.ReloadAll(ctx)
			fmt.Println("reload:", rec.Moved, rec.Ranks[1].Notes, rec.Errors, err)
		}
	}
	return nil
}
`

// written writes the program.
func written(t *testing.T, dir, fields, arg string) {
	t.Helper()
	value := "1"
	if arg == "by string" {
		value = `"1"`
	}
	text := strings.NewReplacer("FIELDS", fields, "ARG", arg, "VALUE", value).Replace(source)
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// module makes a module of the program, which uses this tree, and builds it as this test was built.
func module(t *testing.T) (dir, binary string) {
	t.Helper()
	dir = t.TempDir()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^module .*$`).ReplaceAllString(string(mod), "module example.com/prog")
	text += "\nrequire github.com/monarch-tui/monarch-tui v0.0.0\nreplace github.com/monarch-tui/monarch-tui => " + root + "\n"
	for name, b := range map[string][]byte{"go.mod": []byte(text), "go.sum": sum} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	written(t, dir, "\tN int\n\tName string\n\tGone float64\n\tChanged int", "by int")
	binary = filepath.Join(dir, "prog")
	args := []string{"build", "-o", binary, "-mod=mod"}
	if bi, ok := debug.ReadBuildInfo(); ok {
		for _, s := range bi.Settings {
			if s.Key == "-race" {
				args = append(args, "-race")
			}
		}
	}
	cmd := exec.Command("go", append(args, "example.com/prog")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir, binary
}

// TestAProgramIsBuiltAnewAndItsFieldsMoveByName holds INV-RELOAD: the source changes while the program runs.
func TestAProgramIsBuiltAnewAndItsFieldsMoveByName(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command")
	}
	dir, binary := module(t)
	cmd := exec.Command(binary)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "GOFLAGS=-mod=mod", "MONARCH_GPUS=none")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	do := func(what string, wants ...string) {
		t.Helper()
		if _, err := io.WriteString(in, what+"\n"); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() {
			t.Fatalf("%s: the program has ended: %v", what, lines.Err())
		}
		for _, want := range wants {
			if !strings.Contains(lines.Text(), want) {
				t.Errorf("%s gives %s, want %s", what, lines.Text(), want)
			}
		}
	}
	do("inc", "inc: <nil>")
	do("get", "{N:11 Name: Gone:0 Changed:0} <nil>")
	do("reload", "p[1] runs this build already")

	written(t, dir, "\tN int\n\tM Missing", "by int")
	do("reload", "reload: 0 ", "main.go:15:4: undefined: Missing", "it does not compile: ")
	do("inc", "inc: <nil>")

	written(t, dir, "\tName string\n\tN int\n\tFresh []string\n\tChanged string", "by int")
	do("reload", "reload: 2 ", "@c[1] Gone is no field any more: its value is gone", "@c[1] Fresh is new: it has its zero value", "@c[1] Changed does not fit: ", "<nil>")
	do("get", "{Name: N:12 Fresh:[] Changed:} <nil>")
	do("inc", "inc: <nil>")

	written(t, dir, "\tName string\n\tN int", "by string")
	do("reload", "reload: 2 ", "<nil>")
	do("inc", "Counter.Inc has another signature here than at the caller")
	do("get", "{Name: N:13} <nil>")
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
