#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sbatch with the settings of the site file: slurm/submit.sh [options of sbatch] SCRIPT [arguments], from any folder.
# Data, results/ and the log are below that one.
# Options given here win over the site file's, and those over the script's.
# shellcheck source=slurm/common.sh
. "$(dirname "$0")/common.sh" || exit
mkdir -p results # where the scripts let Slurm write: it makes no folders, and a job without its log fails unseen
if [ -n "${SLURM_JOB_ID:-}" ]; then # submitted from inside a job, whose tasks and memory are not the new one's
    for name in "${!SLURM_@}"; do [ "$name" = SLURM_CONF ] || unset "$name"; done
fi
exec sbatch "$@"
