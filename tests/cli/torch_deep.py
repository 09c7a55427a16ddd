# SPDX-License-Identifier: Apache-2.0
"""The network basenet_deep_bn in torch, and images on which rounding does not matter."""
import os

import h5py
import numpy as np
from PIL import Image
import torch
from torch import nn

from harness import path, run_ok


def make_noise():
    """Packs 42 train images, two batches of 16 and one of 10, of noise that is brighter in the channel of the class. Drawings have
    areas of one colour, whose pixels all cross the threshold of a ReLU together, so that rounding would matter."""
    rng = np.random.default_rng(4)
    for k in range(3):
        os.makedirs(path(f"noise/class{k}"))
        for i in range(20):
            pixels = rng.integers(0, 200, (32, 32, 3))
            pixels[:, :, k] += 40
            Image.fromarray(pixels.astype(np.uint8)).save(path(f"noise/class{k}/{i}.png"))
    run_ok("noise", "data.h5", program="cnnsweep-pack")


def read_weights(file):
    """{(layer, name): array}"""
    values = {}
    with h5py.File(path(file)) as opened:
        opened.visititems(lambda name, item: values.update({tuple(name.split(":")[0].split("/")[-2:]): item[:]}
                                                           if isinstance(item, h5py.Dataset) else {}))
    return values


class KerasBatchNorm(nn.BatchNorm2d):
    """The moving variance takes the biased variance."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        self.num_batches_tracked += 1
        part = 1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
        with torch.no_grad():
            self.running_mean.lerp_(x.mean((0, 2, 3)), part)
            self.running_var.lerp_(x.var((0, 2, 3), unbiased=False), part)
        return nn.functional.batch_norm(x, None, None, self.weight, self.bias, True, 0, self.eps)


class Net(nn.Module):
    """basenet_deep_bn in double, with weights that read_weights gave."""

    def __init__(self, initial):
        super().__init__()
        self.convs, self.norms, self.denses = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for (layer, name), value in sorted(initial.items()):
            if layer.startswith("conv2d") and name == "kernel":
                conv = nn.Conv2d(*value.shape[2:], value.shape[0], padding=value.shape[0] // 2)
                conv.weight.data = torch.tensor(value).permute(3, 2, 0, 1).contiguous()
                norm = KerasBatchNorm(value.shape[3], eps=1e-3, momentum=0.01)
                of_norm = layer.replace("conv2d", "batch_normalization")
                norm.running_mean = torch.tensor(initial[of_norm, "moving_mean"])
                norm.running_var = torch.tensor(initial[of_norm, "moving_variance"])
                self.convs.append(conv)
                self.norms.append(norm)
                conv.bias.data = torch.tensor(initial[layer, "bias"])
            elif layer.startswith("dense") and name == "kernel":
                dense = nn.Linear(*value.shape)
                dense.weight.data = torch.tensor(value).T.contiguous()
                dense.bias.data = torch.tensor(initial[layer, "bias"])
                self.denses.append(dense)
        self.double()

    def forward(self, x):
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            x = norm(conv(x)).relu()
            if i in (0, 1, 4):
                x = nn.functional.max_pool2d(x, 2)
        x = x.permute(0, 2, 3, 1).flatten(1)
        for dense in self.denses[:-1]:
            x = dense(x).relu()
        return self.denses[-1](x)

    def values(self):
        out = {}
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            of = lambda kind: kind + (f"_{i}" if i else "")  # noqa: E731
            out[of("conv2d"), "kernel"] = conv.weight.permute(2, 3, 1, 0)
            out[of("conv2d"), "bias"] = conv.bias
            for name, value in ("gamma", norm.weight), ("beta", norm.bias), ("moving_mean", norm.running_mean), (
                    "moving_variance", norm.running_var):
                out[of("batch_normalization"), name] = value
        for i, dense in enumerate(self.denses):
            out["dense" + (f"_{i}" if i else ""), "kernel"] = dense.weight.T
            out["dense" + (f"_{i}" if i else ""), "bias"] = dense.bias
        return {name: value.detach().numpy() for name, value in out.items()}


def read_split(split):
    with h5py.File(path("data.h5")) as file:
        images = torch.tensor(file[split]["images"][:].astype(np.float64) / 255).permute(0, 3, 1, 2)
        return images, torch.tensor(file[split]["label"][:]).long()


def loss_of(model, split):
    images, labels = read_split(split)
    with torch.no_grad():
        return nn.functional.cross_entropy(model(images), labels).item()
