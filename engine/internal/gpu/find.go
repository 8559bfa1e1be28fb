package gpu

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Env names the variable of the environment that says where devices are looked for; empty: wherever they are found.
const Env = "MONARCH_GPUS"

// What Env may be.
const (
	EnvNVML = "nvml"       // NVML only
	EnvSMI  = "nvidia-smi" // nvidia-smi only
	EnvNone = "none"       // nowhere: all slots are virtual
)

// System is what a Finder needs of the machine.
type System struct {
	Lookup func(name string) (string, bool) // of the environment
	Sys    string                           // where Linux tells of devices: /sys
	Source Source                           // asked instead of looking for one; nil but in tests
}

// Finder finds devices. It asks its source one thing at a time, and is safe for concurrent use.
type Finder struct {
	sys    System
	closed chan struct{}
	turn   chan struct{} // holds a value while nobody asks; guards the rest
	source Source
	stuck  error  // of NVML, which did not load in time
	via    string // why not by a better source; "" if this is the best
	list   []Device
	err    error
	began  time.Time // when list and err were asked for
}

// NewFinder looks for nothing yet.
func NewFinder(sys System) *Finder {
	f := &Finder{sys: sys, closed: make(chan struct{}), turn: make(chan struct{}, 1), source: sys.Source}
	f.turn <- struct{}{}
	return f
}

// Close ends the source, once who asks it has his answer, or ctx has ended. Call it once.
func (f *Finder) Close(ctx context.Context) {
	close(f.closed)
	select {
	case <-f.turn: // for ever
		if f.source != nil {
			f.source.Close()
		}
	case <-ctx.Done():
	}
}

