package control

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// The kinds of faults that are injected. Those on processes act on their links to other processes, packet by packet, below QUIC; or
// stop the process. Those on actors act on messages, at the mailbox of who receives them.
const (
	FaultDelay     = "delay"     // packets, or messages, take longer
	FaultDrop      = "drop"      // so many of a hundred packets, or messages, are lost
	FaultRate      = "rate"      // packets: so many bytes pass in a second
	FaultPartition = "partition" // packets: none pass
	FaultPause     = "pause"     // the process stands, by SIGSTOP
)

// Faults lists the kinds.
func Faults() []string {
	return []string{FaultDelay, FaultDrop, FaultRate, FaultPartition, FaultPause}
}

// The ways of the packets that a fault acts on, as its ranks see them.
const (
	WayBoth = ""
	WayIn   = "in"  // those that come to them
	WayOut  = "out" // those that leave them
)

// Fault is something bad that is done on purpose: to links between processes, to a process, or to the messages of actors.
type Fault struct {
	ID   uint64 // 0 in a request
	Kind string

	Procs    string // the name of a proc mesh, or
	Mesh     string // of an actor mesh
	Of       uint64 // ProcMesh.ID or MeshRef.ID of it; 0 in a request: whichever has the name now
	Ranks    []int  // of it; empty in a request: all
	Endpoint string // of messages: only those for it; "" for any

	// The other end of the links, where Procs is set. Neither: every process, the controller too.
	To         string // the name of a proc mesh
	ToOf       uint64
	ToRanks    []int
	Controller bool // the controller alone

	Way     string        // of packets
	Delay   time.Duration // of delay
	Jitter  time.Duration // of delay: so much more or less
	Percent float64       // of drop
	Rate    int64         // of rate: bytes a second
	For     time.Duration // it ends after so long; 0: when it is healed, or who ordered it goes
	Seed    uint64        // of what is drawn; 0 in a request: the engine chooses

	// What the engine tells.
	By      string // the client that ordered it
	Client  uint64 // its id; 0: the program
	Since   time.Time
	Until   time.Time `cbor:",omitzero" json:",omitzero"` // zero: it has no end of its own
	Seen    uint64    // packets, or messages, that it was about
	Dropped uint64    // of these: lost
	Delayed uint64    // held up
}

// FaultEvent tells that a fault acts, changed, or is over.
type FaultEvent struct {
	Fault Fault
	Gone  bool
	Why   string // Gone: in plain words, such as: healed by …, its time was over
}

type (
	// FaultReq injects a fault. It ends with the client that ordered it, at the latest. Answer: Fault, as it acts.
	FaultReq struct{ Fault Fault }
	// HealReq ends faults. Those on more ranks than are named go on for the others. Answer: []Fault, those that were ended, or
	// ended for some of their ranks.
	HealReq struct {
		IDs   []uint64 // these, or
		Procs string   // those on processes of this proc mesh, or
		Mesh  string   // those on actors of this mesh, or
		Ranks []int    // of Procs or Mesh; empty: all
		All   bool     // all there are
	}
)

// OnMessages reports whether the fault acts on messages of actors, and not on packets or on a process.
func (f *Fault) OnMessages() bool { return f.Mesh != "" }

// Target is whom the fault is on, as the command language says it.
func (f *Fault) Target() string {
	if f.OnMessages() {
		t := "@" + f.Mesh + FormatSel(f.Ranks)
		if f.Endpoint != "" {
			t += "." + f.Endpoint
		}
		return t
	}
	t := f.Procs + FormatSel(f.Ranks)
	switch {
	case f.Controller:
		t += " controller"
	case f.To != "":
		t += " " + f.To + FormatSel(f.ToRanks)
	}
	return t
}

// FormatSel is ranks as a selection behind the name of a mesh, [0-2,5]; none is all of them, "".
func FormatSel(ranks []int) string {
	if len(ranks) == 0 {
		return ""
	}
	return "[" + shape.FormatRanks(ranks) + "]"
}

// Measure is how much it does: 50ms ±20ms, 10%, 1MB/s; "" where the kind says it all.
func (f *Fault) Measure() string {
	switch f.Kind {
	case FaultDelay:
		if f.Jitter > 0 {
			return f.Delay.String() + " ±" + f.Jitter.String()
		}
		return f.Delay.String()
	case FaultDrop:
		return strconv.FormatFloat(f.Percent, 'g', -1, 64) + "%"
	case FaultRate:
		return FormatRate(f.Rate)
	}
	return ""
}

// String is the command that orders the fault, without its seed.
func (f *Fault) String() string {
	words := []string{f.Kind, f.Target(), f.Measure(), f.Way}
	if f.For > 0 {
		words = append(words, "for "+f.For.String())
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

// rateUnits are the units of a rate, largest first.
var rateUnits = []struct {
	name  string
	bytes int64
}{{"GB/s", 1e9}, {"MB/s", 1e6}, {"KB/s", 1e3}, {"B/s", 1}}

// FormatRate is a rate as ParseRate reads it.
func FormatRate(bytes int64) string {
	for _, u := range rateUnits {
		if bytes >= u.bytes && bytes%u.bytes == 0 {
			return fmt.Sprintf("%d%s", bytes/u.bytes, u.name)
		}
	}
	return fmt.Sprintf("%dB/s", bytes)
}

// ParseRate reads a rate, such as 500KB/s: a whole number and B/s, KB/s, MB/s or GB/s, each a thousand times the one before.
func ParseRate(text string) (bytes int64, err error) {
	for _, u := range rateUnits {
		number, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 1 || n > MaxRate/u.bytes {
			break
		}
		return n * u.bytes, nil
	}
	return 0, fmt.Errorf("want a rate such as 500KB/s, in B/s, KB/s, MB/s or GB/s, from 1B/s to %s", FormatRate(MaxRate))
}

// What a fault may be at most.
const (
	MaxFaultDelay = time.Hour
	MaxFaultTime  = 24 * time.Hour
	MaxRate       = 100_000_000_000 // bytes a second
	MaxFaults     = 256             // that act at a time
)
