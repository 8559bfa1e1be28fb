package engine

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// A worker's lines travel in its own stdout and stderr. A line that comes through Out is marked in the stream, so that
// order, attribution and flushing need no second channel:
//
//	RS 'L' mesh ',' rank US text NL    a line of an actor
//	RS 'F' number NL                   everything before it has been read: an answer to a flush
//
// A mark may follow plain text whose line is not finished yet. A worker that writes such bytes itself can only lie about
// its own actors: ids that do not live in its process are taken as plain text, and a flush's number cannot be guessed.
const (
	markRS = 0x1e
	markUS = 0x1f
)

const (
	maxLine   = 8 << 10 // longer lines are cut into parts
	tailLines = 20
	maxHeld   = 64 << 10 // lines that SortedOutput holds back; past it they come out early
)

// lineSink takes whole lines.
type lineSink interface {
	line(mesh uint64, name string, rank int, text string)
}

// lineWriter cuts what is written into lines.
type lineWriter struct {
	sink lineSink
	mesh uint64
	name string
	rank int
}

// Write gives each line to the sink; an unfinished last line is finished.
func (w *lineWriter) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		w.sink.line(w.mesh, w.name, w.rank, string(bytes.TrimSuffix(line, []byte("\n"))))
	}
	return len(b), nil
}

// stdSink is the worker's side: one write per line, so that lines of different goroutines do not mix.
type stdSink struct{}

func (stdSink) line(mesh uint64, _ string, rank int, text string) {
	var b []byte
	for first := true; first || len(text) > 0; first = false {
		part := text[:min(len(text), maxLine-64)]
		text = text[len(part):]
		if mesh != 0 {
			b = fmt.Appendf(b[:0], "%cL%d,%d%c%s\n", markRS, mesh, rank, markUS, part)
		} else {
			b = append(append(b[:0], part...), '\n')
		}
		_, _ = os.Stdout.Write(b) // it fails only when the program has closed its stdout
	}
}

func writeMark(f *os.File, mark uint64) error {
	_, err := fmt.Fprintf(f, "%cF%d\n", markRS, mark)
	return err
}

// output is the controller's side: it collects the lines of all ranks.
type output struct {
	hub    *hub
	stdout io.Writer // raw lines; nil: nowhere
	stderr io.Writer
	sorted bool // hold workers' lines and put them out by mesh and rank when the program itself prints

	mu      sync.Mutex
	held    []heldLine
	readers map[uint64]*pipes
}

type heldLine struct {
	mesh uint64
	proc uint64
	rank int
	text string
}

func newOutput(h *hub, stdout, stderr io.Writer, sorted bool) *output {
	return &output{hub: h, stdout: stdout, stderr: stderr, sorted: sorted, readers: map[uint64]*pipes{}}
}

// line is the program's own output.
func (o *output) line(_ uint64, _ string, _ int, text string) {
	if o.sorted {
		o.flushHeld()
	}
	o.hub.addLog(control.Log{Time: time.Now(), Rank: -1, Stream: "out", Text: clean.Line(text)})
	o.write(o.stdout, text)
}

func (o *output) write(w io.Writer, text string) {
	if w == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = io.WriteString(w, text+"\n") // a program whose stdout is closed still runs
}

// flushHeld puts out what ranks printed so far, ordered by mesh, then rank; lines of one rank keep their order.
func (o *output) flushHeld() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = o.flush(ctx, nil) // a rank that does not answer keeps its lines for later
	o.putHeld()
}

func (o *output) putHeld() {
	o.mu.Lock()
	held := o.held
	o.held = nil
	o.mu.Unlock()
	slices.SortStableFunc(held, func(a, b heldLine) int {
		return cmp.Or(cmp.Compare(a.mesh, b.mesh), cmp.Compare(a.rank, b.rank), cmp.Compare(a.proc, b.proc))
	})
	for _, l := range held {
		o.write(o.stdout, l.text)
	}
}

func (o *output) close() {
	if o.sorted {
		o.flushHeld()
	}
}

// procSink is Out of an in-process rank.
type procSink struct {
	o    *output
	proc uint64
}

func (o *output) forProc(proc uint64) lineSink { return procSink{o, proc} }

func (s procSink) line(mesh uint64, name string, rank int, text string) {
	s.o.emit(s.proc, mesh, name, rank, "out", text)
}

// emit takes one line of a rank.
func (o *output) emit(proc, mesh uint64, name string, rank int, stream, text string) {
	o.hub.addLog(control.Log{Time: time.Now(), Proc: proc, Mesh: name, Rank: rank, Stream: stream, Text: clean.Line(text)})
	switch {
	case stream == "err":
		o.write(o.stderr, text)
	case o.sorted:
		o.mu.Lock()
		o.held = append(o.held, heldLine{mesh, proc, rank, text})
		full := len(o.held) >= maxHeld
		o.mu.Unlock()
		if full {
			o.putHeld()
		}
	default:
		o.write(o.stdout, text)
	}
}

// pipes reads one worker's stdout and stderr.
type pipes struct {
	out   *output
	files [2]io.Closer
	proc  uint64
	wg    sync.WaitGroup
	mu    sync.Mutex
	last  []string // of stderr
	marks map[uint64]*markWait
	eof   int
}

type markWait struct {
	left int
	done chan struct{}
}

