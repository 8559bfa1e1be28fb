package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/gpu"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
)

// oneGPU is a machine with one device.
type oneGPU struct{ device gpu.Device }

func (oneGPU) Name() string { return "fake" }
func (oneGPU) Close()       {}
func (o oneGPU) Devices(context.Context) ([]gpu.Device, error) {
	return []gpu.Device{o.device}, nil
}
func (oneGPU) Samples(context.Context) (map[string]gpu.Sample, error) { return nil, nil }

func TestARankRunsOnTheCPUsOfItsDevicesNodeThatAreAllowed(t *testing.T) {
	allowed := launch.AllowedCPUs()
	if runtime.GOOS != "linux" || len(allowed) == 0 {
		t.Skip("no CPU masks here")
	}
	near := allowed[len(allowed)-1]
	root := t.TempDir()
	dir := filepath.Join(root, "bus", "pci", "devices", "0000:c1:00.0")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"numa_node": "1", "local_cpulist": fmt.Sprintf("%d,8000", near)} { // nobody has the CPU 8000
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	uuid := fmt.Sprintf("GPU-%08x-test", os.Getpid())
	f := gpu.NewFinder(gpu.System{
		Lookup: func(string) (string, bool) { return "", false }, Sys: root,
		Source: oneGPU{gpu.Device{UUID: uuid, Name: "Fake", Bus: "00000000:C1:00.0"}},
	})
	found, err := f.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Take(found, 1, false, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	pm := &procMesh{slots: slots{Slots: s}, rec: control.ProcMesh{Name: "p", Extent: Extent{{Name: "gpus", Size: 1}}}}
	p := newProc(pm, 1, 0, control.ProcsReq{})
	if !slices.Equal(p.cpus, []int{near}) || p.rec.CPUs != fmt.Sprint(near) || p.rec.GPU.Node != 1 || p.rec.GPU.UUID != uuid || p.rec.Device != "Fake "+gpu.Short(uuid) {
		t.Errorf("CPUs %v (%s) of %v, %+v, %s", p.cpus, p.rec.CPUs, allowed, p.rec.GPU, p.rec.Device)
	}
}
