package via

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// slurmJob is one srun, and what its tasks say.
type slurmJob struct {
	*core
	spec  Spec
	nonce string
	srun  *client
	marks chan mark
	gone  chan ending
	said  tail // srun's stderr; whole once it has ended
	hosts []slurmHost

	mu      sync.Mutex // guards what follows
	id      slurmID
	cancels error
}

// slurmHost is how far a node is.
type slurmHost struct {
	name               string
	settled            bool // it has the program, needs it, or is out
	needs, out, starts bool
	path               string // of the program, where it needs it
}

// ending is a host whose task has ended, or whose node Slurm has given up.
type ending struct {
	host int
	node string // instead of host, where Slurm names the node
	why  string
	late bool // the script's own word was waited for
}

// scriptsWord is how much later than srun's line about a task its last words may come: they take another stream.
const scriptsWord = 500 * time.Millisecond

func newSlurmJob(ctx context.Context, spec Spec, tell func(Event)) *slurmJob {
	n := spec.hosts()
	nonce := newNonce()
	return &slurmJob{
		core: newCore(ctx, tell), spec: spec, nonce: nonce, marks: make(chan mark, 8*n), gone: make(chan ending, 4*n), hosts: make([]slurmHost, n),
		id: slurmID{Name: spec.Job + "-" + nonce[:6], Within: os.Getenv("SLURM_JOB_ID"), Cluster: os.Getenv("SLURM_CLUSTERS")},
	}
}

// run is the job's whole life.
func (j *slurmJob) run() {
	defer j.finish()
	if err := j.begin(); err != nil {
		text := err.Error()
		if j.ctx.Err() != nil {
			text = cancelled
		}
		j.event(Event{Host: -1, State: Ended, Text: text})
		return
	}
	polled := make(chan struct{})
	watch, stop := context.WithCancel(j.ctx)
	go func() {
		defer close(polled)
		j.poll(watch)
	}()
	j.follow(stop)
	stop()
	<-polled
	byUs := j.ctx.Err() != nil
	if err := j.revoke(); err != nil {
		j.mu.Lock()
		j.cancels = err
		j.mu.Unlock()
	}
	<-j.srun.ended
	j.drain()
	text := cancelled
	if !byUs {
		text = j.why()
	}
	for i := range j.hosts {
		j.event(Event{Host: i, State: Ended, Name: j.hosts[i].name, Text: text})
	}
	j.event(Event{Host: -1, State: Ended, Text: text})
}

// begin puts the program where nodes may see it, and starts srun.
func (j *slurmJob) begin() error {
	if ship := j.spec.Options["ship"]; ship != shipSbcast {
		if _, _, err := keep(j.ctx, &j.spec); err != nil && ship == shipShared {
			return err
		}
	}
	o := order{mode: "run", nonce: j.nonce, cache: j.spec.Options["cache"], env: byStdin, dir: j.spec.Dir, program: j.spec.Program}
	var err error
	j.srun, err = j.starter.start(command{
		argv: srunArgs(&j.spec, j.id.Name), without: slurmEnv, lifeline: true, asked: true, out: j.stdout, err: j.stderr,
	})
	if err != nil {
		return err
	}
	go func() { _, _ = io.WriteString(j.srun.stdin, o.line()) }() // which ends with srun
	return nil
}

func (j *slurmJob) stdout(line string) {
	m, ok := parseMark(line, j.nonce)
	if !ok || m.index >= len(j.hosts) {
		j.printed(-1, line)
		return
	}
	select {
	case j.marks <- m:
	default: // no script says so much
	}
}

func (j *slurmJob) stderr(line string) {
	j.said.add(line)
	j.printed(-1, line)
	if strings.Contains(line, "Step creation temporarily disabled") { // within an allocation that others use
		j.event(Event{Host: -1, State: Queued, Text: line})
	}
	if _, node, ok := strings.Cut(line, "Node failure on "); ok {
		j.notice(ending{node: node, why: line})
	}
	hosts, why := parseTaskEnd(line)
	for _, h := range hosts {
		if h < len(j.hosts) {
			j.notice(ending{host: h, why: why})
		}
	}
}

func (j *slurmJob) notice(e ending) {
	select {
	case j.gone <- e:
	default:
	}
}

