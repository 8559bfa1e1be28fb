package gpu

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Slots are the devices of one mesh: slot i has one. nil Slots are virtual ones.
type Slots struct {
	finder *Finder
	seats  []seat    // by slot
	claims []*claim  // Release gives them back
	taken  time.Time // when they were claimed
}

// seat is what a slot has.
type seat struct {
	device  Device
	sharing int  // how many slots of the mesh have the device
	foreign bool // another mesh has claimed it
}

// ShortError is the error of a mesh that wants more devices than are free.
type ShortError struct {
	Want, Free, Visible int
	Held                []string // who holds the others
	Note                string   // what is hidden
}

func (e *ShortError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s wanted, one for each rank, and ", counted(e.Want, "GPU is", "GPUs are"))
	switch {
	case e.Visible == 0:
		b.WriteString("there is none")
	case e.Free == e.Visible:
		fmt.Fprintf(&b, "this machine has %d", e.Visible)
	case e.Free == 0:
		b.WriteString("none is free")
	default:
		fmt.Fprintf(&b, "of %d only %s free", e.Visible, counted(e.Free, "is", "are"))
	}
	if len(e.Held) > 0 {
		b.WriteString(" (" + strings.Join(e.Held, "; ") + ")")
	}
	if e.Note != "" {
		b.WriteString("; " + e.Note)
	}
	b.WriteString(": ask for fewer, for oversubscribe, so that ranks share devices, or for virtual slots, without devices")
	return b.String()
}

// counted is n with its noun.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// Take claims a device for each of n slots, in order. With share, slots take turns on the devices that are free, or, where
// none is, on those that others hold. The error is a *ShortError where there are too few.
func (f *Finder) Take(found *Found, n int, share bool, nameOf func(uuid string) string) (*Slots, error) {
	s := &Slots{finder: f}
	var have []Device
	var held holders
	for _, d := range found.Devices {
		if len(have) == n {
			break
		}
		c, taken, holder, err := takeClaim(d.UUID)
		switch {
		case err != nil:
			s.Release()
			return nil, err
		case taken:
			held.add(holderName(holder, nameOf(d.UUID)), Short(d.UUID))
		default:
			s.claims = append(s.claims, c)
			have = append(have, d)
		}
	}
	s.taken = time.Now()
	foreign := false
	switch {
	case len(have) == n:
	case !share:
		s.Release()
		return nil, &ShortError{Want: n, Free: len(have), Visible: len(found.Devices), Held: held.texts(), Note: found.Note}
	case len(have) == 0:
		have, foreign = found.Devices, true
	}
	for i := range n {
		at := i % len(have)
		sharing := n / len(have)
		if at < n%len(have) {
			sharing++
		}
		s.seats = append(s.seats, seat{device: have[at], sharing: sharing, foreign: foreign})
	}
	return s, nil
}

// holders are who hold which devices, in the order in which they were met.
type holders struct {
	names []string
	have  map[string][]string
}

func (h *holders) add(name, device string) {
	if h.have == nil {
		h.have = map[string][]string{}
	}
	if h.have[name] == nil {
		h.names = append(h.names, name)
	}
	h.have[name] = append(h.have[name], device)
}

// texts says who holds what, short enough for an error on a machine with many devices.
func (h *holders) texts() []string {
	const most = 4 // devices of one, and of those who hold some
	var out []string
	for i, name := range h.names {
		if i == most {
			return append(out, fmt.Sprintf("others hold more (%d in all)", len(h.names)))
		}
		list, more := h.have[name], ""
		if len(list) > most {
			list, more = list[:most], fmt.Sprintf(" and %d more", len(list)-most)
		}
		out = append(out, name+" holds "+strings.Join(list, ", ")+more)
	}
	return out
}

// holderName says who holds a device: what we call it ourselves, or its process.
func holderName(pid int, own string) string {
	switch {
	case pid == os.Getpid() && own != "":
		return own
	case pid == 0:
		return "a process that cannot be seen from here"
	}
	if comm := readSmall("/proc/" + strconv.Itoa(pid) + "/comm"); comm != "" {
		return fmt.Sprintf("pid %d (%s)", pid, clean.Name(comm, 40))
	}
	return fmt.Sprintf("pid %d", pid)
}

// Release gives the devices back. Call it once, when the last process that has one of them has ended.
func (s *Slots) Release() {
	if s == nil {
		return
	}
	for _, c := range s.claims {
		c.release()
	}
	s.claims = nil
}

// Device is the device of a slot; ok is false where slots are virtual, and for who has none.
func (s *Slots) Device(slot int) (d Device, ok bool) {
	if s == nil || slot < 0 || slot >= len(s.seats) {
		return Device{}, false
	}
	return s.seats[slot].device, true
}

// Sharing is how many slots of the mesh have the device of this one, and whether a mesh that has claimed it has it too.
func (s *Slots) Sharing(slot int) (slots int, foreign bool) {
	if _, ok := s.Device(slot); !ok {
		return 0, false
	}
	return s.seats[slot].sharing, s.seats[slot].foreign
}

// checkedLately is how old a list of devices may be for a rank that is started again: ranks that restart together look once.
const checkedLately = time.Second

// Check looks, just before a worker is started, whether its device is still there. The first start looks after the claims.
func (s *Slots) Check(ctx context.Context, slot int) error {
	d, ok := s.Device(slot)
	if !ok {
		return nil
	}
	since := s.taken
	if lately := time.Now().Add(-checkedLately); lately.After(since) {
		since = lately
	}
	if err := s.finder.present(ctx, d.UUID, since); err != nil {
		return fmt.Errorf("the GPU of this rank, %s: %w", d.Name, err)
	}
	return nil
}

// Env is what the worker of a slot needs in its environment; nothing where it has no device.
func (s *Slots) Env(slot int) []string {
	if d, ok := s.Device(slot); ok {
		return []string{VisibleEnv + "=" + d.UUID}
	}
	return nil
}
