//go:build nvml && cgo && linux

package gpu

import (
	"errors"
	"strings"
	"testing"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock"
)

const gib = 1 << 30

// card is a GPU as NVML shows it; more changes it.
func card(uuid string, more func(*mock.Device)) nvml.Device {
	d := &mock.Device{
		GetUUIDFunc: func() (string, nvml.Return) { return uuid, nvml.SUCCESS },
		GetNameFunc: func() (string, nvml.Return) { return "NVIDIA H100 80GB HBM3", nvml.SUCCESS },
		GetPciInfoFunc: func() (nvml.PciInfo, nvml.Return) {
			return nvml.PciInfo{Domain: 0, Bus: 0xc1, Device: 0}, nvml.SUCCESS
		},
		GetMemoryInfoFunc:       func() (nvml.Memory, nvml.Return) { return nvml.Memory{Total: 80 * gib, Used: 3 * gib}, nvml.SUCCESS },
		GetMigModeFunc:          func() (int, int, nvml.Return) { return 0, 0, nvml.SUCCESS },
		GetUtilizationRatesFunc: func() (nvml.Utilization, nvml.Return) { return nvml.Utilization{Gpu: 87}, nvml.SUCCESS },
		GetTemperatureFunc:      func(nvml.TemperatureSensors) (uint32, nvml.Return) { return 64, nvml.SUCCESS },
		GetPowerUsageFunc:       func() (uint32, nvml.Return) { return 618_430, nvml.SUCCESS },
		GetTotalEccErrorsFunc: func(nvml.MemoryErrorType, nvml.EccCounterType) (uint64, nvml.Return) {
			return 2, nvml.SUCCESS
		},
		RegisterEventsFunc: func(uint64, nvml.EventSet) nvml.Return { return nvml.SUCCESS },
	}
	if more != nil {
		more(d)
	}
	return d
}

