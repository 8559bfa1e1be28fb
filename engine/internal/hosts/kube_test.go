//go:build linux

package hosts

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// onKube are the options of a mesh on the Kubernetes that make test-k8s has made, whose image has this program; elsewhere the test is left
// out. At its end nothing may be left.
func onKube(t *testing.T) []engine.ProcOption {
	t.Helper()
	dir := os.Getenv("VIA_K8S")
	if dir == "" {
		t.Skip("make test-k8s runs it: it needs root, and builds Kubernetes")
	}
	t.Setenv("KUBECONFIG", filepath.Join(dir, "kubeconfig"))
	t.Setenv("XDG_STATE_HOME", t.TempDir()) // where it is noted what could not be ended
	t.Cleanup(func() { noneOfOurs(t, 60*time.Second) })
	return []engine.ProcOption{engine.Dim("hosts", 2), engine.Dim("gpus", 2), engine.Via("kubernetes", "image", "debian:12", "program", self(t))}
}

func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// kubectl runs it.
func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("kubectl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// noneOfOurs waits until Kubernetes lists nothing of ours, and its nodes run nothing.
func noneOfOurs(t *testing.T, within time.Duration) {
	t.Helper()
	isEmpty(t, within, "Kubernetes lists", func() string {
		return kubectl(t, "get", "jobs,pods,secrets", "--selector=monarch-tui/job", "--output=name")
	})
	for _, node := range []string{"n1", "n2"} {
		isEmpty(t, 10*time.Second, node+" runs", func() string {
			if pids := inPods(t, node); len(pids) > 0 {
				return fmt.Sprint(pids)
			}
			return ""
		})
	}
}

// inPods are the processes of a node's pods: by their number there the one that they have on this machine.
func inPods(t *testing.T, node string) map[int]int {
	t.Helper()
	out, err := exec.Command("ip", "netns", "pids", "kube"+strings.TrimPrefix(node, "n")).Output()
	if err != nil {
		t.Fatal(err)
	}
	pids := map[int]int{}
	for pid := range strings.FieldsSeq(string(out)) {
		b, _ := os.ReadFile("/proc/" + pid + "/status") // it may have ended
		_, rest, _ := strings.Cut(string(b), "\nNSpid:")
		line, _, _ := strings.Cut(rest, "\n")
		if f := strings.Fields(line); len(f) == 2 {
			there, _ := strconv.Atoi(f[1])
			pids[there], _ = strconv.Atoi(f[0])
		}
	}
	return pids
}

// nodes are those of the hosts of the one mesh that there is.
func nodes(t *testing.T) [2]string {
	t.Helper()
	var list struct {
		Items []struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct{ NodeName string }
		}
	}
	if err := json.Unmarshal([]byte(kubectl(t, "get", "pods", "--selector=monarch-tui/job", "--output=json")), &list); err != nil || len(list.Items) != 2 {
		t.Fatalf("%d pods (%v), want two", len(list.Items), err)
	}
	var on [2]string
	for _, p := range list.Items {
		i, err := strconv.Atoi(p.Metadata.Labels["batch.kubernetes.io/job-completion-index"])
		if err != nil || i > 1 {
			t.Fatalf("a pod with the labels %v", p.Metadata.Labels)
		}
		on[i] = p.Spec.NodeName
	}
	if on[0] == on[1] {
		t.Fatalf("both pods are on %s, and each wants all GPUs of a node", on[0])
	}
	return on
}

// podNumbers finds the processes of the mesh in its pods.
func podNumbers(t *testing.T) numbers {
	t.Helper()
	var pids [2]map[int]int
	for i, node := range nodes(t) {
		pids[i] = inPods(t, node)
	}
	return func(rank, pid int) int {
		t.Helper()
		if pids[rank/2][pid] == 0 {
			t.Fatalf("there is no process %d in the pod of rank %d", pid, rank)
		}
		return pids[rank/2][pid]
	}
}

// does something to a node's cable or power.
func does(t *testing.T, how, node string) {
	t.Helper()
	out, err := exec.Command("../launch/via/testdata/k8s.sh", how, os.Getenv("VIA_K8S"), strings.TrimPrefix(node, "n")).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", how, node, err, out)
	}
}

// isBack waits until Kubernetes hears of a node again.
func isBack(t *testing.T, node string) {
	t.Helper()
	isEmpty(t, 60*time.Second, node+" has", func() string {
		s := kubectl(t, "get", "node/"+node, "--output=jsonpath={.status.conditions[?(@.type=='Ready')].status} {.spec.taints}")
		return strings.TrimPrefix(s, "True")
	})
}

func TestTheTutorialOnKubernetes(t *testing.T) {
	onKube(t)
	ctx := session(t)
	procs, mesh := tutorial(ctx, t, engine.Dim("hosts", 2), engine.Dim("gpus", 2), engine.Via("kubernetes", "image", "debian:12")) // which has no program
	n := podNumbers(t)
	var pids []int
	for rank, p := range where(ctx, t, mesh) {
		pids = append(pids, n(rank, p[0]), n(rank, p[1]))
	}
	if err := procs.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	gone(t, 0, pids...)
	noneOfOurs(t, 0)
}

