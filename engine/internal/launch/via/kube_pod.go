package via

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// pod is what is read of one.
type pod struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name        string            `json:"name"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
		Deleted     string            `json:"deletionTimestamp"`          // when it is to have ended; "" while nobody has deleted it
		Grace       int               `json:"deletionGracePeriodSeconds"` // how long it has from being deleted to that
	} `json:"metadata"`
	Spec struct {
		NodeName string `json:"nodeName"`
	} `json:"spec"`
	Status struct {
		Phase      string      `json:"phase"`
		Reason     string      `json:"reason"`
		Message    string      `json:"message"`
		Conditions []condition `json:"conditions"`
		Containers []struct {
			State containerState `json:"state"`
		} `json:"containerStatuses"`
	} `json:"status"`
}

type condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

type containerState struct {
	Waiting    *containerWaits `json:"waiting"`
	Running    *struct{}       `json:"running"`
	Terminated *containerEnded `json:"terminated"`
}

type containerWaits struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

type containerEnded struct {
	Reason   string `json:"reason"`
	Message  string `json:"message"`
	ExitCode int    `json:"exitCode"`
	Signal   int    `json:"signal"`
}

// watched is one line of a watch.
type watched struct {
	Type   string `json:"type"` // ADDED, MODIFIED, DELETED, ERROR
	Object pod    `json:"object"`
}

const indexKey = "batch.kubernetes.io/job-completion-index"

// index is which host of the job a pod is.
func (p *pod) index(hosts int) (int, bool) {
	n, err := strconv.Atoi(cmp.Or(p.Metadata.Labels[indexKey], p.Metadata.Annotations[indexKey]))
	return n, err == nil && n >= 0 && n < hosts
}

// running reports whether the agent's container runs.
func (p *pod) running() bool {
	return len(p.Status.Containers) > 0 && p.Status.Containers[0].State.Running != nil
}

// pending says why a pod does not run yet, in Kubernetes' words.
func (p *pod) pending() string {
	for _, c := range p.Status.Conditions {
		if c.Type == "PodScheduled" && c.Status == "False" {
			return phrase(c.Reason, c.Message)
		}
	}
	for _, c := range p.Status.Containers {
		if w := c.State.Waiting; w != nil {
			return phrase(w.Reason, w.Message)
		}
	}
	return cmp.Or(p.Status.Phase, "Pending")
}

// over says how a pod has ended; "" while it has not.
func (p *pod) over() string {
	switch p.Status.Phase {
	case "Failed", "Succeeded":
	default:
		return ""
	}
	if p.Status.Reason != "" { // Evicted, Preempting, NodeLost
		return phrase(p.Status.Reason, p.Status.Message)
	}
	if why := p.disrupted(); why != "" {
		return why
	}
	for _, c := range p.Status.Containers {
		t := c.State.Terminated
		switch {
		case t == nil:
		case t.Signal != 0:
			return phrase(t.Reason, fmt.Sprintf("the agent was ended by signal %d", t.Signal))
		default:
			return phrase(t.Reason, cmp.Or(t.Message, fmt.Sprintf("the agent has ended with code %d", t.ExitCode)))
		}
	}
	return p.Status.Phase
}

// terminated reports whether its node has said that the pod's process has ended.
func (p *pod) terminated() bool {
	return len(p.Status.Containers) > 0 && p.Status.Containers[0].State.Terminated != nil
}

// disrupted says why Kubernetes ends a pod, or has ended it; "" where it does not.
func (p *pod) disrupted() string {
	for _, c := range p.Status.Conditions {
		if c.Type == "DisruptionTarget" && c.Status == "True" {
			return phrase(c.Reason, c.Message)
		}
	}
	return ""
}

// kubeConfirms is how long a node has to say that a pod has ended, from when it is to have ended.
const kubeConfirms = 5 * time.Second

// unconfirmed says that a node has not said that a pod has ended, which was to: it has lost its power, or is cut off.
func (p *pod) unconfirmed() string {
	text := fmt.Sprintf("node %s does not answer: it has not confirmed that pod %s, which was deleted, has ended", cmp.Or(p.Spec.NodeName, "?"), p.Metadata.Name)
	if why := p.disrupted(); why != "" {
		text += " (" + why + ")"
	}
	return text
}

// stillListed says why pods of a job that was deleted are listed still, of the first few.
func stillListed(pods []pod) error {
	var texts []string
	advice := ""
	for _, p := range pods[:min(len(pods), 3)] {
		if p.Metadata.Deleted == "" {
			texts = append(texts, "pod "+p.Metadata.Name+" is not deleted yet")
		} else {
			texts = append(texts, p.unconfirmed())
			advice = "; Kubernetes lists such a pod until its node is back, or is removed (kubectl delete node)"
		}
	}
	if more := len(pods) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %d pods more", more))
	}
	return errors.New(strings.Join(texts, "; ") + advice)
}

func phrase(reason, message string) string {
	switch {
	case message == "":
		return clean.OneLine(reason, maxText)
	case reason == "" || reason == "Error":
		return clean.OneLine(message, maxText)
	}
	return clean.OneLine(reason+": "+message, maxText)
}

// lastWords is the last of a Job's events that tells why it has no pods; they are in order. The name of a pod that was refused, which
// differs with each try, is left out.
func lastWords(events []byte, job string) string {
	var list struct {
		Items []struct {
			Reason  string `json:"reason"`
			Message string `json:"message"`
		} `json:"items"`
	}
	if json.Unmarshal(events, &list) != nil {
		return ""
	}
	for _, e := range slices.Backward(list.Items) {
		if e.Reason != "SuccessfulCreate" {
			pod := regexp.MustCompile(regexp.QuoteMeta(job) + `-\d+-[a-z0-9]+`)
			return phrase(e.Reason, pod.ReplaceAllString(e.Message, job))
		}
	}
	return ""
}

// maxPod bounds one object of a watch: the API server takes none that is larger.
const maxPod = 4 << 20

// meter bounds what is read between two resets.
type meter struct {
	r    io.Reader
	left int
}

func (m *meter) Read(b []byte) (int, error) {
	if m.left <= 0 {
		return 0, errors.New("kubectl has printed a pod without an end")
	}
	n, err := m.r.Read(b[:min(len(b), m.left)])
	m.left -= n
	return n, err
}

// readPods reads the stream of a watch to its end.
func readPods(r io.Reader, each func(watched)) error {
	m := &meter{r: r}
	in := json.NewDecoder(m)
	for {
		m.left = maxPod
		var w watched
		switch err := in.Decode(&w); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		each(w)
	}
}
