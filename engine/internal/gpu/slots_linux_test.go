package gpu

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// fake is a machine whose driver answers as a test wants.
type fake struct {
	mu      sync.Mutex
	devices []Device
	err     error
	asked   int
}

func (f *fake) Name() string { return "fake" }
func (f *fake) Close()       {}
func (f *fake) Devices(context.Context) ([]Device, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	return append([]Device(nil), f.devices...), f.err
}

func (f *fake) Samples(context.Context) (map[string]Sample, error) {
	return map[string]Sample{f.devices[0].UUID: {Used: 1}}, f.err
}

// newFake has n devices with UUIDs that nobody else on the machine has: claims are seen by all of it.
func newFake(n int) *fake {
	f := &fake{}
	for i := range n {
		f.devices = append(f.devices, Device{Index: i, Name: "Fake", UUID: fmt.Sprintf("GPU-%08x-%08x", rand.Uint32(), rand.Uint32())})
	}
	return f
}

// finder looks at a fake with that environment.
func finder(f *fake, env map[string]string) *Finder {
	return NewFinder(System{Source: f, Lookup: func(k string) (string, bool) { v, ok := env[k]; return v, ok }})
}

func found(t *testing.T, f *Finder) *Found {
	t.Helper()
	all, err := f.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func nobody(string) string { return "" }

func take(t *testing.T, f *Finder, n int, share bool) (*Slots, error) {
	t.Helper()
	s, err := f.Take(found(t, f), n, share, nobody)
	if err == nil {
		t.Cleanup(s.Release)
	}
	return s, err
}

// TestADeviceIsClaimedOnce holds INV-ONE: by two finders, as two controllers have them.
func TestADeviceIsClaimedOnce(t *testing.T) {
	machine := newFake(3)
	one, other := finder(machine, nil), finder(machine, nil)
	s, err := take(t, one, 2, false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = take(t, other, 2, false)
	short, ok := errors.AsType[*ShortError](err)
	if !ok || short.Want != 2 || short.Free != 1 || short.Visible != 3 || len(short.Held) != 1 || !strings.HasPrefix(short.Held[0], fmt.Sprintf("pid %d (", os.Getpid())) || !strings.HasSuffix(short.Held[0], " holds "+Short(machine.devices[0].UUID)+", "+Short(machine.devices[1].UUID)) {
		t.Fatalf("%+v", err)
	}
	last, err := take(t, other, 1, false) // what the failed attempt had claimed is free again
	if err != nil {
		t.Fatal(err)
	}
	if d, _ := last.Device(0); d.UUID != machine.devices[2].UUID {
		t.Errorf("the other has %s", d.UUID)
	}
	s.Release()
	if _, err := take(t, other, 2, false); err != nil {
		t.Errorf("what was released is not free: %v", err)
	}
}

func TestManyAtOnceClaimEachDeviceOnce(t *testing.T) {
	machine := newFake(8)
	all := found(t, finder(machine, nil))
	var wg sync.WaitGroup
	var mu sync.Mutex
	holders := map[string]int{}
	for range 32 {
		wg.Go(func() {
			s, err := finder(machine, nil).Take(all, 1, false, nobody)
			if err != nil {
				return
			}
			d, _ := s.Device(0)
			mu.Lock()
			holders[d.UUID]++
			mu.Unlock()
			t.Cleanup(s.Release)
		})
	}
	wg.Wait()
	if len(holders) != 8 {
		t.Errorf("32 that want one of 8 devices have %d", len(holders))
	}
	for uuid, n := range holders {
		if n != 1 {
			t.Errorf("%s was claimed %d times", uuid, n)
		}
	}
}

func TestTooFewDevicesNameBothWaysOut(t *testing.T) {
	for _, c := range []struct {
		err  ShortError
		want string
	}{
		{ShortError{Want: 4, Free: 2, Visible: 2}, "4 GPUs are wanted, one for each rank, and this machine has 2: ask for fewer, for oversubscribe, so that ranks share devices, or for virtual slots, without devices"},
		{ShortError{Want: 1, Free: 0, Visible: 1, Held: []string{"pid 7 (pi) holds GPU-1"}}, "1 GPU is wanted, one for each rank, and none is free (pid 7 (pi) holds GPU-1): ask"},
		{ShortError{Want: 3, Free: 1, Visible: 2, Note: "something is hidden"}, "3 GPUs are wanted, one for each rank, and of 2 only 1 is free; something is hidden: ask"},
	} {
		if got := c.err.Error(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s\n  want %s", got, c.want)
		}
	}
}

func TestManyHoldersMakeAShortText(t *testing.T) {
	var h holders
	for i := range 24 {
		h.add(fmt.Sprint("pid ", i%6), fmt.Sprint("GPU-", i))
	}
	h.add("pid 0", "GPU-24")
	if got, want := strings.Join(h.texts()[:2], "; "), "pid 0 holds GPU-0, GPU-6, GPU-12, GPU-18 and 1 more; pid 1 holds GPU-1, GPU-7, GPU-13, GPU-19"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := h.texts()[4:]; len(got) != 1 || got[0] != "others hold more (6 in all)" {
		t.Error(got)
	}
}

func TestSlotsShareInTurns(t *testing.T) {
	machine := newFake(2)
	s, err := take(t, finder(machine, nil), 5, true)
	if err != nil {
		t.Fatal(err)
	}
	for slot, want := range []int{3, 2, 3, 2, 3} {
		d, ok := s.Device(slot)
		sharing, foreign := s.Sharing(slot)
		if !ok || d.UUID != machine.devices[slot%2].UUID || sharing != want || foreign {
			t.Errorf("slot %d: %s, %d share it (foreign: %v), want %d", slot, d.UUID, sharing, foreign, want)
		}
	}
	guest, err := take(t, finder(machine, nil), 1, true)
	if err != nil {
		t.Fatal(err)
	}
	if sharing, foreign := guest.Sharing(0); sharing != 1 || !foreign {
		t.Errorf("a guest on a claimed device: %d, %v", sharing, foreign)
	}
	guest.Release()
	if _, err := take(t, finder(machine, nil), 1, false); err == nil {
		t.Error("the guest gave back what was not its own")
	}
}

func TestVirtualSlotsHaveNothing(t *testing.T) {
	var s *Slots
	_, ok := s.Device(0)
	sharing, foreign := s.Sharing(0)
	if err := s.Check(t.Context(), 0); ok || sharing != 0 || foreign || err != nil || s.Env(0) != nil {
		t.Error("virtual slots have devices")
	}
	s.Release()
}

func TestADeviceIsLookedForBeforeItsRankStarts(t *testing.T) {
	machine := newFake(2)
	f := finder(machine, nil)
	s, err := take(t, f, 2, false)
	if err != nil {
		t.Fatal(err)
	}
	before := machine.asked
	for slot := range 2 {
		if err := s.Check(t.Context(), slot); err != nil {
			t.Fatal(err)
		}
	}
	if machine.asked != before+1 {
		t.Errorf("two ranks that start together look %d times", machine.asked-before)
	}
	gone := machine.devices[1].UUID
	machine.devices = machine.devices[:1]
	s.taken = s.taken.Add(-time.Hour)
	f.began = f.began.Add(-time.Hour) // a rank that is started again, an hour later
	if err := s.Check(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if err := s.Check(t.Context(), 1); err == nil || err.Error() != "the GPU of this rank, Fake: "+gone+" is gone from the machine" {
		t.Errorf("%v", err)
	}
	machine.err, f.began = errors.New("it fell off the bus"), time.Time{}
	if err := s.Check(t.Context(), 0); !errors.Is(err, machine.err) {
		t.Errorf("%v", err)
	}
}

func TestWhatWasFoundIsOneLine(t *testing.T) {
	three := newFake(3)
	three.devices[2].Name = "Other"
	for name, c := range map[string]struct {
		f    *fake
		env  map[string]string
		want string
	}{
		"all":        {three, nil, "2 × Fake, 1 × Other by fake"},
		"hidden":     {three, map[string]string{VisibleEnv: "1"}, "1 × Fake by fake; CUDA_VISIBLE_DEVICES is read in PCI order, which CUDA uses under CUDA_DEVICE_ORDER=PCI_BUS_ID only"},
		"in order":   {three, map[string]string{VisibleEnv: "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, "1 × Fake by fake"},
		"alike":      {newFake(2), map[string]string{VisibleEnv: "1"}, "1 × Fake by fake"},
		"by UUID":    {three, map[string]string{VisibleEnv: three.devices[0].UUID}, "1 × Fake by fake"},
		"mistaken":   {newFake(2), map[string]string{VisibleEnv: "0,5"}, `1 × Fake by fake; CUDA_VISIBLE_DEVICES: there is no GPU "5" (they are 0 to 1), so it and what follows it is hidden, as CUDA does`},
		"none left":  {newFake(2), map[string]string{VisibleEnv: ""}, "none: CUDA_VISIBLE_DEVICES is empty, which hides all devices"},
		"no driver":  {&fake{err: &NoneError{"no driver"}}, nil, "none: no driver"},
		"only MIG":   {&fake{devices: []Device{{MIG: true}}}, nil, "none: every GPU is in MIG mode and has no instance"},
		"not CUDA's": {newFake(1), map[string]string{"NVIDIA_VISIBLE_DEVICES": "none"}, "1 × Fake by fake"},
	} {
		if got := found(t, finder(c.f, c.env)).String(); got != c.want {
			t.Errorf("%s: %s\n  want %s", name, got, c.want)
		}
	}
}

func TestWhereDevicesAreLookedForCanBeSaid(t *testing.T) {
	for value, want := range map[string]string{
		"none": "none: MONARCH_GPUS=none", "nvidia-smi": "none: there is no nvidia-smi in PATH", "": "none: there is no nvidia-smi in PATH", "rocm": `MONARCH_GPUS is "rocm": want nvml, nvidia-smi, none or nothing`,
	} {
		t.Setenv("PATH", t.TempDir())
		f := NewFinder(System{Lookup: func(string) (string, bool) { return value, value != "" }})
		all, err := f.Find(t.Context())
		switch {
		case err != nil && err.Error() != want, err == nil && !strings.HasPrefix(all.String(), want):
			t.Errorf("%s: %v, %v; want %s", value, all, err, want)
		}
	}
}

func TestNobodyIsAskedAfterTheEnd(t *testing.T) {
	f := finder(newFake(1), nil)
	f.Close(t.Context())
	if _, err := f.Find(t.Context()); err == nil || !strings.Contains(err.Error(), "closing") {
		t.Errorf("%v", err)
	}
	if _, err := f.Samples(t.Context()); err == nil {
		t.Error("it measures after its end")
	}
}
