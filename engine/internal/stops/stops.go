package stops

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet/recent"
)

const (
	maxFrames = 65_536 // frames that keep their number while they stop again and again
	maxGone   = 4096   // stops of which it is known how they went on
)

// Frame is a frame as its process numbers it.
type Frame struct{ Proc, Number uint64 }

// Book is the table of stops and of breakpoints.
type Book struct {
	stops  map[uint64]*entry
	frames *recent.Map[Frame, uint64]
	gone   *recent.Map[control.StopRef, string]
	next   uint64

	breaks    map[uint64]*control.Breakpoint
	hitsOf    map[uint64]uint64 // hits in all of the breakpoints that count so
	nextBreak uint64

	State control.DebugState // but for Held
}

type entry struct {
	control.Stop
	frame Frame
	going string // who is letting it go on; "" nobody
}

// DefaultGrace is how long stopped frames wait for a front end.
const DefaultGrace = 30 * time.Second

// New makes an empty book.
func New() *Book {
	return &Book{
		stops: map[uint64]*entry{}, frames: recent.New[Frame, uint64](maxFrames), gone: recent.New[control.StopRef, string](maxGone),
		breaks: map[uint64]*control.Breakpoint{}, hitsOf: map[uint64]uint64{},
		State: control.DebugState{Policy: control.PolicyContinue, Grace: DefaultGrace},
	}
}

// Stopped enters a stop that a process tells of, with the process's own number of the frame. goOn says that the frame is to
// go on at once and nobody is told: the breakpoint counts over all ranks, and this was not one that it wants.
func (b *Book) Stopped(frame Frame, st control.Stop) (stop control.Stop, goOn bool) {
	id, known := b.frames.Get(frame)
	if !known {
		b.next++
		id = b.next
		b.frames.Put(frame, id)
	}
	st.ID = id
	if st.Break != 0 && !b.wants(st.Break) {
		return st, true
	}
	b.stops[id] = &entry{Stop: st, frame: frame}
	return st, false
}

// Len is the number of stops.
func (b *Book) Len() int { return len(b.stops) }

// Stops lists the stops by number.
func (b *Book) Stops() []control.Stop {
	out := make([]control.Stop, 0, len(b.stops))
	for _, e := range b.stops {
		out = append(out, e.Stop)
	}
	slices.SortFunc(out, func(x, y control.Stop) int { return cmp.Compare(x.ID, y.ID) })
	return out
}

// Find gives a stop and the frame it is of, or says why there is none.
func (b *Book) Find(ref control.StopRef) (control.Stop, Frame, error) {
	e := b.stops[ref.ID]
	switch {
	case ref.ID == 0 || ref.ID > b.next:
		return control.Stop{}, Frame{}, fmt.Errorf("there is no stop %d%s", ref.ID, b.have())
	case e == nil:
		return control.Stop{}, Frame{}, fmt.Errorf("stop %d is over: %s", ref.ID, b.whyGone(ref))
	case ref.Gen != 0 && ref.Gen != e.Gen:
		return control.Stop{}, Frame{}, fmt.Errorf("stop %d is not where it was: %s, and it stopped again at %s since", ref.ID, b.whyGone(ref), e.Site)
	}
	return e.Stop, e.frame, nil
}

func (b *Book) have() string {
	ids := slices.Sorted(maps.Keys(b.stops))
	switch {
	case len(ids) == 0:
		return ": nobody is stopped"
	case len(ids) > 8:
		return fmt.Sprintf(": there are %d, from %d to %d", len(ids), ids[0], ids[len(ids)-1])
	}
	return fmt.Sprintf(": there are %v", ids)
}

func (b *Book) whyGone(ref control.StopRef) string {
	if why, ok := b.gone.Get(ref); ok {
		return why
	}
	if why, ok := b.gone.Get(control.StopRef{ID: ref.ID}); ok {
		return why
	}
	return "it went on"
}

// Reserve is the right to let a stop go on: whoever comes first has it (INV-RACE), until Settle.
func (b *Book) Reserve(ref control.StopRef, by string) (control.Stop, Frame, error) {
	st, frame, err := b.Find(ref)
	if err != nil {
		return st, frame, err
	}
	e := b.stops[st.ID]
	if e.going != "" {
		return st, frame, fmt.Errorf("%s is letting stop %d go on already", e.going, st.ID)
	}
	e.going = by
	return st, frame, nil
}

// Settle ends what Reserve began. how is how the frame went on, "" where it did not: then it is as before. It reports
// whether the stop has left the table by it; a frame that stopped again meanwhile has not.
func (b *Book) Settle(st control.Stop, how, by string) bool {
	e := b.stops[st.ID]
	same := e != nil && e.Gen == st.Gen
	if how == "" {
		if same {
			e.going = ""
		}
		return false
	}
	why := fmt.Sprintf("%s let it go on (%s)", by, how)
	if same {
		b.remove(st, why)
	} else {
		b.gone.Put(control.StopRef{ID: st.ID, Gen: st.Gen}, why)
	}
	return same
}

// remove takes a stop off the table and remembers why.
func (b *Book) remove(st control.Stop, why string) {
	delete(b.stops, st.ID)
	b.gone.Put(control.StopRef{ID: st.ID, Gen: st.Gen}, why)
	last := control.StopRef{ID: st.ID}
	b.gone.Put(last, why)
}

// Change changes what is told of a stop.
func (b *Book) Change(id uint64, change func(*control.Stop)) (control.Stop, bool) {
	e := b.stops[id]
	if e == nil {
		return control.Stop{}, false
	}
	change(&e.Stop)
	return e.Stop, true
}

// Ended takes the stop of a frame off whose actor ended, as its process tells.
func (b *Book) Ended(frame Frame, gen uint64, why string) (control.Stop, bool) {
	id, known := b.frames.Get(frame)
	e := b.stops[id]
	if !known || e == nil || e.Gen != gen {
		return control.Stop{}, false
	}
	b.remove(e.Stop, why)
	return e.Stop, true
}

// Drop takes off every stop that is meant, and gives them.
func (b *Book) Drop(meant func(*control.Stop) bool, why string) []control.Stop {
	var out []control.Stop
	for _, e := range b.stops {
		if meant(&e.Stop) {
			out = append(out, e.Stop)
		}
	}
	slices.SortFunc(out, func(x, y control.Stop) int { return cmp.Compare(x.ID, y.ID) })
	for _, st := range out {
		b.remove(st, why)
	}
	return out
}
