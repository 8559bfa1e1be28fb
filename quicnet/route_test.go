package quicnet

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// routableEnvelopes are one of each form that a routed frame has.
func routableEnvelopes(from, to uint64) []*Envelope {
	call := Envelope{Kind: KindCall, ID: 77, Index: 3, Call: SessionID(from, 74), Trace: SessionID(from, 74), Clock: 1 << 60, From: Addr{from, 5}, To: Addr{to, 6},
		Region: []byte{1, 2, 3}, Endpoint: "Echo", Hash: 1 << 63, Adverb: 2, Flags: 1, Body: []byte("sixteen bytes ok")}
	inner := call
	inner.Budget, inner.Parent, inner.Trace, inner.Token, inner.Chain = -5, 9, 8, 3, []ChainEntry{{1, 2, "@A[0].Ask", 1<<40 | 5}}
	reply := Envelope{Kind: KindReply, ID: 78, Index: 3, Call: SessionID(to, 74), Parent: SessionID(to, 77), Trace: SessionID(to, 74), Clock: 1<<60 + 500,
		From: Addr{from, 6}, To: Addr{to, 5}, Load: 4, Arrived: 1 << 60, Began: 1<<60 + 200, Body: []byte("sixteen bytes ok")}
	failed := reply
	failed.Kind, failed.Trace, failed.Token, failed.Arrived = KindError, 12345, 1, 1<<60+600 // later than its answer: what a process claims travels as it is
	return []*Envelope{&call, &inner, &reply, &failed}
}

// genRoutable makes envelopes of one process for another, most of which can take a route.
func genRoutable(from, to uint64) *rapid.Generator[*Envelope] {
	numbers := rapid.OneOf(rapid.Uint64Max(300), rapid.Uint64(), rapid.SampledFrom([]uint64{0, 23, 24, math.MaxUint64}))
	return rapid.Custom(func(t *rapid.T) *Envelope {
		e := genEnvelope().Draw(t, "envelope")
		e.Epoch, e.Step = 1, 0
		e.From, e.To = Addr{from, rapid.Uint64Max(3).Draw(t, "from")}, Addr{to, rapid.Uint64Max(3).Draw(t, "to")}
		e.Adverb, e.Flags, e.Hash = rapid.Uint8Max(2).Draw(t, "adverb"), rapid.Uint8Max(1).Draw(t, "flags"), rapid.Uint64Max(1).Draw(t, "hash")
		e.Life = rapid.Uint32Max(1).Draw(t, "life")
		e.Region = []byte(rapid.SampledFrom([]string{"", "a view", "another view"}).Draw(t, "region"))
		if len(e.Region) == 0 {
			e.Region = nil
		}
		e.Endpoint = rapid.SampledFrom([]string{"", "Echo", strings.Repeat("x", 2000)}).Draw(t, "endpoint")
		if e.Kind == KindCall {
			e.Load, e.Arrived, e.Began = 0, 0, 0
			e.Call = SessionID(from, e.ID-e.Index)
		} else {
			answers := numbers.Draw(t, "answers")
			e.Kind, e.Budget, e.Chain = KindReply+Kind(rapid.Uint8Max(1).Draw(t, "kind")), 0, nil
			e.Call, e.Parent = SessionID(to, answers-e.Index), SessionID(to, answers)
		}
		if rapid.Bool().Draw(t, "plain") {
			e.Budget, e.Token, e.Chain, e.Trace = 0, 0, nil, e.Call
			if e.Kind == KindCall {
				e.Parent = 0
			}
		}
		return e
	})
}

