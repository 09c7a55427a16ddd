#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tests/gpu.sh runs its steps, in this test with the CUDA engine that is built for the host; a failing step shows in the table
# and in the exit status.
set -eu
build=$(dirname "$CNNSWEEP_BIN")
plugin=$build/tests/libcnnsweep_cuda_host.so
if [ ! -f "$plugin" ]; then
    echo "this build has no CUDA engine: nothing checked"
    exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
gpu() { "$CNNSWEEP_SOURCE/tests/gpu.sh" --quick --build "$build" --out "$folder" "$@"; }

CNNSWEEP_CUDA_PLUGIN=$plugin gpu test_engine_parity-fp32 test_engine_parity-bf16 test_engine_loss-fp32 training_checkpoint train_speed
[ "$(grep -c '| passed |' "$folder/host.md")" = 5 ]
grep -q '^| mobilenet | 32 | 2 |' "$folder/host.md"

if CNNSWEEP_CUDA_PLUGIN=$CNNSWEEP_BIN/cnnsweep gpu test_engine_loss-fp32 train_speed; then
    echo "a file that is no plug-in passed"
    exit 1
fi
[ "$(grep -c '| FAILED |' "$folder/host.md")" = 2 ]
grep -q 'test_engine_loss-fp32 | FAILED .*cannot be loaded' "$folder/host.md"
echo "ok"