// driver is NVML with these cards and events.
func driver(t *testing.T, cards []nvml.Device, events ...nvml.EventData) Source {
	t.Helper()
	set := &mock.EventSet{
		FreeFunc: func() nvml.Return { return nvml.SUCCESS },
		WaitFunc: func(uint32) (ev nvml.EventData, ret nvml.Return) {
			if len(events) == 0 {
				return ev, nvml.ERROR_TIMEOUT
			}
			ev, events = events[0], events[1:]
			return ev, nvml.SUCCESS
		},
	}
	l, err := openLibrary(&mock.Interface{
		InitFunc: func() nvml.Return { return nvml.SUCCESS }, ShutdownFunc: func() nvml.Return { return nvml.SUCCESS },
		EventSetCreateFunc:         func() (nvml.EventSet, nvml.Return) { return set, nvml.SUCCESS },
		DeviceGetCountFunc:         func() (int, nvml.Return) { return len(cards), nvml.SUCCESS },
		DeviceGetHandleByIndexFunc: func(i int) (nvml.Device, nvml.Return) { return cards[i], nvml.SUCCESS },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func TestNVMLListsAndMeasures(t *testing.T) {
	first := card(h0, nil)
	instance := card(mig0, func(d *mock.Device) {
		d.GetNameFunc = func() (string, nvml.Return) { return "NVIDIA H100 80GB HBM3 MIG 1g.10gb", nvml.SUCCESS }
		d.GetMemoryInfoFunc = func() (nvml.Memory, nvml.Return) { return nvml.Memory{Total: 10 * gib, Used: gib}, nvml.SUCCESS }
	})
	cut := card(h1, func(d *mock.Device) {
		d.GetMigModeFunc = func() (int, int, nvml.Return) { return nvml.DEVICE_MIG_ENABLE, 1, nvml.SUCCESS }
		d.GetMaxMigDeviceCountFunc = func() (int, nvml.Return) { return 7, nvml.SUCCESS }
		d.GetMigDeviceHandleByIndexFunc = func(i int) (nvml.Device, nvml.Return) {
			if i != 3 { // the places before and behind it are empty
				return nil, nvml.ERROR_NOT_FOUND
			}
			return instance, nvml.SUCCESS
		}
		d.GetUtilizationRatesFunc = func() (u nvml.Utilization, ret nvml.Return) { return u, nvml.ERROR_NOT_SUPPORTED }
	})
	s := driver(t, []nvml.Device{first, cut}, nvml.EventData{Device: first, EventType: nvml.EventTypeXidCriticalError, EventData: 79})
	ds, err := s.Devices(t.Context())
	if err != nil || len(ds) != 2 {
		t.Fatalf("%+v, %v", ds, err)
	}
	if d := ds[0]; d.UUID != h0 || d.Bus != "00000000:C1:00.0" || d.Memory != 80*gib || d.MIG {
		t.Errorf("%+v", d)
	}
	if in := ds[1].usable(); len(in) != 1 || in[0].UUID != mig0 || in[0].Parent != h1 || !strings.HasSuffix(in[0].Name, "1g.10gb") || in[0].Memory != 10*gib {
		t.Errorf("%+v", in)
	}
	samples, err := s.Samples(t.Context())
	if err != nil || len(samples) != 3 {
		t.Fatalf("%+v, %v", samples, err)
	}
	want := Sample{Used: 3 * gib, Total: 80 * gib, Busy: 87, Celsius: 64, Watts: 618.43, ECC: 2, Xid: 79}
	if samples[h0] != want {
		t.Errorf("%+v\nwant %+v", samples[h0], want)
	}
	if in := samples[mig0]; in.Used != gib || in.Total != 10*gib || in.Busy != -1 || in.Xid != 0 {
		t.Errorf("%+v", in)
	}
	if samples, err = s.Samples(t.Context()); err != nil || samples[h0].Xid != 79 {
		t.Errorf("a critical error is forgotten: %+v, %v", samples[h0], err)
	}
}

func TestNVMLSaysWhatIsWrong(t *testing.T) {
	lost := card(h0, func(d *mock.Device) {
		d.GetMemoryInfoFunc = func() (m nvml.Memory, ret nvml.Return) { return m, nvml.ERROR_GPU_IS_LOST }
	})
	if samples, err := driver(t, []nvml.Device{lost}).Samples(t.Context()); err != nil || !strings.Contains(samples[h0].Problem, "LOST") {
		t.Errorf("%+v, %v", samples, err)
	}
	strange := card("GPU-8932f937\n0", nil)
	if _, err := driver(t, []nvml.Device{strange}).Devices(t.Context()); err == nil || !strings.Contains(err.Error(), "is no UUID") {
		t.Errorf("%v", err)
	}
	if _, err := driver(t, nil).Devices(t.Context()); err == nil || err.Error() != "NVML: no devices were found" {
		t.Errorf("%v", err)
	}
	for ret, none := range map[nvml.Return]bool{nvml.ERROR_LIBRARY_NOT_FOUND: true, nvml.ERROR_DRIVER_NOT_LOADED: true, nvml.ERROR_LIB_RM_VERSION_MISMATCH: false} {
		_, err := openLibrary(&mock.Interface{InitFunc: func() nvml.Return { return ret }})
		if _, is := errors.AsType[*NoneError](err); err == nil || is != none {
			t.Errorf("%v: %v", ret, err)
		}
	}
}

// TestNVMLThatHangsIsNotWaitedFor takes the three seconds that it may hang.
func TestNVMLThatHangsIsNotWaitedFor(t *testing.T) {
	stuck := make(chan struct{})
	s := driver(t, []nvml.Device{card(h0, func(d *mock.Device) {
		d.GetNameFunc = func() (string, nvml.Return) { <-stuck; return "", nvml.ERROR_UNKNOWN }
	})})
	for range 2 {
		if _, err := s.Devices(t.Context()); err == nil || !strings.Contains(err.Error(), "NVML did not answer within 3s") {
			t.Errorf("%v", err)
		}
	}
	close(stuck)
}

// TestTheRealLibraryIsLoadedOrItsAbsenceIsNoFault runs on machines without a GPU too.
func TestTheRealLibraryIsLoadedOrItsAbsenceIsNoFault(t *testing.T) {
	s, err := openNVML()
	if err == nil {
		defer s.Close()
		_, err = s.Devices(t.Context())
	}
	if _, none := errors.AsType[*NoneError](err); err != nil && !none {
		t.Error(err)
	}
}
