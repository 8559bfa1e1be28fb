#!/usr/bin/env bash
# Slurm: a queued srun that is killed outright stays in the queue, and is run when its turn comes, for nobody.
#
# Version   Slurm 22.05.8, as Debian 12 ships it. Needs root, because its daemons do.
# Guess     A queued srun is a connection that waits for an answer: when its process is gone, whatever killed it, Slurm sees that and
#           takes the request back. A job that was queued for a person at a prompt is of no use to anybody else.
# Happens   That holds for signals which srun can catch: after SIGTERM the request is gone at once. After SIGKILL (also that of the
#           kernel's out-of-memory killer, or of a parent-death signal) it stays PENDING, and when the machines become free it gets
#           them, and holds them RUNNING, although no task of it was ever started and nobody is there to start one.
# Matters   A tool that starts srun must not rely on the end of srun. monarch-tui has its clients sent SIGTERM when it dies, notes on
#           disk what it has asked for, and `monarch-tui reap` cancels what a killed session has left.
# Source    srun(1), "Signals and escape sequences", speaks of signals that srun gets; slurm.conf(5), InactiveLimit, which is off
#           unless it is set, would end such an allocation later.
set -euo pipefail
dir=$(mktemp -d)
pids=()
end() {
	for p in "$dir"/*.pid; do [ -s "$p" ] && kill -KILL "$(cat "$p")" 2>/dev/null; done
	[ ${#pids[@]} -eq 0 ] || kill -KILL "${pids[@]}" 2>/dev/null
	rm -rf "$dir"
}
trap 'end || true' EXIT
cd "$dir"
apt-get download slurm-wlm-basic-plugins slurm-client slurmctld slurmd munge libmunge2 libjwt0 libhttp-parser2.9 libjson-c5 libyaml-0-2 libhwloc15 libnuma1 libpmix2 libipmimonitoring6 libfreeipmi17 librrd8 librdkafka1 liblua5.3-0 >/dev/null 2>&1
for d in *.deb; do dpkg-deb -x "$d" pkg; done
export PATH=$dir/pkg/usr/bin:$dir/pkg/usr/sbin:$PATH
lib=$dir/pkg/usr/lib/$(gcc -dumpmachine 2>/dev/null || echo x86_64-linux-gnu)
export LD_LIBRARY_PATH=$lib:$lib/slurm-wlm
mkdir state spool log
head -c 128 /dev/urandom > munge.key
chmod 400 munge.key
cat > slurm.conf <<X
ClusterName=finding
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
AuthInfo=socket=$dir/munge.sock
PluginDir=$lib/slurm-wlm
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld
SlurmdLogFile=$dir/log/slurmd
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,bf_interval=1,sched_min_interval=1
MpiDefault=none
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname=$(hostname) NodeAddr=127.0.0.1 CPUs=1
PartitionName=p Nodes=n1 Default=YES State=UP
X
export SLURM_CONF=$dir/slurm.conf
chmod 755 "$dir"
munged --force --key-file="$dir/munge.key" --socket="$dir/munge.sock" --pid-file="$dir/munged.pid" --log-file="$dir/log/munged" --seed-file="$dir/munge.seed"
slurmctld -c
slurmd -N n1
until [ "$(sinfo -h -o %T 2>/dev/null)" = idle ]; do sleep 0.1; done
job() { squeue -h -n "$1" -o %T; } # state of the job of that name; "" when there is none
wait_for() { until [ "$(job "$1")" = "$2" ]; do sleep 0.1; done; }
try() { # SIGNAL
	srun -Q -J first sleep 60 & pids+=($!)
	wait_for first RUNNING
	srun -Q -J second true & second=$!
	wait_for second PENDING
	kill "-$1" $second
	wait $second 2>/dev/null || true
	sleep 3
	echo "SIG$1 to a queued srun: 3s later the job is $(job second | grep . || echo gone)"
	scancel -n first --wait 2>/dev/null || scancel -n first
	until [ -z "$(job first)" ]; do sleep 0.1; done
	sleep 5
	echo "SIG$1 to a queued srun: 5s after the machine is free the job is $(job second | grep . || echo gone)"
	scancel -n second
	until [ -z "$(job second)" ]; do sleep 0.1; done
}
want='slurm 22.05.8
SIGTERM to a queued srun: 3s later the job is gone
SIGTERM to a queued srun: 5s after the machine is free the job is gone
SIGKILL to a queued srun: 3s later the job is PENDING
SIGKILL to a queued srun: 5s after the machine is free the job is RUNNING'
got=$(
	exec 2>/dev/null
	srun --version | sed 's/^slurm-wlm/slurm/'
	try TERM
	try KILL
)
printf '%s\n' "$got"
[ "$got" = "$want" ] || { echo "this has changed; wanted:" >&2; printf '%s\n' "$want" >&2; exit 1; }
