#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs the engine's tests with oneDNN 3.x where the system has 2.x: takes a build of it from PyPI (Apache-2.0), builds in
# build-onednn3/ and runs the tests of the engine and train rooms, or those that options of ctest choose.
set -euo pipefail
cd "$(dirname "$0")/.."
version=2023.2.0 # oneDNN 3.2
prefix=$PWD/build-onednn3/prefix

if [ ! -e "$prefix/include/oneapi/dnnl/dnnl.h" ]; then
    rm -rf build-onednn3/wheels "$prefix"
    mkdir -p build-onednn3/wheels "$prefix"
    python3 -m venv build-onednn3/venv
    build-onednn3/venv/bin/pip download -q --no-deps -d build-onednn3/wheels \
        onednn-cpu-gomp==$version onednn-devel-cpu-gomp==$version
    for wheel in build-onednn3/wheels/*.whl; do
        python3 -m zipfile -e "$wheel" build-onednn3/wheels/unpacked
    done
    cp -r build-onednn3/wheels/unpacked/*.data/data/. "$prefix"
fi
cmake -B build-onednn3 -DCMAKE_BUILD_TYPE=Release -DCNNSWEEP_WERROR=ON -DCNNSWEEP_CUDA=OFF -DOneDNN_ROOT="$prefix"
cmake --build build-onednn3 -j "$(nproc)"
[ $# -gt 0 ] || set -- -L 'engine|train' -E 'cuda|test_ref_'
# The reference engine does not use oneDNN.
CNNSWEEP_TEST_DEVICE=cpu LD_LIBRARY_PATH=$prefix/lib ctest --test-dir build-onednn3 -j "$(nproc)" --output-on-failure "$@"
