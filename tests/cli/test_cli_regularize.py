# SPDX-License-Identifier: Apache-2.0
"""model.l1, model.l2 and model.max_norm in jobs: whose kernels they are for, that frozen ones are left out, what is refused."""
import math
import os

import h5py
import numpy as np

from harness import make_data, path, read_trials, run, run_ok, run_tests, write_job

make_data(per_class=20)
JOB = """name: regularized
data: {path: data.h5}
model: {arch: basenet_deep_bn, head: [{dense: 20, activation: relu}, dense]}
threads: 1
train: {epochs: 1, batch: 16, seed: 3, lr: 1e-9, optimizer: sgd, save_weights: h5}
"""
LAYERS = ["conv2d", "conv2d_1", "conv2d_2", "conv2d_3", "conv2d_4", "dense", "dense_1", "dense_2", "dense_3"]
HEAD = LAYERS[-2:]


def train(out, *sets, ranks=0):
    arguments = [argument for value in sets for argument in ("--set", value)]
    run_ok("train", write_job(JOB), "--out", out, "--force", *arguments, ranks=ranks)
    return read_trials(out)[0]


def kernels(out, layers):
    with h5py.File(path(f"{out}/weights/t000.h5")) as file:
        return [file[layer][next(name for name in map(bytes.decode, map(bytes, file[layer].attrs["weight_names"]))
                                 if "kernel" in name)][...].astype(float) for layer in layers]


def check_penalty(out, layers, *sets):
    """The loss without the penalty is that of a trial that has none."""
    plain, trial = train(out, *sets), train(out, *sets, "model.l1=0.001", "model.l2=0.01",
                                            *(["model.regularize=all"] if layers != HEAD else []))
    penalty = sum(0.001 * np.abs(kernel).sum() + 0.01 * (kernel ** 2).sum() for kernel in kernels(out, layers))
    for name in ("loss", "val_loss", "test_loss"):
        assert math.isclose(float(trial[name]) - float(plain[name]), penalty, rel_tol=1e-4), (name, penalty, trial, plain)


def test_penalties_are_for_the_kernels_of_the_head():
    check_penalty("head", HEAD)


def test_penalties_of_all_kernels_are_for_all():
    check_penalty("all", LAYERS)


def test_frozen_kernels_have_no_penalty():
    check_penalty("frozen", LAYERS[-3:], "train.fine_tune=dense_1")


def norms(out, layers):
    return [np.sqrt((kernel ** 2).sum(axis=tuple(range(kernel.ndim - 1)))) for kernel in kernels(out, layers)]


def test_norms_are_limited_in_the_head_or_everywhere():
    sets = ("train.lr=0.05", "train.epochs=2", "model.max_norm=0.4")
    train("limited", *sets)
    assert all(norm.max() < 0.4001 for norm in norms("limited", HEAD))
    assert all(norm.max() > 0.41 for norm in norms("limited", LAYERS[:-2]))
    train("all-limited", *sets, "model.regularize=all")
    assert all(norm.max() < 0.4001 for norm in norms("all-limited", LAYERS))
    train("frozen-limited", *sets, "model.regularize=all", "train.fine_tune=head")
    assert all(norm.max() < 0.4001 for norm in norms("frozen-limited", HEAD))
    assert all(norm.max() > 0.41 for norm in norms("frozen-limited", LAYERS[:-2]))


def test_ranks_that_share_a_batch_train_as_one():
    sets = ("train.lr=0.05", "train.epochs=2", "model.max_norm=0.4", "model.l2=0.01", "model.regularize=all")
    one, two = train("one", *sets), train("two", *sets, "ranks_per_trial=2", ranks=2)
    for name in ("loss", "val_loss", "test_loss"):
        assert math.isclose(float(one[name]), float(two[name]), rel_tol=1e-3), (name, one[name], two[name])


def test_limits_and_penalties_are_swept_in_one_group():
    job = JOB.replace("epochs: 1", "epochs: 1, fine_tune: head")
    write_job(job + "sweep: {parameters: {max_norm: [0, 0.5], l2: [0, 0.1]}}\n", "swept.yaml")
    assert "4 trials in 1 group" in run_ok("train", "swept.yaml", "--dry-run").stdout
    run_ok("train", "swept.yaml", "--out", "swept")
    assert len({trial["loss"] for trial in read_trials("swept")}) == 4


def test_what_does_not_fit_is_refused():
    for text, message in (("regularize: all", "model.regularize is set, but none of model.l1, model.l2 and model.max_norm is"),
                          ("regularize: some, l2: 1", "model.regularize"),
                          ("max_norm: -1", "model.max_norm is -1, outside 0 to")):
        done = run("train", write_job(JOB.replace("dense]}", f"dense], {text}}}")), "--out", "refused")
        assert done.returncode != 0 and message in done.stderr, done.stderr
        assert not os.path.exists(path("refused/journal.jsonl"))


run_tests(globals())
