# SPDX-License-Identifier: Apache-2.0
"""A warning before training if duplicates, or images of a group, are in different splits."""
import os
import shutil

from harness import make_data, path, run_ok, run_tests, write_job

JOB = """name: leaks
data: {path: DATA.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 1, batch: 16}
"""
make_data()


def pack(name, copies, *options):
    """Packs the drawn images, which are split, with so many of each class in train once more in test."""
    shutil.copytree(path("drawn"), path(name))
    train, test = (os.path.join(path(name), split) for split in ("train", "test"))
    for label in os.listdir(train):
        for file in sorted(os.listdir(os.path.join(train, label)))[:copies]:
            shutil.copy(os.path.join(train, label, file), os.path.join(test, label, "copy_" + file))
    run_ok(*options, name, f"{name}.h5", program="cnnsweep-pack")
    return write_job(JOB.replace("DATA", name), f"{name}.yaml")


def warnings(job, *arguments, **how):
    return [line for line in run_ok("train", *arguments, job, **how).stderr.splitlines() if "more than one split" in line]


def test_duplicates_in_different_splits_are_warned_of_once():
    job = pack("copied", 1)
    found = warnings(job, "--dry-run")
    assert len(found) == 1 and " sets of duplicates have images in more than one split" in found[0], found
    assert warnings(job, "--out", "copied_on2", ranks=2) == found
    assert "duplicates: " in run_ok("--info", "copied.h5", program="cnnsweep-pack").stdout


def test_without_duplicates_there_is_no_warning():
    job = pack("dropped", 1, "--duplicates", "drop")
    assert warnings(job, "--dry-run") == []
    assert "duplicates: " not in run_ok("--info", "dropped.h5", program="cnnsweep-pack").stdout


def test_groups_in_different_splits_are_warned_of_once():
    job = pack("grouped", 0, "--duplicates", "drop", "--group-regex", "([0-9])[.]")
    found = warnings(job, "--dry-run")
    assert len(found) == 1 and " groups have images in more than one split, such as \"" in found[0], found


run_tests(globals())
