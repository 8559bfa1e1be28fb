package via

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/internal/suggest"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// slurmLauncher starts agents with one srun. Slurm places them, and no more: what fails is left to run by its flags, because
// supervision is ours. It is ended with scancel; a signal to srun would kill its tasks at once. Within an allocation (salloc, sbatch)
// the agents are a step of it, and only that step is ever cancelled.
type slurmLauncher struct{}

var _ Launcher = slurmLauncher{}

// Name is slurm.
func (slurmLauncher) Name() string { return "slurm" }

// srunFlags are options that srun has under the same name.
var srunFlags = []string{"partition", "account", "time", "qos", "constraint", "reservation", "exclude"}

// The values of the option ship.
const (
	shipAuto   = "auto"
	shipShared = "shared"
	shipSbcast = "sbcast"
)

// Check says what is wrong with a Spec.
func (l slurmLauncher) Check(spec *Spec) error {
	if err := checkSpec(l, spec); err != nil {
		return err
	}
	ways := []string{shipAuto, shipShared, shipSbcast}
	switch s := spec.Options["ship"]; s {
	case "", shipAuto, shipShared, shipSbcast:
	default:
		return fmt.Errorf("ship=%s is none of the ways to get the program there%s", clean.OneLine(s, 40), suggest.Suffix(s, ways))
	}
	if err := checkProgram(spec.Program); err != nil {
		return err
	}
	for _, c := range []string{"srun", "squeue", "scancel"} {
		if err := checkInstalled(c, l.Name()); err != nil {
			return err
		}
	}
	return nil
}

// slurmEnv are settings of a user's that would change what srun prints, or give stdin to one task only.
var slurmEnv = []string{"SLURM_LABELIO", "SLURM_STDINMODE", "SLURM_STDOUTMODE", "SLURM_STDERRMODE", "SLURM_UNBUFFEREDIO"}

// srunArgs is the client. The name is unique, because until srun says its number a job is found by name.
func srunArgs(spec *Spec, name string) []string {
	n := strconv.Itoa(spec.hosts())
	argv := []string{
		"srun", "--job-name=" + name, "--nodes=" + n, "--ntasks=" + n, "--ntasks-per-node=1", "--kill-on-bad-exit=0", "--no-kill", "--wait=0",
		"--input=all", "--chdir=/",
	}
	if spec.GPUs > 0 {
		argv = append(argv, "--gpus-per-node="+strconv.Itoa(spec.GPUs))
	}
	if spec.CPUs > 0 {
		argv = append(argv, "--cpus-per-task="+strconv.Itoa(spec.CPUs))
	}
	argv = append(argv, flags(spec, srunFlags...)...)
	if len(spec.Hosts) > 0 {
		argv = append(argv, "--nodelist="+strings.Join(spec.Hosts, ","))
	}
	argv = append(argv, words(spec, "args")...)
	return append(argv, shell...)
}

// slurmID is what finds a job again.
type slurmID struct {
	Name    string `json:"name"`
	Job     string `json:"job,omitempty"`     // its number, once it is known
	Step    string `json:"step,omitempty"`    // within an allocation of the user's: JOB.STEP
	Within  string `json:"within,omitempty"`  // the user's allocation
	Cluster string `json:"cluster,omitempty"` // "": the usual one
}

// cluster has a client of Slurm ask the job's cluster.
func (id slurmID) cluster(argv ...string) []string {
	if id.Cluster != "" {
		argv = append(argv, "--clusters="+id.Cluster)
	}
	return argv
}

// uid is who asks, for Slurm's lists.
func uid() string { return strconv.Itoa(os.Getuid()) }

// controllerAnswers is how long an answer of Slurm's controller is waited for; a busy one takes many seconds.
const controllerAnswers = 30 * time.Second

// Launch starts srun and returns; it may wait in the queue for long.
func (l slurmLauncher) Launch(ctx context.Context, spec Spec, tell func(Event)) (Job, error) {
	if err := l.Check(&spec); err != nil {
		return nil, err
	}
	j := newSlurmJob(ctx, spec, tell)
	go j.run()
	return j, nil
}

// scancel has Slurm end a job or a step. That there is none any more is no error.
func (id slurmID) scancel(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, controllerAnswers)
	defer cancel()
	argv := id.cluster("scancel", "--quiet")
	switch {
	case id.Step != "":
		argv = append(argv, id.Step)
	case id.Within != "":
		return nil // a step that has not begun has no number; srun gives it up when it is told to
	default: // the name covers a job whose number is not known yet
		argv = append(argv, "--user="+uid(), "--name="+id.Name)
	}
	_, err := once(ctx, nil, argv...)
	if err != nil && (strings.Contains(err.Error(), "Invalid job id") || strings.Contains(err.Error(), "already completing or completed")) {
		return nil
	}
	return err
}

// listed reports whether Slurm still has something to end.
func (id slurmID) listed(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, controllerAnswers)
	defer cancel()
	if id.Within != "" {
		out, err := once(ctx, nil, id.cluster("squeue", "--noheader", "--steps", "--jobs="+id.Within, "--format=%i|%j")...)
		for line := range strings.Lines(out) {
			if _, name, _ := strings.Cut(strings.TrimSpace(line), "|"); name == id.Name {
				return true, err
			}
		}
		return false, err
	}
	rows, err := id.queue(ctx)
	for _, r := range rows {
		if r.state != "COMPLETING" {
			return true, err
		}
	}
	return false, err
}

func reapSlurm(ctx context.Context, resume []byte) error {
	var id slurmID
	if err := json.Unmarshal(resume, &id); err != nil || !jobName().MatchString(id.Name) {
		return errors.New("this is not what a Slurm job was resumed by")
	}
	for {
		if err := id.scancel(ctx); err != nil {
			return err
		}
		switch more, err := id.listed(ctx); {
		case err != nil:
			return err
		case !more:
			return nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
