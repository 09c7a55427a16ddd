#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes the readers of weights: tests/fuzz/run.sh SECONDS [BUILD_FOLDER]. Each harness gets half of the time. New inputs
# stay in the build folder's corpus. If an input breaks a reader, it is left there as crash-*, and the script fails.
set -euo pipefail
seconds=$1
source=$(cd "$(dirname "$0")/../.." && pwd)
build=${2:-$source/build-fuzz}
clang=$(command -v clang-14 || command -v clang)

cmake -S "$source" -B "$build" -DCMAKE_C_COMPILER="$clang" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCNNSWEEP_FUZZ=ON \
    -DCNNSWEEP_ONEDNN=OFF -DCNNSWEEP_CUDA=OFF >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" --target fuzz_safetensors fuzz_hdf5 >>"$build.log" 2>&1 || { tail -n 40 "$build.log"; exit 1; }

# fuzz HARNESS SEEDS OPTION...
fuzz() {
    local harness=$1 seeds=$2
    shift 2
    mkdir -p "$build/corpus/$seeds"
    (cd "$build" && "$(find . -name "$harness" -type f)" -max_total_time=$((seconds / 2)) -rss_limit_mb=4096 \
        -print_final_stats=1 -max_len=65536 "$@" "corpus/$seeds" "$source/tests/fuzz/corpus/$seeds") 2>"$build/$harness.log" ||
        { tail -n 60 "$build/$harness.log"; echo "$harness found something: see $build"; exit 1; }
    echo "$harness: $(grep -o 'number_of_executed_units: *[0-9]*' "$build/$harness.log" | grep -o '[0-9]*$') inputs"
}
fuzz fuzz_safetensors safetensors -timeout=10
fuzz fuzz_hdf5 hdf5 -timeout=60
