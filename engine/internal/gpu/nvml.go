//go:build nvml && cgo && linux

package gpu

import (
	"context"
	"errors"
	"fmt"

	"github.com/NVIDIA/go-nvml/pkg/nvml"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// nvmlBuilt says whether NVML is linked: with the tag nvml, on Linux, with cgo.
const nvmlBuilt = true

// library asks NVML, the driver's own library, which is loaded when the program runs.
type library struct {
	nvml   nvml.Interface
	guard  *guard
	events nvml.EventSet     // of critical errors; nil where it cannot be had
	hears  map[string]bool   // GPUs, by UUID, whose events are in the set
	xid    map[string]uint64 // the last critical error of a GPU, by UUID
}

var _ Source = (*library)(nil)

// openNVML loads the library. The error is a *NoneError where there is none, or no driver.
func openNVML() (Source, error) {
	return openLibrary(nvml.New())
}

func openLibrary(api nvml.Interface) (Source, error) {
	l := &library{nvml: api, guard: newGuard("NVML"), hears: map[string]bool{}, xid: map[string]uint64{}}
	return within(context.Background(), l.guard, func(context.Context) (Source, error) {
		switch ret := api.Init(); ret {
		case nvml.SUCCESS:
		case nvml.ERROR_LIBRARY_NOT_FOUND:
			return nil, &NoneError{"libnvidia-ml.so.1 cannot be loaded"}
		case nvml.ERROR_DRIVER_NOT_LOADED:
			return nil, &NoneError{"the NVIDIA driver is not loaded"}
		default:
			return nil, errors.New(ret.String())
		}
		if set, ret := api.EventSetCreate(); ret == nvml.SUCCESS {
			l.events = set
		}
		return l, nil
	})
}

// Name implements Source.
func (l *library) Name() string { return "NVML" }

// Close implements Source.
func (l *library) Close() {
	_, _ = within(context.Background(), l.guard, func(context.Context) (struct{}, error) {
		if l.events != nil {
			_ = l.events.Free()
		}
		_ = l.nvml.Shutdown()
		return struct{}{}, nil
	})
}

// Devices implements Source.
func (l *library) Devices(ctx context.Context) ([]Device, error) {
	return within(ctx, l.guard, func(ctx context.Context) ([]Device, error) {
		var all []Device
		err := l.each(ctx, func(d Device, _ nvml.Device, _ []nvml.Device) { all = append(all, d) })
		return all, err
	})
}

// Samples implements Source.
func (l *library) Samples(ctx context.Context) (map[string]Sample, error) {
	return within(ctx, l.guard, func(ctx context.Context) (map[string]Sample, error) {
		l.listen()
		out := map[string]Sample{}
		err := l.each(ctx, func(d Device, h nvml.Device, parts []nvml.Device) {
			s := l.sample(d.UUID, h)
			out[d.UUID] = s
			for i, part := range parts { // what is measured of a GPU is said of its instances too; memory they know
				s.Used, s.Total, s.Busy = 0, 0, -1
				if m, ret := part.GetMemoryInfo(); ret == nvml.SUCCESS {
					s.Used, s.Total = m.Used, m.Total
				}
				out[d.Instances[i].UUID] = s
			}
		})
		return out, err
	})
}

// each calls f for each GPU with the handles of it and its instances.
func (l *library) each(ctx context.Context, f func(d Device, h nvml.Device, parts []nvml.Device)) error {
	n, ret := l.nvml.DeviceGetCount()
	switch {
	case ret != nvml.SUCCESS:
		return said("count the GPUs", ret)
	case n == 0:
		return &NoneError{"NVML: no devices were found"}
	case n > maxDevices:
		return fmt.Errorf("NVML lists %d GPUs: more than %d are not believed", n, maxDevices)
	}
	for i := range n {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		h, ret := l.nvml.DeviceGetHandleByIndex(i)
		if ret != nvml.SUCCESS {
			return said(fmt.Sprintf("look at GPU %d", i), ret)
		}
		d, parts, err := describe(i, h)
		if err != nil {
			return fmt.Errorf("NVML: GPU %d: %w", i, err)
		}
		f(d, h, parts)
	}
	return nil
}

// describe reads what does not change of a GPU.
func describe(index int, h nvml.Device) (d Device, parts []nvml.Device, err error) {
	d = Device{Index: index, Node: -1}
	var ret nvml.Return
	if d.UUID, ret = h.GetUUID(); ret != nvml.SUCCESS {
		return d, nil, said("its UUID", ret)
	}
	if err := checkUUID(d.UUID, "GPU-"); err != nil {
		return d, nil, err
	}
	name, ret := h.GetName()
	if ret != nvml.SUCCESS {
		return d, nil, said("its name", ret)
	}
	d.Name = clean.Name(name, maxName)
	if pci, ret := h.GetPciInfo(); ret == nvml.SUCCESS {
		d.Bus = fmt.Sprintf("%08X:%02X:%02X.0", pci.Domain, pci.Bus, pci.Device)
	}
	if m, ret := h.GetMemoryInfo(); ret == nvml.SUCCESS {
		d.Memory = m.Total
	}
	if mode, _, ret := h.GetMigMode(); ret == nvml.SUCCESS && mode == nvml.DEVICE_MIG_ENABLE {
		d.MIG = true
		parts, err = instances(&d, h)
	}
	return d, parts, err
}

// instances reads the MIG instances of a GPU. Their places are numbered, and some are empty.
func instances(d *Device, h nvml.Device) (parts []nvml.Device, err error) {
	n, ret := h.GetMaxMigDeviceCount()
	if ret != nvml.SUCCESS {
		return nil, said("count its MIG devices", ret)
	}
	for i := range min(n, maxDevices) {
		part, ret := h.GetMigDeviceHandleByIndex(i)
		if ret == nvml.ERROR_NOT_FOUND || ret == nvml.ERROR_INVALID_ARGUMENT {
			continue
		}
		if ret != nvml.SUCCESS {
			return nil, said(fmt.Sprintf("look at MIG device %d", i), ret)
		}
		uuid, ret := part.GetUUID()
		if ret != nvml.SUCCESS {
			return nil, said(fmt.Sprintf("the UUID of MIG device %d", i), ret)
		}
		if err := checkUUID(uuid, "MIG-"); err != nil {
			return nil, err
		}
		in := Device{Index: d.Index, UUID: uuid, Name: d.Name + " MIG", Parent: d.UUID, Bus: d.Bus, Node: -1}
		if name, ret := part.GetName(); ret == nvml.SUCCESS { // of the GPU, and the profile
			in.Name = clean.Name(name, maxName)
		}
		if m, ret := part.GetMemoryInfo(); ret == nvml.SUCCESS {
			in.Memory = m.Total
		}
		d.Instances = append(d.Instances, in)
		parts = append(parts, part)
	}
	return parts, nil
}

// sample measures a GPU, and has its critical errors told from now on. What it does not have stays unknown.
func (l *library) sample(uuid string, h nvml.Device) Sample {
	s := unknown()
	if m, ret := h.GetMemoryInfo(); ret == nvml.SUCCESS {
		s.Used, s.Total = m.Used, m.Total
	} else if ret != nvml.ERROR_NOT_SUPPORTED {
		s.Problem = clean.OneLine(ret.String(), maxName)
	}
	if u, ret := h.GetUtilizationRates(); ret == nvml.SUCCESS {
		s.Busy = int(min(u.Gpu, 100))
	}
	if c, ret := h.GetTemperature(nvml.TEMPERATURE_GPU); ret == nvml.SUCCESS {
		s.Celsius = int(min(c, 1000))
	}
	if mw, ret := h.GetPowerUsage(); ret == nvml.SUCCESS {
		s.Watts = float64(mw) / 1000
	}
	if n, ret := h.GetTotalEccErrors(nvml.MEMORY_ERROR_TYPE_UNCORRECTED, nvml.VOLATILE_ECC); ret == nvml.SUCCESS {
		s.ECC = n
	}
	if l.events != nil && !l.hears[uuid] {
		l.hears[uuid] = h.RegisterEvents(nvml.EventTypeXidCriticalError, l.events) == nvml.SUCCESS
	}
	s.Xid = l.xid[uuid]
	return s
}

// maxEvents is how many critical errors are read at once.
const maxEvents = 64

// listen notes the critical errors since the last time.
func (l *library) listen() {
	if l.events == nil {
		return
	}
	for range maxEvents {
		ev, ret := l.events.Wait(0)
		if ret != nvml.SUCCESS { // a time-out: there are no more
			return
		}
		if uuid, ret := ev.Device.GetUUID(); ret == nvml.SUCCESS && ev.EventType == nvml.EventTypeXidCriticalError {
			l.xid[uuid] = ev.EventData
		}
	}
}

// said is an answer of NVML as an error.
func said(what string, ret nvml.Return) error {
	return fmt.Errorf("%s: %s", what, clean.OneLine(ret.String(), 200))
}
