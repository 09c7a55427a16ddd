#!/bin/bash
# What the tests of slurm/ share: a cluster, a small dataset, a sweep of 12 trials, submitting, waiting, comparing.
# To be sourced by a test with its arguments, before anything else.
set -eu
# shellcheck source=tests/slurm/cluster.sh
. "$CNNSWEEP_SOURCE/tests/slurm/cluster.sh"
cluster_enter "$@"
# shellcheck source=cmake/packages.sh
. "$CNNSWEEP_SOURCE/cmake/packages.sh"
use_local_mpi

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

# ends JOB STATE [SECONDS]: it ends, and so.
ends() {
    waits_for "${3:-120}" has_ended "$1" || fail "job $1 does not end: $(state_of "$1")"
    has_state "$1" "$2" || fail "job $1 ended $(state_of "$1"), not $2"
}

told() {
    [ "$(grep -c '"event":"epoch"' "$1/journal.jsonl" 2>/dev/null)" -ge "$2" ]
}

# is_at_work FOLDER EPOCHS: it has told so many.
is_at_work() {
    waits_for 60 told "$1" "$2" || fail "$1 does not get to $2 epochs"
}

# A requeued job waits until its credential has expired; a new one must only not be of the same second.
starts_again() {
    waits_for 20 has_state "$1" PENDING || fail "job $1 is not in the queue again but $(state_of "$1")"
    sleep 2
    waits_for 30 scontrol update jobid="$1" StartTime=now || fail "job $1 cannot be released"
}

# same A B: two results folders tell the same, bit for bit, but for what the clock gives.
same() {
    python3 "$CNNSWEEP_SOURCE/tests/slurm/same.py" "$1" "$2" || fail "$2 differs from $1"
}

log_has() {
    grep -q "$2" "results/"*"-$1.log" || fail "the log of job $1 does not tell: $2"
}
