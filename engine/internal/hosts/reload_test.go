//go:build linux

package hosts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// anotherBuild is an executable of another content for each name, that does the same.
func anotherBuild(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "guest")
	if err := os.WriteFile(path, fmt.Appendf(nil, "#!/bin/sh\n# %s\nexec %q \"$@\"\n", name, self), 0o700); err != nil {
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
	path := anotherBuild(t, "v2")
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
	rep := picture(t, e)
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

// TestABuildThatAHostCannotTakeOrStartMovesNobody: what its ranks have is not given up before the new build is there, nor where it
// does not start.
func TestABuildThatAHostCannotTakeOrStartMovesNobody(t *testing.T) {
	for name, c := range map[string]struct {
		program string
		blocked bool   // host n2 has no room for it
		state   string // of the rank that is told
		want    string
	}{
		"no room":          {"#!/bin/sh\nexit 3\n", true, control.RankKept, "copy the program to host n2: "},
		"it cannot be run": {"#!/nonexistent/sh\n", false, control.RankRestored, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "guest")
			if err := os.WriteFile(path, []byte(c.program), 0o700); err != nil {
				t.Fatal(err)
			}
			ssh := login(t)
			if c.blocked {
				sum := sha256.Sum256([]byte(c.program))
				shelf := filepath.Join(filepath.Dir(ssh), "n2/.cache/monarch-tui/bin")
				err := os.MkdirAll(shelf, 0o700)
				if err := errors.Join(err, os.WriteFile(filepath.Join(shelf, hex.EncodeToString(sum[:])), nil, 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			e := start(t)
			ctx := e.Context()
			_, mesh := spawn(ctx, t, "p", engine.Hosts("n1", "n2"), engine.Dim("gpus", 2), engine.Via("ssh", "ssh", ssh))
			front := control.InProcess(e.Backend(), control.ClientInfo{Name: "test"})
			if _, err := engine.Method(mesh, (*Guest).Take).Call(ctx, 0); err != nil {
				t.Fatal(err)
			}
			got, err := front.Reload(ctx, control.ReloadReq{Procs: []string{"p"}, Program: path})
			if err != nil || got.State != control.ReloadFailed || got.Moved != 0 || !strings.Contains(got.Reason, c.want) {
				t.Errorf("%+v, %v; want %q", got, err, c.want)
			}
			if !slices.ContainsFunc(got.Ranks, func(r control.ReloadRank) bool { return r.State == c.state }) {
				t.Errorf("%+v; want a rank that is %s", got.Ranks, c.state)
			}
			counts, err := engine.Method(mesh, (*Guest).Take).Call(ctx, 0)
			for i, n := range values(t, counts, err) {
				if n != 2 {
					t.Errorf("rank %d has counted %d messages, want 2", i, n)
				}
			}
		})
	}
}
