package engine

import (
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
	"sync"
	"time"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/marks"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

const (
	maxLine   = 8 << 10 // bytes of a line that front ends get
	tailLines = 20
	maxHeld   = 64 << 10 // lines that SortedOutput holds back; past it they come out early
	heldBytes = 64 << 20 // the same, in bytes
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
	b := make([]byte, 0, marks.MaxHead+len(text))
	if mesh != 0 {
		b = fmt.Appendf(b, "%cL%d,%d%c", marks.RS, mesh, rank, marks.US)
	}
	_, _ = os.Stdout.Write(append(append(b, text...), '\n')) // it fails only when the program has closed its stdout
}

func writeMark(f *os.File, mark uint64) error {
	_, err := fmt.Fprintf(f, "%cF%d\n", marks.RS, mark)
	return err
}

// output is the controller's side: it collects the lines of all ranks.
type output struct {
	hub    *hub
	stdout io.Writer // raw lines; nil: nowhere
	stderr io.Writer
	sorted bool // hold workers' lines and put them out by mesh and rank when the program itself prints

	mu       sync.Mutex
	held     []heldLine
	heldSize int // bytes in held
	readers  map[uint64]*pipes
}

// heldLine is a line, or a piece of a very long one.
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
	o.hub.addLog(logLine(control.Log{Rank: -1, Stream: "out"}, []byte(text), len(text)))
	o.write(o.stdout, text+"\n")
}

// logLine completes a line for front ends: head is what there is of its size bytes, at most maxLine of them count. A
// carriage return before the newline belongs to the end of the line.
func logLine(l control.Log, head []byte, size int) control.Log {
	if len(head) == size {
		head = bytes.TrimSuffix(head, []byte("\r"))
		size = len(head)
	}
	kept := head[:min(len(head), maxLine)]
	for k := 0; len(kept) < size && k < utf8.UTFMax-1 && !endsWhole(kept); k++ {
		kept = kept[:len(kept)-1]
	}
	l.Time, l.Cut = time.Now(), size-len(kept)
	l.Text = clean.Shown(string(kept))
	if l.Text != string(kept) || l.Cut > 0 {
		l.Raw = bytes.Clone(kept)
	}
	if l.Cut > 0 {
		l.Text += fmt.Sprintf("… (%d bytes more)", l.Cut)
	}
	return l
}

// endsWhole reports whether a text does not end within a character.
func endsWhole(b []byte) bool {
	r, size := utf8.DecodeLastRune(b)
	return r != utf8.RuneError || size != 1
}

func (o *output) write(w io.Writer, text string) {
	if w == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = io.WriteString(w, text) // a program whose stdout is closed still runs
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
	o.held, o.heldSize = nil, 0
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
	s.o.hub.addLog(logLine(control.Log{Proc: s.proc, Mesh: name, Rank: rank, Stream: "out"}, []byte(text), len(text)))
	s.o.emit(s.proc, mesh, rank, "out", text+"\n")
}

// emit puts out a line of a rank, or a piece of one.
func (o *output) emit(proc, mesh uint64, rank int, stream, text string) {
	switch {
	case stream == "err":
		o.write(o.stderr, text)
	case o.sorted:
		o.mu.Lock()
		o.held = append(o.held, heldLine{mesh, proc, rank, text})
		o.heldSize += len(text)
		full := len(o.held) >= maxHeld || o.heldSize >= heldBytes
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
	limit, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	waitUntil(&p.wg, limit.Done())
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

// mostRead is the most that is read of a child's output at once.
const mostRead = 32 << 10

func (p *pipes) readAll(r io.Reader, stream string) {
	said := &lineHead{}
	split := marks.Splitter{
		Actor: func(mesh uint64, rank int) (string, bool) { return p.out.hub.actorIn(p.proc, mesh, rank) },
		Waits: p.waitsFor,
		Mark:  p.takeMark,
		Piece: func(who marks.Speaker, text []byte, end bool) { p.take(stream, said, who, text, end) },
	}
	b := make([]byte, 1<<10)
	for {
		n, err := r.Read(b)
		split.Write(b[:n])
		if err != nil {
			break
		}
		if n == len(b) && n < mostRead { // it says much; most say next to nothing
			b = make([]byte, mostRead)
		}
	}
	split.End()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.eof++
	for mark, w := range p.marks {
		p.seen(mark, w)
	}
}

func (p *pipes) waitsFor(mark uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.marks[mark] != nil
}

// takeMark counts a mark of a flush that waits for it.
func (p *pipes) takeMark(mark uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.marks[mark]; w != nil { // it was not given up meanwhile
		p.seen(mark, w)
	}
}

// lineHead is what front ends will get of a line whose end has not come.
type lineHead struct {
	head []byte
	size int
}

func (h *lineHead) add(text []byte) {
	h.head = append(h.head, text[:min(len(text), maxLine+utf8.UTFMax-len(h.head))]...)
	h.size += len(text)
}

// take puts out a piece of a line, and tells front ends of the line once it has ended.
func (p *pipes) take(stream string, said *lineHead, who marks.Speaker, text []byte, end bool) {
	said.add(text)
	raw := string(text)
	if end {
		rank := who.Rank
		if who.Mesh == 0 {
			rank = p.out.hub.rankOf(p.proc)
		}
		l := logLine(control.Log{Proc: p.proc, Mesh: who.Name, Rank: rank, Stream: stream}, said.head, said.size)
		*said = lineHead{}
		if stream == "err" && who.Mesh == 0 {
			p.addTail(l.Text)
		}
		p.out.hub.addLog(l)
		raw += "\n"
	}
	p.out.emit(p.proc, who.Mesh, who.Rank, stream, raw)
}

// addTail keeps the last lines of stderr.
func (p *pipes) addTail(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.last) == tailLines {
		p.last = p.last[1:]
	}
	p.last = append(p.last, line)
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

// actorIn checks that an actor lives, or lived, in a process and names its mesh. What an actor printed may be read after
// its mesh has ended.
func (h *hub) actorIn(proc, mesh uint64, rank int) (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ref, ok := h.refIn(proc, mesh)
	if !ok || rank < 0 || rank >= ref.Home.Len() || ref.First+uint64(ref.Home.RankAt(rank)) != proc {
		return "", false
	}
	return ref.Name, true
}

// refIn finds an actor mesh by id: one that lives, or one of the last that ended on the proc mesh of a process. The caller
// holds h.mu.
func (h *hub) refIn(proc, mesh uint64) (control.MeshRef, bool) {
	if m := h.meshByID[mesh]; m != nil {
		return m.rec.Ref, true
	}
	p := h.procs[proc]
	if p == nil {
		return control.MeshRef{}, false
	}
	i := slices.IndexFunc(p.pm.past, func(r control.MeshRef) bool { return r.ID == mesh })
	if i < 0 {
		return control.MeshRef{}, false
	}
	return p.pm.past[i], true
}

// maxPast is how many ended actor meshes a proc mesh remembers.
const maxPast = 64

// remember keeps the reference of an actor mesh that has ended. The caller holds h.mu.
func (pm *procMesh) remember(r control.MeshRef) {
	if len(pm.past) == maxPast {
		pm.past = slices.Delete(pm.past, 0, 1)
	}
	pm.past = append(pm.past, r)
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
