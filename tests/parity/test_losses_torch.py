# SPDX-License-Identifier: Apache-2.0
"""Losses in the dialect of torch, and their gradients, are those of torch.nn.CrossEntropyLoss and, for a binary head,
BCEWithLogitsLoss and torchvision's focal loss in double, on every engine.
Balanced class weights are those of scikit-learn."""
import os
import sys

import numpy as np

from loss_comparison import class_weights, compare_all

try:
    import torch
    from sklearn.utils.class_weight import compute_class_weight
    from torchvision.ops import sigmoid_focal_loss
except ImportError as missing:
    print(f"{missing}; install python3-torch, python3-torchvision and python3-sklearn: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)


def balanced(batch):
    """scikit-learn's weights; a class that does not occur in training has the weight 1."""
    present = np.unique(batch.labels)
    weights = np.ones(batch.classes)
    weights[present] = compute_class_weight("balanced", classes=present, y=batch.labels)
    return weights


def of_torch(smoothing, weights=None, words=None):
    """`weights` and `words`, those of the job file, are functions of the batch."""
    def settings(batch):
        return {"dialect": "torch", "label_smoothing": smoothing, "class_weight": words(batch) if words else "none"}

    def reference(batch):
        logits = torch.tensor(batch.logits.astype(np.float64), requires_grad=True)
        targets = torch.tensor(batch.targets.astype(np.float64)) if batch.mixed else torch.tensor(batch.labels).long()
        weight = torch.tensor(np.array(weights(batch), np.float64)) if weights else None
        loss = torch.nn.CrossEntropyLoss(weight, label_smoothing=smoothing)(logits, targets)
        loss.backward()
        validation = torch.nn.CrossEntropyLoss(label_smoothing=smoothing)(logits, targets)
        return loss.item(), logits.grad.numpy(), validation.item()
    return settings, reference


def of_torch_binary(smoothing, weighted=False):
    def settings(batch):
        return {"dialect": "torch", "label_smoothing": smoothing, "class_weight": as_list(batch) if weighted else "none"}

    def reference(batch):
        logits = torch.tensor(batch.logits.astype(np.float64), requires_grad=True)
        targets = torch.tensor(batch.targets[:, 1:].astype(np.float64)) * (1 - smoothing) + smoothing / 2
        first, second = class_weights(batch) if weighted else (1, 1)
        divisor = batch.rows if batch.mixed else sum((first, second)[label] for label in batch.labels)
        loss = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(second / first), reduction="sum")(logits, targets)
        loss = loss * first / divisor
        loss.backward()
        return loss.item(), logits.grad.numpy(), torch.nn.BCEWithLogitsLoss()(logits, targets).item()
    return settings, reference


def of_torch_focal(gamma, alpha):
    """torchvision has a factor alpha of class 1 and 1 - alpha of class 0, or none if alpha is negative."""
    balancing = {"focal_alpha": alpha, "focal_balancing": "true"} if alpha >= 0 else {}

    def reference(batch):
        logits = torch.tensor(batch.logits.astype(np.float64), requires_grad=True)
        targets = torch.tensor(batch.targets[:, 1:].astype(np.float64))
        loss = sigmoid_focal_loss(logits, targets, alpha, gamma, "mean")
        loss.backward()
        return loss.item(), logits.grad.numpy(), loss.item()
    return lambda batch: {"dialect": "torch", "loss": "focal", "focal_gamma": gamma, **balancing}, reference


def as_list(batch):
    return ",".join(map(str, class_weights(batch)))


compare_all("cross-entropy", "torch", [of_torch(0)])
compare_all("label smoothing", "torch", [of_torch(e) for e in (0.05, 0.1, 0.5, 0.9)])
compare_all("class weights", "torch", [of_torch(e, class_weights, as_list) for e in (0, 0.1)])
compare_all("balanced class weights", "torch", [of_torch(e, balanced, lambda batch: "balanced") for e in (0, 0.1)])
def of_torch_samples(weighted=False, binary=False):
    """torch's losses of images, their mean weighted by those of the images and, as in CrossEntropyLoss, of the classes."""
    def settings(batch):
        return {"dialect": "torch", "sample_weight": "true", "class_weight": as_list(batch) if weighted else "none"}

    def reference(batch):
        logits = torch.tensor(batch.logits.astype(np.float64), requires_grad=True)
        both = torch.cat([torch.zeros_like(logits), logits], 1) if binary else logits
        targets = torch.tensor(batch.targets.astype(np.float64)) if batch.mixed else torch.tensor(batch.labels).long()
        classes = torch.tensor(np.array(class_weights(batch), np.float64)) if weighted else torch.ones(batch.classes).double()
        samples = torch.tensor(batch.weights.astype(np.float64))
        losses = torch.nn.CrossEntropyLoss(classes, reduction="none")(both, targets)
        divisor = samples.sum() if batch.mixed else (samples * classes[torch.tensor(batch.labels).long()]).sum()
        loss = (samples * losses).sum() / divisor
        loss.backward()
        return loss.item(), logits.grad.numpy(), torch.nn.CrossEntropyLoss()(both, targets).item()
    return settings, reference


compare_all("sample weights", "torch", [of_torch_samples(), of_torch_samples(True)])
compare_all("binary head, sample weights", "torch", [of_torch_samples(False, True), of_torch_samples(True, True)], binary=True)
compare_all("binary head", "torch", [of_torch_binary(e, w) for e in (0, 0.1) for w in (False, True)], binary=True)
compare_all("binary head, focal", "torch", [of_torch_focal(2, -1), of_torch_focal(2, 0.25), of_torch_focal(0.5, 0.75)],
            binary=True)