// poll tells where in the queue the job is, until it has a place.
func (j *slurmJob) poll(ctx context.Context) {
	last := ""
	for wait := 200 * time.Millisecond; pause(ctx, wait) == nil; wait = time.Second {
		id := j.known()
		if id.Within != "" {
			return // the allocation has its place, and steps do not queue where others could see it
		}
		q, text, err := id.look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			text = "the queue cannot be seen: " + err.Error()
		case q.id == "":
			continue
		default:
			j.learn(q.id, "")
		}
		if text != last {
			last = text
			j.event(Event{Host: -1, State: Queued, Text: text})
		}
	}
}

// learn keeps what finds the job again.
func (j *slurmJob) learn(job, step string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if job != "" && job != "0" {
		j.id.Job = job
	}
	if j.id.Within != "" && step != "" {
		j.id.Step = j.id.Within + "." + step
	}
}

// known is a copy of what finds the job.
func (j *slurmJob) known() slurmID {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.id
}

// follow hears the tasks until srun ends or the job is cancelled. seen is called when one has been heard.
func (j *slurmJob) follow(seen func()) {
	went := false
	for {
		select {
		case m := <-j.marks:
			seen()
			j.heard(m)
		case e := <-j.gone:
			j.taskEnded(e)
		case <-j.srun.ended:
			return
		case <-j.ctx.Done():
			return
		}
		if !went && j.settled() {
			went = true
			j.goOn()
		}
	}
}

// drain takes what was said last.
func (j *slurmJob) drain() {
	for {
		select {
		case m := <-j.marks:
			j.heard(m)
			continue
		default:
		}
		select {
		case e := <-j.gone:
			e.late = true
			j.taskEnded(e)
		default:
			return
		}
	}
}

// heard is a word of the script on a node.
func (j *slurmJob) heard(m mark) {
	h := &j.hosts[m.index]
	switch m.word {
	case wordHello:
		hi := parseHello(m.text)
		h.name = hi.node
		j.learn(hi.job, hi.step)
		if why := hi.refuses(j.spec.Program); why != "" {
			j.leave(m.index, why, false)
			return
		}
		j.event(Event{Host: m.index, State: Placed, Name: h.name})
	case wordHave:
		h.settled = true
		j.event(Event{Host: m.index, State: Shipping, Name: h.name})
	case wordNeed:
		h.settled, h.needs, h.path = true, true, m.text
	case wordStart:
		h.starts = true
		j.event(Event{Host: m.index, State: Started, Name: h.name})
	case wordFail:
		j.leave(m.index, m.text, false)
	}
}

// leave has a host take no further part; gone says that its task has ended.
func (j *slurmJob) leave(host int, why string, gone bool) {
	h := &j.hosts[host]
	h.settled, h.out = true, true
	j.event(Event{Host: host, State: Ended, Name: h.name, Text: why, Gone: gone && h.starts})
}

// taskEnded is srun's word about a task. The script's own word says more, and may come a little later.
func (j *slurmJob) taskEnded(e ending) {
	if e.node != "" {
		for i := range j.hosts {
			if h := &j.hosts[i]; h.name == e.node && !h.out {
				j.leave(i, e.why, false)
			}
		}
		return
	}
	h := &j.hosts[e.host]
	if !h.out && !h.starts && !e.late {
		e.late = true
		time.AfterFunc(scriptsWord, func() { j.notice(e) })
		return
	}
	if !h.out {
		j.leave(e.host, e.why, true)
	}
}

func (j *slurmJob) settled() bool {
	for i := range j.hosts {
		if !j.hosts[i].settled {
			return false
		}
	}
	return true
}

// goOn copies the program where it is needed, and has all nodes start it: they read the same stdin.
func (j *slurmJob) goOn() {
	if err := j.ship(); err != nil {
		for i := range j.hosts {
			if j.hosts[i].needs && !j.hosts[i].out {
				j.leave(i, err.Error(), false)
			}
		}
	}
	b := appendSecret([]byte(goAhead), j.spec.Secret(-1))
	go func() { _, _ = j.srun.stdin.Write(b) }() // which ends with srun
}

