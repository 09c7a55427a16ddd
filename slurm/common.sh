#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The functions that the batch scripts share; they source this file. It reads the site file, checks the machine, chooses
# the launcher, and runs a sweep that can be stopped, requeued and resumed. site.conf.example lists the variables that
# change its behaviour.

say() {
    echo "slurm: $*" >&2
}

# Ends the script because of a wrong call, or of a machine on which nothing can be started.
die() {
    say "$@"
    exit 2
}

# The clone, or PREFIX/share/cnnsweep of `cmake --install`. It is exported to jobs, because Slurm runs a copy of a batch
# script in another folder.
CNNSWEEP_HOME=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
export CNNSWEEP_HOME

container=() # the command before every program, such as (apptainer exec --nv cnnsweep.sif)
site_file=${CNNSWEEP_SITE:-$CNNSWEEP_HOME/slurm/site.conf}
[ -e "$site_file" ] || [ -n "${CNNSWEEP_SITE:-}" ] || [ ! -e /etc/cnnsweep/site.conf ] || site_file=/etc/cnnsweep/site.conf
# shellcheck source=/dev/null
[ ! -e "$site_file" ] || . "$site_file" || die "$site_file: its last command failed, or it is not bash"
case $CNNSWEEP_HOME in
*/share/cnnsweep) bin=${CNNSWEEP_BIN:-${CNNSWEEP_HOME%/share/cnnsweep}/bin} ;;
*) bin=${CNNSWEEP_BIN:-$CNNSWEEP_HOME/build/bin} ;;
esac
set -u # after the site file, because the `module` of many sites fails with it
# After sbatch --export, tasks would get only the exported variables, without those of the site file, and even without PATH.
unset SLURM_EXPORT_ENV
export PATH

# Checks that a program exists. A program in a container cannot be checked from outside.
check_program() {
    [ ${#container[@]} -gt 0 ] || [ -x "$bin/$1" ] ||
        die "$bin/$1 is not there: build it (./quickstart.sh), or set CNNSWEEP_BIN in $site_file"
}

# A full disk would end a sweep after hours, so a nearly full one is an error at the start.
check_space() {
    local folder=$1 wanted=${CNNSWEEP_FREE_MIB:-512} free
    free=$(df -Pm "$folder" | awk 'NR == 2 {print $4}')
    [ "$free" -ge "$wanted" ] ||
        die "$folder: $free MiB free, less than the $wanted that are wanted (CNNSWEEP_FREE_MIB)"
}

# Sets `launcher`, the command before a program that starts it once for each task.
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
    srun) launcher+=("--cpus-per-task=$threads") ;; # since Slurm 22.05 srun does not inherit it from the job
    mpirun) launcher+=(--bind-to none) ;;           # else a rank of several threads gets a single core
    esac
}

# Every job that trains calls this first.
prepare_training() {
    check_program cnnsweep
    mkdir -p results
    check_space results
    choose_launcher
    export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
    say "job $SLURM_JOB_ID, start $((${SLURM_RESTART_COUNT:-0} + 1)): ${SLURM_NTASKS:+$SLURM_NTASKS }tasks ($SLURM_TASKS_PER_NODE a node)" \
        "on $SLURM_JOB_NODELIST, $OMP_NUM_THREADS threads a task, ${SLURM_GPUS_ON_NODE:-0} GPUs a node, ${launcher[*]}"
}

# Why the running step was asked to end: requeue (Slurm's warning before the time limit) or stop (scancel).
asked=
step=        # the step's process
interrupted= # a signal ended the `wait`, not the step

pass_on() {
    asked=$1
    [ "$asked" = stop ] || say "the time is nearly up: stopping"
    interrupted=yes
    [ -z "$step" ] || kill -USR2 "$step" 2>/dev/null
}

# Runs a command in the background and sets `code`, because bash handles a signal only while it waits.
run_step() {
    "$@" &
    step=$!
    while interrupted=; code=0; wait "$step" || code=$?; [ -n "$interrupted" ]; do :; done
    step=
}

# Requeues this job, which later starts again, and ends the current start.
requeue() {
    local limit=${CNNSWEEP_REQUEUES:-20} count=${SLURM_RESTART_COUNT:-0} job=$SLURM_JOB_ID
    # The job number of an array's last task is that of the array, and would requeue all tasks.
    [ -z "${SLURM_ARRAY_TASK_ID:-}" ] || job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
    if [ "$count" -ge "$limit" ]; then
        say "requeued $count times, which is enough (CNNSWEEP_REQUEUES): submit it again to go on"
    elif (trap '' TERM; scontrol requeue "$job"); then # which ends this start, often before scontrol has its answer
        say "stopped with checkpoints written; job $job is in the queue again ($((count + 1)) of at most $limit times)"
    else
        say "stopped with checkpoints written, but cannot requeue job $job: submit it again to go on"
    fi
    exit 75
}

# Has the step that began at second $1 run so long that a mistake in the job or the machine is unlikely?
ran_long() {
    [ $((SECONDS - $1)) -ge "${CNNSWEEP_CHECK_SECONDS:-60}" ]
}

# train ARGUMENTS...: runs cnnsweep train and returns its exit code, or requeues the job. Every start uses --resume, which
# begins a sweep if there is none. If a rank dies (by a signal, exit code 128 + its number; Open MPI then ends the
# others), the step is started again in the same allocation, and only the work since the last checkpoint is lost. An exit
# code of 1 from a step that had run for a while is treated likewise, because mpirun also returns 1 when it loses a host.
train() {
    local starts=0 begun limit=${CNNSWEEP_STEP_STARTS:-3}
    trap 'pass_on requeue' USR2
    trap 'pass_on stop' TERM
    while :; do
        code=75
        begun=$SECONDS
        [ -n "$asked" ] || run_step "${launcher[@]}" "${container[@]}" "$bin/cnnsweep" train --resume "$@"
        starts=$((starts + 1))
        # A signal that came before the program handled signals has killed the launcher. That counts as a stop.
        [ -z "$asked" ] || [ "$code" -le 128 ] || code=75
        # scancel signals the ranks too, and they may end before this script gets its signal.
        [ "$code" != 75 ] || [ -n "$asked" ] || sleep 2
        if [ "$code" = 75 ] && [ "$asked" != stop ]; then
            requeue
        elif [ "$code" -le 128 ] && ! { [ "$code" = 1 ] && ran_long "$begun"; }; then
            return "$code"
        elif [ "$starts" -ge "$limit" ]; then
            say "the sweep broke off (exit code $code) in each of $starts starts (CNNSWEEP_STEP_STARTS): given up"
            return "$code"
        fi
        say "the sweep broke off (exit code $code): resuming, start $((starts + 1)) of at most $limit"
    done
}
