package via

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

const (
	// tailLines is how much is kept of what a host prints.
	tailLines = 20
	// maxText bounds the text of an event and a line of a tail, in bytes.
	maxText   = 1000
	cancelled = Cancelled
)

// core is what all jobs have: who is told, what was printed last, and when all is over.
type core struct {
	ctx     context.Context // ends when the job is cancelled, or who asked for it has gone
	stop    context.CancelFunc
	starter *starter
	done    chan struct{}
	mu      sync.Mutex // guards what follows; it is held while somebody is told, so that events come one at a time
	tell    func(Event)
	ended   map[int]bool // hosts of which that was told; -1: of all
	tails   map[int]*tail
	all     tail
}

func newCore(ctx context.Context, tell func(Event)) *core {
	c := &core{starter: newStarter(), done: make(chan struct{}), tell: tell, ended: map[int]bool{}, tails: map[int]*tail{}}
	c.ctx, c.stop = context.WithCancel(ctx)
	return c
}

// finish waits for the clients and closes Done.
func (c *core) finish() {
	c.stop()
	c.starter.close()
	close(c.done)
}

// Done is closed when every client process has ended.
func (c *core) Done() <-chan struct{} { return c.done }

// event tells what became of a host. A host ends once, and nothing is told of it afterwards.
func (c *core) event(e Event) {
	e.Time = time.Now()
	e.Name = clean.Name(e.Name, 200)
	e.Text = clean.OneLine(e.Text, maxText)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended[-1] || c.ended[e.Host] {
		return
	}
	if e.State == Ended {
		c.ended[e.Host] = true
	}
	c.tell(e)
}

// printed keeps a line of a host's output, -1 where it is not known whose it is.
func (c *core) printed(host int, line string) {
	line = clean.OneLine(clean.Line(line), maxText)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all.add(line)
	if host < 0 {
		return
	}
	t := c.tails[host]
	if t == nil {
		t = &tail{}
		c.tails[host] = t
	}
	t.add(line)
}

// Tail is what a host printed last; of one that nothing is known of by itself, as under mpirun, what the job printed.
func (c *core) Tail(host int) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.tails[host]; t != nil {
		return t.last()
	}
	return c.all.last()
}

// tail keeps the last lines.
type tail struct{ lines []string }

func (t *tail) add(line string) {
	if strings.TrimSpace(line) == "" {
		return
	}
	if len(t.lines) == tailLines {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, line)
}

func (t *tail) last() []string { return append([]string(nil), t.lines...) }

// cancel ends the job and waits for that.
func (c *core) cancel(ctx context.Context) error {
	c.stop()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
