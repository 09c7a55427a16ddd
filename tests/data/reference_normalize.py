# SPDX-License-Identifier: Apache-2.0
"""Compares normalized images as test_fit.c dumped them with what torchvision's ToTensor and Normalize make of the same bytes."""
import sys

import numpy as np
import torch
from torchvision.transforms import Compose, Normalize, ToTensor


def arrays(name):
    """For each array: mean, std, bytes [N,H,W,3] and what the network gets of them."""
    with open(name, "rb") as file:
        while head := file.read(12):
            shape = (*np.frombuffer(head, "<i4"), 3)
            numbers = np.frombuffer(file.read(24), "<f4")
            pixels, ours = (np.frombuffer(file.read(4 * np.prod(shape)), "<f4").reshape(shape) for _ in range(2))
            yield numbers[:3], numbers[3:], pixels.astype(np.uint8), ours


n, worst, bytes_seen = 0, 0.0, set()
for mean, std, pixels, ours in arrays(sys.argv[1]):
    transform = Compose([ToTensor(), Normalize(mean.tolist(), std.tolist())])
    want = torch.stack([transform(image) for image in pixels]).permute(0, 2, 3, 1).numpy()
    off = np.abs(want - ours)
    exact = np.abs((pixels / 255 - mean.astype(float)) / std.astype(float) - ours)  # in double precision
    worst = max(worst, off.max())
    assert off.max() < 1e-6 and exact.max() < 1e-6, (mean, std, off.max(), exact.max())
    bytes_seen |= set(pixels.ravel().tolist())
    n += 1
print(f"{n} arrays are normalized as by torchvision, within {worst:.2g}")
assert n == 9 and len(bytes_seen) == 256
