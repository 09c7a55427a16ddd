#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A real Slurm of several hosts on one machine, for tests that source this file:
#
#     cluster_enter "$@"          # first of all: runs the script again inside namespaces of its own
#     cluster_start HOSTS CPUS    # hosts n1, n2, ...; SLURM_CONF is set from then on
#     cluster_lose n2             # the host loses its power
#
# The script gets a network, a hostname and a process tree of its own, which cannot be reached from outside and end with
# the script. Each host in turn has its own network, hostname, process tree and /dev/shm, so that ranks on two hosts can
# communicate only over TCP. The controller runs in the namespaces of the script. Needs root (or a user namespace
# that maps one), slurm-wlm, munge and iproute2.

cluster_net=10.213.7
cluster_folder= # all of the cluster's state
declare -A cluster_host=()

# The test is skipped if the cluster cannot be started; with CI set that is a failure.
cluster_skip() {
    echo "skipped: $*"
    [ -z "${CI:-}" ] || exit 1
    exit 77
}

cluster_enter() {
    local program
    PATH=$PATH:/usr/sbin:/sbin # for the daemons, in case root has not logged in
    [ -z "${CLUSTER_INSIDE:-}" ] || return 0
    for program in slurmctld slurmd munged ip unshare mpirun; do
        command -v "$program" >/dev/null || cluster_skip "$program is not installed (slurm-wlm, munge, iproute2)"
    done
    unshare --net --uts --ipc --mount --pid --fork true 2>/dev/null || cluster_skip "this user may not make namespaces"
    CLUSTER_INSIDE=1 exec unshare --net --uts --ipc --mount --pid --fork --kill-child --mount-proc bash "$0" "$@"
}

cluster_configure() {
    local hosts=$1 cpus=$2 i
    cat <<CONF
ClusterName=test
SlurmctldHost=head($cluster_net.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A requeued job waits until its credential has expired, which takes 120 s by default.
AuthInfo=socket=$cluster_folder/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$cluster_folder/state
SlurmdSpoolDir=$cluster_folder/%n.spool
TmpFS=$cluster_folder/%n.tmp
SlurmctldPidFile=$cluster_folder/slurmctld.pid
SlurmdPidFile=$cluster_folder/%n.pid
SlurmctldLogFile=$cluster_folder/slurmctld.log
SlurmdLogFile=$cluster_folder/%n.log
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=6
KillWait=5
MinJobAge=3600
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,sched_min_interval=1
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
NodeName=DEFAULT CPUs=$cpus RealMemory=2000 State=UNKNOWN
CONF
    for ((i = 1; i <= hosts; i++)); do
        echo "NodeName=n$i NodeAddr=$cluster_net.$((10 + i))"
    done
    echo "PartitionName=test Nodes=ALL Default=YES DefaultTime=10 MaxTime=60 State=UP"
}

# Runs as the first process of a host, and becomes its slurmd.
# shellcheck disable=SC2016 # expanded by that process
cluster_host_script='
    hostname "$1"
    ip link set lo up
    mount -t tmpfs -o size=512m tmpfs /dev/shm
    until ip link show eth0 >/dev/null 2>&1; do sleep 0.02; done
    ip addr add "$2/24" dev eth0
    ip link set eth0 up
    slurmd -D -N "$1"'

cluster_start_host() {
    local name=$1 address=$2 inside=
    mkdir -p "$cluster_folder/$name.spool" "$cluster_folder/$name.tmp"
    unshare --net --uts --ipc --mount --pid --fork --kill-child --mount-proc \
        bash -c "$cluster_host_script" host "$name" "$address" >"$cluster_folder/$name.out" 2>&1 &
    cluster_host[$name]=$!
    until [ -n "$inside" ]; do
        inside=$(ps -o pid= --ppid "${cluster_host[$name]}" || true)
        sleep 0.02
    done
    ip link add "to-$name" type veth peer name eth0 netns "${inside// /}"
    ip link set "to-$name" master bridge up
}

# Seconds after which something counts as hung: far more than anything takes, even on a busy machine.
patience=600

# waits_for SECONDS COMMAND...: waits until the command succeeds; fails if that takes longer.
waits_for() {
    local until=$((SECONDS + $1))
    shift
    while ! "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.1
    done
}

cluster_idle() {
    [ "$(sinfo -h -t idle -o %D)" = "$1" ]
}

cluster_start() {
    local hosts=$1 cpus=$2 i
    cluster_folder=$(mktemp -d "${TMPDIR:-/tmp}/cnnsweep-slurm-XXXXXX")
    trap cluster_clear EXIT
    chmod 755 "$cluster_folder" # munge's socket is for everybody
    mkdir "$cluster_folder/state"
    hostname head
    ip link set lo up
    ip link add bridge type bridge
    ip addr add "$cluster_net.1/24" dev bridge
    ip link set bridge up
    export SLURM_CONF=$cluster_folder/slurm.conf
    cluster_configure "$hosts" "$cpus" >"$SLURM_CONF"
    # Otherwise slurmd looks for a mounted /sys/fs/cgroup, although nothing uses cgroups.
    echo CgroupPlugin=cgroup/v1 >"$cluster_folder/cgroup.conf"
    (umask 077 && head -c 1024 /dev/urandom >"$cluster_folder/munge.key")
    munged --key-file="$cluster_folder/munge.key" --socket="$cluster_folder/munge.socket" \
        --pid-file="$cluster_folder/munged.pid" --log-file="$cluster_folder/munged.log" \
        --seed-file="$cluster_folder/munged.seed" 2>/dev/null # it warns that host names cannot be looked up
    slurmctld
    for ((i = 1; i <= hosts; i++)); do
        cluster_start_host "n$i" "$cluster_net.$((10 + i))"
    done
    waits_for "$patience" cluster_idle "$hosts" && return
    sinfo >&2
    tail -n 20 "$cluster_folder"/*.log "$cluster_folder"/*.out >&2
    exit 1
}

# The processes of the cluster end with those of the script: they share its process tree.
cluster_clear() {
    [ -n "${CLUSTER_KEEP:-}" ] || rm -rf "$cluster_folder"
}

# cluster_on n2 COMMAND...: runs the command as a process of the host, which sees the host's files.
cluster_on() {
    local inside
    inside=$(ps -o pid= --ppid "${cluster_host[$1]}")
    shift
    nsenter --mount --target "${inside// /}" "$@"
}

# Ends all processes of the host at once, and with them its network.
cluster_lose() {
    kill -KILL "${cluster_host[$1]}"
}