// carry encodes envelopes as the lane of one connection does, and decodes them as its reader does. It gives the bytes of each.
func carry(t interface{ Fatalf(string, ...any) }, out *outRoutes, in *inRoutes, seq *uint64, list []*Envelope) (got []*Envelope, sizes []int) {
	for _, e := range list {
		*seq++
		f := &outFrame{seq: *seq, kind: e.Kind}
		var stream []byte
		if routable(LaneCalls, e) {
			rest := f.fill(e, nil)
			f.route = out.known(e)
			stream = out.frame(nil, f, rest, *seq/2)
		} else {
			b := append(appendFields(appendPrefix(nil, e.Kind, 1, *seq, *seq/2), e), appendHead(nil, majorBytes, uint64(len(e.Body)))...)
			stream = framed(append(b, e.Body...))
			out.base.ack = *seq / 2
		}
		sizes = append(sizes, len(stream))
		r := newFrameReader(bytes.NewReader(stream), 1<<20)
		for {
			b, err := r.one()
			if err != nil {
				break
			}
			back := NewEnvelope()
			back.memory = append(back.memory, b...)
			switch kind := frameKind(b); {
			case kind == linkRoute:
				if err := in.declare(b); err != nil {
					t.Fatalf("%v", err)
				}
			case kind >= routedCall:
				if err := in.decode(back.memory, frameKind(back.memory), back, ID{e.From.Proc, 1}, e.To.Proc); err != nil {
					t.Fatalf("%v: %x", err, b)
				}
				got = append(got, back)
			default:
				if _, err := decodeEnvelope(back.memory, back); err != nil {
					t.Fatalf("%v", err)
				}
				in.whole(back)
				got = append(got, back)
			}
		}
	}
	return got, sizes
}

// same reports whether an envelope arrived as it was sent.
func same(sent, got *Envelope, seq uint64) bool {
	want, have := *sent, *got
	want.Epoch, want.Seq, want.Ack = 1, seq, seq/2
	want.Local, have.Local = Local{}, Local{}
	if len(have.Region) == 0 {
		have.Region = nil
	}
	return reflect.DeepEqual(want, have)
}

func TestARoutedFrameBringsWhatAWholeOneWould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const from, to = 7, 0
		var out outRoutes
		var in inRoutes
		var seq uint64
		list := rapid.SliceOfN(genRoutable(from, to), 1, 40).Draw(t, "envelopes")
		got, _ := carry(t, &out, &in, &seq, list)
		if len(got) != len(list) {
			t.Fatalf("%d of %d arrived", len(got), len(list))
		}
		for i, e := range list {
			if !same(e, got[i], uint64(i+1)) {
				t.Fatalf("envelope %d\nsent %+v\ngot  %+v", i, e, got[i])
			}
			if routable(LaneCalls, e) != (got[i].Route != nil) {
				t.Fatalf("envelope %d: by a route: %v", i, got[i].Route != nil)
			}
		}
	})
}

func TestACallOf16BytesIsShortOnTheWire(t *testing.T) {
	const microsecond = 1 << 12
	var out outRoutes
	var in inRoutes
	var seq uint64
	var calls, replies []*Envelope
	for i := range uint64(1000) {
		e := *routableEnvelopes(0, 300)[0]
		e.ID, e.Index, e.Clock = 1e6+i, 3, 1<<60+i*150*microsecond // one in flight
		e.Call = SessionID(0, e.ID-3)
		e.Trace = e.Call
		calls = append(calls, &e)
		r := *routableEnvelopes(300, 0)[2]
		r.ID, r.Parent, r.Clock = 1e6+i, SessionID(0, e.ID), e.Clock+60*microsecond
		r.Call = SessionID(0, e.ID-3)
		r.Trace, r.Arrived, r.Began = r.Call, e.Clock+20*microsecond, e.Clock+25*microsecond
		replies = append(replies, &r)
	}
	_, sizes := carry(t, &out, &in, &seq, calls)
	if got := sizes[999]; got > 40 {
		t.Errorf("a call is %d bytes, want at most 40", got)
	}
	out, in, seq = outRoutes{}, inRoutes{}, 0
	_, sizes = carry(t, &out, &in, &seq, replies)
	if got := sizes[999]; got > 50 {
		t.Errorf("a reply is %d bytes, want at most 50", got)
	}
}

// TestRoutesThatAreTooManyAreGivenAway has three times as many routes as there are numbers.
func TestRoutesThatAreTooManyAreGivenAway(t *testing.T) {
	var out outRoutes
	var in inRoutes
	var seq uint64
	var list []*Envelope
	for i := range uint64(3 * maxRoutes) {
		for _, actor := range []uint64{i, i / 2} { // one that is new, and one that may be gone
			e := call(0, 1, 3*i+1, nil)
			e.Clock, e.Trace, e.To.Actor = 1, e.Call, actor
			list = append(list, e)
		}
	}
	got, _ := carry(t, &out, &in, &seq, list)
	for i, e := range list {
		if !same(e, got[i], uint64(i+1)) {
			t.Fatalf("envelope %d\nsent %+v\ngot  %+v", i, e, got[i])
		}
	}
	if len(in.list) != maxRoutes || len(out.byKey) != maxRoutes {
		t.Errorf("the receiver keeps %d routes, the sender %d, want %d", len(in.list), len(out.byKey), maxRoutes)
	}
}

