package quicnet

import (
	"fmt"
	"slices"
	"time"
)

// A route is a number that stands for what nearly every frame between two actors repeats: who sends, who receives and in which
// life, the view, the endpoint with its hash, adverb and flags. It is declared on the calls lane before its first use, and holds for the
// connection that it was declared on. A routed frame has the number instead, leaves out its position in the lane, which is
// that after the frame before it, and gives its numbers as the difference to the frame before it: 30 bytes where the whole
// form has 110. PROTOCOL.md says which frames are routed; the others stay whole.

// The kinds of routed frames. On the wire they stand in the place of KindCall, KindReply and KindError.
const (
	routedCall = 16 + iota
	routedReply
	routedError
	routedEnd
)

// maxRoutes is how many routes a connection has at most. A sender that needs another gives away the number of one in turn.
const maxRoutes = 4096

// maxRouteBytes is the most that region and endpoint of a route may have together. Frames with more stay whole.
const maxRouteBytes = 1 << 10

// routeKey is what a route stands for. The processes are those of the link.
type routeKey struct {
	from, to         uint64 // actors
	hash             uint64
	region, endpoint string
	life             uint32
	adverb, flags    uint8
}

// is reports whether the key is that of an envelope.
func (k *routeKey) is(e *Envelope) bool {
	return k.from == e.From.Actor && k.to == e.To.Actor && k.hash == e.Hash && k.life == e.Life && k.adverb == e.Adverb && k.flags == e.Flags &&
		k.region == string(e.Region) && k.endpoint == e.Endpoint
}

// Route is a route as the receiver has it: what the frames that came by it have in common.
type Route struct {
	// Memo is the handler's, to keep what it has found out about the route. It is read and written within Handler.Frame only.
	Memo any

	key    routeKey
	region []byte
}

// bases are what the numbers of a routed frame are differences to: those of the frame before it on the same connection.
type bases struct{ ack, id, clock, answers uint64 }

// outRoute is a route as the sender has it.
type outRoute struct {
	key    routeKey
	number int
}

// outRoutes are the routes of the connection that carries a lane.
type outRoutes struct {
	byKey map[routeKey]*outRoute
	list  []*outRoute // by number
	turn  int         // the number that is given away next
	last  *outRoute   // the one that was looked for last: the next is often the same
	base  bases
}

// routable reports whether e can leave out what a routed frame leaves out.
func routable(lane Lane, e *Envelope) bool {
	if lane != LaneCalls || len(e.Region)+len(e.Endpoint) > maxRouteBytes || e.Step != 0 {
		return false
	}
	switch e.Kind {
	case KindCall:
		return e.Call == SessionID(e.From.Proc, e.ID-e.Index) && e.Load == 0 && e.Arrived == 0 && e.Began == 0
	case KindReply, KindError:
		answers := e.Parent - SessionID(e.To.Proc, 0)
		return e.Call == SessionID(e.To.Proc, answers-e.Index) && e.Parent == SessionID(e.To.Proc, answers) && e.Budget == 0 && len(e.Chain) == 0 &&
			e.Arrived != 0 && e.Began != 0
	case KindCancel, KindAck, KindPort, KindSystem, kindEnd:
	}
	return false
}

// known finds the route of an envelope, or makes one, which has no number yet.
func (r *outRoutes) known(e *Envelope) *outRoute {
	if x := r.last; x != nil && x.key.is(e) {
		return x
	}
	if x := r.byKey[routeKey{e.From.Actor, e.To.Actor, e.Hash, string(e.Region), e.Endpoint, e.Life, e.Adverb, e.Flags}]; x != nil {
		r.last = x
		return x
	}
	return r.add(&outRoute{key: routeKey{e.From.Actor, e.To.Actor, e.Hash, string(e.Region), string(append([]byte(nil), e.Endpoint...)), e.Life, e.Adverb, e.Flags}, number: -1})
}

func (r *outRoutes) add(x *outRoute) *outRoute {
	if r.byKey == nil {
		r.byKey = map[routeKey]*outRoute{}
	}
	r.byKey[x.key] = x
	return x
}

// has reports whether the route was declared on this connection.
func (r *outRoutes) has(x *outRoute) bool {
	return x.number >= 0 && x.number < len(r.list) && r.list[x.number] == x
}

