# SPDX-License-Identifier: Apache-2.0
"""The network basenet in torch."""
import h5py
import numpy as np
import torch

from harness import path


def torch_basenet(images, file):
    """Features and logits of basenet, with the weights of a file, on images [N,H,W,3]."""
    with h5py.File(path(file)) as opened:
        weights = {layer: [torch.from_numpy(opened[layer][name.decode() if isinstance(name, bytes) else name][...])
                           for name in opened[layer].attrs["weight_names"]]
                   for layer in ("conv2d", "conv2d_1", "dense", "dense_1")}
    x = torch.from_numpy(images.astype(np.float32)).permute(0, 3, 1, 2)
    for name in ("conv2d", "conv2d_1"):
        kernel, bias = weights[name]
        x = torch.max_pool2d(torch.conv2d(x, kernel.permute(3, 2, 0, 1), bias).relu(), 2)
    kernel, bias = weights["dense"]
    features = (x.permute(0, 2, 3, 1).flatten(1) @ kernel + bias).relu()
    kernel, bias = weights["dense_1"]
    return features.numpy(), features @ kernel + bias
