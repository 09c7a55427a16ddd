# SPDX-License-Identifier: Apache-2.0
"""Compares the 20-cell melanoma grid with the same grid in PyTorch, which run in turn; prints results/grid.md:

    python3 tests/bench/grid.py [--bin build/bin] [--rounds 5] [--python python3 with torch and h5py] [--only NAME...]

MobileNet 0.25 with the real weights and MobileNet 1 from random ones, at 50 and 128 px, 10 epochs, 2 ranks of one thread
against two processes of one thread. Each round has its own seed; both programs start from the same values and get the same
batches of the same augmented pixels. Times are from the start of the program to the finished table. Our program is also run
without the cache, and with one trial after the other. Material: $CNNSWEEP_SHARED, default ../shared.

On a GPU, one rank is compared with PyTorch. Without the material, it uses as many drawn images and random weights, and says so:

    python3 tests/bench/grid.py --device cuda --ranks 1 --processes 4 --precision bf16 --only random-50"""
import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("CNNSWEEP_SHARED", ROOT / ".." / "shared")).resolve()
REAL = SHARED / "weights/mobilenet_v1_0.25_224_kerasnames_no_top.h5"
# name: alpha, weights, pixels
GRIDS = {"real-50": (0.25, REAL, 50), "real-128": (0.25, REAL, 128), "random-50": (1, None, 50), "random-128": (1, None, 128)}
BATCH = 32
MODES = {"cnnsweep": [], "no cache": ["cache=off"], "one by one": ["cache=off", "group=false"]}
ENV = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMP_NUM_THREADS": "1",
       "OMPI_MCA_hwloc_base_binding_policy": "none", "OMPI_MCA_mpi_yield_when_idle": "1"}


DRAWN_A_CLASS = 366  # 512 images in train, as many as in the real set


