# SPDX-License-Identifier: Apache-2.0
"""What the fault campaigns share: a sweep, moments in it, its results without what the clock gives."""
import argparse
import contextlib
import json
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from harness import held, make_data, path, read_trials, run_ok, without_clock, write_job  # noqa: E402, F401
from moments import PATIENCE, checkpoint, epoch, rank_processes  # noqa: E402, F401

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
    """The reference run; how many epochs it told."""
    make_data(per_class=20)
    write_job(JOB)
    run_ok("train", "job.yaml", "--out", "reference", ranks=ranks)
    return epochs("reference")


def resuming(out):
    return "train", "job.yaml", "--out", out, "--resume"


def strike(out, ranks, moment, after, number, target):
    """Runs the sweep and sends the signal so many seconds behind the moment, to a rank or, with target None, to mpirun.
    (where it stood, its exit code, what it logged, seconds from the signal to its end)"""
    sweep = held(moment, *resuming(out), ranks=ranks)
    processes = rank_processes(sweep.process)
    if after:
        sweep.release()
        time.sleep(after)
    struck = where(out)
    with contextlib.suppress(ProcessLookupError):
        sweep.signal(number, None if target is None else processes[target])
    sent = time.monotonic()
    code, _, log = sweep.end()
    took = time.monotonic() - sent
    wait_gone(processes.values())
    return struck, code, log, took


def wait_gone(pids):
    deadline = time.monotonic() + PATIENCE
    while any(os.path.exists(f"/proc/{pid}") for pid in pids):
        assert time.monotonic() < deadline, f"processes {pids} outlive their launcher"
        time.sleep(0.01)


def events(out):
    """Whole lines of the journal."""
    try:
        with open(path(f"{out}/journal.jsonl")) as file:
            return [json.loads(line) for line in file if line.endswith("\n")]
    except FileNotFoundError:
        return []


def epochs(out):
    """How many are told, each once: how far a sweep is, whatever the machine does beside it."""
    return len({(e["trial"], e["epoch"]) for e in events(out) if e["event"] == "epoch"})


def draw_moment(chance, out, ranks, total):
    """A moment that the rest of the sweep comes to for certain, or None when hardly anything is left of it."""
    left = total - epochs(out)
    if left < 2 * ranks:
        return None
    n = chance.randint(1, left)
    # Of so many checkpoints some rank writes more than its share.
    return chance.choice((epoch(n), epoch(n), checkpoint(1 + n // (2 * ranks)), "open data.h5 1"))


def moments_later(chance):
    """Seconds to wait behind a moment, half of the time none."""
    return chance.choice((0, chance.uniform(0, 0.3)))


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


def campaign(name, struck, disturb, runs, ranks, seed):
    """Disturbs `runs` sweeps and compares what is there after --resume with the undisturbed run; how many differ, or were
    not disturbed at all. disturb(out, run, total, chance, after) does it from a moment on, the first time `after` seconds
    behind it, and returns a line for each time; `struck` is the heading of these."""
    total = prepare(ranks)
    print(f"{total} epochs on {ranks} ranks\n\n| run | {struck} | equal |\n|---|---|---|")
    failures = 0
    for run in range(runs):
        chance = random.Random(f"{seed}/{run}")
        out = f"{name}{run}"
        times = disturb(out, run, total, chance, moments_later(chance))
        if not times:  # too late
            out = f"{name}{run}.now"
            times = disturb(out, run, total, chance, 0)
        wrong = differences(out)
        failures += bool(wrong) or not times
        print(f"| {run} | {'; '.join(times) or '-'} | {'yes' if not wrong else 'NO: ' + ' '.join(wrong)} |", flush=True)
    print(f"\n{runs - failures} of {runs} equal the undisturbed run")
    return failures


def main(doc, runs, campaign_of):
    """The command line of a campaign: campaign_of(runs, ranks, seed, again)."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=runs)
    parser.add_argument("--ranks", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", type=float, default=0.4, help="chance that a resumed run is disturbed too")
    args = parser.parse_args()
    sys.exit(bool(campaign_of(args.runs, args.ranks, args.seed, args.again)))
