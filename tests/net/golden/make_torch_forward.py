#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes torch_forward.txt: what torchvision's networks compute with weights and an image made by formulas, in double.

Needs torchvision (python3-torchvision). Run it when the zoo changes; a test repeats the formulas and compares.
    python3 make_torch_forward.py > torch_forward.txt

    forward ARCH ALPHA H W GAIN COUNT SUM NORM VALUES...   of the last feature map [H,W,C] in this order: how many
                                                          values, their sum, their L2 norm, the first ones
    logits ARCH ALPHA H W GAIN COUNT SUM NORM VALUES...    the same for the published classifier

Weights and image come from formulas.py; the image is normalized as the published weights want it.
"""
import formulas
import numpy as np
import torch
import torchvision
from torchvision.models.feature_extraction import create_feature_extractor

FIRST = 8
CLASSES = 10
ROLES = {"running_mean": "moving_mean", "running_var": "moving_variance"}


def role_of(module, name):
    if isinstance(module, torch.nn.BatchNorm2d):
        return ROLES.get(name) or {"weight": "gamma", "bias": "beta"}[name]
    return {"weight": "kernel", "bias": "bias"}[name]


def to_ours(module, name):
    """The order of torch's dimensions that gives HWIO, HWC1 or IO."""
    if name != "weight" or isinstance(module, torch.nn.BatchNorm2d):
        return (0,)
    if isinstance(module, torch.nn.Linear):
        return (1, 0)
    return (2, 3, 0, 1) if module.groups > 1 else (2, 3, 1, 0)


def fill(model, gain):
    for key, tensor in model.state_dict().items():
        path, name = key.rsplit(".", 1)
        if name == "num_batches_tracked":
            continue
        module = model.get_submodule(path)
        order = to_ours(module, name)
        shape = [tensor.shape[d] for d in order]
        fan_in = np.prod(tensor.shape[1:])
        values = formulas.value(path, role_of(module, name), shape, fan_in, gain)
        tensor.copy_(torch.from_numpy(values.transpose(np.argsort(order))))


def image(arch, h, w, row=0):
    preset = torchvision.models.get_model_weights(arch).DEFAULT.transforms()
    pixels = torch.from_numpy(formulas.pixels(h, w, row)).permute(2, 0, 1).double() / 255
    return torchvision.transforms.functional.normalize(pixels, preset.mean, preset.std)


def write(kind, arch, alpha, h, w, gain, out):
    out = out.numpy().ravel()
    numbers = (out.sum(), np.linalg.norm(out), *out[:FIRST])
    print(kind, arch, alpha, h, w, gain, out.size, *(f"{v:.9g}" for v in numbers))


def forward(arch, last, alpha, h, w, gain):
    options = {"width_mult": alpha} if alpha != 1 else {}
    model = getattr(torchvision.models, arch)(weights=None, num_classes=CLASSES, **options).double().eval()
    fill(model, gain)
    x = image(arch, h, w)[None]
    with torch.no_grad():
        features = create_feature_extractor(model, [last])(x)[last]
        write("forward", arch, alpha, h, w, gain, features.permute(0, 2, 3, 1))
        write("logits", arch, alpha, h, w, gain, model(x))


if __name__ == "__main__":
    for size in ((1, 1), (64, 64), (97, 66)):
        forward("resnet18", "layer4.1.relu_1", 1, *size, 0.5)
        forward("resnet50", "layer4.2.relu_2", 1, *size, 0.5)
        forward("mobilenet_v2", "features.18", 1, *size, 1)
    forward("mobilenet_v2", "features.18", 0.35, 65, 33, 1)
    for size in ((29, 29), (64, 64), (97, 66)):
        forward("densenet121", "relu", 1, *size, 1)
        forward("densenet169", "relu", 1, *size, 1)
