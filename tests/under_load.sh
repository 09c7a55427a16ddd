#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tests that start processes must not depend on the speed of these processes. This runs those of the folders cli, sweep, fault
# and slurm again and again beside four busy processes (stress-ng), and on one core (taskset):
#
#     tests/under_load.sh [BUILD [BUSY_RUNS [ONE_CORE_RUNS]]]        default: build-ci 5 2
#
# No other script calls this one, because it takes hours. It prints a line for each run; the log of run N is in
# BUILD/under_load/. The exit code is 1 when a test failed in any run.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=cmake/packages.sh
. cmake/packages.sh
build=${1:-build-ci} busy=${2:-5} one_core=${3:-2}
logs=$build/under_load
failed=0

# run NAME COMMAND...: runs the tests under the command.
run() {
    local name=$1 log=$logs/$1.log began=$SECONDS
    shift
    "$@" ctest --test-dir "$build" -L '^(cli|sweep|fault|slurm)$' --output-on-failure >"$log" 2>&1 || failed=1
    echo "$name: $(grep -E '^[0-9]+% tests passed' "$log" || tail -n 1 "$log") in $((SECONDS - began)) s" \
        "$(sed -n 's/.* - \(test_[a-z_]*\) (.*/\1/p' "$log" | xargs)"
}

command -v stress-ng >/dev/null || install_packages stress-ng
use_local_mpi
mkdir -p "$logs"
for ((i = 1; i <= busy; i++)); do
    stress-ng --quiet --cpu 4 &
    beside=$!
    trap 'kill "$beside" 2>/dev/null || true' EXIT
    run "busy$i" env
    kill "$beside"
    wait "$beside" || true
done
for ((i = 1; i <= one_core; i++)); do
    run "one_core$i" taskset -c 0
done
exit "$failed"
