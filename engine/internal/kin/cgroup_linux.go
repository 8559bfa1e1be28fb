package kin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// folderPrefix begins the names of our folders: monarch-PID-STARTTIME, of the controller that made it.
const folderPrefix = "monarch-"

// usable says why this process cannot make cgroups for its workers; "": it can.
func usable() string {
	own, why := ownCgroup()
	if why != "" {
		return why
	}
	probe, err := os.MkdirTemp(own, folderPrefix+"probe-")
	if err != nil {
		return reason(err)
	}
	defer os.Remove(probe)
	return serves(own, probe)
}

// serves says why workers cannot be started into a folder below our own cgroup, "" where they can.
func serves(own, folder string) string {
	// Whoever forks into another cgroup needs leave to move processes in what both are under (cgroup_namespaces(7)).
	if err := unix.Access(filepath.Join(own, "cgroup.procs"), unix.W_OK); err != nil {
		return "processes of " + own + " may not be moved: " + reason(err)
	}
	if err := unix.Access(filepath.Join(folder, "cgroup.kill"), unix.W_OK); err != nil {
		return "the kernel has no cgroup.kill (Linux 5.14)"
	}
	return ""
}

func reason(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

// ownCgroup finds the folder of this process's cgroup v2.
func ownCgroup() (folder, why string) {
	if off := os.Getenv(OffEnv); off == "0" || off == "off" || off == "no" {
		return "", OffEnv + "=" + off
	}
	member, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", reason(err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", reason(err)
	}
	folder, why = cgroupFolder(string(member), string(mounts))
	if why != "" {
		return "", why
	}
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return "", folder + " is not there"
	}
	return folder, ""
}

// cgroupFolder is ownCgroup for the text of proc(5)'s cgroup and mountinfo.
func cgroupFolder(member, mounts string) (folder, why string) {
	path := ""
	for line := range strings.Lines(member) {
		if p, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			path = p
		}
	}
	if path == "" {
		return "", "this system has no cgroup v2"
	}
	for line := range strings.Lines(mounts) {
		before, after, ok := strings.Cut(line, " - ")
		f := strings.Fields(before)
		if !ok || len(f) < 6 || !strings.HasPrefix(after, "cgroup2 ") {
			continue
		}
		below, ok := path, true
		if root := f[3]; root != "/" {
			below, ok = strings.CutPrefix(path, root)
			ok = ok && (below == "" || below[0] == '/')
		}
		if ok && !strings.Contains(below+"/", "/../") {
			return filepath.Join(unescape(f[4]), below), ""
		}
	}
	return "", "the cgroup of this process is not mounted here"
}

// unescape undoes the octal escapes of mountinfo.
func unescape(s string) string {
	for _, c := range []string{" ", "\t", "\n", `\`} {
		s = strings.ReplaceAll(s, fmt.Sprintf(`\%03o`, c[0]), c)
	}
	return s
}

// openFolder makes the cgroup of a session. It removes what killed controllers have left, where that is empty.
func openFolder() (folder, why string) {
	own, why := ownCgroup()
	if why != "" {
		return "", why
	}
	old, _ := filepath.Glob(filepath.Join(own, folderPrefix+"*")) // the pattern is well formed
	for _, f := range old {
		if pid, start, ok := ownerOf(filepath.Base(f)); ok && startOf(pid) != start {
			removeFolder(f)
		}
	}
	base := fmt.Sprintf("%s%d-%d-", folderPrefix, os.Getpid(), startOf(os.Getpid()))
	folder, err := os.MkdirTemp(own, base)
	if err != nil {
		return "", reason(err)
	}
	if why := serves(own, folder); why != "" {
		removeFolder(folder)
		return "", why
	}
	return folder, ""
}

// ownerOf reads a folder's name.
func ownerOf(name string) (pid int, start uint64, ok bool) {
	f := strings.Split(strings.TrimPrefix(name, folderPrefix), "-")
	if len(f) != 3 {
		return 0, 0, false
	}
	pid, err := strconv.Atoi(f[0])
	start, err2 := strconv.ParseUint(f[1], 10, 64)
	return pid, start, err == nil && err2 == nil && pid > 0
}

// killFolder kills all that is in a cgroup and in those below it.
func killFolder(folder string) error {
	return os.WriteFile(filepath.Join(folder, "cgroup.kill"), []byte("1"), 0)
}

// removeFolder removes a cgroup and those below it, as far as they are empty.
func removeFolder(folder string) bool {
	list, _ := os.ReadDir(folder)
	for _, e := range list {
		if e.IsDir() {
			removeFolder(filepath.Join(folder, e.Name()))
		}
	}
	err := os.Remove(folder)
	return err == nil || errors.Is(err, os.ErrNotExist)
}

// clearFolder kills and removes a cgroup. What is killed is in it until the kernel has torn it down.
func clearFolder(folder string) {
	end := time.Now().Add(clearTime)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		_ = killFolder(folder) // it may have gone
		if removeFolder(folder) || time.Now().After(end) {
			return
		}
		time.Sleep(pause) // the kernel tells nobody who does not poll a file for it
	}
}
