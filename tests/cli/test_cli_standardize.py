# SPDX-License-Identifier: Apache-2.0
"""The standardization of Keras' ImageDataGenerator from the job file to the network: val and test are standardized too, by the
statistics of the training split; the weights' own preprocessing is replaced; runs on more ranks and resumed ones are the same."""
import os
import shutil

import h5py
import numpy as np
import torch

from harness import make_data, path, read_trials, run, run_ok, run_tests, stopped_at, without_clock, write_job

JOB = """name: standardized
data: {path: data.h5, image: [16, 16]}
model: {arch: basenet}
threads: 1
train: {epochs: 2, batch: 16, lr: 0.003, seed: 3, save_weights: h5}
sweep: {parameters: {augment: [none, featurewise, samplewise, featurewise_flip]}}
augmentations:
  featurewise: {featurewise_std_normalization: true}
  samplewise: {rescale: 0.003921569, samplewise_std_normalization: true}
  featurewise_flip: {featurewise_center: true, featurewise_std_normalization: true, horizontal_flip: true}
"""
FEATURES = ("--set", "train.mode=features", "--set", "train.fine_tune=head", "--set", "train.save_weights=none",
            "--set", "data.image=[32, 32]", "--set", "train.weights=none.h5")

make_data()
write_job(JOB)
first = run_ok("train", "job.yaml", "--out", "first")


def weights_of(folder="first"):
    return {trial["augment"]: f"{folder}/weights/{trial['trial']}.h5" for trial in read_trials(folder)}


def record(file):
    with h5py.File(path(file)) as opened:
        text = opened.attrs["preprocess"]
    return text.decode() if isinstance(text, bytes) else text


def test_trials_of_each_standardization_differ():
    trials = read_trials("first")
    assert [trial["status"] for trial in trials] == ["ok"] * 4
    assert len({trial["val_loss"] for trial in trials}) == len({trial["test_loss"] for trial in trials}) == 4


def test_numbers_do_not_depend_on_ranks():
    for ranks in (2, 4):
        run_ok("train", "job.yaml", "--out", f"on{ranks}", ranks=ranks)
        assert without_clock(read_trials(f"on{ranks}")) == without_clock(read_trials("first"))


def test_numbers_do_not_depend_on_the_other_trials():
    run_ok("train", "job.yaml", "--out", "alone", "--set", "sweep.parameters.augment=[featurewise]")
    alone, = read_trials("alone")
    same = next(trial for trial in read_trials("first") if trial["augment"] == "featurewise")
    for name in ("loss", "val_loss", "test_loss", "test_accuracy"):
        assert alone[name] == same[name], name


def test_statistics_are_kept_in_a_file():
    kept = [name for name in os.listdir(path("data.features")) if name.endswith(".h5")]
    assert len(kept) == 1 and kept[0].startswith("statistics-"), kept
    with h5py.File(path(f"data.features/{kept[0]}")) as file, h5py.File(path("data.h5")) as data:
        mean, std = file["train/features"][...]
        pixels = data["train/images"][...].astype(float)
        assert np.abs(mean - pixels.mean((0, 1, 2))).max() < 1, (mean, pixels.mean((0, 1, 2)))
        assert (std < pixels.std((0, 1, 2))).all()  # smaller images have less noise
        assert len(file["val/features"]) == len(file["test/features"]) == 0


def test_the_log_says_what_is_replaced():
    assert "featurewise_std_normalization needs featurewise_center, which is switched on" in first.stderr
    assert "augment featurewise: pixels are standardized (featurewise center " in first.stderr
    assert ", in place of unit" in first.stderr and "belongs to the weights" not in first.stderr
    file = weights_of()["none"]
    again = run_ok("train", "job.yaml", "--out", "pretrained", "--set", f"model.weights={file}",
                   "--set", "sweep.parameters.augment=[featurewise]")
    assert f"in place of unit, which belongs to the weights of {file}" in again.stderr


def test_weights_record_the_standardization_and_are_refused_without_it():
    files = weights_of()
    assert record(files["none"]) == "unit"
    assert record(files["samplewise"]) == "standardized: rescale 0.00392156886, samplewise center, samplewise std; in place of unit"
    assert record(files["featurewise"]).startswith("standardized: featurewise center ")
    refused = run("train", "job.yaml", "--out", "refused", "--set", f"model.weights={files['featurewise']}",
                  "--set", "sweep.parameters.augment=[none]")
    assert refused.returncode != 0
    assert "made for the preprocessing 'standardized: featurewise center " in refused.stderr
    assert "an augmentation can do it" in refused.stderr
    run_ok("train", "job.yaml", "--out", "continued", "--set", f"model.weights={files['featurewise']}",
           "--set", "sweep.parameters.augment=[featurewise]")
    run_ok("weights", "convert", "--arch", "basenet", "--image", "16x16", "--classes", "3", files["samplewise"], "converted.safetensors")
    assert "samplewise std; in place of unit" in run_ok("weights", "show", "converted.safetensors").stdout


def test_a_stopped_run_goes_on_with_the_same_numbers():
    pass


def test_splines_are_refused_with_the_reason():
    write_job(JOB.replace("{featurewise_std_normalization: true}", "{interpolation_order: 3}"), "splines.yaml")
    refused = run("train", "splines.yaml", "--out", "splines")
    assert refused.returncode != 0
    assert "interpolation_order takes one of 1, 0" in refused.stderr and "2 to 5 are splines" in refused.stderr


run_tests(globals())
