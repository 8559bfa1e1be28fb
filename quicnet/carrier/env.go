package carrier

import (
	"fmt"
	"os"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Env names the variable of the environment that asks for less than the fast carrier. A process inherits it from the one
// that starts it, so that a session has it everywhere.
const Env = "MONARCH_CARRIER"

// What Env may be, besides empty and "fast".
const (
	EnvPlain  = "plain"  // the plain carrier
	EnvNoPoll = "nopoll" // the fast one without polling
	EnvUDP    = "udp"    // the fast one, and no shared memory
)

// FromEnv returns o as the environment (Env) wants it. An error means that it wants something that nobody knows.
func FromEnv(o Options) (Options, error) {
	switch v := os.Getenv(Env); v {
	case "", "fast":
	case EnvPlain:
		o.Plain, o.Why = true, Env+"="+v
	case EnvNoPoll:
		o.Poll = -1
		o.Why = orElse(o.Why, Env+"="+v)
	case EnvUDP:
		o.NoMemory = true
		o.Why = orElse(o.Why, Env+"="+v)
	default:
		return o, fmt.Errorf("%s is %q: want %s, %s, %s, fast or nothing", Env, clean.OneLine(v, 64), EnvPlain, EnvNoPoll, EnvUDP)
	}
	return o, nil
}
