#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compares the packing rate with the rate of decoding the same files with libjpeg-turbo alone, with as many threads. Both
# programs print their own rate, the packer from its first line until the dataset has its name. Prints a Markdown table of
# medians of RUNS runs, taken in turn; fails when a ratio is below BAR.
# All files are in TMPDIR: in memory (/dev/shm) this measures the program, on a disk also the disk.
#   tests/bench/pack_rate.sh [BUILD]      environment: CNNSWEEP_SHARED, THREADS, RUNS (7), BAR (0.8)
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${1:-$source/build}" && pwd)
shared=${CNNSWEEP_SHARED:-$source/../shared}
threads=${THREADS:-$(nproc)} runs=${RUNS:-7} bar=${BAR:-0.8}
[ -n "${TMPDIR:-}" ] || ! [ -w /dev/shm ] || TMPDIR=/dev/shm
work=$(mktemp -d -p "${TMPDIR:-/tmp}")
trap 'rm -rf "$work"' EXIT

median() { sort -g | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

below=0
# case_ NAME FOLDER PACK-OPTION...
case_() {
    local name=$1 folder=$2 images i
    shift 2
    mapfile -t files < <(find "$folder" -name '*.jpg' -o -name '*.jpeg')
    images=${#files[@]}
    : > "$work/decode" > "$work/pack"
    for ((i = 0; i < runs; i++)); do
        "$build/tests/decode_rate" "$threads" "${files[@]}" >> "$work/decode"
        rm -rf "$work/out"
        "$build/bin/cnnsweep-pack" "$folder" "$work/out" --threads "$threads" "$@" 2>&1 >/dev/null |
            sed -n 's/^packed .*(\([0-9]*\) images.*/\1/p' >> "$work/pack"
    done
    local decode pack
    decode=$(median < "$work/decode") pack=$(median < "$work/pack")
    awk -v name="$name" -v images="$images" -v how="$*" -v d="$decode" -v p="$pack" 'BEGIN {
        printf "| %s | %d | `%s` | %.0f | %.0f | %.2f |\n", name, images, how, d, p, p / d}'
    awk -v d="$decode" -v p="$pack" -v bar="$bar" 'BEGIN {exit p / d < bar}' || below=1
}

echo "Packing against libjpeg-turbo alone, images/s, $threads threads, medians of $runs runs, files in ${work%/*}, bar $bar"
echo
echo "| images | n | options | libjpeg-turbo alone | cnnsweep-pack | ratio |"
echo "|---|---|---|---|---|---|"
# The sets are small: each image is copied COPIES times under other names, so that the start does not dominate the time.
copies=${COPIES:-5}
for set in isic_melanoma_vs_nevus car_damage_3class; do
    archive=$shared/data/$set.tar
    if [ -f "$archive" ]; then
        mkdir "$work/$set"
        tar xf "$archive" -C "$work/$set"
        for class in "$work/$set"/*/*; do
            cp -r "$class" "$work/class"
            for ((i = 1; i < copies; i++)); do
                cp -r "$work/class" "$class/copy$i"
            done
            rm -r "$work/class"
        done
        case_ "$set" "$work/$set" --size 50x50
        case_ "$set" "$work/$set" --encoding jpeg
    elif [ -n "${CNNSWEEP_SHARED:-}" ]; then
        echo "$archive is missing" >&2
        exit 1
    fi
done
"$build/bin/cnnsweep-synthetic" "$work/synthetic" --per-class 1000 --size 256x256 2>/dev/null
case_ "synthetic 256x256" "$work/synthetic" --size 64x64
case_ "synthetic 256x256" "$work/synthetic" --encoding jpeg
exit $below
