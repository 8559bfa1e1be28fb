package control

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestEveryVerbHasANameAndARequestOfItsOwn(t *testing.T) {
	if x := loadIndex(); len(x.byName) != len(table()) || len(x.byReq) != len(table()) {
		t.Errorf("%d verbs have %d names and %d request types", len(table()), len(x.byName), len(x.byReq))
	}
}

// TestEveryVerbHasItsMethodOfClient wants a method of the verb's name that gives the answer of its row.
func TestEveryVerbHasItsMethodOfClient(t *testing.T) {
	for _, v := range table() {
		if v.plan != nil {
			continue
		}
		want := "(" + v.ans.String() + ", error)"
		if v.ans == reflect.TypeFor[None]() {
			want = "error"
		}
		m, ok := reflect.TypeFor[*Client]().MethodByName(strings.ToUpper(v.name[:1]) + v.name[1:])
		if !ok || !strings.HasSuffix(m.Type.String(), ") "+want) {
			t.Errorf("%s: Client has %v, want a method that returns %s", v.name, m, want)
		}
	}
}

// TestEveryVerbTravels sends a request of each verb that a backend executes, and takes the answer that its row names.
func TestEveryVerbTravels(t *testing.T) {
	got := make(chan any, 1)
	b := func() *fake {
		f := newFake()
		f.handle = func(_ context.Context, _ ClientInfo, req any) (any, error) {
			got <- req
			v, err := verbOf(req)
			if err != nil || v.ans == reflect.TypeFor[None]() {
				return nil, err
			}
			return reflect.Zero(v.ans).Interface(), nil
		}
		return f
	}
	eachTransport(t, b, func(t *testing.T, _ *fake, connect func(ClientInfo) *Client) {
		c := connect(ClientInfo{})
		for _, v := range table() {
			if v.plan != nil {
				continue
			}
			req := reflect.Zero(v.req).Interface()
			ans, err := c.t.handle(t.Context(), req)
			if err != nil {
				t.Errorf("%s: %v", v.name, err)
				continue
			}
			if r := <-got; reflect.TypeOf(r) != v.req {
				t.Errorf("%s arrived as %T", v.name, r)
			}
			if want := v.ans; want == reflect.TypeFor[None]() && ans != nil || want != reflect.TypeFor[None]() && reflect.TypeOf(ans) != want {
				t.Errorf("%s answered with %T, want %s", v.name, ans, want)
			}
		}
		if _, err := c.t.handle(t.Context(), "no request"); err == nil || !strings.Contains(err.Error(), "no verb has the request type string") {
			t.Errorf("what is no request: %v", err)
		}
	})
}

// TestAViewerUsesNoVerbThatActs holds INV-VIEWER: for every verb of the table, over the wire as well, where a hostile
// client writes what it likes.
func TestAViewerUsesNoVerbThatActs(t *testing.T) {
	b := newFake()
	b.handle = func(_ context.Context, who ClientInfo, req any) (any, error) {
		if v, err := verbOf(req); err != nil || v.access == acts {
			t.Errorf("the %T of a %s reached the backend", req, who.Role)
		}
		return nil, nil
	}
	b.call = func(context.Context, CallReq, func(Reply)) (CallDone, error) {
		t.Error("a viewer's call reached the backend")
		return CallDone{}, nil
	}
	r := dialRaw(t, serveUnix(t, b, Limits{}))
	r.send(kindHello, 0, "", hello{Min: 1, Max: 1, Role: RoleViewer})
	r.recv()
	id := uint64(0)
	for _, v := range table() {
		if v.name == verbWatch {
			continue // it goes on
		}
		id++
		r.send(kindRequest, id, v.name, map[string]any{})
		f := r.recv()
		if refused := f.Err != nil && f.Err.Code == CodeViewer; f.ID != id || refused != (v.access == acts) {
			t.Errorf("%s: %+v, %v", v.name, f, f.Err)
		}
	}
}

func TestAHandlerThatFitsNoVerbIsAMistakeInTheProgram(t *testing.T) {
	var h Handlers
	HandleDone(&h, func(_ context.Context, who ClientInfo, r StopReq) error {
		return errors.New(who.Name + " stops " + r.Mesh)
	})
	if _, err := h.Run(t.Context(), ClientInfo{Name: "ada"}, StopReq{Mesh: "toy"}); err == nil || err.Error() != "ada stops toy" {
		t.Errorf("stop: %v", err)
	}
	if _, err := h.Run(t.Context(), ClientInfo{}, KillReq{}); err == nil || !strings.Contains(err.Error(), "does not know the request control.KillReq") {
		t.Errorf("kill: %v", err)
	}
	var backend []string
	for _, v := range table() {
		if v.plan == nil && v.name != "stop" {
			backend = append(backend, v.name)
		}
	}
	slices.Sort(backend)
	if missing := h.Missing(); !slices.Equal(missing, backend) {
		t.Errorf("missing %v, want all that a backend executes but stop: %v", missing, backend)
	}
	for what, set := range map[string]func(){
		"twice":            func() { HandleDone(&h, func(context.Context, ClientInfo, StopReq) error { return nil }) },
		"another answer":   func() { HandleDone(&h, func(context.Context, ClientInfo, SpawnReq) error { return nil }) },
		"no request":       func() { HandleDone(&h, func(context.Context, ClientInfo, int) error { return nil }) },
		"the server's own": func() { HandleDone(&h, func(context.Context, ClientInfo, CancelReq) error { return nil }) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: it was taken", what)
				}
			}()
			set()
		}()
	}
}
