# SPDX-License-Identifier: Apache-2.0
"""The standardization of Keras' ImageDataGenerator and torchvision's Normalize from the job file to the network: val and test are
standardized too, by the statistics of the training split; the weights' own preprocessing is replaced. That groups, ranks and stops
change nothing is tested in test_cli_recipes.py."""
import os
import shutil

import h5py
import numpy as np
import torch

from basenet import torch_basenet
from harness import make_data, path, read_trials, run, run_ok, run_tests, write_job

JOB = """name: standardized
data: {path: data.h5, image: [16, 16]}
model: {arch: basenet}
threads: 1
train: {epochs: 2, batch: 16, lr: 0.003, seed: 3, save_weights: h5}
sweep: {parameters: {augment: [none, featurewise, samplewise, featurewise_flip, zca, normal]}}
augmentations:
  featurewise: {featurewise_std_normalization: true}
  samplewise: {rescale: 0.003921569, samplewise_std_normalization: true}
  zca: {zca_whitening: true, rescale: 0.003921569}
  normal: [random_horizontal_flip, {normalize: {mean: [0.485, 0.456, 0.406], std: 0.25}}]
  featurewise_flip: {featurewise_center: true, featurewise_std_normalization: true, horizontal_flip: true}
"""

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
    assert [trial["status"] for trial in trials] == ["ok"] * 6
    assert len({trial["val_loss"] for trial in trials}) == len({trial["test_loss"] for trial in trials}) == 6


def test_statistics_are_kept_in_a_file():
    kept = sorted(name for name in os.listdir(path("data.features")) if name.endswith(".h5"))
    assert [name.split("-")[0] for name in kept] == ["statistics", "zca"], kept
    with h5py.File(path(f"data.features/{kept[0]}")) as file, h5py.File(path("data.h5")) as data:
        mean, std = file["train/features"][...]
        pixels = data["train/images"][...].astype(float)
        assert np.abs(mean - pixels.mean((0, 1, 2))).max() < 1, (mean, pixels.mean((0, 1, 2)))
        assert (std < pixels.std((0, 1, 2))).all()  # smaller images have less noise
        assert len(file["val/features"]) == len(file["test/features"]) == 0


def test_the_log_says_what_is_replaced():
    assert "featurewise_std_normalization needs featurewise_center, which is switched on" in first.stderr
    assert ("augment featurewise: pixels of all splits are standardized (featurewise center, featurewise std); this replaces "
            "the preprocessing that belongs to the architecture") in first.stderr
    assert ("augment normal: pixels of all splits are standardized (normalize mean 0.485 0.456 0.406, std 0.25 0.25 0.25); this "
            "replaces the preprocessing that belongs to the architecture") in first.stderr
    assert first.stderr.count("pixels of all splits") == 5 and "augment none" not in first.stderr
    file = weights_of()["none"]
    again = run_ok("train", "job.yaml", "--out", "pretrained", "--set", f"model.weights={file}",
                   "--set", "sweep.parameters.augment=[featurewise]")
    assert f"belongs to the pretrained weights {file}" in again.stderr


def test_weights_record_the_standardization_and_are_refused_without_it():
    files = weights_of()
    assert record(files["none"]) == "unit"
    assert record(files["samplewise"]) == "standardized: rescale 0.003921569, samplewise center, samplewise std; in place of unit"
    assert record(files["featurewise"]).startswith("standardized: featurewise center ")
    assert record(files["normal"]) == "standardized: normalize mean 0.485 0.456 0.406, std 0.25 0.25 0.25; in place of unit"
    refused = run("train", "job.yaml", "--out", "refused", "--set", f"model.weights={files['featurewise']}",
                  "--set", "sweep.parameters.augment=[none]")
    assert refused.returncode != 0
    assert "made for the preprocessing 'standardized: featurewise center " in refused.stderr
    assert "an augmentation can do it" in refused.stderr
    run_ok("train", "job.yaml", "--out", "continued", "--set", f"model.weights={files['featurewise']}",
           "--set", "sweep.parameters.augment=[featurewise]")
    run_ok("weights", "convert", "--arch", "basenet", "--input", "16x16x3", "--classes", "3", files["samplewise"], "converted.safetensors")
    assert "samplewise std; in place of unit" in run_ok("weights", "show", "converted.safetensors").stdout


def test_val_images_cannot_be_standardized_otherwise():
    only = ("--set", "sweep.parameters.augment=[zca, none]", "--set", "data.val_augment=featurewise")
    refused = run("train", "job.yaml", "--out", "otherwise", *only)
    assert refused.returncode != 0
    assert "data.val_augment: featurewise standardizes images (featurewise center, featurewise std)" in refused.stderr
    run_ok("train", "job.yaml", "--out", "same", "--set", "sweep.parameters.augment=[featurewise]",
           "--set", "data.val_augment=true")
    same, = read_trials("same")
    first = next(trial for trial in read_trials("first") if trial["augment"] == "featurewise")
    assert same["val_loss"] == first["val_loss"] and same["test_loss"] == first["test_loss"]


def test_val_images_may_be_normalized_alike_in_a_list_of_their_own():
    """As in recipes of torchvision, which have Normalize in the transforms of train and of val."""
    job = """name: val
data: {path: data.h5, image: [24, 24], val_augment: VAL}
model: {arch: basenet}
threads: 1
train: {epochs: 1, batch: 16, augment: train}
augmentations:
  train: [{random_crop: 24}, normalize]
  val: [{center_crop: 24}, normalize]
  plain: [{center_crop: 24}]
  other: [{center_crop: 24}, {normalize: 0.5}]
"""
    losses = set()
    for val in ("val", "plain"):
        write_job(job.replace("VAL", val), "val.yaml")
        run_ok("train", "val.yaml", "--out", val)
        losses.add(tuple(read_trials(val)[0][name] for name in ("val_loss", "test_loss")))
    assert len(losses) == 1, losses
    write_job(job.replace("VAL", "other"), "val.yaml")
    refused = run("train", "val.yaml", "--out", "other")
    assert refused.returncode != 0 and "data.val_augment: other standardizes images (normalize mean 0.5" in refused.stderr


