package gpu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// smiBytes is what nvidia-smi may say.
const smiBytes = 1 << 20

// smi asks the program nvidia-smi.
type smi struct {
	path  string
	guard *guard
	drop  map[string]bool // fields that it does not know; guarded by Finder, which asks one thing at a time
}

func newSMI(path string) *smi {
	return &smi{path: path, guard: newGuard("nvidia-smi"), drop: map[string]bool{}}
}

var _ Source = (*smi)(nil)

// Name implements Source.
func (s *smi) Name() string { return "nvidia-smi" }

// Close implements Source.
func (s *smi) Close() {}

// Devices implements Source.
func (s *smi) Devices(ctx context.Context) ([]Device, error) {
	rows, err := s.query(ctx)
	if err != nil {
		return nil, err
	}
	return s.withInstances(ctx, rows)
}

// withInstances asks for the instances, where a GPU is in MIG mode.
func (s *smi) withInstances(ctx context.Context, rows []row) ([]Device, error) {
	var devices []Device
	mig := false
	for _, r := range rows {
		devices = append(devices, r.Device)
		mig = mig || r.MIG
	}
	if !mig {
		return devices, nil
	}
	out, err := s.run(ctx, "-L")
	if err != nil {
		return nil, err
	}
	return devices, addInstances(devices, out)
}

// Samples implements Source. What is measured of a GPU is said of its instances too, but for memory and work, which are not
// told of them.
func (s *smi) Samples(ctx context.Context) (map[string]Sample, error) {
	rows, err := s.query(ctx)
	if err != nil {
		return nil, err
	}
	devices, err := s.withInstances(ctx, rows)
	if err != nil {
		return nil, err
	}
	samples := map[string]Sample{}
	for i, r := range rows {
		samples[r.UUID] = r.Sample
		for _, in := range devices[i].Instances {
			part := r.Sample
			part.Used, part.Total, part.Busy = 0, 0, -1
			samples[in.UUID] = part
		}
	}
	return samples, nil
}

// query asks for all fields. A field that this nvidia-smi does not know is left out from then on, if we can do without it.
func (s *smi) query(ctx context.Context) ([]row, error) {
	for {
		fields := s.fields()
		out, err := s.run(ctx, "--query-gpu="+strings.Join(fields, ","), "--format=csv,noheader,nounits")
		if unknown, ok := errors.AsType[*fieldError](err); ok && unknown.optional(fields) {
			s.drop[unknown.field] = true
			continue
		}
		if err != nil {
			return nil, err
		}
		return parseRows(fields, out)
	}
}

func (s *smi) fields() []string {
	var out []string
	for _, f := range append(needed(), optional()...) {
		if !s.drop[f] {
			out = append(out, f)
		}
	}
	return out
}

// run runs nvidia-smi and returns what it printed.
func (s *smi) run(ctx context.Context, args ...string) (string, error) {
	return within(ctx, s.guard, func(ctx context.Context) (string, error) { return runBounded(ctx, s.path, args) })
}

// runBounded runs a program in the language that we read and in a group of its own, which is killed with ctx.
func runBounded(ctx context.Context, path string, args []string) (string, error) {
	runtime.LockOSThread() // the program ends with its thread (pdeathsig), so that a controller that is killed leaves none behind
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // nvidia-smi, as PATH has it
	cmd.Env = append(os.Environ(), "LC_ALL=C", "LANGUAGE=C")
	cmd.WaitDelay = askGrace
	ownGroup(cmd)
	var out limited
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	switch {
	case out.over:
		return "", fmt.Errorf("nvidia-smi said more than %d KiB", smiBytes>>10)
	case err != nil:
		return "", explain(out.kept.String(), err)
	}
	return out.kept.String(), saysNone(out.kept.String())
}

// limited keeps what is written to it, and ends the writer when that is too much. It embeds no buffer, whose ReadFrom would be
// used instead of Write.
type limited struct {
	kept bytes.Buffer
	over bool
}

func (l *limited) Write(b []byte) (int, error) {
	if l.kept.Len()+len(b) > smiBytes {
		l.over = true
		return 0, errors.New("too much")
	}
	return l.kept.Write(b)
}

// explain makes an error of a run that failed.
func explain(out string, err error) error {
	if none := saysNone(out); none != nil {
		return none
	}
	if f := unknownField(out); f != nil {
		return f
	}
	if said := firstLine(out); said != "" {
		return fmt.Errorf("nvidia-smi failed: %s", said)
	}
	return fmt.Errorf("nvidia-smi failed: %w", err)
}

// saysNone is a *NoneError where nvidia-smi says that there are no devices, or no driver for them: it is part of images that
// run on machines without GPUs too.
func saysNone(out string) error {
	for _, text := range []string{"No devices were found", "couldn't communicate with the NVIDIA driver", "couldn't find libnvidia-ml.so"} {
		if strings.Contains(out, text) {
			return &NoneError{"nvidia-smi: " + firstLine(out)}
		}
	}
	return nil
}

// firstLine is the first sentence that says something, safe to show.
func firstLine(out string) string {
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" {
			return strings.TrimSuffix(clean.OneLine(line, 200), ".")
		}
	}
	return ""
}
