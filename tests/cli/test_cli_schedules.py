# SPDX-License-Identifier: Apache-2.0
"""Schedules, plateaus and early stopping in jobs: the history has the rates that were used, a sweep that was killed goes on with
them, a group gives what trials alone give, and settings that no trial uses are refused."""
import csv
import math
import os
import signal
import sys

from harness import JOB, make_data, path, read_trials, run, run_ok, run_tests, stopped_at, without_clock, write_job
from breakpoints import epoch

sys.path.insert(0, os.path.join(os.environ["CNNSWEEP_SOURCE"], "tests", "weights"))
import safetensors_format  # noqa: E402

make_data()
ONE = JOB[:JOB.index("sweep:")]
write_job(ONE, "one.yaml")
# 84 train images in batches of 16: updates of an epoch
STEPS, EPOCHS, LR = 6, 6, 0.001


def settings(**options):
    return [word for key, value in options.items() for word in ("--set", f"train.{key}={value}")]


def train(out, job="one.yaml", **options):
    run_ok("train", job, "--out", out, *settings(**{"epochs": EPOCHS, **options}))
    return read_trials(out)


def history(out, trial="t000"):
    with open(path(f"{out}/history/{trial}.csv"), newline="") as file:
        return list(csv.DictReader(file))


def rates(out):
    return [float(row["learning_rate"]) for row in history(out)]


def assert_rates(out, wanted):
    assert len(rates(out)) == len(wanted) and all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(rates(out), wanted)), rates(out)


def cosine(t, length):
    return LR * (1 + math.cos(math.pi * t / length)) / 2


def test_the_history_has_the_rate_of_an_epochs_last_update():
    train("cosine", schedule="cosine")
    assert_rates("cosine", [cosine((i + 1) * STEPS - 1, EPOCHS * STEPS) for i in range(EPOCHS)])


def test_in_torchs_dialect_the_rate_changes_once_an_epoch():
    train("torch", schedule="cosine", dialect="torch")
    assert_rates("torch", [cosine(i, EPOCHS) for i in range(EPOCHS)])


def test_the_dialect_is_that_of_the_network():
    job = ONE.replace("arch: basenet", "arch: resnet18").replace("epochs: 2", "epochs: 2, schedule: cosine")
    write_job(job, "resnet18.yaml")
    run_ok("train", "resnet18.yaml", "--out", "resnet18")
    assert_rates("resnet18", [cosine(i, 2) for i in range(2)])


def test_a_warm_up_rises_to_the_rate():
    train("warm", schedule="step", decay_epochs=2, warmup_steps=4 * STEPS)
    assert_rates("warm", [LR * ((i + 1) * STEPS - 1) / (4 * STEPS) for i in range(4)] + [LR, LR])


def test_a_plateau_reduces_the_rate_after_the_epoch_that_decides():
    """With a threshold that no epoch reaches, every epoch but the first is without improvement."""
    train("plateau", schedule="plateau", plateau_patience=2, threshold=100, min_lr=0.0003)
    assert_rates("plateau", [LR, LR, LR, 0.0003, 0.0003, 0.0003])


SWEPT = ONE.replace("seed: 3", "seed: 3, decay_epochs: 4, plateau_patience: 1, threshold: 0.5, fine_tune: head") + """sweep:
  parameters:
    schedule: [constant, one_cycle, plateau, restarts, step]
"""


def assert_same(one, other):
    assert without_clock(read_trials(one)) == without_clock(read_trials(other))
    for trial in read_trials(one):
        assert history(one, trial["trial"]) == history(other, trial["trial"])


def test_a_group_of_schedules_gives_what_trials_alone_give():
    write_job(SWEPT, "swept.yaml")
    train("together", "swept.yaml")
    run_ok("train", "swept.yaml", "--out", "alone", *settings(epochs=EPOCHS), "--set", "group=false")
    assert_same("together", "alone")
    assert len({history("together", trial["trial"])[-1]["val_loss"] for trial in read_trials("together")}) > 3


def test_a_killed_sweep_goes_on_with_the_rates_of_an_undisturbed_one():
    for number in (signal.SIGKILL, signal.SIGTERM):
        out = f"after-{number}"
        arguments = ("train", "swept.yaml", "--out", out, *settings(epochs=EPOCHS), "--set", "checkpoint_seconds=0")
        for epochs in (6, 8):
            sweep = stopped_at(epoch(epochs), *arguments, "--resume")
            sweep.signal(number)
            assert sweep.end()[0] == (75 if number == signal.SIGTERM else -number)
        run_ok(*arguments, "--resume")
        assert_same("together", out)


