# SPDX-License-Identifier: Apache-2.0
"""Shared by the comparisons of optimizers with Keras and torch: runs optimizer_steps, and compares what it gives with what a
function of the reference gives from the same values and gradients."""
import os
import pathlib
import subprocess
import tempfile

import numpy as np

PROGRAM = pathlib.Path(os.environ["CNNSWEEP_BIN"]).parent / "tests" / "optimizer_steps"
STEPS = 20
# The largest error of a value, divided by the largest change of its tensor. The reference engine computes in double, and the
# values are read as floats, so that nothing but their rounding is left.
BOUNDS = {"ref": 1e-6, "cpu": 1e-3, "cuda": 1e-3}
DEVICES = ["ref", "cpu"]
HOST_PLUGIN = PROGRAM.parent / "libcnnsweep_cuda_host.so"
if HOST_PLUGIN.exists():
    DEVICES.append("cuda")
    os.environ.setdefault("CNNSWEEP_CUDA_PLUGIN", str(HOST_PLUGIN))


class Tensor:
    def __init__(self, layer, role, trained, before, gradients):
        self.layer, self.role, self.trained = layer, role, trained
        self.before, self.gradients = before, gradients
        self.is_kernel = role in ("kernel", "depthwise_kernel", "pointwise_kernel")


# Factors of the learning rate by part of the network of optimizer_steps, and what they are for each trained layer: the fourth
# and the fifth of its convolutions, each with a batch norm, which are blocks 4 and 5, the two dense layers of block 6, and the
# head.
LR_MULT = {
    "decay:0.75": {"conv2d_3": 0.75**3, "batch_normalization_3": 0.75**3, "conv2d_4": 0.75**2,
                   "batch_normalization_4": 0.75**2, "dense": 0.75, "dense_1": 0.75, "dense_2": 1},
    "head:3,blocks:0.1,conv2d_4:0.5,4:0": {"conv2d_3": 0, "batch_normalization_3": 0, "conv2d_4": 0.5,
                                           "batch_normalization_4": 0.1, "dense": 0.1, "dense_1": 0.1, "dense_2": 3},
}


def run(device, options, folder):
    """[Tensor], the values after the last step [one array a tensor], and the averages or None."""
    words = [f"{'' if '.' in key else 'train.'}{key}={value}" for key, value in options.items()]
    subprocess.run([PROGRAM, device, folder, str(STEPS), *words], check=True)
    folder = pathlib.Path(folder)

    def values(name):
        return np.fromfile(folder / name, np.float32).astype(np.float64)

    before, gradients, after = values("before.f32"), values("gradients.f32"), values("after.f32")
    gradients = gradients.reshape(STEPS, before.size)
    average = values("average.f32") if (folder / "average.f32").exists() else None
    tensors, results, averages, at = [], [], [], 0
    for line in (folder / "params.txt").read_text().splitlines():
        layer, role, trained, *dims = line.split()
        dims = [int(d) for d in dims]
        part = slice(at, at + int(np.prod(dims)))
        at = part.stop
        tensors.append(Tensor(layer, role, trained == "1", before[part].reshape(dims),
                              gradients[:, part].reshape(STEPS, *dims)))
        results.append(after[part].reshape(dims))
        averages.append(None if average is None else average[part].reshape(dims))
    return tensors, results, averages


def error(device, tensor, got, want):
    """The largest error, as a part of the largest change, beyond what rounding to float32 explains: once where the engine
    computes in double, else at every step."""
    change = np.abs(want - tensor.before).max()
    rounding = np.abs(want) * 2.0**-24 * (1 if device == "ref" else STEPS)
    wrong = np.maximum(np.abs(got - want) - rounding, 0).max()
    return wrong / change if change > 0 else wrong


def compare(name, device, at, want, want_average, tensors, results, averages):
    """Prints the largest error, and returns whether it is small enough. `at` are the trained tensors."""
    largest = max(error(device, tensors[i], results[i], value) for i, value in zip(at, want))
    if want_average is not None:
        largest = max(largest, *(error(device, tensors[i], averages[i], value) for i, value in zip(at, want_average)))
    for i, tensor in enumerate(tensors):
        assert tensor.trained or np.array_equal(results[i], tensor.before), f"{tensor.layer} {tensor.role} moved"
    print(f"{device:5} {name:44} {largest:.1e}{'' if largest <= BOUNDS[device] else '   TOO LARGE'}")
    return largest <= BOUNDS[device]


def compare_all(cases, reference):
    """cases: (name, options, arguments of the reference); reference(trained tensors, ...) -> (values, averages or None), in
    their order. True if all agree on all devices."""
    good = []
    for name, options, *arguments in cases:
        want = None
        for device in DEVICES:
            with tempfile.TemporaryDirectory() as folder:
                tensors, results, averages = run(device, options, folder)
            at = [i for i, tensor in enumerate(tensors) if tensor.trained]
            want = want or reference([tensors[i] for i in at], *arguments)
            good.append(compare(name, device, at, *want, tensors, results, averages))
    print(f"{sum(good)} of {len(good)} agree after {STEPS} updates")
    return all(good)
