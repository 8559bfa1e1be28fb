package kin

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// marksKnown: /proc tells the environment of processes.
const marksKnown = true

// process is one line of the process table. Number and start time together name a process for good.
type process struct {
	pid, parent int
	start       uint64 // in ticks since boot
}

// startOf is when a process started, 0 where there is none.
func startOf(pid int) uint64 {
	p, _ := look(pid)
	return p.start
}

// look reads /proc/PID/stat (proc(5)). A zombie is none: it has ended.
func look(pid int) (p process, ok bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return p, false
	}
	return readStat(pid, b)
}

// readStat takes a stat apart. The second field is a name that may hold anything, also brackets and blanks.
func readStat(pid int, b []byte) (p process, ok bool) {
	at := bytes.LastIndexByte(b, ')')
	if at < 0 {
		return p, false
	}
	f := strings.Fields(string(b[at+1:])) // from field 3, the state
	if len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return p, false
	}
	parent, err := strconv.Atoi(f[1])
	start, err2 := strconv.ParseUint(f[19], 10, 64)
	return process{pid, parent, start}, err == nil && err2 == nil
}

// table lists the processes that started at since or later.
func table(since uint64) []process {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1) // what was read counts
	var out []process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if p, ok := look(pid); ok && p.start >= since {
			out = append(out, p)
		}
	}
	return out
}

// marksOf reads the marks of a process, which its environment had when it began.
func marksOf(pid int) marks {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return ""
	}
	for v := range bytes.SplitSeq(b, []byte{0}) {
		if m, ok := bytes.CutPrefix(v, []byte(MarkEnv+"=")); ok {
			return marks(m)
		}
	}
	return ""
}

// marked lists the processes with a wanted mark, and what descends from them.
func marked(ps []process, want func(session, worker string) bool) []process {
	self := os.Getpid()
	of := make(map[int]bool, len(ps)) // by number: it belongs to them
	for _, p := range ps {
		of[p.pid] = marksOf(p.pid).has(want)
	}
	for grown := true; grown; {
		grown = false
		for _, p := range ps {
			if !of[p.pid] && of[p.parent] {
				of[p.pid], grown = true, true
			}
		}
	}
	var out []process
	for _, p := range ps {
		if of[p.pid] && p.pid != self && p.pid > 1 {
			out = append(out, p)
		}
	}
	return out
}

// kill kills a process if it is still the one that was seen (INV-OTHERS).
func (p process) kill() {
	fd, err := unix.PidfdOpen(p.pid, 0)
	switch {
	case err == nil:
		defer unix.Close(fd)
		if startOf(p.pid) == p.start {
			_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) // it may have ended
		}
	case errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM): // before Linux 5.3, or a filter of system calls
		if startOf(p.pid) == p.start {
			_ = unix.Kill(p.pid, unix.SIGKILL)
		}
	}
}

// clearTime is how long what was killed may take to be gone.
const clearTime = time.Second

// clearMarked kills whatever bears a wanted mark until nothing does. Who forks while it is killed is found in the next look.
func clearMarked(since uint64, want func(session, worker string) bool) {
	end := time.Now().Add(clearTime)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		found := marked(table(since), want)
		for _, p := range found {
			p.kill()
		}
		if len(found) == 0 || time.Now().After(end) {
			return
		}
		time.Sleep(pause) // the end of others' children has no channel
	}
}