// declaration is a route as the sender declares it, or as somebody does who breaks the rules.
func declaration(change func([]any)) []byte {
	items := []any{Version, linkRoute, 0, 1, 5, 6, []byte{1}, "Echo", 7, 0, 1, 0}
	if change != nil {
		change(items)
	}
	b, _ := Enc().Marshal(items)
	return b
}

// routedBy is a call by a route.
func routedBy(change func([]any)) []byte {
	items := []any{Version, routedCall, 0, 1, 1, 0, 0, []byte{1}}
	if change != nil {
		change(items)
	}
	b, _ := Enc().Marshal(items)
	return b
}

func with[T any](i int, v T) func([]any) { return func(items []any) { items[i] = v } }

func TestHostileRoutesEndTheLinkInWords(t *testing.T) {
	ctl := newSession(t, Config{Handler: newRecorder()})
	million := func(r *rogue) {
		for i := range 1_000_000 {
			if _, err := r.out[LaneCalls].Write(framed(declaration(with(2, i)))); err != nil {
				return
			}
		}
	}
	frames := func(list ...[]byte) func(*rogue) {
		return func(r *rogue) {
			for _, b := range list {
				r.write(LaneCalls, framed(b))
			}
		}
	}
	for i, c := range []struct {
		name string
		do   func(*rogue)
		code Code
		text string
	}{
		{"a route that was never declared", frames(declaration(nil), routedBy(with(5, 1))), CodeFrame, "route 1, which was never declared on this connection; 1 were"},
		{"one before any", frames(routedBy(nil)), CodeFrame, "route 0, which was never declared"},
		{"a million routes", million, CodeLimit, "route 4096 was declared; a connection has 4096 at most"},
		{"out of order", frames(declaration(with(2, 2))), CodeProtocol, "declared in order"},
		{"after a gap", frames(declaration(nil), routedBy(nil), declaration(with(3, 9))), CodeProtocol, "says that frame 9 follows, but frame 1 came last"},
		{"position 0", frames(declaration(with(3, 0))), CodeProtocol, "frame 0 follows"},
		{"a long name", frames(declaration(with(7, strings.Repeat("x", 1024)))), CodeLimit, "1025 bytes, at most 1024"},
		{"a long view", frames(declaration(with(6, make([]byte, 1021)))), CodeLimit, "1025 bytes, at most 1024"},
		{"bad UTF-8", frames(declaration(with(7, "\xff"))), CodeFrame, "UTF-8"},
		{"adverb 256", frames(declaration(with(10, 256))), CodeFrame, "over the limit of 255"},
		{"version 2", frames(declaration(with(0, 2))), CodeFrame, "version 2, this program speaks 6"},
		{"bytes behind a route", frames(append(declaration(nil), 0)), CodeFrame, "1 bytes follow"},
		{"a route on the control lane", func(r *rogue) { r.write(LaneControl, framed(declaration(nil))) }, CodeProtocol, "link frame 41 out of place"},
		{"a routed call on the control lane", func(r *rogue) { r.write(LaneControl, framed(routedBy(nil))) }, CodeFrame, "8 fields, want 29"},
		{"a kind beyond those", frames(declaration(nil), routedBy(with(1, routedEnd))), CodeFrame, "8 fields"},
		{"a field too many", frames(declaration(nil), func() []byte { b := routedBy(nil); b[0]++; return append(b, 0) }()), CodeFrame, "of 9 fields, want 8 or 13"},
		{"of another version", frames(declaration(nil), routedBy(with(0, 7))), CodeFrame, "version 7"},
		{"an acknowledgement of nothing", frames(declaration(nil), routedBy(with(2, 7))), CodeProtocol, "never sent"},
		{"an acknowledgement before 0", frames(declaration(nil), routedBy(with(2, -1))), CodeProtocol, "never sent"},
		{"a body that is cut", frames(declaration(nil), func() []byte { b := routedBy(nil); return b[:len(b)-1] }()), CodeFrame, "announced"},
		{"bytes behind a body", frames(declaration(nil), append(routedBy(nil), 0)), CodeFrame, "1 bytes follow"},
		{"a list where a number is due", frames(declaration(nil), routedBy(with(3, []int{}))), CodeFrame, "major type 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRogue(t, ctl, ID{uint64(200 + i), 1})
			c.do(r)
			if why := r.ends(10 * time.Second); why == nil || why.Code != c.code || !strings.Contains(why.Reason, c.text) {
				t.Errorf("closed with %v, want %v and %q", why, c.code, c.text)
			}
		})
	}
}

