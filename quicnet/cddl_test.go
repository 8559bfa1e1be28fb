package quicnet

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// A checker for the part of CDDL (RFC 8610) that envelope.cddl uses: rules, choices, arrays, groups,
// member names, "*", "?", numbers, ranges, and the types bstr, tstr and int.

var cddlToken = regexp.MustCompile(`[a-z][a-z0-9-]*|[0-9]+\.\.[0-9]+|[0-9]+|[=/,:*?()\[\]]`)

// cddlNode is a type or a group: exactly one field is used.
type cddlNode struct {
	choice []*cddlNode
	array  []*cddlNode // members
	group  []*cddlNode
	many   *cddlNode // any number of it
	lo, hi *big.Int  // a number
	name   string    // a rule or a prelude type
}

type cddl map[string]*cddlNode

type cddlParser struct {
	toks []string
	at   int
}

func (p *cddlParser) peek() string {
	if p.at < len(p.toks) {
		return p.toks[p.at]
	}
	return ""
}

func (p *cddlParser) take(want string) bool {
	if p.peek() == want {
		p.at++
		return true
	}
	return false
}

func (p *cddlParser) is(at int, s string) bool { return at < len(p.toks) && p.toks[at] == s }

func parseCDDL(t *testing.T, text string) cddl {
	t.Helper()
	var clean strings.Builder
	for line := range strings.Lines(text) {
		code, _, _ := strings.Cut(line, ";")
		clean.WriteString(code + "\n")
	}
	if rest := strings.TrimSpace(cddlToken.ReplaceAllString(clean.String(), "")); rest != "" {
		t.Fatalf("the checker doesn't know %q", rest)
	}
	p := &cddlParser{toks: cddlToken.FindAllString(clean.String(), -1)}
	rules := cddl{}
	for p.at < len(p.toks) {
		name := p.peek()
		if p.at++; !p.take("=") {
			t.Fatalf("no = after %s", name)
		}
		if rules[name] != nil {
			t.Fatalf("two rules %s", name)
		}
		rules[name] = p.choice(t)
	}
	for name, n := range rules {
		rules.check(t, name, n)
	}
	return rules
}

// check finds names that nothing defines.
func (c cddl) check(t *testing.T, rule string, n *cddlNode) {
	if n.name != "" && c[n.name] == nil && !slices.Contains([]string{"bstr", "tstr", "int"}, n.name) {
		t.Fatalf("%s uses %s, which is not defined", rule, n.name)
	}
	for _, m := range slices.Concat(n.choice, n.array, n.group) {
		c.check(t, rule, m)
	}
	if n.many != nil {
		c.check(t, rule, n.many)
	}
}

func (p *cddlParser) choice(t *testing.T) *cddlNode {
	list := []*cddlNode{p.one(t)}
	for p.take("/") {
		list = append(list, p.one(t))
	}
	if len(list) == 1 {
		return list[0]
	}
	return &cddlNode{choice: list}
}

func (p *cddlParser) members(t *testing.T, end string) (list []*cddlNode) {
	for !p.take(end) {
		many, may := p.take("*"), p.take("?")
		if p.is(p.at+1, ":") {
			p.at += 2 // member names are for people
		}
		n := p.choice(t)
		switch {
		case many:
			n = &cddlNode{many: n}
		case may:
			n = &cddlNode{choice: []*cddlNode{n, {group: []*cddlNode{}}}}
		}
		list = append(list, n)
		p.take(",")
	}
	return list
}

func (p *cddlParser) one(t *testing.T) *cddlNode {
	tok := p.peek()
	p.at++
	switch {
	case tok == "[":
		return &cddlNode{array: append([]*cddlNode{}, p.members(t, "]")...)}
	case tok == "(":
		return &cddlNode{group: p.members(t, ")")}
	case tok != "" && tok[0] >= '0' && tok[0] <= '9':
		lo, hi, ranged := strings.Cut(tok, "..")
		if !ranged {
			hi = lo
		}
		a, _ := new(big.Int).SetString(lo, 10)
		b, _ := new(big.Int).SetString(hi, 10)
		return &cddlNode{lo: a, hi: b}
	case tok != "" && tok[0] >= 'a' && tok[0] <= 'z':
		return &cddlNode{name: tok}
	}
	t.Fatalf("%q out of place", tok)
	return nil
}

// match returns how much of items the node takes, in every way it can.
func (c cddl) match(n *cddlNode, items []any) []int {
	switch {
	case n.name != "" && c[n.name] != nil:
		return c.match(c[n.name], items)
	case n.choice != nil:
		var ends []int
		for _, o := range n.choice {
			ends = append(ends, c.match(o, items)...)
		}
		return ends
	case n.group != nil:
		return c.sequence(n.group, items)
	case n.many != nil:
		ends := []int{0}
		for i := 0; i < len(ends); i++ {
			for _, k := range c.match(n.many, items[ends[i]:]) {
				if k > 0 && !slices.Contains(ends, ends[i]+k) {
					ends = append(ends, ends[i]+k)
				}
			}
		}
		return ends
	}
	if len(items) > 0 && c.item(n, items[0]) {
		return []int{1}
	}
	return nil
}