// ship has Slurm copy the program to the nodes of the job, if one needs it.
func (j *slurmJob) ship() error {
	path, node := "", ""
	for i := range j.hosts {
		if h := &j.hosts[i]; h.needs && !h.out {
			if path != "" && path != h.path {
				return fmt.Errorf("the nodes have different folders for the program (%s, %s): name one with cache=DIR", path, h.path)
			}
			path, node = h.path, h.name
		}
	}
	if path == "" {
		return nil
	}
	if j.spec.Options["ship"] == shipShared {
		return fmt.Errorf("%s has no %s: the folder is not shared with this machine; name one that is with cache=DIR, or take ship=sbcast", node, path)
	}
	to := strings.TrimSuffix(path, "/"+baseOf(j.spec.Program)) + "/.new." + j.nonce
	if !strings.HasPrefix(to, "/") || !strings.Contains(to, sumHex(j.spec.Program)) {
		return errors.New("a node has named a folder for the program that is none of ours: " + path)
	}
	id := j.known()
	if _, err := once(j.ctx, nil, id.cluster("sbcast", "--force", "--jobid="+id.Job, j.spec.Program.Path, to)...); err != nil {
		return fmt.Errorf("copy the program: %w", err)
	}
	for i := range j.hosts {
		if h := &j.hosts[i]; h.needs && !h.out {
			j.event(Event{Host: i, State: Shipping, Name: h.name, Bytes: j.spec.Program.Size, Text: "Slurm has copied the program (sbcast)"})
		}
	}
	return nil
}

// why is how the job has ended, in Slurm's words.
func (j *slurmJob) why() string {
	id := j.known()
	text := whyOf(j.said.last())
	if id.Job == "" || id.Within != "" {
		if text == "" {
			return "srun: " + j.srun.howEnded()
		}
		return text
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(j.ctx), controllerAnswers)
	defer cancel()
	state, reason := id.final(ctx)
	out := fmt.Sprintf("Slurm job %s: %s", id.Job, state)
	if reason != "" && reason != "None" {
		out += " (" + reason + ")"
	}
	if text != "" {
		out += ": " + text
	}
	return out
}

// final is a job's last state. While its nodes are put in order it is only known to be completing, which is not waited for long: a
// site's epilog may take minutes.
func (id slurmID) final(ctx context.Context) (state, reason string) {
	for range 30 {
		shown, err := once(ctx, nil, id.cluster("scontrol", "show", "job", id.Job)...)
		state, reason = stateOf(shown)
		if err != nil || state != "COMPLETING" || pause(ctx, 100*time.Millisecond) != nil {
			break
		}
	}
	if state == "" || state == "COMPLETING" {
		state = "ended"
	}
	return state, reason
}

// revoke has Slurm end what it still has of the job, and ends srun. It is also for an srun that was killed while it waited: Slurm
// keeps such a job in the queue, and later runs it for nobody.
func (j *slurmJob) revoke() error {
	_ = j.srun.stdin.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(j.ctx), 2*controllerAnswers)
	defer cancel()
	begun := time.Now()
	for {
		id := j.known()
		more, err := id.listed(ctx)
		if err == nil && more {
			err = id.scancel(ctx)
		}
		over := false
		select {
		case <-j.srun.ended:
			over = true
		default:
		}
		switch since := time.Since(begun); {
		case over && err == nil && !more:
			return nil
		case ctx.Err() != nil || over && err != nil:
			j.srun.signal(true)
			return fmt.Errorf("cancel %s: %w", j.Handle(), err)
		case !over && since > 3*patience:
			j.srun.signal(true)
		case !over && (!more || since > 2*patience): // it has not asked for its job yet, or Slurm does not answer
			j.srun.signal(false)
		}
		_ = pause(ctx, 100*time.Millisecond)
	}
}

// Handle is the job's number.
func (j *slurmJob) Handle() string {
	switch id := j.known(); {
	case id.Step != "":
		return "Slurm step " + id.Step
	case id.Within != "":
		return "a step of Slurm job " + id.Within
	case id.Job != "":
		return "Slurm job " + id.Job
	default:
		return "Slurm job " + id.Name
	}
}

// Cancel has Slurm end the job, whether it waits or runs.
func (j *slurmJob) Cancel(ctx context.Context) error {
	if err := j.cancel(ctx); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.cancels
}

// Resume names the job.
func (j *slurmJob) Resume() []byte {
	b, err := json.Marshal(j.known())
	if err != nil {
		return nil
	}
	return b
}
