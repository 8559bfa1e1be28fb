package kin

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
)

// MarkEnv is the variable with the marks of the workers that a process descends from, innermost last. A worker that is a
// controller itself, of another session, adds that session's marks.
const MarkEnv = "MONARCH_KIN"

// OffEnv set to 0 keeps this process from making cgroups.
const OffEnv = "MONARCH_CGROUP"

// marks is the value of MarkEnv in a process.
type marks string

// has reports whether one of the marks is wanted.
func (m marks) has(want func(session, worker string) bool) bool {
	for mark := range strings.SplitSeq(string(m), ":") {
		if session, worker, ok := strings.Cut(mark, "."); ok && want(session, worker) {
			return true
		}
	}
	return false
}

// newSession names a session so that no other has the name.
func newSession() string {
	b := make([]byte, 12)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// MarkOf is the entry of the environment that marks a worker and whatever it will start.
func (k *Keeper) MarkOf(worker uint64) string {
	mark := k.session + "." + strconv.FormatUint(worker, 10)
	if outer := os.Getenv(MarkEnv); outer != "" {
		mark = outer + ":" + mark
	}
	return MarkEnv + "=" + mark
}

// How says which way is in force.
func (k *Keeper) How() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return how(k.root != "", k.why)
}

// Here says which way would be in force for workers of this process.
func Here() string {
	why := usable()
	return how(why == "", why)
}

func how(cgroups bool, why string) string {
	switch {
	case cgroups:
		return "a cgroup for each worker: the kernel ends all that it started"
	case marksKnown:
		return "by /proc: what bears a worker's mark ends with it (no cgroup: " + cmp.Or(why, "unknown reason") + ")"
	}
	return "by process group: what leaves it outlives its worker"
}
