# SPDX-License-Identifier: Apache-2.0
"""--resume takes all results from the journal and restores them bit for bit."""
import glob
import json
import os
import random
import re
import shutil
import signal

from harness import (JOB, stopped_at, make_data, path, read_journal, read_trials, run, run_ok, run_tests, without_clock,
                     write_job)
from breakpoints import epoch

make_data()
write_job()
run_ok("train", "job.yaml", "--out", "whole")


def text_of(name):
    with open(path(name)) as file:
        return file.read()


def cut(out, keep, torn=""):
    """Copies `whole`. The copy's journal ends with the first line for which keep(events so far) is false, and then `torn`."""
    shutil.copytree(path("whole"), path(out))
    lines = []
    for line in text_of("whole/journal.jsonl").splitlines(keepends=True):
        lines.append(line)
        if not keep([json.loads(l) for l in lines]):
            break
    with open(path(f"{out}/journal.jsonl"), "w") as file:
        file.write("".join(lines) + torn)


def until_trials(n):
    return lambda events: sum(e["event"] == "trial" for e in events) < n


def assert_whole(out):
    assert text_of(f"{out}/table.md") == text_of("whole/table.md")
    assert without_clock(read_trials(out)) == without_clock(read_trials("whole"))
    for file in glob.glob(path("whole/history/*.csv")):
        assert open(file).read() == text_of(f"{out}/history/{os.path.basename(file)}"), file


def results_of(out):
    """The last result of each trial, from the journal."""
    return {e["trial"]: e for e in read_journal(out) if e["event"] == "trial"}


def test_a_resumed_sweep_equals_one_that_was_not_stopped():
    for n in (1, 3, 5):
        cut(f"cut{n}", until_trials(n))
        run_ok("train", "job.yaml", "--out", f"cut{n}", "--resume")
        assert_whole(f"cut{n}")
        events = read_journal(f"cut{n}")
        assert [e["event"] for e in events].count("start") == 2
        assert [e["event"] for e in events].count("trial") == 6, "what is done is not trained again"


def stop_after(epochs, number, *arguments):
    """Runs a sweep and sends it the signal after so many epochs. (exit code, log)"""
    sweep = stopped_at(epoch(epochs), *arguments)
    sweep.signal(number)
    code, _, log = sweep.end()
    return code, log


def test_a_journal_cut_anywhere_gives_the_same_results():
    """For a sweep that ended, and for one that was stopped, whose checkpoints are then further than the journal."""
    arguments = ("train", "job.yaml", "--set", "train.epochs=5", "--set",
                 "sweep.parameters.lr=[0.001]")
    run_ok(*arguments, "--out", "five")
    code, log = stop_after(9, signal.SIGTERM, *arguments, "--out", "halted")
    assert code == 75, log
    chance = random.Random(4)
    for source in ("five", "halted"):
        size = os.path.getsize(path(f"{source}/journal.jsonl"))
        for _ in range(20):
            shutil.copytree(path(source), path("cut"))
            at = chance.randrange(size + 1)
            os.truncate(path("cut/journal.jsonl"), at)
            run_ok(*arguments, "--out", "cut", "--resume")
            assert text_of("cut/table.md") == text_of("five/table.md"), (source, at)
            assert without_clock(read_trials("cut")) == without_clock(read_trials("five")), (source, at)
            assert "checkpoints" not in os.listdir(path("cut"))
            read_journal("cut")  # every line is JSON
            shutil.rmtree(path("cut"))


def test_trials_go_on_from_their_checkpoints():
    arguments = ("train", "job.yaml", "--set", "train.epochs=8", "--out")
    run_ok(*arguments, "straight")
    code, log = stop_after(11, signal.SIGUSR2, *arguments, "stopped")
    assert code == 75 and "--resume goes on with it" in log, log
    begun = sum(e["event"] == "epoch" for e in read_journal("stopped"))
    assert glob.glob(path("stopped/checkpoints/t*.ckpt"))
    done = run_ok(*arguments, "stopped", "--resume", env={"CNNSWEEP_LOG": "debug"})
    places = [int(n) for n in re.findall(r"goes on from epoch (\d+)", done.stderr)]
    assert places and max(places) > 1 and begun > 10, (places, begun)
    assert without_clock(read_trials("stopped")) == without_clock(read_trials("straight"))
    assert text_of("stopped/table.md") == text_of("straight/table.md")
    assert "checkpoints" not in os.listdir(path("stopped"))