// declare gives a route a number and appends the frame that says so. seq is the position of the envelope that follows.
func (r *outRoutes) declare(dst []byte, x *outRoute, seq uint64) []byte {
	if len(r.list) < maxRoutes {
		x.number = len(r.list)
		r.list = append(r.list, x)
	} else {
		x.number = r.turn
		delete(r.byKey, r.list[x.number].key)
		r.last = nil
		r.list[x.number] = x
		r.turn = (r.turn + 1) % maxRoutes
	}
	r.add(x)
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0, majorArray<<5|routeFields, Version, majorUint<<5|24, linkRoute)
	dst = appendUint(dst, uint64(x.number))
	dst = appendUint(dst, seq)
	dst = appendUint(dst, x.key.from)
	dst = appendUint(dst, x.key.to)
	dst = append(appendHead(dst, majorBytes, uint64(len(x.key.region))), x.key.region...)
	dst = append(appendHead(dst, majorText, uint64(len(x.key.endpoint))), x.key.endpoint...)
	dst = appendUint(dst, x.key.hash)
	dst = appendUint(dst, uint64(x.key.life))
	dst = appendUint(dst, uint64(x.key.adverb))
	dst = appendUint(dst, uint64(x.key.flags))
	return setLength(dst, at)
}

// routeFields is the length of the array that a declaration is.
const routeFields = 12

// The lengths of the arrays that routed frames are: with what nearly all have, and with all that one can have.
const (
	routedCallFields, routedCallMost     = 8, 13
	routedAnswerFields, routedAnswerMost = 12, 14
)

// appendRest appends what of a routed frame does not depend on the connection, and gives the length of its array.
func appendRest(dst []byte, e *Envelope) (_ []byte, fields uint8) {
	fields = routedCallFields
	if !plainCall(e) {
		dst, fields = appendMore(dst, e)
	}
	return append(appendHead(dst, majorBytes, uint64(len(e.Body))), e.Body...), fields
}

// plainCall reports whether a frame is that of a call with nothing but what nearly all have.
func plainCall(e *Envelope) bool {
	return e.Kind == KindCall && e.Budget == 0 && e.Parent == 0 && e.Trace == e.Call && e.Token == 0 && len(e.Chain) == 0
}

// appendMore appends what answers have, and calls that are not plain.
func appendMore(dst []byte, e *Envelope) (_ []byte, fields uint8) {
	if e.Kind == KindCall {
		dst = appendInt(dst, int64(e.Budget))
		dst = appendUint(dst, e.Parent)
		dst = appendUint(dst, e.Trace)
		dst = appendUint(dst, uint64(e.Token))
		return appendChain(dst, e.Chain), routedCallMost
	}
	dst = appendUint(dst, e.Load)
	dst = appendInt(dst, int64(e.Clock-e.Arrived))
	dst = appendInt(dst, int64(e.Clock-e.Began))
	if e.Trace == e.Call && e.Token == 0 {
		return dst, routedAnswerFields
	}
	dst = appendUint(dst, e.Trace)
	return appendUint(dst, uint64(e.Token)), routedAnswerMost
}

// frame appends a routed frame, with rest from appendRest, behind its route's declaration where that is due.
func (r *outRoutes) frame(dst []byte, f *outFrame, rest []byte, ack uint64) []byte {
	if !r.has(f.route) {
		dst = r.declare(dst, f.route, f.seq)
	}
	from := len(dst)
	dst = slices.Grow(dst, mostRouted+len(rest))
	b := dst[from : from+mostRouted+len(rest)]
	b[4], b[5], b[6] = majorArray<<5|f.fields, Version, byte(routedCall+f.kind-KindCall)
	at := putInt(b, 7, int64(ack-r.base.ack))
	at = putInt(b, at, int64(f.id-r.base.id))
	at = putInt(b, at, int64(f.clock-r.base.clock))
	at = putInt(b, at, int64(f.route.number))
	at = putUint(b, at, f.index)
	r.base.ack, r.base.id, r.base.clock = ack, f.id, f.clock
	if f.kind != KindCall {
		at = putInt(b, at, int64(f.answers-r.base.answers))
		r.base.answers = f.answers
	}
	at += copy(b[at:], rest)
	return setLength(dst[:from+at], from)
}

// mostRouted is the most that a routed frame can have before its rest: the length, three bytes, six numbers.
const mostRouted = lengthBytes + 3 + 6*9

// inRoutes are the routes that the peer has declared on a connection.
type inRoutes struct {
	list []*Route
	last uint64 // position of the frame that came last; 0: none has
	at   int64  // when what is being handled was read: Local.At
	base bases
}

// whole takes note of a frame that is not routed.
func (r *inRoutes) whole(e *Envelope) { r.last, r.base.ack = e.Seq, e.Ack }

