# SPDX-License-Identifier: Apache-2.0
"""data.val_augment: what is done to the images of val and test."""
import os

from PIL import Image

from harness import make_data, path, read_trials, run, run_ok, run_tests, without_clock, write_job

make_data()
JOB = """name: val
data: {path: data.h5, image: [24, 24], val_augment: VAL}
model: {arch: basenet}
train: {epochs: 2, augment: TRAIN}
augmentations:
  part: [{random_crop: 24}]
  middle: [{center_crop: 24}]
  large: [{resize: 28}, {center_crop: 24}]
"""


def train(val, train_augment, out, data="data.h5"):
    """(the rows of trials.csv, what was logged)"""
    write_job(JOB.replace("VAL", val).replace("TRAIN", train_augment).replace("data.h5", data), "val.yaml")
    log = run_ok("train", "val.yaml", "--out", out).stderr
    return [{name: value for name, value in row.items() if name not in ("key", "augment", "val_augment")}
            for row in without_clock(read_trials(out))], log


def test_the_middles_of_images_are_a_dataset_of_middles():
    """Trains on images of 32 px of which center_crop takes the middle, and on a packed dataset of these middles."""
    for folder, _, files in os.walk(path("drawn")):
        target = folder.replace(path("drawn"), path("middles"))
        os.makedirs(target)
        for name in (name for name in files if not name.endswith(".txt")):
            image = Image.open(os.path.join(folder, name)).convert("RGB")
            image.crop((4, 4, 28, 28)).save(os.path.join(target, os.path.splitext(name)[0] + ".png"))
    run_ok("middles", "middles.h5", program="cnnsweep-pack")
    cut, log = train("middle", "middle", "cut")
    assert cut == train("none", "none", "packed", "middles.h5")[0] and "at random" not in log
    assert cut != train("large", "middle", "large")[0] != train("none", "middle", "whole")[0]


def test_the_same_as_for_train_is_allowed_and_warned_of():
    same, log = train("true", "part", "same")
    assert "val and test images are changed at random, too" in log, log
    assert same == train("part", "part", "named")[0] != train("middle", "part", "middle")[0]


def test_features_are_of_images_as_they_are():
    write_job(JOB.replace("VAL", "middle").replace("TRAIN", "none").replace("epochs: 2", "mode: features"), "val.yaml")
    done = run("train", "--dry-run", "val.yaml")
    assert done.returncode != 0 and "data.val_augment is middle, but train.mode is features" in done.stderr, done.stderr


run_tests(globals())
