package control

import (
	"errors"
	"fmt"
	"time"
)

// What becomes of messages to a rank that moves to another build: ReloadReq.Policy.
const (
	ReloadDrain = "drain" // what it has is handled first, what comes meanwhile waits and is handled by the new build
	ReloadFail  = "fail"  // what has not begun, and what comes meanwhile, is not sent
)

// The states of a Reload.
const (
	ReloadBuilding = "building"
	ReloadRolling  = "rolling"
	ReloadDone     = "done"
	ReloadFailed   = "failed" // it did not build, or a rank did not begin on the new build: those after it stay on theirs
)

// What a reload comes to for one rank: ReloadRank.State.
const (
	RankWaits    = "waits"    // its turn has not come; of a reload that failed, it stays on its build
	RankMoves    = "moves"    // it is being moved
	RankMoved    = "moved"    // it runs on the new build
	RankKept     = "kept"     // it could not be moved, and goes on where it was: nothing of it ended
	RankRestored = "restored" // it did not begin on the new build, and was put back on the old one with its state
	RankLost     = "lost"     // it has ended
)

// ReloadReq moves the ranks of proc meshes to another build of the program, one after the other: each ends what it does, gives
// its Snapshot, and begins anew from the new executable in the same slot, with the same references. It returns when all have
// moved, or when one could not: Reload says which. Answer: Reload.
type ReloadReq struct {
	Procs   []string      // names of proc meshes; none: all that have processes of their own
	Ranks   []int         // of the one that is named; none: all
	Program string        // the executable, or
	Package string        // the folder of its package, which is built first; both empty: the package that the program was built from
	Policy  string        // ReloadDrain, which it is where this is empty, or ReloadFail
	Batch   int           // how many ranks move beside each other, after the first; 0: a quarter of them, 16 at most
	Drain   time.Duration // how long a rank has for what it does; 0: 10 s
	Start   time.Duration // how long a new process has until it is ready; 0: 30 s
	Build   time.Duration // how long building may take; 0: 5 min
}

// MaxReloadBatch bounds ReloadReq.Batch.
const MaxReloadBatch = 1024

// Check says what is wrong with a request.
func (r *ReloadReq) Check() error {
	switch {
	case r.Program != "" && r.Package != "":
		return errors.New("reload: a program or a package, not both")
	case len(r.Ranks) > 0 && len(r.Procs) != 1:
		return errors.New("reload: ranks are those of one proc mesh: name it")
	case r.Policy != "" && r.Policy != ReloadDrain && r.Policy != ReloadFail:
		return fmt.Errorf("reload: policy %.40q: want %s or %s", r.Policy, ReloadDrain, ReloadFail)
	case r.Batch < 0 || r.Batch > MaxReloadBatch:
		return fmt.Errorf("reload: %d ranks at once: want 1 to %d", r.Batch, MaxReloadBatch)
	case r.Drain < 0 || r.Start < 0 || r.Build < 0:
		return errors.New("reload: a time is less than 0")
	}
	return nil
}

// Reload is one reload: what was built, and what it came to for each rank. A later event with the same ID takes the place of an
// earlier one.
type Reload struct {
	ID     uint64 // counts those of the session
	Time   time.Time
	By     string // who asked for it: a front end, an actor, the program
	State  string // building | rolling | done | failed
	Reason string // why it failed, in one line
	Policy string
	Build  string         // build id of the new executable, as Proc.Build has it; "" before it is there
	Folder string         `cbor:",omitempty"` // where it was built: the files of Errors are named from there
	Errors []CompileError // of the compiler, MaxCompileErrors at most
	Ranks  []ReloadRank
	Moved  int           // how many of them are moved
	Built  time.Duration // what building took
	Took   time.Duration // from the request until now, or until it was over

	Notes []string `cbor:",omitempty"` // what is to be known besides, of no rank alone
}

// Over reports whether nothing more comes of it.
func (r *Reload) Over() bool { return r.State == ReloadDone || r.State == ReloadFailed }

// CompileError is a place that the compiler complains about.
type CompileError struct {
	File      string // as the compiler says it: relative to the folder that was built, where it is below it
	Line, Col int    // 0 where there is none
	Text      string
}

// String is the error as the compiler writes it.
func (e CompileError) String() string {
	switch {
	case e.File == "":
		return e.Text
	case e.Line == 0:
		return e.File + ": " + e.Text
	case e.Col == 0:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Text)
}

// MaxCompileErrors bounds Reload.Errors, MaxReloads how many Reloads a session keeps.
const (
	MaxCompileErrors = 50
	MaxReloads       = 16
)

// ReloadRank is what a reload comes to for one rank.
type ReloadRank struct {
	Procs string // proc mesh
	Rank  int    // of it
	State string // waits | moves | moved | kept | restored | lost
	From  string // build id before
	Error string // why it is not moved
	Tail  []string
	Notes []string      // what of its actors' state did not fit, and which began without state, by actor and field
	Away  time.Duration // for how long it took no messages
}

// AddReload keeps a Reload in a list of the newest.
func AddReload(list []Reload, r Reload) []Reload {
	for i := range list {
		if list[i].ID == r.ID {
			list[i] = r
			return list
		}
	}
	list = append(list, r)
	return list[max(0, len(list)-MaxReloads):]
}
