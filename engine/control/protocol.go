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
	RoleDebug   = "debug"   // control, and a panic stops its frame while it is here
)

// Topics of a watch. None means all.
const (
	TopicState    = "state"    // everything a replica is made of
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

func cleanRole(role string) (string, error) {
	if role == "" {
		return RoleControl, nil
	}
	if !slices.Contains([]string{RoleControl, RoleViewer, RoleDebug}, role) {
		return "", errorf(CodeBadRequest, "role %q: want %s, %s or %s", role, RoleControl, RoleViewer, RoleDebug)
	}
	return role, nil
}
