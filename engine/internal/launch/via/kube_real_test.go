//go:build linux

package via

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// realKube has kubectl talk to the Kubernetes of two nodes that was made for these tests: make test-k8s. Real are etcd, the API server,
// the scheduler, the controllers of Jobs, of nodes, of what is owned and of what has outlived its time, and kubectl; and so is the network
// of each node, which can be cut off, and its power, which can fail. Nodes are stand-ins only in what they run pods with, their kubelets
// (tools/k8s/kubelet): a pod's command is a process of this machine, in mounts and processes of its own and in its node's network, and
// nothing is known there of images, cgroups and GPUs. At the end of a test nothing may be left.
func realKube(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("VIA_K8S")
	if dir == "" {
		t.Skip("make test-k8s starts a Kubernetes for this")
	}
	t.Setenv("KUBECONFIG", filepath.Join(dir, "kubeconfig"))
	t.Cleanup(func() { nothingLeft(t) })
	return dir
}

// kube runs kubectl.
func kube(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("kubectl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func ours(t testing.TB) string {
	t.Helper()
	return kube(t, "get", "jobs,pods,secrets", "--all-namespaces", "--selector="+kubeLabel, "--output=name")
}

func nothingLeft(t testing.TB) {
	t.Helper()
	eventually(t, "something is left", func() bool { return ours(t) == "" })
}

// eventually asks until something holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what, ": ", ours(t))
		}
	}
}

// inPod is a Spec whose program is in the image.
func inPod(t testing.TB, p Program, options ...string) Spec {
	t.Helper()
	s := Spec{Count: 2, Program: p, Options: map[string]string{"image": "debian:12", "program": p.Path}}
	for i := 0; i < len(options); i += 2 {
		s.Options[options[i]] = options[i+1]
	}
	return s
}

