package relay

import (
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

// What frames wait for others to go up with them.
const (
	foldTime   = 500 * time.Microsecond
	foldFrames = 1024
	foldBytes  = 32 << 10
)

// foldedMost is how many bytes may wait to go up, beyond which no more is read from workers: what their links hold then is bounded as
// it is between any two processes.
const foldedMost = 64 << 20

// Fold gathers the frames that the workers of a host send to the controller, and sends them together.
type Fold struct {
	send func(batch []byte, asking []Asked) // hands a batch on, in order, and does not wait; Sent is called when it is on its way
	over <-chan struct{}                    // ends every wait

	mu     sync.Mutex
	batch  []byte
	spare  []byte // the memory of a batch that is on its way
	frames int
	asking []Asked             // in the batch
	procs  map[uint64]*folding // by process
	opened int                 // answers that are to come, of all processes
	timer  *time.Timer
	late   bool // the timer runs
	queued int  // bytes that were given to send, and are not on their way
	room   chan struct{}
}

// folding is what a Fold knows of a process.
type folding struct {
	open  int    // answers that are to come
	taken uint64 // frames
}

// Asked is a process that wants to know when the controller has the first N frames that it has sent.
type Asked struct{ Proc, N uint64 }

// NewFold makes a fold.
func NewFold(send func(batch []byte, asking []Asked), over <-chan struct{}) *Fold {
	return &Fold{send: send, over: over, procs: map[uint64]*folding{}}
}

// of is what is known of a process. The caller holds f.mu.
func (f *Fold) of(proc uint64) *folding {
	p := f.procs[proc]
	if p == nil {
		p = &folding{}
		f.procs[proc] = p
	}
	return p
}

// Expect notes that a process has been sent a message that it will answer.
func (f *Fold) Expect(proc uint64) {
	f.mu.Lock()
	f.of(proc).open++
	f.opened++
	f.mu.Unlock()
}

// Add takes a frame of a process. answers says that it answers a message; ask, that the process is to be told when the controller has
// it. It waits while too much is on its way already.
func (f *Fold) Add(proc uint64, env *quicnet.Envelope, answers, ask bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.queued+len(f.batch) > foldedMost {
		if !f.await() {
			return
		}
	}
	f.batch = AppendFrame(f.batch, env)
	f.frames++
	p := f.of(proc)
	p.taken++
	if answers && p.open > 0 {
		p.open--
		f.opened--
	}
	if ask {
		f.asking = append(f.asking, Asked{proc, p.taken})
	}
	switch {
	case f.opened == 0 || f.frames >= foldFrames || len(f.batch) >= foldBytes: // nobody else is waited for
		f.flush()
	case !f.late:
		f.late = true
		if f.timer == nil {
			f.timer = time.AfterFunc(foldTime, f.waited)
		} else {
			f.timer.Reset(foldTime)
		}
	}
}

// waited sends what has come in time. Where that was nothing more, those that were waited for are slow, or answer another way: nobody
// waits for them again.
func (f *Fold) waited() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.late && f.frames == 1 {
		for _, p := range f.procs {
			p.open = 0
		}
		f.opened = 0
	}
	f.flush()
}

// await waits, unlocked, until a batch is on its way. False: nothing is, any more.
func (f *Fold) await() bool {
	if f.room == nil {
		f.room = make(chan struct{})
	}
	room := f.room
	f.mu.Unlock()
	defer f.mu.Lock()
	select {
	case <-room:
		return true
	case <-f.over:
		return false
	}
}

// Sent is told that a batch is on its way, and takes its memory for another.
func (f *Fold) Sent(batch []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.spare = batch[:0]
	if f.queued -= len(batch); f.room != nil {
		close(f.room)
		f.room = nil
	}
}

// End waits for no answer of a process any more: it has ended. It gives how many frames there were of it.
func (f *Fold) End(proc uint64) (taken uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.procs[proc]; p != nil {
		taken = p.taken
		f.opened -= p.open
		delete(f.procs, proc)
	}
	f.flush()
	return taken
}

// Backlog is how many bytes wait to go up.
func (f *Fold) Backlog() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.queued + len(f.batch)
}

// Flush sends what has come.
func (f *Fold) Flush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flush()
}

func (f *Fold) flush() {
	if f.late {
		f.late = false
		f.timer.Stop()
	}
	if f.frames == 0 {
		return
	}
	batch, asking := f.batch, f.asking
	f.batch, f.spare, f.asking, f.frames = f.spare, nil, nil, 0
	f.queued += len(batch)
	f.send(batch, asking)
}
