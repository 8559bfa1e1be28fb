package main

import (
	"bufio"
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/fieldpath"
)

// pod is one that runs here, or has run.
type pod struct {
	*corev1.Pod
	asked   bool // to end; guarded by the kubelet's mu
	leader  *os.Process
	started chan struct{} // closed when leader is valid
	ended   chan struct{}
}

//go:embed pod.sh
var script string

// live is a pod's whole life.
func (k *kubelet) live(ctx context.Context, p *pod) {
	defer close(p.ended)
	k.tell(ctx, p.Pod, corev1.PodPending, corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}})
	code, err := k.runs(ctx, p)
	end := &corev1.ContainerStateTerminated{ExitCode: code, Reason: "Completed", FinishedAt: metav1.Now()}
	phase := corev1.PodSucceeded
	if code != 0 {
		phase, end.Reason = corev1.PodFailed, "Error"
	}
	if err != nil {
		phase, end.Reason, end.Message, end.ExitCode = corev1.PodFailed, "StartError", err.Error(), 128
	}
	log.Printf("pod %s: %s %s, code %d", p.Name, end.Reason, end.Message, end.ExitCode)
	k.tell(ctx, p.Pod, phase, corev1.ContainerState{Terminated: end})
}

// runs runs a pod's container to its end.
func (k *kubelet) runs(ctx context.Context, p *pod) (int32, error) {
	runtime.LockOSThread() // Pdeathsig is sent when the thread ends
	defer runtime.UnlockOSThread()
	root := filepath.Join(k.folder(p), "root")
	if err := os.MkdirAll(root, 0o700); err != nil {
		return 0, err
	}
	mounts, err := k.mounts(ctx, p)
	if err != nil {
		return 0, err
	}
	c := p.Spec.Containers[0]
	dir := c.WorkingDir
	if dir == "" {
		dir = "/"
	}
	argv := append([]string{"--mount", "--pid", "--uts", "--fork", "--kill-child", "--", "sh", "-c", script, "sh", hostname(p.Pod), root, dir, strconv.Itoa(len(mounts) / 2)}, mounts...)
	cmd := exec.Command("unshare", append(append(argv, c.Command...), c.Args...)...) //nolint:gosec // what a pod is made to run
	if cmd.Env, err = environment(p.Pod); err != nil {
		return 0, err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := os.Create(filepath.Join(k.folder(p), "log"))
	if err != nil {
		return 0, err
	}
	defer out.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = out, out, []*os.File{w}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return 0, err
	}
	if _, err := bufio.NewReader(r).ReadString('\n'); err == nil {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid))
		leader, _ := strconv.Atoi(strings.TrimSpace(string(b)))
		if p.leader, err = os.FindProcess(leader); err != nil {
			return 0, err
		}
		close(p.started)
		k.tell(ctx, p.Pod, corev1.PodRunning, corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}})
	}
	err = cmd.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		return 0, err
	}
	st := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if st.Signaled() { // unshare ends as what it has started did
		return 128 + int32(st.Signal()), nil
	}
	return int32(st.ExitStatus()), nil
}

func (k *kubelet) folder(p *pod) string { return filepath.Join(k.dir, string(p.UID)) }

// end ends what runs of a pod: it is asked, and then killed.
func (p *pod) end(grace time.Duration) {
	select {
	case <-p.started:
	case <-p.ended:
		return
	}
	_ = p.leader.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return
	case <-time.After(grace):
	}
	_ = p.leader.Kill()
	<-p.ended
}

// mounts fetches what is to be mounted. It returns two words for each: what, and where.
func (k *kubelet) mounts(ctx context.Context, p *pod) (out []string, err error) {
	for _, m := range p.Spec.Containers[0].VolumeMounts {
		dir := filepath.Join(k.folder(p), "volumes", m.Name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		for _, v := range p.Spec.Volumes {
			if v.Name != m.Name || v.Secret == nil {
				continue
			}
			s, err := k.api.CoreV1().Secrets(p.Namespace).Get(ctx, v.Secret.SecretName, metav1.GetOptions{})
			if err != nil {
				return nil, err
			}
			// As a kubelet does: what is mounted are links, so that it can change all files at once.
			if err := errors.Join(os.Mkdir(filepath.Join(dir, "..1"), 0o700), os.Symlink("..1", filepath.Join(dir, "..data"))); err != nil {
				return nil, err
			}
			for name, b := range s.Data {
				err := errors.Join(os.WriteFile(filepath.Join(dir, "..1", name), b, os.FileMode(*v.Secret.DefaultMode)), os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)))
				if err != nil {
					return nil, err
				}
			}
		}
		out = append(out, dir, m.MountPath)
	}
	return out, nil
}

// environment is a container's: of the image's own it has the PATH.
func environment(p *corev1.Pod) ([]string, error) {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=" + hostname(p)}
	for _, v := range p.Spec.Containers[0].Env {
		if v.ValueFrom != nil && v.ValueFrom.FieldRef != nil {
			var err error
			if v.Value, err = fieldpath.ExtractFieldPathAsString(p, v.ValueFrom.FieldRef.FieldPath); err != nil {
				return nil, err
			}
		}
		env = append(env, v.Name+"="+v.Value)
	}
	return env, nil
}

// hostname is a pod's host name: of an Indexed Job's it is not that of the pod.
func hostname(p *corev1.Pod) string { return cmp.Or(p.Spec.Hostname, p.Name) }
