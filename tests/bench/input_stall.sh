#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Measures the share of training time that a rank waits for its one loader thread, in full training steps on real images:
#     tests/bench/input_stall.sh [BUILD_BIN]        (images: $CNNSWEEP_SHARED/data, default ../shared)
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=${1:-build/bin}
shared=${CNNSWEEP_SHARED:-../shared}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tar xf "$shared/data/isic_melanoma_vs_nevus.tar" -C "$work"
for size in 50 128; do
    "$bin/cnnsweep-pack" --size ${size}x$size "$work" "$work/raw$size.h5" >/dev/null 2>&1
    "$bin/cnnsweep-pack" --size ${size}x$size --encoding jpeg "$work" "$work/jpeg$size.h5" >/dev/null 2>&1
done
cat >"$work/job.yaml" <<'END'
name: stall
data:  {path: unset}
model: {arch: mobilenet, head: [gap, dense]}
train: {epochs: 3, batch: 32, optimizer: adam, lr: 1e-4, fine_tune: all, augment: all}
augmentations:
  all: {horizontal_flip: true, vertical_flip: true, brightness_range: [0.5, 1.5]}
END

echo "Full training steps of MobileNet, batch 32, one thread and one loader thread, flips and brightness on; medians of 5 runs"
echo
echo "| alpha | px | shards | images/s | waiting for input |"
echo "|---|---|---|---|---|"
for cell in "1 raw50" "1 jpeg50" "0.25 raw50" "0.25 jpeg50" "0.25 raw128" "0.25 jpeg128"; do
    read -r alpha data <<<"$cell"
    for run in 1 2 3 4 5; do
        "$bin/cnnsweep" train "$work/job.yaml" --set data.path="$work/$data.h5" --set model.alpha=$alpha --set threads=1 \
            --out "$work/out" --force >/dev/null 2>&1
        python3 -c '
import csv, sys
row = next(csv.DictReader(open(sys.argv[1])))
print(row["stall_fraction"], row["images_per_second"])' "$work/out/trials.csv"
    done | sort -g | awk -v alpha="$alpha" -v data="$data" '
        { stall[NR] = $1; rate[NR] = $2 }
        END { size = data; sub(/[a-z]*/, "", size); kind = data; sub(/[0-9]*$/, "", kind)
              printf "| %s | %s | %s | %.0f | %.2f %% |\n", alpha, size, kind, rate[3], 100 * stall[3] }'
done
