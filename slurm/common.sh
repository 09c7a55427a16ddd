#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the batch scripts share, to be sourced by them: the site file, checks, the launcher, and a sweep that is stopped,
# put back into the queue and resumed. Variables that change what it does are those of site.conf.example.

say() {
    echo "slurm: $*" >&2
}

# A wrong call, or a machine on which nothing can be started.
die() {
    say "$@"
    exit 2
}

# The clone, or what `cmake --install` made of it (PREFIX/share/cnnsweep), for jobs too: Slurm runs a copy of a batch
# script, whose own place tells nothing.
CNNSWEEP_HOME=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
export CNNSWEEP_HOME

container=() # words before every program, such as (apptainer exec --nv cnnsweep.sif)
site_file=${CNNSWEEP_SITE:-$CNNSWEEP_HOME/slurm/site.conf}
[ -e "$site_file" ] || [ -n "${CNNSWEEP_SITE:-}" ] || [ ! -e /etc/cnnsweep/site.conf ] || site_file=/etc/cnnsweep/site.conf
# shellcheck source=/dev/null
[ ! -e "$site_file" ] || . "$site_file" || die "$site_file: its last command failed, or it is not bash"
case $CNNSWEEP_HOME in
*/share/cnnsweep) bin=${CNNSWEEP_BIN:-${CNNSWEEP_HOME%/share/cnnsweep}/bin} ;;
*) bin=${CNNSWEEP_BIN:-$CNNSWEEP_HOME/build/bin} ;;
esac
set -u # after the site file: `module` of many sites does not bear it
# After sbatch --export tasks would get that alone, without what the site file has loaded, not even PATH.
unset SLURM_EXPORT_ENV
export PATH

# The programs that a job calls are there. In a container nobody can tell from outside.
check_program() {
    [ ${#container[@]} -gt 0 ] || [ -x "$bin/$1" ] ||
        die "$bin/$1 is not there: build it (./quickstart.sh), or set CNNSWEEP_BIN in $site_file"
}

# A full disk ends a sweep after hours; one that is nearly full is told at once.
check_space() {
    local folder=$1 wanted=${CNNSWEEP_FREE_MIB:-512} free
    free=$(df -Pm "$folder" | awk 'NR == 2 {print $4}')
    [ "$free" -ge "$wanted" ] ||
        die "$folder: $free MiB free, less than the $wanted that are wanted (CNNSWEEP_FREE_MIB)"
}

# Sets `launcher`, the words before a program that start it once a task.
choose_launcher() {
    local threads=${SLURM_CPUS_PER_TASK:-1} wanted=${CNNSWEEP_LAUNCHER:-auto}
    if [ "$wanted" = auto ]; then
        wanted=mpirun
        ! srun --mpi=list 2>&1 | grep -qw pmix || wanted="srun --mpi=pmix"
    fi
    read -ra launcher <<<"$wanted"
    command -v "${launcher[0]}" >/dev/null ||
        die "no ${launcher[0]} here to start ranks with: load the module of MPI in $site_file, or set CNNSWEEP_LAUNCHER"
    case ${launcher[0]##*/} in
    srun) launcher+=("--cpus-per-task=$threads") ;; # since Slurm 22.05 srun does not take it over from the job
    mpirun) launcher+=(--bind-to none) ;;           # else a rank of several threads gets a single core
    esac
}

# What every job that trains does first.
prepare_training() {
    check_program cnnsweep
    mkdir -p results
    check_space results
    choose_launcher
    export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
    say "job $SLURM_JOB_ID, start $((${SLURM_RESTART_COUNT:-0} + 1)): ${SLURM_NTASKS:+$SLURM_NTASKS }tasks ($SLURM_TASKS_PER_NODE a node)" \
        "on $SLURM_JOB_NODELIST, $OMP_NUM_THREADS threads a task, ${SLURM_GPUS_ON_NODE:-0} GPUs a node, ${launcher[*]}"
}

# Why the step under way was asked to end: requeue (Slurm's warning before the time limit) or stop (scancel).
asked=
step=        # its process
interrupted= # a signal ended the `wait`, not the step

pass_on() {
    asked=$1
    [ "$asked" = stop ] || say "the time is nearly up: stopping"
    interrupted=yes
    [ -z "$step" ] || kill -USR2 "$step" 2>/dev/null
}

# Runs a command in the background, as bash answers signals only while it waits; sets `code`.
run_step() {
    "$@" &
    step=$!
    while interrupted=; code=0; wait "$step" || code=$?; [ -n "$interrupted" ]; do :; done
    step=
}

# Puts this job at the end of the queue, from where it starts again; ends this start of it.
requeue() {
    local limit=${CNNSWEEP_REQUEUES:-20} count=${SLURM_RESTART_COUNT:-0} job=$SLURM_JOB_ID
    # The last task of an array has the number of the array, which would requeue them all.
    [ -z "${SLURM_ARRAY_TASK_ID:-}" ] || job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
    if [ "$count" -ge "$limit" ]; then
        say "requeued $count times, which is enough (CNNSWEEP_REQUEUES): submit it again to go on"
    elif (trap '' TERM; scontrol requeue "$job"); then # which ends this start, often before the command has its answer
        say "stopped with checkpoints written; job $job is in the queue again ($((count + 1)) of at most $limit times)"
    else
        say "stopped with checkpoints written, but cannot requeue job $job: submit it again to go on"
    fi
    exit 75
}

# Had a step that began then got beyond where a mistake in the job or the machine shows?
was_at_work() {
    [ $((SECONDS - $1)) -ge "${CNNSWEEP_CHECK_SECONDS:-60}" ]
}

# train ARGUMENTS...: cnnsweep train with its exit code, or the job is in the queue again. Every start resumes: where
# there is nothing yet, that begins. A rank that dies (of a signal: 128 + its number; Open MPI then ends the others)
# costs what is behind the last checkpoint, and the step is started again while the allocation lives. So it is after an
# exit code of 1 from a step that had been at work: mpirun gives it too when it has lost a host.
train() {
    local starts=0 begun limit=${CNNSWEEP_STEP_STARTS:-3}
    trap 'pass_on requeue' USR2
    trap 'pass_on stop' TERM
    while :; do
        code=75
        begun=$SECONDS
        [ -n "$asked" ] || run_step "${launcher[@]}" "${container[@]}" "$bin/cnnsweep" train --resume "$@"
        starts=$((starts + 1))
        # A signal that came before the program was ready for it ended the launcher: as good as a stop.
        [ -z "$asked" ] || [ "$code" -le 128 ] || code=75
        # scancel signals the ranks too, which may be faster than this script is told.
        [ "$code" != 75 ] || [ -n "$asked" ] || sleep 2
        if [ "$code" = 75 ] && [ "$asked" != stop ]; then
            requeue
        elif [ "$code" -le 128 ] && ! { [ "$code" = 1 ] && was_at_work "$begun"; }; then
            return "$code"
        elif [ "$starts" -ge "$limit" ]; then
            say "the sweep broke off (exit code $code) in each of $starts starts (CNNSWEEP_STEP_STARTS): given up"
            return "$code"
        fi
        say "the sweep broke off (exit code $code): resuming, start $((starts + 1)) of at most $limit"
    done
}
