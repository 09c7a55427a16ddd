# SPDX-License-Identifier: Apache-2.0
"""Random sweeps, schedulers, repeats and budgets from the job file to the table; the table's figures agree with numpy."""
import os
import re
import shlex
import shutil
import signal

import numpy as np

from harness import BIN, stopped_at, make_data, path, read_journal, read_trials, run, run_ok, run_tests, without_clock, write_job
from breakpoints import epoch, preload

BASE = """name: found
data: {path: data.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 4, batch: 16, optimizer: adam, seed: 3}
"""
RANDOM = BASE + """sweep:
  method: random
  budget: {trials: 12}
  metric: {name: val_loss}
  parameters:
    lr: {log_uniform: [1.0e-4, 0.1]}
    augment: [none, flips]
augmentations:
  flips: {horizontal_flip: true}
"""
REPEATS = BASE + """sweep:
  repeats: 3
  metric: {name: test_loss}
  parameters: {lr: [0.001, 0.01]}
"""

make_data()
os.symlink(os.path.join(BIN, "cnnsweep"), path("cnnsweep"))


def rows_of(text):
    """The cells of the first Markdown table."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [rows[0], *rows[2:]]


def table(folder):
    with open(path(f"{folder}/table.md")) as file:
        return file.read()


def command_of(folder):
    """The words of the best trial's command line, split as a shell does."""
    return shlex.split(re.search(r"^    (cnnsweep train .*)$", table(folder), re.M)[1])


def test_a_random_sweep_ends_in_a_leaderboard():
    write_job(RANDOM, "random.yaml")
    run_ok("train", "random.yaml", "--out", "random")
    trials = read_trials("random")
    assert len(trials) == 12 and len({(t["lr"], t["augment"]) for t in trials}) == 12
    assert all(1e-4 <= float(t["lr"]) <= 0.1 for t in trials)
    best = sorted(trials, key=lambda t: float(t["val_loss"]))[:10]
    expected = [[t["trial"], t["lr"], t["augment"], f"{float(t['val_loss']):.4f}"] for t in best]
    rows = rows_of(table("random"))
    assert rows == [["trial", "lr", "augment", "val_loss"], *expected], rows
    assert "the best 10 of 12" in table("random")


def test_a_dry_run_lists_what_was_drawn():
    shown = run_ok("train", "random.yaml", "--dry-run").stdout
    for trial in read_trials("random"):
        assert re.search(rf"^{trial['trial']} .* lr={trial['lr']} augment={trial['augment']}$", shown, re.M), shown
    assert "the best trials by val_loss" in shown


def test_a_larger_budget_adds_trials_to_the_earlier_ones():
    run_ok("train", "random.yaml", "--out", "fewer", "--set", "sweep.budget.trials=5")
    assert without_clock(read_trials("fewer")) == without_clock(read_trials("random"))[:5]
    run_ok("train", "random.yaml", "--out", "fewer", "--resume")
    assert without_clock(read_trials("fewer")) == without_clock(read_trials("random"))
    assert [e["event"] for e in read_journal("fewer")].count("trial") == 12


def test_asha_stops_trials_early_and_tests_them():
    run_ok("train", "random.yaml", "--out", "asha", "--set", "sweep.scheduler={type: asha, reduction_factor: 2}")
    alone = {t["trial"]: t for t in without_clock(read_trials("random"))}
    stopped = 0
    for trial in read_trials("asha"):
        assert trial["status"] == "ok" and trial["test_loss"]
        if trial["reason"] != "epochs done":
            stopped += 1
            match = re.fullmatch(r"asha: stopped after epoch (\d), rung (\d): val_loss (\S+) is worse than \S+", trial["reason"])
            assert match[1] == trial["epochs_run"] and int(match[1]) in (1, 2) and int(match[2]) == int(match[1])
        else:
            assert without_clock([trial])[0] == alone[trial["trial"]], "a trial that is not stopped has the numbers of one without a scheduler"
    assert stopped >= 3
    assert len(read_trials("asha")) == 12


def test_a_scheduler_saves_epochs_on_several_ranks():
    run_ok("train", "random.yaml", "--out", "asha2", "--set", "sweep.scheduler={type: asha, reduction_factor: 2}", ranks=2)
    trials = read_trials("asha2")
    assert len(trials) == 12 and all(t["status"] == "ok" for t in trials)
    assert sum(int(t["epochs_run"]) for t in trials) < 12 * 4
    assert all((t["reason"] == "epochs done") == (t["epochs_run"] == "4") for t in trials)


