# SPDX-License-Identifier: Apache-2.0
# The Debian and Ubuntu packages that the build and the tests need, for quickstart.sh and test.sh to source.
# "a|b": the first that this distribution has; "a|": left out where it has none, and the tests that want it skip.
build_packages=(build-essential cmake pkg-config git ca-certificates libopenmpi-dev openmpi-bin libhdf5-dev
    libjpeg-dev liblapack-dev libnlopt-dev "libdnnl-dev|libonednn-dev" libspng-dev libgif-dev libwebp-dev libtiff-dev
    libcsv-dev libarchive-dev libjansson-dev libyaml-dev libxxhash-dev libcairo2-dev libpango1.0-dev libfontconfig-dev)
# clang-14: the fuzzing of tests/fuzz. libomp: its omp.h is the one that clang-tidy finds. slurm-wlm: what tests/slurm
# starts.
test_packages=(libcmocka-dev shellcheck "clang-format-14|" "clang-tidy-14|" "clang-14|" "libclang-rt-14-dev|"
    "libomp-14-dev|" python3 python3-venv python3-numpy python3-h5py python3-pil python3-scipy python3-sklearn python3-yaml
    "python3-torch|" "python3-torchvision|" slurm-wlm munge iproute2 poppler-utils)

is_installed() {
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

# The names of those packages that are not installed, alternatives resolved. (apt-cache show succeeds, with no output,
# on a name that others only mention.)
missing_packages() {
    local entry name chosen
    for entry in "$@"; do
        chosen=
        for name in ${entry//|/ }; do
            if is_installed "$name"; then chosen=installed; break; fi
            if [ -z "$chosen" ] && [ -n "$(apt-cache show "$name" 2>/dev/null)" ]; then chosen=$name; fi
        done
        [ "$chosen" = installed ] || echo "${chosen:-${entry##*|}}"
    done
}

# Installs what is missing, with sudo only where needed, and says what.
install_packages() {
    local as_root=() missing
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "This system has no apt-get. Install the counterparts of these packages yourself:" $missing >&2
        return 1
    fi
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    missing=$(missing_packages "$@") # with the lists, alternatives can be distinguished
    echo "Installing:" $missing
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# Settings for mpirun on one machine: as root (containers) and with more ranks than cores. PRTE is Open MPI 5.
use_local_mpi() {
    if [ "$(id -u)" = 0 ]; then
        export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    fi
    export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
    export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe PRTE_MCA_hwloc_default_binding_policy=none
}
