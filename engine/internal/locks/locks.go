// Package locks keeps who holds the named locks of a session, and who waits for them, in the order they came. It is a table
// and nothing else: its owner has the lock around it, and tells who was given what.
//
// Invariants, each named by the test that holds it:
//
//   - INV-FIFO: who asks first is given a lock first.
//   - INV-ALONE: at most one holds a lock.
package locks

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Claim is one wish for a lock, granted or not.
type Claim struct {
	ID    uint64 // unique in the session
	Name  string // of the lock
	Who   string // @mesh[rank], main or procs[rank]
	Proc  uint64 // where Who lives
	Since time.Time
}

// Table holds the locks of a session. Its zero value has none.
type Table struct {
	byName map[string][]Claim // the first holds the lock, the others wait
	byID   map[uint64]string
}

// Limits of a table: what comes from actors is bounded.
const (
	MaxClaims = 100_000
	MaxName   = 200 // bytes
)

// Ask enters a claim and reports whether it has the lock now.
func (t *Table) Ask(c Claim) (granted bool, err error) {
	switch {
	case c.Name == "":
		return false, errors.New("the lock has no name")
	case len(c.Name) > MaxName:
		return false, fmt.Errorf("the name of the lock has %d bytes, and %d at most are allowed", len(c.Name), MaxName)
	case len(t.byID) >= MaxClaims:
		return false, fmt.Errorf("there are %d claims for locks already, which is the limit", MaxClaims)
	}
	if t.byName == nil {
		t.byName, t.byID = map[string][]Claim{}, map[uint64]string{}
	}
	if _, twice := t.byID[c.ID]; twice {
		return false, errors.New("this claim is there already")
	}
	list := t.byName[c.Name]
	if len(list) > 0 && list[0].Who == c.Who && list[0].Proc == c.Proc && c.Who != "main" {
		return false, fmt.Errorf("%s holds it already, and would wait for itself", c.Who)
	}
	t.byName[c.Name], t.byID[c.ID] = append(list, c), c.Name
	return len(list) == 0, nil
}

// Drop ends a claim: it releases the lock, or waits no more. next is who has the lock by that, if that changed.
func (t *Table) Drop(proc, id uint64) (next Claim, given bool) {
	name, ok := t.byID[id]
	if !ok {
		return next, false
	}
	list := t.byName[name]
	i := slices.IndexFunc(list, func(c Claim) bool { return c.ID == id && c.Proc == proc })
	if i < 0 {
		return next, false // somebody else's
	}
	delete(t.byID, id)
	list = slices.Delete(list, i, i+1)
	if len(list) == 0 {
		delete(t.byName, name)
		return next, false
	}
	t.byName[name] = list
	return list[0], i == 0
}

// DropOf ends all claims of processes, and gives who has locks by that.
func (t *Table) DropOf(gone func(proc uint64) bool) (given []Claim) {
	var ended []Claim
	for _, list := range t.byName {
		for _, c := range list {
			if gone(c.Proc) {
				ended = append(ended, c)
			}
		}
	}
	slices.SortFunc(ended, func(a, b Claim) int { return a.Since.Compare(b.Since) })
	last := map[string]Claim{}
	for _, c := range ended {
		if next, ok := t.Drop(c.Proc, c.ID); ok {
			last[c.Name] = next
		}
	}
	for _, c := range last {
		if !gone(c.Proc) {
			given = append(given, c)
		}
	}
	return given
}

// Wait is a claim that waits, and who holds the lock.
type Wait struct{ Claim, Holder Claim }

// Waits lists who waits, in no order.
func (t *Table) Waits() (out []Wait) {
	for _, list := range t.byName {
		for _, c := range list[min(1, len(list)):] {
			out = append(out, Wait{c, list[0]})
		}
	}
	return out
}
