package build

import (
	"bytes"
	"cmp"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Source says what to build.
type Source struct {
	Folder     string // of the package; "": the package that Executable was built from, as the module of the working folder has it
	Executable string // how it was built is how the new one is
	Go         string // the go command; "": the one in PATH
}

// Output is what came of it.
type Output struct {
	Path   string                 // of the executable; "" where there is none
	Errors []control.CompileError // of the compiler
	dir    string
}

// Remove takes the executable away.
func (o Output) Remove() {
	if o.dir != "" {
		_ = os.RemoveAll(o.dir) // the system empties its folder for temporary files
	}
}

// ErrCompile is the error of what does not compile; Output.Errors has the places.
var ErrCompile = errors.New("it does not compile")

// maxOutput bounds what is kept of the go command's words, lastTime is what it has to end when it was told to.
const (
	maxOutput = 256 << 10
	lastTime  = 3 * time.Second
)

// Program builds. Where the compiler is not content, the error is ErrCompile, with the first place.
func Program(ctx context.Context, src Source) (out Output, err error) {
	bi, err := buildinfo.ReadFile(src.Executable)
	if err != nil {
		return out, fmt.Errorf("how the program was built is not known: %w", err)
	}
	folder, pkg, err := target(src, bi)
	if err != nil {
		return out, err
	}
	command := src.Go
	if command == "" {
		if command, err = exec.LookPath("go"); err != nil {
			return out, errors.New("there is no go command in PATH: install Go, or build the program elsewhere and reload that file")
		}
	}
	dir, err := os.MkdirTemp("", "monarch-build-")
	if err != nil {
		return out, fmt.Errorf("make a folder for the build: %w", err)
	}
	out.dir = dir
	defer func() {
		if err != nil {
			out.Remove()
			out.Path = ""
		}
	}()
	out.Path = filepath.Join(dir, "program")
	args := append([]string{"build", "-o", out.Path}, settings(bi)...)
	said := &head{}
	cmd := exec.CommandContext(ctx, command, append(args, pkg)...)
	cmd.Dir, cmd.Env = folder, environment(bi)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends its compilers then
	cmd.WaitDelay = lastTime
	err = cmd.Run()
	switch {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return out, fmt.Errorf("building %s took too long, or was given up: %w", pkg, ctx.Err())
	}
	if _, exited := errors.AsType[*exec.ExitError](err); !exited {
		return out, fmt.Errorf("run the go command: %w", err)
	}
	out.Errors = Errors(said.String())
	if len(out.Errors) == 0 {
		return out, fmt.Errorf("go build: %w", err)
	}
	return out, fmt.Errorf("%w: %s", ErrCompile, first(out.Errors))
}

// first is the first error, and how many more there are.
func first(errs []control.CompileError) string {
	if len(errs) == 1 {
		return errs[0].String()
	}
	return fmt.Sprintf("%s (and %d more)", errs[0], len(errs)-1)
}

// target is where to build which package.
func target(src Source, bi *debug.BuildInfo) (folder, pkg string, err error) {
	if src.Folder != "" {
		if st, err := os.Stat(src.Folder); err != nil || !st.IsDir() {
			return "", "", fmt.Errorf("package %s: want the folder of a package", clean.OneLine(src.Folder, 200))
		}
		return src.Folder, ".", nil
	}
	switch {
	case bi.Path == "" || bi.Path == "command-line-arguments":
		return "", "", errors.New("the program was built from files, not from a package: say which folder to build")
	case strings.HasSuffix(bi.Path, ".test"):
		return "", "", fmt.Errorf("the program is the test binary of %s: say which folder to build, or which executable to run", strings.TrimSuffix(bi.Path, ".test"))
	}
	return "", bi.Path, nil
}

// Folder is where a program's package has its source; "" where the go command does not find it from the working folder.
func Folder(ctx context.Context, src Source) (string, error) {
	bi, err := buildinfo.ReadFile(src.Executable)
	if err != nil {
		return "", err
	}
	folder, pkg, err := target(src, bi)
	if err != nil {
		return "", err
	}
	if folder != "" {
		return filepath.Abs(folder)
	}
	cmd := exec.CommandContext(ctx, cmp.Or(src.Go, "go"), "list", "-f", "{{.Dir}}", pkg)
	said := &head{}
	cmd.Stderr = said
	cmd.WaitDelay = lastTime
	b, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("where is the source of %s? %s: %w", pkg, clean.OneLine(said.String(), 400), err)
	}
	return strings.TrimSpace(string(b)), nil
}

