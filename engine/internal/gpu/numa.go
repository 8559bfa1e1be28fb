package gpu

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxCPU bounds the numbers in a list of CPUs.
const maxCPU = 1 << 13

// place fills in where a device is: its NUMA node and the CPUs of it, from the files of Linux about its PCI slot below root,
// which is /sys but in tests. What cannot be read stays unknown.
func place(root string, d *Device) {
	d.Node, d.CPUs = -1, nil
	bus, ok := sysBus(d.Bus)
	if root == "" || !ok {
		return
	}
	dir := filepath.Join(root, "bus", "pci", "devices", bus)
	if n, err := strconv.Atoi(readSmall(filepath.Join(dir, "numa_node"))); err == nil && n >= 0 && n < maxCPU {
		d.Node = n
	}
	d.CPUs = parseCPUs(readSmall(filepath.Join(dir, "local_cpulist")))
	for i := range d.Instances {
		d.Instances[i].Node, d.Instances[i].CPUs = d.Node, d.CPUs
	}
}

// sysBus is a bus id as Linux writes it: NVIDIA gives the domain eight digits, Linux four where they are enough.
func sysBus(bus string) (string, bool) {
	if !isBus(bus) {
		return "", false
	}
	domain, rest, _ := strings.Cut(bus, ":")
	n, err := strconv.ParseUint(domain, 16, 32)
	if err != nil {
		return "", false
	}
	return fmt.Sprintf("%04x:%s", n, strings.ToLower(rest)), true
}

// isBus reports whether s is domain:bus:device.function in hexadecimal digits. It becomes a part of a path.
func isBus(s string) bool {
	const form = ":xx:xx.x"
	domain := len(s) - len(form)
	if domain < 4 || domain > 8 {
		return false
	}
	for i := range len(s) {
		want := byte('x')
		if i >= domain {
			want = form[i-domain]
		}
		if (want == 'x' && !isHex(s[i])) || (want != 'x' && s[i] != want) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// readSmall is what a file of a few bytes says; "" where it cannot be read.
func readSmall(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 4<<10))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// parseCPUs reads a list such as 0-31,64-95; nil where it is none.
func parseCPUs(list string) []int {
	var out []int
	for part := range strings.SplitSeq(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		a, err := strconv.Atoi(from)
		b := a
		if err == nil && isRange {
			b, err = strconv.Atoi(to)
		}
		if err != nil || a < 0 || b < a || b >= maxCPU || len(out) > maxCPU {
			return nil
		}
		for c := a; c <= b; c++ {
			out = append(out, c)
		}
	}
	return out
}

// FormatCPUs writes a sorted list as Linux does: 0-31,64-95.
func FormatCPUs(cpus []int) string {
	var b strings.Builder
	for i := 0; i < len(cpus); {
		j := i
		for j+1 < len(cpus) && cpus[j+1] == cpus[j]+1 {
			j++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(cpus[i]))
		if j > i {
			b.WriteString("-" + strconv.Itoa(cpus[j]))
		}
		i = j + 1
	}
	return b.String()
}
