package via

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Arrival is what an agent was given on its way.
type Arrival struct {
	Secret []byte
	Index  int // of its host in the job
	// Lifeline is a stream that ends when the launcher's client is gone: stdin, which must not be closed or read by others. It is nil
	// where stdin says nothing of that kind, as under mpirun.
	Lifeline *os.File
	// Scheduler is what has placed it, for a person: "Slurm job 4711". "" where nothing says so.
	Scheduler string
}

// How an agent gets its secret: the beginning of the value of Env.
const (
	byStdin = "stdin"
	byFile  = "file:"
)

// Arrive reads what the launcher has for an agent, which is told by Env where: stdin or file:PATH, and then perhaps #N, the index
// of its host; without that the scheduler's environment tells. Whoever calls it removes Env from the environment of the processes
// that it starts.
//
// From then on it is an error to print where nobody reads any more, and not the end of the process, as it is for other programs: what
// an agent prints goes to the launcher's client, and when that is gone the agent has its workers to end.
func Arrive(lookup func(string) (string, bool)) (*Arrival, error) {
	outliveStdout()
	return arrive(lookup, os.Stdin)
}

func arrive(lookup func(string) (string, bool), stdin *os.File) (*Arrival, error) {
	value, ok := lookup(Env)
	if !ok {
		return nil, fmt.Errorf("%s is not set: this process was not started by a launcher", Env)
	}
	a := &Arrival{Index: -1, Scheduler: scheduler(lookup)}
	if i := strings.LastIndexByte(value, '#'); i >= 0 {
		if n, err := strconv.Atoi(value[i+1:]); err == nil && n >= 0 && n < maxHosts {
			a.Index, value = n, value[:i]
		}
	}
	if a.Index < 0 {
		var err error
		if a.Index, err = placed(lookup); err != nil {
			return nil, err
		}
	}
	var err error
	path, file := strings.CutPrefix(value, byFile)
	switch {
	case value == byStdin:
		a.Lifeline = stdin
		a.Secret, err = secretWithin(stdin, secretTime)
	case file && path != "":
		a.Secret, err = secretOf(path)
	default:
		err = fmt.Errorf("%s=%s is neither %s nor %sPATH", Env, clean.OneLine(value, 100), byStdin, byFile)
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// appendSecret is a secret as readSecret reads it.
func appendSecret(to, secret []byte) []byte {
	return append(binary.BigEndian.AppendUint32(to, uint32(len(secret))), secret...)
}

// secretTime is how long a launcher has for sending a secret, which it does at once when the program has been started.
const secretTime = 30 * time.Second

// secretWithin is readSecret that does not wait for ever: of a secret that was cut short on the way the rest never comes.
func secretWithin(r io.Reader, limit time.Duration) ([]byte, error) {
	type result struct {
		b   []byte
		err error
	}
	got := make(chan result, 1)
	go func() {
		b, err := readSecret(r)
		got <- result{b, err}
	}()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case g := <-got:
		return g.b, g.err
	case <-late.C:
		return nil, fmt.Errorf("the secret has not come whole on stdin within %v: something on the way has taken bytes of it", limit)
	}
}

// readSecret reads no further than the secret.
func readSecret(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, noSecret(err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > MaxSecret {
		return nil, fmt.Errorf("a secret of %d bytes on stdin is over the limit of %d: this is not what a launcher sends", n, MaxSecret)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, noSecret(err)
	}
	return b, nil
}

func noSecret(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("stdin ended before the secret had come: the launcher, or its client, is gone")
	}
	return fmt.Errorf("read the secret from stdin: %w", err)
}

// secretOf reads a secret's file, which nobody else may read.
func secretOf(path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // a pipe would not even open
		return nil, fmt.Errorf("the secret %s is no file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the secret: %w; the folder must be shared with this host", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the secret: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("the secret %s is no file", path)
	case info.Size() > MaxSecret:
		return nil, fmt.Errorf("the secret %s has %d bytes, over the limit of %d", path, info.Size(), MaxSecret)
	}
	if err := private(info); err != nil {
		return nil, fmt.Errorf("the secret %s is not used: %w", path, err)
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxSecret+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the secret: %w", err)
	case len(b) > MaxSecret:
		return nil, fmt.Errorf("the secret %s is over the limit of %d bytes", path, MaxSecret)
	}
	return b, nil
}

// ranks are the variables in which schedulers tell one of several processes which it is, one per host. The first that is set counts:
// a step of Slurm may have been started by mpirun, whose own counting is then the inner one.
var ranks = []string{"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_NODEID", "SLURM_PROCID", "JOB_COMPLETION_INDEX"}

// placed is the index of this host, as the scheduler tells it.
func placed(lookup func(string) (string, bool)) (int, error) {
	for _, name := range ranks {
		v, ok := lookup(name)
		if !ok {
			continue
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n >= maxHosts {
			return 0, fmt.Errorf("%s=%s is no index of a host", name, clean.OneLine(v, 40))
		}
		return n, nil
	}
	return 0, fmt.Errorf("nothing tells which host of the job this is: none of %s is set", strings.Join(ranks, ", "))
}

// scheduler names what has placed this process.
func scheduler(lookup func(string) (string, bool)) string {
	for _, s := range []struct{ name, title string }{
		{"SLURM_JOB_ID", "Slurm job "}, {"PBS_JOBID", "PBS job "}, {"LSB_JOBID", "LSF job "}, {"FLUX_JOB_ID", "Flux job "},
		{"JOB_COMPLETION_INDEX", "Kubernetes pod "}, {"OMPI_COMM_WORLD_RANK", "Open MPI rank "},
	} {
		v, ok := lookup(s.name)
		if !ok {
			continue
		}
		if s.name == "JOB_COMPLETION_INDEX" {
			if pod, ok := lookup("HOSTNAME"); ok {
				v = pod
			}
		}
		return s.title + clean.Name(v, 80)
	}
	return ""
}
