#!/bin/bash
# k8s.sh up|down DIR [BIN]: a Kubernetes of two nodes with two GPUs each on this machine, for kube_real_test.go, of the programs in BIN
# that tools/k8s names. The kubelets are stand-ins. Needs root, openssl and kubectl. It listens on 127.0.0.1 only.
set -eu
C=$2

down() {
  for p in kubelet-n1 kubelet-n2 scheduler controllers apiserver etcd; do
    [ ! -s "$C/$p.pid" ] || kill -KILL "$(cat "$C/$p.pid")" 2>/dev/null || true
    rm -f "$C/$p.pid"
  done
}

case $1 in
down) down; exit ;;
up) down ;;
esac
B=$3

# daemon NAME COMMAND: it gets no file of ours, so that whoever waits for the end of our output does not wait for it.
daemon() {
  local name=$1
  shift
  setsid "$@" </dev/null >"$C/log/$name" 2>&1 &
  echo $! >"$C/$name.pid"
}

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

free() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 1 || return 0; }
port=$((20000 + RANDOM % 10000))
until free $port && free $((port + 1)) && free $((port + 2)); do port=$((port + 3)); done

mkdir -p "$C"/{log,certs,n1,n2}
chmod 700 "$C"
openssl genrsa -out "$C/sa.key" 2048 2>/dev/null
openssl rsa -in "$C/sa.key" -pubout -out "$C/sa.pub" 2>/dev/null
(umask 077 && head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$C/token")
printf '%s%s,%s,%s,"%s"\n' "$(cat "$C/token")" 0 admin admin system:masters "$(cat "$C/token")" 1 alice alice users "$(cat "$C/token")" 2 bob bob users >"$C/tokens.csv"

daemon etcd "$B/server" --data-dir="$C/etcd" --listen-client-urls="http://127.0.0.1:$port" --advertise-client-urls="http://127.0.0.1:$port" \
  --listen-peer-urls="http://127.0.0.1:$((port + 1))" --unsafe-no-fsync
daemon apiserver "$B/kube-apiserver" --etcd-servers="http://127.0.0.1:$port" --secure-port=$((port + 2)) --bind-address=127.0.0.1 \
  --advertise-address=127.0.0.1 --cert-dir="$C/certs" --service-account-issuer=https://via --service-account-key-file="$C/sa.pub" \
  --service-account-signing-key-file="$C/sa.key" --token-auth-file="$C/tokens.csv" --authorization-mode=RBAC \
  --service-cluster-ip-range=10.0.0.0/24 --kubelet-preferred-address-types=InternalIP --disable-admission-plugins=TaintNodesByCondition

# Contexts: admin; alice, who gets rights from a test; bob, who may do nothing.
is "no certificate is made" test -s "$C/certs/apiserver.crt"
export KUBECONFIG=$C/kubeconfig
kubectl config set-cluster via --server="https://127.0.0.1:$((port + 2))" --certificate-authority="$C/certs/apiserver.crt" --embed-certs >/dev/null
n=0
for user in admin alice bob; do
  kubectl config set-credentials $user --token="$(cat "$C/token")$n" >/dev/null
  kubectl config set-context $user --cluster=via --user=$user --namespace=default >/dev/null
  n=$((n + 1))
done
kubectl config use-context admin >/dev/null
is "the API server is not ready" kubectl get --raw=/readyz

# No controller looks after nodes: that of a stand-in is ready as long as nobody says otherwise.
daemon controllers "$B/kube-controller-manager" --kubeconfig="$KUBECONFIG" --leader-elect=false --secure-port=0 --authorization-kubeconfig="$KUBECONFIG" \
  --authentication-kubeconfig="$KUBECONFIG" --controllers=job-controller,garbage-collector-controller,ttl-after-finished-controller,serviceaccount-controller,namespace-controller,resourcequota-controller
daemon scheduler "$B/kube-scheduler" --kubeconfig="$KUBECONFIG" --leader-elect=false --secure-port=0 --authorization-kubeconfig="$KUBECONFIG" --authentication-kubeconfig="$KUBECONFIG"
for i in 1 2; do daemon kubelet-n$i "$B/kubelet" "$KUBECONFIG" n$i 2 "$C/n$i"; done
is "the nodes are not ready" sh -c '[ "$(kubectl get nodes --no-headers | grep -cw Ready)" = 2 ] && kubectl get serviceaccount default'
