package gpu

import (
	"context"
	"strings"
)

// Device is a GPU, or a MIG instance of one.
type Device struct {
	Index     int      // of the GPU, as nvidia-smi and NVML number them: by PCI bus id
	UUID      string   // GPU-… or MIG-…: what CUDA_VISIBLE_DEVICES is set to
	Name      string   // NVIDIA H100 80GB HBM3; that of an instance ends with its profile
	Parent    string   // of an instance: the UUID of its GPU
	Bus       string   // PCI bus id, 00000000:07:00.0
	Memory    uint64   // bytes; 0: not known
	Node      int      // NUMA node; -1: not known
	CPUs      []int    // that are near to it; nil: not known
	MIG       bool     // the GPU is in MIG mode: only its instances can be used
	Instances []Device // of a GPU in MIG mode
}

// usable is what a rank can have of a GPU: itself, or its instances.
func (d Device) usable() []Device {
	if d.MIG {
		return d.Instances
	}
	return []Device{d}
}

// Label is the name with as much of the UUID as people compare.
func (d Device) Label() string { return d.Name + " " + Short(d.UUID) }

// Near are those of the allowed CPUs that are near to the device; nil where that is not known, or none is allowed.
func (d Device) Near(allowed []int) []int {
	var out []int
	near := map[int]bool{}
	for _, c := range d.CPUs {
		near[c] = true
	}
	for _, c := range allowed {
		if near[c] {
			out = append(out, c)
		}
	}
	return out
}

// Short is the beginning of a UUID: its kind and eight digits.
func Short(uuid string) string {
	kind := 0
	for _, prefix := range []string{"GPU-", "MIG-", "MIG-GPU-"} {
		if strings.HasPrefix(uuid, prefix) {
			kind = len(prefix)
		}
	}
	short := uuid[:min(len(uuid), kind+8)]
	if at := strings.IndexByte(uuid, '/'); at > 0 { // of the instances of one GPU, only the end differs
		short += uuid[at:]
	}
	return short
}

// Sample is what was measured of a device.
type Sample struct {
	Used, Total uint64  // bytes of memory; Total 0: not known
	Busy        int     // percent of the time in which a kernel ran; -1: not known, as for MIG instances
	Celsius     int     // -1: not known
	Watts       float64 // -1: not known
	ECC         uint64  // uncorrected errors of memory since the driver was loaded
	Xid         uint64  // the last critical error that the driver reported; 0: none, or the source does not tell
	Problem     string  // what the driver said instead of a value, such as "GPU requires reset"
}

// unknown is a sample before anything is known.
func unknown() Sample { return Sample{Busy: -1, Celsius: -1, Watts: -1} }

// Source knows the GPUs of this machine.
type Source interface {
	// Name is what MONARCH_GPUS and info call it.
	Name() string
	// Devices lists the GPUs by PCI bus id, hidden ones too. The error is a *NoneError where there are none.
	Devices(ctx context.Context) ([]Device, error)
	// Samples measures all of them, and their instances, by UUID.
	Samples(ctx context.Context) (map[string]Sample, error)
	// Close ends it.
	Close()
}

// NoneError says why there are no GPUs here. That is no fault: slots are virtual then.
type NoneError struct{ Why string }

func (e *NoneError) Error() string { return e.Why }