// read starts the two readers.
func (o *output) read(proc uint64, stdout, stderr io.ReadCloser) *pipes {
	p := &pipes{out: o, proc: proc, files: [2]io.Closer{stdout, stderr}, marks: map[uint64]*markWait{}}
	o.mu.Lock()
	o.readers[proc] = p
	o.mu.Unlock()
	p.wg.Go(func() { p.readAll(stdout, "out") })
	p.wg.Go(func() { p.readAll(stderr, "err") })
	return p
}

// drain waits until both streams have ended. A grandchild may hold them open after the worker is dead; it is killed with
// the worker's process group, and if it escaped that, what it still prints is not read.
func (p *pipes) drain() {
	waitTimeout(&p.wg, time.Second)
	for _, f := range p.files {
		_ = f.Close() // a reader that still waits gives up
	}
	p.wg.Wait()
	p.out.forget(p.proc)
}

func (o *output) forget(proc uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.readers, proc)
}

func (p *pipes) tail() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.last)
}

func (p *pipes) readAll(r io.Reader, stream string) {
	br := bufio.NewReaderSize(r, maxLine)
	for {
		b, err := br.ReadSlice('\n')
		if len(b) > 0 {
			p.take(stream, bytes.TrimSuffix(b, []byte("\n")))
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.eof++
	for mark, w := range p.marks {
		p.seen(mark, w)
	}
}

func (p *pipes) take(stream string, b []byte) {
	if at := bytes.IndexByte(b, markRS); at > 0 { // a mark behind a plain line without its end
		p.takePlain(stream, b[:at])
		b = b[at:]
	}
	if len(b) > 2 && b[0] == markRS {
		if b[1] == 'F' {
			if mark, err := strconv.ParseUint(string(b[2:]), 10, 64); err == nil {
				p.mu.Lock()
				if w := p.marks[mark]; w != nil {
					p.seen(mark, w)
				}
				p.mu.Unlock()
				return
			}
		}
		if mesh, rank, text, ok := parseMarked(b); ok {
			if name, ok := p.out.hub.actorIn(p.proc, mesh, rank); ok {
				p.out.emit(p.proc, mesh, name, rank, stream, text)
				return
			}
		}
	}
	p.takePlain(stream, b)
}

func (p *pipes) takePlain(stream string, b []byte) {
	text := string(b)
	if stream == "err" {
		p.mu.Lock()
		if len(p.last) == tailLines {
			p.last = p.last[1:]
		}
		p.last = append(p.last, clean.Line(text))
		p.mu.Unlock()
	}
	p.out.emit(p.proc, 0, "", p.out.hub.rankOf(p.proc), stream, text)
}

// await waits for a mark in the streams that have not ended; nil when both have.
func (p *pipes) await(mark uint64) *markWait {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.eof == 2 {
		return nil
	}
	w := &markWait{left: 2 - p.eof, done: make(chan struct{})}
	p.marks[mark] = w
	return w
}

// seen counts a mark, or the end of a stream in its place. The caller holds p.mu.
func (p *pipes) seen(mark uint64, w *markWait) {
	if w.left--; w.left == 0 {
		close(w.done)
		delete(p.marks, mark)
	}
}

func parseMarked(b []byte) (mesh uint64, rank int, text string, ok bool) {
	head, body, ok := bytes.Cut(b, []byte{markUS})
	if !ok || head[1] != 'L' {
		return 0, 0, "", false
	}
	m, r, ok := bytes.Cut(head[2:], []byte(","))
	if !ok {
		return 0, 0, "", false
	}
	mesh, err1 := strconv.ParseUint(string(m), 10, 64)
	rank, err2 := strconv.Atoi(string(r))
	return mesh, rank, string(body), err1 == nil && err2 == nil
}

// actorIn checks that an actor lives in a process and names its mesh.
func (h *hub) actorIn(proc, mesh uint64, rank int) (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.meshByID[mesh]
	if m == nil || rank < 0 || rank >= m.rec.Ref.Home.Len() || m.rec.Ref.First+uint64(m.rec.Ref.Home.RankAt(rank)) != proc {
		return "", false
	}
	return m.rec.Ref.Name, true
}

// joined reports whether a process can be asked to flush: one that is still starting cannot answer.
func (h *hub) joined(proc uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.procs[proc]
	return p != nil && p.isReady()
}

func (h *hub) rankOf(proc uint64) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.procs[proc]; p != nil {
		return p.rank
	}
	return -1
}

// flush waits until what ranks printed before has been read; nil asks all processes. In-process ranks need none.
func (o *output) flush(ctx context.Context, want func(proc uint64) bool) error {
	mark := rand.Uint64() //nolint:gosec // a worker that guesses it deceives only itself
	type waiting struct {
		proc uint64
		w    *markWait
	}
	var all []waiting
	o.mu.Lock()
	readers := maps.Clone(o.readers)
	o.mu.Unlock()
	for proc, p := range readers {
		if want != nil && !want(proc) || !o.hub.joined(proc) {
			continue
		}
		if w := p.await(mark); w != nil {
			all = append(all, waiting{proc, w})
		}
	}
	errs := make(chan error, len(all))
	for _, x := range all {
		go func() {
			err := o.hub.node.request(ctx, quicnet.Addr{Proc: x.proc}, sysFlush, mark, nil)
			if err == nil {
				select {
				case <-x.w.done:
				case <-ctx.Done():
					err = ctx.Err()
				}
			}
			if errors.Is(err, ErrLost) {
				err = nil // what it printed was read when it ended
			}
			errs <- err
		}()
	}
	var first error
	for range all {
		if err := <-errs; err != nil && first == nil {
			first = fmt.Errorf("flush the output of ranks: %w", err)
		}
	}
	return first
}
