# SPDX-License-Identifier: Apache-2.0
"""Scheduler pbt, population-based training: who goes on from whom, with what values, follows the rules of Ray Tune's
PopulationBasedTraining, is the same on any number of ranks, and after a kill."""
import csv
import math
import os
import shutil
import signal

from harness import make_data, path, read_trials, run, run_ok, run_tests, stopped_at, without_clock, write_job
from breakpoints import epoch

MEMBERS, INTERVAL, EPOCHS = 8, 2, 7
JOB = f"""name: population
data: {{path: data.h5}}
model: {{arch: basenet}}
threads: 1
checkpoint_seconds: 0
train: {{epochs: {EPOCHS}, seed: 3}}
sweep:
  method: random
  metric: {{name: val_loss, goal: minimize}}
  budget: {{trials: {MEMBERS}}}
  scheduler: {{type: pbt, perturbation_interval: {INTERVAL}}}
  parameters:
    lr: {{log_uniform: [1e-4, 0.1]}}
    batch: {{int: [8, 32]}}
    augment: [none, flips, dark]
augmentations:
  flips: {{horizontal_flip: true}}
  dark: {{brightness_range: [0.5, 0.9]}}
"""
make_data()
write_job(JOB)
run_ok("train", "job.yaml", "--out", "whole")
GENERATIONS = math.ceil(EPOCHS / INTERVAL)


def generations(out):
    """[generation][member] of rows of trials.csv: those of the last generation come first."""
    trials = read_trials(out)
    assert len(trials) == MEMBERS * GENERATIONS, len(trials)
    parts = [trials[i:i + MEMBERS] for i in range(0, len(trials), MEMBERS)]
    return parts[::-1]


def lowest_and_highest(before):
    """The indices of the members of both quantiles, as Ray computes them; failed members are the lowest."""
    n = math.ceil(MEMBERS * 0.25)
    order = sorted(range(MEMBERS), key=lambda m: (before[m]["status"] != "ok", float(before[m]["val_loss"] or 0), m))
    bad = [m for m in order if before[m]["status"] != "ok"]
    return set(order[-n:]) | set(bad), order[:n]


def values(trial):
    return float(trial["lr"]), int(trial["batch"]), trial["augment"]


def is_in_space(lr, batch, augment):
    return 1e-4 <= lr <= 0.1 + 1e-9 and 8 <= batch <= 32 and augment in ("none", "flips", "dark")


def is_changed_by_a_fifth(new, old):
    return any(abs(new - old * factor) < 1e-6 * old for factor in (0.8, 1.2)) or new in (1e-4, 0.1)


def text_of(name):
    with open(path(name)) as file:
        return file.read()


def assert_equal(out, other):
    assert without_clock(read_trials(out)) == without_clock(read_trials(other))
    assert text_of(f"{out}/table.md") == text_of(f"{other}/table.md")
    for name in os.listdir(path(f"{other}/history")):
        assert text_of(f"{out}/history/{name}") == text_of(f"{other}/history/{name}"), name


def test_the_lowest_go_on_from_the_highest_with_explored_values():
    all_generations, fifths, explored = generations("whole"), 0, 0
    for before, after in zip(all_generations, all_generations[1:]):
        low, high = lowest_and_highest(before)
        for m, trial in enumerate(after):
            source = next(s for s in range(MEMBERS) if before[s]["trial"] == trial["before"])
            if m not in low:
                assert source == m and values(trial) == values(before[m]), (trial, before[m])
                continue
            assert source in high, (m, source, low, high)
            assert is_in_space(*values(trial)), trial
            explored += 1
            fifths += is_changed_by_a_fifth(values(trial)[0], values(before[source])[0])
    assert explored == 2 * (GENERATIONS - 1) and explored / 2 < fifths, (explored, fifths)


def test_histories_are_those_of_the_way_that_a_member_came():
    last = generations("whole")[-1]
    by_name = {t["trial"]: t for t in read_trials("whole")}
    for trial in last:
        with open(path(f"whole/history/{trial['trial']}.csv"), newline="") as file:
            rows = list(csv.DictReader(file))
        way = [trial]
        while way[0]["before"]:
            way.insert(0, by_name[way[0]["before"]])
        assert [int(row["epoch"]) for row in rows] == list(range(EPOCHS))
        wanted = [float(way[e // INTERVAL]["lr"]) for e in range(EPOCHS)]
        assert all(abs(float(row["learning_rate"]) - lr) <= 1e-6 * lr for row, lr in zip(rows, wanted)), (rows, wanted)


def test_a_population_is_the_same_on_three_ranks():
    run_ok("train", "job.yaml", "--out", "ranks", ranks=3)
    assert_equal("ranks", "whole")


def test_a_killed_population_goes_on_with_what_was_chosen():
    for n in (3, MEMBERS * INTERVAL + 5, MEMBERS * EPOCHS - 3):
        stopped = stopped_at(epoch(n), "train", "job.yaml", "--out", "killed")
        stopped.signal(signal.SIGKILL)
        stopped.end()
        run_ok("train", "job.yaml", "--out", "killed", "--resume")
        assert_equal("killed", "whole")
        shutil.rmtree(path("killed"))


def test_a_failed_member_goes_on_from_one_of_the_best():
    write_job(JOB.replace("{log_uniform: [1e-4, 0.1]}", "[0.001, 0.01, 1e38]"), "failing.yaml")
    run_ok("train", "failing.yaml", "--out", "failing")
    first, second = generations("failing")[:2]
    failed = [m for m in range(MEMBERS) if first[m]["status"] == "failed"]
    assert failed, "1e38 diverges"
    good = [t["trial"] for t in first if t["status"] == "ok"]
    assert all(second[m]["before"] in good for m in failed), (failed, second)


def test_the_table_and_collect_show_the_last_generation():
    table = text_of("whole/table.md")
    assert f"the best {MEMBERS} of {MEMBERS}" in table and "--trial" not in table, table
    run_ok("collect", "whole", "--out", "collected")
    assert text_of("collected/table.md") == table
    assert f"{MEMBERS * GENERATIONS} done, 0 failed" in run_ok("status", "whole").stdout


def test_what_does_not_go_with_a_population_is_refused():
    for change, message in ((("seed: 3", "seed: 3, patience: 2"), "does not go with train.patience"),
                            (("seed: 3", "seed: 3, schedule: cosine"), "a schedule of the rate"),
                            (("batch: {int: [8, 32]}", "optimizer: [sgd, adam]"), "train.optimizer is swept"),
                            (("batch: {int: [8, 32]}", "arch: [basenet, basenet_deep]"), "model.arch is swept"),
                            (("augment: [none, flips, dark]", "augment: {values: [none, flips], when: {batch: 8}}"), "when"),
                            (("method: random", "repeats: 2\n  method: random"), "repeats"),
                            (("val_loss, goal: minimize", "test_accuracy"), "metric that every epoch has")):
        assert change[0] in JOB, change
        write_job(JOB.replace(*change), "refused.yaml")
        done = run("train", "refused.yaml", "--out", "refused", "--dry-run")
        assert done.returncode == 1 and message in done.stderr, (change, done.stderr)
    for arguments, message in ((("--part", "0/2"), "with scheduler pbt a trial learns from all others"),
                               (("--trial", "t000"), "are chosen while the sweep is trained")):
        done = run("train", "job.yaml", "--out", "refused", *arguments)
        assert done.returncode == 1 and message in done.stderr, done.stderr


run_tests(globals())
