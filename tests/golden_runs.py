# SPDX-License-Identifier: Apache-2.0
"""Do three sweeps give the results of an earlier build bit for bit? For changes that must not change any number.

    tests/golden_runs.py record BUILD/bin FOLDER     trains them and keeps their results in FOLDER
    tests/golden_runs.py compare BUILD/bin FOLDER    trains them again and names every difference

The sweeps are a grid whose trials share trunks and cached rows, a random sweep with ASHA, and trials of two ranks each. The
comparison is of trials.csv, history/, report/, the tested weights and journal.jsonl, without what depends on the clock, on the
program's version or on the folder. `--keys-changed` also leaves out the trials' keys, and `--augmentation-changed` the trials
whose augmentation draws random numbers."""
import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile

CLOCK = {"seconds", "images_per_second", "stall_fraction", "time", "version", "machine"}

GRID = """name: grid
data: {path: data.h5}
model: {arch: basenet_deep}
threads: 1
train: {epochs: 6, batch: 16, seed: 3, patience: 2, save_weights: safetensors}
sweep:
  parameters:
    fine_tune: [head, 4, {blocks: 3}]
    augment: [none, flips, dark]
    optimizer: [adam, sgd]
augmentations:
  flips: {horizontal_flip: true, vertical_flip: true}
  dark: {brightness_range: [0.5, 0.9]}
table: {rows: augment, columns: fine_tune, value: test_accuracy}
"""

ASHA = """name: asha
data: {path: data.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 6, batch: 16, save_weights: safetensors, monitor: val_accuracy}
sweep:
  method: random
  seed: 5
  repeats: 2
  budget: {trials: 16}
  metric: {name: val_loss, goal: minimize}
  scheduler: {type: asha, grace_period: 1, reduction_factor: 2}
  parameters:
    lr: {log_uniform: [1e-5, 1e-2]}
    momentum: {uniform: [0.0, 0.9]}
    head: [[dense], [{dropout: 0.3}, {dense: 16, activation: relu}, dense]]
    optimizer: [sgd, adam]
    l2: [0, 0.001]
"""

PAIRS = """name: pairs
data: {path: data.h5}
model: {arch: basenet_deep_bn}
threads: 1
ranks_per_trial: 2
train: {epochs: 6, batch: 16, sync_bn: true, save_weights: safetensors}
sweep:
  parameters:
    lr: [0.001, 0.0003]
    nesterov: [false, true]
    optimizer: [sgd]
    momentum: [0.9]
"""

JOBS = {"grid": (GRID, 1), "asha": (ASHA, 1), "pairs": (PAIRS, 2)}


def run(bin_folder, folder, program, *arguments, ranks=0):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "OMP_NUM_THREADS"))}
    env.update(CNNSWEEP_BUSY_CORES="0", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
               OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_mpi_yield_when_idle="1")
    command = (["mpirun", "-n", str(ranks)] if ranks else []) + [os.path.join(bin_folder, program), *arguments]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")


def train_all(bin_folder, folder):
    run(bin_folder, folder, "cnnsweep-synthetic", "--classes", "3", "--per-class", "60", "--size", "32x32", "drawn")
    run(bin_folder, folder, "cnnsweep-pack", "drawn", "data.h5")
    for name, (text, ranks) in JOBS.items():
        with open(os.path.join(folder, name + ".yaml"), "w") as out:
            out.write(text)
        run(bin_folder, folder, "cnnsweep", "train", name + ".yaml", "--out", name, ranks=ranks)


def without(record, names):
    return {key: value for key, value in record.items() if key not in names}


def read_journal(path, left_out):
    """The sorted lines of a journal without their ranks, as the order of the lines and the rank of each may vary."""
    with open(path) as file:
        lines = [without(json.loads(line), left_out | {"rank", "sweep", "format"}) for line in file]
    return sorted(json.dumps(line, sort_keys=True) for line in lines)


def read_results(folder, left_out, skipped):
    """{file: its lines or bytes} of all that is compared."""
    found = {}
    with open(os.path.join(folder, "trials.csv"), newline="") as file:
        rows = [without(row, left_out | {"rank"}) for row in csv.DictReader(file)]
    passed = {row["trial"] for row in rows if row.get("augment") in skipped}
    found["trials.csv"] = [row for row in rows if row["trial"] not in passed]
    found["journal.jsonl"] = [line for line in read_journal(os.path.join(folder, "journal.jsonl"), left_out)
                              if json.loads(line).get("trial") not in passed]
    for kind in ("history", "report", "weights"):
        for name in sorted(os.listdir(os.path.join(folder, kind))):
            if name.split(".")[0] not in passed:
                with open(os.path.join(folder, kind, name), "rb") as file:
                    found[f"{kind}/{name}"] = file.read()
    return found


def differences(before, after):
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if one == other:
            continue
        if one is None or other is None:
            yield f"{name}: only {'before' if other is None else 'now'}"
        elif isinstance(one, bytes):
            yield f"{name}: other bytes"
        else:
            changed = [pair for pair in zip(one, other) if pair[0] != pair[1]]
            yield f"{name}: {len(one)} and {len(other)} rows, {len(changed)} differ, such as\n  {changed[0] if changed else ''}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["record", "compare"])
    parser.add_argument("bin")
    parser.add_argument("folder")
    parser.add_argument("--keys-changed", action="store_true")
    parser.add_argument("--augmentation-changed", action="store_true")
    chosen = parser.parse_args()
    chosen.bin = os.path.abspath(chosen.bin)
    if chosen.what == "record":
        os.makedirs(chosen.folder)
        train_all(chosen.bin, chosen.folder)
        return
    left_out = CLOCK | ({"key"} if chosen.keys_changed else set())
    skipped = {"flips", "dark"} if chosen.augmentation_changed else set()
    different = 0
    scratch = tempfile.mkdtemp(prefix="cnnsweep-golden-")
    try:
        train_all(chosen.bin, scratch)
        for name in JOBS:
            before = read_results(os.path.join(chosen.folder, name), left_out, skipped)
            after = read_results(os.path.join(scratch, name), left_out, skipped)
            found = list(differences(before, after))
            different += len(found)
            print(f"{name}: {len(after)} files, {len(after['trials.csv'])} trials, "
                  f"{len(after['journal.jsonl'])} journal lines: {'DIFFERENT' if found else 'the same'}")
            print("".join(f"  {line}\n" for line in found), end="")
    finally:
        shutil.rmtree(scratch)
    sys.exit(1 if different else 0)


main()
