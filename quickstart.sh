#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh Debian 12 or Ubuntu 24.04 to the result table of a small sweep: installs what is missing, builds in
# build/, draws and packs demo images in data/, trains jobs/demo.yaml on all cores.
set -euo pipefail
cd "$(dirname "$0")"
. cmake/packages.sh

install_packages "${build_packages[@]}"
use_local_mpi

cores=$(nproc)
echo "Building (log: build/build.log)"
mkdir -p build
if ! { cmake --preset release -DBUILD_TESTING=OFF && cmake --build --preset release -j "$cores"; } >build/build.log 2>&1
then
    tail -n 30 build/build.log >&2
    exit 1
fi

if [ ! -e data/demo.h5 ]; then
    mkdir -p data
    rm -rf data/demo
    build/bin/cnnsweep-synthetic --classes 3 --per-class 500 --size 48x48 data/demo
    build/bin/cnnsweep-pack data/demo data/demo.h5
fi

mpirun -n "$cores" build/bin/cnnsweep train jobs/demo.yaml --force

cat <<'END'

The table is in results/demo/table.md, a row a trial in results/demo/trials.csv. Next:
  build/bin/cnnsweep-pack --size 64x64 YOUR_IMAGES data/yours.h5     (a folder a class)
  build/bin/cnnsweep train jobs/demo.yaml --set data.path=data/yours.h5 --out results/yours
END
