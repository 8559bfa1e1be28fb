package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

// The programs beside this one. They are programs of their own so that what they link weighs in no process that is measured:
// the engine's start-up and idle memory are those of programs that link the engine or quic-go alone.
const (
	peersFolder  = "bench-peers"
	startProgram = "bench-start"
	localProgram = "bench-local"
	bareProgram  = "bench-bare"
)

// collectTime bounds one peer's measurements at one placement.
const collectTime = 3 * time.Minute

// group is competitors that take turns: nobody always comes first.
type group struct {
	peers  []competitor
	places []measure.Placement
	what   string // the measurements, "" is all that the peer has
}

// competitor is a peer and how it is measured.
type competitor struct {
	peer     string
	program  string // the program that measures it; "" is this one
	client   string // what that program calls it; "" is the same name
	env      []string
	many     bool // it takes a number of processes, and nothing else
	stranger bool // what it cannot do ends nothing: the output says why
}

// findGroups is what the flags ask for, without what is not there: the output says why.
func findGroups(ctx context.Context, s settings) []group {
	var out []group
	put := func(places []measure.Placement, what string, peers ...competitor) {
		if len(peers) > 0 {
			out = append(out, group{peers, places, what})
		}
	}
	put(measure.Pinned(), "", callers(ctx, s)...)
	if s.wants(tabCalls) {
		put([]measure.Placement{measure.Unpinned}, measure.RoundTrip, named(peerEngine, peerRaw, peerStream)...)
	}
	if s.wants(tabBulk) {
		put([]measure.Placement{split()}, whatBulk, named(peerEngine, peerStream)...)
	}
	if s.wants(tabBusy) {
		put([]measure.Placement{measure.Unpinned}, "", competitor{peer: peerBusy}, competitor{peer: peerBusyPlain, env: []string{plainCarrier}})
	}
	if s.wants(tabLocal) {
		put([]measure.Placement{onOne()}, measure.RoundTrip, locals(s)...)
	}
	put([]measure.Placement{measure.Unpinned}, "", processes(s)...)
	if s.wants(tabStop) {
		put([]measure.Placement{measure.Unpinned}, "", named(peerDebugger)...)
	}
	return out
}

func named(peers ...string) (out []competitor) {
	for _, p := range peers {
		out = append(out, competitor{peer: p})
	}
	return out
}

// callers are the peers of single calls.
func callers(ctx context.Context, s settings) (out []competitor) {
	if s.wants(tabCalls) {
		out = named(peerEngine, peerRaw, peerMux, peerUnary, peerStream)
	}
	if !s.wants(tabPeers) {
		return out
	}
	folder := filepath.Join(s.programs, peersFolder)
	programs, err := os.ReadDir(folder)
	if err != nil || len(programs) == 0 {
		fmt.Printf("\nOther frameworks are left out: there are no programs in %s (`make bench` builds them).\n", folder)
		return out
	}
	if out == nil {
		out = named(peerEngine)
	}
	for _, p := range programs {
		program := filepath.Join(folder, p.Name())
		name, err := exec.CommandContext(ctx, program, "-name").Output() //nolint:gosec // a program of this benchmark
		if err != nil {
			fmt.Printf("\n%s is left out: it does not run: %v\n", p.Name(), err)
			continue
		}
		out = append(out, competitor{peer: strings.TrimSpace(string(name)), program: program, stranger: true})
	}
	return out
}

// locals is calls between actors of one process, ours and an older engine's.
func locals(s settings) []competitor {
	env := []string{"GOMAXPROCS=1"}
	var out []competitor
	if program, ok := s.beside(peerLocal, localProgram); ok {
		out = append(out, competitor{peer: peerLocal, program: program, env: env})
	}
	if s.base != "" {
		out = append(out, competitor{peer: peerLocalBase, program: s.base, env: env})
	}
	return out
}

// beside finds a program beside this one, or says that the peer is left out.
func (s settings) beside(peer, program string) (path string, ok bool) {
	path = filepath.Join(s.programs, program)
	if _, err := exec.LookPath(path); err != nil {
		fmt.Printf("\n%s: left out, there is no %s (`make bench` builds it).\n", peer, path)
		return "", false
	}
	return path, true
}

// processes are the peers that start many processes, or weigh them.
func processes(s settings) (out []competitor) {
	put := func(peer, program, client string) {
		if path, ok := s.beside(peer, program); ok {
			out = append(out, competitor{peer: peer, program: path, client: client, many: true})
		}
	}
	if s.wants(tabStart) || s.wants(tabFanOut) || s.wants(tabIdle) {
		put(peerEngineStart, startProgram, "workers")
	}
	if s.wants(tabStart) {
		put(peerExec, startProgram, "exec")
	}
	if s.wants(tabFanOut) {
		out = append(out, competitor{peer: peerFanOut})
	}
	if s.wants(tabIdle) {
		put(peerBare, bareProgram, "bare")
	}
	return out
}

// split is one CPU for each of two processes, onOne is one for both, where processes can be pinned.
func split() measure.Placement {
	if measure.CanPin() {
		return measure.TwoCPUs
	}
	return measure.Unpinned
}

func onOne() measure.Placement {
	if measure.CanPin() {
		return measure.SameCPU
	}
	return measure.Unpinned
}

func (all *results) collectGroup(ctx context.Context, s settings, rep int, g group) error {
	for i := range g.peers {
		c := g.peers[(i+rep)%len(g.peers)]
		for _, place := range g.places {
			if err := all.collect(ctx, s, rep, c, g.what, place); err != nil {
				return fmt.Errorf("%s, %s: %w", c.peer, place.Name, err)
			}
		}
	}
	return nil
}

// collect measures one peer in a process of its own.
func (all *results) collect(ctx context.Context, s settings, rep int, c competitor, what string, at measure.Placement) error {
	program := c.program
	if program == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		program = self
	}
	args := []string{"-client", cmp.Or(c.client, c.peer)}
	switch {
	case c.many:
		args = append(args, "-ranks", fmt.Sprint(s.ranks))
	case c.program != "":
		args = append(args, "-d", s.dur.String(), "-what", what)
	default:
		args = append(args, "-d", s.dur.String(), "-what", what, "-ranks", fmt.Sprint(s.ranks), "-profile", s.profile, "-dlv", s.dlv, "-turn", fmt.Sprint(rep))
	}
	ctx, cancel := context.WithTimeout(ctx, collectTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // a program of this benchmark
	cmd.Env = append(append(os.Environ(), at.Env()...), c.env...)
	cmd.WaitDelay = 10 * time.Second // what it has started ends with it
	var said bytes.Buffer
	cmd.Stderr = io.MultiWriter(os.Stderr, &said)
	out, err := cmd.Output()
	if addErr := all.add(out, rep, at.Name, c); err == nil {
		return addErr
	}
	if ctx.Err() != nil {
		err = errors.Join(err, fmt.Errorf("it was stopped after %v", collectTime))
	}
	if !c.stranger {
		return err
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	*all = append(*all, result{Peer: c.peer, Place: at.Name, Rep: rep, Err: strings.ReplaceAll(err.Error(), "\n", "; ") + ": " + lines[len(lines)-1]})
	return nil
}
