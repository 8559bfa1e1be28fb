package via

import (
	"context"
	"time"
)

// Cancelled is the text of a host that ended because its job was cancelled.
const Cancelled = "it was cancelled"

// Launcher starts agents.
type Launcher interface {
	// Name is what a person types after via=.
	Name() string
	// Check says what is wrong with a Spec, before anything is started: an option that does not exist, a host's name that would be
	// taken for a flag, a client that is not installed.
	Check(spec *Spec) error
	// Launch asks for agents and returns when it has been asked, which may be long before they run. tell is called for what
	// becomes of it, one event at a time; it must not block. When ctx ends, what was started so far is cancelled.
	Launch(ctx context.Context, spec Spec, tell func(Event)) (Job, error)
}

// Job is what a launcher was asked for. Its hosts are numbered from 0.
type Job interface {
	// Handle names it for a person: "ssh to n1, n2", "Slurm job 4711".
	Handle() string
	// Cancel ends it, whether it waits or runs, and returns when the launcher has confirmed that. Again is no error.
	Cancel(ctx context.Context) error
	// Done is closed when nothing of it is left here: every client process has ended.
	Done() <-chan struct{}
	// Tail is what a host's agent, or the client that starts it, printed last: 20 lines at most. -1: of the whole job.
	Tail(host int) []string
	// Resume is what another process needs to cancel it: see Reap.
	Resume() []byte
}

// Spec says what to start.
type Spec struct {
	Job     string   // a name for it in the site's lists: letters, digits and '-', unique in the session
	Hosts   []string // where; nil: Count hosts of the launcher's choice
	Count   int      // of hosts
	GPUs    int      // wanted on each host
	CPUs    int      // wanted on each host; 0: as the launcher likes
	Program Program
	Dir     string // the agents' folder, where it exists there; else the user's own
	Options map[string]string
	// Secret is what an agent is to read: that of one host, or with -1 that of all, for launchers that give every host the same.
	// At most MaxSecret bytes.
	Secret func(host int) []byte
}

// MaxSecret bounds what an agent reads, in bytes.
const MaxSecret = 1 << 20

// Program is an executable that is to run on the hosts.
type Program struct {
	Path     string
	Args     []string
	Sum      [32]byte // SHA-256 of its bytes
	Size     int64
	OS, Arch string // as Go names them
}

// State is how far a host's agent has come, as its launcher sees it.
type State uint8

// The states of a launch.
const (
	Queued   State = iota + 1 // the launcher waits for a place: Text says where in the queue, and why
	Placed                    // it has a place, which Name tells
	Shipping                  // the program is being copied there
	Started                   // the program was started
	Ended                     // it has ended, or could not be started: Text says why, in the launcher's own words
)

// Event is what became of one host of a job.
type Event struct {
	Host  int // -1: of all
	State State
	Name  string // of the host, as the launcher calls it; "" while it does not know
	Text  string // for a person
	Bytes int64  // Shipping: how many were copied so far; 0 where the program was there already
	Gone  bool   // Ended: an agent that was started there is known to have ended; otherwise only its launcher has lost it
	Time  time.Time
}

// Env is set in the environment of an agent, and says how it gets its secret: Arrive reads it.
const Env = "MONARCH_AGENT"
