#!/bin/bash
# k8s.sh up DIR BIN, k8s.sh down DIR: a Kubernetes of two nodes with two GPUs each on this machine, for the tests of Kubernetes here and in
# engine/internal/hosts, of the programs in BIN that tools/k8s names. The kubelets are stand-ins. Each node has a network of its own, in
# which its kubelet and its pods run; that of etcd, of the API server and of the controllers is kube0, and so is that of the tests.
# Needs root, iproute2, openssl and kubectl.
#
# k8s.sh cut|heal DIR N: takes a node's cable out, or puts it back. k8s.sh kill|boot DIR N: a node loses its power, or has it again.
set -eu
C=$2
. "$(dirname "$0")/net.sh"

stop() {
  for p; do
    [ ! -s "$C/$p.pid" ] || kill -KILL "$(cat "$C/$p.pid")" 2>/dev/null || true
    rm -f "$C/$p.pid"
  done
}

down() {
  stop kubelet-n1 kubelet-n2 scheduler controllers apiserver etcd
  net_down kube
}

# daemon N NAME COMMAND, in the network of N: it gets no file of ours, so that whoever waits for the end of our output does not wait for it.
daemon() {
  local net=/run/netns/kube$1 name=$2
  shift 2
  setsid nsenter --net=$net "$@" </dev/null >>"$C/log/$name" 2>&1 &
  echo $! >"$C/$name.pid"
}

boot() {
  ip -n kubesw link set p$1 up
  daemon $1 kubelet-n$1 "$(cat "$C/bin")/kubelet" "$C/kubeconfig" n$1 2 "$C/n$1" 10.79.0.$(($1 + 1))
}

case $1 in
cut) ip -n kubesw link set "p$3" down; exit ;;
heal) ip -n kubesw link set "p$3" up; exit ;;
kill) # nobody hears of its end
  ip -n kubesw link set "p$3" down
  net_off kube "$3"
  rm -f "$C/kubelet-n$3.pid"
  exit
  ;;
boot) boot "$3"; exit ;;
down) down; exit ;;
up) down ;;
esac
B=$3

# is WHAT COMMAND: waits until it succeeds.
is() {
  local what=$1
  shift
  for _ in $(seq 600); do
    "$@" >/dev/null 2>&1 && return
    sleep .2
  done
  echo "$what:" >&2
  tail -n 20 "$C"/log/* >&2
  exit 1
}

kubectl() { nsenter --net=/run/netns/kube0 kubectl "$@"; }

nodes() { [ "$(kubectl get nodes --no-headers --output=custom-columns=T:.spec.taints,R:.status.conditions[-1:].status | grep -c '<none> *True')" = 2 ]; }

net kube 10.79.0
mkdir -p "$C"/{log,certs,n1,n2}
chmod 700 "$C"
echo "$B" >"$C/bin"
openssl genrsa -out "$C/sa.key" 2048 2>/dev/null
openssl rsa -in "$C/sa.key" -pubout -out "$C/sa.pub" 2>/dev/null
(umask 077 && head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$C/token")
printf '%s%s,%s,%s,"%s"\n' "$(cat "$C/token")" 0 admin admin system:masters "$(cat "$C/token")" 1 alice alice users "$(cat "$C/token")" 2 bob bob users >"$C/tokens.csv"

# Pods stay for 5 s on a node that is not heard of, and not for 300.
daemon 0 etcd "$B/server" --data-dir="$C/etcd" --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 \
  --listen-peer-urls=http://127.0.0.1:2380 --unsafe-no-fsync
daemon 0 apiserver "$B/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --secure-port=6443 --bind-address=10.79.0.1 \
  --advertise-address=10.79.0.1 --cert-dir="$C/certs" --service-account-issuer=https://via --service-account-key-file="$C/sa.pub" \
  --service-account-signing-key-file="$C/sa.key" --token-auth-file="$C/tokens.csv" --authorization-mode=RBAC \
  --service-cluster-ip-range=10.0.0.0/24 --kubelet-preferred-address-types=InternalIP \
  --default-not-ready-toleration-seconds=5 --default-unreachable-toleration-seconds=5

# Contexts: admin; alice, who gets rights from a test; bob, who may do nothing.
is "no certificate is made" test -s "$C/certs/apiserver.crt"
export KUBECONFIG=$C/kubeconfig
kubectl config set-cluster via --server=https://10.79.0.1:6443 --certificate-authority="$C/certs/apiserver.crt" --embed-certs >/dev/null
n=0
for user in admin alice bob; do
  kubectl config set-credentials $user --token="$(cat "$C/token")$n" >/dev/null
  kubectl config set-context $user --cluster=via --user=$user --namespace=default >/dev/null
  n=$((n + 1))
done
kubectl config use-context admin >/dev/null
is "the API server is not ready" kubectl get --raw=/readyz

# A node that is not heard of for 6 s is not ready, and not after 50.
daemon 0 controllers "$B/kube-controller-manager" --kubeconfig="$KUBECONFIG" --leader-elect=false --secure-port=0 --authorization-kubeconfig="$KUBECONFIG" \
  --authentication-kubeconfig="$KUBECONFIG" --node-monitor-period=1s --node-monitor-grace-period=6s --node-eviction-rate=1 \
  --controllers=job-controller,garbage-collector-controller,ttl-after-finished-controller,serviceaccount-controller,namespace-controller,resourcequota-controller,node-lifecycle-controller,taint-eviction-controller,pod-garbage-collector-controller
daemon 0 scheduler "$B/kube-scheduler" --kubeconfig="$KUBECONFIG" --leader-elect=false --secure-port=0 --authorization-kubeconfig="$KUBECONFIG" --authentication-kubeconfig="$KUBECONFIG"
for i in 1 2; do boot $i; done
is "the nodes are not ready" nodes
is "there is no service account" kubectl get serviceaccount default