def test_a_resumed_scheduler_repeats_its_decisions():
    """The journal has epochs but not the end of every trial: the scheduler decides again from the journal's epochs."""
    shutil.copytree(path("asha"), path("again"))
    kept, ended = [], 0
    with open(path("asha/journal.jsonl")) as file:
        for line in file:
            ended += '"event":"trial"' in line
            if ended == 6:
                break
            kept.append(line)
    with open(path("again/journal.jsonl"), "w") as file:
        file.writelines(kept)
    run_ok("train", "random.yaml", "--out", "again", "--resume", "--set",
           "sweep.scheduler={type: asha, reduction_factor: 2}")
    assert without_clock(read_trials("again")) == without_clock(read_trials("asha"))


def test_after_a_kill_the_same_trials_are_stopped():
    """A scheduler compares an epoch with the earlier ones, so --resume must also restore their order, of trials and inside a
    group."""
    for scheduler in ("{type: asha, reduction_factor: 2}", "median"):
        for fine_tune in ("all", "head"):
            arguments = ("train", "random.yaml", "--set", f"sweep.scheduler={scheduler}", "--set", "checkpoint_seconds=0",
                         "--set", f"train.fine_tune={fine_tune}", "--set", "train.epochs=9")
            run_ok(*arguments, "--out", "undisturbed")
            total = sum(e["event"] == "epoch" for e in read_journal("undisturbed"))
            assert any(t["reason"] != "epochs done" for t in read_trials("undisturbed"))
            for n in (total // 3, total // 5, total // 5):
                sweep = stopped_at(epoch(n), *arguments, "--out", "killed", "--resume")
                sweep.signal(signal.SIGKILL)
                assert sweep.end()[0] == -signal.SIGKILL
            run_ok(*arguments, "--out", "killed", "--resume")
            assert without_clock(read_trials("killed")) == without_clock(read_trials("undisturbed")), (scheduler, fine_tune)
            shutil.rmtree(path("killed"))
            shutil.rmtree(path("undisturbed"))


def test_cells_are_mean_and_sample_deviation_over_seeds():
    write_job(REPEATS, "repeats.yaml")
    run_ok("train", "repeats.yaml", "--out", "repeats")
    trials = read_trials("repeats")
    assert [t["seed"] for t in trials] == ["3", "4", "5"] * 2
    rows = rows_of(table("repeats"))
    for row, lr in zip(rows[1:], ("0.001", "0.01")):
        values = [float(t["test_loss"]) for t in trials if t["lr"] == lr]
        assert row == [lr, f"{np.mean(values):.4f} ± {np.std(values, ddof=1):.4f}"], row
        assert len(set(values)) > 1
    assert table("repeats").startswith("found: test_loss; mean ± sd over seed\n")
    widths = {len(line) for line in table("repeats").splitlines() if line.startswith("|")}
    assert len(widths) == 1, "the table's lines are equally long"


def test_a_random_sweep_ranks_its_draws_by_the_mean_of_their_repeats():
    run_ok("train", "random.yaml", "--out", "both", "--set", "sweep.repeats=2", "--set", "sweep.budget.trials=6")
    trials = read_trials("both")
    groups = [(t["trial"], t["lr"], t["augment"], [float(t["val_loss"]), float(u["val_loss"])])
              for t, u in zip(trials[::2], trials[1::2])]
    groups.sort(key=lambda group: np.mean(group[3]))
    expected = [[name, lr, augment, f"{np.mean(v):.4f} ± {np.std(v, ddof=1):.4f}"] for name, lr, augment, v in groups]
    assert rows_of(table("both")) == [["first trial", "lr", "augment", "val_loss"], *expected]


def assert_command_repeats_the_best(folder, metric):
    trial = min(read_trials(folder), key=lambda t: float(t[metric]))
    words = command_of(folder)
    assert f"--trial {trial['trial']}" in " ".join(words), words
    run_ok(*words[1:])
    alone, = read_trials(words[words.index("--out") + 1])
    for name in ("test_loss", "test_accuracy", "val_loss", "loss", "epochs_run"):
        assert alone[name] == trial[name], (name, alone, trial)
    shutil.rmtree(path("results"))
    return trial, words


def test_the_best_trials_command_gives_the_same_numbers_bit_for_bit():
    assert_command_repeats_the_best("repeats", "test_loss")
    assert_command_repeats_the_best("random", "val_loss")


def test_the_command_has_the_set_options_and_the_early_end():
    sets = ["sweep.scheduler={type: asha, max_t: 2}", "train.epochs=3", "sweep.budget.trials=6", "data.features=it's here"]
    run_ok("train", "random.yaml", "--out", "early", "--device", "ref", *(w for text in sets for w in ("--set", text)))
    trial = min(read_trials("early"), key=lambda t: float(t["val_loss"]))
    assert trial["reason"] == "asha: stopped after epoch 2, max_t", trial["reason"]
    words = command_of("early")
    assert words[words.index("--set"):words.index("--trial")] == [
        w for text in ["device=ref", *sets] for w in ("--set", text)]
    assert words[words.index("--epochs") + 1] == trial["epochs_run"] == "2"
    run_ok(*words[1:])
    alone, = read_trials(words[words.index("--out") + 1])
    assert alone["test_loss"] == trial["test_loss"] and alone["epochs_run"] == "2"


AN_HOUR_LATER = preload(epoch(3), clock=3600)


def test_minutes_end_a_sweep_after_the_current_epoch():
    done = run_ok("train", "random.yaml", "--out", "short", "--set", "sweep.budget.minutes=1e-6", "--set", "group=false")
    begun = len(read_trials("short"))
    assert begun <= 1 and f"{12 - begun} of 12 trials did not run" in done.stdout, done.stdout
    assert len(rows_of(table("short"))) == 1 + begun, "trials that did not run are not on the leaderboard"
    run_ok("train", "random.yaml", "--out", "brief", "--set", "sweep.budget.minutes=50", "--set", "train.epochs=100000",
           "--set", "sweep.parameters.augment=[none]", env=AN_HOUR_LATER)
    trials = read_trials("brief")
    assert 1 <= len(trials) < 12
    for trial in trials:
        assert trial["status"] == "ok" and float(trial["test_accuracy"]) >= 0
        assert trial["reason"] == f"budget of minutes: stopped after epoch {trial['epochs_run']}"
    assert f"{12 - len(trials)} of 12 trials did not run" in table("brief")


def test_a_trial_that_the_budget_ended_keeps_its_reason_when_the_sweep_is_resumed():
    """The trial's report cannot be written, so that only its checkpoint says that the trial ended."""
    arguments = ("train", "random.yaml", "--out", "ended", "--resume", "--set", "sweep.budget.trials=2", "--set",
                 "train.epochs=1000", "--set", "checkpoint_seconds=0", "--set", "group=false", "--set",
                 "train.patience=900", "--set")
    run_ok(*arguments, "sweep.budget.minutes=1e-9")
    assert not read_trials("ended")
    for name in ("t000", "t001"):
        os.makedirs(path(f"ended/report/{name}.txt"))
    done = run(*arguments, "sweep.budget.minutes=50", env=AN_HOUR_LATER)
    assert done.returncode == 1 and "report/t00" in done.stderr, done.stderr
    for name in ("t000", "t001"):
        os.rmdir(path(f"ended/report/{name}.txt"))
    run_ok(*arguments, "sweep.budget.minutes=1e-9")
    assert not read_trials("ended"), "no trial begins"
    run_ok(*arguments, "sweep.budget.minutes=50", env=AN_HOUR_LATER)
    trial = read_trials("ended")[0]
    assert trial["reason"] == f"budget of minutes: stopped after epoch {trial['epochs_run']}", trial
    assert trial["epochs_run"] == "3"


def test_integers_are_drawn_with_all_their_digits():
    write_job(BASE.replace(", seed: 3", "") + "sweep:\n  method: random\n  budget: {trials: 5}\n"
              "  parameters: {seed: {int: [3000000001, 4000000000]}}\n", "seeds.yaml")
    run_ok("train", "seeds.yaml", "--out", "seeds", "--set", "train.epochs=1")
    seeds = [int(t["seed"]) for t in read_trials("seeds")]
    assert len(set(seeds)) == 5 and all(3000000001 <= s <= 4000000000 for s in seeds) and any(s % 10 for s in seeds), seeds


def test_weights_of_the_best_trials_are_kept():
    run_ok("train", "random.yaml", "--out", "kept", "--set", "train.save_weights=safetensors", "--set", "keep_weights=3",
           "--set", "train.epochs=1")
    best = sorted(read_trials("kept"), key=lambda t: float(t["val_loss"]))[:3]
    assert sorted(os.listdir(path("kept/weights"))) == sorted(f"{t['trial']}.safetensors" for t in best)


def test_contradictory_options_are_refused():
    for arguments, needle in (
            (["--set", "sweep.metric.name=test_accuracy", "--set", "sweep.scheduler=asha"], "use metric: {name: val_accuracy}"),
            (["--set", "keep_weights=3"], "keep_weights is 3, but train.save_weights is none"),
            (["--trial", "t099"], "random.yaml: has no trial 't099'"),
            (["--set", "sweep.method=grid"], "a grid takes a list of values")):
        done = run("train", "random.yaml", "--out", "never", *arguments)
        assert done.returncode == 1 and needle in done.stderr, done.stderr
    done = run("train", "random.yaml", "--epochs", "3")
    assert done.returncode == 2 and "--epochs goes with --trial" in done.stderr
    assert not os.path.exists(path("never"))


run_tests(globals())
