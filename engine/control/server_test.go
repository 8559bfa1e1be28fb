package control

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// raw is a client that sends whatever a test wants.
type raw struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func dialRaw(t *testing.T, path string) *raw {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	return &raw{t, conn, bufio.NewReader(conn)}
}

func (r *raw) send(kind kind, id uint64, verb string, body any) {
	r.t.Helper()
	f := frame{Kind: kind, ID: id, Verb: verb}
	if body != nil {
		var err error
		if f.Body, err = cbor.Marshal(body); err != nil {
			r.t.Fatal(err)
		}
	}
	b, err := appendMessage(nil, f)
	if err != nil {
		r.t.Fatal(err)
	}
	_, _ = r.conn.Write(b)
}

func (r *raw) recv() *frame {
	r.t.Helper()
	f, err := readFrame(r.r, friendlyDec())
	if err != nil {
		r.t.Fatalf("read a frame: %v", err)
	}
	return f
}

func (r *raw) hello() {
	r.t.Helper()
	r.send(kindHello, 0, "", hello{Min: 1, Max: 1, Name: "raw"})
	if f := r.recv(); f.Kind != kindWelcome {
		r.t.Fatalf("want welcome, got %+v", f)
	}
}

// TestGarbageClosesThatClientWithAReasonAndNoOther holds INV-WORDS.
func TestGarbageClosesThatClientWithAReasonAndNoOther(t *testing.T) {
	big := binary.BigEndian.AppendUint32(nil, maxFrame+1)
	cases := []struct {
		name  string
		hello bool
		bytes []byte
		want  string
	}{
		{"text instead of hello", false, []byte("GET / HTTP/1.1\r\n\r\n"), "malformed frame: length 1195725856"},
		{"a frame that is too long", true, big, "malformed frame: length 16777217, want 1 to 16777216"},
		{"a length of zero", true, []byte{0, 0, 0, 0}, "malformed frame: length 0"},
		{"bytes that are no CBOR", true, []byte{0, 0, 0, 2, 0xff, 0xff}, "malformed frame: cbor"},
		{"an array of 2^63", true, []byte{0, 0, 0, 9, 0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "malformed frame: cbor"},
		{"a request before hello", false, mustFrame(frame{Kind: kindRequest, ID: 1, Verb: "stop"}), "the first frame must be hello"},
		{"a role nobody knows", false, mustFrame(frame{Kind: kindHello, Body: mustCBOR(hello{Min: 1, Max: 1, Role: "root"})}), `role "root": want control, viewer or debug`},
	}
	b := newFake()
	path := serveUnix(t, b, Limits{})
	bystander := dial(t, path, ClientInfo{})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := dialRaw(t, path)
			if c.hello {
				r.hello()
			}
			_, _ = r.conn.Write(c.bytes)
			f := r.recv()
			if f.Kind != kindBye || f.Err == nil || !strings.Contains(f.Err.Text, c.want) {
				t.Errorf("got %+v %v, want a goodbye with %q", f, f.Err, c.want)
			}
			if _, err := readFrame(r.r, friendlyDec()); !errors.Is(err, io.EOF) {
				t.Errorf("after the goodbye: %v, want the end", err)
			}
		})
	}
	if err := bystander.Stop(t.Context(), StopReq{}); err != nil {
		t.Errorf("the other client: %v", err)
	}
}

func mustCBOR(v any) []byte {
	b, err := cbor.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func mustFrame(f frame) []byte {
	b, err := appendMessage(nil, f)
	if err != nil {
		panic(err)
	}
	return b
}

func TestVersionsWithoutOverlapAreRefusedWithBothRanges(t *testing.T) {
	path := serveUnix(t, newFake(), Limits{})
	r := dialRaw(t, path)
	r.send(kindHello, 0, "", hello{Min: 2, Max: 3})
	f := r.recv()
	if want := "the program speaks control protocol 1, the front end 2-3: update the older of the two"; f.Kind != kindBye || f.Err.Text != want || f.Err.Code != CodeVersion {
		t.Errorf("got %+v, want %q", f.Err, want)
	}
}

func TestNegotiationPicksTheNewestCommonVersion(t *testing.T) {
	for _, c := range []struct{ min, max, want int }{{1, 1, 1}, {1, 9, 1}, {0, 1, 1}, {2, 9, 0}, {0, 0, 0}} {
		if v, err := negotiate(c.min, c.max); v != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("negotiate(%d, %d) = %d, %v, want %d", c.min, c.max, v, err, c.want)
		}
	}
}

