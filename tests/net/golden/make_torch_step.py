#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes torch_step.txt: gradients and running statistics of one training step of torchvision's networks, in double.

Needs torchvision (python3-torchvision). Run it when the zoo changes; a test repeats the formulas and compares.
    python3 make_torch_step.py > torch_step.txt

    step ARCH H W ROWS CLASSES GAIN LOSS LARGEST ROUNDING
                                             of the published classifier, without dropout; the label of row i is 3 i mod
                                             CLASSES, LOSS the mean cross-entropy, LARGEST the largest norm of a
                                             gradient, ROUNDING the error of torch's own gradients in float
    gradient LAYER/ROLE NORM PROBE           of every parameter, in our layout: L2 norm, and the product with
    statistic LAYER/ROLE NORM PROBE          formulas.uniform("LAYER/ROLE/probe"); running statistics after the step

Weights and images come from formulas.py.
"""
import formulas
import make_torch_forward as forward
import numpy as np
import torch
import torchvision

FLOOR = 1e-2  # smaller gradients than this times the largest one count as that large


def write(kind, model, key, tensor):
    path, name = key.rsplit(".", 1)
    module = model.get_submodule(path)
    values = tensor.detach().numpy().transpose(forward.to_ours(module, name)).ravel()
    ours = f"{path}/{forward.role_of(module, name)}"
    probe = values @ formulas.uniform(f"{ours}/probe", values.size)
    print(kind, ours, f"{np.linalg.norm(values):.9g} {probe:.9g}")


def trained(arch, h, w, rows, gain, dtype):
    """(the model with its gradients after a step, the loss)"""
    model = getattr(torchvision.models, arch)(weights=None, num_classes=forward.CLASSES).to(dtype).train()
    forward.fill(model, gain)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0
    images = torch.stack([forward.image(arch, h, w, row) for row in range(rows)]).to(dtype)
    labels = torch.arange(rows) * 3 % forward.CLASSES
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    return model, loss.item()


def step(arch, h, w, rows, gain):
    model, loss = trained(arch, h, w, rows, gain, torch.float64)
    rounded, _ = trained(arch, h, w, rows, gain, torch.float32)
    gradients = [(p.grad, r.grad.double()) for p, r in zip(model.parameters(), rounded.parameters())]
    largest = max(g.norm() for g, _ in gradients)
    rounding = max((g - r).norm() / max(g.norm(), FLOOR * largest) for g, r in gradients)
    print("step", arch, h, w, rows, forward.CLASSES, gain, f"{loss:.9g} {largest:.9g} {rounding:.3g}")
    for key, parameter in model.named_parameters():
        write("gradient", model, key, parameter.grad)
    for key, buffer in model.named_buffers():
        if not key.endswith("num_batches_tracked"):
            write("statistic", model, key, buffer)


step("resnet18", 64, 64, 4, 0.5)
step("resnet50", 65, 50, 3, 0.5)
step("mobilenet_v2", 64, 64, 4, 1)
step("densenet121", 50, 65, 4, 1)
