package gpu

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// sysfs is a folder with what Linux tells of a device.
func sysfs(t *testing.T, bus, node, cpus string) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "bus", "pci", "devices", bus)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"numa_node": node, "local_cpulist": cpus} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestARankRunsOnTheCPUsNearItsDevice(t *testing.T) {
	for _, c := range []struct {
		node, cpus string
		allowed    []int
		wantNode   int
		want       string
	}{
		{"1\n", "8-11,24-27\n", []int{0, 1, 8, 9, 24, 30}, 1, "8-9,24"},
		{"-1\n", "0-3\n", []int{1, 2}, -1, "1-2"}, // a machine of one node
		{"0\n", "0-3\n", []int{8, 9}, 0, ""},      // the mask that we were given has none of them: left to the kernel
		{"0\n", "\n", []int{1}, 0, ""},
		{"nonsense", "4-2", []int{2, 3, 4}, -1, ""},
		{"99999999999999", "0-99999999999", []int{0}, -1, ""},
	} {
		d := Device{Bus: "00000000:C1:00.0", Instances: []Device{{UUID: mig0}}}
		place(sysfs(t, "0000:c1:00.0", c.node, c.cpus), &d)
		if got := FormatCPUs(d.Near(c.allowed)); d.Node != c.wantNode || got != c.want {
			t.Errorf("node %q, CPUs %q, allowed %v: node %d, CPUs %s; want %d, %s", c.node, c.cpus, c.allowed, d.Node, got, c.wantNode, c.want)
		}
		if in := d.Instances[0]; in.Node != d.Node || fmt.Sprint(in.CPUs) != fmt.Sprint(d.CPUs) {
			t.Errorf("an instance is elsewhere than its GPU: %+v", in)
		}
	}
}

func TestOnlyABusIdBecomesAPath(t *testing.T) {
	for bus, want := range map[string]string{
		"00000000:C1:00.0": "0000:c1:00.0", "0000:07:00.0": "0000:07:00.0", "00010000:07:00.0": "10000:07:00.0",
		"../../../../../etc": "", "": "", "00000000:C1:00/0": "", "000000000:C1:00.0": "", "00:C1:00.0": "",
	} {
		if got, _ := sysBus(bus); got != want {
			t.Errorf("%q: %q, want %q", bus, got, want)
		}
	}
}

func TestListsOfCPUsReadAsTheyWereWritten(t *testing.T) {
	for _, list := range []string{"0", "0-3", "0-1,4,6-7", "0-31,64-95"} {
		if got := FormatCPUs(parseCPUs(list)); got != list {
			t.Errorf("%s: %s", list, got)
		}
	}
	for _, bad := range []string{"", "a", "3-1", "-1", "1,", "0-8192", "0x1"} {
		if got := parseCPUs(bad); got != nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
}
