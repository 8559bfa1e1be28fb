//go:build !linux

package kin

import (
	"os"
	"sync"
)

// marksKnown: nothing tells the environment of processes here.
const marksKnown = false

func usable() string { return "no Linux" }

// Keeper keeps nothing together here: process groups are all there is.
type Keeper struct {
	session, root, why string
	mu                 sync.Mutex
}

// Open has nothing to do.
func Open() *Keeper { return &Keeper{session: newSession(), why: usable()} }

// Pen holds nobody here.
type Pen struct{ k *Keeper }

// NewPen makes one.
func (k *Keeper) NewPen() *Pen { return &Pen{k} }

// Mark is the entry of the worker's environment.
func (p *Pen) Mark() string { return p.k.MarkOf(0) }

// Cgroup is nil: there are none.
func (p *Pen) Cgroup() *os.File { return nil }

// Refused reports that another try would be the same.
func (p *Pen) Refused(error) bool { return false }

// Forked has nothing to do.
func (p *Pen) Forked() {}

// End has nothing to do.
func (p *Pen) End() {}

// Close has nothing to do.
func (k *Keeper) Close() {}

// EndOwn has nothing to do.
func EndOwn() {}
