//go:build linux

package hosts

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
)

// withDevices gives each host of a login an nvidia-smi of its own, which lists n devices there, and tells them by host.
func withDevices(t *testing.T, ssh string, n int) (uuids map[string][]string) {
	t.Helper()
	b, err := os.ReadFile(ssh)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	uuids = map[string][]string{}
	for _, host := range []string{"n1", "n2"} {
		var rows strings.Builder
		for i := range n {
			uuid := fmt.Sprintf("GPU-%08x-91d4-11ee-b9d1-0242ac120002", rand.Uint32())
			uuids[host] = append(uuids[host], uuid)
			fmt.Fprintf(&rows, "%d, %s, NVIDIA H100 80GB HBM3, 00000000:%02X:00.0, Disabled, 81559, 4, 0, 31, 70.12, 0\n", i, uuid, i+1)
		}
		path := filepath.Join(dir, host, "nvidia-smi")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\ncat <<'ROWS'\n"+rows.String()+"ROWS\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	script := strings.Replace(string(b), "exec sh", "export PATH="+dir+"/$host:$PATH MONARCH_GPUS=nvidia-smi\n[ -z \"$LIST\" ] || export CUDA_VISIBLE_DEVICES=$LIST\nexec sh", 1)
	if err := os.WriteFile(ssh, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return uuids
}

// TestRanksHaveTheDevicesOfTheirHosts: each rank sees one device of its own host; what a scheduler's list leaves out nobody gets.
func TestRanksHaveTheDevicesOfTheirHosts(t *testing.T) {
	ssh := login(t)
	uuids := withDevices(t, ssh, 3)
	for _, c := range []struct {
		list string
		want []string
	}{
		{"", []string{uuids["n1"][0], uuids["n1"][1], uuids["n2"][0], uuids["n2"][1]}},
		{"1,2", []string{uuids["n1"][1], uuids["n1"][2], uuids["n2"][1], uuids["n2"][2]}},
	} {
		t.Setenv("LIST", c.list)
		ctx := session(t)
		procs, mesh := spawn(ctx, t, "p", engine.Hosts("n1", "n2"), engine.Dim("gpus", 2), engine.Via("ssh", "ssh", ssh))
		got, err := engine.Method(mesh, (*Guest).Getenv).Call(ctx, "CUDA_VISIBLE_DEVICES")
		if sees := values(t, got, err); fmt.Sprint(sees) != fmt.Sprint(c.want) {
			t.Errorf("with the list %q the ranks see %v, want %v", c.list, sees, c.want)
		}
		_, err = engine.SpawnProcs(ctx, engine.Name("q"), engine.Hosts("n1", "n2"), engine.Dim("gpus", 2), engine.Via("ssh", "ssh", ssh))
		for _, want := range []string{": 2 GPUs are wanted", "oversubscribe", "virtual"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("more than are free: %v, want %q in it", err, want)
			}
		}
		if err := procs.Stop(ctx); err != nil {
			t.Fatal(err)
		}
	}
}
