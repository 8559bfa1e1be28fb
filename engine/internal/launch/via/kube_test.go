//go:build unix

package via

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestKubernetesIsAskedForASecretAndAJob(t *testing.T) {
	p := Program{Path: "/opt/monarch-tui", Args: []string{"agent", "a b"}, Sum: [32]byte{0xab, 31: 0xcd}, Size: 1, OS: "linux", Arch: "amd64"}
	for name, spec := range map[string]Spec{
		"copied": {Count: 2, GPUs: 8, CPUs: 4, Options: map[string]string{"image": "debian:12"}},
		"image":  {Hosts: []string{"n1", "n2"}, GPUs: 1, Dir: "/srv", Options: map[string]string{"image": "site/monarch", "program": "/usr/bin/monarch-tui", "gpu": "amd.com/gpu"}},
	} {
		spec.Program, spec.Secret = p, func(int) []byte { return []byte("hush") }
		got, err := kubeManifest(&spec, "mesh-012345")
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", "kube_"+name+".json")
		if *update {
			write(t, golden, string(got)+"\n")
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if string(got)+"\n" != string(want) {
			t.Errorf("the manifest is not that of %s:\n%s", golden, got)
		}
	}
}

// fakeKubectl is a kubectl that keeps what it is asked for, prints what a test writes to its watch, and runs in the pod's stead.
type fakeKubectl struct {
	dir   string
	watch *os.File
}

func kubectl(t *testing.T) *fakeKubectl {
	t.Helper()
	k := &fakeKubectl{dir: t.TempDir()}
	fifo := filepath.Join(k.dir, "watch")
	makeFIFO(t, fifo)
	executable(t, filepath.Join(k.dir, "kubectl"), `#!/bin/sh
d=`+k.dir+`
while :; do case $1 in --*) shift ;; *) break ;; esac; done
printf '%s\n' "$*" >>$d/asked
case "$1 $2" in
create*) cat >$d/manifest; [ ! -f $d/refuses ] || { cat $d/refuses >&2; exit 1; }; printf 'Secret=1233-uid\nJob=1234-uid\n' ;;
"get pods") case "$*" in *--watch*) exec cat $d/watch ;; esac; [ ! -f $d/listed ] || cat $d/listed ;;
"logs pod/mesh-0-x") [ ! -f $d/hangs ] || exec sleep 300; echo "the last words of $2" ;;
logs*) echo "the last words of $2" ;;
exec*)
  while [ "$1" != -- ]; do shift; done; shift
  IFS= read -r s
  s=$(printf %s "$s" | sed "s#mt_cache='/monarch-tui'#mt_cache='$d/pod'#")
  { printf '%s\n' "$s"; cat; } | "$@" ;;
esac
`)
	t.Setenv("PATH", k.dir+":"+os.Getenv("PATH"))
	var err error
	if k.watch, err = os.OpenFile(fifo, os.O_RDWR, 0); err != nil { // so that neither end waits for the other
		t.Fatal(err)
	}
	t.Cleanup(func() { k.watch.Close() })
	return k
}

// asked is what kubectl was asked for, line by line.
func (k *fakeKubectl) asked(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(k.dir, "asked"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

// pod has the watch tell of a pod.
func (k *fakeKubectl) pod(t *testing.T, kind string, index int, node, status string) {
	t.Helper()
	fmt.Fprintf(k.watch, `{"type":%q,"object":{"kind":"Pod","metadata":{"name":"mesh-%d-x","labels":{%q:"%d"}},"spec":{"nodeName":%q},"status":%s}}`+"\n",
		kind, index, indexKey, index, node, status)
}

const running = `{"phase":"Running","containerStatuses":[{"state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}}}]}`

func kubeSpec(t *testing.T, options ...string) Spec {
	o := map[string]string{"image": "debian:12"}
	for i := 0; i < len(options); i += 2 {
		o[options[i]] = options[i+1]
	}
	return Spec{Job: "Mesh", Count: 2, Program: program(t, newHall(t)), Options: o}
}

func TestKubernetesIsToldFromPendingToItsEnd(t *testing.T) {
	k := kubectl(t)
	j, rec := start(t, kubeLauncher{}, kubeSpec(t, "namespace", "alice"))
	k.pod(t, "ADDED", 0, "", `{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3 nodes are available: 3 Insufficient nvidia.com/gpu."}]}`)
	if why := rec.state(t, 0, Queued).Text; why != "Unschedulable: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu." {
		t.Errorf("it waits because %q", why)
	}
	k.pod(t, "ADDED", 1, "w2", `{"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image \"debian:12\""}}}]}`)
	if why := rec.state(t, 1, Queued).Text; why != `ImagePullBackOff: Back-off pulling image "debian:12"` {
		t.Errorf("it waits because %q", why)
	}
	if e := rec.state(t, 1, Placed); e.Name != "mesh-1-x" || e.Text != "on node w2" {
		t.Errorf("it was placed as %+v", e)
	}
	for i := range 2 {
		k.pod(t, "MODIFIED", i, "w1", running)
		rec.state(t, i, Started)
		if n := rec.shipped(t, i); i == 0 && n == 0 {
			t.Error("nothing was copied into the first pod")
		}
	}
	k.pod(t, "MODIFIED", 0, "w1", `{"phase":"Failed","containerStatuses":[{"state":{"terminated":{"reason":"OOMKilled","exitCode":137}}}]}`)
	if e := rec.state(t, 0, Ended); e.Text != "OOMKilled: the agent has ended with code 137" || !e.Gone { // its node says so
		t.Errorf("it has ended as %+v", e)
	}
	k.pod(t, "MODIFIED", 1, "w1", `{"phase":"Failed","reason":"Evicted","message":"The node was low on resource: memory."}`)
	if e := rec.state(t, 1, Ended); e.Text != "Evicted: The node was low on resource: memory." || e.Gone {
		t.Errorf("it has ended as %+v", e)
	}
	<-j.Done()
	if tail := j.Tail(0); !slices.Equal(tail, []string{"the last words of pod/mesh-0-x"}) {
		t.Errorf("the tail is %q", tail)
	}
	var id kubeID
	if err := json.Unmarshal(j.Resume(), &id); err != nil {
		t.Fatal(err)
	}
	asked := k.asked(t)
	if last := asked[len(asked)-2:]; !strings.HasPrefix(last[0], "delete job/"+id.Name+" secret/"+id.Name+" ") || !strings.HasPrefix(last[1], "get pods --selector="+kubeLabel+"="+id.Name+" ") {
		t.Errorf("it was asked last for %q", last)
	}
	if !slices.ContainsFunc(asked, func(line string) bool {
		return strings.HasPrefix(line, "patch secret/"+id.Name+" ") && strings.Contains(line, `"uid":"1234-uid"`)
	}) {
		t.Errorf("the Secret does not go with the Job: %q", asked)
	}
	if !slices.Contains(id.Flags, "--namespace=alice") || j.Handle() != "Kubernetes job "+id.Name {
		t.Errorf("it is found by %+v, and is called %s", id, j.Handle())
	}
}

// TestKubernetesGetsTheSecretOverStdin holds INV-SECRET for kubectl.
func TestKubernetesGetsTheSecretOverStdin(t *testing.T) {
	k := kubectl(t)
	j, rec := start(t, kubeLauncher{}, kubeSpec(t, "program", "/bin/agent"))
	k.pod(t, "ADDED", 0, "w1", running)
	rec.state(t, 0, Started)
	end(t, j)
	if why := rec.state(t, 0, Ended).Text; why != "it was cancelled" {
		t.Errorf("it has ended because %q", why)
	}
	for _, line := range k.asked(t) {
		if strings.Contains(line, "kq7vz") || strings.Contains(line, base64.StdEncoding.EncodeToString(secretFor(-1))) {
			t.Errorf("the secret is in the arguments: %s", line)
		}
		if strings.HasPrefix(line, "exec") {
			t.Errorf("something was copied into a pod that has the program: %s", line)
		}
	}
	manifest, err := os.ReadFile(filepath.Join(k.dir, "manifest"))
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Items []struct {
			Kind string
			Data map[string][]byte // base64, as encoding/json has it
		}
	}
	if err := json.Unmarshal(manifest, &list); err != nil || len(list.Items) != 2 || string(list.Items[0].Data["secret"]) != string(secretFor(-1)) {
		t.Errorf("the manifest is %s (%v)", manifest, err)
	}
}

func TestKubernetesRefusesInItsOwnWords(t *testing.T) {
	k := kubectl(t)
	write(t, filepath.Join(k.dir, "refuses"), "Error from server (Forbidden): jobs.batch is forbidden: User \"bob\" cannot create resource\n")
	j, rec := start(t, kubeLauncher{}, kubeSpec(t))
	if why := rec.state(t, -1, Ended).Text; why != `kubectl: Error from server (Forbidden): jobs.batch is forbidden: User "bob" cannot create resource` {
		t.Errorf("it has ended because %q", why)
	}
	<-j.Done()
}

func TestReapDeletesAKubernetesJobOfAnotherProcess(t *testing.T) {
	k := kubectl(t)
	if err := Reap(t.Context(), "kubernetes", []byte(`{"name":"mesh-012345","flags":["--context=lab"]}`)); err != nil {
		t.Fatal(err)
	}
	if asked := k.asked(t); len(asked) != 2 || !strings.HasPrefix(asked[0], "delete job/mesh-012345 secret/mesh-012345 --ignore-not-found") {
		t.Errorf("it was asked for %q", asked)
	}
	for _, bad := range []string{"", "{}", `{"name":"--all"}`, `{"name":"a/b"}`} {
		if err := Reap(t.Context(), "kubernetes", []byte(bad)); err == nil {
			t.Errorf("%q was reaped", bad)
		}
	}
}

// A pod without an end, or one that is no JSON, ends the watch and not the process.
func TestAWatchIsBounded(t *testing.T) {
	endless := &repeated{head: `{"type":"ADDED","object":{"metadata":{"name":"`, body: "x"}
	if err := readPods(endless, func(watched) { t.Error("a pod was read") }); err == nil || !strings.Contains(err.Error(), "without an end") {
		t.Errorf("an endless pod is %v", err)
	}
	if err := readPods(strings.NewReader("error: you must be logged in\n"), func(watched) { t.Error("a pod was read") }); err == nil {
		t.Error("what is no JSON was read")
	}
}

func FuzzReadPods(f *testing.F) {
	f.Add([]byte(`{"type":"ADDED","object":{"metadata":{"name":"a"},"status":` + running + `}}`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_ = readPods(bytes.NewReader(b), func(w watched) {
			w.Object.index(2)
			w.Object.pending()
			w.Object.over()
		})
	})
}

// repeated reads as head, and then as body for ever.
type repeated struct{ head, body string }

func (r *repeated) Read(b []byte) (int, error) {
	if r.head != "" {
		n := copy(b, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	for i := range b {
		b[i] = r.body[0]
	}
	return len(b), nil
}

// TestAPodWhoseWordsCannotBeReadHoldsNobodyUp: the API server waits for its node, which is gone.
func TestAPodWhoseWordsCannotBeReadHoldsNobodyUp(t *testing.T) {
	k := kubectl(t)
	write(t, filepath.Join(k.dir, "hangs"), "")
	_, rec := start(t, kubeLauncher{}, kubeSpec(t, "program", "/bin/agent"))
	for i := range 2 {
		k.pod(t, "MODIFIED", i, "w1", `{"phase":"Failed","reason":"NodeShutdown"}`)
	}
	rec.state(t, 1, Ended)
	if slices.ContainsFunc(rec.all(), func(e Event) bool { return e.State == Ended && e.Host == 0 }) {
		t.Error("the words of the first were read")
	}
	if why := rec.state(t, 0, Ended).Text; why != "NodeShutdown" {
		t.Errorf("it has ended because %q", why)
	}
}

// TestAPodThatIsDeletedEndsWhoeverSaysSo: its node may never do, and what a watch tells of it may be missed.
func TestAPodThatIsDeletedEndsWhoeverSaysSo(t *testing.T) {
	k := kubectl(t)
	j, rec := launch(t, kubeLauncher{}, kubeSpec(t, "program", "/bin/agent"))
	write(t, filepath.Join(k.dir, "listed"), "mesh-0-x,w1,2026-01-01T00:00:00Z\n")
	for i := range 2 {
		fmt.Fprintf(k.watch, `{"type":"MODIFIED","object":{"metadata":{"name":"mesh-%d-x","labels":{%q:"%[1]d"},"deletionTimestamp":"2026-01-01T00:00:00Z","deletionGracePeriodSeconds":0},"spec":{"nodeName":"w1"},"status":%[3]s}}`+"\n",
			i, indexKey, running)
	}
	if why, want := rec.state(t, 0, Ended).Text, "node w1 does not answer: it has not confirmed that pod mesh-0-x, which was deleted, has ended"; why != want {
		t.Errorf("it has ended because %q, want %q", why, want)
	}
	if why := rec.state(t, 1, Ended).Text; why != podDeleted {
		t.Errorf("the other has ended because %q", why)
	}
	<-j.Done()
	if err := j.Cancel(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "cancel "+j.Handle()+": node w1 does not answer: ") {
		t.Errorf("it is cancelled: %v; want what is listed still", err)
	}
	if err := os.Remove(filepath.Join(k.dir, "listed")); err != nil {
		t.Fatal(err)
	}
	if err := Reap(t.Context(), "kubernetes", j.Resume()); err != nil {
		t.Errorf("reaped, when it is gone: %v", err)
	}
}

// TestWhatANodeHasNotConfirmedIsToldInWords: which node, which pods, and what is to be done.
func TestWhatANodeHasNotConfirmedIsToldInWords(t *testing.T) {
	at := func(name, node, deleted string) (p pod) {
		p.Metadata.Name, p.Spec.NodeName, p.Metadata.Deleted = name, node, deleted
		return p
	}
	const end = "; Kubernetes lists such a pod until its node is back, or is removed (kubectl delete node)"
	lost := at("mesh-0", "w1", "2026-01-01T00:00:00Z")
	for want, pods := range map[string][]pod{
		"node w1 does not answer: it has not confirmed that pod mesh-0, which was deleted, has ended" + end: {lost},
		"pod mesh-1 is not deleted yet": {at("mesh-1", "w1", "")},
		"pod a is not deleted yet; pod b is not deleted yet; pod c is not deleted yet; and 2 pods more": {at("a", "", ""), at("b", "", ""), at("c", "", ""), at("d", "", ""), at("e", "", "")},
	} {
		if err := stillListed(pods); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	lost.Status.Conditions = []condition{{Type: "DisruptionTarget", Status: "True", Reason: "DeletionByTaintManager", Message: "Taint manager: deleting due to NoExecute taint"}}
	if got, want := lost.unconfirmed(), "node w1 does not answer: it has not confirmed that pod mesh-0, which was deleted, has ended (DeletionByTaintManager: Taint manager: deleting due to NoExecute taint)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTheEventsOfAJobTellWhyItHasNoPods(t *testing.T) {
	for events, want := range map[string]string{
		`{"items":[{"reason":"FailedCreate","message":"Error creating: pods \"mesh-012345-1-x8zcv\" is forbidden"},{"reason":"SuccessfulCreate","message":"Created pod: mesh-012345-0-h9zfj"}]}`: `FailedCreate: Error creating: pods "mesh-012345" is forbidden`,
		`{"items":[{"reason":"Suspended","message":"Job suspended"}]}`:                           "Suspended: Job suspended",
		`{"items":[{"reason":"SuccessfulCreate","message":"Created pod: mesh-012345-0-h9zfj"}]}`: "",
		`{"items":`: "",
		"":          "",
	} {
		if got := lastWords([]byte(events), "mesh-012345"); got != want {
			t.Errorf("%s tells %q, want %q", events, got, want)
		}
	}
}
