# SPDX-License-Identifier: Apache-2.0
"""Losses in the dialect of torch, and their gradients, are those of torch.nn.CrossEntropyLoss in double, on every engine.
Balanced class weights are those of scikit-learn."""
import os
import sys

import numpy as np

from loss_comparison import class_weights, compare_all

try:
    import torch
    from sklearn.utils.class_weight import compute_class_weight
except ImportError as missing:
    print(f"{missing}; install python3-torch and python3-sklearn: nothing checked")
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


def as_list(batch):
    return ",".join(map(str, class_weights(batch)))


compare_all("cross-entropy", "torch", [of_torch(0)])
compare_all("label smoothing", "torch", [of_torch(e) for e in (0.05, 0.1, 0.5, 0.9)])
compare_all("class weights", "torch", [of_torch(e, class_weights, as_list) for e in (0, 0.1)])
compare_all("balanced class weights", "torch", [of_torch(e, balanced, lambda batch: "balanced") for e in (0, 0.1)])
