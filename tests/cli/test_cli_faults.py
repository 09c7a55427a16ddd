# SPDX-License-Identifier: Apache-2.0
"""A fault during training fails only the trial that meets it, or stops the sweep so that --resume completes it."""
import os
import resource
import shutil
import subprocess

import h5py

from harness import (BIN, CLEAN, JOB, MPI, SCRATCH, make_data, path, read_journal, read_trials, run, run_ok, run_tests,
                     without_clock, write_job)
from breakpoints import PATIENCE

make_data()
# With so many epochs and a checkpoint after each, every kind of file is written often.
LONG = JOB.replace("epochs: 2,", "epochs: 15,").replace("threads: 1", "threads: 1\ncheckpoint_seconds: 0")
write_job(LONG)
run_ok("train", "job.yaml", "--out", "reference")


def limited(kind, value, *arguments, ranks=0, env=None):
    """Runs cnnsweep with a limit that mpirun does not have."""
    limit = {resource.RLIMIT_FSIZE: "--fsize", resource.RLIMIT_AS: "--as"}[kind]
    command = (["mpirun", "-n", str(ranks)] if ranks else []) + ["prlimit", f"{limit}={value}:{value}",
                                                                 os.path.join(BIN, "cnnsweep"), *arguments]
    return subprocess.run(command, cwd=SCRATCH, env={**CLEAN, **(MPI if ranks else {}), **(env or {})},
                          capture_output=True, text=True, timeout=PATIENCE)


def assert_reference(out):
    assert without_clock(read_trials(out)) == without_clock(read_trials("reference"))
    for name in ("table.md", "history/t005.csv"):
        assert open(path(f"{out}/{name}")).read() == open(path(f"reference/{name}")).read()


def assert_stopped(done, out, reason):
    assert done.returncode == 1 and reason in done.stderr, (done.returncode, done.stderr)
    assert "free some space" in done.stderr
    journal = read_journal(out)  # every line is valid JSON
    assert journal[0]["event"] == "start" and any(e["event"] == "epoch" for e in journal)
    assert not any(e.get("status") == "failed" for e in journal), "a full disk is no trial's failure"


def test_a_file_past_its_limit_stops_cleanly_and_resumes():
    """First the journal passes its limit, then a checkpoint."""
    for seconds in ("1e6", "0"):
        out = f"limit{seconds}"
        done = limited(resource.RLIMIT_FSIZE, 15000, "train", "job.yaml", "--out", out, "--set",
                       f"checkpoint_seconds={seconds}")
        assert_stopped(done, out, "File too large")
        assert (".ckpt" in done.stderr) == (seconds == "0"), done.stderr
        run_ok("train", "job.yaml", "--out", out, "--resume")
        assert_reference(out)


def test_a_sweep_on_a_full_disk_is_resumed_when_the_disk_has_room():
    mount = path("small")
    os.makedirs(mount)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", mount], capture_output=True)
    if mounted.returncode:
        assert not os.environ.get("CI"), f"CI must be able to mount a small disk: {mounted.stderr.decode()}"
        print("   skipped: a small disk needs root")
        return
    try:
        for ranks in (0, 2):
            out = f"small/r{ranks}"
            with open(f"{mount}/filler", "wb") as file:
                file.truncate(0)
                free = os.statvfs(mount).f_bavail * os.statvfs(mount).f_frsize
                file.write(b"x" * max(0, free - 60000))
            done = run("train", "job.yaml", "--out", out, ranks=ranks)
            assert "may fill up" in done.stderr, done.stderr
            assert_stopped(done, out, "No space left on device")
            os.remove(f"{mount}/filler")
            run_ok("train", "job.yaml", "--out", out, "--resume", ranks=ranks)
            assert_reference(out)
            shutil.rmtree(path(out))
    finally:
        subprocess.run(["umount", mount], check=True)


def test_the_log_says_how_much_disk_is_needed_and_free():
    done = run_ok("train", "job.yaml", "--out", "disk", "--set", "train.epochs=1")
    free = os.statvfs(SCRATCH)
    assert "disk: checkpoints up to " in done.stderr and "; free are " in done.stderr, done.stderr
    reported = float(done.stderr.split("; free are ")[1].split()[0])
    unit = {"MB": 1e6, "GB": 1e9}[done.stderr.split("; free are ")[1].split()[1]]
    assert abs(reported * unit - free.f_bavail * free.f_frsize) < 0.1 * reported * unit + 1e9


def test_a_trial_without_memory_is_a_row_and_the_others_go_on():
    job = write_job(JOB.replace("augment: [none, flips, dark]", "batch: [65536, 16]").replace("batch: 16, ", "").replace(
        "rows: augment", "rows: batch"), "memory.yaml")
    linked = subprocess.run(["ldd", os.path.join(BIN, "cnnsweep")], capture_output=True, text=True).stdout
    if "libasan" in linked:
        print("   skipped: AddressSanitizer reserves more addresses than the limit")
        return
    for ranks in (0, 2):
        out = f"memory{ranks}"
        done = limited(resource.RLIMIT_AS, 2 << 30, "train", job, "--out", out, ranks=ranks)
        assert done.returncode == 0, done.stderr
        trials = read_trials(out)
        assert [(t["batch"], t["status"]) for t in trials] == [("65536", "failed"), ("16", "ok")] * 2, trials
        assert all("memory" in t["reason"] for t in trials if t["status"] == "failed"), trials


def test_a_bad_image_fails_each_trial_that_reads_it():
    run_ok("drawn", "jpeg.h5", "--encoding", "jpeg", program="cnnsweep-pack")
    arguments = ("train", "job.yaml", "--set", "data.path=jpeg.h5", "--set", "train.epochs=3", "--set",
                 "data.image=32", "--out")
    run_ok(*arguments, "good")
    shutil.copy(path("jpeg.h5"), path("whole.h5"))
    with h5py.File(path("jpeg.h5"), "r+") as file:
        split = file["test"]
        first, last = split["offset"][4], split["offset"][5]
        split["jpeg"][first:last] = 0
        bad = split["id"][4].decode()
    done = run(*arguments, "refused")
    assert done.returncode == 1 and "jpeg.h5" in done.stderr and not os.path.exists(path("refused")), done.stderr
    done = run(*arguments, "bad", env={"CNNSWEEP_TRUST_SHARDS": "1"})
    trials = read_trials("bad")
    assert done.returncode == 1 and "all 6 trials failed" in done.stderr, done.stderr
    assert all(t["status"] == "failed" and bad in t["reason"] for t in trials), (bad, trials)
    shutil.move(path("whole.h5"), path("jpeg.h5"))
    run_ok(*arguments, "bad", "--resume", "--retry-failed")
    assert without_clock(read_trials("bad")) == without_clock(read_trials("good"))


run_tests(globals())
