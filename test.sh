#!/bin/bash
# Installs what the tests need, builds with warnings as errors and runs every test; then most of them once more with
# AddressSanitizer and UBSan. With CI set, nothing may be skipped for want of material or tools, and the engine is tested
# against oneDNN 3 too.
set -euo pipefail
cd "$(dirname "$0")"
. cmake/packages.sh

install_packages "${build_packages[@]}" "${test_packages[@]}"
use_local_mpi
jobs=$(nproc)

cmake --preset ci
cmake --build --preset ci -j "$jobs"
ctest --preset ci -j "$jobs"

# What only compares numbers with other judges, whole networks above all, or times, learns nothing from a second run.
# Of the CUDA engine it is the build for the host that runs here.
cmake --preset debug -DCNNSWEEP_WERROR=ON -DCNNSWEEP_CUDA=OFF
cmake --build --preset debug -j "$jobs"
# An absurd size must give NULL, as in a normal build, for the code behind it to be tested. The stack that looks for uses
# after return, on by default since GCC 13, is not aligned for AVX-512: Debian 13's GCC 14.2 crashes on it.
numbers='engine_networks.*|engine_rows.*|(group|checkpoint)_cuda_host|keras_forward|torch_forward|torch_step|ref_gradients'
judged='weights_keras|zoo_torch|input_scaling|gpu_script'
ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=0 ctest --preset debug -j "$jobs" \
    -LE 'parity|rules|fuzz|slurm' -E "test_($numbers|$judged)$"

# The other major version of oneDNN comes from PyPI, which not every machine reaches; CI does.
[ -z "${CI:-}" ] || tests/onednn3.sh

# A skipped test passes, and says why in ctest's log alone.
echo "Skipped:"
grep -hE '^\[  SKIPPED \] [a-z]|skipped[: ]|nothing checked' build-ci/Testing/Temporary/LastTest.log | sort -u ||
    echo "nothing"
