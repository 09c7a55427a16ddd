# SPDX-License-Identifier: Apache-2.0
"""Faults that earlier versions had: the scripts of the test material, each of which shows one, all say that it is gone."""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
from pack_tools import BIN, shared_material  # noqa: E402

scripts = shared_material("cases/scripts")
if scripts is None:
    print("skipped: there is no test material")
    sys.exit(77)

# The program chooses its threads as if nothing else ran on the machine. Open MPI does not free all its memory at exit.
ENV = {**os.environ, "BIN": str(BIN.resolve()), "PYTHON": sys.executable, "CNNSWEEP_BUSY_CORES": "0",
       "ASAN_OPTIONS": "detect_leaks=0"}
failed = []
for script in sorted(scripts.glob("R*.sh")):
    done = subprocess.run(["sh", script], env=ENV, capture_output=True, text=True)
    said = (done.stdout.splitlines() or [""])[-1]
    if not said.endswith(": right"):
        failed.append((script.name, said, done.stderr))
assert len(list(scripts.glob("R*.sh"))) == 41 and not failed, failed
