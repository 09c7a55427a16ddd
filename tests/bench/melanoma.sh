#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Trains the 20-cell melanoma grid on real images with real weights and 2 ranks; prints results/melanoma_mobilenet.md:
#     tests/bench/melanoma.sh [BUILD_BIN]        (material: $CNNSWEEP_SHARED, default ../shared)
# It trains once on the split of the published set, whose test part is small (32 images), and once on a seeded stratified
# split of the same images (134 test images).
set -euo pipefail
cd "$(dirname "$0")/../.."
. cmake/packages.sh
use_local_mpi
bin=${1:-build/bin}
shared=${CNNSWEEP_SHARED:-../shared}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/split" "$work/all"
tar xf "$shared/data/isic_melanoma_vs_nevus.tar" -C "$work/split"
for file in "$work"/split/*/*/*; do
    class=$(basename "$(dirname "$file")") part=$(basename "$(dirname "$(dirname "$file")")")
    mkdir -p "$work/all/$class"
    cp "$file" "$work/all/$class/${part}_$(basename "$file")"
done
"$bin/cnnsweep-pack" --size 50x50 "$work/split" "$work/split.h5" >"$work/split.txt" 2>/dev/null
"$bin/cnnsweep-pack" --size 50x50 --split 0.7,0.1,0.2 "$work/all" "$work/all.h5" >"$work/all.txt" 2>/dev/null

# run DATASET OPTION...
run() {
    local data=$1 begun ended
    shift
    begun=$(date +%s.%N)
    mpirun -n 2 "$bin/cnnsweep" train jobs/melanoma_mobilenet.yaml --out "$work/out" --force --set data.path="$work/$data.h5" \
        --set model.weights="$shared/weights/mobilenet_v1_0.25_224_kerasnames_no_top.h5" "$@" 2>/dev/null | sed 1,2d
    ended=$(date +%s.%N)
    python3 - "$work/out/trials.csv" "$begun" "$ended" <<'END'
import csv, sys
rows = [r for r in csv.DictReader(open(sys.argv[1])) if r["status"] == "ok"]
mean = sum(float(r["test_accuracy"]) for r in rows) / len(rows)
print(f"{len(rows)} of 20 cells, mean {mean:.4f}, {float(sys.argv[3]) - float(sys.argv[2]):.1f} s from start to table")
END
}

echo "# Melanoma or nevus: fine-tuning depth x augmentation, 50x50, MobileNet 0.25, 10 epochs, 2 ranks"
echo
echo 'Printed by `tests/bench/melanoma.sh`. Test accuracy; the larger class is the majority share given with each split.'
echo
echo "## The set's own split: 512 train, 126 val, 32 test images (majority 0.500)"
echo
run split
for seed in 1 2 3; do
    echo
    echo "## A stratified split of the same images: 468 train, 68 val, 134 test (majority 0.560), seed $seed"
    echo
    run all --set train.seed=$seed
done
