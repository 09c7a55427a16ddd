# SPDX-License-Identifier: Apache-2.0
"""A few runs of phases.py."""
import sys

from phases import campaign

sys.exit(bool(campaign(runs=2, ranks=2, seed=1, again=0.3)))
