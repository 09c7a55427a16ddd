#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sweeps on several hosts of a real Slurm, whose ranks communicate over TCP, give the table of a sweep on one host, also when
# a host is drained or lost during the sweep.
# shellcheck source=tests/slurm/jobs.sh
. "$CNNSWEEP_SOURCE/tests/slurm/jobs.sh" || exit

reference() {
    "$CNNSWEEP_BIN/cnnsweep" train job.yaml --out results/reference >/dev/null 2>&1
}

# two_hosts NAME LAUNCHER: each rank waits for the other at its first checkpoint, so that both train.
two_hosts() {
    job=$(with_breakpoint "rename .ckpt 1" "two-$1" submit --nodes=2 --ntasks-per-node=1 \
        --export="ALL,CNNSWEEP_LAUNCHER=$2" "$sweep" job.yaml --out "results/two-$1")
    ends "$job" COMPLETED
    log_has "$job" "2 tasks (1(x2) a node) on n\[1-2\]"
    log_has "$job" "^ranks    n1: 0, n2: 1$"
    [ "$(grep -c "^device auto: the CPU" "results/sweep-$job.log")" -le 1 ] || fail "more than one host logs its device"
    same results/reference "results/two-$1"
    [ "$(python3 -c 'import csv, sys; print(len({row["rank"] for row in csv.DictReader(open(sys.argv[1]))}))' \
        "results/two-$1/trials.csv")" = 2 ] || fail "one rank trained everything"
}

# If the folder of results is on a host's own disk, no rank trains, because the results would be lost.
unshared() {
    mkdir -p results/unshared
    cluster_on n2 mount -t tmpfs tmpfs "$PWD/results/unshared"
    job=$(submit --nodes=2 --ntasks-per-node=1 --nodelist=n1,n2 "$sweep" job.yaml --out results/unshared)
    ends "$job" FAILED
    cluster_on n2 umount "$PWD/results/unshared"
    log_has "$job" "error: results/unshared: node n2 does not see what rank 0 writes there"
    [ -z "$(ls -A results/unshared)" ] || fail "results/unshared is not empty: $(ls -A results/unshared)"
}

# An administrator drains a host and sends its job elsewhere.
drained() {
    begins drained --ntasks=2
    scontrol update nodename=n1 state=drain reason=test
    scontrol requeue "$job"
    starts_again "$job"
    ends "$job" COMPLETED
    log_has "$job" "start 2: 2 tasks (2 a node) on n2"
    same results/reference results/drained
    scontrol update nodename=n1 state=resume
}

# Each of two jobs loses a host during the sweep. The job that may not be requeued ends with a reason, and submitting it again
# completes the sweep; Slurm starts the other job again on the remaining hosts.
lost() {
    local not_requeued requeued
    begins lost --nodes=2 --ntasks-per-node=1 --nodelist=n1,n2 --no-requeue
    not_requeued=$job
    begins moved --nodes=2 --ntasks-per-node=1 --exclude=n1,n2
    requeued=$job
    cluster_lose n2
    cluster_lose n4
    ends "$not_requeued" NODE_FAIL
    log_has "$not_requeued" "NODE FAILURE"
    job=$(submit --nodes=2 --ntasks-per-node=1 "$sweep" job.yaml --out results/lost)
    scontrol update jobid="$requeued" excnodelist=
    ends "$job" COMPLETED
    same results/reference results/lost
    starts_again "$requeued"
    ends "$requeued" COMPLETED
    log_has "$requeued" "start 2: 2 tasks (1(x2) a node) on n\[1,3\]"
    same results/reference results/moved
}

jobs_start 4 4
reference
two_hosts srun "srun --mpi=pmix"
two_hosts mpirun mpirun
unshared
drained
lost
echo "passed in $SECONDS s"
