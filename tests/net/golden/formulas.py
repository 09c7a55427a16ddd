# SPDX-License-Identifier: Apache-2.0
"""Weights and images made by formulas, so that golden files need not have them; tests/train/golden_forward.c has the same ones.

Image: pixel(h, w, c) = (7 h + 13 w + 29 c + 41 ROW) mod 256, ROW 0 where there is one image.
Weights: u in [-1, 1) from 24 bits of a hash of "LAYER/ROLE" and the index (see uniform); then by role
    kernels u * sqrt(6 / fan_in), bias, beta, means u / 4, gamma GAIN * (1 + u / 4), variances 1 + u / 2.
GAIN keeps the sums of residuals small, so that a wrong bias shows.
"""
import numpy as np


def uniform(name, count):
    """FNV-1a of the name, then the finaliser of MurmurHash3 over hash + index * 0x9E3779B9."""
    key = 2166136261
    for byte in name.encode():
        key = (key ^ byte) * 16777619 % 2**32
    x = np.uint32(key) + np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    x = x ^ (x >> np.uint32(16))
    return (x >> np.uint32(8)).astype(np.float64) / 2**23 - 1


def value(layer, role, shape, fan_in, gain):
    """The values of a parameter in our layout (kernels HWIO, depthwise HWC1, dense IO)."""
    u = uniform(f"{layer}/{role}", int(np.prod(shape))).reshape(shape)
    if role.endswith("kernel"):
        u = u * np.sqrt(6 / fan_in)
    elif role.endswith("variance"):
        u = 1 + u / 2
    else:
        u = gain * (1 + u / 4) if role == "gamma" else u / 4
    return u.astype(np.float32)


def pixels(h, w, row=0):
    rows, columns, channels = np.ogrid[:h, :w, :3]
    return (7 * rows + 13 * columns + 29 * channels + 41 * row) % 256