func (c cddl) sequence(members []*cddlNode, items []any) []int {
	ends := []int{0}
	for _, m := range members {
		var next []int
		for _, at := range ends {
			for _, k := range c.match(m, items[at:]) {
				next = append(next, at+k)
			}
		}
		ends = next
	}
	return ends
}

// item matches a single data item.
func (c cddl) item(n *cddlNode, v any) bool {
	switch {
	case n.array != nil:
		list, ok := v.([]any)
		return ok && slices.Contains(c.sequence(n.array, list), len(list))
	case n.lo != nil:
		u, ok := v.(uint64)
		i := new(big.Int).SetUint64(u)
		return ok && i.Cmp(n.lo) >= 0 && i.Cmp(n.hi) <= 0
	}
	switch v.(type) {
	case []byte:
		return n.name == "bstr"
	case string:
		return n.name == "tstr"
	case uint64, int64:
		return n.name == "int"
	}
	return false
}

// accepts reports whether the frame is what the rule says.
func (c cddl) accepts(t *testing.T, rule string, frame []byte) bool {
	var v any
	if err := Dec().Unmarshal(frame, &v); err != nil {
		t.Fatalf("%x: %v", frame, err)
	}
	return slices.Contains(c.match(&cddlNode{name: rule}, []any{v}), 1)
}

func TestRealFramesAreWhatTheSchemaSays(t *testing.T) {
	text, err := os.ReadFile("envelope.cddl")
	if err != nil {
		t.Fatal(err)
	}
	rules := parseCDDL(t, string(text))
	frames := realFrames(t)
	seen := map[string]int{}
	for _, f := range frames {
		if !rules.accepts(t, "frame", f) {
			t.Errorf("kind %d is not in the schema: %x", frameKind(f), f)
		}
		for rule := range rules {
			if rules.accepts(t, rule, f) {
				seen[rule]++
			}
		}
		if frameKind(f) == linkMemory {
			var w bytesFrame
			if err := StrictDec().Unmarshal(f, &w); err != nil || !rules.accepts(t, "memory-offer", w.Bytes) {
				t.Errorf("an offer that is not in the schema: %x, %v", f, err)
			}
		}
		var items []any
		if err := Dec().Unmarshal(f, &items); err != nil {
			t.Fatal(err)
		}
		for i := range items { // and a field more, less, or of another type is not
			short, _ := Enc().Marshal(slices.Delete(slices.Clone(items), i, i+1))
			long, _ := Enc().Marshal(slices.Insert(slices.Clone(items), i, items[i]))
			wrong := slices.Clone(items)
			wrong[i] = map[string]int{}
			other, _ := Enc().Marshal(wrong)
			for _, bad := range [][]byte{short, long, other} {
				if rules.accepts(t, "frame", bad) {
					t.Errorf("the schema takes %x, made of %x", bad, f)
				}
			}
		}
	}
	for _, rule := range []string{"envelope", "bulk-header", "hello", "welcome", "ready", "heartbeat", "heartbeat-ack", "link-ack", "renew", "certificate", "route", "dial", "close", "routed-call", "routed-answer", "join",
		"memory", "memory-answer", "memory-use", "memory-used", "turn"} {
		if seen[rule] == 0 {
			t.Errorf("no %s among %d frames", rule, len(frames))
		}
	}
}

