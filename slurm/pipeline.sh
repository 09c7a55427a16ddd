#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Submits three jobs that make a table from a folder of images: packing, the sweep and collecting. Each begins when the
# one before it has ended. Prints the numbers of the jobs.
#
#     slurm/pipeline.sh [options] IMAGES JOB.yaml [options of sbatch for the sweep, such as --ntasks=8]
#       --parts N          divide the sweep over an array of N jobs (default 1)
#       --pack-tasks N     processes that pack (default 4)
#       --pack "OPTIONS"   options of cnnsweep-pack, such as "--size 50x50"
#
# The dataset becomes data/<name of IMAGES>.shards, which the job gets as data.path; the results are in
# results/<name of JOB>.
# It is safe to run it again: if its jobs are waiting or running it does nothing, else an existing dataset is not packed
# again and the sweep goes on.
scripts=$(dirname "$0")
# shellcheck source=slurm/common.sh
. "$scripts/common.sh" || exit

parts=1 pack_tasks=4 pack_options=()
while [ $# -ge 2 ]; do
    case $1 in
    --parts) parts=$2 ;;
    --pack-tasks) pack_tasks=$2 ;;
    --pack) read -ra pack_options <<<"$2" ;;
    *) break ;;
    esac
    shift 2
done
[ $# -ge 2 ] || die "usage: slurm/pipeline.sh [--parts N] [--pack-tasks N] [--pack OPTIONS] IMAGES JOB.yaml [options of sbatch]"
images=${1%/} job=$2
shift 2
[ -f "$job" ] || die "$job: no such job file"
[[ $parts =~ ^[1-9][0-9]*$ ]] || die "--parts $parts: must be a number from 1 on"
name=$(basename "${job%.*}")
data=data/$(basename "$images").shards out=results/$name

# submit NAME ARGUMENTS...: submits a job and prints its number.
submit() {
    local job_name=$1
    shift
    "$scripts/submit.sh" --parsable --job-name="$job_name" "$@" || die "$job_name was not submitted"
}

queued=$(squeue --me -h -o '%A %j %T' -n "$name-pack,$name-sweep,$name-collect")
if [ -n "$queued" ]; then
    say "nothing is submitted, because these jobs are waiting or running:"
    echo "$queued"
    exit 0
fi

after=()
if [ ! -e "$data" ]; then
    [ -d "$images" ] || die "$images: no such folder"
    pack=$(submit "$name-pack" --ntasks="$pack_tasks" "$scripts/pack.sbatch" "${pack_options[@]}" "$images" "$data") || exit
    echo "pack    $pack"
    after=("--dependency=afterok:$pack" --kill-on-invalid-dep=yes)
fi
sweep=$(submit "$name-sweep" "${after[@]}" --array="0-$((parts - 1))" "$@" \
    "$scripts/array.sbatch" "$parts" "$out" "$job" --set "data.path=$data") || exit
echo "sweep   $sweep"
collect=$(submit "$name-collect" --dependency="afterany:$sweep" "$scripts/collect.sbatch" "$out") || exit
echo "collect $collect"
