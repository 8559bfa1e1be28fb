#!/bin/bash
# slurm.sh up|down DIR, slurm.sh node DIR N: a Slurm of two nodes with two GPUs each on this machine, for slurm_real_test.go. Each node has its own network
# and host name; the switch between them is in a namespace of its own, so that the machine's network is not touched.
# Needs root, and: apt-get install --no-install-recommends slurmctld slurmd slurm-client munge iproute2
set -eu
C=$2

down() {
  for p in slurmd-n1 slurmd-n2 slurmctld munged; do
    [ ! -s "$C/$p.pid" ] || kill -KILL "$(cat "$C/$p.pid")" 2>/dev/null || true
  done
  for n in via1 via2; do ip netns pids $n 2>/dev/null | xargs -r kill -KILL 2>/dev/null || true; done # steps outlive a node's daemon
  for n in via0 via1 via2 viasw; do ip netns del $n 2>/dev/null || true; done
}

node() { SLURM_CONF=$C/slurm.conf nsenter --net=/run/netns/via$1 unshare -u sh -c "hostname n$1; exec slurmd"; }

case $1 in
node) node "$3"; exit ;;
down) down; exit ;;
up) down ;;
esac

ip netns add viasw
ip -n viasw link set lo up
ip -n viasw link add br0 type bridge
ip -n viasw link set br0 up
for i in 0 1 2; do
  ip netns add via$i
  ip link add eth0 netns via$i type veth peer name p$i netns viasw
  ip -n viasw link set p$i master br0 up
  ip -n via$i addr add 10.78.0.$((i + 1))/24 dev eth0
  ip -n via$i link set eth0 up
  ip -n via$i link set lo up
done

mkdir -p "$C"/{state,log,dev,spool/n1,spool/n2}
chmod 755 "$C"
dd if=/dev/urandom of="$C/munge.key" bs=128 count=1 status=none
chmod 400 "$C/munge.key"
for i in 0 1; do mknod "$C/dev/nvidia$i" c 1 3; done # a GPU is a character device whose name ends in its number
cat >"$C/slurm.conf" <<X
ClusterName=via
SlurmctldHost=ctl(10.78.0.1)
SlurmUser=root
SlurmdUser=root
AuthInfo=socket=$C/munge.sock
StateSaveLocation=$C/state
SlurmdSpoolDir=$C/spool/%n
SlurmctldPidFile=$C/slurmctld.pid
SlurmdPidFile=$C/slurmd-%n.pid
SlurmctldLogFile=$C/log/slurmctld.log
SlurmdLogFile=$C/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,bf_interval=1,sched_min_interval=1
ReturnToService=2
MpiDefault=none
GresTypes=gpu
SlurmdParameters=config_overrides
SlurmdTimeout=10
KillWait=2
NodeName=n1 NodeAddr=10.78.0.2 CPUs=4 CoresPerSocket=4 RealMemory=2000 Gres=gpu:2
NodeName=n2 NodeAddr=10.78.0.3 CPUs=4 CoresPerSocket=4 RealMemory=2000 Gres=gpu:2
PartitionName=debug Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
X
echo "NodeName=n[1-2] Name=gpu File=$C/dev/nvidia[0-1] Flags=nvidia_gpu_env" >"$C/gres.conf"
munged --force --key-file="$C/munge.key" --socket="$C/munge.sock" --pid-file="$C/munged.pid" --log-file="$C/log/munged.log" --seed-file="$C/munge.seed"
export SLURM_CONF=$C/slurm.conf
# nsenter, not ip netns exec: that mounts /sys anew, and slurmd finds no cgroups then.
nsenter --net=/run/netns/via0 unshare -u sh -c 'hostname ctl; exec slurmctld -c'
node 1
node 2
for _ in $(seq 200); do
  [ "$(nsenter --net=/run/netns/via0 sinfo -h -N -o %T 2>/dev/null | grep -c idle)" = 2 ] && exit 0
  sleep .05
done
echo "the nodes are not idle:" >&2
cat "$C"/log/slurm*.log >&2
exit 1
