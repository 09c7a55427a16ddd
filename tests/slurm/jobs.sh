#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of slurm/ share: a cluster, a small dataset, a sweep of 12 trials, submitting, waiting, comparing.
# To be sourced by a test with its arguments, before anything else.
set -eu
# shellcheck source=tests/slurm/cluster.sh
. "$CNNSWEEP_SOURCE/tests/slurm/cluster.sh"
cluster_enter "$@"
# shellcheck source=cmake/packages.sh
. "$CNNSWEEP_SOURCE/cmake/packages.sh"
use_local_mpi

sweep=$CNNSWEEP_SOURCE/slurm/sweep.sbatch
moment=$CNNSWEEP_BIN/../tests/libcs_moment.so # see its source, tests/support/preload/moment.c
export ASAN_OPTIONS=detect_leaks=0 # Open MPI leaves memory behind at exit

# jobs_start HOSTS CPUS: the cluster, and a folder to submit from with the data in it.
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

# at "CALL TEXT N" NAME COMMAND...: the first process of what the command submits that comes to that moment stands still
# there, until it is signalled or a second one has come to it, and never again: so a job that is requeued goes through.
at() {
    local when=$1 name=$2
    shift 2
    LD_PRELOAD=$moment CNNSWEEP_TEST_AT=$when CNNSWEEP_TEST_HOLD="2 $PWD/held-$name" "$@"
}

# submit OPTIONS...: the job's number.
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

# ends JOB STATE: it ends, and so.
ends() {
    waits_for "$patience" has_ended "$1" || fail "job $1 does not end: $(state_of "$1")"
    has_state "$1" "$2" || fail "job $1 ended $(state_of "$1"), not $2"
}

is_held() {
    waits_for "$patience" test -s "held-$1" || fail "$1 does not get there"
}

# begins NAME OPTIONS...: submits the sweep into results/NAME and waits until it has told 100 epochs, where it stands
# still; sets `job`.
begins() {
    local name=$1
    shift
    # shellcheck disable=SC2034 # of the test
    job=$(at 'write {"event":"epoch" 100' "$name" submit "$@" "$sweep" job.yaml --out "results/$name")
    is_held "$name"
}

was_requeued() {
    scontrol show job -o "$1" | grep -q 'Restarts=[1-9]'
}

# It is to start at once, or has begun.
is_released() {
    scontrol update jobid="$1" StartTime=now || ! has_state "$1" PENDING
}

# A requeued job starts again when its credential has expired, or when it is told to: a new one must only not be of the
# same second.
starts_again() {
    waits_for "$patience" was_requeued "$1" || fail "job $1 is not in the queue again but $(state_of "$1")"
    sleep 2
    waits_for "$patience" is_released "$1" || fail "job $1 cannot be released"
}

# same A B: two results folders tell the same, bit for bit, but for what the clock gives.
same() {
    python3 "$CNNSWEEP_SOURCE/tests/slurm/same.py" "$1" "$2" || fail "$2 differs from $1"
}

log_has() {
    grep -q "$2" "results/"*"-$1.log" || fail "the log of job $1 does not tell: $2"
}
