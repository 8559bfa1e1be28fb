package gpu

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// needed are the fields without which a device cannot be given away, in the order in which they are asked for.
func needed() []string { return []string{"index", "uuid", "name", "pci.bus_id"} }

// optional are those that older programs or devices do not know.
func optional() []string {
	return []string{
		"mig.mode.current", "memory.total", "memory.used", "utilization.gpu", "temperature.gpu", "power.draw",
		"ecc.errors.uncorrected.volatile.total",
	}
}

// Bounds of what is taken from outside.
const (
	maxDevices = 256
	maxUUID    = 64
	maxName    = 100 // characters
	mib        = 1 << 20
)

// row is one line of the answer.
type row struct {
	Device
	Sample
}

// parseRows reads the answer to a query of these fields: a line for each GPU.
func parseRows(fields []string, out string) ([]row, error) {
	var rows []row
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if len(rows) == maxDevices {
			return nil, fmt.Errorf("nvidia-smi lists more than %d GPUs", maxDevices)
		}
		r, err := parseRow(fields, line)
		if err != nil {
			return nil, fmt.Errorf("nvidia-smi answered %s: %w", clean.Quote(line, 120), err)
		}
		if r.Index != len(rows) {
			return nil, fmt.Errorf("nvidia-smi answered %s: want GPU %d there", clean.Quote(line, 120), len(rows))
		}
		if slices.ContainsFunc(rows, func(o row) bool { return o.UUID == r.UUID }) {
			return nil, fmt.Errorf("nvidia-smi lists %s twice", r.UUID)
		}
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		return nil, errors.New("nvidia-smi answered nothing")
	}
	return rows, nil
}

func parseRow(fields []string, line string) (row, error) {
	values := strings.Split(line, ",")
	if len(values) != len(fields) {
		hint := ""
		if len(values) > len(fields) {
			hint = "; does it write decimal commas?"
		}
		return row{}, fmt.Errorf("%d fields, and %d were asked for%s", len(values), len(fields), hint)
	}
	r := row{Device: Device{Node: -1}, Sample: unknown()}
	for i, f := range fields {
		if err := r.take(f, strings.TrimSpace(values[i])); err != nil {
			return row{}, fmt.Errorf("%s: %w", f, err)
		}
	}
	r.Total = r.Memory
	return r, nil
}

// take reads one field.
func (r *row) take(field, v string) (err error) {
	switch field {
	case "index":
		if r.Index, err = strconv.Atoi(v); err != nil {
			return fmt.Errorf("%s is no index", clean.Quote(v, 40))
		}
	case "uuid":
		r.UUID, err = v, checkUUID(v, "GPU-")
	case "name":
		r.Name = clean.Name(v, maxName)
	case "pci.bus_id":
		if r.Bus = v; !isBus(v) {
			return fmt.Errorf("%s is no PCI bus id", clean.Quote(v, 40))
		}
	default:
		if absent(v) {
			return nil
		}
		if strings.HasPrefix(v, "[") { // [Unknown Error], [GPU requires reset], [GPU is lost]: whatever the driver says instead
			r.Problem = clean.OneLine(strings.Trim(v, "[]"), maxName)
			return nil
		}
		return r.measure(field, v)
	}
	return err
}

// measure reads a field that may be absent.
func (r *row) measure(field, v string) error {
	if field == "mig.mode.current" {
		if v != "Enabled" && v != "Disabled" {
			return fmt.Errorf("%s is neither Enabled nor Disabled", clean.Quote(v, 40))
		}
		r.MIG = v == "Enabled"
		return nil
	}
	n, err := plainNumber(v)
	if err != nil {
		return err
	}
	switch field {
	case "memory.total":
		r.Memory = uint64(n * mib)
	case "memory.used":
		r.Used = uint64(n * mib)
	case "utilization.gpu":
		r.Busy = int(min(n, 100))
	case "temperature.gpu":
		r.Celsius = int(min(n, 1000))
	case "power.draw":
		r.Watts = n
	case "ecc.errors.uncorrected.volatile.total":
		r.ECC = uint64(n)
	}
	return nil
}

// absent reports whether a device does not have a value.
func absent(v string) bool {
	switch strings.ToLower(strings.Trim(v, "[]")) {
	case "n/a", "not supported", "not available", "insufficient permissions", "requested functionality has been deprecated":
		return true
	}
	return false
}

