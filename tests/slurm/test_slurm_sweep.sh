#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# slurm/sweep.sbatch on a real Slurm of one host: whatever interrupts a sweep, it ends with the table of an undisturbed run,
# bit for bit.
# shellcheck source=tests/slurm/jobs.sh
. "$CNNSWEEP_SOURCE/tests/slurm/jobs.sh" || exit

# trained_once NAME: no epoch was trained twice, as a signal lets the sweep write its checkpoints.
trained_once() {
    [ "$(grep -c '"event":"epoch"' "results/$1/journal.jsonl")" = 480 ] || fail "results/$1 was not trained once"
}

rank_processes() {
    pgrep -x cnnsweep
}

undisturbed() {
    job=$(submit --ntasks=2 "$sweep" job.yaml --out results/reference)
    ends "$job" COMPLETED
    log_has "$job" "2 tasks (2 a node) on n1, 1 threads a task, 0 GPUs a node, srun --mpi=pmix"
    "$CNNSWEEP_BIN/cnnsweep" train job.yaml --out results/alone >/dev/null 2>&1
    same results/alone results/reference
    grep -q '| none ' "results/sweep-$job.log" || fail "no table in the log"
}

# warned NAME LAUNCHER: scancel sends the signal with which Slurm warns before the time limit.
warned() {
    begins "warned-$1" --ntasks=2 --export="ALL,CNNSWEEP_LAUNCHER=$2"
    scancel --batch --signal=USR2 "$job"
    starts_again "$job"
    ends "$job" COMPLETED
    log_has "$job" "in the queue again (1 of at most 20 times)"
    log_has "$job" "start 2: 2 tasks .* $2"
    same results/reference "results/warned-$1"
    trained_once "warned-$1"
}

requeued_often_enough() {
    begins often --ntasks=2 --export=ALL,CNNSWEEP_REQUEUES=0
    scancel --batch --signal=USR2 "$job"
    ends "$job" FAILED
    scontrol show job "$job" | grep -q ExitCode=75:0 || fail "exit code of job $job"
    log_has "$job" "requeued 0 times, which is enough"
    job=$(submit --ntasks=2 "$sweep" job.yaml --out results/often)
    ends "$job" COMPLETED
    same results/reference results/often
}

# cancelled NAME LAUNCHER: a cancelled job is not requeued.
cancelled() {
    begins "cancelled-$1" --ntasks=2 --export="ALL,CNNSWEEP_LAUNCHER=$2"
    scancel "$job"
    ends "$job" CANCELLED
    job=$(submit --ntasks=2 "$sweep" job.yaml --out "results/cancelled-$1")
    ends "$job" COMPLETED
    same results/reference "results/cancelled-$1"
}

rank_killed() {
    begins killed --ntasks=2
    kill -KILL "$(rank_processes | tail -n 1)"
    ends "$job" COMPLETED
    log_has "$job" "broke off (exit code 137): resuming, start 2 of at most 3"
    same results/reference results/killed
}

ranks_die_again_and_again() {
    begins dying --ntasks=2 --export=ALL,CNNSWEEP_STEP_STARTS=1
    kill -KILL "$(rank_processes | tail -n 1)"
    ends "$job" FAILED
    log_has "$job" "in each of 1 starts (CNNSWEEP_STEP_STARTS): given up"
}

# With a launcher without MPI support, each task starts as a single rank, and none of them may train.
lone_tasks() {
    job=$(submit --ntasks=3 --export="ALL,CNNSWEEP_LAUNCHER=srun --mpi=none" "$sweep" job.yaml --out results/lone)
    ends "$job" FAILED
    [ "$(grep -c "error: SLURM_NTASKS is 3, but there is 1 rank" "results/sweep-$job.log")" = 3 ] || fail "not all 3 tasks stopped"
    log_has "$job" 'hint: start it with `srun --mpi=pmix`'
    [ ! -e results/lone ] || fail "a single task trained"
}

# A job with a mistake is reported once and not started again.
wrong_job() {
    job=$(submit "$sweep" absent.yaml)
    ends "$job" FAILED
    log_has "$job" "absent.yaml"
    ! grep -q "resuming" "results/sweep-$job.log" || fail "job $job was started again"
}

# A mistake in the site file is reported before a job is submitted.
broken_site_file() {
    echo 'module load absent' >broken.conf
    ! CNNSWEEP_SITE=$PWD/broken.conf submit "$sweep" job.yaml >errors.txt 2>&1 || fail "submitted with a broken site file"
    grep -q "broken.conf: its last command failed" errors.txt || fail "the error for a broken site file was: $(cat errors.txt)"
}

# A job that is submitted from inside another one does not take the number of tasks of that one.
inside_a_job() {
    job=$(SLURM_JOB_ID=1 SLURM_NTASKS=5 submit "$sweep" absent.yaml)
    ends "$job" FAILED
    log_has "$job" "start 1: tasks (1 a node) on n1"
}

# A job with a limit of one minute, which Slurm itself warns.
limited_begins() {
    begins limited --ntasks=2 --time=1 --signal=B:USR2@40
    limited=$job
}

limited_ends() {
    ends "$limited" COMPLETED
    log_has "$limited" "in the queue again"
    same results/reference results/limited
    trained_once limited
}

jobs_start 1 8
limited_begins
undisturbed
warned srun "srun --mpi=pmix"
warned mpirun mpirun
requeued_often_enough
cancelled srun "srun --mpi=pmix"
cancelled mpirun mpirun
lone_tasks
wrong_job
broken_site_file
inside_a_job
limited_ends
rank_killed
ranks_die_again_and_again
echo "passed in $SECONDS s"
