package via

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// sshLauncher starts agents with the user's own ssh, so that its configuration, keys, agents and jump hosts are used. The agent's
// stdin is its lifeline: it is all that tells a host that the client here has gone.
type sshLauncher struct {
	kept *Connections // nil: each job logs in by itself
}

var _ Launcher = sshLauncher{}

// atOnce is how many hosts are connected to at a time. A jump host may be the same for all, and an sshd begins to turn connections away
// when 10 have not logged in yet (MaxStartups).
const atOnce = 8

// Name is ssh.
func (sshLauncher) Name() string { return "ssh" }

// Check says what is wrong with a Spec.
func (l sshLauncher) Check(spec *Spec) error {
	if err := checkSpec(l, spec); err != nil {
		return err
	}
	if len(spec.Hosts) == 0 {
		return errors.New("via=ssh needs the hosts' names: hosts=n1,n2")
	}
	if p := spec.Options["port"]; p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("port=%s is no port", p)
		}
	}
	if keep := spec.Options["keep"]; keep != "" && keep != "yes" && keep != "no" {
		return fmt.Errorf("keep=%s: it is yes or no", clean.OneLine(keep, 40))
	}
	if err := checkProgram(spec.Program); err != nil {
		return err
	}
	ssh, err := splitWords(spec.Options["ssh"])
	if err != nil {
		return fmt.Errorf("the option ssh: %w", err)
	}
	return checkInstalled(append(ssh, "ssh")[0], l.Name())
}

// sshJob is one client for each host.
type sshJob struct {
	*core
	spec Spec
	base []string // ssh and its flags
	room chan struct{}
	kept *Connections
	over []*connection // by host; nil: a client logs in by itself
}

// Launch starts a client for each host.
func (l sshLauncher) Launch(ctx context.Context, spec Spec, tell func(Event)) (Job, error) {
	if err := l.Check(&spec); err != nil {
		return nil, err
	}
	j := &sshJob{core: newCore(ctx, tell), spec: spec, base: sshArgs(&spec), room: make(chan struct{}, atOnce), over: make([]*connection, len(spec.Hosts))}
	if spec.Options["keep"] != "no" {
		j.kept = l.kept
	}
	var hosts sync.WaitGroup
	for i := range spec.Hosts {
		hosts.Go(func() { j.host(i) })
	}
	go func() {
		hosts.Wait()
		j.finish()
	}()
	return j, nil
}

// sshArgs is the client without a host. What a person says with args comes before what is ours, because ssh takes the first value
// of an option; but it does not overrule that nothing is asked and nothing is forwarded.
func sshArgs(spec *Spec) []string {
	argv := words(spec, "ssh")
	if len(argv) == 0 {
		argv = []string{"ssh"}
	}
	argv = append(argv, "-T", "-o", "BatchMode=yes", "-o", "RequestTTY=no", "-o", "RemoteCommand=none", "-o", "ClearAllForwardings=yes")
	if v := spec.Options["config"]; v != "" {
		if below, ok := strings.CutPrefix(v, "~/"); ok { // ssh leaves this one to the shell
			if home, err := os.UserHomeDir(); err == nil {
				v = filepath.Join(home, below)
			}
		}
		argv = append(argv, "-F", v)
	}
	argv = append(argv, words(spec, "args")...)
	for _, f := range []struct{ option, flag string }{{"port", "-p"}, {"user", "-l"}, {"identity", "-i"}} {
		if v := spec.Options[f.option]; v != "" {
			argv = append(argv, f.flag, v)
		}
	}
	// A server that hangs must not keep a launch for as long as TCP likes to try.
	return append(argv, "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4")
}

// argv is the client for a host.
func (j *sshJob) argv(host int) []string {
	argv := slices.Clone(j.base)
	if over := j.over[host]; over != nil {
		argv = append(argv, over.flags()...)
	}
	return append(argv, j.spec.Hosts[host], bootstrap)
}

// host starts the agent of a host and waits for its end.
func (j *sshJob) host(i int) {
	select {
	case j.room <- struct{}{}:
	case <-j.ctx.Done():
		j.event(Event{Host: i, State: Ended, Name: j.spec.Hosts[i], Text: cancelled})
		return
	}
	release := sync.OnceFunc(func() { <-j.room })
	defer release()
	why, gone := j.connect(i), false
	if why == "" {
		why, gone = j.run(i, release)
	}
	j.event(Event{Host: i, State: Ended, Name: j.spec.Hosts[i], Text: why, Gone: gone})
}