def test_a_torn_last_line_is_cut_off():
    for torn in ('{"event":"tri', '{"event":"end","status":"done"}', "\0\0\0"):
        cut("torn", until_trials(2), torn)
        status = run_ok("status", "torn").stdout
        assert "2 done, 0 failed" in status and "--resume" in status, status
        done = run_ok("train", "job.yaml", "--out", "torn", "--resume")
        assert "damaged" not in done.stderr
        assert_whole("torn")
        read_journal("torn")  # every line is JSON
        shutil.rmtree(path("torn"))


def test_a_damaged_line_is_ignored_and_named():
    cut("damaged", until_trials(4))
    lines = text_of("damaged/journal.jsonl").splitlines()
    at = next(i for i, line in enumerate(lines) if '"event":"trial"' in line)
    lines[at] = lines[at][:-9] + "#" * 9
    with open(path("damaged/journal.jsonl"), "w") as file:
        file.write("\n".join(lines) + "\n")
    done = run_ok("train", "job.yaml", "--out", "damaged", "--resume")
    assert f"damaged/journal.jsonl:{at + 1}: a damaged line is passed over" in done.stderr, done.stderr
    assert_whole("damaged")


def test_unexpected_lines_do_no_harm():
    cut("odd", until_trials(2))
    with open(path("odd/journal.jsonl"), "a") as file:
        for line in ('{"event":"epoch","trial":"t003","epoch":2000000000}', "", "null", "[]", "{}", '{"event":7}', '{"event":"later"}', '{"event":"plan","trial":"t000"}',
                     '{"event":"epoch","trial":"t2000000000","epoch":1}', '{"event":"epoch","trial":"x","epoch":1}',
                     '{"event":"trial","trial":"t001","status":"?"}', '{"event":"trial","trial":"t-1","status":"ok"}',
                     '{"event":"epoch","trial":"t000","epoch":"one"}', "[" * 5000):
            file.write(line + "\n")
    done = run_ok("train", "job.yaml", "--out", "odd", "--resume")
    assert done.stderr.count("a damaged line is passed over") == 12, done.stderr
    assert_whole("odd")


def test_numbers_are_restored_bit_for_bit():
    cut("bits", lambda events: True)
    os.remove(path("bits/trials.csv"))
    shutil.rmtree(path("bits/history"))
    run_ok("train", "job.yaml", "--out", "bits", "--resume")
    assert_whole("bits")
    assert read_trials("bits") == read_trials("whole"), "seconds and ranks too"


def test_a_grid_may_be_extended_reordered_and_reduced():
    before = {t["trial"]: t for t in without_clock(read_trials("whole"))}
    shutil.copytree(path("whole"), path("grown"))
    grown = write_job(JOB.replace("[0.001, 0.0003]", "[0.01, 0.0003, 0.001]").replace("[none, flips, dark]",
                                                                                     "[dark, none]"), "grown.yaml")
    run_ok("train", grown, "--out", "grown", "--resume")
    trials = without_clock(read_trials("grown"))
    assert [(t["lr"], t["augment"], t["trial"]) for t in trials] == [
        ("0.01", "dark", "t006"), ("0.01", "none", "t007"), ("0.0003", "dark", "t005"), ("0.0003", "none", "t003"),
        ("0.001", "dark", "t002"), ("0.001", "none", "t000")]
    assert all(t == before[t["trial"]] for t in trials[2:])
    assert len(results_of("grown")) == 8 and os.path.exists(path("grown/history/t007.csv"))
    assert "6: 6 done" in run_ok("status", "grown").stdout
    # With the first grid again, there is nothing left to train.
    run_ok("train", "job.yaml", "--out", "grown", "--resume")
    assert_whole("grown")
    assert sum(e["event"] == "trial" for e in read_journal("grown")) == 8


def test_more_epochs_make_new_trials():
    """They give the results of a new sweep with as many epochs. The shorter trials stay in the journal, and the log says so."""
    shutil.copytree(path("whole"), path("longer"))
    more = ("train", "job.yaml", "--set", "train.epochs=3", "--set", "sweep.parameters.augment=[none]", "--out")
    log = run_ok(*more, "longer", "--resume").stderr
    assert "0 of 2 trials are in the journal, the others begin anew" in log and "more epochs" in log, log
    run_ok(*more, "long")
    longer, long = without_clock(read_trials("longer")), without_clock(read_trials("long"))
    assert [t.pop("trial") for t in longer + long] == ["t006", "t007", "t000", "t001"] and longer == long
    assert len(results_of("longer")) == 8
    assert "are in the journal" not in run_ok(*more, "longer", "--resume").stderr


