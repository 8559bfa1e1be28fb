package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
)

// settings are the flags.
type settings struct {
	reps    int
	dur     time.Duration
	ranks   int
	python  string
	monarch int
	only    string
	profile string
	dlv     string
	turn    int    // of a process of our own: which repetition it is
	client  string // a process of our own: measures one peer
	server  string // a process of our own: answers for one peer
}

func main() {
	pin()
	engine.Register[Echo]()
	engine.RunWorker()
	var s settings
	flag.IntVar(&s.reps, "reps", 10, "repetitions; competitors take turns in each")
	flag.DurationVar(&s.dur, "d", 400*time.Millisecond, "how long one measurement takes")
	flag.IntVar(&s.ranks, "ranks", 64, "workers of the start-up measurement")
	flag.StringVar(&s.python, "python", filepath.Join("..", "..", ".tools", "monarch-venv", "bin", "python"), "Python that has torchmonarch")
	flag.IntVar(&s.monarch, "monarch-reps", 3, "repetitions in which Monarch takes part: it starts slowly")
	flag.StringVar(&s.only, "only", "calls,start,codec,stop", "which tables")
	flag.StringVar(&s.dlv, "dlv", cmp.Or(os.Getenv("BENCH_DLV"), filepath.Join("..", "..", ".tools", "dlv")), "Delve, the debugger")
	flag.IntVar(&s.turn, "turn", 0, "internal")
	flag.StringVar(&s.profile, "profile", "", "write CPU profiles of the engine's processes to this folder")
	flag.StringVar(&s.client, "client", "", "internal")
	flag.StringVar(&s.server, "server", "", "internal")
	flag.Parse()
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

// drive runs all competitors and prints the tables.
func drive(ctx context.Context, s settings) error {
	if s.reps < 1 || s.dur < 10*time.Millisecond || s.ranks < 1 {
		return fmt.Errorf("want at least 1 repetition, 10ms per measurement and 1 rank")
	}
	head(s)
	if strings.Contains(s.only, "codec") {
		if err := codecTable(s); err != nil {
			return err
		}
	}
	var all results
	competitors, monarch := peers(), hasMonarch(ctx, s)
	if strings.Contains(s.only, "stop") {
		s.dlv = findDelve(ctx, s)
	}
	for rep := range s.reps {
		fmt.Fprintf(os.Stderr, "repetition %d of %d\n", rep+1, s.reps)
		if strings.Contains(s.only, "calls") {
			for i := range competitors {
				p := competitors[(i+rep)%len(competitors)] // nobody always comes first
				for _, place := range placements() {
					if err := all.collect(ctx, s, rep, p, place); err != nil {
						return err
					}
				}
			}
		}
		if strings.Contains(s.only, "start") {
			for i := range 2 {
				p := []string{peerEngineStart, peerExec}[(i+rep)%2]
				if err := all.collect(ctx, s, rep, p, placement{name: "free"}); err != nil {
					return err
				}
			}
		}
		if strings.Contains(s.only, "stop") {
			if err := all.collect(ctx, s, rep, peerDebugger, placement{name: "free"}); err != nil {
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
	return nil
}

// collect measures one peer in a process of its own.
func (all *results) collect(ctx context.Context, s settings, rep int, peer string, at placement) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "-client", peer, "-d", s.dur.String(), "-ranks", fmt.Sprint(s.ranks), "-profile", s.profile, "-dlv", s.dlv, "-turn", fmt.Sprint(rep)) //nolint:gosec // this program itself
	cmd.Env = append(os.Environ(), at.env()...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s, %s: %w", peer, at.name, err)
	}
	return all.add(out, rep, at.name)
}

// add reads what a measuring process printed, one JSON object per line.
func (all *results) add(out []byte, rep int, place string) error {
	for line := range strings.Lines(string(out)) {
		var r result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return fmt.Errorf("a measurement printed %q: %w", line, err)
		}
		r.Rep = rep
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
	if !canPin() {
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
