# SPDX-License-Identifier: Apache-2.0
"""A few runs of signals.py: each signal to a rank, and SIGUSR2 to mpirun."""
import sys

from signals import campaign

sys.exit(bool(campaign(runs=4, ranks=2, seed=1, again=0)))
