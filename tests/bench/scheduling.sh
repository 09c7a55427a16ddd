#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints a Markdown table: how busy the ranks are, and how much time a trial costs besides its training:
#     tests/bench/scheduling.sh [BUILD_BIN]
# 40 trials of 1 to 20 epochs, one by one on 4 ranks of one thread: at least 0.9 of the ranks' time is training.
# 300 tiny trials on one rank: less than 50 ms besides the training of each.
# On several ranks the other time is mostly waiting at the end. On a busy machine both figures are worse.
set -euo pipefail
cd "$(dirname "$0")/../.."
. cmake/packages.sh
use_local_mpi
bin=$(realpath "${1:-build/bin}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"$bin/cnnsweep-synthetic" --classes 3 --per-class 400 --size 32x32 drawn >/dev/null 2>&1
"$bin/cnnsweep-pack" drawn data.h5 >/dev/null 2>&1
"$bin/cnnsweep-synthetic" --classes 3 --per-class 40 --size 32x32 few >/dev/null 2>&1
"$bin/cnnsweep-pack" few few.h5 >/dev/null 2>&1

# job NAME DATA ARCH TRAIN PARAMETERS
job() {
    cat >"$1.yaml" <<END_JOB
name: $1
data: {path: $2}
model: {arch: $3}
threads: 1
group: false
train: {$4batch: 16}
sweep: {parameters: $5}
END_JOB
}
job spread data.h5 basenet_deep "" "{epochs: [$(seq -s, 1 20)], seed: [1, 2]}"
job tiny few.h5 basenet "epochs: 1, " "{seed: [$(seq -s, 1 300)]}"

# row WHAT RANKS NAME
row() {
    local begun ended
    begun=$(date +%s.%N)
    mpirun -n "$2" "$bin/cnnsweep" train "$3.yaml" --out "$3" >/dev/null 2>"$3.log" || { grep -A1 error "$3.log" >&2; exit 1; }
    ended=$(date +%s.%N)
    python3 - "$1" "$2" "$3" "$begun" "$ended" <<'END_ROW'
import csv, sys
what, ranks, folder, begun, ended = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4]), float(sys.argv[5])
rows = list(csv.DictReader(open(f"{folder}/trials.csv")))
assert all(row["status"] == "ok" for row in rows)
seconds, wall = [float(row["seconds"]) for row in rows], ended - begun
bound = max(sum(seconds) / ranks, max(seconds))
print(f"| {what} | {len(rows)} | {ranks} | {wall:.1f} | {sum(seconds) / (ranks * wall):.3f} | {wall / bound:.3f} "
      f"| {f'{(wall - sum(seconds)) / len(rows) * 1000:.0f}' if ranks == 1 else '-'} |")
END_ROW
}

echo "| trials | number | ranks | wall, s | busy share | wall / lower bound | beside training, ms a trial |"
echo "|---|---|---|---|---|---|---|"
row "1 to 20 epochs" 4 spread
row "tiny" 1 tiny