// plainNumber reads digits with at most one point, as LC_ALL=C writes them; no signs, exponents, hexadecimal digits or words.
func plainNumber(v string) (float64, error) {
	for _, c := range []byte(v) {
		if c != '.' && (c < '0' || c > '9') {
			return 0, fmt.Errorf("%s is no number", clean.Quote(v, 40))
		}
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || n > math.MaxInt32*1024 {
		return 0, fmt.Errorf("%s is no number", clean.Quote(v, 40))
	}
	return n, nil
}

// checkUUID looks whether s is a UUID of that kind. It goes into an environment and into the name of a claim.
func checkUUID(s, kind string) error {
	rest, ok := strings.CutPrefix(s, kind)
	if !ok || len(rest) < 8 || len(s) > maxUUID {
		return fmt.Errorf("%s is no UUID %s…", clean.Quote(s, 80), kind)
	}
	for _, c := range []byte(rest) {
		switch {
		case c == '-', c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case c == '/' && kind == "MIG-":
		default:
			return fmt.Errorf("%s is no UUID %s…", clean.Quote(s, 80), kind)
		}
	}
	return nil
}

// addInstances reads the list of nvidia-smi -L: a line for each GPU, and below it an indented one for each instance.
//
//	GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
//	  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)
//
// Drivers before 470 write MIG-GPU-…/1/0.
func addInstances(devices []Device, out string) error {
	var gpu *Device
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		head, uuid, ok := strings.Cut(line, "(UUID: ")
		uuid, closed := strings.CutSuffix(uuid, ")")
		kind, _, _ := strings.Cut(head, " ")
		switch {
		case line == "":
		case ok && closed && kind == "GPU":
			at := slices.IndexFunc(devices, func(d Device) bool { return d.UUID == uuid })
			if at < 0 {
				return fmt.Errorf("nvidia-smi lists %s, which it had not a moment ago", clean.Quote(line, 120))
			}
			gpu = &devices[at]
		case ok && closed && kind == "MIG" && gpu != nil:
			if err := gpu.addInstance(head, uuid); err != nil {
				return fmt.Errorf("nvidia-smi lists %s: %w", clean.Quote(line, 120), err)
			}
		default:
			return fmt.Errorf("nvidia-smi lists %s: want a GPU or a MIG device with its UUID", clean.Quote(line, 120))
		}
	}
	return nil
}

// addInstance adds an instance; head is "MIG 3g.20gb     Device  0: ".
func (d *Device) addInstance(head, uuid string) error {
	words := strings.Fields(head)
	if err := checkUUID(uuid, "MIG-"); err != nil {
		return err
	}
	if len(words) < 2 || !d.MIG {
		return errors.New("no MIG device belongs there")
	}
	if len(d.Instances) == maxDevices || slices.ContainsFunc(d.Instances, func(o Device) bool { return o.UUID == uuid }) {
		return errors.New("it is listed twice, or there are too many")
	}
	profile := clean.Name(words[1], 40)
	d.Instances = append(d.Instances, Device{
		Index: d.Index, UUID: uuid, Name: d.Name + " MIG " + profile, Parent: d.UUID, Bus: d.Bus, Memory: profileMemory(profile), Node: -1,
	})
	return nil
}

// profileMemory is the memory that a profile such as 3g.20gb or 1c.2g.10gb+me names; 0 if none.
func profileMemory(profile string) uint64 {
	profile, _, _ = strings.Cut(profile, "+")
	gb, ok := strings.CutSuffix(profile[strings.LastIndexByte(profile, '.')+1:], "gb")
	n, err := strconv.ParseUint(gb, 10, 16)
	if !ok || err != nil {
		return 0
	}
	return n << 30
}

// fieldError is a field that nvidia-smi does not know.
type fieldError struct{ field string }

func (e *fieldError) Error() string {
	return fmt.Sprintf("nvidia-smi does not know the field %s: its driver is too old", e.field)
}

// optional reports whether we asked for the field and can do without it.
func (e *fieldError) optional(asked []string) bool {
	return slices.Contains(optional(), e.field) && slices.Contains(asked, e.field)
}

// unknownField reads: Field "power.draw" is not a valid field to query.
func unknownField(out string) *fieldError {
	before, _, ok := strings.Cut(out, `" is not a valid field to query`)
	at := strings.LastIndex(before, `Field "`)
	if !ok || at < 0 {
		return nil
	}
	return &fieldError{clean.Name(before[at+len(`Field "`):], 60)}
}
