# SPDX-License-Identifier: Apache-2.0
"""Weights of images, from the CSV file to the loss of training: it is what torch makes of the same weights, the other splits have
none, ranks that share a batch divide by the weights of all, and a dataset without weights is refused."""
import csv
import math
import os

import h5py
import numpy as np
import torch

from basenet import torch_basenet
from harness import make_data, path, read_trials, run, run_ok, run_tests, write_job

make_data()
IDS = [os.path.join(folder, name)[len(path("drawn/")):] for folder, _, names in os.walk(path("drawn")) for name in names
       if name.endswith(".jpg")]
rng = np.random.default_rng(2)
with open(path("weights.csv"), "w", newline="") as file:
    csv.writer(file).writerows([("file", "weight"), *((name, round(rng.gamma(1, 1), 3)) for name in sorted(IDS))])
run_ok("--weights", "weights.csv", "drawn", "weighted.h5", program="cnnsweep-pack")

# The weights of the network hardly move, so that the loss of training is that of the saved network.
JOB = """name: weighted
data: {path: weighted.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 1, batch: 16, seed: 3, lr: 1e-9, optimizer: sgd, save_weights: h5, sample_weight: true}
"""


def train(out, *sets, ranks=0):
    arguments = [argument for value in sets for argument in ("--set", value)]
    run_ok("train", write_job(JOB), "--out", out, "--force", *arguments, ranks=ranks)
    return {name: float(value) for name, value in read_trials(out)[0].items() if "loss" in name or "accuracy" in name}


def losses_of(out, split="train"):
    """(the losses, the labels, the weights of all images of a split)"""
    with h5py.File(path("weighted.h5")) as file:
        images, labels, weights = (file[f"{split}/{name}"][...] for name in ("images", "label", "weight"))
    logits = torch_basenet(images / 255, f"{out}/weights/t000.h5")[1]
    losses = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels).long(), reduction="none")
    return losses.numpy().astype(float), labels, weights.astype(float)


def close(got, want):
    assert math.isclose(got, want, rel_tol=1e-5), (got, want)


def test_the_loss_of_training_is_weighted_and_no_other():
    trial = train("keras", "train.dialect=keras")
    losses, _, weights = losses_of("keras")
    close(trial["loss"], (losses * weights).sum() / len(losses))
    for split in "val", "test":
        close(trial[f"{split}_loss"], losses_of("keras", split)[0].mean())
    plain = train("plain", "train.sample_weight=false")
    assert plain["accuracy"] == trial["accuracy"]
    close(plain["val_loss"], trial["val_loss"])
    close(plain["loss"], losses.mean())


def test_weights_of_classes_multiply_those_of_images():
    trial = train("both", "train.dialect=keras", "train.class_weight=1,0,4")
    losses, labels, weights = losses_of("both")
    close(trial["loss"], (losses * weights * np.array([1, 0, 4])[labels]).sum() / len(losses))


def test_in_torchs_dialect_the_sum_is_divided_by_the_weights():
    trial = train("torch", "train.dialect=torch", "train.batch=84")
    losses, labels, weights = losses_of("torch")
    close(trial["loss"], (losses * weights).sum() / weights.sum())
    trial = train("torch-both", "train.dialect=torch", "train.batch=84", "train.class_weight=1,0,4")
    both = weights * np.array([1, 0, 4])[labels]
    close(trial["loss"], (losses * both).sum() / both.sum())


def test_ranks_that_share_a_batch_train_as_one():
    for dialect in "keras", "torch":
        sets = (f"train.dialect={dialect}", "train.lr=0.01", "train.epochs=3", "train.class_weight=1,2,4")
        one, two = train("one", *sets), train("two", *sets, "ranks_per_trial=2", ranks=2)
        for name in ("loss", "val_loss", "test_loss"):
            assert math.isclose(one[name], two[name], rel_tol=1e-4), (dialect, name, one[name], two[name])


def test_images_of_weight_0_do_not_train():
    with h5py.File(path("weighted.h5")) as file:
        names, labels = file["train/id"][...], file["train/label"][...]
    left_out = {name.decode() for name, label in zip(names, labels) if label == 1}
    with open(path("without.csv"), "w", newline="") as file:
        csv.writer(file).writerows([("file", "weight"), *((name, int(name not in left_out)) for name in sorted(IDS))])
    run_ok("--weights", "without.csv", "drawn", "without.h5", program="cnnsweep-pack")
    sets = ("train.lr=0.05", "train.epochs=2")
    by_sample = train("by-sample", *sets, "data.path=without.h5")
    by_class = train("by-class", *sets, "train.sample_weight=false", "train.class_weight=1,0,1")
    assert by_sample == by_class, (by_sample, by_class)


def refused(message, hint, *sets):
    arguments = [argument for value in sets for argument in ("--set", value)]
    done = run("train", write_job(JOB), "--out", "refused", *arguments)
    assert done.returncode != 0 and message in done.stderr and hint in done.stderr, done.stderr
    assert not os.path.exists(path("refused/journal.jsonl"))


def test_a_dataset_without_weights_is_refused():
    refused("train.sample_weight: the images of data.h5 have no weights", "cnnsweep-pack --weights", "data.path=data.h5")


def test_weights_of_training_that_are_all_0_are_refused():
    with h5py.File(path("weighted.h5")) as file:
        names = {name.decode() for name in file["train/id"][...]}
    with open(path("zero.csv"), "w", newline="") as file:
        csv.writer(file).writerows([("file", "weight"), *((name, int(name not in names)) for name in sorted(IDS))])
    run_ok("--weights", "zero.csv", "drawn", "zero.h5", program="cnnsweep-pack")
    refused("all training images of zero.h5 have the weight 0", "", "data.path=zero.h5")


run_tests(globals())
