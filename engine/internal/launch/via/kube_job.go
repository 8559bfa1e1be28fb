package via

import (
	"cmp"
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
	id      kubeID
	spec    Spec
	room    chan struct{} // for copying
	reading chan struct{} // room for reading what was printed last
	copied  chan copied

	hosts []kubeHost // of run's goroutine

	mu      sync.Mutex // guards cancels
	cancels error
}

// kubeHost is how far a pod is.
type kubeHost struct {
	pod, pending    string
	placed, copying bool
	over, lost      bool      // lost: its node does not answer
	deleted         pod       // as it was when it was deleted
	by              time.Time // when its end is to be confirmed; zero while it was not deleted
	stopCopy        context.CancelFunc
}

// copied is the end of a copy of the program.
type copied struct {
	host  int
	bytes int64
	err   error
}

// watchTries is how often in a row a watch may end without a word before the cluster is given up.
const watchTries = 5

// podDeleted is the end of a pod of which nothing else is known.
const podDeleted = "the pod was deleted"

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
	var lost []string
	for _, h := range j.hosts {
		if h.lost {
			lost = append(lost, h.pod)
		}
	}
	if err := j.id.remove(context.WithoutCancel(j.ctx), lost); err != nil {
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
	look, words, listed := time.NewTicker(lookEvery), make(chan string, 1), make(chan listing, 1)
	defer look.Stop()
	said, looking, asked := "", false, false
	for left := len(j.hosts); left > 0; {
		select {
		case now := <-look.C:
			if !asked && slices.ContainsFunc(j.hosts, func(h kubeHost) bool { return h.late(now) }) {
				asked = true
				all.Go(func() {
					pods, err := j.id.pods(ctx)
					listed <- listing{pods, err == nil}
				})
			}
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
		case l := <-listed:
			asked = false
			left -= j.unconfirmed(&all, l)
		case w := <-pods:
			if i, ok := w.Object.index(len(j.hosts)); ok && j.heard(ctx, &all, i, &w) {
				left--
			}
		case c := <-j.copied:
			if j.arrived(&all, c) {
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
		j.over(all, i, cmp.Or(why, p.disrupted(), podDeleted), p.terminated())
		return true
	}
	if p.Metadata.Deleted != "" && h.by.IsZero() {
		h.deleted, h.by = *p, time.Now().Add(time.Duration(p.Metadata.Grace)*time.Second+kubeConfirms)
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
		ctx, h.stopCopy = context.WithCancel(ctx)
		all.Go(func() {
			n, err := j.copy(ctx, i, name)
			j.copied <- copied{i, n, err}
		})
	}
	return false
}

// arrived is the end of a copy: the pod's script starts the program as soon as it is there.
func (j *kubeJob) arrived(all *sync.WaitGroup, c copied) (ended bool) {
	h := &j.hosts[c.host]
	switch {
	case h.over:
		return false
	case c.err != nil:
		j.over(all, c.host, c.err.Error(), false)
		return true
	}
	j.event(Event{Host: c.host, State: Shipping, Name: h.pod, Bytes: c.bytes})
	j.event(Event{Host: c.host, State: Started, Name: h.pod})
	return false
}

// lastLines is how long what a pod printed last is waited for: its node may have ended with it.
const lastLines = 5 * time.Second

// over ends a host, after what its pod printed last was fetched; gone says that its agent has ended.
func (j *kubeJob) over(all *sync.WaitGroup, i int, why string, gone bool) {
	h := &j.hosts[i]
	h.end()
	pod := h.pod
	all.Go(func() {
		j.readLast(i, pod)
		j.event(Event{Host: i, State: Ended, Name: pod, Text: why, Gone: gone})
	})
}

// readLast fetches what a pod printed last, if it can be had. A few are read at a time.
func (j *kubeJob) readLast(i int, pod string) {
	select {
	case j.reading <- struct{}{}:
		defer func() { <-j.reading }()
	case <-j.ctx.Done():
		return
	}
	ctx, cancel := context.WithTimeout(j.ctx, lastLines)
	defer cancel()
	if out, err := once(ctx, nil, j.id.kubectl("logs", "pod/"+pod, fmt.Sprintf("--tail=%d", tailLines))...); err == nil {
		for line := range strings.Lines(out) {
			j.printed(i, strings.TrimSuffix(line, "\n"))
		}
	}
}

// end is the end of a host: what is still being copied there is given up.
func (h *kubeHost) end() {
	h.over = true
	if h.stopCopy != nil {
		h.stopCopy()
	}
}

// late reports whether a host's pod was to have ended by now, and nothing was heard of its end.
func (h *kubeHost) late(now time.Time) bool { return !h.over && !h.by.IsZero() && now.After(h.by) }

// listing is which pods there are, if that could be asked.
type listing struct {
	pods []pod
	ok   bool
}

// unconfirmed ends the hosts whose pods are late. Those that are listed still are their nodes' fault; of the others the end was missed.
// It reports how many.
func (j *kubeJob) unconfirmed(all *sync.WaitGroup, l listing) (ended int) {
	for i := range j.hosts {
		h := &j.hosts[i]
		switch {
		case !l.ok || !h.late(time.Now()):
			continue
		case slices.ContainsFunc(l.pods, func(p pod) bool { return p.Metadata.Name == h.pod }):
			h.end()
			h.lost = true
			j.event(Event{Host: i, State: Ended, Name: h.pod, Text: h.deleted.unconfirmed()})
		default:
			j.over(all, i, cmp.Or(h.deleted.disrupted(), podDeleted), false)
		}
		ended++
	}
	return ended
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