def timed(*command):
    begun = time.time()
    done = subprocess.run([str(c) for c in command], cwd=ROOT, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return time.time() - begun


def job_sets(options, grid, seed, data):
    alpha, weights, _ = GRIDS[grid]
    weights = weights if weights and weights.exists() else None
    return [f"data.path={data}", "data.image=packed", f"model.alpha={alpha}", f'model.weights="{weights or ""}"', f"train.epochs={options.epochs}",
            f"train.batch={BATCH}", f"train.seed={seed}"]


def sweep(options, sets, out, ranks):
    flags = [flag for value in sets for flag in ("--set", value)] + ["--device", options.device]
    if options.device == "cuda":
        flags += ["--set", f"precision={options.precision}"]
    return timed(*(["mpirun", "-n", ranks] if ranks > 1 else []), options.bin / "cnnsweep", "train", "jobs/melanoma_mobilenet.yaml", "--force", "--out", out, *flags)


def initial_values(options, work, grid, seed, data):
    """Writes the network's initial values, by a run whose training changes nothing."""
    sets = job_sets(options, grid, seed, data) + ["sweep.parameters={fine_tune: [head], augment: [none]}", "train.epochs=1", "train.lr=1e-12",
                                         "train.optimizer=sgd", "train.save_weights=h5"]
    sweep(options, sets, work / "init", 1)
    return work / "init/weights/t000.h5"


def accuracies(out):
    with open(out / "trials.csv") as file:
        return {(r["augment"], int(r["fine_tune"])): (float(r["val_loss"]), float(r["val_accuracy"]), float(r["test_accuracy"]))
                for r in csv.DictReader(file)}


def torch_accuracies(path):
    with open(path) as file:
        return {(c["augment"], c["fine_tune"]): (c["val_loss"], c["val_accuracy"], c["test_accuracy"]) for c in json.load(file)["cells"]}


def run_grid(options, work, grid):
    """({mode: [seconds a round]}, the (ours, theirs) of every cell)"""
    alpha, _, pixels = GRIDS[grid]
    data = work / f"{pixels}.h5"
    if not data.exists():
        timed(options.bin / "cnnsweep-pack", "--size", f"{pixels}x{pixels}", work / "images", data)
    seconds, pairs = {"PyTorch": [], **{mode: [] for mode in options.modes}}, []
    for seed in range(1, options.rounds + 1):
        init = initial_values(options, work, grid, seed, data)
        cells = work / "cells.json"
        seconds["PyTorch"].append(timed(options.python, ROOT / "tests/bench/grid_torch.py", "--data", data, "--init", init, "--alpha", alpha,
                                        "--epochs", options.epochs, "--batch", BATCH, "--seed", seed, "--out", cells, "--processes", options.processes,
                                        "--device", "cuda" if options.device == "cuda" else "cpu", "--precision", options.precision))
        theirs = torch_accuracies(cells)
        for mode in options.modes:
            seconds[mode].append(sweep(options, job_sets(options, grid, seed, data) + MODES[mode], work / "out", options.ranks))
            if mode == "cnnsweep":
                ours = accuracies(work / "out")
                pairs += [(ours[cell], theirs[cell]) for cell in theirs]
        print(f"{grid} round {seed}: " + ", ".join(f"{mode} {s[-1]:.1f} s" for mode, s in seconds.items()), file=sys.stderr, flush=True)
    return seconds, pairs


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def print_speed(results):
    print("| grid | rounds | PyTorch s | cnnsweep s | PyTorch / cnnsweep | one by one / cnnsweep | engine | grouping | cache |")
    print("|---|---|---|---|---|---|---|---|---|")
    for grid, (seconds, _) in results.items():
        def ratio(above, below):
            return spread([a / b for a, b in zip(seconds[above], seconds[below])]) if above in seconds and below in seconds else "-"
        print(f"| {grid} | {len(seconds['PyTorch'])} | {statistics.median(seconds['PyTorch']):.1f} | {statistics.median(seconds['cnnsweep']):.1f} | "
              f"**{ratio('PyTorch', 'cnnsweep')}** | **{ratio('one by one', 'cnnsweep')}** | {ratio('PyTorch', 'one by one')} | "
              f"{ratio('one by one', 'no cache')} | {ratio('no cache', 'cnnsweep')} |")


def print_accuracy(results):
    print("| grid | cells x seeds | val accuracy: cnnsweep | PyTorch | test accuracy: cnnsweep | PyTorch | mean difference of val accuracy +/- standard error |")
    print("|---|---|---|---|---|---|---|")
    for grid, (_, pairs) in results.items():
        def cell(index):
            ours, theirs = [p[0][index] for p in pairs], [p[1][index] for p in pairs]
            return " | ".join(f"{statistics.mean(v):.4f} +/- {statistics.stdev(v):.4f}" for v in (ours, theirs))
        difference = [p[0][1] - p[1][1] for p in pairs]
        error = statistics.stdev(difference) / len(difference)**0.5
        print(f"| {grid} | {len(pairs)} | {cell(1)} | {cell(2)} | {statistics.mean(difference):+.4f} +/- {error:.4f} |")


def make_images(options, folder):
    """Makes the dataset; returns a description of its images."""
    archive = SHARED / "data/isic_melanoma_vs_nevus.tar"
    if archive.exists():
        folder.mkdir()
        subprocess.run(["tar", "xf", archive, "-C", folder], check=True)
        return "melanoma or nevus"
    timed(options.bin / "cnnsweep-synthetic", "--classes", 2, "--per-class", DRAWN_A_CLASS, "--size", "128x128", folder)
    return f"DRAWN images, {DRAWN_A_CLASS} a class, and RANDOM weights, as {archive.name} is not here: accuracies say nothing about the real set"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", default="/usr/bin/python3")
    parser.add_argument("--only", nargs="*", choices=GRIDS, default=list(GRIDS))
    parser.add_argument("--modes", nargs="*", choices=MODES, default=list(MODES))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="the precision of both programs on a GPU")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2, help="the number of PyTorch's processes")
    options = parser.parse_args()
    options.bin = options.bin.resolve()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        images = make_images(options, work / "images")
        results = {grid: run_grid(options, work, grid) for grid in options.only}
    version = subprocess.run([options.python, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True).stdout.strip()
    where = f" on {options.device} in {options.precision}" if options.device == "cuda" else ""
    print(f"{images}; PyTorch {version}, {options.processes} processes of one thread; cnnsweep, {options.ranks} ranks of one thread{where}; "
          "medians of the rounds (smallest-largest)\n")
    print_speed(results)
    print("\nEngine: PyTorch over cnnsweep one by one; grouping: one by one over grouped without cache; cache: what it adds.\n")
    print_accuracy(results)


if __name__ == "__main__":
    main()
