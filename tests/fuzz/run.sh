#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes the readers of weights, images, sources of images and datasets: tests/fuzz/run.sh SECONDS [BUILD_FOLDER
# [SEEDS...]]. Each folder of seeds (tests/fuzz/corpus), or each that is named, gets an equal part of the time. New inputs
# stay in the build folder's corpus. If an input breaks a reader, it is left there as crash-*, and the script fails.
set -euo pipefail
seconds=$1
source=$(cd "$(dirname "$0")/../.." && pwd)
build=${2:-$source/build-fuzz}
seeds=("${@:3}")
clang=$(command -v clang-14 || command -v clang)

cmake -S "$source" -B "$build" -DCMAKE_C_COMPILER="$clang" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCNNSWEEP_FUZZ=ON \
    -DCNNSWEEP_ONEDNN=OFF -DCNNSWEEP_CUDA=OFF >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" --target fuzz_{safetensors,hdf5,image,source,dataset} >>"$build.log" 2>&1 ||
    { tail -n 40 "$build.log"; exit 1; }

if [ ${#seeds[@]} = 0 ]; then
    seeds=("$source"/tests/fuzz/corpus/*)
    seeds=("${seeds[@]##*/}")
fi

# fuzz HARNESS SEEDS OPTION...
fuzz() {
    local harness=$1 folder=$2
    shift 2
    mkdir -p "$build/corpus/$folder"
    (cd "$build" && "$(find . -name "$harness" -type f)" -max_total_time=$((seconds / ${#seeds[@]})) -rss_limit_mb=4096 \
        -print_final_stats=1 -max_len=65536 "$@" "corpus/$folder" "$source/tests/fuzz/corpus/$folder") 2>"$build/$folder.log" ||
        { tail -n 60 "$build/$folder.log"; echo "$harness found something in $folder: see $build"; exit 1; }
    echo "$folder: $(grep -o 'number_of_executed_units: *[0-9]*' "$build/$folder.log" | grep -o '[0-9]*$') inputs"
}
for folder in "${seeds[@]}"; do
    case $folder in
    safetensors) fuzz fuzz_safetensors safetensors -timeout=10 ;;
    hdf5) fuzz fuzz_hdf5 hdf5 -timeout=60 ;;
    dataset) fuzz fuzz_dataset dataset -timeout=60 ;;
    csv | archive | cifar) fuzz fuzz_source "$folder" -timeout=10 -max_len=16384 -handle_xfsz=0 ;;
    *) fuzz fuzz_image "$folder" -timeout=10 ;;
    esac
done
