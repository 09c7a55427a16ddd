# SPDX-License-Identifier: Apache-2.0
"""A sweep says what it trains while an epoch lasts: in progress.json and, where there is no terminal, now and then in a line.
The sweeps are stopped at breakpoints, so nothing depends on how fast they are."""
import os
import re
import signal
import time

from harness import JOB, PATIENCE, make_data, path, run, run_ok, run_tests, stopped_at, write_job
from breakpoints import checkpoint, epoch
from running import placed, progress

CHECKPOINTS = JOB + "checkpoint_seconds: 0\n"
make_data()  # 3 classes of 40, of which 28 are in train: 84 / 16 = 6 batches
BATCHES = 6


def test_what_is_trained_is_in_a_file_that_the_end_removes():
    write_job(CHECKPOINTS)
    stopped = stopped_at(epoch(1), "train", "job.yaml", "--out", "one")
    running, = placed("one", 1, 1)
    assert (running["trial"], running["rank"], running["epochs"], running["batches"]) == ("t000", 0, 2, BATCHES)
    assert running["epoch"] == 1 and 1 <= running["batch"] <= BATCHES
    whole = progress("one")
    assert abs(whole["time"] - time.time()) < PATIENCE and whole["host"] == os.uname().nodename
    stopped.go_on()
    assert stopped.end()[0] == 0
    assert not os.path.exists(path("one/progress.json")) and not os.path.exists(path("one/progress.json.tmp"))


def test_every_rank_is_in_it():
    write_job(CHECKPOINTS)
    stopped = stopped_at(checkpoint(1), "train", "job.yaml", "--out", "two", ranks=2)
    running = placed("two", 2, 2)
    assert {trial["rank"] for trial in running} == {0, 1} and len({trial["trial"] for trial in running}) == 2
    assert all(trial["epoch"] == 2 and trial["seconds_left"] >= 0 for trial in running), running
    stopped.go_on()
    assert stopped.end()[0] == 0
    assert progress("two") is None


def test_every_trial_of_a_group_is_in_it():
    text = JOB.replace("augment: [none, flips, dark]", "fine_tune: [head]").replace("rows: augment", "rows: fine_tune")
    write_job(text + "checkpoint_seconds: 0\n")
    stopped = stopped_at(checkpoint(1), "train", "job.yaml", "--out", "group")
    assert {trial["trial"] for trial in placed("group", 1, 2)} == {"t000", "t001"}
    stopped.signal(signal.SIGKILL)
    stopped.end()


def test_what_a_killed_sweep_left_is_removed():
    write_job(CHECKPOINTS)
    stopped = stopped_at(checkpoint(2), "train", "job.yaml", "--out", "killed")
    placed("killed", 1, 1)
    stopped.signal(signal.SIGKILL)
    stopped.end()
    assert progress("killed")
    assert "stopped unexpectedly" in run_ok("status", "killed").stdout
    run_ok("train", "job.yaml", "--out", "killed", "--resume")
    assert progress("killed") is None


def test_a_file_that_cannot_be_written_is_no_reason_to_stop():
    write_job()
    os.makedirs(path("full/progress.json.tmp"))
    done = run("train", "job.yaml", "--out", "full")
    assert done.returncode == 0 and done.stderr.count("progress.json: cannot write") == 1, done.stderr
    assert "6/6" in done.stderr


def test_a_long_epoch_shows_life():
    """From the first checkpoint on the clock is 100 s ahead, and a line follows although the trainer is stopped."""
    write_job(CHECKPOINTS)
    stopped = stopped_at(checkpoint(1), "train", "job.yaml", "--out", "alive", env={"CNNSWEEP_TEST_CLOCK": "100"})
    for line in stopped.process.stderr:
        if re.match(r"0/6 trials, \d+ %, \d+:\d\d:\d\d left; t000, epoch 2/2, batch \d/6", line):
            break
    else:
        raise AssertionError("no sign of life")
    stopped.go_on()
    assert stopped.end()[0] == 0


run_tests(globals())
