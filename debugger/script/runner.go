package script

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Runner runs script files, each in a session of its own, and reports.
type Runner struct {
	// Open begins a session for one file. The function that it returns ends the session and what it is a part of.
	Open    func(ctx context.Context) (*control.Client, func() error, error)
	Options Options
	Format  string    // one of Formats; "" for text
	Out     io.Writer // the report
	Times   bool      // tell how long steps took; two runs then differ
	Color   bool      // text only
	Stdin   io.Reader // what the file name "-" means
}

// Source is a script to run: a file's name and its text.
type Source struct{ Name, Text string }

// Files reads, parses and runs files; "-" is standard input. It returns the exit code, after reporting.
func (r *Runner) Files(ctx context.Context, names []string) int {
	rep, err := newReporter(r)
	if err != nil {
		fmt.Fprintln(r.Out, err)
		return ExitUsage
	}
	var sources []Source
	for _, n := range names {
		text, err := r.read(n)
		if err != nil {
			rep.broken(n, []*Error{{Pos: Pos{File: n}, Msg: err.Error()}})
			rep.finish()
			return ExitUsage
		}
		sources = append(sources, Source{n, string(text)})
	}
	return r.run(ctx, rep, sources)
}

func (r *Runner) read(name string) ([]byte, error) {
	if name != "-" {
		return ReadFile(name)
	}
	if r.Stdin == nil {
		return nil, errors.New("there is no standard input to read")
	}
	return io.ReadAll(io.LimitReader(r.Stdin, maxSource+1))
}

// ReadFile reads a script, and no more of a file than a script may have. The error does not repeat the name.
func ReadFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err == nil {
		defer f.Close()
		var b []byte
		if b, err = io.ReadAll(io.LimitReader(f, maxSource+1)); err == nil {
			return b, nil
		}
	}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	if errors.Is(err, syscall.EISDIR) {
		return nil, errors.New("this is a folder: name the scripts in it")
	}
	return nil, err
}

// Sources parses and runs texts, such as the argument of run -c. It returns the exit code, after reporting.
func (r *Runner) Sources(ctx context.Context, sources ...Source) int {
	rep, err := newReporter(r)
	if err != nil {
		fmt.Fprintln(r.Out, err)
		return ExitUsage
	}
	return r.run(ctx, rep, sources)
}

// Story reports on what goes step by step but is no script: run tells each step after it happened, and returns the exit
// code.
func (r *Runner) Story(name string, run func(tell func(*Step)) int) int {
	rep, err := newReporter(r)
	if err != nil {
		fmt.Fprintln(r.Out, err)
		return ExitUsage
	}
	defer rep.finish()
	sc, start := &Script{Name: name}, time.Now()
	rep.begin(sc)
	defer func() { rep.end(sc, time.Since(start)) }()
	return run(rep.step)
}

// run parses everything before anything runs (INV-PARSE).
func (r *Runner) run(ctx context.Context, rep reporter, sources []Source) int {
	defer rep.finish()
	code := ExitOK
	var scripts []*Script
	for _, src := range sources {
		sc, errs := r.Options.Launches.Parse(src.Name, src.Text)
		if len(errs) > 0 {
			rep.broken(src.Name, errs)
			code = ExitUsage
		}
		scripts = append(scripts, sc)
	}
	if code != ExitOK {
		return code
	}
	for _, sc := range scripts {
		code = max(code, r.file(ctx, rep, sc))
		if ctx.Err() != nil {
			return max(code, ExitInterrupt)
		}
	}
	return code
}

// file runs one script in a session of its own.
func (r *Runner) file(ctx context.Context, rep reporter, sc *Script) (code int) {
	opt := r.Options.withDefaults()
	start := time.Now()
	rep.begin(sc)
	defer func() { rep.end(sc, time.Since(start)) }()
	defer func() {
		if v := recover(); v != nil {
			rep.step(&Step{Stmt: &Stmt{Text: "(monarch-tui)"}, Code: ExitInternal, Err: fmt.Sprintf("a fault in monarch-tui: %v\n%s", v, debug.Stack())})
			code = ExitInternal
		}
	}()
	fileCtx, cancel := context.WithTimeout(ctx, opt.FileTimeout)
	defer cancel()
	fault := func(what string, err error) int {
		step := &Step{Stmt: &Stmt{Text: "(" + what + ")"}, Code: max(ExitCommand, codeOf(err)), Err: clean(err.Error())}
		rep.step(step)
		return step.Code
	}
	client, done, err := r.Open(fileCtx)
	if err != nil {
		return fault("open a session", err)
	}
	s, err := NewSession(fileCtx, client, opt)
	if err != nil {
		code = fault("open a session", err)
		if err := done(); err != nil {
			code = max(code, fault("end the session", err))
		}
		return code
	}
	runCtx, stop := s.patient(ctx, opt.FileTimeout-time.Since(start))
	defer stop()
	code = s.Run(runCtx, sc, rep.step)
	if step := s.Finish(runCtx, code); step != nil {
		rep.step(step)
		code = max(code, step.Code)
	}
	stop()
	if err := errors.Join(s.Close(), done()); err != nil {
		code = max(code, fault("end the session", err))
	}
	return code
}
