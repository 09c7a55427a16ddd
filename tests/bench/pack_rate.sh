#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compares the packing rate with the rate of decoding the same files with libjpeg-turbo alone, with as many threads, and with
# what people write in Python (pack_pillow.py), with one process and with as many as there are threads. The packer prints its
# rate from its first line until the dataset has its name. Prints a Markdown table of medians of RUNS runs, taken in turn; the
# second ratio is that of the processor time, which other programs on the machine change less. Fails when the first ratio is
# below BAR.
# All files are in TMPDIR: in memory (/dev/shm) this measures the program, on a disk also the disk.
#   tests/bench/pack_rate.sh [BUILD]      environment: CNNSWEEP_SHARED, THREADS, RUNS (7), BAR (0.8), PYTHON
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${1:-$source/build}" && pwd)
shared=${CNNSWEEP_SHARED:-$source/../shared}
threads=${THREADS:-$(nproc)} runs=${RUNS:-7} bar=${BAR:-0.8} python=${PYTHON:-/usr/bin/python3}
[ -n "${TMPDIR:-}" ] || ! [ -w /dev/shm ] || TMPDIR=/dev/shm
work=$(mktemp -d -p "${TMPDIR:-/tmp}")
trap 'rm -rf "$work"' EXIT

median() { sort -g "$1" | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

# Runs a command, which prints its rate, and notes the rate and the processor time.  run NAME COMMAND...
run() {
    local name=$1 TIMEFORMAT='%U %S'
    shift
    { time "$@" >> "$work/$name.rate"; } 2>&1 | awk '{print $1 + $2}' >> "$work/$name.seconds"
}
pack() {
    "$build/bin/cnnsweep-pack" "$@" 2>&1 >/dev/null | sed -n 's/^packed .*(\([0-9]*\) images.*/\1/p'
}

below=0
# case_ NAME FOLDER PACK-OPTION VALUE
case_() {
    local name=$1 folder=$2 option=$3 value=$4 i
    mapfile -t files < <(find "$folder" -name '*.jpg' -o -name '*.jpeg')
    rm -f "$work"/*.rate "$work"/*.seconds
    for ((i = 0; i < runs; i++)); do
        run decode "$build/tests/decode_rate" "$threads" "${files[@]}"
        run pack pack "$folder" "$work/out" --threads "$threads" "$option" "$value"
        rm -rf "$work/out"
        if [ "$option" = --size ]; then
            run pillow "$python" "$source/tests/bench/pack_pillow.py" "$folder" "$work/out" "$value" 1
            run pool "$python" "$source/tests/bench/pack_pillow.py" "$folder" "$work/out" "$value" "$threads"
            rm -f "$work/out"
        else
            echo - | tee "$work/pillow.rate" > "$work/pool.rate"
        fi
    done
    awk -v name="$name" -v n="${#files[@]}" -v how="$option $value" -v d="$(median "$work/decode.rate")" \
        -v p="$(median "$work/pack.rate")" -v ds="$(median "$work/decode.seconds")" -v ps="$(median "$work/pack.seconds")" \
        -v pillow="$(median "$work/pillow.rate")" -v pool="$(median "$work/pool.rate")" -v bar="$bar" 'BEGIN {
        printf "| %s | %d | `%s` | %.0f | %.0f | %.2f | %.2f | %s | %s |\n", name, n, how, d, p, p / d, ds / ps, pillow, pool
        exit p / d < bar}' || below=1
}

echo "Packing against libjpeg-turbo and Pillow, images/s, $threads threads, medians of $runs runs, files in ${work%/*}, bar $bar"
echo
echo "| images | n | options | libjpeg-turbo alone | cnnsweep-pack | ratio | of processor time | Pillow and h5py | with $threads processes |"
echo "|---|---|---|---|---|---|---|---|---|"
# The sets are small: each image is copied under other names, so that the start does not dominate the time.
set_() { # set_ NAME COPIES SIZE
    local archive=$shared/data/$1.tar class i
    if ! [ -f "$archive" ]; then
        [ -z "${CNNSWEEP_SHARED:-}" ] && return
        echo "$archive is missing" >&2
        exit 1
    fi
    mkdir "$work/images"
    tar xf "$archive" -C "$work/images"
    for class in "$work/images"/*/*; do
        cp -r "$class" "$work/class"
        for ((i = 1; i < $2; i++)); do
            cp -r "$work/class" "$class/copy$i"
        done
        rm -r "$work/class"
    done
    case_ "$1" "$work/images" --size "$3"
    case_ "$1" "$work/images" --encoding jpeg
    rm -r "$work/images"
}
set_ isic_melanoma_vs_nevus 10 50x50
set_ car_damage_3class 20 50x50
set_ cub200_2010_birds_100class_224 3 64x64
"$build/bin/cnnsweep-synthetic" "$work/images" --per-class 2000 --size 256x256 2>/dev/null
case_ "synthetic 256x256" "$work/images" --size 64x64
case_ "synthetic 256x256" "$work/images" --encoding jpeg
exit $below
