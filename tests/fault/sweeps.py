"""What the fault campaigns share: a sweep under mpirun, its rank processes, its results without what the clock gives."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from harness import (BIN, CLEAN, MPI, SCRATCH, make_data, path, read_trials, run_ok, without_clock,  # noqa: E402
                     write_job)

# Single trials and groups (fine_tune), early stopping, dropout, a checkpoint after every epoch.
JOB = """name: faults
data: {path: data.h5}
model: {arch: mobilenet, alpha: 0.25, head: [gap, dropout, dense]}
threads: 1
checkpoint_seconds: 0
train: {epochs: 6, batch: 16, patience: 3, seed: 5}
sweep:
  parameters:
    fine_tune: [head, 8, all]
    augment: [none, flips]
    lr: [0.01, 0.001]
augmentations: {flips: {horizontal_flip: true, brightness_range: [0.6, 0.9]}}
table: {rows: augment, columns: fine_tune, value: test_accuracy}
"""


def prepare(ranks):
    """The reference run; how many rows it told."""
    make_data(per_class=20)
    write_job(JOB)
    run_ok("train", "job.yaml", "--out", "reference", ranks=ranks)
    return rows("reference")


def start(out, ranks):
    return subprocess.Popen(["mpirun", "-n", str(ranks), os.path.join(BIN, "cnnsweep"), "train", "job.yaml", "--out", out,
                             "--resume"], cwd=SCRATCH, env={**CLEAN, **MPI}, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def rank_processes(launcher):
    """{rank: pid} of the launcher's children."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as file:
                if int(file.read().rsplit(")", 1)[1].split()[1]) != launcher.pid:
                    continue
            with open(f"/proc/{entry}/environ") as file:
                variables = dict(pair.split("=", 1) for pair in file.read().split("\0") if "=" in pair)
        except (OSError, ValueError, IndexError):
            continue
        if "OMPI_COMM_WORLD_RANK" in variables:
            found[int(variables["OMPI_COMM_WORLD_RANK"])] = int(entry)
    return found


def wait_gone(pids):
    deadline = time.time() + 30
    while any(os.path.exists(f"/proc/{pid}") for pid in pids):
        assert time.time() < deadline, f"processes {pids} outlive their launcher"
        time.sleep(0.01)


def events(out):
    """Whole lines of the journal."""
    try:
        with open(path(f"{out}/journal.jsonl")) as file:
            return [json.loads(line) for line in file if line.endswith("\n")]
    except FileNotFoundError:
        return []


def rows(out):
    """Epochs and trials told: how far a sweep is, whatever the machine does beside it."""
    try:
        with open(path(f"{out}/journal.jsonl"), "rb") as file:
            text = file.read()
    except FileNotFoundError:
        return 0
    return text.count(b'"event":"epoch"') + text.count(b'"event":"trial"')


def wait_for(out, launcher, wanted, after):
    """Until that many rows are told, then `after` seconds. Is the sweep still at work?"""
    while launcher.poll() is None and rows(out) < wanted:
        time.sleep(0.002)
    deadline = time.time() + after
    while launcher.poll() is None and time.time() < deadline:
        time.sleep(0.002)
    return launcher.poll() is None


def where(out):
    """A word on how far a sweep is."""
    told = events(out)
    folder = path(f"{out}/checkpoints")
    writing = os.path.isdir(folder) and any(name.endswith(".next") for name in os.listdir(folder))
    if not told:
        return "start"
    ended = sum(e["event"] == "trial" for e in told)
    return f"{ended} ended, {sum(e['event'] == 'epoch' for e in told)} epochs" + (", in a checkpoint" if writing else "")


def differences(out):
    """What of the results differs from the reference run's."""
    wrong = []
    for name in ["table.md"] + [f"history/{n}" for n in os.listdir(path("reference/history"))] + [
            f"report/{n}" for n in os.listdir(path("reference/report"))]:
        with open(path(f"reference/{name}"), "rb") as a, open(path(f"{out}/{name}"), "rb") as b:
            if a.read() != b.read():
                wrong.append(name)
    if without_clock(read_trials(out)) != without_clock(read_trials("reference")):
        wrong.append("trials.csv")
    left = sorted(set(os.listdir(path(out))) - set(os.listdir(path("reference"))))
    return wrong + left
