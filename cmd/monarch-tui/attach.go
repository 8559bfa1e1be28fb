package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui"
)

// attachFlags are the flags of attach.
type attachFlags struct {
	screenFlags

	stdio  bool
	viewer bool
	via    string
}

// newAttachCommand attaches to a session.
func newAttachCommand() *cobra.Command {
	var f attachFlags
	cmd := &cobra.Command{
		Use:   "attach [ADDR]",
		Short: "Explore a running session: a name, a pid or the path of its socket",
		Long: "attach explores the session of a running program. Without ADDR it lists the sessions.\n" +
			"Every program that calls engine.Main opens a session, and the user who started it may attach to it. A session\n" +
			"is named after program and pid, such as trainer-4711; trainer is enough while only one trainer runs.\n\n" +
			"To reach a session on another machine, --via runs a command such as ssh that starts attach --stdio there.",
		Example: "  monarch-tui attach\n" +
			"  monarch-tui attach trainer\n" +
			"  monarch-tui attach 4711 --viewer\n" +
			"  monarch-tui attach --via 'ssh gpubox monarch-tui attach --stdio trainer'",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError("attach takes one session, and these are %d", len(args))
			}
			return nil
		},
		ValidArgsFunction: completeSessions,
		RunE: func(cmd *cobra.Command, args []string) error {
			addr := ""
			if len(args) > 0 {
				addr = args[0]
			}
			return f.run(cmd, addr)
		},
	}
	f.register(cmd)
	cmd.Flags().BoolVar(&f.stdio, "stdio", false, "connect the session to stdin and stdout: what --via starts on the other machine")
	cmd.Flags().BoolVar(&f.viewer, "viewer", false, "only look, change nothing")
	cmd.Flags().StringVar(&f.via, "via", "", "reach the session through the stdin and stdout of this shell command")
	return cmd
}

func completeSessions(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	list, _ := control.ListSessions()
	var out []string
	for _, i := range list {
		out = append(out, i.Name+"\t"+i.Program)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func (f *attachFlags) run(cmd *cobra.Command, addr string) error {
	switch {
	case f.stdio && f.via != "":
		return usageError("--stdio is for the far end, --via for this one: take one of them")
	case f.stdio && f.viewer:
		return usageError("--viewer is for the end that looks; --stdio only carries its bytes")
	case f.stdio && addr == "":
		return usageError("--stdio wants a session to carry the bytes of; attach lists them")
	case f.via != "" && addr != "":
		return usageError("--via leads to a session by itself: name %s in its command", addr)
	case f.stdio:
		return bridge(cmd.Context(), addr, os.Stdin, os.Stdout)
	}
	set, err := f.settings()
	if err != nil {
		return err
	}
	me := who()
	if f.viewer {
		me.Role = control.RoleViewer
	}
	name := addr
	dial := func(ctx context.Context, _ bool) (*control.Client, error) { return control.Dial(ctx, addr, me) }
	switch {
	case f.via != "":
		name = f.via
		dial = func(ctx context.Context, again bool) (*control.Client, error) { return dialVia(ctx, f.via, me, again) }
	case addr == "" && f.viewer:
		return usageError("--viewer wants a session to look at; attach lists them")
	case addr == "":
		return listSessions(cmd.OutOrStdout())
	}
	if err := needTerminal("run -p, or --stdio, do without"); err != nil {
		return err
	}
	first, err := dial(cmd.Context(), false) // what is wrong with the address is told before the screen opens
	if err != nil {
		return &exitError{exitCommand, err}
	}
	connect := func(ctx context.Context) (*control.Client, error) {
		if c := first; c != nil {
			first = nil
			return c, nil
		}
		return dial(ctx, true)
	}
	return show(cmd.Context(), tui.Config{Connect: connect, Name: name, Who: me, Settings: set, Reread: f.reread()})
}

func listSessions(w io.Writer) error {
	list, err := control.ListSessions()
	if err != nil {
		return &exitError{exitCommand, err}
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no session is running; a program that calls engine.Main opens one")
		return err
	}
	wide := 0
	for _, i := range list {
		wide = max(wide, len(i.Name))
	}
	for _, i := range list {
		still := ""
		if i.Still() {
			still = "  paused: a signal has stopped it"
		}
		if _, err := fmt.Fprintf(w, "%-*s  pid %-7d  up %-8s  %s%s\n", wide, i.Name, i.PID, time.Since(i.Started).Round(time.Second), filepath.Base(i.Program), still); err != nil {
			return err
		}
	}
	return nil
}

// bridge carries the bytes of a session's socket over in and out, until one side ends.
func bridge(ctx context.Context, addr string, in io.Reader, out io.Writer) error {
	path, err := control.Resolve(addr)
	if err != nil {
		return &exitError{exitCommand, err}
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return &exitError{exitCommand, fmt.Errorf("attach %s: %w", addr, err)}
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	go func() { // ends with the process: a read of stdin cannot be interrupted
		_, _ = io.Copy(conn, in)
		if c, ok := conn.(*net.UnixConn); ok {
			_ = c.CloseWrite()
		}
	}()
	_, err = io.Copy(out, conn)
	if err != nil && ctx.Err() == nil {
		return &exitError{exitCommand, fmt.Errorf("attach %s: %w", addr, err)}
	}
	return ctx.Err()
}