def test_early_stopping_names_its_monitor_and_can_test_the_last_weights():
    options = {"epochs": 30, "patience": 2, "monitor": "val_accuracy", "min_delta": 0.5}
    best, = train("restored", **options)
    last, = train("kept", restore_best_weights="false", **options)
    assert best["reason"] == last["reason"] == "early stopping: no better val_accuracy in 2 epochs, stopped after epoch 3"
    assert (best["best_epoch"], last["best_epoch"]) == ("0", "2") and best["epochs_run"] == last["epochs_run"] == "3"
    assert best["test_loss"] != last["test_loss"]
    later, = train("later", start_from_epoch=3, **options)
    assert (later["best_epoch"], later["epochs_run"]) == ("3", "6")


def saved(out, **options):
    train(out, save_weights="safetensors", **options)
    return {name: array.tobytes() for name, array in safetensors_format.read(path(f"{out}/weights/t000.safetensors"))[0].items()}


def test_the_best_and_the_last_weights_can_be_saved():
    stops = {"patience": 2, "monitor": "val_accuracy", "min_delta": 0.5}
    first, third = saved("first", epochs=1), saved("third", epochs=3)
    assert first != third
    assert saved("tested", **stops) == first
    assert saved("last", save_epoch="last", **stops) == third
    assert saved("best", save_epoch="best", restore_best_weights="false", **stops) == first
    assert saved("best-of-all", save_epoch="best", epochs=3, monitor="val_accuracy", min_delta=0.5) == first
    assert read_trials("best")[0]["best_epoch"] == "2" and read_trials("last")[0]["best_epoch"] == "0"


def test_a_command_for_a_stopped_trial_keeps_the_length_of_its_schedule():
    job = SWEPT.replace("decay_epochs: 4, plateau_patience: 1, threshold: 0.5", "patience: 1, min_delta: 9, warmup_epochs: 1")
    write_job(job.replace("[constant, one_cycle, plateau, restarts, step]", "[cosine]"), "short.yaml")
    done = run_ok("train", "short.yaml", "--out", "short", *settings(epochs=EPOCHS))
    words = done.stdout[done.stdout.index(" cnnsweep train"):].split()
    assert words[words.index("--epochs") + 1] == "2" and "train.decay_epochs=5" in words, words
    run_ok(*words[1:words.index("--out")], "--out", "again")
    assert history("again") == history("short")


REFUSED = [
    ("schedule: cosine, power: 2", "train.power is set, but train.schedule is cosine", "schedules that use it: polynomial"),
    ("min_lr: 0.1", "train.min_lr is set, but train.schedule is constant", "polynomial, cosine, restarts, cyclic, plateau"),
    ("schedule: cosin", "did you mean 'cosine'?", ""),
    ("schedule: step", "train.schedule step has no length", "set train.decay_epochs"),
    ("schedule: exponential", "train.schedule exponential has no decay_rate", "such as 0.95"),
    ("schedule: multistep", "train.schedule multistep has no milestones", "[30, 60]"),
    ("schedule: multistep, milestones: [3, 2]", "train.milestones is '3,2': the numbers do not increase", ""),
    ("schedule: multistep, milestones: [3, x]", "train.milestones is '3,x'", "numbers above 0"),
    ("schedule: piecewise, milestones: [3], values: [1]", "train.values has 1 numbers for 1 milestones", "2 numbers"),
    ("schedule: cosine, decay_epochs: 1, decay_steps: 5", "train.decay_epochs and train.decay_steps are both set", "updates"),
    ("schedule: plateau, decay_rate: 2", "train.decay_rate is 2, which does not reduce the rate", "below 1"),
    ("schedule: cosine, dialect: torch, warmup_epochs: 1", "train.warmup_lr is 0", "schedule_interval: step"),
    ("warmup_lr: 0.1", "train.warmup_lr is set, but there is no warm-up", "set train.warmup_epochs"),
    ("baseline: 0.1", "train.baseline is set, but train.patience is 0", "a patience of 1 or more"),
    ("save_epoch: best", "train.save_epoch is set, but train.save_weights is none", "save_weights: h5"),
]


def test_settings_that_do_not_fit_are_refused():
    for options, message, hint in REFUSED:
        write_job(ONE.replace("seed: 3", f"seed: 3, {options}"), "refused.yaml")
        done = run("train", "refused.yaml", "--out", "refused")
        assert done.returncode != 0 and message in done.stderr and hint in done.stderr, (options, done.stderr)
        assert "refused.yaml:5:" in done.stderr, done.stderr
    write_job(SWEPT + "    decay_rate: [0.1, 0.2]\n", "refused.yaml")
    done = run("train", "refused.yaml", "--out", "refused")
    assert "train.decay_rate is swept, but train.schedule is" in done.stderr, done.stderr


run_tests(globals())