func TestAnAgentOfKubernetesIsKilled(t *testing.T) {
	opts := onKube(t)
	anAgentIsKilled(t, podNumbers, opts...)
	noneOfOurs(t, 0)
}

// TestANodeOfKubernetesIsKilled: a machine that loses its power. Whoever stops the mesh is told what Kubernetes lists until it is back.
func TestANodeOfKubernetesIsKilled(t *testing.T) {
	opts := onKube(t)
	e := start(t)
	ctx := e.Context()
	procs, mesh := spawn(ctx, t, "p", opts...)
	on := nodes(t)
	down := monitor(ctx, t, mesh)
	began := time.Now()
	does(t, "kill", on[1])
	back := func() {
		does(t, "boot", on[1])
		isBack(t, on[1])
	}
	defer func() { back() }()
	if left := inPods(t, on[1]); len(left) > 0 {
		t.Fatalf("without power it runs %v", left)
	}
	tellsTwoLost(ctx, t, down, began, lostUnheard)
	oneHostIsLeft(ctx, t, mesh)
	what := "node " + on[1] + " does not answer: it has not confirmed that pod "
	limit, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	toldOf(limit, t, e, func(h *control.Host) bool {
		return h.Index == 1 && h.State == "lost" && strings.Contains(h.Reason, "its agent was not heard of for 10s") && strings.Contains(h.Reason, what)
	})
	if err := procs.Stop(ctx); err == nil || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "until its node is back, or is removed") {
		t.Errorf("it is stopped: %v; want what is left, and until when", err)
	}
	back()
	back = func() {}
	noneOfOurs(t, 60*time.Second)
}

// TestANodeOfKubernetesIsCutOffForAMoment: three seconds.
func TestANodeOfKubernetesIsCutOffForAMoment(t *testing.T) {
	opts := onKube(t)
	ctx := session(t)
	procs, mesh := spawn(ctx, t, "p", opts...)
	node := nodes(t)[1]
	defer does(t, "heal", node)
	losesNothing(ctx, t, mesh, func() { does(t, "cut", node) }, func() { does(t, "heal", node) })
	if err := procs.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	noneOfOurs(t, 0)
}

// TestANodeOfKubernetesIsCutOff: for 20 s. What runs there ends itself, though nobody can reach it, and does not run again.
func TestANodeOfKubernetesIsCutOff(t *testing.T) {
	opts := onKube(t)
	ctx := session(t)
	procs, mesh := spawn(ctx, t, "p", opts...)
	node := nodes(t)[1]
	defer does(t, "heal", node)
	began := time.Now()
	isLost(ctx, t, mesh, podNumbers, func() { does(t, "cut", node) })
	time.Sleep(20*time.Second - time.Since(began)) // how long the fault lasts
	does(t, "heal", node)
	isBack(t, node)
	oneHostIsLeft(ctx, t, mesh)
	if err := procs.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	noneOfOurs(t, 0)
}

func TestAQueuedJobOfKubernetesIsStopped(t *testing.T) {
	onKube(t)
	isStoppedInTheQueue(t, "Kubernetes job ", "2 Insufficient nvidia.com/gpu",
		engine.Dim("hosts", 2), engine.Dim("gpus", 3), engine.Via("kubernetes", "image", "debian:12"))
	noneOfOurs(t, 0)
}

// TestNothingOnKubernetesIsLeftOfAControllerThatIsKilled: nothing runs any more when the lease is over, and Kubernetes does not run it
// again. What it lists is known here, and is reaped.
func TestNothingOnKubernetesIsLeftOfAControllerThatIsKilled(t *testing.T) {
	onKube(t)
	t.Setenv(viaEnv, "kubernetes")
	cmd, there := another(t, self(t), os.Getenv("XDG_STATE_HOME"))
	n := podNumbers(t)
	var pids []int
	for i, pid := range there { // two of each of four ranks, and then a daemon of each
		rank := i / 2
		if i >= 8 {
			rank = i - 8
		}
		pids = append(pids, n(rank, pid))
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	gone(t, 9500*time.Millisecond, pids...)
	kubectl(t, "wait", "jobs", "--selector=monarch-tui/job", "--for=condition=Failed", "--timeout=30s")
	var reaped int
	err := engine.Reap(t.Context(), func(j engine.LeftJob, err error) {
		reaped++
		if err != nil || !strings.HasPrefix(j.Handle, "Kubernetes job ") {
			t.Errorf("%+v is reaped: %v", j, err)
		}
	})
	if err != nil || reaped != 1 {
		t.Errorf("%d jobs are reaped (%v), want one", reaped, err)
	}
	noneOfOurs(t, 0)
}