// connect sees to it that there is a connection that the clients of a host can go through. It returns why the host cannot be reached.
func (j *sshJob) connect(i int) string {
	conn := j.kept.get(j.ctx, j.base, j.spec.Hosts[i])
	if conn == nil {
		return ""
	}
	said := conn.last() // such as what the server says to everybody
	for _, line := range said {
		j.printed(i, line)
	}
	switch {
	case conn.err != nil:
		return conn.err.Error()
	case !conn.open:
		return j.whyEnded(conn.master, said, i, false)
	}
	j.over[i] = conn
	return ""
}

// talk is a running client whose stdout may hold marks of our script.
type talk struct {
	*client
	marks chan mark
	said  *tail // stderr
}

// begin starts a client that is given an order.
func (j *sshJob) begin(i int, c command, nonce string) (*talk, error) {
	t := &talk{marks: make(chan mark, 16), said: &tail{}}
	c.argv = j.argv(i)
	c.out = func(line string) {
		m, ok := parseMark(line, nonce)
		if !ok {
			j.printed(i, line)
			return
		}
		select {
		case t.marks <- m:
		default: // the script says far less than that: a program that knows the nonce is no script
		}
	}
	c.err = func(line string) {
		t.said.add(line)
		j.printed(i, line)
	}
	var err error
	if t.client, err = j.starter.start(c); err != nil {
		return nil, err
	}
	return t, nil
}

// next is the script's next word; ok is false when the client has ended or the job is cancelled.
func (j *sshJob) next(t *talk) (m mark, ok bool) {
	select {
	case m := <-t.marks:
		return m, true
	default:
	}
	select {
	case m := <-t.marks:
		return m, true
	case <-t.ended:
		select { // what it said last
		case m := <-t.marks:
			return m, true
		default:
			return mark{}, false
		}
	case <-j.ctx.Done():
		return mark{}, false
	}
}

// run is a host's whole life; started is called when its agent has been started. It returns why it has ended, and whether its agent
// is known to have.
func (j *sshJob) run(i int, started func()) (why string, gone bool) {
	nonce := newNonce()
	o := order{
		mode: "run", nonce: nonce, index: strconv.Itoa(i), alone: true, tag: "." + strconv.Itoa(i), cache: j.spec.Options["cache"],
		env: byStdin + "#" + strconv.Itoa(i), dir: j.spec.Dir, program: j.spec.Program,
	}
	t, err := j.begin(i, command{lifeline: true}, nonce)
	if err != nil {
		return err.Error(), false
	}
	running := false
	defer func() {
		if running { // the agent may have something to put in order
			t.end(patience)
		} else {
			t.end(0)
		}
	}()
	go func() { _, _ = io.WriteString(t.stdin, o.line()) }() // which ends with the client: until it reads, the pipe may be full
	first := j.waits(t, i)
	name := j.spec.Hosts[i]
	settled := false // a host that says more than once that it needs something is not given more
	for heard := false; ; heard = true {
		m, ok := j.next(t)
		inTime := heard || first()
		switch {
		case !ok && j.ctx.Err() != nil:
			return cancelled, false
		case !ok && !inTime && j.over[i] != nil: // such as over a connection from before this machine slept
			j.over[i] = nil
			return j.run(i, started)
		case !ok:
			return j.whyEnded(t.client, j.lastWords(t, i), i, running), running && j.agentEnded(t.client, i)
		}
		switch {
		case m.word == wordHello:
			if why := parseHello(m.text).refuses(j.spec.Program); why != "" {
				return why, false
			}
			j.event(Event{Host: i, State: Placed, Name: name})
		case m.word == wordHave && !settled:
			settled = true
			j.event(Event{Host: i, State: Shipping, Name: name})
			j.give(t, i, "")
		case m.word == wordNeed && !settled:
			settled = true
			if err := j.ship(i, o); err != nil {
				return err.Error(), false
			}
			j.event(Event{Host: i, State: Shipping, Name: name, Bytes: j.spec.Program.Size, Text: "the program was copied"})
			j.give(t, i, goAhead)
		case m.word == wordStart:
			running = true
			started()
			j.event(Event{Host: i, State: Started, Name: name})
		case m.word == wordFail:
			return m.text, false
		}
	}
}

