# SPDX-License-Identifier: Apache-2.0
"""A warning of training images whose values were in 0..1 when they were stored as bytes."""
import os

import numpy as np
from PIL import Image

from harness import make_data, path, run_ok, run_tests, write_job

JOB = """name: black
data: {path: DATA.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 1, batch: 16}
sweep: {parameters: {augment: [none, bright]}}
augmentations: {bright: {brightness_range: [0.5, 1.5]}}
"""
make_data()


def pack(name, change):
    """Packs images that `change` makes of the drawn ones, and returns a job that trains on them."""
    for folder, _, files in os.walk(path("drawn")):
        target = folder.replace(path("drawn"), path(name))
        os.makedirs(target)
        for file in (file for file in files if not file.endswith(".txt")):
            pixels = np.asarray(Image.open(os.path.join(folder, file)).convert("RGB"))
            Image.fromarray(change(pixels)).save(os.path.join(target, os.path.splitext(file)[0] + ".png"))
    run_ok(name, f"{name}.h5", program="cnnsweep-pack")
    return write_job(JOB.replace("DATA", name), f"{name}.yaml")


def warnings(job, *arguments, **how):
    return run_ok(*arguments, job, **how).stderr.count("nearly black")


def test_values_of_0_and_1_are_warned_of_once():
    for name, change in (("cut_off", lambda x: (x / 255).astype(np.uint8)),
                         ("rounded", lambda x: np.round(x / 255).astype(np.uint8))):
        job = pack(name, change)
        assert warnings(job, "preview", "--samples", "1") == warnings(job, "train", "--dry-run") == 1
        assert warnings(job, "train", "--out", f"{name}_on2", ranks=2) == 1
    log = run_ok("preview", "--samples", "1", job).stderr
    assert "the training images of rounded.h5 are nearly black (mean 0." in log and "Pack images with values 0..255" in log, log


def test_other_dark_images_are_not_warned_of():
    for name, change in (("same", lambda x: x), ("dark", lambda x: x // 50)):
        job = pack(name, change)
        assert warnings(job, "preview", "--samples", "1") == warnings(job, "train", "--dry-run") == 0


run_tests(globals())
