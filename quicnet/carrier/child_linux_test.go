package carrier

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"golang.org/x/sys/unix"
)

// childRole says what a child of a test or a benchmark is: server, client, burner or filtered.
const childRole = "CARRIER_TEST_ROLE"

// job is what a child is told.
type job struct {
	Carrier string        // plain, parked or fast
	Addr    string        // client: of the server
	For     time.Duration // client: how long to measure
	CPU     int           // pinned to, or -1
}

// result is what a client has measured.
type result struct {
	P50, P99 time.Duration
	Calls    float64       // a second
	CPU      time.Duration // of the client, per call
	Idle     time.Duration // of the client, in a quarter of a second without calls
	Stats    Stats
}

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		child(role)
		return
	}
	os.Exit(m.Run())
}

// child is the process of a role. One that is pinned starts again, so that all threads of the runtime are.
func child(role string) {
	var j job
	must(json.Unmarshal([]byte(os.Getenv(childRole+"_JOB")), &j))
	if j.CPU >= 0 && os.Getenv(childRole+"_PINNED") == "" {
		runtime.LockOSThread()
		var set unix.CPUSet
		set.Set(j.CPU)
		must(unix.SchedSetaffinity(0, &set))
		must(os.Setenv(childRole+"_PINNED", "1"))
		exe, err := os.Executable()
		must(err)
		must(syscall.Exec(exe, os.Args, os.Environ()))
	}
	switch role {
	case "burner":
		go endWithParent()
		for n := 0; ; n++ {
			_ = n
		}
	case "server":
		serve(j)
	case "client":
		must(json.NewEncoder(os.Stdout).Encode(measure(j)))
	case "filtered":
		filtered()
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// endWithParent ends the process when its input ends.
func endWithParent() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
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

// serve answers what one stream brings.
func serve(j job) {
	c, err := Listen("127.0.0.1:0", options(j.Carrier))
	must(err)
	tr := &quic.Transport{Conn: c}
	l, err := tr.Listen(testTLS(), testQUIC())
	must(err)
	fmt.Println(c.LocalAddr())
	go endWithParent()
	q, err := l.Accept(context.Background())
	must(err)
	s, err := q.AcceptStream(context.Background())
	must(err)
	_, _ = io.Copy(s, s)
	_ = s.Close()
	select {}
}

// measure calls the server, one call after the other.
func measure(j job) result {
	c, err := Listen("127.0.0.1:0", options(j.Carrier))
	must(err)
	tr := &quic.Transport{Conn: c}
	q, err := tr.Dial(context.Background(), resolve(j.Addr), testTLS(), testQUIC())
	must(err)
	s, err := q.OpenStreamSync(context.Background())
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
	before, begin := cpuTime(), time.Now()
	for t := begin; t.Sub(begin) < j.For; {
		call()
		now := time.Now()
		times = append(times, now.Sub(t))
		t = now
	}
	r := result{Calls: float64(len(times)) / time.Since(begin).Seconds(), CPU: (cpuTime() - before) / time.Duration(len(times)), Stats: c.Stats()}
	slices.Sort(times)
	r.P50, r.P99 = times[len(times)/2], times[len(times)*99/100]
	before = cpuTime()
	time.Sleep(250 * time.Millisecond)
	r.Idle = cpuTime() - before
	_ = s.Close()
	_, _ = io.Copy(io.Discard, s) // the server has seen the end
	return r
}

// cpuTime is the time that this process has run.
func cpuTime() time.Duration {
	var ru unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &ru)
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

func resolve(addr string) net.Addr {
	a, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		panic(err)
	}
	return a
}
