package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// networkFlags are the flags of everything that begins a session: how workers on other machines reach it.
type networkFlags struct {
	listen    string
	advertise []string
}

func (n *networkFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&n.listen, "listen", "", "address of this machine, host:port, at which the session listens for its workers (0.0.0.0:4433: all of them)")
	f.StringSliceVar(&n.advertise, "advertise", nil, "hosts, without a port, at which other machines reach this one, as behind a NAT (default: its addresses)")
}

// reach is what the flags say, else what the settings do.
func (n *networkFlags) reach(set control.Reach) (control.Reach, error) {
	from := control.Reach{Listen: first(n.listen, set.Listen), Advertise: set.Advertise}
	if n.advertise != nil {
		from.Advertise = n.advertise
	}
	if err := engine.CheckReach(from); err != nil {
		return from, usageError("%s %w", n.origin(from, err), err)
	}
	return from, nil
}

// origin is where what is wrong was said.
func (n *networkFlags) origin(r control.Reach, err error) string {
	if advertised := r.CheckAdvertise(); advertised != nil && advertised.Error() == err.Error() {
		if n.advertise != nil {
			return "--advertise"
		}
		return "network.advertise of the settings:"
	}
	if n.listen != "" {
		return "--listen"
	}
	return "network.listen of the settings:"
}

// reachOptions are those of the engine.
func reachOptions(r control.Reach) (opts []engine.Option) {
	if r.Listen != "" {
		opts = append(opts, engine.Listen(r.Listen))
	}
	if len(r.Advertise) > 0 {
		opts = append(opts, engine.Advertise(r.Advertise...))
	}
	return opts
}

// reachEnv tells a program of the user's.
func reachEnv(r control.Reach) (env []string) {
	if r.Listen != "" {
		env = append(env, "MONARCH_CONTROL_LISTEN="+r.Listen)
	}
	if len(r.Advertise) > 0 {
		env = append(env, "MONARCH_CONTROL_ADVERTISE="+strings.Join(r.Advertise, ","))
	}
	return env
}