def test_statistics_are_those_of_filtered_images():
    """A blur in data.filter makes the deviations smaller, also where the dataset has its own of the stored size."""
    shutil.rmtree(path("data.features"))
    run_ok("train", "job.yaml", "--out", "filtered", "--set", "sweep.parameters.augment=[featurewise]",
           "--set", "data.filter=[{gaussian: 3}]", "--set", "data.image=[32, 32]")
    name, = [name for name in os.listdir(path("data.features")) if name.endswith(".h5")]
    with h5py.File(path(f"data.features/{name}")) as file, h5py.File(path("data.h5")) as data:
        assert (file["train/features"][1] < data.attrs["std"] - 0.5).all()


def test_whitening_of_large_images_is_refused_before_the_sweep_starts():
    write_job(JOB.replace("{featurewise_std_normalization: true}", "{zca_whitening: true}"), "large.yaml")
    refused = run("train", "large.yaml", "--out", "large", "--set", "data.image=[96, 96]")
    assert refused.returncode != 0 and not os.path.exists(path("large/trials.csv"))
    assert "augment featurewise: zca_whitening of images of 96 x 96 pixels: 18 GB to compute the matrix, and 3 GB" in refused.stderr


def zca(train):
    u, s, _ = np.linalg.svd(train.reshape(len(train), -1).T, full_matrices=False)
    return u * (np.sqrt(len(train)) / (s + 1e-6)) @ u.T


def test_features_are_those_of_standardized_images():
    write_job("""name: features
data: {path: data.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 1, batch: 16, save_weights: h5}
""", "base.yaml")
    run_ok("train", "base.yaml", "--out", "base")
    shutil.copy(path("base/weights/" + read_trials("base")[0]["trial"] + ".h5"), path("base.h5"))
    with h5py.File(path("data.h5")) as data:
        pixels = {split: data[split]["images"][...].astype(float) for split in ("train", "val", "test")}
    mean, std = pixels["train"].mean((0, 1, 2)), pixels["train"].std((0, 1, 2))
    matrix = zca(pixels["train"] - mean)
    for settings, standardize in (
            ("[{normalize: {mean: 0.4, std: [0.2, 0.3, 0.4]}}]", lambda x: (x / 255 - 0.4) / np.array([0.2, 0.3, 0.4])),
            ("{featurewise_std_normalization: true}", lambda x: (x - mean) / (std + 1e-6)),
            ("{zca_whitening: true}", lambda x: ((x - mean).reshape(len(x), -1) @ matrix).reshape(x.shape))):
        shutil.rmtree(path("features"), ignore_errors=True)
        write_job(f"""name: features
data: {{path: data.h5, features: features}}
model: {{arch: basenet, weights: base.h5}}
threads: 1
train: {{mode: features, fine_tune: head, epochs: 1, batch: 16, augment: standard}}
augmentations: {{standard: {settings}}}
""", "features.yaml")
        run_ok("train", "features.yaml", "--out", "featured", "--force")
        name, = [name for name in os.listdir(path("features")) if name.startswith("basenet-") and name.endswith(".h5")]
        with h5py.File(path(f"features/{name}")) as made:
            for split in ("train", "val", "test"):
                want = torch_basenet(standardize(pixels[split]), "base.h5")[0]
                assert want.std() > 0.01
                np.testing.assert_allclose(made[split]["features"][...], want, rtol=1e-3, atol=1e-3 * want.std())


def test_losses_of_val_and_test_are_those_of_normalized_images():
    """Of the saved weights, computed by torch, whatever p the flips of the training images have."""
    write_job("""name: normalized
data: {path: data.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 1, batch: 16, save_weights: h5, augment: normal}
augmentations: {normal: [random_horizontal_flip, normalize, {mixup: {p: 0.5}}]}
""", "normalized.yaml")
    run_ok("train", "normalized.yaml", "--out", "normalized")
    trial, = read_trials("normalized")
    with h5py.File(path("data.h5")) as data:
        for split in ("val", "test"):
            x = (data[split]["images"][...] / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
            logits = torch_basenet(x, f"normalized/weights/{trial['trial']}.h5")[1]
            want = torch.nn.functional.cross_entropy(logits, torch.from_numpy(data[split]["label"][...]).long())
            assert abs(float(trial[f"{split}_loss"]) - want) < 1e-4 * want, (split, trial, want)


def test_features_of_images_that_change_are_refused():
    write_job(open(path("features.yaml")).read().replace("zca_whitening: true", "rescale: 0.01, horizontal_flip: true"), "flip.yaml")
    refused = run("train", "flip.yaml", "--out", "flip")
    assert refused.returncode != 0 and "train.augment is standard, but train.mode is features" in refused.stderr


def test_splines_are_refused_with_the_reason():
    write_job(JOB.replace("{featurewise_std_normalization: true}", "{interpolation_order: 3}"), "splines.yaml")
    refused = run("train", "splines.yaml", "--out", "splines")
    assert refused.returncode != 0
    assert "interpolation_order takes one of 1, 0" in refused.stderr and "2 to 5 are splines" in refused.stderr


run_tests(globals())
