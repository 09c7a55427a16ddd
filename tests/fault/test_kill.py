# SPDX-License-Identifier: Apache-2.0
"""A few runs of kill.py."""
import sys

from kill import campaign

sys.exit(bool(campaign(runs=3, ranks=2, seed=1, again=0.3)))
