package via

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// kubeName is a name that Kubernetes takes for a Job, and for the labels of its pods.
var kubeName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`) })

// kubeJob is a Job and its pods.
type kubeJob struct {
	*core
	id     kubeID
	spec   Spec
	room   chan struct{} // for copying
	copied chan copied

	hosts []kubeHost // of run's goroutine

	mu      sync.Mutex // guards cancels
	cancels error
}

// kubeHost is how far a pod is.
type kubeHost struct {
	pod, pending    string
	placed, copying bool
	over            bool
}

// copied is the end of a copy of the program.
type copied struct {
	host  int
	bytes int64
	err   error
}

// watchTries is how often in a row a watch may end without a word before the cluster is given up.
const watchTries = 5

// lookEvery is how often is asked why there are no pods, while there are none.
const lookEvery = 2 * time.Second

// run is the job's whole life.
func (j *kubeJob) run() {
	defer j.finish()
	text := "all pods have ended"
	err := j.create()
	if err != nil && j.ctx.Err() == nil {
		j.event(Event{Host: -1, State: Ended, Text: err.Error()}) // now: what follows may take its time where there is no cluster
	} else if err == nil {
		err = j.follow()
	}
	if err != nil {
		text = err.Error()
	}
	if j.ctx.Err() != nil {
		text = cancelled
	}
	if err := j.id.remove(context.WithoutCancel(j.ctx)); err != nil {
		j.mu.Lock()
		j.cancels = fmt.Errorf("cancel %s: %w", j.Handle(), err)
		j.mu.Unlock()
	}
	for i := range j.hosts {
		j.event(Event{Host: i, State: Ended, Name: j.hosts[i].pod, Text: text})
	}
	j.event(Event{Host: -1, State: Ended, Text: text})
}

// follow hears the pods until all have ended, or the job is cancelled.
func (j *kubeJob) follow() error {
	ctx, stop := context.WithCancel(j.ctx)
	pods, failed := make(chan watched), make(chan error, 1)
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	all.Go(func() { failed <- j.watches(ctx, pods) })
	look, words := time.NewTicker(lookEvery), make(chan string, 1)
	defer look.Stop()
	said, looking := "", false
	for left := len(j.hosts); left > 0; {
		select {
		case <-look.C:
			if !looking && slices.ContainsFunc(j.hosts, func(h kubeHost) bool { return h.pod == "" }) {
				looking = true
				all.Go(func() { words <- j.withoutPods(ctx) })
			}
		case why := <-words:
			looking = false
			if why != "" && why != said {
				said = why
				j.event(Event{Host: -1, State: Queued, Text: why})
			}
		case w := <-pods:
			if i, ok := w.Object.index(len(j.hosts)); ok && j.heard(ctx, &all, i, &w) {
				left--
			}
		case c := <-j.copied:
			if j.arrived(c) {
				left--
			}
		case err := <-failed:
			return err
		}
	}
	return nil
}

// watches watches again when a watch ends, as it does after a while.
func (j *kubeJob) watches(ctx context.Context, pods chan<- watched) error {
	for tries := 0; ; tries++ {
		err := j.watch(ctx, func(w watched) {
			tries = 0
			select {
			case pods <- w:
			case <-ctx.Done():
			}
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case tries >= watchTries && err != nil:
			return fmt.Errorf("watch the pods: %w", err)
		case tries >= watchTries:
			return errors.New("watch the pods: kubectl ends at once and says nothing")
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

// withoutPods says why the Job has no pods yet: what was told of it last. Pods that a quota or a policy forbids are refused to the
// cluster's controller, which tries on, and not to us; and a queue such as Kueue holds the Job back.
func (j *kubeJob) withoutPods(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, controllerAnswers)
	defer cancel()
	out, err := once(ctx, nil, j.id.kubectl("get", "events", "--field-selector=involvedObject.kind=Job,involvedObject.name="+j.id.Name, "--sort-by=.lastTimestamp", "--output=json")...)
	if err != nil {
		return "" // the right to look is needed for nothing else
	}
	return lastWords([]byte(out), j.id.Name)
}

// heard is what a watch says of a pod. It reports whether the host is over.
func (j *kubeJob) heard(ctx context.Context, all *sync.WaitGroup, i int, w *watched) (ended bool) {
	h, p := &j.hosts[i], &w.Object
	if h.over {
		return false
	}
	h.pod = p.Metadata.Name
	if why := p.over(); why != "" || w.Type == "DELETED" {
		if why == "" {
			why = "the pod was deleted"
		}
		return j.over(ctx, i, why)
	}
	if p.Spec.NodeName != "" && !h.placed {
		h.placed = true
		j.event(Event{Host: i, State: Placed, Name: h.pod, Text: "on node " + p.Spec.NodeName})
	}
	switch {
	case !p.running():
		if why := p.pending(); why != h.pending {
			h.pending = why
			j.event(Event{Host: i, State: Queued, Name: h.pod, Text: why})
		}
	case j.spec.Options["program"] != "" && !h.copying:
		h.copying = true // there is nothing to copy
		j.event(Event{Host: i, State: Started, Name: h.pod})
	case !h.copying:
		h.copying = true
		name := h.pod
		all.Go(func() {
			n, err := j.copy(ctx, i, name)
			j.copied <- copied{i, n, err}
		})
	}
	return false
}

// arrived is the end of a copy: the pod's script starts the program as soon as it is there.
func (j *kubeJob) arrived(c copied) (ended bool) {
	h := &j.hosts[c.host]
	switch {
	case h.over:
		return false
	case c.err != nil:
		return j.over(j.ctx, c.host, c.err.Error())
	}
	j.event(Event{Host: c.host, State: Shipping, Name: h.pod, Bytes: c.bytes})
	j.event(Event{Host: c.host, State: Started, Name: h.pod})
	return false
}

// over ends a host, after what its pod printed last was fetched.
func (j *kubeJob) over(ctx context.Context, i int, why string) bool {
	h := &j.hosts[i]
	h.over = true
	ctx, cancel := context.WithTimeout(ctx, controllerAnswers)
	defer cancel()
	if out, err := once(ctx, nil, j.id.kubectl("logs", "pod/"+h.pod, fmt.Sprintf("--tail=%d", tailLines))...); err == nil {
		for line := range strings.Lines(out) {
			j.printed(i, strings.TrimSuffix(line, "\n"))
		}
	}
	j.event(Event{Host: i, State: Ended, Name: h.pod, Text: why})
	return true
}

// copy puts the program into a pod, by the script that does it elsewhere too.
func (j *kubeJob) copy(ctx context.Context, i int, pod string) (int64, error) {
	select {
	case j.room <- struct{}{}:
		defer func() { <-j.room }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	f, err := os.Open(j.spec.Program.Path)
	if err != nil {
		return 0, fmt.Errorf("copy the program: %w", err)
	}
	defer f.Close()
	o := order{mode: "put", nonce: newNonce(), index: "0", cache: kubePrograms, program: j.spec.Program}
	o.program.Args = nil
	argv := append([]string{"exec", "--stdin", "pod/" + pod, "--container=agent", "--"}, shell...)
	sent := &progress{r: f, told: time.Now(), tell: func(n int64) {
		j.event(Event{Host: i, State: Shipping, Name: pod, Bytes: n, Text: copying(n, j.spec.Program.Size)})
	}}
	out, err := once(ctx, io.MultiReader(strings.NewReader(o.line()), sent), j.id.kubectl(argv...)...)
	for line := range strings.Lines(out) {
		m, ok := parseMark(strings.TrimSuffix(line, "\n"), o.nonce)
		switch {
		case !ok:
		case m.word == wordHello:
			if why := parseHello(m.text).refuses(j.spec.Program); why != "" {
				return 0, errors.New(why)
			}
		case m.word == wordFail:
			return 0, errors.New(m.text)
		case m.word == wordPut:
			return j.spec.Program.Size, nil
		case m.word == wordHave:
			return 0, nil
		}
	}
	if err == nil {
		err = errors.New("the pod's sh has not said how it went")
	}
	return 0, fmt.Errorf("copy the program into pod %s: %w", pod, err)
}

// Handle names the Job.
func (j *kubeJob) Handle() string { return "Kubernetes job " + j.id.Name }

// Cancel deletes the Job and its Secret, and waits until the pods are gone.
func (j *kubeJob) Cancel(ctx context.Context) error {
	if err := j.cancel(ctx); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.cancels
}

// Resume names the Job and its cluster.
func (j *kubeJob) Resume() []byte {
	b, err := json.Marshal(j.id)
	if err != nil {
		return nil
	}
	return b
}
