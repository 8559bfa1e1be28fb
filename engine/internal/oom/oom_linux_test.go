package oom

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestTheMemoryCgroupIsFoundWhereItIsMounted(t *testing.T) {
	const (
		hybrid  = "31 24 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n32 24 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
		unified = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
		inside  = "30 24 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
	)
	for _, c := range []struct {
		member, mounts string
		v2             bool
		top, folder    string
	}{
		{"4:memory:/job/1\n0::/x\n", hybrid, false, "/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/job/1"},
		{"4:cpu,memory:/job/1\n", hybrid, false, "/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/job/1"},
		{"4:memory:/job/1\n0::/x\n", hybrid, true, "/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified/x"},
		{"0::/user.slice\n", unified, true, "/sys/fs/cgroup", "/sys/fs/cgroup/user.slice"},
		{"0::/docker/abc/w1\n", inside, true, "/sys/fs/cgroup", "/sys/fs/cgroup/w1"},
		{"0::/../other\n", unified, true, "", ""},
		{"0::/user.slice\n", unified, false, "", ""},
		{"4:cpu:/x\n", hybrid, false, "", ""},
		{"", "", true, "", ""},
		{"nonsense", "nonsense - cgroup2", true, "", ""},
	} {
		if top, folder := locate(c.member, c.mounts, c.v2); top != c.top || folder != c.folder {
			t.Errorf("%q, v2 %v: %q, %q; want %q, %q", c.member, c.v2, top, folder, c.top, c.folder)
		}
	}
}

// Who has a memory cgroup of v1 has none of v2; of v2, the count may be further out.
func TestTheCountIsLookedForWhereItCanBe(t *testing.T) {
	const mounts = "31 24 0:27 / /v1 rw - cgroup cgroup rw,memory\n32 24 0:28 / /v2 rw - cgroup2 cgroup2 rw\n"
	for member, want := range map[string][]group{
		"4:memory:/job\n0::/x/y\n": {{"/v1/job/memory.oom_control", false}},
		"4:cpu:/job\n0::/x/y\n":    {{"/v2/x/y/memory.events", true}, {"/v2/x/memory.events", true}, {"/v2/memory.events", true}},
		"":                         nil,
	} {
		if got := groupsOf(member, mounts); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", member, got, want)
		}
	}
}

// Of as many kills as the kernel counts, and no more, the cause is memory: the rest were somebody else's.
func TestEachKillThatTheKernelCountsIsToldOnce(t *testing.T) {
	top := t.TempDir()
	in := filepath.Join(top, "job")
	write := func(folder, name, text string) {
		t.Helper()
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(top, "memory.max", "104857600\n")
	write(in, "memory.max", "max\n")
	write(in, "memory.events", "low 0\noom 3\noom_kill 3\noom_group_kill 0\n")
	g := group{filepath.Join(in, "memory.events"), true}
	m := &Meter{told: map[string]int64{g.file: g.kills()}}
	a, b, c := &Watch{m, g}, &Watch{m, g}, &Watch{m, g}
	if limit, yes := a.Killed(); yes {
		t.Errorf("nobody was killed since, and the cause is %q", limit)
	}
	write(in, "memory.events", "low 0\noom 5\noom_kill 5\noom_group_kill 0\n")
	for i, w := range []*Watch{a, b} {
		if limit, yes := w.Killed(); !yes || limit != "the memory limit of its cgroup is 100 MiB" {
			t.Errorf("of the two that were killed, number %d: %q, %v", i, limit, yes)
		}
	}
	if _, yes := c.Killed(); yes {
		t.Error("the kernel has killed two, and three are told")
	}
	write(top, "memory.max", "max\n")
	write(in, "memory.events", "oom_kill 6\n")
	if limit, yes := c.Killed(); !yes || limit != "the machine was out of memory" {
		t.Errorf("without a limit: %q, %v", limit, yes)
	}
	for _, text := range []string{"", "oom_kill", "oom_kill x\n", "oom 1\n"} {
		write(in, "memory.events", text)
		if n := g.kills(); n >= 0 {
			t.Errorf("%q: %d", text, n)
		}
	}
	if got := (group{filepath.Join(top, "nowhere", "memory.events"), true}).limit(); got != math.MaxInt64 {
		t.Errorf("a limit of %d where there is none", got)
	}
}

func TestAProcessWithoutACgroupIsNotLookedAfter(t *testing.T) {
	m := &Meter{}
	if limit, yes := m.Watch(-1).Killed(); yes {
		t.Error(limit)
	}
}