// TestSkewIsAnsweredInWordsOrSkipped holds INV-SKEW.
func TestSkewIsAnsweredInWordsOrSkipped(t *testing.T) {
	b := newFake()
	got := make(chan any, 2)
	b.handle = func(_ context.Context, _ ClientInfo, req any) (any, error) { got <- req; return nil, nil }
	path := serveUnix(t, b, Limits{})
	r := dialRaw(t, path)
	r.send(kindHello, 0, "", map[string]any{"Min": 1, "Max": 7, "Name": "new", "Shoes": 44}) // fields of a newer hello
	r.recv()

	r.send(kindRequest, 1, "rewind", map[string]any{"Mesh": "toy"}) // a verb of the future
	f := r.recv()
	if want := `this program was built with engine v0.1, which does not know "rewind"; rebuild it with a newer one`; f.Kind != kindAnswer || f.ID != 1 || f.Err.Code != CodeUnsupported || f.Err.Text != want {
		t.Errorf("unknown verb: %+v %v, want %q", f, f.Err, want)
	}
	r.send(kind(200), 2, "", nil)                                                 // a kind of the future: no answer
	r.send(kindRequest, 3, "stop", map[string]any{"Mesh": "toy", "Gently": true}) // a field of the future
	if f := r.recv(); f.ID != 3 || f.Err != nil || <-got != any(StopReq{Mesh: "toy"}) {
		t.Errorf("unknown field: %+v %v", f, f.Err)
	}
	r.send(kindRequest, 4, "stop", map[string]any{"Mesh": 3}) // a field of the wrong type
	if f := r.recv(); f.ID != 4 || f.Err == nil || f.Err.Code != CodeBadRequest || !strings.Contains(f.Err.Text, "stop: the request does not decode") {
		t.Errorf("wrong type: %+v %v", f, f.Err)
	}
}

