package kin

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// Keeper ends what the workers of one controller have started.
type Keeper struct {
	session string
	since   uint64 // when this process started: nothing of ours is older
	guard   *guard

	mu       sync.Mutex
	root     string // folder of the session's cgroups; "": by marks
	why      string // there is no root
	next     uint64
	over     map[string]bool // workers that have ended and are not looked for yet
	sweeping bool
	wg       sync.WaitGroup
}

// Open begins to keep, and starts the guard beside what the caller does next. Close ends both.
func Open() *Keeper {
	k := &Keeper{session: newSession(), since: startOf(os.Getpid()), over: map[string]bool{}}
	k.root, k.why = openFolder()
	k.guard = startGuard(charge{k.session, k.since, k.root})
	return k
}

// Pen is what keeps one worker's kin together.
type Pen struct {
	k      *Keeper
	number uint64
	folder string   // its cgroup; "": by its mark alone
	dir    *os.File // folder, until the worker was forked
}

// NewPen makes a pen for a worker that is about to start.
func (k *Keeper) NewPen() *Pen {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.next++
	p := &Pen{k: k, number: k.next}
	if k.root == "" {
		return p
	}
	folder := filepath.Join(k.root, penPrefix+strconv.FormatUint(p.number, 10))
	if err := os.Mkdir(folder, 0o755); err != nil { //nolint:gosec // as the folders of cgroups are
		k.giveUp(err)
		return p
	}
	dir, err := os.Open(folder)
	if err != nil {
		removeFolder(folder)
		k.giveUp(err)
		return p
	}
	p.folder, p.dir = folder, dir
	return p
}

// penPrefix begins the name of a worker's folder.
const penPrefix = "w"

// giveUp makes no more cgroups. The caller holds k.mu.
func (k *Keeper) giveUp(err error) { k.root, k.why = "", reason(err) }

// Mark is the entry of the worker's environment.
func (p *Pen) Mark() string { return p.k.MarkOf(p.number) }

// Cgroup is the folder to fork the worker into, as an open file; nil: none.
func (p *Pen) Cgroup() *os.File { return p.dir }

// Refused is told that the worker could not be forked into the pen's cgroup, and makes it a pen without one. It reports whether
// that is worth another try.
func (p *Pen) Refused(err error) bool {
	if p.dir == nil {
		return false
	}
	p.Forked()
	removeFolder(p.folder)
	p.folder = ""
	p.k.mu.Lock()
	defer p.k.mu.Unlock()
	p.k.giveUp(err)
	return true
}

// Forked is told that the worker is in the pen, or that there will be none.
func (p *Pen) Forked() {
	if p.dir != nil {
		_ = p.dir.Close()
		p.dir = nil
	}
}

// End kills what is in the pen. It returns at once: what it has begun goes on beside, and Keeper.Close waits for it.
func (p *Pen) End() {
	p.Forked()
	if p.folder != "" {
		_ = killFolder(p.folder) // the rest tries again
		p.k.wg.Go(func() { clearFolder(p.folder) })
		return
	}
	p.k.sweep(strconv.FormatUint(p.number, 10))
}

// sweep kills what bears the mark of a worker that has ended. A look through /proc serves all that have ended by then.
func (k *Keeper) sweep(worker string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.over[worker] = true
	if k.sweeping {
		return
	}
	k.sweeping = true
	k.wg.Go(func() {
		for {
			k.mu.Lock()
			over := k.over
			k.over = map[string]bool{}
			k.sweeping = len(over) > 0
			k.mu.Unlock()
			if len(over) == 0 {
				return
			}
			clearMarked(k.since, func(session, worker string) bool { return session == k.session && over[worker] })
		}
	})
}

// Close returns when nothing is left of what pens have held that were ended, and the guard has gone. It is called when every
// worker has ended.
func (k *Keeper) Close() {
	k.wg.Wait()
	k.mu.Lock()
	root := k.root
	k.mu.Unlock()
	if root != "" {
		clearFolder(root)
	}
	k.guard.dismiss()
}

// EndOwn kills this worker with all that is in its cgroup, and does nothing where it has none of its own.
func EndOwn() {
	own, why := ownCgroup()
	if why != "" {
		return
	}
	name, above := filepath.Base(own), filepath.Base(filepath.Dir(own))
	if _, _, ours := ownerOf(above); ours && len(name) > len(penPrefix) && name[:len(penPrefix)] == penPrefix {
		_ = killFolder(own)
	}
}