// settings are the flags that a program was built with.
func settings(bi *debug.BuildInfo) (flags []string) {
	for _, s := range bi.Settings {
		switch s.Key {
		case "-race", "-msan", "-asan", "-trimpath":
			if s.Value == "true" {
				flags = append(flags, s.Key)
			}
		case "-tags", "-ldflags", "-gcflags", "-asmflags", "-covermode", "-pgo", "-buildmode":
			if s.Key == "-buildmode" && s.Value == "exe" || s.Value == "" {
				continue
			}
			flags = append(flags, s.Key+"="+s.Value)
		}
	}
	return flags
}

// environment is ours, with what the program was built with: those of another machine would not run here.
func environment(bi *debug.BuildInfo) []string {
	env := os.Environ()
	for _, s := range bi.Settings {
		switch s.Key {
		case "CGO_ENABLED", "GOEXPERIMENT", "GOAMD64", "GOARM64", "GOFIPS140":
			env = append(env, s.Key+"="+s.Value)
		}
	}
	return env
}

// head keeps the beginning of what is written.
type head struct{ bytes.Buffer }

func (h *head) Write(b []byte) (int, error) {
	_, _ = h.Buffer.Write(b[:min(len(b), max(0, maxOutput-h.Len()))])
	return len(b), nil
}

// Errors reads what the go command says: places with their texts, and what has no place.
func Errors(said string) (out []control.CompileError) {
	seen := map[control.CompileError]bool{}
	for line := range strings.Lines(said) {
		line = strings.TrimRight(line, "\r\n")
		text := strings.TrimSpace(clean.Line(line))
		switch {
		case text == "" || strings.HasPrefix(text, "# "): // the package that follows
			continue
		case strings.HasPrefix(line, "\t") && len(out) > 0 && !seen[control.CompileError{Text: text}]: // goes on
			last := &out[len(out)-1]
			last.Text = clean.OneLine(last.Text+" "+text, maxText)
			continue
		}
		e := place(text)
		if seen[e] {
			continue
		}
		if len(out) == control.MaxCompileErrors {
			break
		}
		seen[e] = true
		out = append(out, e)
	}
	return slices.Clip(out)
}

const maxText = 500

// place reads file:line:col: text, of which all but the text may be absent.
func place(line string) control.CompileError {
	rest := line
	var e control.CompileError
	at := strings.Index(rest, ".go:")
	if at < 0 || strings.ContainsAny(rest[:at], "\t") {
		e.Text = clean.OneLine(line, maxText)
		return e
	}
	e.File, rest = strings.TrimPrefix(rest[:at+3], "./"), rest[at+4:]
	e.Line, rest = number(rest)
	e.Col, rest = number(rest)
	e.File, e.Text = clean.OneLine(e.File, maxText), clean.OneLine(strings.TrimSpace(rest), maxText)
	return e
}

// number takes a number and the colon after it from the beginning of a text.
func number(s string) (n int, rest string) {
	i := 0
	for i < len(s) && i < 9 && s[i] >= '0' && s[i] <= '9' {
		n = 10*n + int(s[i]-'0')
		i++
	}
	if i == 0 || i == len(s) || s[i] != ':' {
		return 0, s
	}
	return n, s[i+1:]
}
