#!/usr/bin/env python3
"""Writes keras_forward.txt: the last feature maps that Keras computes with weights and an image made by formulas.

Needs tensorflow (pip install tensorflow-cpu). Run it when the zoo changes; a test repeats the formulas and compares.
    python3 make_keras_forward.py > keras_forward.txt

    forward ARCH ALPHA H W GAIN COUNT SUM NORM VALUES...   of the last feature map [H,W,C] in this order: how many
                                                          values, their sum, their L2 norm, the first ones

Image: pixel(h, w, c) = (7 h + 13 w + 29 c) mod 256, through the architecture's own preprocess_input.
Weights: u in [-1, 1) from 24 bits of a hash of "LAYER/ROLE" and the index (see uniform); then by role
    kernel u * sqrt(6 / fan_in), bias, beta, moving mean u / 4, gamma GAIN * (1 + u / 4), moving variance 1 + u / 2.
GAIN keeps the sums of residuals small, so that a wrong bias shows.
"""
import os

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # plain kernels: the judge shares no code with our engine

import keras
import numpy as np

FIRST = 8


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


def value(layer, weight, gain):
    u = uniform(f"{layer.name}/{weight.name}", int(np.prod(weight.shape))).reshape(weight.shape)
    if weight.name == "kernel":
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        return u * np.sqrt(6 / np.prod(weight.shape[:2] if depthwise else weight.shape[:-1]))
    return {"bias": u / 4, "beta": u / 4, "moving_mean": u / 4, "gamma": gain * (1 + u / 4),
            "moving_variance": 1 + u / 2}[weight.name]


def forward(arch, build, module, alpha, h, w, gain):
    options = {"alpha": alpha} if alpha != 1 else {}
    model = build(input_shape=(h, w, 3), include_top=False, weights=None, **options)
    for layer in model.layers:
        for weight in layer.weights:
            weight.assign(value(layer, weight, gain).astype(np.float32))
    rows, columns, channels = np.ogrid[:h, :w, :3]
    pixels = (7 * rows + 13 * columns + 29 * channels) % 256
    out = model(module.preprocess_input(pixels[None].astype(np.float32))).numpy().astype(np.float64).ravel()
    numbers = (out.sum(), np.linalg.norm(out), *out[:FIRST])
    print("forward", arch, alpha, h, w, gain, out.size, *(f"{v:.9g}" for v in numbers))


applications = keras.applications
for alpha, h, w in ((0.25, 64, 64), (1.0, 65, 96)):
    forward("mobilenet", applications.MobileNet, applications.mobilenet, alpha, h, w, 1)
for alpha, h, w in ((0.35, 64, 64), (1.4, 97, 66)):
    forward("mobilenet_v2", applications.MobileNetV2, applications.mobilenet_v2, alpha, h, w, 1)
for h, w in ((64, 64), (97, 66)):
    forward("resnet50", applications.ResNet50, applications.resnet, 1.0, h, w, 0.5)
for arch, build in (("densenet121", applications.DenseNet121), ("densenet169", applications.DenseNet169)):
    for h, w in ((64, 64), (97, 66)):
        forward(arch, build, applications.densenet, 1.0, h, w, 1)
