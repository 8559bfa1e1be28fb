package control

import (
	"slices"
	"sync"
	"time"
)

// Limits of what waits for one watch.
const (
	maxStateEvents = 8192
	maxDataEvents  = 16384
	maxDataBytes   = 8 << 20 // of log text and previews
	maxBatch       = 4096    // events of one update
)

// Update is what a watch delivers: first the snapshot, if there is one, then the events. An Event with Dropped set
// comes as Events[0], beside the snapshot that makes up for it; it is told to this client only and has no Seq.
type Update struct {
	Snapshot *Snapshot // not nil: forget your replica and begin with this one
	Events   []*Event
	Sync     uint64 // not 0: everything that happened before the Watch.Sync with this token has now been delivered
}

// feed collects the events of one watch between two updates. The backend's sink is push, which never blocks.
type feed struct {
	b      Backend
	topics topicSet
	wake   chan struct{} // one slot: something may be taken

	mu      sync.Mutex
	last    uint64 // newest Seq that was pushed: a feed that resubscribes hears some events twice
	state   []*Event
	data    []*Event
	bytes   int // of data
	lost    Dropped
	resync  bool // state events were lost
	snap    *Snapshot
	sync    uint64 // token to be told once all that waits has been taken
	stopped func()
	ended   bool
	unwant  func() // tells the backend that nobody wants these topics for this feed any more; may be nil
}

type topicSet struct{ state, logs, messages bool }

func (t topicSet) names() []string {
	var out []string
	for _, x := range []struct {
		name string
		has  bool
	}{{TopicState, t.state}, {TopicLogs, t.logs}, {TopicMessages, t.messages}} {
		if x.has {
			out = append(out, x.name)
		}
	}
	return out
}

func topicsOf(names []string) topicSet {
	if len(names) == 0 {
		return topicSet{true, true, true}
	}
	return topicSet{slices.Contains(names, TopicState), slices.Contains(names, TopicLogs), slices.Contains(names, TopicMessages)}
}

func (t topicSet) wants(ev *Event) bool {
	switch {
	case ev.Log != nil:
		return t.logs
	case ev.Message != nil, ev.Dropped != nil:
		return t.messages
	default:
		return t.state
	}
}

// newFeed subscribes to the backend; its first update holds the snapshot.
func newFeed(b Backend, topics []string) *feed {
	f := &feed{b: b, topics: topicsOf(topics), wake: make(chan struct{}, 1)}
	if s, ok := b.(Selective); ok {
		if names := f.topics.names(); len(names) > 0 {
			f.unwant = s.Want(names)
		}
	}
	f.subscribe()
	return f
}

// subscribe gets a fresh snapshot. The old subscription ends only after the new one has begun, so that no data event
// falls between the two; push drops what it hears twice.
func (f *feed) subscribe() {
	f.mu.Lock()
	before := f.stopped
	f.resync = false
	f.mu.Unlock()

	snap, cancel := f.b.Subscribe(f.push)

	f.mu.Lock()
	if f.ended {
		before = cancel
	} else {
		f.snap, f.stopped = snap, cancel
	}
	have := len(f.state)
	f.state = slices.DeleteFunc(f.state, func(ev *Event) bool { return ev.Seq <= snap.Seq })
	if before != nil { // those that came since events were lost are in the snapshot too: they are missed as well
		f.lost.State += uint64(have - len(f.state))
	}
	f.mu.Unlock()
	f.signal()
	if before != nil {
		before()
	}
}

// push is the backend's sink.
func (f *feed) push(ev *Event) {
	if !f.topics.wants(ev) {
		return
	}
	f.mu.Lock()
	defer f.signal()
	defer f.mu.Unlock()
	if ev.Seq <= f.last {
		return
	}
	f.last = ev.Seq
	if ev.Dropped != nil { // lost before it came here; it is told with what is lost here
		f.lost.Data += ev.Dropped.Data
		return
	}
	if ev.IsData() {
		f.pushData(ev)
		return
	}
	if f.resync || len(f.state) >= maxStateEvents {
		f.lost.State += uint64(len(f.state)) + 1
		f.state, f.resync = nil, true
		return
	}
	f.state = append(f.state, ev)
}

// pushData keeps the newest data events.
func (f *feed) pushData(ev *Event) {
	f.data, f.bytes = append(f.data, ev), f.bytes+weight(ev)
	drop := 0
	for len(f.data)-drop > maxDataEvents || f.bytes > maxDataBytes && len(f.data)-drop > 1 {
		f.bytes -= weight(f.data[drop])
		drop++
	}
	f.lost.Data += uint64(drop)
	f.data = f.data[drop:]
}

func weight(ev *Event) int {
	if ev.Log != nil {
		return len(ev.Log.Text) + len(ev.Log.Raw)
	}
	return 64 + len(ev.Message.Body) + len(ev.Message.Error)
}

func (f *feed) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// take returns what has gathered; ok is false when there is nothing. It subscribes anew where state was lost.
func (f *feed) take() (u Update, ok bool) {
	f.mu.Lock()
	resync := f.resync
	f.mu.Unlock()
	if resync {
		f.subscribe()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lost != (Dropped{}) && !f.resync {
		lost := f.lost
		u.Events, f.lost = append(u.Events, &Event{Time: time.Now(), Dropped: &lost}), Dropped{}
	}
	u.Snapshot, f.snap = f.snap, nil
	for len(u.Events) < maxBatch && (len(f.state) > 0 || len(f.data) > 0) {
		if len(f.data) == 0 || len(f.state) > 0 && f.state[0].Seq < f.data[0].Seq {
			u.Events, f.state = append(u.Events, f.state[0]), f.state[1:]
			continue
		}
		f.bytes -= weight(f.data[0])
		u.Events, f.data = append(u.Events, f.data[0]), f.data[1:]
	}
	if len(f.state) > 0 || len(f.data) > 0 || f.resync {
		f.signal()
	} else {
		u.Sync, f.sync = f.sync, 0
	}
	return u, !u.empty()
}

// mark asks for the token to be told after everything that has been pushed by now.
func (f *feed) mark(token uint64) {
	f.mu.Lock()
	f.sync = max(f.sync, token)
	f.mu.Unlock()
	f.signal()
}

func (u Update) empty() bool { return u.Snapshot == nil && len(u.Events) == 0 && u.Sync == 0 }

// stop ends the subscription.
func (f *feed) stop() {
	f.mu.Lock()
	cancel, unwant := f.stopped, f.unwant
	f.stopped, f.unwant, f.ended = nil, nil, true
	f.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	if unwant != nil {
		unwant()
	}
}
