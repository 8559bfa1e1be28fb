package control

import (
	"fmt"
	"slices"
)

// The protocol versions that this package speaks. Within one version fields, verbs and events may be added: what the
// other side does not know it skips or answers in words. A new version is for changes that would be misread.
const (
	MinVersion = 1
	MaxVersion = 1
)

// The roles of a client.
const (
	RoleControl = "control" // may act
	RoleViewer  = "viewer"  // may only look
)

// Topics of a watch. None means all.
const (
	TopicState    = "state"    // everything a picture is made of
	TopicLogs     = "logs"     // what ranks and the engine print
	TopicMessages = "messages" // hops of messages; best effort
)

// Info describes the server to a client, and a client to itself.
type Info struct {
	Version      int    // of the protocol, as negotiated
	Engine       string // version of the engine that the program was built with
	Program      string // base name of the executable
	Session      string // name of the session
	PID          int    // of the controller
	Capabilities []string
	Client       ClientInfo // as the server knows this client
}

// hello is the first frame of a client.
type hello struct {
	Min, Max     int
	Name, Role   string
	Engine       string   // version the front end was built with
	Capabilities []string // what the client can do beyond the version
}

// verb is one row of the table of verbs.
type verb struct {
	name string
	acts bool   // changes the session: not for viewers
	req  string // Go type of the request, as PROTOCOL.md names it
	ans  string // Go type of the answer; "" for none
}

// The verbs of the protocol, by name.
const (
	verbProcs    = "procs"
	verbSpawn    = "spawn"
	verbStop     = "stop"
	verbKill     = "kill"
	verbCall     = "call"
	verbCancel   = "cancel"
	verbState    = "state"
	verbLogs     = "logs"
	verbFlush    = "flush"
	verbHold     = "hold"
	verbProbe    = "probe"
	verbSnapshot = "snapshot"
	verbWatch    = "watch"
)

func verbTable() []verb {
	return []verb{
		{verbProcs, true, "ProcsReq", "ProcMesh"},
		{verbSpawn, true, "SpawnReq", "Mesh"},
		{verbStop, true, "StopReq", ""},
		{verbKill, true, "KillReq", ""},
		{verbCall, true, "CallReq", "CallDone"},
		{verbCancel, true, "CancelReq", ""},
		{verbState, false, "StateReq", "[]StateNode"},
		{verbLogs, false, "LogsReq", "[]Log"},
		{verbFlush, false, "FlushReq", ""},
		{verbHold, true, "HoldReq", ""},
		{verbProbe, true, "ProbeReq", "[]ProbeReply"},
		{verbSnapshot, false, "", "Snapshot"},
		{verbWatch, false, "WatchReq", "Updates, until cancelled"},
	}
}

// WatchReq asks for a snapshot and the events after it. Answer: updates, until the request is cancelled.
type WatchReq struct {
	Topics []string // none: all
	Credit int      // updates that the client can take at once; it grants more one by one
}

// verbOf names the verb of a request type and tells whether it acts.
func verbOf(req any) (name string, acts bool) {
	switch req.(type) {
	case ProcsReq:
		return verbProcs, true
	case SpawnReq:
		return verbSpawn, true
	case StopReq:
		return verbStop, true
	case KillReq:
		return verbKill, true
	case CallReq:
		return verbCall, true
	case CancelReq:
		return verbCancel, true
	case StateReq:
		return verbState, false
	case LogsReq:
		return verbLogs, false
	case FlushReq:
		return verbFlush, false
	case HoldReq:
		return verbHold, true
	case ProbeReq:
		return verbProbe, true
	case WatchReq:
		return verbWatch, false
	default:
		return "", true
	}
}

// decodeRequest turns the body of a request into the request type of the verb; ok is false for a verb that the
// backend does not run itself.
func decodeRequest(name string, body []byte) (req any, ok bool, err error) {
	switch name {
	case verbProcs:
		return decodeAs[ProcsReq](body)
	case verbSpawn:
		return decodeAs[SpawnReq](body)
	case verbStop:
		return decodeAs[StopReq](body)
	case verbKill:
		return decodeAs[KillReq](body)
	case verbState:
		return decodeAs[StateReq](body)
	case verbLogs:
		return decodeAs[LogsReq](body)
	case verbFlush:
		return decodeAs[FlushReq](body)
	case verbHold:
		return decodeAs[HoldReq](body)
	case verbProbe:
		return decodeAs[ProbeReq](body)
	default:
		return nil, false, nil
	}
}

func decodeAs[T any](body []byte) (any, bool, error) {
	var v T
	if err := hostileDec().Unmarshal(body, &v); err != nil {
		return nil, true, err
	}
	return v, true, nil
}

// negotiate picks the newest version that both sides speak.
func negotiate(min, max int) (int, error) {
	v := MaxVersion
	if max < v {
		v = max
	}
	if v < MinVersion || v < min {
		return 0, errorf(CodeVersion, "the program speaks control protocol %s, the front end %s: update the older of the two",
			versions(MinVersion, MaxVersion), versions(min, max))
	}
	return v, nil
}

func versions(min, max int) string {
	if min == max {
		return fmt.Sprint(min)
	}
	return fmt.Sprintf("%d-%d", min, max)
}

// mayAct refuses verbs that change the session to a viewer.
func mayAct(who ClientInfo, verb string, acts bool) error {
	if !acts || who.Role == RoleControl {
		return nil
	}
	return errorf(CodeViewer, "attached as a viewer, which may only look: %q changes the session (attach with control to act)", verb)
}

func cleanRole(role string) (string, error) {
	if role == "" {
		return RoleControl, nil
	}
	if !slices.Contains([]string{RoleControl, RoleViewer}, role) {
		return "", errorf(CodeBadRequest, "role %q: want %s or %s", role, RoleControl, RoleViewer)
	}
	return role, nil
}
