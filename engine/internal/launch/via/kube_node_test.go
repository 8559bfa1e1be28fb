//go:build linux

package via

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// nodeOf is the node that host i of a job was placed on, "n1" or "n2".
func nodeOf(t *testing.T, rec *recorder, i int) string {
	t.Helper()
	return strings.TrimPrefix(rec.state(t, i, Placed).Text, "on node ")
}

// power has a node lose its power, or get it back.
func power(t *testing.T, dir, how, node string) {
	t.Helper()
	if out, err := exec.Command("testdata/k8s.sh", how, dir, strings.TrimPrefix(node, "n")).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", how, node, err, out)
	}
}

// boots has a node that lost its power come back, at the end of the test at last.
func boots(t *testing.T, dir, node string) func() {
	t.Helper()
	back := sync.OnceFunc(func() {
		power(t, dir, "boot", node)
		eventually(t, node+" does not come back", func() bool {
			return kube(t, "get", "node/"+node, "--ignore-not-found", "--output=jsonpath={.status.conditions[?(@.type=='Ready')].status} {.spec.taints}") == "True"
		})
	})
	t.Cleanup(back)
	return back
}

// onEach is a job of a pod on each node, all of whose GPUs it wants. The test ends it.
func onEach(t *testing.T) (*hall, Job, *recorder, map[int]*guest) {
	t.Helper()
	h := newHall(t)
	spec := inPod(t, program(t, h))
	spec.GPUs = 2
	j, rec := launch(t, kubeLauncher{}, spec)
	return h, j, rec, h.arrive(t, rec, 2)
}

// cancelledWithout cancels a job of which a pod is on a node without power, and says how long that took. What stays is told.
func cancelledWithout(t *testing.T, j Job, node string) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	began := time.Now()
	err := j.Cancel(ctx)
	if err == nil || !strings.HasPrefix(err.Error(), "cancel "+j.Handle()+": node "+node+" does not answer: it has not confirmed that pod ") {
		t.Errorf("it is cancelled: %v; want which node has not confirmed the end of which pod", err)
	}
	return time.Since(began)
}

// Kubernetes notices that a node is gone, and gives up its pods; the agent on the other goes on. It forgets a pod when the node is back,
// and what ran there before does not run again.
func TestKubernetesTellsThatANodeIsLost(t *testing.T) {
	dir := realKube(t)
	h, j, rec, guests := onEach(t)
	node := nodeOf(t, rec, 1)
	back := boots(t, dir, node)
	power(t, dir, "kill", node)
	why := rec.state(t, 1, Ended).Text
	if !strings.HasPrefix(why, "node "+node+" does not answer: it has not confirmed that pod "+strings.TrimPrefix(j.Handle(), "Kubernetes job ")+"-1-") ||
		!strings.HasSuffix(why, ", which was deleted, has ended (DeletionByTaintManager: Taint manager: deleting due to NoExecute taint)") {
		t.Errorf("its end is told as %q", why)
	}
	if slices.ContainsFunc(rec.all(), func(e Event) bool { return e.State == Ended && e.Host != 1 }) {
		t.Errorf("others have ended too: %v", rec.all())
	}
	if took := cancelledWithout(t, j, node); took > kubeConfirms+kubeGrace*time.Second {
		t.Errorf("that was known, and still it took %v", took)
	}
	guests[0].last(t)
	if left := ours(t); strings.Count(left, "pod/") != 1 || strings.Contains(left, "secret/") {
		t.Errorf("listed are %s; want one pod", left)
	}
	back()
	nothingLeft(t)
	if err := Reap(t.Context(), "kubernetes", j.Resume()); err != nil {
		t.Errorf("reaped when all is gone: %v", err)
	}
	if n := len(h.guests); n > 0 {
		t.Errorf("%d agents were started anew", n)
	}
}

// A node that is lost in the moment of the end: Cancel waits as long as a node that lives would need, and then says what is left. It is
// forgotten when the node is removed from the cluster.
func TestKubernetesIsCancelledWithoutANode(t *testing.T) {
	dir := realKube(t)
	_, j, rec, _ := onEach(t)
	node := nodeOf(t, rec, 0)
	back := boots(t, dir, node)
	power(t, dir, "kill", node)
	if took := cancelledWithout(t, j, node); took > kubeGone+5*time.Second {
		t.Errorf("it took %v", took)
	}
	if err := Reap(t.Context(), "kubernetes", j.Resume()); err == nil || !strings.HasPrefix(err.Error(), "node "+node+" does not answer: ") {
		t.Errorf("reaped: %v; want which node does not answer", err)
	}
	kube(t, "delete", "node/"+node)
	by := time.Now().Add(2 * limit) // Kubernetes looks for pods without nodes every 20 s, and believes it after 40
	for ours(t) != "" && time.Now().Before(by) {
		_ = pause(t.Context(), time.Second)
	}
	if left := ours(t); left != "" {
		t.Errorf("without the node there is %s", left)
	}
	back()
}
