package via

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/monarch-tui/monarch-tui/engine/internal/suggest"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// execLauncher runs a command of the site's that starts one process on each host, as mpirun does. Of such a command nothing is known
// but that it runs: its stdin reaches no rank or the wrong ones, so that the secret is a file, and agents have no lifeline.
type execLauncher struct{}

var _ Launcher = execLauncher{}

// Name is exec.
func (execLauncher) Name() string { return "exec" }

const agentPlace = "{agent}"

// places are what a command may hold.
var places = []string{agentPlace, "{hosts}", "{hostlist}", "{job}", "{gpus}", "{cpus}"}

// Check says what is wrong with a Spec.
func (l execLauncher) Check(spec *Spec) error {
	if err := checkSpec(l, spec); err != nil {
		return err
	}
	command, err := splitWords(spec.Options["command"])
	switch {
	case err != nil:
		return fmt.Errorf("the option command: %w", err)
	case len(command) == 0:
		return errors.New(`via=exec needs a command: command="mpirun -n {hosts} {agent}"`)
	case command[0] == agentPlace:
		return errors.New("the command begins with {agent}: what starts that on the hosts comes before it, as in mpirun -n {hosts} {agent}")
	case !slices.Contains(command, agentPlace):
		return errors.New("the command has no word {agent}, which stands for the program with its arguments: without it no agent is started")
	}
	for _, w := range command {
		if err := checkPlaces(w, spec); err != nil {
			return err
		}
	}
	for _, o := range []string{"program", "shared"} {
		if v := spec.Options[o]; v != "" && !filepath.IsAbs(v) {
			return fmt.Errorf("%s=%s is not told by its whole path", o, clean.OneLine(v, 100))
		}
	}
	if spec.Options["program"] == "" {
		if err := checkProgram(spec.Program); err != nil {
			return err
		}
	}
	return checkInstalled(command[0], l.Name())
}

// checkPlaces says which {name} of a word is none.
func checkPlaces(word string, spec *Spec) error {
	for rest := word; ; {
		_, after, ok := strings.Cut(rest, "{")
		if !ok {
			return nil
		}
		name, behind, closed := strings.Cut(after, "}")
		place := "{" + name + "}"
		switch {
		case !closed || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "":
			rest = after // some other language's brace
			continue
		case place == "{hostlist}" && len(spec.Hosts) == 0:
			return errors.New("{hostlist} stands for the hosts' names, and none is given: hosts=n1,n2")
		case place == agentPlace && word != agentPlace:
			return errors.New("{agent} is several words, so it must stand alone: in a script of a shell use \"$@\", as in sh -c '… \"$@\"' sh {agent}")
		case !slices.Contains(places, place):
			return fmt.Errorf("the command has %s, which stands for nothing%s", clean.OneLine(place, 40), suggest.Suffix(place, places))
		}
		rest = behind
	}
}

// execArgs fills in the command.
func execArgs(spec *Spec, program, secret string) (argv []string) {
	fill := strings.NewReplacer("{hosts}", strconv.Itoa(spec.hosts()), "{hostlist}", strings.Join(spec.Hosts, ","), "{job}", spec.Job,
		"{gpus}", strconv.Itoa(spec.GPUs), "{cpus}", strconv.Itoa(spec.CPUs))
	for _, w := range words(spec, "command") {
		if w != agentPlace {
			argv = append(argv, fill.Replace(w))
			continue
		}
		argv = append(argv, "env", Env+"="+byFile+secret, program)
		argv = append(argv, spec.Program.Args...)
	}
	return argv
}

// execJob is one run of the command.
type execJob struct {
	*core
	name string // of the command
	said *tail
}

// Launch starts the command.
func (l execLauncher) Launch(ctx context.Context, spec Spec, tell func(Event)) (Job, error) {
	if err := l.Check(&spec); err != nil {
		return nil, err
	}
	j := &execJob{core: newCore(ctx, tell), name: filepath.Base(words(&spec, "command")[0]), said: &tail{}}
	go func() {
		defer j.finish()
		text := j.run(&spec)
		if j.ctx.Err() != nil {
			text = cancelled
		}
		j.event(Event{Host: -1, State: Ended, Text: text})
	}()
	return j, nil
}

// run is the command's whole life. It returns why it has ended.
func (j *execJob) run(spec *Spec) string {
	program := spec.Options["program"]
	if program == "" {
		path, copied, err := keep(j.ctx, spec)
		if err != nil {
			return err.Error()
		}
		program = path
		j.event(Event{Host: -1, State: Shipping, Bytes: copied})
	}
	secret, err := hide(spec)
	if err != nil {
		return err.Error()
	}
	defer os.Remove(secret)
	var both sync.Mutex // stdout and stderr are read by a goroutine each
	hear := func(line string) {
		j.printed(-1, line)
		both.Lock()
		defer both.Unlock()
		j.said.add(line)
	}
	c, err := j.starter.start(command{argv: execArgs(spec, program, secret), asked: true, out: hear, err: hear})
	if err != nil {
		return err.Error()
	}
	j.event(Event{Host: -1, State: Started, Text: j.name + " runs"})
	select {
	case <-c.ended:
	case <-j.ctx.Done():
		c.end(patience)
	}
	text := j.name + ": " + c.howEnded()
	if why := whyOf(j.said.last()); why != "" {
		text += ": " + why
	}
	return text
}

// Handle names the command.
func (j *execJob) Handle() string { return j.name }

// Cancel ends the command, which is to end what it has started.
func (j *execJob) Cancel(ctx context.Context) error { return j.cancel(ctx) }

// Resume is nothing: how the command's processes are found is not known.
func (j *execJob) Resume() []byte { return nil }
