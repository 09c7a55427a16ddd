#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Packs what tests/gpu.sh needs into one file, for a machine that has a GPU but none of our libraries:
#
#   tests/gpu_bundle.sh BUNDLER BUILD FILE.tar.gz
#
# BUNDLER copies programs and the libraries that they need, except glibc and CUDA's, into a relocatable folder and packs it:
#   BUNDLER -m -s -t FILE FOLDER SOURCE:PLACE...      (-m: with Open MPI; -s: stripped)
# On that machine:  tar xzf FILE.tar.gz && gpu/source/tests/gpu.sh
set -euo pipefail
[ $# = 3 ] || { sed -n '2,8p' "$0"; exit 2; }
bundler=$1 build=$(cd "$2" && pwd) file=$(realpath -m "$3")
root=$(cd "$(dirname "$0")/.." && pwd)
most=$((64 * 1024 * 1024))

content=()
programs='cnnsweep cnnsweep-pack cnnsweep-synthetic libcnnsweep_cuda.so'
tests='engine_rate test_engine_dropout test_engine_faults test_engine_gradients test_engine_loss test_engine_networks test_engine_parity test_engine_ranks
    test_engine_rows test_engine_stores test_feed test_torch_forward test_keras_forward test_torch_step test_group test_cache
    test_checkpoint test_checkpoint_others test_data_parallel test_features_mode test_memory_flat test_no_allocation'
for name in $programs; do content+=("$build/bin/$name:bin/$name"); done
for name in $tests; do content+=("$build/tests/$name:tests/$name"); done
content+=("$build/tests/libcs_breakpoint.so:tests/libcs_breakpoint.so")
for name in tests/gpu.sh tests/gpu_training.py tests/gpu_libraries.py tests/cli/harness.py tests/support/breakpoints.py jobs/melanoma_mobilenet.yaml \
    tests/net/golden/{torch_forward,keras_forward,torch_step}.txt \
    tests/bench/{gpu_train,gpu_torch,gpu_profile,grid,grid_torch,torch_nets}.py; do
    content+=("$root/$name:source/$name")
done
for entry in "${content[@]}"; do
    [ -e "${entry%%:*}" ] || { echo "gpu_bundle.sh: ${entry%%:*} is missing: build all of it first" >&2; exit 1; }
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$bundler" -m -s -t "$file" "$folder/gpu" "${content[@]}"
size=$(stat -c%s "$file")
echo "$file: $((size / 1024 / 1024)) MiB packed"
[ "$size" -lt $most ] || { echo "gpu_bundle.sh: more than $((most / 1024 / 1024)) MiB" >&2; exit 1; }
