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
# The largest relative error of a loss, and the largest error of a value as a part of the largest change of its tensor: in double
# precision, and in single precision for each network. In the deep one a rounding can move a value across the corner of a ReLU:
# these trainings by Keras itself in float32 are up to 2e-4 and 0.02 off from those in float64.
DOUBLE = (1e-5, 1e-5)
SINGLE = {"basenet": (1e-4, 1e-4), "basenet_deep_bn": (0.02, 0.2)}

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
    features = SMALL[arch](inputs)  # its layers get the first numbers in their names
    model = keras.Model(inputs, layers.Dense(units, activation=activation)(features))
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


def ours(device, case, arch, folder):
    _, head, _, _, l1, l2, limit = case
    words = [f"model.arch={arch}", f"model.head={head}", f"model.l1={l1}", f"model.l2={l2}", f"model.max_norm={limit}",
             "model.regularize=all", "train.optimizer=sgd", f"train.lr={LR}", f"train.momentum={MOMENTUM}", "train.dialect=keras"]
    subprocess.run([PROGRAMS / "train_steps", device, folder, *words], check=True)
    losses = np.array([float(line) for line in (folder / "losses.txt").read_text().split()])
    return losses, read_params(folder, "before.f32"), read_params(folder, "after.f32")


def compare(case, arch):
    """Prints a row for each device. A bias before a batch norm has no gradient but rounding, so that its change counts as at
    least a thousandth of the largest."""
    want, good = None, True
    for device in devices:
        with tempfile.TemporaryDirectory() as text:
            folder = pathlib.Path(text)
            losses, before, after = ours(device, case, arch, folder)
            want = want or of_keras(build(arch, *case[2:]), folder)
        of_loss = (np.abs(losses - want[0]) / np.abs(want[0])).max()
        changes = {key: np.abs(want[1][key] - before[key]).max() for key in before}
        scale = {key: max(change, 1e-3 * max(changes.values())) for key, change in changes.items()}
        of_value = max(np.abs(after[key] - want[1][key]).max() / scale[key] for key in before)
        print(f"| {case[0]} | {arch} | {device} | {of_loss:.1e} | {of_value:.1e} |", flush=True)
        bounds = DOUBLE if device == "ref" else SINGLE[arch]
        good = good and of_loss <= bounds[0] and of_value <= bounds[1]
    return good


devices = ["ref", "cpu"]
if HOST_PLUGIN.exists():
    devices.append("cuda")
    os.environ.setdefault("CNNSWEEP_CUDA_PLUGIN", str(HOST_PLUGIN))
good = [compare(case, arch) for case in CASES for arch in SINGLE]
print(f"{sum(good)} of {len(good)} agree")
sys.exit(0 if all(good) else 1)
