// Kubelet stands in for the kubelet of one node, for tests: it runs pods as processes of this machine. A pod has mounts, processes and
// a host name of its own, and the root folder of this machine beneath them, whatever its image is called. What it has of the real one
// is the conversation with the API server: it registers its node, runs what is bound to it, tells its state, ends what is deleted, and
// serves the logs and exec. It knows pods of one container that is never started anew, Secrets and empty folders. It needs root.
//
// It runs as: kubelet KUBECONFIG NODE GPUS DIR.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log"
	"math/big"
	"net"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
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
	api       kubernetes.Interface
	node, dir string

	mu   sync.Mutex // guards pods, and what may change of them
	pods map[types.UID]*pod
}

func main() {
	log.SetFlags(log.Lmicroseconds)
	if len(os.Args) != 5 {
		log.Fatal("usage: kubelet KUBECONFIG NODE GPUS DIR")
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, kubeconfig, node, gpus, dir string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	k := &kubelet{node: node, dir: dir, pods: map[types.UID]*pod{}}
	if k.api, err = kubernetes.NewForConfig(config); err != nil {
		return err
	}
	l, err := listen()
	if err != nil {
		return err
	}
	if err := k.register(ctx, gpus, l.Addr().(*net.TCPAddr)); err != nil {
		return err
	}
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
func listen() (net.Listener, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"http/1.1"},
	})
}

// register makes the node, anew where there was one.
func (k *kubelet) register(ctx context.Context, gpus string, addr *net.TCPAddr) error {
	nodes := k.api.CoreV1().Nodes()
	if err := nodes.Delete(ctx, k.node, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	n, err := nodes.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: k.node, Labels: map[string]string{corev1.LabelHostname: k.node}}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	has := corev1.ResourceList{}
	for name, v := range map[corev1.ResourceName]string{"cpu": "4", "memory": "8Gi", "pods": "20", "nvidia.com/gpu": gpus} {
		if has[name], err = resource.ParseQuantity(v); err != nil {
			return err
		}
	}
	n.Status = corev1.NodeStatus{
		Capacity: has, Allocatable: has,
		Conditions:      []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", LastHeartbeatTime: metav1.Now()}},
		Addresses:       []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: addr.IP.String()}},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(addr.Port)}},
	}
	_, err = nodes.UpdateStatus(ctx, n, metav1.UpdateOptions{})
	return err
}

// heard is what the watch says of a pod.
func (k *kubelet) heard(ctx context.Context, o *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p := k.pods[o.UID]
	over := o.Status.Phase == corev1.PodFailed || o.Status.Phase == corev1.PodSucceeded
	switch {
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
	err := k.api.CoreV1().Pods(o.Namespace).Delete(ctx, o.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &o.UID},
	})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		log.Printf("pod %s: %v", o.Name, err)
	}
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
			"phase": phase, "hostIP": "127.0.0.1",
			"conditions": []corev1.PodCondition{{Type: corev1.PodReady, Status: ready, LastTransitionTime: metav1.Now()}},
			"containerStatuses": []corev1.ContainerStatus{{
				Name: o.Spec.Containers[0].Name, Image: o.Spec.Containers[0].Image, State: state, Ready: started, Started: &started,
			}},
		},
	})
	if err == nil {
		_, err = k.api.CoreV1().Pods(o.Namespace).Patch(ctx, o.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	}
	if err != nil && !apierrors.IsNotFound(err) && !errors.Is(err, context.Canceled) {
		log.Printf("pod %s: %v", o.Name, err)
	}
}