// lock waits for the turn.
func (f *Finder) lock(ctx context.Context) error {
	select {
	case <-f.turn:
		return nil
	case <-f.closed:
		return errors.New("the engine is closing")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (f *Finder) unlock() { f.turn <- struct{}{} }

// open finds a source.
func (f *Finder) open() error {
	if f.source != nil {
		return nil
	}
	want, _ := f.sys.Lookup(Env)
	switch want {
	case "", EnvNVML, EnvSMI:
	case EnvNone:
		return &NoneError{Env + "=" + EnvNone}
	default:
		return fmt.Errorf("%s is %s: want %s, %s, %s or nothing", Env, clean.Quote(want, 60), EnvNVML, EnvSMI, EnvNone)
	}
	if runtime.GOOS != "linux" {
		return &NoneError{"GPUs are looked for on Linux only"}
	}
	via := "NVML: built without the tag nvml"
	if want != EnvSMI && nvmlBuilt {
		s, err := f.loaded()
		if err == nil {
			f.source, f.via = s, ""
			return nil
		}
		if want == EnvNVML {
			return err
		}
		via = "NVML: " + err.Error()
	} else if want == EnvNVML {
		return fmt.Errorf("%s is %s, and this program was built without it (go build -tags nvml)", Env, EnvNVML)
	}
	path, err := exec.LookPath("nvidia-smi")
	if err != nil {
		return &NoneError{"there is no nvidia-smi in PATH" + alsoNVML(via)}
	}
	f.source, f.via = newSMI(path), via
	return nil
}

// loaded is NVML, if it can be loaded. What hung once is not tried again.
func (f *Finder) loaded() (Source, error) {
	if f.stuck != nil {
		return nil, f.stuck
	}
	s, err := openNVML()
	if errors.Is(err, errLate) {
		f.stuck = err
	}
	return s, err
}

func alsoNVML(via string) string {
	if !nvmlBuilt {
		return ""
	}
	return "; " + via
}

// Found is what there is for this process.
type Found struct {
	Devices []Device // that it may use, in order
	All     int      // GPUs that the machine has
	Source  string   // who told
	Via     string   // why not a better source
	Note    string   // what is hidden, and why
	None    string   // why there is nothing to use; "" if there is
}

// String is one line for people.
func (f *Found) String() string {
	var parts []string
	switch {
	case f.None != "":
		return "none: " + f.None
	default:
		parts = append(parts, fmt.Sprintf("%s by %s", folded(f.Devices), f.Source))
	}
	if f.Note != "" {
		parts = append(parts, f.Note)
	}
	if f.Via != "" {
		parts = append(parts, f.Via)
	}
	return strings.Join(parts, "; ")
}

// folded counts equal names: 8 × NVIDIA H100 80GB HBM3.
func folded(ds []Device) string {
	var names []string
	n := map[string]int{}
	for _, d := range ds {
		if n[d.Name]++; n[d.Name] == 1 {
			names = append(names, d.Name)
		}
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%d × %s", n[name], name)
	}
	return strings.Join(names, ", ")
}

// Find looks for devices anew. An error means that there may be some and they cannot be listed: nothing is known then.
func (f *Finder) Find(ctx context.Context) (*Found, error) {
	if err := f.lock(ctx); err != nil {
		return nil, err
	}
	defer f.unlock()
	value, set := f.sys.Lookup(VisibleEnv)
	if set && strings.TrimSpace(value) == "" { // whatever there is
		_, note := Visible(nil, value, true)
		return &Found{None: note}, nil
	}
	all, err := f.listed(ctx, time.Now())
	if none, ok := errors.AsType[*NoneError](err); ok {
		return &Found{None: none.Why, Via: f.via}, nil
	}
	if err != nil {
		return nil, err
	}
	found := &Found{All: len(all), Source: f.source.Name(), Via: f.via}
	found.Devices, found.Note = Visible(all, value, set)
	switch {
	case len(found.Devices) == 0 && found.Note == "":
		found.None = "every GPU is in MIG mode and has no instance"
	case len(found.Devices) == 0:
		found.None = found.Note
	case found.Note == "" && set && f.mayDiffer(all, value):
		found.Note = VisibleEnv + " is read in PCI order, which CUDA uses under CUDA_DEVICE_ORDER=PCI_BUS_ID only"
	}
	return found, nil
}

// mayDiffer reports whether CUDA may count the GPUs otherwise than we do, and whether that matters.
func (f *Finder) mayDiffer(all []Device, value string) bool {
	if order, _ := f.sys.Lookup("CUDA_DEVICE_ORDER"); order == "PCI_BUS_ID" {
		return false
	}
	unlike := false
	for _, d := range all {
		unlike = unlike || d.Name != all[0].Name
	}
	return unlike && strings.ContainsAny(value[:1], "0123456789 +")
}

// listed lists the GPUs as they were at that time or later. The caller has the turn.
func (f *Finder) listed(ctx context.Context, since time.Time) ([]Device, error) {
	if !f.began.IsZero() && !f.began.Before(since) {
		return f.list, f.err
	}
	if err := f.open(); err != nil {
		return nil, err
	}
	began := time.Now()
	list, err := f.source.Devices(ctx)
	if ctx.Err() != nil { // that says nothing of the devices
		return nil, err
	}
	for i := range list {
		place(f.sys.Sys, &list[i])
	}
	f.list, f.err, f.began = list, err, began
	return list, err
}

// present looks whether a device is still there, not longer ago than since.
func (f *Finder) present(ctx context.Context, uuid string, since time.Time) error {
	if err := f.lock(ctx); err != nil {
		return err
	}
	defer f.unlock()
	all, err := f.listed(ctx, since)
	if err != nil {
		return err
	}
	for _, d := range all {
		for _, u := range d.usable() {
			if u.UUID == uuid {
				return nil
			}
		}
	}
	return fmt.Errorf("%s is gone from the machine", uuid)
}

// Samples measures all devices.
func (f *Finder) Samples(ctx context.Context) (map[string]Sample, error) {
	if err := f.lock(ctx); err != nil {
		return nil, err
	}
	defer f.unlock()
	if err := f.open(); err != nil {
		return nil, err
	}
	return f.source.Samples(ctx)
}
