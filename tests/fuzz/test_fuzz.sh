#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A short fuzzing campaign against the readers of weights, images, sources of images and datasets. Without clang the test is
# skipped, but fails in CI.
set -eu
if ! command -v clang-14 >/dev/null && ! command -v clang >/dev/null; then
    echo "clang is not installed: nothing checked"
    [ -z "${CI:-}" ]
    exit 77
fi
exec bash "$CNNSWEEP_SOURCE/tests/fuzz/run.sh" 40 "$CNNSWEEP_BIN/../fuzz"
