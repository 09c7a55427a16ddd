#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian package (build-deb/), installs it with apt into a fresh Debian 12, and trains jobs/demo.yaml in it as an
# ordinary user. Runs on Debian 12, as root, with debootstrap and a mirror in reach:
#
#   tests/deb.sh FOLDER [MIRROR]     FOLDER gets the fresh system, must not exist and is removed at the end
#
# results/debian_package.md has what it printed.
set -euo pipefail
cd "$(dirname "$0")/.."
. cmake/packages.sh
[ $# -ge 1 ] && [ ! -e "$1" ] || { sed -n '2,7p' "$0"; exit 2; }
root=$1 mirror=${2:-http://deb.debian.org/debian} build=build-deb

clean() {
    local name
    for name in dev/shm sys proc; do
        ! mountpoint -q "$root/$name" || umount "$root/$name"
    done
    rm -rf --one-file-system "$root"
}
trap clean EXIT

# shown COMMAND: prints the command as at a prompt and runs it.
shown() {
    printf '\n$ %s\n' "$1"
    bash -c "$1"
}

# inside USER COMMAND: runs the command in the fresh system.
inside() {
    printf '\n%s $ %s\n' "$1" "$2"
    chroot "$root" su "$1" -s /bin/bash -c "set -o pipefail; cd && export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive && $2"
}

install_packages "${build_packages[@]}" debootstrap
mkdir -p $build
shown "cmake -B $build -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF -DCNNSWEEP_CUDA=OFF >$build/build.log"
shown "cmake --build $build -j $(nproc) >>$build/build.log"
rm -f $build/*.deb
shown "cpack --config $build/CPackConfig.cmake -B $build >>$build/build.log"
shown "dpkg-deb --field $build/cnnsweep_*.deb"

debootstrap --variant=minbase bookworm "$root" "$mirror" >$build/debootstrap.log
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mkdir -p "$root/dev/shm"
mount -t tmpfs shm "$root/dev/shm"
cp /etc/resolv.conf "$root/etc/"
cp $build/cnnsweep_*.deb "$root/root/"

inside root "cat /etc/debian_version && dpkg --list | grep -c ^ii"
inside root "apt-get update -qq && apt-get install -y -qq --no-install-recommends ./cnnsweep_*.deb >apt.log 2>&1 && tail -n 1 apt.log"
inside root "useradd --create-home someone"
inside someone "cnnsweep --version"
inside someone "cnnsweep-synthetic --classes 3 --per-class 500 --size 48x48 data/demo"
inside someone "cnnsweep-pack data/demo data/demo.h5"
inside someone "mpirun -n 2 --oversubscribe cnnsweep train /usr/share/doc/cnnsweep/examples/demo.yaml 2>&1 | grep -v ' epoch '"
inside someone "cat results/demo/table.md"
inside someone "ls results/demo"
inside root "apt-get remove -y -qq cnnsweep >apt.log 2>&1 && ! ls -d /usr/share/*/cnnsweep /usr/bin/cnnsweep* 2>/dev/null"
echo
echo "The package can be installed, trains and can be removed."
