#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Work that is divided over several jobs of a real Slurm: packing in parts, a sweep as a job array with a job that collects,
# and the pipeline. All give the table of a single job.
# shellcheck source=tests/slurm/jobs.sh
. "$CNNSWEEP_SOURCE/tests/slurm/jobs.sh" || exit

scripts=$CNNSWEEP_SOURCE/slurm

# collected FOLDER: the merged folder has the table and the trials of the reference. The command below the table may differ,
# as it names the job file; histories and reports stay in the parts.
collected() {
    cmp <(grep '^|' results/reference/table.md) <(grep '^|' "$1/table.md") || fail "$1/table.md differs"
    python3 "$CNNSWEEP_SOURCE/tests/slurm/same.py" --trials results/reference "$1" || fail "$1/trials.csv differs"
}

reference() {
    "$CNNSWEEP_BIN/cnnsweep" train job.yaml --out results/reference >/dev/null 2>&1
}

packed_in_parts() {
    "$CNNSWEEP_BIN/cnnsweep-pack" --shard-size 64K images one_go >/dev/null 2>&1
    # The tasks of a job find their programs even if the job gets hardly any variables of the environment.
    job=$(submit --ntasks=3 --export=CNNSWEEP_HOME,CNNSWEEP_SITE "$scripts/pack.sbatch" --shard-size 64K images packed)
    ends "$job" COMPLETED
    diff -r one_go packed || fail "packed differs"
    [ "$(find packed -name 'shard-*' | wc -l)" -gt 3 ] || fail "too few shards to compare"
    job=$(submit --ntasks=3 "$scripts/pack.sbatch" --shard-size 64K images packed)
    ends "$job" COMPLETED
    log_has "$job" "packed exists already"
}

# One task of the array gets the signal of the time limit: only that task is requeued.
array_of_three() {
    # Only the last task has the breakpoint: it is stopped until it gets the signal.
    # shellcheck disable=SC2016 # expanded in each task
    echo '[ "${SLURM_ARRAY_TASK_ID:-2}" = 2 ] || unset CNNSWEEP_TEST_BREAKPOINT' >>site.conf
    job=$(with_breakpoint 'write {"event":"epoch" 30' array \
        submit --array=0-2 --ntasks=1 "$scripts/array.sbatch" 3 results/array job.yaml)
    collect=$(submit --dependency="afterany:$job" "$scripts/collect.sbatch" results/array)
    waits_until_stopped array
    scancel --batch --signal=USR2 "${job}_2"
    starts_again "${job}_2"
    ends "$collect" COMPLETED
    has_state "$job" COMPLETED || fail "array $job: $(state_of "$job")"
    [ "$(scontrol show job -o "$job" | grep -c Restarts=1)" = 1 ] || fail "not one task of $job was requeued"
    collected results/array
}

# The images are in data/, where the dataset is written too. When the pipeline runs again, its jobs are still queued, because
# the host is drained until then.
pipeline() {
    cp job.yaml piped.yaml
    mkdir data
    mv images data/
    scontrol update nodename=n1 state=drain reason=test
    "$scripts/pipeline.sh" --parts 2 --pack-tasks 2 data/images piped.yaml --ntasks=2 >first.txt
    "$scripts/pipeline.sh" --parts 2 --pack-tasks 2 data/images piped.yaml --ntasks=2 >again.txt
    scontrol update nodename=n1 state=resume
    [ "$(awk '{print $1}' first.txt | xargs)" = "pack sweep collect" ] || fail "the pipeline printed $(cat first.txt)"
    grep -q piped-collect again.txt || fail "run again, the pipeline printed $(cat again.txt)"
    ends "$(awk '/^collect/ {print $2}' first.txt)" COMPLETED
    collected results/piped
    "$scripts/pipeline.sh" --parts 2 data/images piped.yaml >first.txt
    [ "$(awk '{print $1}' first.txt | xargs)" = "sweep collect" ] || fail "the pipeline packs again: $(cat first.txt)"
    ends "$(awk '/^collect/ {print $2}' first.txt)" COMPLETED
    collected results/piped
}

jobs_start 1 8
reference
packed_in_parts
array_of_three
pipeline
echo "passed in $SECONDS s"
