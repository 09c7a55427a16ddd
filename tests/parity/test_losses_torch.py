# SPDX-License-Identifier: Apache-2.0
"""Losses in the dialect of torch, and their gradients, are those of torch.nn.CrossEntropyLoss in double, on every engine."""
import os
import sys

import numpy as np

from loss_comparison import compare_all

try:
    import torch
except ImportError as missing:
    print(f"{missing}; install python3-torch: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)


def of_torch(smoothing):
    def reference(batch):
        logits = torch.tensor(batch.logits.astype(np.float64), requires_grad=True)
        targets = torch.tensor(batch.targets.astype(np.float64)) if batch.mixed else torch.tensor(batch.labels).long()
        loss = torch.nn.CrossEntropyLoss(label_smoothing=smoothing)(logits, targets)
        loss.backward()
        return loss.item(), logits.grad.numpy()
    return {"dialect": "torch", "label_smoothing": smoothing}, reference


compare_all("cross-entropy", "torch", [of_torch(0)])
compare_all("label smoothing", "torch", [of_torch(e) for e in (0.05, 0.1, 0.5, 0.9)])
