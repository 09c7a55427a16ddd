# SPDX-License-Identifier: Apache-2.0
"""What the fault campaigns share: a sweep, breakpoints in it, and the comparison of its results."""
import argparse
import contextlib
import json
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from harness import stopped_at, make_data, path, read_trials, run_ok, without_clock, write_job  # noqa: E402, F401
from breakpoints import PATIENCE, checkpoint, epoch, rank_processes  # noqa: E402, F401

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


def prepare(ranks, job):
    """Trains the undisturbed run; returns the number of its epochs."""
    make_data(per_class=20)
    write_job(job)
    run_ok("train", "job.yaml", "--out", "reference", ranks=ranks)
    return epochs("reference")


def resuming(out, job="job.yaml", how="--resume"):
    return "train", job, "--out", out, how


def signal_at(breakpoint, out, ranks, delay, number, target, command=None):
    """Runs the sweep (command: how) and sends a signal `delay` seconds after the breakpoint, to the rank `target` or, if that is None, to
    mpirun. (the sweep's progress, its exit code, its log, seconds from the signal to its end)"""
    sweep = stopped_at(breakpoint, *(command or resuming(out)), ranks=ranks)
    processes = rank_processes(sweep.process)
    if delay:
        sweep.go_on()
        time.sleep(delay)
    progress = progress_of(out)
    with contextlib.suppress(ProcessLookupError):
        sweep.signal(number, None if target is None else processes[target])
    sent = time.monotonic()
    code, _, log = sweep.end()
    took = time.monotonic() - sent
    wait_gone(processes.values())
    return progress, code, log, took


def wait_gone(pids):
    deadline = time.monotonic() + PATIENCE
    while any(os.path.exists(f"/proc/{pid}") for pid in pids):
        assert time.monotonic() < deadline, f"processes {pids} outlive their launcher"
        time.sleep(0.01)


def events(out):
    """The complete lines of the journal."""
    try:
        with open(path(f"{out}/journal.jsonl")) as file:
            return [json.loads(line) for line in file if line.endswith("\n")]
    except FileNotFoundError:
        return []


def epochs(out):
    """The number of different epochs in the journal: a measure of progress that does not depend on the machine's load."""
    return len({(e["trial"], e["epoch"]) for e in events(out) if e["event"] == "epoch"})


def draw_breakpoint(chance, out, ranks, total):
    """A breakpoint that the rest of the sweep certainly reaches, or None if hardly anything is left of the sweep."""
    left = total - epochs(out)
    if left < 2 * ranks:
        return None
    n = chance.randint(1, left)
    # Of n checkpoints some rank writes at least n / ranks; half as many leave a margin.
    return chance.choice((epoch(n), epoch(n), checkpoint(1 + n // (2 * ranks)), "open data.h5 1"))


def draw_delay(chance):
    """Seconds from a breakpoint to the signal: none in half of the cases."""
    return chance.choice((0, chance.uniform(0, 0.3)))


def progress_of(out):
    """How far a sweep is, in a few words."""
    journal = events(out)
    folder = path(f"{out}/checkpoints")
    writing = os.path.isdir(folder) and any(name.endswith(".next") for name in os.listdir(folder))
    if not journal:
        return "start"
    ended = sum(e["event"] == "trial" for e in journal)
    return f"{ended} ended, {sum(e['event'] == 'epoch' for e in journal)} epochs" + (", in a checkpoint" if writing else "")


def differences(out):
    """The results that differ from those of the undisturbed run."""
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


def campaign(name, heading, disturb, runs, ranks, seed, job=JOB):
    """Disturbs `runs` sweeps and compares their results with those of the undisturbed run. Returns how many differ or were
    not disturbed at all. disturb(out, run, total, chance, delay) runs one sweep to its end and sends it signals, the first
    one `delay` seconds after a breakpoint; it returns a line for each signal, and `heading` is the heading of these lines."""
    total = prepare(ranks, job)
    print(f"{total} epochs on {ranks} ranks\n\n| run | {heading} | equal |\n|---|---|---|")
    failures = 0
    for run in range(runs):
        chance = random.Random(f"{seed}/{run}")
        out = f"{name}{run}"
        times = disturb(out, run, total, chance, draw_delay(chance))
        if not times:  # the sweep had ended before the signal
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