// agentEnded reports whether a client has ended because its agent has. The code of one that was ended by a signal is that of a connection
// that is lost, which the connection itself tells apart.
func (j *sshJob) agentEnded(c *client, i int) bool {
	switch code := c.cmd.ProcessState.ExitCode(); {
	case code < 0:
		return false
	case code == 255:
		return j.over[i] != nil && j.over[i].lives()
	}
	return true
}

// waits ends a client of a kept connection that is silent for too long; heard ends that, and reports whether it was in time. A
// connection whose other end has gone without a word takes a minute to notice that (ServerAliveInterval).
func (j *sshJob) waits(t *talk, i int) (heard func() bool) {
	if j.over[i] == nil {
		return func() bool { return true }
	}
	return time.AfterFunc(j.kept.silence, func() { t.end(0) }).Stop
}

// give gives the program its secret, after what its script waits for. Afterwards stdin is its lifeline.
func (j *sshJob) give(t *talk, i int, first string) {
	b := appendSecret([]byte(first), j.spec.Secret(i))
	go func() { _, _ = t.stdin.Write(b) }() // as above
}

// ship copies the program over a connection of its own.
func (j *sshJob) ship(i int, o order) error {
	f, err := os.Open(j.spec.Program.Path)
	if err != nil {
		return fmt.Errorf("copy the program: %w", err)
	}
	defer f.Close()
	o.mode, o.nonce, o.program.Args = "put", newNonce(), nil
	sent := &progress{r: f, told: time.Now(), tell: func(n int64) {
		j.event(Event{Host: i, State: Shipping, Name: j.spec.Hosts[i], Bytes: n, Text: copying(n, j.spec.Program.Size)})
	}}
	t, err := j.begin(i, command{stdin: io.MultiReader(strings.NewReader(o.line()), sent)}, o.nonce)
	if err != nil {
		return fmt.Errorf("copy the program: %w", err)
	}
	defer t.end(0)
	for {
		m, ok := j.next(t)
		switch {
		case !ok && j.ctx.Err() != nil:
			return errors.New(cancelled)
		case !ok:
			return fmt.Errorf("copy the program: %s", j.whyEnded(t.client, j.lastWords(t, i), i, false))
		case m.word == wordFail:
			return errors.New(m.text)
		case m.word == wordPut || m.word == wordHave: // another host may have the same folder
			return nil
		}
	}
}

// lastWords is what a client that has ended said last. Where it went through a connection that has ended, that one knows why.
func (j *sshJob) lastWords(t *talk, i int) []string {
	if over := j.over[i]; over != nil && t.cmd.ProcessState.ExitCode() == 255 && over.master.within(afterExit) {
		return over.last()
	}
	return t.said.last()
}

// whyEnded is the end of a client in ssh's words, with what to do about it.
func (j *sshJob) whyEnded(c *client, said []string, i int, running bool) string {
	if why := sshAdvice(said, j.spec.Hosts[i]); why != "" {
		return why
	}
	if len(said) == 0 && !running {
		said = j.Tail(i) // a login that runs nothing says so on stdout
	}
	last := ""
	if len(said) > 0 {
		last = ": " + said[len(said)-1]
	}
	code := c.cmd.ProcessState.ExitCode()
	switch {
	case code < 0:
		return "the ssh client here, on which the agent hangs, has ended (" + c.cmd.ProcessState.String() + ")" + last
	case running && code == 255 && j.agentEnded(c, i):
		return "the agent was ended by a signal" + last
	case running && code == 255:
		return "the connection, or the agent by a signal, has ended" + last
	case running:
		return fmt.Sprintf("the agent has ended with code %d%s", code, last)
	case code == 255:
		return "ssh has not connected" + last
	}
	return fmt.Sprintf("the login shell there has not run /bin/sh: %s%s", c.howEnded(), last)
}

// Handle names the hosts.
func (j *sshJob) Handle() string { return "ssh to " + listed(j.spec.Hosts) }

// Cancel ends the clients: their stdin is closed, which agents take for the end, then they are asked, then killed.
func (j *sshJob) Cancel(ctx context.Context) error { return j.cancel(ctx) }

// Resume is nothing: agents end with their clients.
func (j *sshJob) Resume() []byte { return nil }
