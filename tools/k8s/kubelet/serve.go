package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/types"
	remotecommandconsts "k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/tools/remotecommand"
	streaming "k8s.io/kubelet/pkg/cri/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// serve answers the API server: kubectl's logs and exec.
func (k *kubelet) serve(l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", k.logs)
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", k.exec)
	return (&http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}).Serve(l)
}

// named finds a pod.
func (k *kubelet) named(r *http.Request) *pod {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.pods {
		if p.Namespace == r.PathValue("namespace") && p.Name == r.PathValue("pod") {
			return p
		}
	}
	return nil
}

func (k *kubelet) logs(w http.ResponseWriter, r *http.Request) {
	p := k.named(r)
	if p == nil {
		http.Error(w, "pod not found", http.StatusNotFound)
		return
	}
	b, err := os.ReadFile(filepath.Join(k.folder(p), "log"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	lines := strings.SplitAfter(string(b), "\n")
	if n, err := strconv.Atoi(r.FormValue("tailLines")); err == nil {
		lines = lines[max(0, len(lines)-1-n):]
	}
	_, _ = io.WriteString(w, strings.Join(lines, ""))
}

func (k *kubelet) exec(w http.ResponseWriter, r *http.Request) {
	p := k.named(r)
	options, err := streaming.NewOptions(r)
	if p == nil || err != nil {
		http.Error(w, fmt.Sprint("pod not found, or ", err), http.StatusNotFound)
		return
	}
	streaming.ServeExec(w, r, executor{p}, p.Name, p.UID, "", r.Form["command"], options, time.Hour, time.Minute, remotecommandconsts.SupportedStreamingProtocols)
}

// executor runs a command in a pod.
type executor struct{ *pod }

func (e executor) ExecInContainer(ctx context.Context, _ string, _ types.UID, _ string, argv []string, in io.Reader, out, errs io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	select {
	case <-e.started:
	case <-e.ended:
		return fmt.Errorf("container not found (%q)", e.Spec.Containers[0].Name)
	}
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"--target", strconv.Itoa(e.leader.Pid), "--mount", "--pid", "--uts", "--root", "--wd", "--"}, argv...)...) //nolint:gosec // what kubectl exec asks for
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	var err error
	if cmd.Env, err = environment(e.Pod); err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = out, errs
	if in != nil { // not cmd.Stdin: Wait would wait until the client has closed it
		w, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		go func() {
			_, _ = io.Copy(w, in)
			_ = w.Close()
		}()
	}
	err = cmd.Run()
	if st := cmd.ProcessState; st != nil && st.ExitCode() > 0 {
		return utilexec.CodeExitError{Err: err, Code: st.ExitCode()}
	}
	return err
}