// TestAnOldClientReadsWhatItKnowsOfANewServer holds INV-SKEW.
func TestAnOldClientReadsWhatItKnowsOfANewServer(t *testing.T) {
	ours, theirs := net.Pipe()
	r := bufio.NewReader(theirs)
	newer := func(id uint64, k kind, body any) {
		_, _ = theirs.Write(mustFrame(frame{Kind: k, ID: id, Body: mustCBOR(body)}))
	}
	ended := make(chan struct{})
	go func() { // a server from the future
		defer close(ended)
		_, _ = readFrame(r, friendlyDec())
		newer(0, kindWelcome, map[string]any{"Version": 1, "Engine": "v9", "Moon": "full"})
		f, _ := readFrame(r, friendlyDec())
		newer(0, kind(99), nil)
		newer(f.ID, kindUpdate, map[string]any{"Snapshot": map[string]any{"Seq": 4, "Weather": "fine"}})
		newer(f.ID, kindUpdate, map[string]any{"Events": []any{
			map[string]any{"Seq": 5, "Eclipse": map[string]any{"Total": true}},          // unknown
			map[string]any{"Seq": 6, "Log": "now a string"},                             // does not decode here
			map[string]any{"Seq": 7, "Log": map[string]any{"Text": "hi", "Volume": 11}}, // known, with more fields
		}})
		for { // credits, until the client leaves
			if _, err := readFrame(r, friendlyDec()); err != nil {
				return
			}
		}
	}()
	c, err := NewClient(t.Context(), ours, ClientInfo{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := c.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if u, err := w.Next(t.Context()); err != nil || u.Snapshot == nil || u.Snapshot.Seq != 4 {
		t.Errorf("first update = %+v, %v", u, err)
	}
	if u, err := w.Next(t.Context()); err != nil || len(u.Events) != 1 || u.Events[0].Seq != 7 || u.Events[0].Log.Text != "hi" {
		t.Errorf("second update = %+v, %v", u, err)
	}
	c.Close()
	<-ended
}

func TestTwoClientsSeeEachOtherAndTheSameEvents(t *testing.T) {
	b := newFake()
	path := serveUnix(t, b, Limits{})
	one := dial(t, path, ClientInfo{Name: "one"})
	two := dial(t, path, ClientInfo{Name: "two", Role: RoleViewer})
	var pics [2]Replica
	var watches [2]*Watch
	for i, c := range []*Client{one, two} {
		var err error
		if watches[i], err = c.Watch(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	b.emit(meshEvent(1))
	for i, w := range watches {
		for pics[i].Seq < 3 {
			u, err := w.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			pics[i].Apply(u)
		}
		if len(pics[i].Clients) != 2 || pics[i].Clients[1].Role != RoleViewer || pics[i].Clients[0].Name != "one" {
			t.Errorf("client %d sees clients %+v", i, pics[i].Clients)
		}
		if m, ok := pics[i].Mesh("m1"); !ok || m.State != "running" {
			t.Errorf("client %d does not see the mesh", i)
		}
	}
}

func TestAClientTooManyIsTurnedAwayInWords(t *testing.T) {
	path := serveUnix(t, newFake(), Limits{Clients: 1})
	first := dial(t, path, ClientInfo{})
	_, err := Dial(t.Context(), path, ClientInfo{})
	if err == nil || !strings.Contains(err.Error(), "the session has 1 clients already") {
		t.Errorf("err = %v", err)
	}
	first.Close()
	until(t, "the place is free again", func() bool {
		c, err := Dial(t.Context(), path, ClientInfo{})
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func TestTooManyRequestsAreAnsweredBusy(t *testing.T) {
	b := newFake()
	b.handle = func(ctx context.Context, _ ClientInfo, _ any) (any, error) { <-ctx.Done(); return nil, ctx.Err() }
	path := serveUnix(t, b, Limits{InFlight: 2})
	r := dialRaw(t, path)
	r.hello()
	for id := range uint64(3) {
		r.send(kindRequest, id+1, "stop", StopReq{})
	}
	if f := r.recv(); f.ID != 3 || f.Err == nil || f.Err.Code != CodeBusy {
		t.Errorf("got %+v %v", f, f.Err)
	}
	r.send(kindCancel, 1, "", nil)
	if f := r.recv(); f.ID != 1 || f.Err == nil || f.Err.Code != CodeCancelled {
		t.Errorf("got %+v %v", f, f.Err)
	}
}

func TestTheServersEndReachesClientsInWords(t *testing.T) {
	b := newFake()
	b.handle = func(ctx context.Context, _ ClientInfo, _ any) (any, error) { <-ctx.Done(); return nil, ctx.Err() }
	s := NewServer(ServerConfig{Backend: b})
	ours, theirs := socketpair(t)
	ended := make(chan error, 1)
	go func() { ended <- s.ServeConn(theirs) }()
	c, err := NewClient(t.Context(), ours, ClientInfo{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s.Close()
	<-c.Done()
	if err := c.Err(); !errors.Is(err, ErrClosed) || err.Error() != "the session has ended" {
		t.Errorf("Err = %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("ServeConn = %v", err)
	}
	if err := c.Stop(t.Context(), StopReq{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Stop = %v", err)
	}
	if err := s.ServeConn(ours); !errors.Is(err, ErrClosed) {
		t.Errorf("ServeConn after Close = %v", err)
	}
}

func TestSomethingThatIsNoServerIsRefusedInWords(t *testing.T) {
	for name, answer := range map[string]string{"HTTP": "HTTP/1.1 400 Bad Request\r\n\r\n", "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			go func() {
				_, _ = readFrame(theirs, friendlyDec())
				_, _ = io.WriteString(theirs, answer)
				theirs.Close()
			}()
			_, err := NewClient(t.Context(), ours, ClientInfo{})
			if err == nil || !strings.Contains(err.Error(), "without a welcome") && !strings.Contains(err.Error(), "malformed frame") {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestAServerThatIsSilentIsGivenUpOn(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := NewClient(ctx, ours, ClientInfo{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
}

func TestALargeRequestAndALargeAnswerTravelInParts(t *testing.T) {
	b := newFake()
	text := strings.Repeat("x", 3*chunk)
	b.handle = func(_ context.Context, _ ClientInfo, req any) (any, error) {
		return []ProbeReply{{Body: req.(ProbeReq).Body, Error: text}}, nil
	}
	c := dial(t, serveUnix(t, b, Limits{}), ClientInfo{})
	a, err := c.Probe(t.Context(), ProbeReq{Body: make([]byte, 5*chunk)})
	if err != nil || len(a[0].Body) != 5*chunk || a[0].Error != text {
		t.Errorf("Probe: %v", err)
	}
	if _, err = c.Probe(t.Context(), ProbeReq{Body: make([]byte, maxRequest+1)}); err == nil || !strings.Contains(err.Error(), "the limit is 16777216") {
		t.Errorf("a request over the limit: %v", err)
	}
	if _, err := c.Probe(t.Context(), ProbeReq{}); err != nil {
		t.Errorf("the connection did not go on: %v", err)
	}
}
