package oom

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Meter counts for all children of one process. The zero value is ready for use.
type Meter struct {
	mu     sync.Mutex
	told   map[string]int64 // by file: kills that were told, or that were there before
	mounts string           // proc(5)'s mountinfo, when the first child was started: to read it takes as long as a fork
}

// Watch looks after one child.
type Watch struct {
	m     *Meter
	group group
}

// group is where the kernel counts for a process.
type group struct {
	file string // that has the count; "": nowhere
	v2   bool
}

// Watch begins to look after a process that has just been started.
func (m *Meter) Watch(pid int) *Watch {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mounts == "" {
		b, _ := os.ReadFile("/proc/self/mountinfo") // nothing is mounted then
		m.mounts, m.told = string(b), map[string]int64{}
	}
	w := &Watch{m: m}
	member, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return w
	}
	for _, g := range groupsOf(string(member), m.mounts) {
		n, known := m.told[g.file]
		if !known {
			n = g.kills()
		}
		if n >= 0 {
			w.group, m.told[g.file] = g, n
			break
		}
	}
	return w
}

// Killed reports, about a process that SIGKILL has ended, whether the kernel did that for memory, and tells the limit in
// words. It is asked once for each process.
func (w *Watch) Killed() (limit string, yes bool) {
	if w.group.file == "" {
		return "", false
	}
	n := w.group.kills()
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	if n <= w.m.told[w.group.file] {
		return "", false
	}
	w.m.told[w.group.file]++
	if most := w.group.limit(); most < math.MaxInt64 {
		return "the memory limit of its cgroup is " + mebibytes(most), true
	}
	return "the machine was out of memory", true
}

func mebibytes(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}

// groupsOf lists where the kernel may count for a process, likely ones first: who has a memory cgroup of v1 has none of v2. Of v2,
// the controller may be off in the innermost.
func groupsOf(member, mounts string) (out []group) {
	if _, folder := locate(member, mounts, false); folder != "" {
		return []group{{filepath.Join(folder, countFile(false)), false}}
	}
	top, folder := locate(member, mounts, true)
	for ; folder != ""; folder = above(top, folder) {
		out = append(out, group{filepath.Join(folder, countFile(true)), true})
	}
	return out
}

func countFile(v2 bool) string {
	if v2 {
		return "memory.events"
	}
	return "memory.oom_control"
}

// above is the cgroup around one; "" at the top.
func above(top, folder string) string {
	if folder == top {
		return ""
	}
	return filepath.Dir(folder)
}

// locate reads proc(5)'s cgroup and mountinfo: where the hierarchy with the memory controller is mounted, and which folder of
// it a process is in.
func locate(member, mounts string, v2 bool) (top, folder string) {
	path := ""
	for line := range strings.Lines(member) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) == 3 && (v2 && f[0] == "0" && f[1] == "" || !v2 && slices.Contains(strings.Split(f[1], ","), "memory")) {
			path = f[2]
		}
	}
	if path == "" {
		return "", ""
	}
	for line := range strings.Lines(mounts) {
		before, after, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 6 || len(g) < 3 {
			continue
		}
		if v2 && g[0] != "cgroup2" || !v2 && (g[0] != "cgroup" || !slices.Contains(strings.Split(g[2], ","), "memory")) {
			continue
		}
		below, ok := path, true
		if root := f[3]; root != "/" {
			below, ok = strings.CutPrefix(path, root)
		}
		if ok && !strings.Contains(below+"/", "/../") {
			return f[4], filepath.Join(f[4], below)
		}
	}
	return "", ""
}

// kills is how many processes the kernel has killed there for memory; negative: it does not say.
func (g group) kills() int64 {
	b, err := os.ReadFile(g.file)
	if err != nil {
		return -1
	}
	for line := range strings.Lines(string(b)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			if n, err := strconv.ParseInt(strings.TrimSpace(n), 10, 64); err == nil {
				return n
			}
		}
	}
	return -1
}

// unlimited is what cgroup v1 has for no limit: the largest number of whole pages.
const unlimited = math.MaxInt64 >> 1

// limit is the smallest limit that counts there, math.MaxInt64 for none.
func (g group) limit() int64 {
	least := int64(math.MaxInt64)
	name := "memory.limit_in_bytes"
	if g.v2 {
		name = "memory.max"
	}
	for folder := filepath.Dir(g.file); len(folder) > 1; folder = filepath.Dir(folder) {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			if g.v2 { // the top has none, and those in which the controller is off
				if _, err := os.Stat(filepath.Join(folder, "cgroup.controllers")); err == nil {
					continue
				}
			}
			break
		}
		if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && n < unlimited {
			least = min(least, n)
		}
	}
	return least
}
