package carrier

import (
	"cmp"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
)

// place is where the two processes of a benchmark run.
type place struct {
	name           string
	server, client int // CPU, or -1
	procs          int // GOMAXPROCS, 0 for the default
	burners        int // processes that keep the machine busy
}

func places() []place {
	busy := runtime.NumCPU()
	return []place{
		{"same", 0, 0, 0, 0}, {"split", 0, 1, 0, 0}, {"free", -1, -1, 0, 0}, {"free-1P", -1, -1, 1, 0},
		{"busy", -1, -1, 0, busy}, {"busy-1P", -1, -1, 1, busy},
	}
}

// carriers are measured in turn, so that what else the machine does meets all of them.
var carriers = []string{"plain", "parked", "fast"}

// BenchmarkRoundTrip is a QUIC echo of 64 bytes between two processes, one call after the other. Each iteration runs every
// carrier once, for 400 ms; the medians are reported, and the medians of the ratios of runs that followed each other.
// -benchtime 5x makes five; the shorter p50 and the higher calls/s are better.
func BenchmarkRoundTrip(b *testing.B) {
	for _, p := range places() {
		b.Run(p.name, func(b *testing.B) {
			if p.client > 0 && runtime.NumCPU() < 2 {
				b.Skip("one CPU")
			}
			for range p.burners {
				cmd, in, _ := start(b, "burner", job{CPU: -1}, 1)
				defer func() { _ = in.Close(); _ = cmd.Wait() }()
			}
			var runs [][]result // by iteration and carrier
			for b.Loop() {
				var row []result
				for _, c := range carriers {
					row = append(row, runOnce(b, p, c, 400*time.Millisecond))
				}
				runs = append(runs, row)
				b.Logf("plain %+v\nparked %+v\nfast %+v", row[0], row[1], row[2])
			}
			report(b, runs)
		})
	}
}

func report(b *testing.B, runs [][]result) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	micros := func(d time.Duration) float64 { return float64(d) / 1e3 }
	for i, c := range carriers {
		b.ReportMetric(median(runs, func(r []result) float64 { return micros(r[i].P50) }), c+"-p50-µs")
		b.ReportMetric(median(runs, func(r []result) float64 { return micros(r[i].P99) }), c+"-p99-µs")
		b.ReportMetric(median(runs, func(r []result) float64 { return r[i].Calls / 1e3 }), c+"-kcalls/s")
		b.ReportMetric(median(runs, func(r []result) float64 { return micros(r[i].CPU) }), c+"-client-CPU-µs/call")
		b.ReportMetric(median(runs, func(r []result) float64 { return micros(r[i].Idle) * 4 }), c+"-idle-CPU-µs/s")
	}
	b.ReportMetric(median(runs, func(r []result) float64 { return float64(r[2].P50) / float64(r[0].P50) }), "fast/plain-p50")
	b.ReportMetric(median(runs, func(r []result) float64 { return r[2].Calls / r[0].Calls }), "fast/plain-calls")
}

func median[T any](list []T, of func(T) float64) float64 {
	values := make([]float64, len(list))
	for i, v := range list {
		values[i] = of(v)
	}
	slices.SortFunc(values, cmp.Compare)
	return values[len(values)/2]
}

// runOnce is a server and a client that measures.
func runOnce(b *testing.B, p place, carrier string, d time.Duration) (r result) {
	b.Helper()
	srv, in, out := start(b, "server", job{Carrier: carrier, CPU: p.server}, p.procs)
	defer func() { _ = in.Close(); _ = srv.Wait() }()
	addr := make([]byte, 64)
	n, err := out.Read(addr)
	if err != nil {
		b.Fatal(err)
	}
	cli, _, out := start(b, "client", job{Carrier: carrier, CPU: p.client, Addr: strings.TrimSpace(string(addr[:n])), For: d}, p.procs)
	if err := json.NewDecoder(out).Decode(&r); err != nil {
		b.Fatal(err)
	}
	_ = cli.Wait()
	return r
}

// start starts a child; a burner or a server ends when in is closed.
func start(b *testing.B, role string, j job, procs int) (cmd *exec.Cmd, in io.WriteCloser, out io.Reader) {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	text, err := json.Marshal(j)
	if err != nil {
		b.Fatal(err)
	}
	cmd = exec.CommandContext(b.Context(), exe)
	cmd.Env = append(os.Environ(), childRole+"="+role, childRole+"_JOB="+string(text))
	if procs > 0 {
		cmd.Env = append(cmd.Env, "GOMAXPROCS="+strconv.Itoa(procs))
	}
	cmd.Stderr = os.Stderr
	if in, err = cmd.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	if out, err = cmd.StdoutPipe(); err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return cmd, in, out
}

// BenchmarkUDP is an echo between two goroutines, without QUIC.
func BenchmarkUDP(b *testing.B) {
	for _, name := range carriers {
		b.Run(name, func(b *testing.B) {
			a, err := Listen("127.0.0.1:0", options(name))
			if err != nil {
				b.Fatal(err)
			}
			defer a.Close()
			c, err := Listen("127.0.0.1:0", options(name))
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			go func() {
				ms := []ipv4.Message{{Buffers: [][]byte{make([]byte, 1500)}, OOB: make([]byte, 128)}}
				for {
					if _, err := c.ReadBatch(ms, 0); err != nil {
						return
					}
					_, _ = c.WriteTo(ms[0].Buffers[0][:ms[0].N], ms[0].Addr)
				}
			}()
			ms := []ipv4.Message{{Buffers: [][]byte{make([]byte, 1500)}, OOB: make([]byte, 128)}}
			packet := counted(64)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.WriteTo(packet, c.LocalAddr()); err != nil {
					b.Fatal(err)
				}
				if _, err := a.ReadBatch(ms, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
