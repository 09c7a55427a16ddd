# SPDX-License-Identifier: Apache-2.0
"""Phases of training: each goes on from the weights that the one before tested, and one that trials have in common is trained
once. --extend goes on with trials that had ended after fewer epochs."""
import csv
import glob
import os
import re
import shutil

from harness import make_data, path, read_journal, read_trials, run, run_ok, run_tests, without_clock, write_job

# Without a shuffle, so that a training by hand, whose epochs begin at 0 again, sees the same batches.
BASE = """name: phases
data: {path: data.h5}
model: {arch: basenet}
threads: 1
train: {batch: 16, seed: 3, shuffle: false}
"""
SWEPT = BASE + """phases:
  - {epochs: 2, fine_tune: head, lr: 0.003}
  - {epochs: 2, fine_tune: all, optimizer: sgd, momentum: 0.9}
sweep: {parameters: {phases.2.lr: [0.01, 0.001], phases.2.augment: [none, flips]}}
augmentations: {flips: {horizontal_flip: true}}
"""
make_data()


def history(out, trial="t000"):
    with open(path(f"{out}/history/{trial}.csv"), newline="") as file:
        return list(csv.DictReader(file))


def train(out, text, *arguments, **how):
    write_job(text)
    return run_ok("train", "job.yaml", "--out", out, *arguments, **how)


def refused(text, *needles, arguments=()):
    write_job(text)
    done = run("train", "job.yaml", "--out", "refused", *arguments)
    assert done.returncode == 1, f"exit {done.returncode}: {done.stderr}"
    for needle in needles:
        assert needle in done.stderr, f"no {needle!r} in {done.stderr}"


def text_of(name):
    with open(path(name)) as file:
        return file.read()


def assert_equal(out, other):
    assert text_of(f"{out}/table.md") == text_of(f"{other}/table.md")
    assert without_clock(read_trials(out)) == without_clock(read_trials(other))
    for file in glob.glob(path(f"{other}/history/*.csv")):
        assert open(file).read() == text_of(f"{out}/history/{os.path.basename(file)}"), file


def test_a_phase_is_a_training_from_the_weights_that_the_one_before_tested():
    """By hand: train the head, save the weights (those of the best epoch), begin again from them with another optimizer."""
    first = "patience: 2, monitor: accuracy, lr: 0.05, fine_tune: head, epochs: 4"
    second = "optimizer: sgd, momentum: 0.9, lr: 0.01, schedule: cosine, fine_tune: all, epochs: 3"
    train("both", BASE.replace("shuffle: false", "shuffle: false, monitor: accuracy") +
          f"phases: [{{{first.replace('monitor: accuracy, ', '')}}}, {{{second}}}]\n")
    train("hand1", BASE.replace("shuffle: false", f"shuffle: false, {first}, save_weights: safetensors"))
    train("hand2", BASE.replace("shuffle: false", f"shuffle: false, {second}").replace(
        "basenet", "basenet, weights: hand1/weights/t000.safetensors"))
    wanted = history("hand1") + history("hand2")
    ended = read_trials("hand1")[0]
    assert ended["best_epoch"] != str(len(history("hand1")) - 1), "the tested weights are not those of the last epoch"
    got = history("both")
    assert [row["epoch"] for row in got] == [str(i) for i in range(len(wanted))]
    assert [{**row, "epoch": ""} for row in got] == [{**row, "epoch": ""} for row in wanted]


def test_phases_with_a_kept_optimizer_are_one_training():
    for optimizer in ("adam", "sgd, momentum: 0.9"):
        base = BASE.replace("shuffle: false", f"optimizer: {optimizer}")
        train("one", base.replace("seed: 3", "seed: 3, epochs: 5"))
        train("two", base + "phases: [{epochs: 2}, {epochs: 2, keep_optimizer: true}, {epochs: 1, keep_optimizer: true}]\n")
        train("anew", base + "phases: [{epochs: 2}, {epochs: 2}, {epochs: 1}]\n")
        assert history("two") == history("one"), optimizer
        assert history("anew") != history("one"), optimizer
        for out in ("one", "two", "anew"):
            shutil.rmtree(path(out))


