#!/bin/bash
# Installs what the tests need, builds with warnings as errors, runs every test; then the C tests once more with
# AddressSanitizer and UBSan.
set -euo pipefail
cd "$(dirname "$0")"
. cmake/packages.sh

install_packages "${build_packages[@]}" "${test_packages[@]}"
use_local_mpi
jobs=$(nproc)

cmake --preset ci
cmake --build --preset ci -j "$jobs"
ctest --preset ci --output-on-failure

# The script tests run the same programs against other judges: once is enough. Open MPI and Python leave memory at exit.
cmake --preset debug -DCNNSWEEP_WERROR=ON
cmake --build --preset debug -j "$jobs"
ASAN_OPTIONS=detect_leaks=1 ctest --preset debug --output-on-failure -LE script