// declare takes a declaration.
func (r *inRoutes) declare(b []byte) *CloseError {
	c := cborReader{b: b}
	if n := c.head(majorArray, "route"); c.err == nil && n != routeFields {
		return closeErrorf(CodeFrame, "route: %d fields, want %d", n, routeFields)
	}
	if v := c.uint8("version"); c.err == nil && v != Version {
		return closeErrorf(CodeFrame, "route: version %d, this program speaks %d", v, Version)
	}
	c.uint8("kind")
	number, seq := c.uint64("number of the route"), c.uint64("seq")
	x := &Route{key: routeKey{from: c.uint64("from"), to: c.uint64("to")}}
	x.region = append([]byte(nil), c.bytes(majorBytes, "region")...)
	x.key.endpoint = string(append([]byte(nil), c.text("endpoint")...))
	x.key.hash, x.key.life, x.key.adverb, x.key.flags = c.uint64("hash"), c.uint32("life"), c.uint8("adverb"), c.uint8("flags")
	if c.err == nil && c.at != len(b) {
		c.fail("route", fmt.Sprintf("%d bytes follow", len(b)-c.at))
	}
	switch {
	case c.err != nil:
		return closeErrorf(CodeFrame, "%v", c.err)
	case number >= maxRoutes:
		return closeErrorf(CodeLimit, "route %d was declared; a connection has %d at most, from 0", number, maxRoutes)
	case number > uint64(len(r.list)):
		return closeErrorf(CodeProtocol, "route %d was declared after %d others; they are declared in order", number, len(r.list))
	case len(x.region)+len(x.key.endpoint) > maxRouteBytes:
		return closeErrorf(CodeLimit, "a route with a view and an endpoint of %d bytes, at most %d", len(x.region)+len(x.key.endpoint), maxRouteBytes)
	case seq == 0 || r.last != 0 && seq != r.last+1:
		return closeErrorf(CodeProtocol, "a route says that frame %d follows, but frame %d came last", seq, r.last)
	}
	r.last = seq - 1
	if int(number) == len(r.list) {
		r.list = append(r.list, x)
	} else {
		r.list[number] = x
	}
	return nil
}

// decode decodes a frame of a peer that has the kind of a routed one, as frameKind says. Body aliases b; what the route stands for is its own.
func (r *inRoutes) decode(b []byte, kind uint8, e *Envelope, from ID, to uint64) error {
	c := cborReader{b: b}
	fields := c.head(majorArray, "envelope")
	if v := c.uint8("version"); c.err == nil && v != Version {
		return fmt.Errorf("envelope: version %d, this program speaks %d; both sides must be of the same release", v, Version)
	}
	c.uint8("kind")
	if c.err != nil {
		return c.err
	}
	call := kind == routedCall
	some, most := uint64(routedAnswerFields), uint64(routedAnswerMost)
	if call {
		some, most = routedCallFields, routedCallMost
	}
	if fields != some && fields != most {
		return fmt.Errorf("envelope: a routed frame of %d fields, want %d or %d", fields, some, most)
	}
	e.Kind, e.Epoch = Kind(kind-routedCall)+KindCall, from.Epoch
	e.Ack = r.base.ack + uint64(c.int("ack"))
	e.ID = r.base.id + uint64(c.int("id"))
	e.Clock = r.base.clock + uint64(c.int("clock"))
	number := c.uint64("route")
	e.Index = c.uint64("index")
	switch {
	case c.err != nil:
		return c.err
	case number >= uint64(len(r.list)):
		return fmt.Errorf("envelope: route %d, which was never declared on this connection; %d were", number, len(r.list))
	}
	x := r.list[number]
	e.Seq = r.last + 1
	e.Route, e.Region, e.Endpoint, e.Hash, e.Life, e.Adverb, e.Flags = x, x.region, x.key.endpoint, x.key.hash, x.key.life, x.key.adverb, x.key.flags
	e.From, e.To = Addr{from.Proc, x.key.from}, Addr{to, x.key.to}
	if call {
		e.Call = SessionID(from.Proc, e.ID-e.Index)
		e.Trace = e.Call
		if fields == most {
			e.budgetAndOthers(&c)
		}
	} else {
		answers := r.base.answers + uint64(c.int("answers"))
		e.Call, e.Parent = SessionID(to, answers-e.Index), SessionID(to, answers)
		e.Trace = e.Call
		e.Load = c.uint64("load")
		e.Arrived = e.Clock - uint64(c.int("arrived"))
		e.Began = e.Clock - uint64(c.int("began"))
		if fields == most {
			e.Trace, e.Token = c.uint64("trace"), c.uint8("token")
		}
		r.base.answers = answers
	}
	e.Body = c.bytes(majorBytes, "body")
	if c.err == nil && c.at != len(b) {
		c.fail("envelope", fmt.Sprintf("%d bytes follow the body", len(b)-c.at))
	}
	r.last, r.base.ack, r.base.id, r.base.clock = e.Seq, e.Ack, e.ID, e.Clock
	return c.err
}

// budgetAndOthers reads what few calls have.
func (e *Envelope) budgetAndOthers(c *cborReader) {
	e.Budget = time.Duration(c.int("budget"))
	e.Parent = c.uint64("parent")
	e.Trace = c.uint64("trace")
	e.Token = c.uint8("token")
	e.Chain = c.chain()
}