def test_a_common_phase_is_trained_once():
    done = train("swept", SWEPT)
    assert "phase 1  trained 1 time for 4 trials" in done.stderr, done.stderr
    epochs = [e["trial"] for e in read_journal("swept") if e["event"] == "epoch"]
    assert {name: epochs.count(name) for name in epochs} == {f"t00{i}": 2 for i in range(5)}
    trials = read_trials("swept")
    assert [t["phase"] for t in trials] == ["2"] * 4 + ["1"] and {t["before"] for t in trials} == {"t004", ""}
    assert all(history("swept", f"t00{i}")[:2] == history("swept", "t004") for i in range(4))
    assert len({t["loss"] for t in trials}) == 5
    assert sorted(os.listdir(path("swept"))) == [
        "details", "history", "journal.jsonl", "misclassified", "report", "report.html", "table.md", "trials.csv"]


def test_phases_are_the_same_alone_and_in_groups_and_on_ranks():
    train("alone", SWEPT + "group: false\n")
    train("ranks", SWEPT, ranks=3)
    for out in ("alone", "ranks"):
        assert_equal(out, "swept")
    train("single", SWEPT, "--trial", "t003")
    assert history("single", "t003") == history("swept", "t003")


def test_a_phase_that_fails_fails_those_that_go_on_from_it():
    text = SWEPT.replace("lr: 0.003", "weight_decay: 0").replace("{phases.2.lr: [0.01, 0.001]",
                                                                "{phases.1.lr: [0.003, 1e38], phases.2.lr: [0.01]")
    train("failed", text)
    trials = read_trials("failed")
    failed = [t for t in trials if t["status"] == "failed"]
    assert [(t["phases.1.lr"], t["phase"]) for t in failed] == [("1e+38", "2"), ("1e+38", "2"), ("1e+38", "1")], trials
    assert all("the phase before, t005, failed: diverged" in t["reason"] for t in failed[:2]), failed
    assert [t["loss"] for t in trials if t["phases.1.lr"] == "0.003" and t["phase"] == "2"], trials


def test_a_phase_whose_final_state_is_gone_is_trained_again():
    shutil.copytree(path("swept"), path("added"))
    text = SWEPT.replace("[0.01, 0.001]", "[0.01, 0.001, 0.1]")
    done = train("added", text, "--resume")
    assert "t004 is trained again" in done.stderr, done.stderr
    train("anew", text)
    by_options = [{(t["phases.2.lr"], t["phases.2.augment"], t["phase"]): t["loss"] for t in read_trials(out)}
                  for out in ("added", "anew")]
    assert by_options[0] == by_options[1] and len(by_options[0]) == 7, by_options


def test_parts_have_whole_trees_and_are_collected():
    text = SWEPT.replace("lr: 0.003", "weight_decay: 0").replace("{phases.2.lr", "{phases.1.lr: [0.003, 0.03], phases.2.lr")
    train("undivided", text)
    for part in range(2):
        train(f"part{part}", text, "--part", f"{part}/2")
        assert len(read_trials(f"part{part}")) == 5
    run_ok("collect", "part0", "part1", "--out", "collected")
    assert text_of("collected/table.md") == text_of("undivided/table.md")
    assert without_clock(read_trials("collected")) == without_clock(read_trials("undivided"))
    status = run_ok("status", "part0").stdout
    assert "5 done, 0 failed" in status, status


def test_mistakes_in_phases_are_named():
    for phases, needles in (("{epochs: 2}", ("is not a list of phases",)),
                            ("[]", ("is not a list of phases",)),
                            ("[5]", ("item 1 is not a map of options",)),
                            ("[{epoch: 2}]", ("unknown option 'epoch'", "did you mean")),
                            ("[{arch: resnet50}]", ("model.arch is one for all phases",)),
                            ("[{keep_optimizer: true}]", ("the first phase has no optimizer before it",)),
                            ("[{epochs: 1}, {momentum: 0.9}]", ("train.momentum is set, but train.optimizer is adam",))):
        refused(BASE + f"phases: {phases}\n", ":6:", *needles)
    refused(SWEPT.replace("{phases.2.lr: [0.01, 0.001]", "{phases.2.rho: [0.9, 0.95]"), "train.rho is set, but train.optimizer is")
    refused(SWEPT.replace("phases.2.augment", "phases.3.augment"), "have 2 phases, counted from 1")
    refused(SWEPT.replace("phases.2.lr", "phases.1.lr"), "phases.1.lr is swept here and also has a fixed value")
    refused(SWEPT.replace("phases.2.lr", "fine_tune"), "fine_tune is swept, but every phase sets it")
    refused(SWEPT.replace("sweep: {", "sweep: {metric: {name: val_accuracy}, scheduler: asha, "), "these have phases")
    refused(BASE.replace("seed: 3", "mode: features") + "phases: [{epochs: 1}]\n", "phases: with train.mode: features")


