package control

import (
	"context"
	"reflect"
	"strings"
	"sync"
)

// access says what a verb does to the session, and so which clients may use it.
type access uint8

const (
	looks access = iota // reads: every client may
	acts                // changes the session: not for viewers
)

// None is the request or the answer of a verb that has none.
type None struct{}

// verb is one row of the table of verbs. Names on the wire, decoding, permission, dispatch and the table in PROTOCOL.md
// follow from it.
type verb struct {
	name     string
	access   access
	req, ans reflect.Type
	request  func(body []byte) (any, error) // decodes what a client sent; the server's side
	answer   func(body []byte) (any, error) // decodes what the server answered; the client's side
	plan     planner                        // how the server runs it; nil: Backend.Handle does
}

// planner says how the server runs a request. It is called on the reader of the connection; what it returns is not.
type planner func(p *peer, ok permit, in incoming) func(context.Context) (any, error)

// incoming is a request with a permitted verb and a decoded body.
type incoming struct {
	id   uint64 // of its frame
	req  *request
	body any // of the verb's request type, by value
}

// The verbs that a transport has to know, because they are more than one request and one answer.
const (
	verbCall  = "call"
	verbWatch = "watch"
)

// table lists every verb of the protocol. CONTRIBUTING.md says what else a new verb needs.
func table() []verb {
	return []verb{
		row[ProcsReq, ProcMesh]("procs", acts),
		row[SpawnReq, Mesh]("spawn", acts),
		row[StopReq, None]("stop", acts),
		row[KillReq, None]("kill", acts),
		row[RestartReq, None]("restart", acts),
		row[SyncReq, Synced]("sync", acts),
		row[ReloadReq, Reload]("reload", acts),
		row[CallReq, CallDone](verbCall, acts).runBy((*peer).planCall),
		row[CancelReq, None]("cancel", acts).runBy((*peer).planCancel),
		row[StateReq, []StateNode]("state", looks),
		row[LogsReq, []Log]("logs", looks),
		row[MessagesReq, MessageLog]("messages", looks),
		row[MetricsReq, []Series]("metrics", looks),
		row[FlushReq, None]("flush", looks),
		row[HoldReq, None]("hold", acts),
		row[ProbeReq, []ProbeReply]("probe", looks),
		row[EditReq, Edited]("edit", acts),
		row[BreaksReq, []Breakpoint]("breaks", acts),
		row[ResumeReq, []Resumed]("resume", acts),
		row[PauseReq, None]("pause", acts),
		row[PolicyReq, DebugState]("policy", acts),
		row[FaultReq, Fault]("fault", acts),
		row[HealReq, []Fault]("heal", acts),
		row[None, Snapshot]("snapshot", looks).runBy((*peer).planSnapshot),
		row[WatchReq, Update](verbWatch, looks).runBy((*peer).planWatch),
	}
}

// row makes the row of a verb that the backend's Handle executes.
func row[Req, Ans any](name string, a access) verb {
	return verb{name: name, access: a, req: reflect.TypeFor[Req](), ans: reflect.TypeFor[Ans](), request: decodeRequest[Req], answer: decodeAnswer[Ans]}
}

// runBy has the server run the verb itself.
func (v verb) runBy(plan planner) verb {
	v.plan = plan
	return v
}

func decodeRequest[Req any](body []byte) (any, error) {
	var r Req
	if _, none := any(r).(None); none {
		return r, nil
	}
	if err := hostileDec().Unmarshal(body, &r); err != nil {
		return nil, err
	}
	return r, nil
}

func decodeAnswer[Ans any](body []byte) (any, error) {
	var a Ans
	if _, none := any(a).(None); none {
		return nil, nil
	}
	if err := friendlyDec().Unmarshal(body, &a); err != nil {
		return nil, errorf(CodeFailed, "the answer does not decode as %T: %v", a, err)
	}
	return a, nil
}

// typeName is a type as PROTOCOL.md writes it.
func typeName(t reflect.Type) string {
	if t == reflect.TypeFor[None]() {
		return "none"
	}
	return strings.ReplaceAll(t.String(), "control.", "")
}

// index finds the rows of the table.
type index struct {
	byName map[string]*verb
	byReq  map[reflect.Type]*verb
}

var loadIndex = sync.OnceValue(func() index {
	x := index{make(map[string]*verb), make(map[reflect.Type]*verb)}
	for _, v := range table() {
		x.byName[v.name], x.byReq[v.req] = &v, &v
	}
	return x
})

func verbNamed(name string) (*verb, bool) {
	v, ok := loadIndex().byName[name]
	return v, ok
}

// verbOf is the verb that a request type belongs to.
func verbOf(req any) (*verb, error) {
	if v, ok := loadIndex().byReq[reflect.TypeOf(req)]; ok {
		return v, nil
	}
	return nil, errorf(CodeBadRequest, "no verb has the request type %T", req)
}
