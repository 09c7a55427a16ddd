#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Shared by the tests of slurm/: a cluster, a small dataset, a sweep of 12 trials, and functions that submit, wait and
# compare. A test sources this file with its arguments before anything else.
set -eu
# shellcheck source=tests/slurm/cluster.sh
. "$CNNSWEEP_SOURCE/tests/slurm/cluster.sh"
cluster_enter "$@"
# shellcheck source=cmake/packages.sh
. "$CNNSWEEP_SOURCE/cmake/packages.sh"
use_local_mpi

sweep=$CNNSWEEP_SOURCE/slurm/sweep.sbatch
breakpoint_library=$CNNSWEEP_BIN/../tests/libcs_breakpoint.so # from tests/support/preload/breakpoint.c
export ASAN_OPTIONS=detect_leaks=0 # Open MPI does not free all its memory at exit

# jobs_start HOSTS CPUS: starts the cluster and makes a folder with the data, from which jobs are submitted.
jobs_start() {
    cluster_start "$@"
    mkdir "$cluster_folder/work"
    cd "$cluster_folder/work"
    export CNNSWEEP_SITE=$PWD/site.conf
    printf 'CNNSWEEP_BIN=%q\nCNNSWEEP_FREE_MIB=16\nexport SBATCH_PARTITION=test\n' "$CNNSWEEP_BIN" >site.conf
    cat >job.yaml <<'JOB'
name: twelve
data: {path: data.h5}
model: {arch: basenet}
threads: 1
checkpoint_seconds: 0
train: {epochs: 40, batch: 16, seed: 5}
sweep:
  parameters:
    augment: [none, flips, dark, both]
    lr: [0.0003, 0.0007, 0.0015]
augmentations:
  flips: {horizontal_flip: true, vertical_flip: true}
  dark: {brightness_range: [0.6, 0.9]}
  both: {horizontal_flip: true, brightness_range: [0.7, 1.3]}
table: {rows: augment, columns: lr, value: test_accuracy}
JOB
    "$CNNSWEEP_BIN/cnnsweep-synthetic" --classes 3 --per-class 60 --size 32x32 images >/dev/null
    "$CNNSWEEP_BIN/cnnsweep-pack" images data.h5 >/dev/null 2>&1
}

fail() {
    echo "FAILED: $*" >&2
    tail -n 60 results/*.log >&2 || true
    tail -n 15 "$cluster_folder"/slurmctld.log >&2
    exit 1
}

# with_breakpoint "CALL TEXT N" NAME COMMAND...: the command submits a job of which the first process that reaches the
# breakpoint stops, until it is signalled or a second process reaches the breakpoint. When the job is requeued, no process
# stops again.
with_breakpoint() {
    local where=$1 name=$2
    shift 2
    LD_PRELOAD=$breakpoint_library CNNSWEEP_TEST_BREAKPOINT=$where CNNSWEEP_TEST_STOP="2 $PWD/stopped-$name" "$@"
}

# submit OPTIONS...: submits a job and prints its number.
submit() {
    "$CNNSWEEP_SOURCE/slurm/submit.sh" --parsable "$@"
}

state_of() {
    scontrol show job -o "$1" | grep -o 'JobState=[A-Z_]*' | sort -u | cut -d= -f2
}

has_state() {
    local state
    state=$(state_of "$1")
    [ "$state" = "$2" ]
}

has_ended() {
    ! state_of "$1" | grep -qE 'PENDING|RUNNING|COMPLETING|CONFIGURING|SUSPENDED|REQUEUED'
}

# ends JOB STATE: waits until the job ends, which must be in that state.
ends() {
    waits_for "$patience" has_ended "$1" || fail "job $1 does not end: $(state_of "$1")"
    has_state "$1" "$2" || fail "job $1 ended $(state_of "$1"), not $2"
}

# waits_until_stopped NAME: until a process of with_breakpoint NAME has stopped.
waits_until_stopped() {
    waits_for "$patience" test -s "stopped-$1" || fail "$1 does not reach the breakpoint"
}

# begins NAME OPTIONS...: submits the sweep into results/NAME, sets `job` to its number and waits until the sweep is
# stopped after 100 epochs.
begins() {
    local name=$1
    shift
    # shellcheck disable=SC2034 # the test uses it
    job=$(with_breakpoint 'write {"event":"epoch" 100' "$name" submit "$@" "$sweep" job.yaml --out "results/$name")
    waits_until_stopped "$name"
}

was_requeued() {
    scontrol show job -o "$1" | grep -q 'Restarts=[1-9]'
}

# is_released JOB: asks Slurm to start the job at once; succeeds also if it has started.
is_released() {
    scontrol update jobid="$1" StartTime=now || ! has_state "$1" PENDING
}

# starts_again JOB: waits until the job is requeued, and starts it without waiting for its old credential to expire. The new
# credential must only not be of the same second.
starts_again() {
    waits_for "$patience" was_requeued "$1" || fail "job $1 was not requeued; it is $(state_of "$1")"
    sleep 2
    waits_for "$patience" is_released "$1" || fail "job $1 cannot be released"
}

# same A B: two results folders are equal bit for bit, except for what depends on the clock.
same() {
    python3 "$CNNSWEEP_SOURCE/tests/slurm/same.py" "$1" "$2" || fail "$2 differs from $1"
}

log_has() {
    grep -q "$2" "results/"*"-$1.log" || fail "the log of job $1 does not have: $2"
}
