#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the tests need, builds with warnings as errors and runs every test; then most of them once more with
# AddressSanitizer and UBSan. With CI set, nothing may be skipped for want of material or tools, and some run also as on
# a clone without material, as on lesser processors and against oneDNN 3.
set -euo pipefail
cd "$(dirname "$0")"
. cmake/packages.sh

jobs=$(nproc)
stages=()
trap '[ ${#stages[@]} -eq 0 ] || (IFS=,; echo "Stages:${stages[*]}")' EXIT

# stage NAME COMMAND...: the seconds of each stage are printed at the end, also those of the one that failed.
stage() {
    local name=$1 began=$SECONDS
    shift
    stages+=(" $name failed")
    "$@"
    stages[-1]=" $name $((SECONDS - began)) s"
}

# build PRESET OPTIONS...
build() {
    cmake --preset "$@"
    cmake --build --preset "$1" -j "$jobs"
}

# run_tests PRESET OPTIONS...: some or all tests of its build.
run_tests() {
    ctest --preset "$1" -j "$jobs" --no-tests=error "${@:2}"
}

# The sanitizers would find nothing new in tests that only compare the numbers of whole networks with other programs'
# numbers, or measure times. Of the CUDA engine, the build for the host runs in these tests.
sanitized_tests() {
    local numbers='engine_networks.*|engine_rows.*|(group|checkpoint|cache)_cuda_host|keras_forward|torch_forward|torch_step|ref_gradients'
    local compared='weights_keras|zoo_torch|input_scaling|gpu_script|cli_fold_rules|cli_cases|page_browser|tensorboard'
    compared+='|importance|explain_torch|explain_torch_cuda_host|page_large'
    run_tests debug -LE 'parity|rules|fuzz|slurm|docs' -E "test_($numbers|$compared)$"
}

# As for a user, whose clone has no ../shared.
tests_without_material() {
    CNNSWEEP_SHARED=/nowhere run_tests ci -L shared
    CNNSWEEP_SHARED=/nowhere run_tests debug -L shared
}

# on_lesser_processors COMMAND...: once for each instruction set below this processor's own to which oneDNN, and with it
# the engine's own kernels, can be held.
on_lesser_processors() {
    local lesser sets=(AVX2 SSE41)
    if ! grep -qw avx512vl /proc/cpuinfo; then
        sets=(SSE41)
        echo "This processor has no AVX-512: it is itself one of the lesser ones."
    fi
    for lesser in "${sets[@]}"; do
        echo "As a processor that has no more than $lesser:"
        ONEDNN_MAX_CPU_ISA=$lesser "$@"
    done
}

# The reference engine has no code of its own for a processor, so the tests that train on every engine leave it out here.
# With SSE4.1 alone oneDNN trains in reference loops: what trains for many steps would take hours.
# Of going on, test_checkpoint_others is left.
tests_of_the_processor() {
    local long='engine_(networks|ranks)|cache|checkpoint|cli_resume|data_parallel|group|memory_flat|torch_step'
    [ "$ONEDNN_MAX_CPU_ISA" = SSE41 ] || long=none
    CNNSWEEP_TEST_DEVICE=cpu run_tests ci -L processor -E "test_($long)$"
}

# A skipped test passes, and says why in ctest's log alone.
skipped() {
    grep -hE '^\[  SKIPPED \] [a-z]|skipped[: ]|nothing checked' build-ci/Testing/Temporary/LastTest.log | sort -u ||
        echo "nothing"
}

install_packages "${build_packages[@]}" "${test_packages[@]}"
use_local_mpi
stage build build ci
stage tests run_tests ci
skipped=$(skipped)

# An absurd size must give NULL, as in a normal build, for the code behind it to be tested. The stack that looks for uses
# after return, on by default since GCC 13, is not aligned for AVX-512: Debian 13's GCC 14.2 crashes on it.
export ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=0
stage "sanitized build" build debug -DCNNSWEEP_WERROR=ON -DCNNSWEEP_CUDA=OFF
stage "sanitized tests" sanitized_tests

if [ -n "${CI:-}" ]; then
    stage "without material" tests_without_material
    stage "lesser processors" on_lesser_processors tests_of_the_processor
    # The other major version of oneDNN comes from PyPI, which not every machine reaches.
    stage "oneDNN 3" tests/onednn3.sh
    stage "oneDNN 3 on lesser processors" on_lesser_processors tests/onednn3.sh -R 'test_(engine_rows|features_mode)$'
fi
printf 'Skipped:\n%s\n' "$skipped"
