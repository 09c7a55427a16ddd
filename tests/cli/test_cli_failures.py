# SPDX-License-Identifier: Apache-2.0
"""A failure is reported once, has an exit code that scripts can use, and affects as little as possible."""
import os
import shutil
import signal

from harness import JOB, stopped_at, make_data, path, read_journal, read_trials, run, run_ok, run_tests, write_job
from breakpoints import epoch, rank_processes, trial

make_data()
write_job()


def assert_fails(done, code, *needles):
    assert done.returncode == code, f"exit {done.returncode}, not {code}\n{done.stderr}"
    for needle in needles:
        assert needle in done.stderr, f"no '{needle}' in\n{done.stderr}"


def test_wrong_calls_exit_2():
    assert_fails(run(), 2, "a command is missing")
    assert_fails(run("trian"), 2, "unknown command 'trian'; did you mean 'train'?")
    assert_fails(run("train"), 2, "JOB.yaml is missing")
    assert_fails(run("train", "job.yaml", "--dryrun"), 2, "unknown option --dryrun; did you mean '--dry-run'?")
    assert_fails(run("train", "job.yaml", "again"), 2, "one argument too many")
    assert_fails(run("train", "job.yaml", "--out"), 2, "--out needs a value")
    assert_fails(run("summary", "basenet", "--input", "32"), 2, '"32" is not HxWx3')


def test_a_misspelt_key_is_reported_by_one_rank_only():
    bad = write_job(JOB.replace("epochs:", "epoch:"), "bad.yaml")
    done = run("train", bad, "--out", "never", ranks=2)
    assert_fails(done, 1, "bad.yaml:5:9: unknown key 'epoch' in train:; did you mean 'epochs'?")
    assert done.stderr.count("unknown key") == 1
    assert not os.path.exists(path("never"))


def test_a_fault_that_would_fail_every_trial_stops_the_sweep_before_it_begins():
    cases = [(["--set", "data.path=none.h5"], "none.h5"),
             (["--set", "model.weights=none.h5"], "none.h5"),
             (["--set", "fine_tune=no_such_layer"], "no_such_layer"),
             (["--set", "data.image=8"], "too small"),
             (["--device", "abacus"], "abacus"),
             (["--set", "sweep.parameters.fine_tune=[all, 0]"], "fine_tune=0")]
    for ranks in (0, 2):
        for arguments, needle in cases:
            done = run("train", "job.yaml", "--out", "never", *arguments, ranks=ranks)
            assert_fails(done, 1, needle)
            assert done.stderr.count("error:") == 1, done.stderr
            assert not os.path.exists(path("never")), "no results folder for a sweep that cannot run"


def test_a_metric_that_cannot_exist_is_refused():
    shutil.copytree(path("drawn"), path("part"))
    shutil.rmtree(path("part/test"))
    run_ok("part", "part.h5", program="cnnsweep-pack")
    done = run("train", "job.yaml", "--set", "data.path=part.h5", "--out", "never")
    assert_fails(done, 1, "has no test split, so there is no test_accuracy", "table.value")


def test_fewer_ranks_than_slurm_tasks_are_refused():
    assert_fails(run("train", "job.yaml", "--out", "never", env={"SLURM_NTASKS": "4"}), 1,
                 "SLURM_NTASKS is 4, but there is 1 rank", "srun --mpi=pmix")


def test_a_diverged_trial_is_a_row_and_the_others_go_on():
    arguments = ("train", "job.yaml", "--set", "train.optimizer=sgd", "--set", "sweep.parameters.lr=[1e30, 0.001]")
    for ranks in (0, 2):
        out = f"diverged{ranks}"
        done = run_ok(*arguments, "--out", out, ranks=ranks)
        trials = read_trials(out)
        assert [t["status"] for t in trials] == ["failed"] * 3 + ["ok"] * 3, trials
        for trial in trials[:3]:
            assert trial["reason"].startswith("diverged: "), trial
            assert trial["test_accuracy"] == "" and trial["loss"] == ""
        table = open(path(f"{out}/table.md")).read()
        assert table.count("failed |") == 3 and "3 of 6 trials failed" in table
        assert "FAILED" in done.stderr


def test_a_sweep_whose_trials_all_fail_is_a_failure():
    done = run("train", "job.yaml", "--set", "train.optimizer=sgd", "--set", "sweep.parameters.lr=[1e30]", "--out", "all")
    assert_fails(done, 1, "all 3 trials failed: diverged")
    assert len(read_trials("all")) == 3


def test_sigterm_keeps_what_is_finished_and_exits_75():
    for wanted in (signal.SIGTERM, signal.SIGINT):
        out = f"stopped{int(wanted)}"
        sweep = stopped_at(trial(2), "train", "job.yaml", "--out", out)
        sweep.signal(wanted)
        code, table, log = sweep.end()
        assert code == 75, (code, log)
        finished = read_trials(out)
        assert len(finished) == 2 and all(t["status"] == "ok" for t in finished)
        assert f"what is finished is in {out}" in log
        assert "trials did not run" in table and "- |" in table
        assert read_journal(out)[-1]["status"] == "interrupted"


def test_one_rank_stopped_stops_all():
    for rank in (0, 1):
        sweep = stopped_at(epoch(1), "train", "job.yaml", "--out", f"two{rank}", ranks=2)
        sweep.signal(signal.SIGTERM, rank_processes(sweep.process)[rank])
        code, _, log = sweep.end()
        assert code == 75, (code, log)
        assert read_journal(f"two{rank}")[-1]["status"] == "interrupted"


run_tests(globals())
