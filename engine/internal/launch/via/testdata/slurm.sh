#!/bin/bash
# slurm.sh up|down DIR, slurm.sh node DIR N: a Slurm of two nodes with two GPUs each on this machine, for slurm_real_test.go. Each node has its own network
# and host name. Needs root, and: apt-get install --no-install-recommends slurmctld slurmd slurm-client munge iproute2
set -eu
C=$2
. "$(dirname "$0")/net.sh"

down() {
  for p in slurmd-n1 slurmd-n2 slurmctld munged; do
    [ ! -s "$C/$p.pid" ] || kill -KILL "$(cat "$C/$p.pid")" 2>/dev/null || true
  done
  net_down via # steps outlive a node's daemon
}

node() { SLURM_CONF=$C/slurm.conf nsenter --net=/run/netns/via$1 unshare -u sh -c "hostname n$1; exec slurmd"; }

case $1 in
node) node "$3"; exit ;;
down) down; exit ;;
up) down ;;
esac

net via 10.78.0

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
