# SPDX-License-Identifier: Apache-2.0
"""Sweeps with method tpe, from the job file to the table: on one rank and on two, killed and resumed. That the choices are those
of Optuna's sampler is shown by tests/sweep/test_tpe_optuna.py."""
import os
import re
import shlex
import shutil
import signal

from harness import make_data, path, read_journal, read_trials, run, run_ok, run_tests, stopped_at, without_clock, write_job
from breakpoints import epoch, rank_processes, trial
from search_job import check_values, search_job, values

STARTUP = 10

make_data(per_class=20)
write_job(search_job("learned", "tpe", trials=16, epochs=2))


def plan(n):
    """The breakpoint at the plan line of the Nth trial that is handed out."""
    return f'write {{"event":"plan" {n}'


def trials_of(folder):
    return without_clock(read_trials(folder))


def table(folder):
    with open(path(f"{folder}/table.md")) as file:
        return file.read()


def test_the_first_trials_are_those_of_a_random_search():
    run_ok("train", "job.yaml", "--out", "learned")
    run_ok("train", "job.yaml", "--out", "random", "--set", "sweep.method=random")
    learned, drawn = trials_of("learned"), trials_of("random")
    assert learned[:STARTUP] == drawn[:STARTUP]
    assert len(learned) == 16 and not set(values(learned[STARTUP:])) & set(values(drawn))


def test_values_are_of_their_ranges_and_conditions_hold():
    check_values(read_trials("learned"))


def test_no_combination_is_trained_twice_and_a_small_space_is_searched_to_its_end():
    sets = ("--set", "sweep.parameters={batch: {int: [8, 16], step: 2}, optimizer: [sgd, adam], momentum: {values: [0, 0.5], "
            "when: {optimizer: sgd}}}", "--set", "sweep.exclude=[{batch: 8, optimizer: adam}]", "--set", "train.epochs=1")
    run_ok("train", "job.yaml", "--out", "small", *sets)
    found = [(t["batch"], t["optimizer"], t["momentum"]) for t in read_trials("small")]
    assert len(found) == len(set(found)) == 14 and ("8", "adam", "") not in found


def test_after_a_kill_the_same_trials_are_chosen():
    """Also where the values of a trial are in the journal and the trial has not begun."""
    for stops in ((epoch(9), plan(5), trial(6)), (epoch(22), plan(1)), (plan(12), epoch(2)), (trial(13),)):
        for stop in stops:
            sweep = stopped_at(stop, "train", "job.yaml", "--out", "killed", "--resume")
            sweep.signal(signal.SIGKILL)
            assert sweep.end()[0] == -signal.SIGKILL
        run_ok("train", "job.yaml", "--out", "killed", "--resume")
        assert trials_of("killed") == trials_of("learned"), stops
        assert table("killed") == table("learned")
        shutil.rmtree(path("killed"))


def test_a_larger_budget_goes_on_learning():
    run_ok("train", "job.yaml", "--out", "fewer", "--set", "sweep.budget.trials=12")
    run_ok("train", "job.yaml", "--out", "fewer", "--resume")
    assert trials_of("fewer") == trials_of("learned")


def test_a_sweep_with_other_settings_forgets_the_values():
    shutil.copytree(path("fewer"), path("other"))
    run_ok("train", "job.yaml", "--out", "other", "--resume", "--set", "train.epochs=1", "--set", "sweep.budget.trials=12")
    trials = read_trials("other")
    assert [t["trial"] for t in trials] == [f"t{i:03d}" for i in range(16, 28)] and {t["epochs_run"] for t in trials} == {"1"}


def test_two_ranks_share_a_sweep():
    run_ok("train", "job.yaml", "--out", "two", ranks=2)
    trials = read_trials("two")
    assert len(trials) == len(set(values(trials))) == 16 and all(t["status"] == "ok" for t in trials)
    assert values(trials)[:STARTUP] == values(read_trials("learned"))[:STARTUP]


def planned(folder):
    return {e["trial"]: e["options"] for e in read_journal(folder) if e["event"] == "plan"}


def test_after_a_kill_two_ranks_train_what_was_chosen():
    sweep = stopped_at(trial(12), "train", "job.yaml", "--out", "killed", ranks=2)
    before, chosen = {t["trial"]: t for t in trials_of("killed")}, planned("killed")
    sweep.signal(signal.SIGKILL, rank_processes(sweep.process)[0])
    assert sweep.end()[0] != 0
    assert len(chosen) > len(before)
    run_ok("train", "job.yaml", "--out", "killed", "--resume", ranks=2)
    after = {t["trial"]: t for t in trials_of("killed")}
    assert len(after) == 16 and all(t["status"] == "ok" for t in after.values())
    assert all(after[name] == row for name, row in before.items())
    assert all(planned("killed")[name] == options for name, options in chosen.items())
    for name, options in chosen.items():
        assert after[name]["lr"] == options["train.lr"] and after[name]["batch"] == options["train.batch"]


