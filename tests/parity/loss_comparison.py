# SPDX-License-Identifier: Apache-2.0
"""Shared by the comparisons of losses with Keras and torch: random batches, and what the engines make of them."""
import os
import pathlib
import tempfile

import numpy as np

from schedule_cases import PROGRAMS, run_program

# The largest error of the loss, relative, and of a gradient, as a part of the largest one.
BOUNDS = {"ref": 1e-6, "cpu": 1e-5, "cuda": 1e-5}
DEVICES = ["ref", "cpu"]
HOST_PLUGIN = PROGRAMS / "libcnnsweep_cuda_host.so"
if HOST_PLUGIN.exists():
    DEVICES.append("cuda")
    os.environ.setdefault("CNNSWEEP_CUDA_PLUGIN", str(HOST_PLUGIN))


class Batch:
    """Logits [n,K], labels [n] in which classes are unequally frequent, and targets [n,K], which are mixed or one-hot. A binary
    head has logits [n,1], and K is 2."""

    def __init__(self, seed, rows, classes, mixed, spread, binary=False):
        rng = np.random.default_rng(seed)
        self.rows, self.classes, self.mixed = rows, classes, mixed
        self.outputs = 1 if binary else classes
        self.logits = rng.normal(0, spread, (rows, self.outputs)).astype(np.float32)
        self.labels = np.minimum(rng.geometric(0.4, rows) - 1, classes - 1).astype(np.int32)
        self.targets = np.eye(classes, dtype=np.float32)[self.labels]
        if mixed:
            part = rng.beta(0.4, 0.4, (rows, 1)).astype(np.float32)
            self.targets = part * self.targets + (1 - part) * self.targets[::-1]
            self.labels = self.targets.argmax(1).astype(np.int32)
        self.weights = np.round(rng.gamma(1, 1, rows), 2).astype(np.float32)  # some of them 0
        self.weights[0] = 1.5

    def write(self, folder):
        self.weights.tofile(folder / "weights.f32")
        self.logits.tofile(folder / "logits.f32")
        self.labels.tofile(folder / "labels.i32")
        if self.mixed:
            self.targets.tofile(folder / "soft.f32")


def ours(device, batch, settings):
    """The mean loss of a batch of training, its gradient with respect to the logits, and the mean loss in validation. If a
    penalty is set, the gradient is that with respect to the kernel [K,K]."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        batch.write(folder)
        penalties = [f"model.{key}={settings[key]}" for key in ("l1", "l2") if key in settings]
        options = {key: value for key, value in settings.items() if key not in ("l1", "l2")}
        line, = run_program("loss_values", [((device, folder, batch.rows, batch.outputs, *penalties), options)])
        file = "kernel.f32" if penalties else "gradient.f32"
        gradient = np.fromfile(folder / file, np.float32).reshape(-1, batch.outputs)
    training, validation = map(float, line.split())
    return training, gradient.astype(np.float64), validation


def class_weights(batch):
    """The weight of each class, some of them 0 or 1."""
    return [(0.25, 3, 1, 0, 7.5)[k % 5] for k in range(batch.classes)]


def batches(spread, binary):
    sizes = [(1, 2), (7, 2), (32, 2), (33, 2)] if binary else [(1, 2), (7, 3), (32, 10), (33, 37)]
    for seed, (rows, classes) in enumerate(sizes):
        for mixed in (False, True):
            yield Batch(seed, rows, classes, mixed, spread, binary)


def compare_all(name, dialect, cases, spread=4, binary=False):
    """cases: [(settings of a batch, reference)], reference(batch) -> the three values of ours(). Prints a row for each device."""
    losses, gradients, compared = dict.fromkeys(DEVICES, 0), dict.fromkeys(DEVICES, 0), 0
    for settings, reference in cases:
        for batch in batches(spread, binary):
            want, slopes, want_val = reference(batch)
            compared += 1
            for device in DEVICES:
                loss, gradient, val = ours(device, batch, settings(batch))
                for got, value in (loss, want), (val, want_val):
                    losses[device] = np.maximum(losses[device], abs(got - value) / max(abs(value), 1e-3))
                error = np.abs(gradient - slopes).max() / max(np.abs(slopes).max(), 1e-3)
                gradients[device] = np.maximum(gradients[device], error)
    for device in DEVICES:
        print(f"| {name} | {dialect} | {device} | {compared} | {losses[device]:.1e} | {gradients[device]:.1e} |")
        assert compared and losses[device] < BOUNDS[device] and gradients[device] < BOUNDS[device], f"{name} on {device}"
