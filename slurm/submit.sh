#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Calls sbatch with the settings of the site file: slurm/submit.sh [options of sbatch] SCRIPT [arguments]. It can be called
# in any folder; data, results/ and the log are below that folder. Options of the call override those of the site file,
# which override those of the script.
# shellcheck source=slurm/common.sh
. "$(dirname "$0")/common.sh" || exit
mkdir -p results # for the log: Slurm creates no folders, and a job without a log fails without a message
if [ -n "${SLURM_JOB_ID:-}" ]; then # called inside a job: the new job must not get its tasks and memory
    for name in "${!SLURM_@}"; do [ "$name" = SLURM_CONF ] || unset "$name"; done
fi
exec sbatch "$@"
