package main

import (
	"context"
	"errors"
	"log"
	"net"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/connrotation"
	"k8s.io/component-helpers/apimachinery/lease"
	"k8s.io/utils/clock"
)

const (
	// beat is how often a node says that it lives, and how often what could not be told is told again. A real kubelet takes ten seconds.
	beat = time.Second
	// answers is how long the API server has for one answer, and for a connection.
	answers = 2 * time.Second
)

// connect makes the clients: one for what is asked, and one for heartbeats, which do not wait for long. As a kubelet does, it closes all
// connections when heartbeats fail, since those that a network swallows look alive for minutes.
func connect(config *rest.Config) (api, heart kubernetes.Interface, reconnect func(), err error) {
	dialer := connrotation.NewDialer((&net.Dialer{Timeout: answers}).DialContext)
	config.QPS, config.Dial = -1, dialer.DialContext
	api, err = kubernetes.NewForConfig(config)
	if err != nil {
		return nil, nil, nil, err
	}
	quick := rest.CopyConfig(config)
	quick.Timeout = answers
	heart, err = kubernetes.NewForConfig(quick)
	return api, heart, dialer.CloseAll, err
}

// register makes the node, or comes back as the one that there is.
func (k *kubelet) register(ctx context.Context, gpus string, addr *net.TCPAddr) error {
	has := corev1.ResourceList{}
	for name, v := range map[corev1.ResourceName]string{"cpu": "4", "memory": "8Gi", "pods": "20", "nvidia.com/gpu": gpus} {
		var err error
		if has[name], err = resource.ParseQuantity(v); err != nil {
			return err
		}
	}
	k.status = corev1.NodeStatus{
		Capacity: has, Allocatable: has,
		Addresses:       []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: addr.IP.String()}},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(addr.Port)}},
	}
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: k.node, Labels: map[string]string{corev1.LabelHostname: k.node}}}
	if _, err := k.api.CoreV1().Nodes().Create(ctx, n, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return k.ready(ctx)
}

// ready says that the node is ready, unless it is said already.
func (k *kubelet) ready(ctx context.Context) error {
	n, err := k.heart.CoreV1().Nodes().Get(ctx, k.node, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue && n.Status.DaemonEndpoints == k.status.DaemonEndpoints {
			return nil
		}
	}
	n.Status = *k.status.DeepCopy()
	now := metav1.Now()
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", LastHeartbeatTime: now, LastTransitionTime: now}}
	_, err = k.heart.CoreV1().Nodes().UpdateStatus(ctx, n, metav1.UpdateOptions{})
	return err
}

// lives keeps the node's lease and its status.
func (k *kubelet) lives(ctx context.Context, reconnect func()) {
	go lease.NewController(clock.RealClock{}, k.heart, k.node, 40, reconnect, beat, k.node, corev1.NamespaceNodeLease, k.owned).Run(ctx)
	for {
		if err := k.ready(ctx); err != nil {
			log.Printf("node %s: %v", k.node, err)
		}
		time.Sleep(beat)
	}
}

// owned has the lease go with the node.
func (k *kubelet) owned(l *coordinationv1.Lease) error {
	n, err := k.heart.CoreV1().Nodes().Get(context.Background(), k.node, metav1.GetOptions{})
	if err == nil && len(l.OwnerReferences) == 0 {
		l.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: n.Name, UID: n.UID}}
	}
	return err
}

// again tells the API server something until it has heard it, or there is nothing to tell of any more.
func again(ctx context.Context, what string, tell func(context.Context) error) {
	for said := false; ; said = true {
		limit, cancel := context.WithTimeout(ctx, answers)
		err := tell(limit)
		cancel()
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) || errors.Is(ctx.Err(), context.Canceled) {
			return
		}
		if !said {
			log.Printf("%s: %v", what, err)
		}
		time.Sleep(beat)
	}
}
