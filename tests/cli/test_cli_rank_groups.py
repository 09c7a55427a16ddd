# SPDX-License-Identifier: Apache-2.0
"""ranks_per_trial: ranks that share every batch give the numbers of one rank except for rounding, and a signal to any of them
stops the sweep."""
import signal

from harness import stopped_at, make_data, path, read_trials, run, run_ok, run_tests, without_clock, write_job
from breakpoints import epoch, rank_processes

# 42 images in batches of 16: the last batch has 10. fine_tune: head has a trunk, 8 trains batch norms over all ranks.
JOB = """name: groups
data: {path: data.h5}
model: {arch: mobilenet, alpha: 0.25}
threads: 1
train: {epochs: 2, batch: 16, seed: 5, optimizer: sgd, lr: 0.01, sync_bn: true}
sweep:
  parameters:
    fine_tune: [head, 8]
    augment: [none, flips]
augmentations: {flips: {horizontal_flip: true, brightness_range: [0.6, 0.9]}}
"""
NUMBERS = ("loss", "accuracy", "val_loss", "val_accuracy", "test_loss", "test_accuracy")

make_data(per_class=20)
write_job(JOB)
run_ok("train", "job.yaml", "--out", "alone")
ALONE = read_trials("alone")


def check_equal(folder):
    trials = read_trials(folder)
    assert len(trials) == len(ALONE) == 4
    for got, want in zip(trials, ALONE):
        assert got["status"] == want["status"] == "ok", got
        for name in NUMBERS:
            a, b = float(got[name]), float(want[name])
            assert abs(a - b) <= 1e-3 * abs(b), f"{folder}, trial {got['trial']}: {name} is {a}, not {b}"
    return trials


def test_two_ranks_share_each_trial():
    run_ok("train", "job.yaml", "--set", "ranks_per_trial=2", "--out", "two", ranks=2)
    assert {t["rank"] for t in check_equal("two")} == {"0"}, "the leader reports for both ranks"


def test_two_groups_of_two_ranks_share_the_trials():
    run_ok("train", "job.yaml", "--set", "ranks_per_trial=2", "--out", "four", ranks=4)
    assert {t["rank"] for t in check_equal("four")} <= {"0", "2"}
    # A group that finds no trial left must not keep the other waiting.
    single = write_job(JOB.replace("[head, 8]", "[8]").replace("[none, flips]", "[flips]"), "single.yaml")
    run_ok("train", single, "--set", "ranks_per_trial=2", "--out", "one_of_two", ranks=4)


def test_ranks_that_do_not_divide_are_refused():
    done = run("train", "job.yaml", "--set", "ranks_per_trial=2", "--out", "three", ranks=3)
    assert done.returncode != 0
    assert "ranks_per_trial is 2, but there are 3 ranks" in done.stderr and "mpirun -n 4" in done.stderr, done.stderr
    done = run("train", "job.yaml", "--set", "ranks_per_trial=2", "--out", "lone")
    assert done.returncode != 0 and "there is 1 rank" in done.stderr, done.stderr


def test_a_trial_that_diverges_is_a_row():
    run("train", "job.yaml", "--set", "ranks_per_trial=2", "--set", "train.lr=1e38", "--set",
        "train.weight_decay=1", "--out", "diverged", ranks=2)
    trials = read_trials("diverged")
    assert len(trials) == 4 and all(t["status"] != "ok" for t in trials), trials


# With metrics that need every prediction of the train split, of which each rank has its own when the sweep stops.
LONG = ("train", "job.yaml", "--set", "ranks_per_trial=2", "--set", "train.epochs=8", "--set", "train.metrics=all", "--out")


def test_a_signal_to_a_rank_other_than_the_leader_stops_the_sweep_resumably():
    run_ok(*LONG, "whole", ranks=2)
    sweep = stopped_at(epoch(4), *LONG, "stopped", ranks=2)
    sweep.signal(signal.SIGUSR2, rank_processes(sweep.process)[1])
    code, _, errors = sweep.end()
    assert code == 75, f"exit {code}\n{errors}"
    run_ok(*LONG, "stopped", "--resume", ranks=2)
    assert without_clock(read_trials("stopped")) == without_clock(read_trials("whole"))
    for trial in read_trials("whole"):
        with open(path(f"stopped/history/{trial['trial']}.csv")) as a, open(path(f"whole/history/{trial['trial']}.csv")) as b:
            assert a.read() == b.read(), trial["trial"]


run_tests(globals())
