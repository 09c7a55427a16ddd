# SPDX-License-Identifier: Apache-2.0
"""A fine-tuning grid as it is usually written in PyTorch, made as fast as that allows: images in memory, frozen layers in eval
mode without gradients, channels last, the cells spread over processes of one thread. On a GPU (--device cuda) also with
automatic mixed precision in bf16, images copied as bytes, cuDNN's benchmark and a fused optimizer.

    python3 grid_torch.py --data isic.h5 --init init.h5 --alpha 0.25 --seed 1 --out cells.json [--processes 2]

MobileNet v1 with Keras' layers, so that a depth of N means model.layers[-N:] as in Keras; initial values, batches and
augmented pixels are those that cnnsweep makes from the same seed (Philox4x32-10), so that accuracies can be compared."""
import argparse
import json
import time
from multiprocessing import get_context

import h5py
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

DEPTHS = [2, 4, 6, 8, 10]
AUGMENTS = {"none": (False, None), "flip_hv": (True, None), "brightness": (False, (0.5, 0.7)),
            "flip_hv_brightness": (True, (0.5, 0.7))}
SHUFFLE, AUGMENT = 2, 3  # purposes of Philox streams


def philox(seed, purpose, epoch, items, block):
    """Four words of each stream: [4, len(items)] uint32."""
    c = [np.full(len(items), block, np.uint64), np.asarray(items, np.uint64), np.full(len(items), epoch, np.uint64),
         np.full(len(items), purpose, np.uint64)]
    k = [seed & 0xFFFFFFFF, seed >> 32]
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> shift) ^ c[1] ^ np.uint64(k[0]), p1 & low, (p0 >> shift) ^ c[3] ^ np.uint64(k[1]), p0 & low]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(c).astype(np.uint32)