def test_the_preset_of_fastai_has_its_rates_and_phases():
    """fit_one_cycle's highest rates and where they are reached: fastai/callback/schedule.py."""
    text = BASE.replace("seed: 3", "seed: 3, epochs: 3") + "preset: fastai\n"
    train("fastai", text)
    rows = history("fastai")
    assert [float(row["learning_rate"]) < 2e-3 for row in rows] == [True] * 4
    by_hand = BASE.replace("seed: 3", "seed: 3, epochs: 3, optimizer: adamw, lr: 2e-3, beta_2: 0.99, epsilon: 1e-5, weight_decay: 0.01"
                           ) + """phases:
  - {epochs: 1, fine_tune: head, schedule: one_cycle, pct_start: 0.99, final_div_factor: 4000}
  - {schedule: one_cycle, div_factor: 5, final_div_factor: 2e4, keep_optimizer: true, lr_mult: {blocks: 0.005, head: 0.5}}
"""
    train("by_hand", by_hand)
    assert history("by_hand") == rows
    swept = run_ok("train", write_job(text + "sweep: {parameters: {lr: [0.01, 0.001]}}\n"), "--dry-run").stdout
    assert "job      phases: 2 trials and 2 phases before them" in swept, swept
    refused(text.replace("fastai", "fastia"), "unknown preset 'fastia'", "did you mean 'fastai'")
    refused(text + "phases: [{epochs: 1}]\n", "phases: and preset: are both given")


# Early stopping ends one of the trials before the epochs are over.
LONGER = BASE.replace("seed: 3", "seed: 3, patience: 2, monitor: loss") + """keep_state: all
sweep: {parameters: {lr: [0.003, 1e-6], fine_tune: [head, all]}}
"""


def test_extended_trials_are_those_that_had_all_epochs_from_the_beginning():
    for epochs in (2, 4, 7):
        train("sittings", LONGER, "--set", f"train.epochs={epochs}", *(["--extend"] if epochs > 2 else []))
    train("at_once", LONGER, "--set", "train.epochs=7")
    assert {t["epochs_run"] for t in read_trials("at_once")} > {"7"}, "early stopping ends some, and some run to the end"
    assert_equal("sittings", "at_once")
    trained = [(e["trial"], e["epoch"]) for e in read_journal("sittings") if e["event"] == "epoch"]
    assert len(trained) == len(set(trained)), "no epoch is trained twice"


def test_trials_without_a_final_state_are_not_silently_trained_anew():
    text = LONGER.replace("keep_state: all", "keep_state: best 1").replace("patience: 2, ", "")
    train("best", text, "--set", "train.epochs=2")
    kept = os.listdir(path("best/states"))
    best = re.search(r"trial (t\d+)", text_of("best/table.md")).group(1)
    assert kept == [f"{best}.state"], kept
    done = train("best", text, "--set", "train.epochs=3", "--extend")
    assert "1 trial goes on for more epochs; those without a final state keep their results" in done.stderr, done.stderr
    assert sorted(t["epochs_run"] for t in read_trials("best")) == ["2", "2", "2", "3"]
    shutil.rmtree(path("best/states"))
    done = run("train", "job.yaml", "--out", "best", "--set", "train.epochs=5", "--extend")
    assert done.returncode == 1 and "no final state of these trials was kept" in done.stderr, done.stderr
    assert "keep_state: all" in done.stderr, done.stderr


def test_extending_a_schedule_that_is_spread_over_the_epochs_warns():
    text = BASE.replace("seed: 3", "seed: 3, schedule: cosine") + "keep_state: all\n"
    train("spread", text, "--set", "train.epochs=2")
    done = train("spread", text, "--set", "train.epochs=3", "--extend")
    assert "schedule cosine is spread over train.epochs" in done.stderr, done.stderr
    assert [row["epoch"] for row in history("spread")] == ["0", "1", "2"]


run_tests(globals())
