# SPDX-License-Identifier: Apache-2.0
"""The short form of signals.py: to a rank each, and through mpirun."""
import sys

from signals import campaign

sys.exit(bool(campaign(runs=4, ranks=2, seed=1, again=0)))