def permutation(seed, epoch, n):
    """The shuffle of Fisher and Yates with Lemire's draw below i, without its rejection (1 in 10^7 at these sizes)."""
    words = np.concatenate([philox(seed, SHUFFLE, epoch, [0], block)[:, 0] for block in range((n + 3) // 4)])
    order = np.arange(n)
    for i, word in zip(range(n, 1, -1), words):
        j = int(word) * i >> 32
        order[i - 1], order[j] = order[j], order[i - 1]
    return order


def draws(rule, seed, epoch, samples):
    """A number in [0, 1) for each sample, from the rule's stream: its name's FNV-1a hash is added to the seed's upper half."""
    name = 2166136261
    for byte in rule.encode():
        name = (name ^ byte) * 16777619 & 0xFFFFFFFF
    words = philox(seed + (name << 32) & 0xFFFFFFFFFFFFFFFF, AUGMENT, epoch, samples, 0)
    return ((words[0] >> np.uint32(8)).astype(np.float32) * np.float32(2**-24))[:, None, None, None]


def augmented(pixels, samples, seed, epoch, flips, brightness):
    """A batch, uint8 [N,H,W,3], augmented as by Keras' ImageDataGenerator."""
    pixels = pixels[samples]
    if flips:
        pixels = np.where(draws("horizontal_flip", seed, epoch, samples) < 0.5, pixels[:, :, ::-1], pixels)
        pixels = np.where(draws("vertical_flip", seed, epoch, samples) < 0.5, pixels[:, ::-1], pixels)
    if brightness:
        low, high = map(np.float32, brightness)
        factor = low + (high - low) * draws("brightness_range", seed, epoch, samples)
        pixels = np.minimum(pixels.astype(np.float32) * factor, 255).astype(np.uint8)
    return pixels


class PadAfter(nn.Module):
    """Keras' ZeroPadding2D(((0, 1), (0, 1)))."""

    def forward(self, x):
        return F.pad(x, (0, 1, 0, 1))


def mobilenet(alpha, classes):
    """[(Keras layer name or "", module)] in the order of Keras' model.layers; the last two are what "gap, dense" adds."""
    layers, channels = [], 3

    def convolution(name, filters, kernel, stride, groups=1):
        nonlocal channels
        if stride == 2 and kernel == 3:
            layers.append(("", PadAfter()))
        padding = 0 if stride == 2 else kernel // 2
        layers.append((name, nn.Conv2d(channels, filters, kernel, stride, padding, groups=groups, bias=False)))
        layers.append((f"{name}_bn", nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01)))
        layers.append(("", nn.ReLU6(inplace=True)))
        channels = filters

    convolution("conv1", int(32 * alpha), 3, 2)
    blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
    for i, (filters, stride) in enumerate(blocks, 1):
        convolution(f"conv_dw_{i}", channels, 3, stride, channels)
        convolution(f"conv_pw_{i}", int(filters * alpha), 1, 1)
    return layers + [("", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())), ("dense", nn.Linear(channels, classes))]


def load(layers, path):
    def put(tensor, values):
        tensor.data.copy_(torch.from_numpy(np.ascontiguousarray(values)))

    with h5py.File(path) as file:
        for name, module in layers:
            if not name:
                continue
            values = {key.split("/")[-1].split(":")[0]: file[name][key][()]
                      for key in (k.decode() if isinstance(k, bytes) else k for k in file[name].attrs["weight_names"])}
            if isinstance(module, nn.BatchNorm2d):
                for tensor, key in ((module.weight, "gamma"), (module.bias, "beta"), (module.running_mean, "moving_mean"),
                                    (module.running_var, "moving_variance")):
                    put(tensor, values[key])
            elif isinstance(module, nn.Linear):
                put(module.weight, values["kernel"].T)
                put(module.bias, values["bias"])
            elif "depthwise_kernel" in values:
                put(module.weight, values["depthwise_kernel"].transpose(2, 3, 0, 1))
            else:
                put(module.weight, values["kernel"].transpose(3, 2, 0, 1))


def split_frozen(layers, depth):
    """(the frozen layers, which run without gradients; the layers that train: model.layers[-depth:])"""
    frozen = nn.Sequential(*(module for _, module in layers[:-depth])).eval()
    for parameter in frozen.parameters():
        parameter.requires_grad_(False)
    return frozen, nn.Sequential(*(module for _, module in layers[-depth:]))


def to_input(pixels, device):
    return torch.from_numpy(np.ascontiguousarray(pixels)).to(device).permute(0, 3, 1, 2).to(
        dtype=torch.float32, memory_format=torch.channels_last).div_(127.5).sub_(1)


def mixed(options):
    return torch.autocast(options.device, torch.bfloat16, enabled=options.precision == "bf16")


def evaluate(options, frozen, tail, images, labels):
    tail.eval()
    right = loss = torch.zeros((), device=options.device)
    with torch.no_grad(), mixed(options):
        for i in range(0, len(images), options.batch):
            logits = tail(frozen(images[i:i + options.batch]))
            loss = loss + F.cross_entropy(logits, labels[i:i + options.batch], reduction="sum")
            right = right + (logits.argmax(1) == labels[i:i + options.batch]).sum()
    return right.item() / len(images), loss.item() / len(images)


def run_cell(job):
    options, augment, depth = job
    device = torch.device(options.device)
    torch.set_num_threads(1)
    torch.backends.cudnn.benchmark = True
    flips, brightness = AUGMENTS[augment]
    with h5py.File(options.data) as file:
        split = {name: (file[name]["images"][()], torch.from_numpy(file[name]["label"][()].astype(np.int64)).to(device))
                 for name in ("train", "val", "test")}
    layers = mobilenet(options.alpha, 2)
    load(layers, options.init)
    frozen, tail = (part.to(device, memory_format=torch.channels_last) for part in split_frozen(layers, depth))
    optimizer = torch.optim.Adam(tail.parameters(), lr=options.lr, eps=1e-7, **({"fused": True} if device.type == "cuda" else {}))
    pixels, labels = split["train"]
    splits = {name: (to_input(split[name][0], device), split[name][1]) for name in ("val", "test")}
    for epoch in range(options.epochs):
        order = permutation(options.seed, epoch, len(pixels))
        tail.train()
        for i in range(0, len(order), options.batch):
            samples = order[i:i + options.batch]
            images = to_input(augmented(pixels, samples, options.seed, epoch, flips, brightness), device)
            with mixed(options):
                with torch.no_grad():
                    taken = frozen(images)
                loss = F.cross_entropy(tail(taken), labels[torch.from_numpy(samples).to(device)])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        val_accuracy, val_loss = evaluate(options, frozen, tail, *splits["val"])
    test_accuracy, test_loss = evaluate(options, frozen, tail, *splits["test"])
    return {"augment": augment, "fine_tune": depth, "val_accuracy": val_accuracy, "val_loss": val_loss,
            "test_accuracy": test_accuracy, "test_loss": test_loss}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--init", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--alpha", type=float, default=1)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--cells", type=int, default=len(DEPTHS) * len(AUGMENTS), help="trains only so many of the first cells")
    options = parser.parse_args()
    jobs = [(options, augment, depth) for augment in AUGMENTS for depth in reversed(DEPTHS)][:options.cells]
    begun = time.time()
    with get_context("fork").Pool(options.processes) as pool:
        cells = pool.map(run_cell, jobs, chunksize=1)
    with open(options.out, "w") as file:
        json.dump({"torch": torch.__version__, "seconds": time.time() - begun, "cells": cells}, file)


if __name__ == "__main__":
    main()
