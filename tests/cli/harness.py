# SPDX-License-Identifier: Apache-2.0
"""Shared by the command-line tests: a scratch folder, a small dataset, functions that run the program and read its results."""
import atexit
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from breakpoints import PATIENCE, Stopped  # noqa: E402

BIN = os.path.abspath(os.environ["CNNSWEEP_BIN"])
SCRATCH = tempfile.mkdtemp(prefix="cnnsweep-cli-")
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)

# Without the variables of the launcher that started the tests: they are not meant for these runs.
CLEAN = {name: value for name, value in os.environ.items()
         if not name.startswith(("SLURM_", "PMI", "OMPI_COMM_", "OMP_NUM_THREADS"))}
# The program chooses its threads as if nothing else ran on the machine.
CLEAN["CNNSWEEP_BUSY_CORES"] = "0"
# Open MPI does not free all its memory at exit, so a leak check of these runs would report only that.
MPI = {"ASAN_OPTIONS": "detect_leaks=0", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
       "OMPI_MCA_mpi_yield_when_idle": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
       "OMPI_MCA_hwloc_base_binding_policy": "none",
       "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe", "PRTE_MCA_hwloc_default_binding_policy": "none"}

# The columns of trials.csv that may depend on the clock or on the rank; the others must not.
VARYING = ("seconds", "images_per_second", "stall_fraction", "rank")

JOB = """name: tiny
data: {path: data.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 2, batch: 16, optimizer: adam, seed: 3}
sweep:
  parameters:
    lr: [0.001, 0.0003]
    augment: [none, flips, dark]
augmentations:
  flips: {horizontal_flip: true, vertical_flip: true}
  dark: {brightness_range: [0.5, 0.9]}
table: {rows: augment, columns: lr, value: test_accuracy}
"""


def path(name):
    return os.path.join(SCRATCH, name)


def command_and_env(program, arguments, ranks, env):
    """(command, environment); ranks=0: without mpirun."""
    command = (["mpirun", "-n", str(ranks)] if ranks else []) + [os.path.join(BIN, program), *arguments]
    return command, {**CLEAN, **(MPI if ranks else {}), **(env or {})}


def run(*arguments, ranks=0, env=None, program="cnnsweep", cwd=SCRATCH, cpu_seconds=None):
    """The finished process, with text output. ranks=0: without mpirun. cpu_seconds: a limit of processor time, which does not
    depend on the machine's load."""
    command, env = command_and_env(program, arguments, ranks, env)
    limit = ["prlimit", f"--cpu={cpu_seconds}:"] if cpu_seconds else []
    return subprocess.run(limit + command, cwd=cwd, env=env, capture_output=True, text=True, timeout=PATIENCE)


def run_ok(*arguments, **how):
    done = run(*arguments, **how)
    assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def stopped_at(breakpoint, *arguments, ranks=0, program="cnnsweep", env=None):
    """The program, stopped at that breakpoint (breakpoints.py)."""
    return Stopped(breakpoint, *command_and_env(program, arguments, ranks, env), cwd=SCRATCH)


def make_data(per_class=40, size="32x32"):
    """Writes data.h5 into the scratch folder: 3 classes of drawings, 70/15/15 % train, val, test."""
    run_ok("--classes", "3", "--per-class", str(per_class), "--size", size, "drawn", program="cnnsweep-synthetic")
    run_ok("drawn", "data.h5", program="cnnsweep-pack")


def write_job(text=JOB, name="job.yaml"):
    with open(path(name), "w") as out:
        out.write(text)
    return name


def read_trials(folder):
    with open(path(f"{folder}/trials.csv"), newline="") as file:
        return list(csv.DictReader(file))


def read_journal(folder):
    with open(path(f"{folder}/journal.jsonl")) as file:
        return [json.loads(line) for line in file]


def without_clock(trials):
    return [{name: value for name, value in trial.items() if name not in VARYING} for trial in trials]


def run_tests(names):
    """Runs every test_* function of a script, in the order of the script."""
    for name, test in list(names.items()):
        if name.startswith("test_"):
            start = time.time()
            test()
            print(f"ok {name} {time.time() - start:.1f} s", flush=True)
