#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Trains the job file of every family on real images with 2 ranks; prints results/families.md:
#     tests/bench/families.sh [BUILD_BIN]        (material: $CNNSWEEP_SHARED, default ../shared)
set -euo pipefail
cd "$(dirname "$0")/../.."
. cmake/packages.sh
use_local_mpi
bin=${1:-build/bin}
shared=${CNNSWEEP_SHARED:-../shared}
v2=$shared/weights/mobilenet_v2_0.35_224_keras_no_top.h5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# pack TAR NAME OPTION...
pack() {
    mkdir "$work/$2"
    tar xf "$shared/data/$1.tar" -C "$work/$2"
    "$bin/cnnsweep-pack" "${@:3}" "$work/$2" "$work/$2.h5" >/dev/null 2>&1
}

# run JOB DATASET OPTION...
run() {
    local job=$1 data=$2 begun=$SECONDS
    echo
    echo "## jobs/$job.yaml"
    echo
    mpirun -n 2 "$bin/cnnsweep" train "jobs/$job.yaml" --out "$work/out" --force --set data.path="$work/$data.h5" \
        "${@:3}" 2>"$work/log" | sed 1,2d || { cat "$work/log" >&2; return 1; }
    echo "$((SECONDS - begun)) s"
}

pack cifar10_jpeg_subset cifar
pack car_damage_3class cars --size 128x128
pack chest_xray_3class_resized256 xray --size 64x64
pack isic_melanoma_vs_nevus isic --size 96x96

echo "# A job a family, on real images"
echo
echo 'Printed by `tests/bench/families.sh`, 2 ranks of one thread. Test accuracy. Small sets and few epochs, most networks from'
echo 'scratch: this shows that everything runs, not what the networks can do (a batch norm'"'"'s moving statistics need more steps than'
echo 'these epochs have, and the melanoma set'"'"'s test part has 32 images).'
run cifar10_small_nets cifar
run cars_mobilenet_v2 cars --set model.weights="$v2"
run cars_heads cars --set model.weights="$v2"
run chest_xray_resnet xray
run chest_xray_densenet xray
run melanoma_inception_xception isic
run melanoma_efficientnet isic
