//go:build linux

package carrier

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"golang.org/x/sys/unix"
)

// benchRole says what a child of the benchmarks is: server, client or burner.
const benchRole = "CARRIER_BENCH_ROLE"

// job is what a child is told.
type job struct {
	Carrier string        // plain, parked or fast
	Addr    string        // client: of the server
	For     time.Duration // client: how long to measure
	CPU     int           // pinned to, or -1
}

// result is what a client measured.
type result struct {
	P50, P99 time.Duration
	Calls    float64 // a second
	CPU      time.Duration
	Stats    Stats
}

func TestMain(m *testing.M) {
	if role := os.Getenv(benchRole); role != "" {
		child(role)
		return
	}
	os.Exit(m.Run())
}

// child is a process of a benchmark. One that is pinned starts again, so that all threads of the runtime are.
func child(role string) {
	var j job
	must(json.Unmarshal([]byte(os.Getenv(benchRole+"_JOB")), &j))
	if j.CPU >= 0 && os.Getenv(benchRole+"_PINNED") == "" {
		runtime.LockOSThread()
		var set unix.CPUSet
		set.Set(j.CPU)
		must(unix.SchedSetaffinity(0, &set))
		must(os.Setenv(benchRole+"_PINNED", "1"))
		exe, err := os.Executable()
		must(err)
		must(syscall.Exec(exe, os.Args, os.Environ()))
	}
	switch role {
	case "burner":
		go func() { _, _ = io.Copy(io.Discard, os.Stdin); os.Exit(0) }()
		for n := 0; ; n++ {
			_ = n
		}
	case "server":
		serve(j)
	case "client":
		must(json.NewEncoder(os.Stdout).Encode(measure(j)))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func options(name string) Options {
	switch name {
	case "plain":
		return Options{Plain: true}
	case "parked":
		return Options{Poll: -1}
	}
	return Options{}
}

func serve(j job) {
	c, err := Listen("127.0.0.1:0", options(j.Carrier))
	must(err)
	tr := &quic.Transport{Conn: c}
	l, err := tr.Listen(testTLS(), testQUIC())
	must(err)
	fmt.Println(c.LocalAddr())
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); os.Exit(0) }()
	q, err := l.Accept(context.Background())
	must(err)
	s, err := q.AcceptStream(context.Background())
	must(err)
	_, _ = io.Copy(s, s)
	must(json.NewEncoder(os.Stderr).Encode(c.Stats()))
	_ = s.Close()
	select {}
}

func measure(j job) result {
	c, err := Listen("127.0.0.1:0", options(j.Carrier))
	must(err)
	tr := &quic.Transport{Conn: c}
	ctx := context.Background()
	q, err := tr.Dial(ctx, resolve(j.Addr), testTLS(), testQUIC())
	must(err)
	s, err := q.OpenStreamSync(ctx)
	must(err)
	b := make([]byte, 64)
	call := func() {
		_, err := s.Write(b)
		must(err)
		_, err = io.ReadFull(s, b)
		must(err)
	}
	for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
		call()
	}
	var times []time.Duration
	cpu0 := cpuTime()
	begin := time.Now()
	for t := begin; t.Sub(begin) < j.For; {
		call()
		now := time.Now()
		times = append(times, now.Sub(t))
		t = now
	}
	all := time.Since(begin)
	r := result{CPU: (cpuTime() - cpu0) / time.Duration(len(times)), Calls: float64(len(times)) / all.Seconds(), Stats: c.Stats()}
	slices.Sort(times)
	r.P50, r.P99 = times[len(times)/2], times[len(times)*99/100]
	_ = s.Close()
	_, _ = io.Copy(io.Discard, s) // the server has seen the end
	return r
}

func cpuTime() time.Duration {
	var ru syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// start starts a child; closing in ends it.
func start(b *testing.B, role string, j job, procs int) (cmd *exec.Cmd, in io.WriteCloser, out io.Reader) {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	text, _ := json.Marshal(j)
	cmd = exec.CommandContext(b.Context(), exe)
	cmd.Env = append(os.Environ(), benchRole+"="+role, benchRole+"_JOB="+string(text))
	if procs > 0 {
		cmd.Env = append(cmd.Env, "GOMAXPROCS="+strconv.Itoa(procs))
	}
	if in, err = cmd.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	if out, err = cmd.StdoutPipe(); err != nil {
		b.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if os.Getenv("CARRIER_BENCH_V") == "" {
		cmd.Stderr = nil
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return cmd, in, out
}

// place is where the processes run.
type place struct {
	name           string
	server, client int // CPU, or -1
	procs          int // GOMAXPROCS, 0 for the default
	burners        int
}

var places = []place{
	{"same", 0, 0, 0, 0},
	{"split", 0, 1, 0, 0},
	{"free", -1, -1, 0, 0},
	{"free-1P", -1, -1, 1, 0},
	{"busy", -1, -1, 0, 2},
	{"busy-1P", -1, -1, 1, 2},
}

func runOnce(b *testing.B, p place, carrier string, d time.Duration) result {
	b.Helper()
	srv, in, out := start(b, "server", job{Carrier: carrier, CPU: p.server}, p.procs)
	addr := make([]byte, 64)
	n, err := out.Read(addr)
	if err != nil {
		b.Fatal(err)
	}
	j := job{Carrier: carrier, CPU: p.client, Addr: strings.TrimSpace(string(addr[:n])), For: d}
	cli, cin, cout := start(b, "client", j, p.procs)
	var r result
	if err := json.NewDecoder(cout).Decode(&r); err != nil {
		b.Fatal(err)
	}
	_ = cli.Wait()
	_ = cin.Close()
	_ = in.Close()
	_ = srv.Wait()
	return r
}

// BenchmarkRoundTrip is a QUIC echo of 64 bytes between two processes, on the plain and on the fast carrier in turn. Each
// iteration is one pair of runs; the medians are reported: -benchtime 5x is five pairs.
func BenchmarkRoundTrip(b *testing.B) {
	for _, p := range places {
		b.Run(p.name, func(b *testing.B) {
			if p.client >= 0 && runtime.NumCPU() < 2 {
				b.Skip("one CPU")
			}
			for range p.burners {
				cmd, in, _ := start(b, "burner", job{CPU: -1}, 1)
				defer func() { _ = in.Close(); _ = cmd.Wait() }()
			}
			got := map[string][]result{}
			names := []string{"plain", "parked", "fast"}
			for b.Loop() {
				for _, c := range names {
					got[c] = append(got[c], runOnce(b, p, c, 400*time.Millisecond))
				}
			}
			b.ReportMetric(0, "ns/op")
			med := func(c string, f func(result) float64) float64 {
				var v []float64
				for _, r := range got[c] {
					v = append(v, f(r))
				}
				slices.Sort(v)
				return v[len(v)/2]
			}
			for _, c := range names {
				b.ReportMetric(med(c, func(r result) float64 { return float64(r.P50) / 1e3 }), c+"-p50-µs")
				b.ReportMetric(med(c, func(r result) float64 { return r.Calls / 1e3 }), c+"-kcalls/s")
			}
			if os.Getenv("CARRIER_BENCH_V") != "" {
				for _, c := range names {
					for _, r := range got[c] {
						b.Logf("%s %+v", c, r)
					}
				}
			}
		})
	}
}
