package via

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// kubeLauncher starts agents as the pods of one Indexed Job, with the user's own kubectl, so that its contexts and its ways to log in
// are used. The secret is a Secret, which pods have as a file. Pods have no lifeline: what ends them when we are gone is their lease,
// and a Job that has ended is removed by the cluster after an hour, with its Secret.
type kubeLauncher struct{}

var _ Launcher = kubeLauncher{}

// Name is kubernetes.
func (kubeLauncher) Name() string { return "kubernetes" }

// Check says what is wrong with a Spec.
func (l kubeLauncher) Check(spec *Spec) error {
	if err := checkSpec(l, spec); err != nil {
		return err
	}
	switch program := spec.Options["program"]; {
	case spec.Options["image"] == "":
		return errors.New("via=kubernetes needs an image: image=debian:12")
	case program == "":
		if spec.Program.OS != "linux" {
			return fmt.Errorf("this program is %s/%s, and pods run Linux: build one for linux, or name one in the image with program=", spec.Program.OS, spec.Program.Arch)
		}
		if err := checkProgram(spec.Program); err != nil {
			return err
		}
	case !strings.HasPrefix(program, "/"):
		return fmt.Errorf("program=%s is not told by its whole path", clean.OneLine(program, 100))
	}
	return checkInstalled("kubectl", l.Name())
}

// kubeID is what finds a job again.
type kubeID struct {
	Name  string   `json:"name"`
	Flags []string `json:"flags,omitempty"` // of kubectl: which cluster, which namespace
}

func (id kubeID) kubectl(args ...string) []string {
	return append(append([]string{"kubectl"}, id.Flags...), args...)
}

// kubeGone is how long the end of a job's pods is waited for: longer than a node that lives needs to end and confirm one.
const kubeGone = kubeGrace*time.Second + kubeConfirms

// remove deletes the Job, its pods and its Secret, and waits until they are gone. That there are none is no error. For the pods that are
// known to be lost it does not wait. What is listed still because its node does not answer is an error that says so: it is deleted, but
// Kubernetes forgets a pod only when its node has confirmed the end, or was removed.
func (id kubeID) remove(ctx context.Context, lost []string) error {
	ctx, cancel := context.WithTimeout(ctx, kubeGone+controllerAnswers)
	defer cancel()
	wait := []string{"--wait=true", "--timeout=" + kubeGone.String()}
	if len(lost) > 0 {
		wait = []string{"--wait=false"}
	}
	_, err := once(ctx, nil, id.kubectl(append([]string{"delete", "job/" + id.Name, "secret/" + id.Name, "--ignore-not-found", "--cascade=foreground"}, wait...)...)...)
	if err != nil && !strings.Contains(err.Error(), "timed out waiting") {
		return err
	}
	// A kubectl that may delete a Job and not look at it waits for nothing, and says nothing of that.
	for by := time.Now().Add(kubeGone); ; {
		pods, looked := id.pods(ctx)
		switch {
		case looked != nil:
			return cmp.Or(err, looked)
		case len(pods) == 0:
			return err
		case err != nil || allAmong(pods, lost) || time.Now().After(by):
			return stillListed(pods)
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
}

// allAmong reports whether all of some pods are among the named.
func allAmong(pods []pod, names []string) bool {
	return !slices.ContainsFunc(pods, func(p pod) bool { return !slices.Contains(names, p.Metadata.Name) })
}

// pods lists the job's pods: their names, nodes, and whether they are deleted. Of very many the whole of each would be too much.
func (id kubeID) pods(ctx context.Context) (pods []pod, err error) {
	out, err := once(ctx, nil, id.kubectl("get", "pods", "--selector="+kubeLabel+"="+id.Name,
		`--output=jsonpath={range .items[*]}{.metadata.name},{.spec.nodeName},{.metadata.deletionTimestamp}{"\n"}{end}`)...)
	for line := range strings.Lines(out) {
		var p pod
		var rest string
		p.Metadata.Name, rest, _ = strings.Cut(strings.TrimSpace(line), ",")
		p.Spec.NodeName, p.Metadata.Deleted, _ = strings.Cut(rest, ",")
		pods = append(pods, p)
	}
	return pods, err
}

func reapKube(ctx context.Context, resume []byte) error {
	var id kubeID
	if err := json.Unmarshal(resume, &id); err != nil || !kubeName().MatchString(id.Name) {
		return errors.New("this is not what a Kubernetes job was resumed by")
	}
	return id.remove(ctx, nil)
}

// Launch asks for the pods and returns; they may be pending for long.
func (l kubeLauncher) Launch(ctx context.Context, spec Spec, tell func(Event)) (Job, error) {
	if err := l.Check(&spec); err != nil {
		return nil, err
	}
	n := spec.hosts()
	j := &kubeJob{
		core: newCore(ctx, tell), spec: spec, hosts: make([]kubeHost, n), room: make(chan struct{}, atOnce), reading: make(chan struct{}, atOnce), copied: make(chan copied, n),
		id: kubeID{Name: strings.ToLower(spec.Job) + "-" + newNonce()[:6], Flags: append(flags(&spec, "context", "namespace"), words(&spec, "args")...)},
	}
	go j.run()
	return j, nil
}

// create makes the Job and the Secret. The manifest goes over stdin, and not by apply, which would keep a copy of the secret in an
// annotation.
func (j *kubeJob) create() error {
	manifest, err := kubeManifest(&j.spec, j.id.Name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(j.ctx, controllerAnswers)
	defer cancel()
	out, err := once(ctx, strings.NewReader(string(manifest)), j.id.kubectl("create", "--filename=-", `--output=jsonpath={.kind}={.metadata.uid}{"\n"}`)...)
	if err != nil {
		return err
	}
	// The Secret goes with the Job, should we not be there to delete it. Without the right to do that nothing else is lost. It comes second
	// because pods do not start without a Secret: were we killed in between, they would wait for ever with all they were given, and what is
	// left now until it is reaped is a Secret of no use.
	for line := range strings.Lines(out) {
		uid, ok := strings.CutPrefix(strings.TrimSpace(line), "Job=")
		if !ok {
			continue
		}
		patch, err := json.Marshal(object{"metadata": object{"ownerReferences": []object{
			{"apiVersion": "batch/v1", "kind": "Job", "name": j.id.Name, "uid": uid},
		}}})
		if err == nil {
			_, _ = once(ctx, nil, j.id.kubectl("patch", "secret/"+j.id.Name, "--type=merge", "--patch="+string(patch))...)
		}
	}
	return nil
}

// watch runs kubectl's watch to its end and gives each pod to each.
func (j *kubeJob) watch(ctx context.Context, each func(watched)) error {
	r, w := io.Pipe()
	said := &tail{}
	c, err := j.starter.start(command{
		argv: j.id.kubectl("get", "pods", "--selector="+kubeLabel+"="+j.id.Name, "--watch", "--output-watch-events", "--output=json"),
		raw:  w, err: said.add,
	})
	if err != nil {
		return err
	}
	over := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
			c.end(0)
		case <-c.ended:
		}
		_ = w.Close()
		close(over)
	}()
	err = readPods(r, each)
	_ = r.CloseWithError(io.ErrClosedPipe) // kubectl gets an error where it is still there
	c.signal(false)
	<-over
	if lines := said.last(); len(lines) > 0 && ctx.Err() == nil {
		return errors.New("kubectl: " + lines[len(lines)-1])
	}
	return err
}
