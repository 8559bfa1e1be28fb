//go:build linux

package hosts

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// anotherBuild is an executable of another content that does the same.
func anotherBuild(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "guest")
	if err := os.WriteFile(path, fmt.Appendf(nil, "#!/bin/sh\nexec %q \"$@\"\n", self), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRanksOfAllHostsMoveToAnotherBuild: the program goes to each host once, and what was counted goes on.
func TestRanksOfAllHostsMoveToAnotherBuild(t *testing.T) {
	e := start(t)
	ctx := e.Context()
	_, mesh := spawn(ctx, t, "p", twoHosts(t)...)
	was := where(ctx, t, mesh)
	for range 3 {
		if _, err := engine.Method(mesh, (*Guest).Take).Call(ctx, 0); err != nil {
			t.Fatal(err)
		}
	}
	front := control.InProcess(e.Backend(), control.ClientInfo{Name: "test"})
	path := anotherBuild(t)
	got, err := front.Reload(ctx, control.ReloadReq{Procs: []string{"p"}, Program: path})
	if err != nil || got.State != control.ReloadDone || got.Moved != 4 {
		t.Fatalf("%+v, %v; want four ranks that have moved", got, err)
	}
	now := where(ctx, t, mesh)
	for i := range now {
		if now[i][0] == was[i][0] || now[i][1] != was[i][1] {
			t.Errorf("rank %d was process %d of agent %d and is %d of %d: want another process of the same agent", i, was[i][0], was[i][1], now[i][0], now[i][1])
		}
	}
	counts, err := engine.Method(mesh, (*Guest).Take).Call(ctx, 0)
	for i, n := range values(t, counts, err) {
		if n != 4 {
			t.Errorf("rank %d has counted %d messages, want 4", i, n)
		}
	}
	w, err := front.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	up, err := w.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var rep control.Replica
	rep.Apply(up)
	sizes := int64(0)
	for _, name := range []string{os.Args[0], path} {
		st, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		sizes += st.Size()
	}
	if len(rep.Hosts) != 2 {
		t.Errorf("a front end that comes late sees %d hosts, want 2", len(rep.Hosts))
	}
	for _, h := range rep.Hosts {
		if h.Shipped != sizes {
			t.Errorf("%d bytes were sent to %s, want both programs once, which have %d", h.Shipped, h.Name, sizes)
		}
	}
	builds := map[string]int{}
	for _, p := range rep.Procs {
		builds[p.Build]++
	}
	for build, n := range builds {
		if n != 4 || !strings.HasPrefix(build, got.Build) {
			t.Errorf("the ranks run %v, want all %q", builds, got.Build)
		}
	}
}