def test_failed_trials_are_kept_unless_a_retry_is_asked_for():
    arguments = ("train", "job.yaml", "--out", "failed", "--set", "train.optimizer=sgd", "--set",
                 "sweep.parameters.lr=[1e30, 0.001]")
    run_ok(*arguments)
    before = read_trials("failed")
    for more, rows in (((), 6), (("--retry-failed",), 9)):
        run_ok(*arguments, "--resume", *more)
        assert without_clock(read_trials("failed")) == without_clock(before)
        assert sum(e["event"] == "trial" for e in read_journal("failed")) == rows


def test_resume_of_nothing_begins_a_sweep():
    os.makedirs(path("empty"))
    for out in ("empty", "absent"):
        run_ok("train", "job.yaml", "--out", out, "--resume", "--set", "sweep.parameters.augment=[none]")
        assert len(read_trials(out)) == 2
    # A sweep that was killed right after it had created the journal.
    cut("begun", lambda events: False, "")
    for torn in ("", '{"event":"sta'):
        with open(path("begun/journal.jsonl"), "w") as file:
            file.write(torn)
        assert "nothing has begun" in run_ok("status", "begun").stdout
        run_ok("train", "job.yaml", "--out", "begun", "--resume")
        assert_whole("begun")


def test_another_dataset_is_refused():
    run_ok("--classes", "3", "--per-class", "20", "--size", "32x32", "--seed", "9", "other", program="cnnsweep-synthetic")
    shutil.move(path("data.h5"), path("first.h5"))
    try:
        run_ok("other", "data.h5", program="cnnsweep-pack")
        before = text_of("whole/journal.jsonl")
        done = run("train", "job.yaml", "--out", "whole", "--resume")
        assert done.returncode == 1 and "now holds other samples" in done.stderr and "hint:" in done.stderr
        assert text_of("whole/journal.jsonl") == before
    finally:
        shutil.move(path("first.h5"), path("data.h5"))


def test_another_engine_is_warned_of():
    cut("engine", until_trials(5))
    done = run_ok("train", "job.yaml", "--out", "engine", "--resume", "--device", "ref")
    engine = read_journal("whole")[0]["engine"]
    if engine != "ref":
        assert f"was begun with engine {engine} and goes on with ref" in done.stderr, done.stderr


def test_a_dry_run_with_resume_lists_what_is_left():
    cut("left", until_trials(4))
    before = text_of("left/journal.jsonl")
    shown = run_ok("train", "job.yaml", "--out", "left", "--resume", "--dry-run").stdout
    assert "6 trials, 4 of them done" in shown and "plan     2 trials in" in shown, shown
    assert "6 trials\n" in run_ok("train", "job.yaml", "--out", "left", "--dry-run").stdout
    assert text_of("left/journal.jsonl") == before and "sweep.lock" not in os.listdir(path("left"))


def test_wrong_ways_to_resume_are_refused():
    for arguments, needle in ((["--resume", "--force"], "give one of them"), (["--retry-failed"], "goes with --resume")):
        done = run("train", "job.yaml", "--out", "whole", *arguments)
        assert done.returncode == 2 and needle in done.stderr, done.stderr
    done = run("train", "job.yaml", "--out", "whole")
    assert done.returncode == 1 and "--resume" in done.stderr
    os.makedirs(path("torn"))
    write_job("", "torn/trials.csv")
    done = run("train", "job.yaml", "--out", "torn", "--resume")
    assert done.returncode == 1 and "hint: keep them" in done.stderr, "there is nothing to go on with"
    done = run("status", "drawn")
    assert done.returncode == 1 and "no journal.jsonl" in done.stderr


def test_two_programs_do_not_share_a_folder():
    sweep = stopped_at(epoch(1), "train", "job.yaml", "--out", "locked")
    assert "state    running" in run_ok("status", "locked").stdout
    for more in ([], ["--resume"], ["--force"]):
        done = run("train", "job.yaml", "--out", "locked", *more)
        assert done.returncode == 1 and "another program is training into this folder" in done.stderr, done.stderr
    sweep.signal(signal.SIGKILL)
    sweep.end()
    status = run_ok("status", "locked").stdout
    assert "killed" in status and re.search(r"next +cnnsweep train .* --resume", status), status
    run_ok("train", "job.yaml", "--out", "locked", "--resume")
    assert "sweep.lock" not in os.listdir(path("locked"))


def test_status_names_the_best_trial():
    status = run_ok("status", "whole").stdout
    best = max(read_trials("whole"), key=lambda t: float(t["test_accuracy"]))
    assert f"best     test_accuracy {float(best['test_accuracy']):.4f}: {best['trial']} lr={best['lr']}" in status, status
    assert "trials   6: 6 done, 0 failed, 0 in progress, 0 waiting" in status and "epochs   12" in status
    assert "state    done" in status and "table.md" in status


run_tests(globals())