// TestKubernetesStartsAnAgentInEachPod holds INV-SECRET for what the API server keeps.
func TestKubernetesStartsAnAgentInEachPod(t *testing.T) {
	dir, h := realKube(t), newHall(t)
	spec := inPod(t, program(t, h, "two words", `'"\`))
	spec.GPUs, spec.CPUs, spec.Dir = 2, 1, t.TempDir()
	j, rec := start(t, kubeLauncher{}, spec)
	name := strings.TrimPrefix(j.Handle(), "Kubernetes job ")
	nodes := map[string]bool{}
	for i, g := range h.arrive(t, rec, 2) {
		if g.Secret != string(secretFor(-1)) || strings.Join(g.Args, "|") != `two words|'"\` || g.Dir != spec.Dir || g.Lifeline {
			t.Errorf("agent %d has arrived as %+v", i, g.report)
		}
		if want := fmt.Sprintf("Kubernetes pod %s-%d", name, i); g.Scheduler != want {
			t.Errorf("agent %d was placed by %q, want %q", i, g.Scheduler, want)
		}
		nodes[rec.state(t, i, Placed).Text] = true
		if e := rec.state(t, i, Started); !strings.HasPrefix(e.Name, fmt.Sprintf("%s-%d-", name, i)) {
			t.Errorf("host %d is called %s", i, e.Name)
		}
	}
	if !nodes["on node n1"] || !nodes["on node n2"] {
		t.Errorf("they were placed %v, and each wants all GPUs of a node", nodes)
	}
	eventually(t, "the Secret is nobody's", func() bool {
		return strings.Contains(kube(t, "get", "secret/"+name, "--output=json"), "ownerReferences")
	})
	var secret struct {
		Metadata struct {
			Annotations     map[string]string
			OwnerReferences []struct{ Kind, Name string }
		}
		Data map[string][]byte
	}
	if err := json.Unmarshal([]byte(kube(t, "get", "secret/"+name, "--output=json")), &secret); err != nil || string(secret.Data["secret"]) != string(secretFor(-1)) {
		t.Errorf("the Secret holds %q (%v)", secret.Data, err)
	}
	if o := secret.Metadata.OwnerReferences; len(o) != 1 || o[0].Kind != "Job" || o[0].Name != name || len(secret.Metadata.Annotations) > 0 {
		t.Errorf("the Secret goes with %v, and is annotated with %v", o, secret.Metadata.Annotations)
	}
	told := func(where, text string) {
		if strings.Contains(text, "kq7vz") || strings.Contains(text, base64.StdEncoding.EncodeToString(secretFor(-1))) {
			t.Errorf("the secret is in %s", where)
		}
	}
	told("objects", kube(t, "get", "jobs,pods,events,configmaps", "--all-namespaces", "--output=json", "--show-managed-fields"))
	if secretInProcesses(t) {
		t.Error("the secret is in a list of processes")
	}
	err := filepath.WalkDir(filepath.Join(dir, "log"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if b, err := os.ReadFile(path); err == nil {
				told(path, string(b))
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	end(t, j)
	if left := ours(t); left != "" {
		t.Errorf("after the end of Cancel there is %s", left)
	}
	if why := rec.state(t, -1, Ended).Text; why != "it was cancelled" {
		t.Errorf("the end is told as %q", why)
	}
}

func TestKubernetesCopiesTheProgramIntoPods(t *testing.T) {
	realKube(t)
	h := newHall(t)
	spec := inPod(t, program(t, h))
	delete(spec.Options, "program")
	_, rec := start(t, kubeLauncher{}, spec)
	for i, g := range h.arrive(t, rec, 2) {
		if g.Exe != kubeProgram(spec.Program) || rec.shipped(t, i) != spec.Program.Size {
			t.Errorf("agent %d runs %s, of which %d bytes were copied", i, g.Exe, rec.shipped(t, i))
		}
	}
}

func TestKubernetesTellsWhyPodsWaitAndIsCancelled(t *testing.T) {
	realKube(t)
	for _, c := range []struct {
		name, want string
		host       int
		change     func(*Spec)
	}{
		{"too many GPUs", "Unschedulable: 0/2 nodes are available: 2 Insufficient nvidia.com/gpu.", 0, func(s *Spec) { s.GPUs = 3 }},
		{"no such node", "Unschedulable: 0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.", 1, func(s *Spec) { s.Count, s.Hosts = 0, []string{"n3", "n4"} }},
		{"one node for two", "Unschedulable: 0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) didn't match pod anti-affinity rules.", -1, func(s *Spec) { s.Count, s.Hosts = 0, []string{"n2", "n3"} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHall(t)
			spec := inPod(t, program(t, h))
			c.change(&spec)
			j, rec := start(t, kubeLauncher{}, spec)
			rec.wait(t, c.want, func(e Event) bool {
				return e.State == Queued && (e.Host == c.host || c.host < 0) && strings.HasPrefix(e.Text, c.want)
			})
			end(t, j)
			if left := ours(t); left != "" {
				t.Errorf("after the end of Cancel there is %s", left)
			}
		})
	}
}

// Pods that may not be are refused to a controller, and only events tell.
func TestKubernetesTellsThatPodsAreForbidden(t *testing.T) {
	realKube(t)
	for _, c := range []struct {
		name, image, want string
		forbid            func(t *testing.T, namespace string)
	}{
		{"by a quota", "debian:12", "is forbidden: exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0", func(t *testing.T, namespace string) {
			t.Helper()
			kube(t, "create", "quota", "none", "--hard=pods=0", "--namespace="+namespace)
			kube(t, "wait", "quota/none", "--for=jsonpath={.status.hard.pods}=0", "--timeout=60s", "--namespace="+namespace)
		}},
		{"by a policy", "debian:12", `violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false`, func(t *testing.T, namespace string) {
			t.Helper()
			kube(t, "label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
		}},
		{"by an image's name, which a Job may have", " debian", `is invalid: spec.containers[0].image: Invalid value: " debian": must not have leading or trailing whitespace`, func(*testing.T, string) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			namespace := "via-" + newNonce()[:6]
			kube(t, "create", "namespace", namespace)
			t.Cleanup(func() { kube(t, "delete", "namespace", namespace, "--wait=false") })
			eventually(t, "it has no service account", func() bool { return kube(t, "get", "serviceaccounts", "--namespace="+namespace, "--output=name") != "" })
			c.forbid(t, namespace)
			h := newHall(t)
			j, rec := start(t, kubeLauncher{}, inPod(t, program(t, h), "namespace", namespace, "image", c.image))
			rec.wait(t, c.want, func(e Event) bool { return e.State == Queued && e.Host == -1 && strings.Contains(e.Text, c.want) })
			end(t, j)
			nothingLeft(t)
		})
	}
}

func TestKubernetesRefusesInTheAPIServersWords(t *testing.T) {
	realKube(t)
	for _, c := range []struct {
		name, want string
		options    []string
	}{
		{"a resource", `spec.template.spec.containers[0].resources.limits[nvidia com/gpu]: Invalid value`, []string{"gpu", "nvidia com/gpu"}},
		{"a namespace", `namespaces "nope" not found`, []string{"namespace", "nope"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHall(t)
			spec := inPod(t, program(t, h), c.options...)
			spec.GPUs = 1
			j, rec := start(t, kubeLauncher{}, spec)
			if why := rec.state(t, -1, Ended).Text; !strings.Contains(why, c.want) {
				t.Errorf("the end is told as %q, want %q", why, c.want)
			}
			<-j.Done()
			if left := ours(t); left != "" { // the Secret was made before the Job was refused
				t.Errorf("of what was refused there is %s", left)
			}
		})
	}
}

func TestKubernetesTellsThatAUserMayNot(t *testing.T) {
	realKube(t)
	h := newHall(t)
	rec := newRecorder()
	spec := inPod(t, program(t, h), "context", "bob")
	spec.Job, spec.Secret = "mesh", secretFor
	j, err := kubeLauncher{}.Launch(t.Context(), spec, rec.tell)
	if err != nil {
		t.Fatal(err)
	}
	if why := rec.state(t, -1, Ended).Text; !strings.Contains(why, `User "bob" cannot create resource "jobs" in API group "batch" in the namespace "default"`) {
		t.Errorf("the end is told as %q", why)
	}
	<-j.Done()
}

// may gives alice rights, as lists of verbs.
func may(t *testing.T, jobs, secrets, pods, more string) {
	t.Helper()
	role := filepath.Join(t.TempDir(), "role")
	write(t, role, fmt.Sprintf(`{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "monarch-tui"}, "rules": [
		{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": [%s]},
		{"apiGroups": [""], "resources": ["secrets"], "verbs": [%s]},
		{"apiGroups": [""], "resources": ["pods"], "verbs": [%s]}%s]}`, jobs, secrets, pods, more))
	kube(t, "create", "--filename="+role)
	t.Cleanup(func() { kube(t, "delete", "role/monarch-tui", "rolebinding/monarch-tui") })
	kube(t, "create", "rolebinding", "monarch-tui", "--role=monarch-tui", "--user=alice")
}

func TestKubernetesNeedsNoMoreRightsThanThese(t *testing.T) {
	realKube(t)
	may(t, `"create", "get", "list", "watch", "delete"`, `"create", "get", "list", "watch", "patch", "delete"`, `"get", "list", "watch"`,
		`, {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}, {"apiGroups": [""], "resources": ["events"], "verbs": ["list"]}, {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}`)
	h := newHall(t)
	spec := inPod(t, program(t, h), "context", "alice")
	delete(spec.Options, "program")
	j, rec := start(t, kubeLauncher{}, spec)
	guests := h.arrive(t, rec, 2)
	eventually(t, "the Secret is nobody's", func() bool {
		return strings.Contains(kube(t, "get", "secrets", "--selector="+kubeLabel, "--output=json"), "ownerReferences")
	})
	guests[0].conn.Close()
	rec.state(t, 0, Ended)
	if want := []string{"agent 0 says hello"}; !slices.Equal(j.Tail(0), want) {
		t.Errorf("the tail is %q, want %q", j.Tail(0), want)
	}
	end(t, j)
	if left := ours(t); left != "" {
		t.Errorf("after the end of Cancel there is %s", left)
	}
}

// A kubectl that may not look at what it deletes returns at once.
func TestKubernetesWaitsForTheEndOfPodsWithTheLeastRights(t *testing.T) {
	realKube(t)
	may(t, `"create", "delete"`, `"create", "delete"`, `"list", "watch"`, "")
	h := newHall(t)
	spec := inPod(t, program(t, h), "context", "alice", "program", "/bin/sleep")
	spec.Program.Args = []string{"100"} // the first process of a pod ends by no signal that it does not ask for
	j, rec := start(t, kubeLauncher{}, spec)
	for i := range 2 {
		rec.state(t, i, Started)
	}
	end(t, j)
	if left := ours(t); strings.Contains(left, "pod/") {
		t.Errorf("after the end of Cancel there is %s", left)
	}
}

// TestKubernetesIsCancelledAtAnyTime holds INV-GONE: also while it is being asked.
func TestKubernetesIsCancelledAtAnyTime(t *testing.T) {
	realKube(t)
	for i := range 15 {
		h := newHall(t)
		j, _ := start(t, kubeLauncher{}, inPod(t, program(t, h)))
		_ = pause(t.Context(), time.Duration(i)*40*time.Millisecond)
		end(t, j)
		if left := ours(t); left != "" {
			t.Errorf("cancelled after %d ms, there is %s", i*40, left)
		}
	}
}

// What the agents print last is told, and one that ends is no reason to end another.
func TestKubernetesTellsHowAgentsEnd(t *testing.T) {
	realKube(t)
	t.Run("that fail", func(t *testing.T) {
		h := newHall(t)
		j, rec := start(t, kubeLauncher{}, inPod(t, program(t, h, "exit")))
		h.arrive(t, rec, 2)
		for i := range 2 {
			if why := rec.state(t, i, Ended).Text; why != "the agent has ended with code 3" {
				t.Errorf("the end of host %d is told as %q", i, why)
			}
			if want := []string{fmt.Sprintf("agent %d says hello", i)}; !slices.Equal(j.Tail(i), want) {
				t.Errorf("the tail of host %d is %q, want %q", i, j.Tail(i), want)
			}
		}
		<-j.Done()
		if why := rec.state(t, -1, Ended).Text; why != "all pods have ended" {
			t.Errorf("the end is told as %q", why)
		}
	})
	t.Run("one by one", func(t *testing.T) {
		h := newHall(t)
		j, rec := start(t, kubeLauncher{}, inPod(t, program(t, h)))
		guests := h.arrive(t, rec, 2)
		guests[0].conn.Close()
		if why := rec.state(t, 0, Ended).Text; why != "Completed: the agent has ended with code 0" {
			t.Errorf("its end is told as %q", why)
		}
		kube(t, "delete", "pod/"+rec.state(t, 1, Started).Name)
		guests[1].last(t)
		rec.state(t, 1, Ended)
		<-j.Done()
		if n := len(h.guests); n > 0 {
			t.Errorf("%d agents were started anew", n)
		}
	})
}

func TestKubernetesIsCancelledFromOutside(t *testing.T) {
	realKube(t)
	h := newHall(t)
	j, rec := start(t, kubeLauncher{}, inPod(t, program(t, h)))
	guests := h.arrive(t, rec, 2)
	kube(t, "delete", "job/"+strings.TrimPrefix(j.Handle(), "Kubernetes job "))
	for i, g := range guests {
		g.last(t)
		rec.state(t, i, Ended)
	}
	<-j.Done()
}

// resume reads what a launcher is resumed by, and what else it says until ok.
func resume(t *testing.T, said *bufio.Scanner, ok func(line string) bool) []byte {
	t.Helper()
	var by []byte
	for said.Scan() {
		if s, found := strings.CutPrefix(said.Text(), "resume "); found {
			by = []byte(s)
		}
		if by != nil && ok(said.Text()) {
			return by
		}
	}
	t.Fatal("the launcher has ended")
	return nil
}

// TestKubernetesKeepsNothingOfAKilledLauncher holds INV-GONE as far as it goes here: pods go on until they are reaped, or end by
// themselves, as agents do when their lease is over.
func TestKubernetesKeepsNothingOfAKilledLauncher(t *testing.T) {
	realKube(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	options := fmt.Sprintf(`{"image":"debian:12","program":%q}`, exe)
	reaped := func(t *testing.T, by []byte) {
		for range 2 { // again is no error
			if err := Reap(t.Context(), "kubernetes", by); err != nil {
				t.Error(err)
			}
			if left := ours(t); left != "" {
				t.Errorf("reaped, there is %s", left)
			}
		}
	}
	t.Run("that waits", func(t *testing.T) {
		p, said := launcher(t, newHall(t), "kubernetes", `{"Count":2,"GPUs":3,"Options":`+options+`}`)
		by := resume(t, said, func(line string) bool { return strings.Contains(line, "Unschedulable") })
		_ = p.Kill()
		reaped(t, by)
	})
	t.Run("that runs", func(t *testing.T) {
		h := newHall(t)
		p, said := launcher(t, h, "kubernetes", `{"Count":2,"Options":`+options+`}`)
		by := resume(t, said, func(string) bool { return true })
		guests := h.arrive(t, newRecorder(), 2)
		_ = p.Kill()
		reaped(t, by)
		for _, g := range guests {
			g.last(t)
		}
	})
	t.Run("that nobody reaps", func(t *testing.T) {
		h := newHall(t)
		p, said := launcher(t, h, "kubernetes", `{"Count":2,"Options":`+options+`}`)
		by := resume(t, said, func(string) bool { return true })
		var id kubeID
		if err := json.Unmarshal(by, &id); err != nil {
			t.Fatal(err)
		}
		guests := h.arrive(t, newRecorder(), 2)
		eventually(t, "the Secret is nobody's", func() bool {
			return strings.Contains(kube(t, "get", "secret/"+id.Name, "--output=json"), "ownerReferences")
		})
		_ = p.Kill()
		for _, g := range guests {
			g.conn.Close()
		}
		kube(t, "wait", "job/"+id.Name, "--for=condition=complete", "--timeout=60s")
		kube(t, "patch", "job/"+id.Name, "--type=merge", `--patch={"spec":{"ttlSecondsAfterFinished":0}}`) // which is an hour
		nothingLeft(t)
	})
}
