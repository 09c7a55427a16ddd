# SPDX-License-Identifier: Apache-2.0
"""Twenty training steps of a network with a binary head, penalties and largest norms of all kernels agree with those of the real
Keras in double: every loss, and every parameter at the end. CNNSWEEP_KERAS_PYTHON names a Python that has tensorflow."""
import os
import pathlib
import subprocess
import sys
import tempfile

import inside_keras

inside_keras.enter()

import keras
import numpy as np
from keras import layers

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from small_nets import SMALL

keras.config.set_floatx("float64")
PROGRAMS = pathlib.Path(os.environ["CNNSWEEP_BIN"]).parent / "tests"
HOST_PLUGIN = PROGRAMS / "libcnnsweep_cuda_host.so"
STEPS, SIZE, LR, MOMENTUM = 20, 32, 0.01, 0.9
# {device: (largest relative error of a loss, largest error of a value as a part of the largest change of its tensor)}
BOUNDS = {"ref": (1e-6, 1e-5), "cpu": (1e-4, 1e-2), "cuda": (1e-4, 1e-2)}

# name, head of ours, units and activation of Keras', l1, l2, largest norm
CASES = [
    ("binary head", "dense:1:sigmoid", 1, "sigmoid", 0, 0, 0),
    ("binary head, l1_l2, max_norm", "dense:1:sigmoid", 1, "sigmoid", 1e-4, 1e-3, 0.75),
    ("softmax head, l1_l2", "dense", 2, "softmax", 1e-4, 1e-3, 0),
    ("softmax head, max_norm", "dense", 2, "softmax", 0, 0, 0.5),
]


def read_params(folder, name):
    """{(layer, role): array} of one of the files."""
    values, params, at = np.fromfile(folder / name, np.float32).astype(np.float64), {}, 0
    for line in (folder / "params.txt").read_text().splitlines():
        layer, role, *dims = line.split()
        count = int(np.prod([int(d) for d in dims]))
        params[layer, role] = values[at:at + count].reshape([int(d) for d in dims])
        at += count
    return params


def build(arch, units, activation, l1, l2, limit):
    keras.backend.clear_session()
    inputs = layers.Input((SIZE, SIZE, 3))
    model = keras.Model(inputs, layers.Dense(units, activation=activation)(SMALL[arch](inputs)))
    for variable in model.trainable_variables:
        if variable.name == "kernel":
            variable.regularizer = keras.regularizers.L1L2(l1, l2)
            variable.constraint = keras.constraints.MaxNorm(limit, list(range(len(variable.shape) - 1))) if limit else None
    loss = "binary_crossentropy" if units == 1 else "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.SGD(LR, MOMENTUM), loss)
    return model


def of_keras(model, folder):
    """The losses, and {(layer, role): value} after the last step."""
    for (layer, role), value in read_params(folder, "before.f32").items():
        next(v for v in model.get_layer(layer).weights if v.name == role).assign(value)
    images = np.fromfile(folder / "images.f32", np.float32).reshape(-1, SIZE, SIZE, 3).astype(np.float64)
    labels = np.fromfile(folder / "labels.i32", np.int32)
    losses = [float(np.atleast_1d(model.train_on_batch(images, labels))[0])]
    for _ in range(STEPS - 1):
        model.reset_metrics()
        losses.append(float(np.atleast_1d(model.train_on_batch(images, labels))[0]))
    return losses, {(layer.name, v.name): keras.ops.convert_to_numpy(v) for layer in model.layers for v in layer.weights}


def compare(device, case, arch):
    name, head, units, activation, l1, l2, limit = case
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        words = [f"model.arch={arch}", f"model.head={head}", f"model.l1={l1}", f"model.l2={l2}", f"model.max_norm={limit}",
                 "model.regularize=all", "train.optimizer=sgd", f"train.lr={LR}", f"train.momentum={MOMENTUM}",
                 "train.dialect=keras"]
        subprocess.run([PROGRAMS / "train_steps", device, folder, *words], check=True)
        before, after = read_params(folder, "before.f32"), read_params(folder, "after.f32")
        losses = np.array([float(line) for line in (folder / "losses.txt").read_text().split()])
        want_losses, want = of_keras(build(arch, units, activation, l1, l2, limit), folder)
    of_loss = (np.abs(losses - want_losses) / np.abs(want_losses)).max()
    of_value = max((np.maximum(np.abs(after[key] - want[key]) - np.abs(want[key]) * 2.0**-24, 0).max()
                    / np.abs(want[key] - before[key]).max()) for key in after)
    print(f"| {name} | {arch} | {device} | {of_loss:.1e} | {of_value:.1e} |")
    return of_loss <= BOUNDS[device][0] and of_value <= BOUNDS[device][1]


devices = ["ref", "cpu"]
if HOST_PLUGIN.exists():
    devices.append("cuda")
    os.environ.setdefault("CNNSWEEP_CUDA_PLUGIN", str(HOST_PLUGIN))
good = [compare(device, case, arch) for case in CASES for arch in ("basenet", "basenet_deep_bn") for device in devices]
print(f"{sum(good)} of {len(good)} agree")
sys.exit(0 if all(good) else 1)
