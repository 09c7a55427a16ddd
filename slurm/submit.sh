#!/bin/bash
# sbatch with the settings of the site file: slurm/submit.sh [options of sbatch] SCRIPT [arguments]
# Options given here win over the site file's, and those over the script's.
# shellcheck source=slurm/common.sh
. "$(dirname "$0")/common.sh" || exit
mkdir -p results # where the scripts let Slurm write: it makes no folders, and a job without its log fails unseen
exec sbatch "$@"
