# SPDX-License-Identifier: Apache-2.0
"""Prints the time that each kernel takes in a training step on a GPU, by ncu (or nsys, if that is on the PATH):

    python3 tests/bench/gpu_profile.py [--build build] [--only ARCH...] [--batch 256]

A kernel's time is measured alone on the GPU and summed by name over the steps of a short run; the shares add up to 1. The exit
status is 77 if neither profiler is installed."""
import argparse
import collections
import csv
import glob
import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NETS = [("resnet50", "torch"), ("mobilenet", "keras")]
MOST = 15
STEPS = 3  # one to warm up, and those to measure
NANOSECONDS = {"nsecond": 1, "ns": 1, "usecond": 1e3, "us": 1e3, "msecond": 1e6, "ms": 1e6, "second": 1e9, "s": 1e9}


def step_command(options, arch, dialect):
    return [options.build / "tests/engine_rate", arch, dialect, 1, options.px, options.batch, "train", 4, "device=cuda",
            f"precision={options.precision}", "classes=1000"]


def execute(command, log, seconds):
    with open(log, "w") as out:
        done = subprocess.run([str(c) for c in command], input=f"{STEPS - 1}\n", stdout=subprocess.PIPE, stderr=out, text=True, timeout=seconds)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout[-500:]} {Path(log).read_text()[-500:]}")
    return done.stdout


def by_ncu(ncu, command, folder, seconds):
    """{kernel: [count, nanoseconds]}. The table begins at "ID"; its second line has the units."""
    text = execute([ncu, "--clock-control", "none", "--metrics", "gpu__time_duration.sum", "--csv", "--page", "raw", *command], f"{folder}/log", seconds)
    rows = csv.DictReader(io.StringIO(text[text.index('"ID"'):]))
    unit = NANOSECONDS[next(rows)["gpu__time_duration.sum"]]
    kernels = collections.defaultdict(lambda: [0, 0.0])
    for row in rows:
        if row.get("gpu__time_duration.sum"):
            add(kernels, row["Kernel Name"], 1, unit * float(row["gpu__time_duration.sum"].replace(",", "")))
    return kernels


def by_nsys(nsys, command, folder, seconds):
    execute([nsys, "profile", "--trace", "cuda", "--cuda-graph-trace", "node", "-o", f"{folder}/p", *command], f"{folder}/log", seconds)
    text = execute([nsys, "stats", "-q", "-r", "cuda_gpu_kern_sum", "-f", "csv", f"{folder}/p.nsys-rep"], f"{folder}/log", seconds)
    kernels = collections.defaultdict(lambda: [0, 0.0])
    for row in csv.DictReader(io.StringIO(text[text.index("Time (%)"):])):
        add(kernels, row["Name"], int(row["Instances"]), float(row["Total Time (ns)"]))
    return kernels


def add(kernels, name, count, nanoseconds):
    """Adds a kernel by its name without arguments and template parameters, which are many and long."""
    while re.search(r"<[^<>]*>|\([^()]*\)", name):
        name = re.sub(r"<[^<>]*>|\([^()]*\)", "", name)
    entry = kernels[name.strip().removeprefix("void ")[:70]]
    entry[0] += count
    entry[1] += nanoseconds


def print_table(arch, options, tool, kernels):
    total = sum(time for _, time in kernels.values())
    print(f"\n{arch}, batch {options.batch}, {options.precision}, by {tool}: {total / STEPS / 1e6:.2f} ms of kernels a step (setting up included)\n")
    print("| kernel | calls a step | ms a step | share |\n|---|---|---|---|")
    ordered = sorted(kernels.items(), key=lambda item: -item[1][1])
    for name, (count, time) in ordered[:MOST]:
        print(f"| `{name}` | {count / STEPS:.1f} | {time / STEPS / 1e6:.3f} | {100 * time / total:.1f} % |")
    rest = sum(time for _, (_, time) in ordered[MOST:])
    print(f"| {max(0, len(ordered) - MOST)} others | | {rest / STEPS / 1e6:.3f} | {100 * rest / total:.1f} % |", flush=True)


def find_profiler():
    for name, profile in (("nsys", by_nsys), ("ncu", by_ncu)):
        places = [shutil.which(name)] + (glob.glob("/usr/local/cuda*/bin/ncu") + glob.glob("/opt/nvidia/nsight-compute/*/ncu") if name == "ncu" else [])
        for place in places:
            if place:
                yield name, place, profile


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--px", type=int, default=224)
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--seconds", type=float, default=120, help="the limit for one network")
    options = parser.parse_args()
    profilers = list(find_profiler())
    if not profilers:
        print("not run: neither nsys nor ncu is on this machine")
        return 77
    failures = []
    for arch, dialect in NETS:
        if options.only and arch not in options.only:
            continue
        for tool, place, profile in profilers:
            try:
                with tempfile.TemporaryDirectory() as folder:
                    print_table(arch, options, tool, profile(place, step_command(options, arch, dialect), folder, options.seconds))
                break
            except (RuntimeError, ValueError, KeyError, StopIteration, OSError, subprocess.TimeoutExpired) as error:
                failures.append(f"{arch} by {tool}: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
        else:
            print(f"failed: {failures[-1]}")
    for line in failures:
        print(f"- failed: {line}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
