# SPDX-License-Identifier: Apache-2.0
"""Grouping and the cache change no bit where a network ends in single pixels: MobileNet at 50 px in batches of 32, where
the products of rows and kernels are largest. Without AVX-512 these products once summed the last rows of a batch in
another order than the others. The trained weights are compared, as they keep what a table rounds away."""
import os

import h5py

from harness import path, run_ok, write_job

# This job only writes its initial weights.
BEGINNING = """name: beginning
data: {path: data.h5}
model: {arch: mobilenet, alpha: 0.25, head: [gap, dense]}
threads: 1
train: {epochs: 1, batch: 32, seed: 1, save_weights: h5, fine_tune: head}
"""
JOB = """name: pixels
data: {path: data.h5}
model: {arch: mobilenet, alpha: 0.25, head: [gap, dense], weights: weights.h5}
threads: 1
train: {epochs: 2, batch: 32, lr: 0.01, seed: 2, save_weights: safetensors}
sweep:
  parameters:
    fine_tune: [head, 4, 10]
    augment: [none, flip]
augmentations: {flip: {horizontal_flip: true}}
"""


def write_weights():
    """Writes weights.h5: initial weights, but batch norms with a variance so small that the differences between images grow on
    the way to the single pixels; with the initial variance hardly any difference reaches them."""
    run_ok("train", write_job(BEGINNING, "beginning.yaml"), "--out", "beginning")
    os.rename(path("beginning/weights/t000.h5"), path("weights.h5"))
    variances = []
    with h5py.File(path("weights.h5"), "r+") as file:
        file.visit(lambda name: variances.append(name) if "moving_variance" in name else None)
        for name in variances:
            file[name][...] *= 0.1
    assert variances


def train(out, *arguments):
    """The trained weights of each trial."""
    run_ok("train", "job.yaml", "--out", out, *arguments)
    folder = path(f"{out}/weights")
    return {name: open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder))}


run_ok("--classes", "3", "--per-class", "60", "--size", "50x50", "drawn", program="cnnsweep-synthetic")
run_ok("drawn", "data.h5", program="cnnsweep-pack")
write_weights()
write_job(JOB)
shared, apart = train("shared"), train("apart", "--set", "group=false", "--set", "cache=off")
assert len(shared) == 6 and len(set(shared.values())) == 6, "trials that differ must give different weights"
differ = [name for name, weights in shared.items() if weights != apart[name]]
assert not differ, f"these weights depend on how the sweep was run: {differ}"
print("ok grouped with a cache, and alone without")