// TestAMillionRoutesTakeLittleMemory declares the same number again and again: each takes the place of the one before.
func TestAMillionRoutesTakeLittleMemory(t *testing.T) {
	var in inRoutes
	before := heap()
	for i := range 200_000 {
		if err := in.declare(declaration(func(items []any) { items[4], items[7] = i, fmt.Sprintf("Endpoint%d", i) })); err != nil {
			t.Fatal(err)
		}
	}
	if grown := heap() - before; len(in.list) != 1 || grown > 1<<20 {
		t.Errorf("%d routes, %d bytes", len(in.list), grown)
	}
}

// TestARouteHoldsForOneConnection breaks the connection between two frames by one route.
func TestARouteHoldsForOneConnection(t *testing.T) {
	rec := newRecorder()
	ctl := newSession(t, Config{Handler: rec})
	w := join(t, ctl, ID{1, 1}, Config{Handler: newRecorder()})
	for id := uint64(1); id <= 4; id++ {
		if id == 3 {
			p, err := w.peer(0)
			if err != nil {
				t.Fatal(err)
			}
			p.mu.Lock()
			c := p.conn
			p.mu.Unlock()
			c.close(closeErrorf(CodeSilent, "broken by the test"))
			<-c.q.Context().Done()
		}
		e := call(1, 0, 10*id, []byte{byte(id)})
		e.Call = SessionID(1, e.ID)
		if err := w.Send(context.Background(), 0, LaneCalls, e); err != nil {
			t.Fatal(err)
		}
		rec.until(t, 10*time.Second, "the next frame", func() bool { return len(rec.frames) == int(id) })
		if got := rec.frames[id-1].env; got.ID != 10*id || got.Endpoint != "Echo" || got.Route == nil {
			t.Fatalf("frame %d came as %+v", id, got)
		}
	}
}

func TestARoutedFrameIsMadeWithoutAllocation(t *testing.T) {
	var out outRoutes
	e := routableEnvelopes(0, 1)[0]
	f, rest := &outFrame{seq: 1}, make([]byte, 0, 100)
	dst := make([]byte, 0, 1000)
	if n := testing.AllocsPerRun(100, func() {
		rest = f.fill(e, rest[:0])
		f.route = out.known(e)
		dst = out.frame(dst[:0], f, rest, 0)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzRoutes(f *testing.F) {
	f.Add(append(framed(declaration(nil)), framed(routedBy(nil))...))
	var out outRoutes
	var stream []byte
	for i, e := range routableEnvelopes(1, 0) {
		x := &outFrame{seq: uint64(i + 1), route: out.known(e)}
		rest := x.fill(e, nil)
		stream = out.frame(stream, x, rest, 0)
	}
	f.Add(stream)
	f.Fuzz(func(t *testing.T, stream []byte) {
		var in inRoutes
		r := newFrameReader(bytes.NewReader(stream), 1<<16)
		for {
			b, err := r.one()
			if err != nil {
				return
			}
			if frameKind(b) == linkRoute {
				if in.declare(b) != nil {
					return
				}
				continue
			}
			e := new(Envelope)
			if kind := frameKind(b); kind < routedCall || kind >= routedEnd || in.decode(b, kind, e, ID{1, 1}, 0) != nil {
				return
			}
			if e.Seq != in.last || e.From.Proc != 1 || e.To.Proc != 0 || e.Route == nil || e.Route.key.endpoint != e.Endpoint {
				t.Fatalf("%+v", e)
			}
			whole := AppendEnvelope(nil, e) // what it brought can travel whole, too
			var back Envelope
			if err := DecodeEnvelope(whole, &back); err != nil {
				t.Fatalf("%v: %+v", err, e)
			}
		}
	})
}