def test_ranks_that_share_a_trial_have_the_same_values():
    run_ok("train", "job.yaml", "--out", "group", "--set", "ranks_per_trial=2", ranks=2)
    trials = read_trials("group")
    assert len(trials) == 16 and all(t["status"] == "ok" for t in trials)
    for a, b in zip(trials[:STARTUP], read_trials("learned")):
        assert abs(float(a["val_loss"]) - float(b["val_loss"])) < 1e-3 * float(b["val_loss"])


def test_collect_and_status_read_the_chosen_values():
    run_ok("collect", "learned", "--out", "merged")
    assert trials_of("merged") == trials_of("learned")
    shown = run_ok("status", "learned").stdout
    best = min(read_trials("learned"), key=lambda t: float(t["val_loss"]))
    assert "16: 16 done, 0 failed, 0 in progress, 0 waiting" in shown
    assert re.search(rf"^best .*: {best['trial']} lr={best['lr']} ", shown, re.M), shown


def test_the_best_trials_command_gives_the_same_numbers():
    best = min(read_trials("learned"), key=lambda t: float(t["val_loss"]))
    words = shlex.split(re.search(r"^    (cnnsweep train .*)$", table("learned"), re.M)[1])
    run_ok(*words[1:])
    alone, = read_trials(words[words.index("--out") + 1])
    for name in ("loss", "val_loss", "test_loss", "test_accuracy"):
        assert alone[name] == best[name], (name, alone, best)


def test_a_dry_run_says_which_values_are_still_open():
    shown = run_ok("train", "job.yaml", "--dry-run").stdout
    assert len(re.findall("values are chosen while the sweep is trained", shown)) == 16
    run_ok("train", "job.yaml", "--out", "fewer", "--set", "sweep.budget.trials=12", "--force")
    shown = run_ok("train", "job.yaml", "--dry-run", "--out", "fewer", "--resume").stdout
    assert "16 trials, 12 of them done" in shown and len(re.findall("values are chosen while", shown)) == 4


def test_repeats_have_the_values_of_their_combination():
    run_ok("train", "job.yaml", "--out", "repeats", "--set", "sweep.repeats=2", "--set", "sweep.budget.trials=24", "--set",
           "train.epochs=1")
    trials = read_trials("repeats")
    assert [t["seed"] for t in trials] == ["3", "4"] * 12
    assert values(trials[::2]) == values(trials[1::2]) and len(set(values(trials))) == 12


def test_a_scheduler_ends_trials_that_tpe_chose():
    run_ok("train", "job.yaml", "--out", "asha", "--set", "sweep.scheduler={type: asha, reduction_factor: 2}", "--set",
           "train.epochs=4")
    trials = read_trials("asha")
    assert len(trials) == 16 and any(t["reason"].startswith("asha: stopped") for t in trials[STARTUP:])


def test_failed_trials_are_left_out():
    """The first ten that finish are those of a random search, and only then trials are chosen."""
    sets = ("--set", "sweep.parameters={lr: [0.001, 1e30], weight_decay: {uniform: [0, 0.1]}}", "--set", "sweep.budget.trials=24",
            "--set", "train.epochs=1", "--set", "train.optimizer=sgd")
    for method in ("tpe", "random"):
        run_ok("train", "job.yaml", "--out", f"failing_{method}", *sets, "--set", f"sweep.method={method}")
    trials, drawn = ([(t["lr"], t["weight_decay"]) for t in read_trials(f"failing_{method}")] for method in ("tpe", "random"))
    finished = [t["status"] == "ok" for t in read_trials("failing_tpe")]
    begun = next(n for n in range(24) if sum(finished[:n]) == STARTUP)
    assert begun > STARTUP and trials[:begun] == drawn[:begun] and not set(trials[begun:]) & set(drawn)


def test_what_cannot_work_is_refused():
    for arguments, needle in (
            (["--part", "0/2"], "with method tpe a trial learns from all others"),
            (["--trial", "t001"], "the values of t001 are chosen while the sweep is trained"),
            (["--set", "sweep.include=[{batch: 8}]"], "include: adds trials to a grid, but the method is tpe"),
            (["--set", "sweep.budget=null"], "method tpe needs a number of trials"),
            (["--set", "sweep.parameters.epochs=[1, 2]", "--set", "train=null", "--set", "sweep.scheduler=asha"],
             "train.epochs is swept, but a scheduler with method tpe must know the longest trial"),
            (["--set", "sweep.parameters.patience={log_int: [0, 8]}"], "a log_int range begins at 0; it must be above 0"),
            (["--set", "sweep.parameters.batch={log_int: [1, 8], step: 2}"], "a log_int range has no step"),
            (["--set", "sweep.method=tpe2"], "did you mean 'tpe'")):
        done = run("train", "job.yaml", "--out", "never", *arguments)
        assert done.returncode == 1 and needle in done.stderr, done.stderr
    assert not os.path.exists(path("never"))


def test_what_fails_in_every_trial_fails_before_training():
    done = run("train", "job.yaml", "--out", "never", "--set", "model.arch=mobilenet", "--set", "model.weights=missing.h5")
    assert done.returncode == 1 and "missing.h5" in done.stderr and not os.path.exists(path("never/journal.jsonl")), done.stderr


run_tests(globals())