// realFrames returns what a real worker sends to a listener that stands in for the controller, and
// what a real controller sends to a connection that stands in for a worker.
func realFrames(t *testing.T) [][]byte {
	var mu sync.Mutex
	var frames [][]byte
	kinds := map[uint8]bool{}
	const offerOfCalls = 255 // linkMemory for that lane
	changed := make(chan struct{}, 1)
	note := func(f []byte) {
		mu.Lock()
		frames = append(frames, slices.Clone(f))
		kinds[frameKind(f)] = true
		var w bytesFrame
		var o memoryOffer
		if frameKind(f) == linkMemory && StrictDec().Unmarshal(f, &w) == nil && StrictDec().Unmarshal(w.Bytes, &o) == nil && o.Stream == streamCalls {
			kinds[offerOfCalls] = true
		}
		mu.Unlock()
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	drain := func(r *frameReader) {
		for {
			f, err := r.one()
			if err != nil {
				return
			}
			note(f)
		}
	}
	quick := Timing{Tick: 20 * time.Millisecond, Heartbeat: 50 * time.Millisecond, Linger: -1}
	ctl := newSession(t, Config{Handler: newRecorder(), Timing: quick})

	// a worker dials a listener that has the controller's certificate
	ln, err := socket(t).Listen(ctl.serverTLS(), ctl.quicConfig())
	if err != nil {
		t.Fatal(err)
	}
	saw := func(kind uint8) bool {
		for late := time.Now().Add(10 * time.Second); time.Now().Before(late); runtime.Gosched() {
			mu.Lock()
			ok := kinds[kind]
			mu.Unlock()
			if ok {
				return true
			}
		}
		return false
	}
	defer ln.Close()
	go func() {
		for {
			q, err := ln.Accept(context.Background())
			if err != nil {
				return
			}
			key, err := joinKey(q.ConnectionState().TLS)
			if err != nil {
				return
			}
			leaf, _ := ctl.ca.issue("test", ID{1, 1}, key, time.Now())
			out, _ := q.OpenUniStream()
			for _, v := range []any{bytesFrame{Version: Version, Kind: linkCertificate, Bytes: leaf},
				welcome{Version: Version, Kind: linkWelcome, Speak: Version, Opaque: []byte{}, Epoch: 1, Nonce: 5, WindowFrames: 4096, WindowBytes: 99 << 20, FrameBytes: 9 << 20, Place: ctl.place()}} {
				b, _ := Enc().Marshal(v)
				note(b)
				_, _ = out.Write(framed(b))
			}
			for range 3 {
				s, err := q.AcceptUniStream(context.Background())
				if err != nil {
					return
				}
				go drain(newFrameReader(s, 1<<20))
			}
			say := func(kind uint8, n uint64) {
				f := appendCounter(nil, kind, n)
				note(f[lengthBytes:])
				_, _ = out.Write(f)
			}
			say(linkAck, 0)
			if saw(offerOfCalls) {
				say(linkMemoryAnswer, 1)
			}
			if saw(linkTurn) {
				say(linkMemoryUse, 0)
			}
		}
	}()
	ticket, err := ctl.Ticket(ID{1, 1}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	ticket.Addrs = []string{ln.Addr().String()}
	w, _, err := Join(t.Context(), ticket, Config{Handler: newRecorder(), Hello: func(string) []byte { return []byte("me") }, Timing: quick})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close("")
	w.born.Store(int64(-2 * renewAfter)) // it asks for a new certificate
	e := benchEnvelope()
	e.From, e.To, e.Chain, e.Budget = Addr{1, 2}, Addr{0, 3}, []ChainEntry{{1, 2, "@A[0].Ask", 1<<40 | 5}}, -1
	for _, lane := range []Lane{LaneControl, LaneCalls, LaneEvents} {
		if err := w.Send(t.Context(), 0, lane, e); err != nil {
			t.Fatal(err)
		}
	}
	e.Body = make([]byte, 100<<10)
	if err := w.Send(t.Context(), 0, LaneCalls, e); err != nil {
		t.Fatal(err)
	}
	for _, e := range routableEnvelopes(1, 0) {
		if err := w.Send(t.Context(), 0, LaneCalls, e); err != nil {
			t.Fatal(err)
		}
	}
	go func() { // many enough for memory, and more until the lane has turned to it
		e := routableEnvelopes(1, 0)[0]
		for range 10 * memoryAfter {
			if w.Send(t.Context(), 0, LaneCalls, e) != nil {
				return
			}
		}
		for {
			mu.Lock()
			turned := kinds[linkTurn]
			mu.Unlock()
			if turned || w.Send(t.Context(), 0, LaneCalls, e) != nil {
				return
			}
			runtime.Gosched()
		}
	}()

	// a connection that stands in for a worker
	r := newRogue(t, ctl, ID{2, 1})
	go drain(r.in)
	for range 2 {
		go func() {
			s, err := r.q.AcceptUniStream(context.Background())
			if err == nil {
				drain(newFrameReader(s, 1<<20))
			}
		}()
	}
	r.write(LaneCalls, r.env(LaneCalls, nil))
	r.write(LaneControl, appendCounter(nil, linkHeartbeat, 1))
	leaf := w.leaf.Load()
	pub, err := publicKey(leaf)
	if err != nil {
		t.Fatal(err)
	}
	r.cbor(LaneControl, bytesFrame{Version: Version, Kind: linkRenew, Bytes: pub})

	// and sockets that a third has inherited, over which it is asked to connect, and then told that it is not wanted
	theirs, err := ctl.Sockets(ID{3, 1})
	if err != nil {
		t.Fatal(err)
	}
	defer theirs[LaneControl].Close()
	hi, _ := Enc().Marshal(hello{Version: Version, Kind: linkHello, Least: Version, Most: Version, Proc: 3, Epoch: 1, Nonce: 77,
		WindowFrames: 4096, WindowBytes: 99 << 20, FrameBytes: 9 << 20, Place: []byte{}, Opaque: []byte{}})
	note(hi)
	if _, err := theirs[LaneControl].Write(append(framed(hi), appendCounter(nil, linkReady, 0)...)); err != nil {
		t.Fatal(err)
	}
	go drain(newFrameReader(theirs[LaneControl], 1<<20))
	go func() {
		if saw(linkDial) {
			ctl.Revoke(ID{3, 1})
		}
	}()

	late := time.After(10 * time.Second)
	for {
		mu.Lock()
		done := kinds[uint8(KindCall)] && len(frames) > 20
		for k := uint8(linkHello); k < linkEnd; k++ {
			done = done && kinds[k]
		}
		mu.Unlock()
		if done {
			break
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("kinds seen: %v", fmt.Sprint(kinds))
		}
	}
	_ = r.q.CloseWithError(quic.ApplicationErrorCode(0), "")
	mu.Lock()
	defer mu.Unlock()
	return slices.Clone(frames)
}
