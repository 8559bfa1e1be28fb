package control

import (
	"context"
	"fmt"
	"reflect"
	"slices"
)

// Handlers is a backend's half of the table of verbs: the function that executes each verb of one request and one
// answer. Its Run is what Backend.Handle needs to be. It is filled before it is used, and read only from then on.
type Handlers struct {
	run map[reflect.Type]func(ctx context.Context, client ClientInfo, req any) (any, error)
}

// Handle sets the function that executes the verb whose request type is Req. It panics where the table has no verb with
// this request and this answer, or the verb has a function already: that is a mistake in the program.
func Handle[Req, Ans any](h *Handlers, run func(ctx context.Context, client ClientInfo, req Req) (Ans, error)) {
	t := reflect.TypeFor[Req]()
	v := loadIndex().byReq[t]
	if v == nil || v.plan != nil || v.ans != reflect.TypeFor[Ans]() || h.run[t] != nil {
		panic(fmt.Sprintf("control: no verb for a backend has the request %s and the answer %s, or it is handled twice", t, reflect.TypeFor[Ans]()))
	}
	if h.run == nil {
		h.run = make(map[reflect.Type]func(context.Context, ClientInfo, any) (any, error))
	}
	h.run[t] = func(ctx context.Context, client ClientInfo, req any) (any, error) {
		ans, err := run(ctx, client, req.(Req)) //nolint:forcetypeassert // the key of the map is the type of req
		if _, none := any(ans).(None); none || err != nil {
			return nil, err
		}
		return ans, nil
	}
}

// HandleDone is Handle for a verb whose answer is None.
func HandleDone[Req any](h *Handlers, run func(ctx context.Context, client ClientInfo, req Req) error) {
	Handle(h, func(ctx context.Context, client ClientInfo, req Req) (None, error) {
		return None{}, run(ctx, client, req)
	})
}

// Run executes a request, given by value. The answer is of the type that the verb's row names, nil for None.
func (h *Handlers) Run(ctx context.Context, client ClientInfo, req any) (any, error) {
	run := h.run[reflect.TypeOf(req)]
	if run == nil {
		return nil, fmt.Errorf("the engine does not know the request %T", req)
	}
	return run(ctx, client, req)
}

// Missing names the verbs that have no function yet: a test of a backend wants none.
func (h *Handlers) Missing() []string {
	var out []string
	for name, v := range loadIndex().byName {
		if v.plan == nil && h.run[v.req] == nil {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
