package world

import (
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// Name is a party of a message as the screens show it: ponger[3], main.
func Name(party string) string { return strings.TrimPrefix(party, "@") }

// SplitName is the mesh and the rank of a party; ok is false for a client.
func SplitName(party string) (mesh string, rank int, ok bool) {
	open := strings.LastIndexByte(party, '[')
	if open <= 0 || !strings.HasSuffix(party, "]") {
		return "", 0, false
	}
	n, err := strconv.ParseUint(party[open+1:len(party)-1], 10, 31)
	if err != nil {
		return "", 0, false
	}
	return Name(party[:open]), int(n), true
}

// ActorName is an actor, or a process of a proc mesh, as the screens show it.
func ActorName(mesh string, rank int) string { return mesh + "[" + strconv.Itoa(rank) + "]" }

// ProcName is a process as the screens show it: gpu-1@host-0, or trainers[3] where it has no slot.
func ProcName(p *control.Proc) string {
	if p.Slot >= 0 && p.Host != "" {
		return "gpu-" + strconv.Itoa(p.Slot) + "@" + p.Host
	}
	return ActorName(p.Mesh, p.Rank)
}

// Ids of calls and messages count within a process; the number of the process stands above them.
const (
	idBits    = 40
	inProcess = uint64(1) << 63 // ranks that are goroutines of the controller
)

// CallName is the id of a call or a message, short: 41 of the controller, 3.41 of the process 3, i3.41 of a rank that
// runs in the controller.
func CallName(id uint64) string {
	proc, n := id&^inProcess>>idBits, strconv.FormatUint(id&(1<<idBits-1), 10)
	switch {
	case id&inProcess != 0:
		return "i" + strconv.FormatUint(proc, 10) + "." + n
	case proc != 0:
		return strconv.FormatUint(proc, 10) + "." + n
	}
	return n
}

// ParseCall reads what CallName writes, and plain numbers.
func ParseCall(text string) (id uint64, ok bool) {
	head, tail, dotted := strings.Cut(text, ".")
	if !dotted {
		id, err := strconv.ParseUint(text, 10, 64)
		return id, err == nil
	}
	head, inside := strings.CutPrefix(head, "i")
	proc, err := strconv.ParseUint(head, 10, 63-idBits)
	n, err2 := strconv.ParseUint(tail, 10, idBits)
	if err != nil || err2 != nil {
		return 0, false
	}
	id = proc<<idBits | n
	if inside {
		id |= inProcess
	}
	return id, true
}

// RanksName names ranks, sorted, of a mesh or of a proc mesh: ponger[*] when they are all, ponger[0-2,5],
// ponger[dp=1:4,tp=1] where that is shorter.
func (w *World) RanksName(mesh string, ranks []int) string {
	n, all := 0, shape.Region{}
	if m, ok := w.Mesh(mesh); ok {
		n, all = len(m.Ranks), m.Ref.View
	} else if p, ok := w.ProcMesh(mesh); ok {
		n, all = p.Extent.Len(), shape.RegionOf(p.Extent)
	}
	if n > 1 && len(ranks) == n {
		return mesh + "[*]"
	}
	flat := shape.FormatRanks(ranks)
	if n > 0 && len(flat) > 8 {
		if cover := shape.Cover(all, ranks); len(cover) == 1 {
			if text := shape.Describe(all, cover[0]); len(text) < len(flat) {
				flat = text
			}
		}
	}
	return mesh + "[" + flat + "]"
}
