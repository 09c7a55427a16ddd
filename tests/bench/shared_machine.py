# SPDX-License-Identifier: Apache-2.0
"""Measures training beside other programs: the seconds of an epoch on an idle machine, and beside one and two busy processes.

    python3 tests/bench/shared_machine.py [--bin build/bin] [--images 11250] [--rounds 5] [--before OTHER_BIN]

BaseNet on drawings of 32 px in batches of 64. In every round the settings run in turn; the table has the medians, with the
smallest and largest. The exit code is 1 if beside two busy processes the default takes more than 1.3 times as long as the
better of one thread and two threads that wait passively. --before adds the default of another build, with which an epoch on an
idle machine is compared. Nothing else may run on the machine."""
import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

WANTED = 1.3
JOB = """name: shared
data: {path: data.h5}
model: {arch: basenet}
train: {epochs: 1, batch: 64, seed: 1}
"""
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_mpi_yield_when_idle": "1"}
WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS")


def epoch(binary, folder, environment=(), sets=(), ranks=1):
    """Trains one epoch; returns the seconds of training."""
    launcher = ["mpirun", "-n", str(ranks), "--bind-to", "none"] if ranks > 1 else []
    options = [argument for text in (*sets, f"ranks_per_trial={ranks}") for argument in ("--set", text)]
    env = {**{k: v for k, v in os.environ.items() if k not in WAITING}, **MPI, **dict(environment)}
    subprocess.run([*launcher, binary / "cnnsweep", "train", "job.yaml", "--force", "--out", "out", *options], cwd=folder, env=env,
                   check=True, capture_output=True)
    with open(folder / "out/trials.csv", newline="") as file:
        return float(next(csv.DictReader(file))["seconds"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build/bin", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--images", type=int, default=11250)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    binary = options.bin.resolve()
    ways = {
        "default": lambda folder: epoch(binary, folder),
        "one thread": lambda folder: epoch(binary, folder, sets=["threads=1"]),
        "two threads, as libgomp spins": lambda folder: epoch(binary, folder, {"GOMP_SPINCOUNT": "300000"}, ["threads=2"]),
        "two threads, passive": lambda folder: epoch(binary, folder, {"OMP_WAIT_POLICY": "passive"}, ["threads=2"]),
        "two ranks of one thread": lambda folder: epoch(binary, folder, sets=["threads=1"], ranks=2),
    }
    if options.before:
        ways["default before"] = lambda folder: epoch(options.before.resolve(), folder)
    medians = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "job.yaml").write_text(JOB)
        subprocess.run([binary / "cnnsweep-synthetic", "--classes", "3", "--per-class", str(options.images // 3), "--size", "32x32",
                        "drawn"], cwd=folder, check=True, capture_output=True)
        subprocess.run([binary / "cnnsweep-pack", "drawn", "data.h5"], cwd=folder, check=True,
                       capture_output=True)
        print(f"{options.images} images, {os.cpu_count()} cores, medians of {options.rounds}\n\n| beside | {' | '.join(ways)} |")
        print("|---" * (len(ways) + 1) + "|")
        for busy in (0, 1, 2):
            others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
            seconds = {way: [] for way in ways}
            for _ in range(options.rounds):
                for way, run in ways.items():
                    seconds[way].append(run(folder))
            for other in others:
                other.kill()
                other.wait()
            medians[busy] = {way: statistics.median(values) for way, values in seconds.items()}
            cells = (f"{statistics.median(v):.2f} ({min(v):.2f}-{max(v):.2f})" for v in seconds.values())
            print(f"| {busy} busy processes | {' | '.join(cells)} |", flush=True)
    better = min(medians[2]["one thread"], medians[2]["two threads, passive"])
    ratio = medians[2]["default"] / better
    print(f"\nbeside two busy processes the default takes {ratio:.2f} times the better setting's time (wanted: at most {WANTED})")
    if options.before:
        print(f"idle it takes {medians[0]['default'] / medians[0]['default before']:.2f} times as long as before")
    return 0 if ratio <= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
