// Kubelet stands in for the kubelet of one node, for tests: it runs pods as processes of this machine. A pod has mounts, processes and
// a host name of its own, and the root folder of this machine beneath them, whatever its image is called. What it has of the real one
// is the conversation with the API server: it registers its node and keeps that node's lease, runs what is bound to it, tells its state,
// ends what is deleted, and serves the logs and exec. It knows pods of one container that is never started anew, Secrets and empty
// folders. Pods have the network that it was started in. It needs root.
//
// It runs as: kubelet KUBECONFIG NODE GPUS DIR ADDRESS.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"log"
	"math/big"
	"net"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// kubelet is a node.
type kubelet struct {
	api, heart kubernetes.Interface
	node, dir  string
	status     corev1.NodeStatus // without conditions

	mu   sync.Mutex // guards pods, and what may change of them
	pods map[types.UID]*pod
}

func main() {
	log.SetFlags(log.Lmicroseconds)
	if len(os.Args) != 6 {
		log.Fatal("usage: kubelet KUBECONFIG NODE GPUS DIR ADDRESS")
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, kubeconfig, node, gpus, dir, address string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	k := &kubelet{node: node, dir: dir, pods: map[types.UID]*pod{}}
	var reconnect func()
	if k.api, k.heart, reconnect, err = connect(config); err != nil {
		return err
	}
	l, err := listen(address)
	if err != nil {
		return err
	}
	for err := k.register(ctx, gpus, l.Addr().(*net.TCPAddr)); err != nil; err = k.register(ctx, gpus, l.Addr().(*net.TCPAddr)) {
		log.Printf("node %s: %v", node, err) // its network may come up later than it does
		time.Sleep(beat)
	}
	go k.lives(ctx, reconnect)
	mine := informers.NewSharedInformerFactoryWithOptions(k.api, 0, informers.WithTweakListOptions(func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", node).String()
	}))
	_, err = mine.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { k.heard(ctx, o.(*corev1.Pod)) },
		UpdateFunc: func(_, o any) { k.heard(ctx, o.(*corev1.Pod)) },
		DeleteFunc: func(o any) {
			if last, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = last.Obj
			}
			k.gone(o.(*corev1.Pod))
		},
	})
	if err != nil {
		return err
	}
	mine.Start(ctx.Done())
	return k.serve(l)
}

// listen is where the API server asks for logs, and for what is to be executed. It does not verify the certificate.
func listen(address string) (net.Listener, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return tls.Listen("tcp", net.JoinHostPort(address, "0"), &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"http/1.1"},
	})
}

// heard is what the watch says of a pod.
func (k *kubelet) heard(ctx context.Context, o *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p := k.pods[o.UID]
	over := o.Status.Phase == corev1.PodFailed || o.Status.Phase == corev1.PodSucceeded
	switch {
	case p == nil && o.Status.Phase == corev1.PodRunning && o.DeletionTimestamp == nil: // before this node was switched off
		go k.tell(ctx, o, corev1.PodFailed, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: 137, Reason: "ContainerStatusUnknown", Message: "The container could not be located when the pod was terminated", FinishedAt: metav1.Now(),
		}})
	case p == nil && !over && o.DeletionTimestamp == nil:
		p = &pod{Pod: o, started: make(chan struct{}), ended: make(chan struct{})}
		k.pods[o.UID] = p
		go k.live(ctx, p)
	case o.DeletionTimestamp == nil:
	case p == nil:
		go k.forget(ctx, o)
	case !p.asked:
		p.asked = true
		go func() {
			p.end(time.Duration(*o.DeletionGracePeriodSeconds) * time.Second)
			k.forget(ctx, o)
		}()
	}
}

// gone is the end of a pod's object, by force or because its node has confirmed it.
func (k *kubelet) gone(o *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p := k.pods[o.UID]; p != nil {
		delete(k.pods, o.UID)
		go p.end(0)
	}
}

// forget tells that nothing of a deleted pod is left here: then its object goes too.
func (k *kubelet) forget(ctx context.Context, o *corev1.Pod) {
	now := int64(0)
	again(ctx, "pod "+o.Name, func(ctx context.Context) error {
		return k.api.CoreV1().Pods(o.Namespace).Delete(ctx, o.Name, metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &o.UID}})
	})
}

// tell writes a pod's status.
func (k *kubelet) tell(ctx context.Context, o *corev1.Pod, phase corev1.PodPhase, state corev1.ContainerState) {
	ready := corev1.ConditionFalse
	if state.Running != nil {
		ready = corev1.ConditionTrue
	}
	started := state.Running != nil
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": o.UID},
		"status": map[string]any{
			"phase": phase, "hostIP": k.status.Addresses[0].Address,
			"conditions": []corev1.PodCondition{{Type: corev1.PodReady, Status: ready, LastTransitionTime: metav1.Now()}},
			"containerStatuses": []corev1.ContainerStatus{{
				Name: o.Spec.Containers[0].Name, Image: o.Spec.Containers[0].Image, State: state, Ready: started, Started: &started,
			}},
		},
	})
	if err != nil {
		log.Printf("pod %s: %v", o.Name, err)
		return
	}
	again(ctx, "pod "+o.Name, func(ctx context.Context) error {
		_, err := k.api.CoreV1().Pods(o.Namespace).Patch(ctx, o.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
		return err
	})
}
