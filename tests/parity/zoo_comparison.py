# SPDX-License-Identifier: Apache-2.0
"""Shared by the comparisons of whole networks with Keras and torch: one batch in a folder, a run of zoo_step on it, and the
comparison of the results."""
import json
import os
import pathlib
import struct
import subprocess

import numpy as np

PROGRAM = pathlib.Path(os.environ["CNNSWEEP_BIN"]).parent / "tests" / "zoo_step"
BATCH, CLASSES = 4, 5
FEATURES_BOUND, GRADIENT_BOUND = 1e-4, 1e-3


def avoid_corners(role, values, scaled=True):
    """Values for a batch norm that keep activations away from the corners of a ReLU. Among a million activations some would lie
    so near a corner that two engines round them to different sides, and one of those in an early layer changes a gradient by
    percents. So two channels of three are well above 0, and below 6, and the third is below 0."""
    if role == "gamma":
        return values / 2
    distance = 2 if scaled else 4  # a batch norm without gamma spreads twice as far
    return np.where(np.arange(values.size) % 3 == 0, -distance, distance).astype(np.float32)


BATCHES = 20


def on_some_batch(check):
    """check(seed) holds for one of up to twenty batches. Where the two largest values of a max-pool's window differ by less
    than a rounding error, the two engines may choose different elements, and gradients before that layer change by percents.
    That happens on every other batch of Xception, whose last pools have hundreds of channels. A fault shows on every batch."""
    return any(check(seed) for seed in range(BATCHES))


def make_batch(folder, seed, h, w, preprocess):
    rng = np.random.default_rng(seed)
    images = preprocess(rng.integers(0, 256, (BATCH, h, w, 3)).astype(np.float32))
    labels = rng.integers(0, CLASSES, BATCH).astype(np.int32)
    np.ascontiguousarray(images, np.float32).tofile(folder / "images.f32")
    labels.tofile(folder / "labels.i32")
    return images, labels


def zoo_step(folder, arch, dialect, head, alpha, h, w, weights):
    command = [PROGRAM, "auto", arch, dialect, head, alpha, f"{h}x{w}", folder, *weights]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    assert done.returncode == 0, f"zoo_step: {done.returncode} {done.stderr}"


def read_safetensors(path):
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + size])
    header.pop("__metadata__", None)
    body = raw[8 + size :]
    types = {"F32": np.float32, "I64": np.int64}
    return {
        name: np.frombuffer(body[t["data_offsets"][0] : t["data_offsets"][1]], types[t["dtype"]]).reshape(t["shape"])
        for name, t in header.items()
    }


def error(got, want, floor=0.0):
    """The largest difference, divided by the largest value."""
    return np.abs(got.astype(np.float64) - want).max() / max(np.abs(want).max(), floor)


def compare(folder, name, features, probabilities, gradients):
    """Prints the errors of zoo_step's results, compared with those of the other framework; True when all are within their
    bounds. gradients: {name as in our file: array}. Where the terms of a gradient nearly cancel, the error is divided by a
    thousandth of the largest gradient, and the gradient must still resemble the other framework's. The gradient of a bias
    before a batch norm is nothing but rounding error."""
    ours = np.fromfile(folder / "features.f32", np.float32).reshape(features.shape)
    forward = error(ours, features)
    head = error(np.fromfile(folder / "probabilities.f32", np.float32).reshape(probabilities.shape), probabilities)
    got = read_safetensors(folder / "gradient.safetensors")
    missing = gradients.keys() - got.keys()
    assert not missing, f"{name}: no gradient for {sorted(missing)[:5]}"
    largest = max(np.abs(g).max() for g in gradients.values())
    backward, worst = max((error(got[k], g, largest / 1e3), k) for k, g in gradients.items())
    unlike = [k for k, g in gradients.items() if np.abs(g).max() > 1e-6 * largest and error(got[k], g) > 0.1]
    good = forward < FEATURES_BOUND and head < FEATURES_BOUND and backward < GRADIENT_BOUND and not unlike
    print(f"{'ok  ' if good else 'FAIL'} {name}: features {forward:.1e}, probabilities {head:.1e}, "
          f"gradients {backward:.1e} ({worst}, {len(gradients)} parameters){' unlike: ' if unlike else ''}{unlike[:3] or ''}", flush=True)
    return good
