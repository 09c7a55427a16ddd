# SPDX-License-Identifier: Apache-2.0
"""Twenty training steps of MobileNet agree with those of PyTorch in float64 from the same values on the same batches: every
loss, and every parameter and moving statistic at the end. This script's network follows the paper and Keras' conventions."""
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

try:
    import torch
    import torch.nn.functional as F
except ImportError as missing:
    print(f"{missing}; install python3-torch: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)

PROGRAM = pathlib.Path(os.environ["CNNSWEEP_BIN"]).parent / "tests" / "loss_curve"
STEPS, BATCHES, BATCH, SIZE = 20, 2, 8, 64


def f32(value):
    """The value of a setting of ours, which is a float: so only the arithmetic differs."""
    return float(np.float32(value))


EPSILON, MOMENTUM = f32(1e-3), f32(0.99)
STRIDES = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]

# {(device, optimizer): (largest relative error of a loss, largest relative error of the change of a parameter tensor)}. The ref
# engine computes in double. In single precision a rounding that moves one value across the corner of a ReLU makes a visible
# difference: PyTorch's own float32 is within 0.01 of its float64.
TOLERANCE = {
    ("ref", "sgd"): (1e-6, 1e-3),
    ("ref", "adam"): (1e-6, 1e-3),
    ("cpu", "sgd"): (0.02, 0.2),
    ("cpu", "adam"): (0.02, 0.2),
}


def read_params(folder, name):
    """{(layer, role): array} of one of the files; the arrays have our layouts."""
    values = np.fromfile(folder / name, np.float32).astype(np.float64)
    params, at = {}, 0
    for line in (folder / "params.txt").read_text().splitlines():
        layer, role, *dims = line.split()
        dims = [int(d) for d in dims]
        count = int(np.prod(dims))
        params[layer, role] = values[at : at + count].reshape(dims)
        at += count
    assert at == values.size
    return params


def to_torch(role, array, depthwise):
    if array.ndim == 4:
        return array.transpose(2, 3, 0, 1) if depthwise else array.transpose(3, 2, 0, 1)
    return array.T if array.ndim == 2 else array


def same_pad(x, stride):
    """TensorFlow's "same" for a 3x3 window: at stride 2 on an even size the excess row and column are at the end."""
    return F.pad(x, (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1))


class MobileNet:
    def __init__(self, params):
        self.values = {
            (layer, role): torch.tensor(to_torch(role, array, "conv_dw" in layer).copy())
            for (layer, role), array in params.items()
        }
        self.trained = [v.requires_grad_() for (_, role), v in self.values.items() if not role.startswith("moving")]

    def norm_relu(self, x, layer):
        mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
        for role, batch in (("moving_mean", mean), ("moving_variance", variance)):
            self.values[layer, role].mul_(MOMENTUM).add_(batch.detach() * (1 - MOMENTUM))
        x = (x - mean[:, None, None]) / torch.sqrt(variance + EPSILON)[:, None, None]
        x = x * self.values[layer, "gamma"][:, None, None] + self.values[layer, "beta"][:, None, None]
        return x.clamp(0, 6)

    def __call__(self, x):
        x = F.conv2d(same_pad(x, 2), self.values["conv1", "kernel"], stride=2)
        x = self.norm_relu(x, "conv1_bn")
        for i, stride in enumerate(STRIDES, 1):
            kernel = self.values[f"conv_dw_{i}", "kernel"]
            x = F.conv2d(same_pad(x, stride), kernel, stride=stride, groups=x.shape[1])
            x = self.norm_relu(x, f"conv_dw_{i}_bn")
            x = F.conv2d(x, self.values[f"conv_pw_{i}", "kernel"])
            x = self.norm_relu(x, f"conv_pw_{i}_bn")
        return F.linear(x.mean((2, 3)), self.values["dense", "kernel"], self.values["dense", "bias"])


def make_optimizer(name, params):
    if name == "sgd":
        return torch.optim.SGD(params, lr=f32(1e-6), momentum=f32(0.9), nesterov=True)
    return torch.optim.Adam(params, lr=f32(1e-5), betas=(f32(0.9), f32(0.999)))


def train(folder, name):
    images = np.fromfile(folder / "images.f32", np.float32).reshape(BATCHES, BATCH, SIZE, SIZE, 3)
    labels = np.fromfile(folder / "labels.i32", np.int32).reshape(BATCHES, BATCH)
    net = MobileNet(read_params(folder, "before.f32"))
    optimizer = make_optimizer(name, net.trained)
    losses = []
    for step in range(STEPS):
        x = torch.tensor(images[step % BATCHES].transpose(0, 3, 1, 2).astype(np.float64))
        loss = F.cross_entropy(net(x), torch.tensor(labels[step % BATCHES].astype(np.int64)))
        optimizer.zero_grad()
        loss.backward()
        if name == "adam":  # Keras adds epsilon before it corrects the second moment, torch after
            optimizer.param_groups[0]["eps"] = f32(1e-7) / np.sqrt(1 - f32(0.999) ** (step + 1))
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses), net


def run(device, name, folder):
    folder.mkdir()
    subprocess.run([PROGRAM, device, name, folder], check=True)
    return np.loadtxt(folder / "losses.txt"), read_params(folder, "before.f32"), read_params(folder, "after.f32")


def compare(device, name, run, wanted, net):
    seen, before, after = run
    loss_error = np.max(np.abs(seen - wanted) / wanted)
    errors = []
    for (layer, role), array in after.items():
        start, end = (to_torch(role, a, "conv_dw" in layer) for a in (before[layer, role], array))
        right = net.values[layer, role].detach().numpy()
        rounding = np.linalg.norm(right) * 2.0**-24 * (1 if device == "ref" else STEPS)  # of the values, as float32
        error = max(0, np.linalg.norm(end - right) - rounding) / np.linalg.norm(right - start)
        errors.append((error, layer + "/" + role))
    param_error, worst = max(errors)
    loss_limit, param_limit = TOLERANCE[device, name]
    good = seen.shape == (STEPS,) and loss_error <= loss_limit and param_error <= param_limit
    print(f"{device} {name}: loss {seen[0]:.4f} -> {seen[-1]:.4f}, relative error {loss_error:.2g} (limit {loss_limit:g}); "
          f"changes {param_error:.2g} in {worst} (limit {param_limit:g}): {'ok' if good else 'WRONG'}", flush=True)
    return good


def main():
    torch.set_num_threads(1)  # the cores may be shared; waiting threads would spin
    good = True
    for name in ("sgd", "adam"):
        with tempfile.TemporaryDirectory() as folder:
            runs = {device: run(device, name, pathlib.Path(folder) / device) for device in ("ref", "cpu")}
            wanted, net = train(pathlib.Path(folder) / "ref", name)
        for device in runs:
            good = compare(device, name, runs[device], wanted, net) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
