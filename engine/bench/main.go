package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

// settings are the flags.
type settings struct {
	reps     int
	dur      time.Duration
	ranks    int
	python   string
	monarch  int
	only     string
	profile  string
	dlv      string
	programs string // where the programs beside this one are
	base     string // the program local, built on an older engine
	turn     int    // of a process of our own: which repetition it is
	what     string // of a process of our own: which measurements, "" is all
	client   string // a process of our own: measures one peer
	server   string // a process of our own: answers for one peer
}

// The tables, by the names that -only takes.
const (
	tabCalls  = "calls"
	tabPeers  = "peers"
	tabBulk   = "bulk"
	tabBusy   = "busy"
	tabLocal  = "inprocess"
	tabStart  = "start"
	tabFanOut = "fanout"
	tabIdle   = "idle"
	tabCodec  = "codec"
	tabStop   = "stop"
)

var tables = []string{tabCodec, tabCalls, tabPeers, tabBulk, tabBusy, tabLocal, tabStart, tabFanOut, tabIdle, tabStop}

func main() {
	measure.Pin(engine.InWorker())
	engine.Register[Echo]()
	engine.RunWorker()
	s := flags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case s.server != "":
		err = serve(s.server)
	case s.client != "":
		err = measureHere(ctx, s)
	default:
		err = drive(ctx, s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func flags() (s settings) {
	here := "."
	if self, err := os.Executable(); err == nil {
		here = filepath.Dir(self)
	}
	flag.IntVar(&s.reps, "reps", 10, "repetitions; competitors take turns in each")
	flag.DurationVar(&s.dur, "d", 400*time.Millisecond, "how long one measurement takes")
	flag.IntVar(&s.ranks, "ranks", 64, "workers of the start-up measurement, and processes of the fan-out")
	flag.StringVar(&s.python, "python", filepath.Join("..", "..", ".tools", "monarch-venv", "bin", "python"), "Python that has torchmonarch")
	flag.IntVar(&s.monarch, "monarch-reps", 3, "repetitions in which Monarch takes part: it starts slowly")
	flag.StringVar(&s.only, "only", strings.Join(tables, ","), "which tables")
	flag.StringVar(&s.dlv, "dlv", cmp.Or(os.Getenv("BENCH_DLV"), filepath.Join("..", "..", ".tools", "dlv")), "Delve, the debugger")
	flag.StringVar(&s.programs, "programs", here, "folder of "+peersFolder+"/, "+startProgram+", "+localProgram+" and "+bareProgram+"; what is not there is left out")
	flag.StringVar(&s.base, "base", "", "bench-local, built on an older engine: what calls within a process are compared with")
	flag.IntVar(&s.turn, "turn", 0, "internal")
	flag.StringVar(&s.what, "what", "", "internal")
	flag.StringVar(&s.profile, "profile", "", "write CPU profiles of the engine's processes to this folder")
	flag.StringVar(&s.client, "client", "", "internal")
	flag.StringVar(&s.server, "server", "", "internal")
	flag.Parse()
	return s
}

// wants reports whether a table is asked for.
func (s settings) wants(table string) bool { return slices.Contains(strings.Split(s.only, ","), table) }

func (s settings) check() error {
	if s.reps < 1 || s.dur < 10*time.Millisecond || s.ranks < 1 {
		return fmt.Errorf("want at least 1 repetition, 10ms per measurement and 1 rank")
	}
	for name := range strings.SplitSeq(s.only, ",") {
		if !slices.Contains(tables, name) {
			return fmt.Errorf("there is no table %q: want some of %s", name, strings.Join(tables, ","))
		}
	}
	return nil
}

// drive runs all competitors and prints the tables.
func drive(ctx context.Context, s settings) error {
	if err := s.check(); err != nil {
		return err
	}
	head(s)
	if s.wants(tabCodec) {
		if err := codecTables(s); err != nil {
			return err
		}
	}
	var all results
	groups := findGroups(ctx, s)
	monarch := (s.wants(tabCalls) || s.wants(tabStart) || s.wants(tabFanOut)) && hasMonarch(ctx, s)
	if s.wants(tabStop) {
		s.dlv = findDelve(ctx, s)
	}
	for rep := range s.reps {
		fmt.Fprintf(os.Stderr, "repetition %d of %d\n", rep+1, s.reps)
		for _, g := range groups {
			if err := all.collectGroup(ctx, s, rep, g); err != nil {
				return err
			}
		}
		if monarch && rep < s.monarch {
			if err := all.collectMonarch(ctx, s, rep); err != nil {
				fmt.Fprintln(os.Stderr, "bench: Monarch is left out:", err)
				monarch = false
			}
		}
	}
	all.print(s)
	all.printGoals(s)
	return nil
}

// add reads what a measuring process printed about a competitor, one JSON object per line.
func (all *results) add(out []byte, rep int, place string, c competitor) error {
	for line := range strings.Lines(string(out)) {
		var r result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return fmt.Errorf("a measurement printed %q: %w", line, err)
		}
		r.Rep = rep
		if r.Peer == "" || r.Peer == c.client {
			r.Peer = c.peer
		}
		if r.Place == "" {
			r.Place = place
		}
		*all = append(*all, r)
	}
	return nil
}

func head(s settings) {
	fmt.Printf("# Benchmarks\n\n%s/%s, %s, %d CPUs (%s), engine %s; %d repetitions, %v each measurement.\n",
		runtime.GOOS, runtime.GOARCH, runtime.Version(), runtime.NumCPU(), cpuModel(), engine.Version, s.reps, s.dur)
	if !measure.CanPin() {
		fmt.Println("\ntaskset is not here, or there is one CPU: nothing is pinned, and round trips of different runs cannot be compared.")
	}
}

func cpuModel() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown model"
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return "unknown model"
}
