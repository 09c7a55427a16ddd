#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes keras_models.txt: Keras' own description of the networks of the zoo, and its "same" padding.

Needs tensorflow (pip install tensorflow-cpu). Run it when the zoo changes; the tests read the text file.
    python3 make_keras_models.py > keras_models.txt

    same IN KERNEL STRIDE OUT BEFORE AFTER     tf.nn.conv2d, padding SAME, along one axis
    model ARCH ALPHA H W CLASSES HEAD PRETRAINED    CLASSES 0: include_top=False; HEAD top: include_top=True, else - :
                                               the usual head; PRETRAINED 1: weights="imagenet"
    norm EPSILON MOMENTUM SCALE                of every BatchNormalization
    layer NAME CLASS ACTIVATION SHAPE PARAMETERS NUMBERS...    SHAPE HxWxC or C; NUMBERS: a kernel's largest initial
                                               value and standard deviation (SeparableConv2D: twice), or a dropout's
                                               rate and 1 if it drops whole samples
    totals TOTAL TRAINABLE NON_TRAINABLE
    finetune N TRAINABLE                       model.layers[-N:] trainable, the others not
"""
import math
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras.src.initializers.random_initializers import compute_fans
from keras.src.utils import file_utils

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from small_nets import SMALL, small

FINE_TUNE = (1, 2, 4, 6, 8, 10, 40, 89)


def same_padding(size, kernel, stride):
    """Finds, one tap at a time, which taps of the first and of the last window are inside the input."""
    valid = []
    for tap in range(kernel):
        weights = np.zeros((kernel, 1, 1, 1), np.float32)
        weights[tap] = 1
        image = np.ones((1, size, 1, 1), np.float32)
        valid.append(tf.nn.conv2d(image, weights, (stride, 1), "SAME").numpy()[0, :, 0, 0] > 0)
    first = [v[0] for v in valid]
    last = [v[-1] for v in valid]
    return len(valid[0]), first.index(True), last[::-1].index(True)


APPLICATIONS = {
    "mobilenet": keras.applications.MobileNet,
    "mobilenet_v2": keras.applications.MobileNetV2,
    "resnet50": keras.applications.ResNet50,
    "inception_v3": keras.applications.InceptionV3,
    "xception": keras.applications.Xception,
    "densenet121": keras.applications.DenseNet121,
    "densenet169": keras.applications.DenseNet169,
    "efficientnet_b0": keras.applications.EfficientNetB0,
}


def application(arch, alpha, h, w, classes, head, pretrained):
    options = {"input_shape": (h, w, 3), "weights": "imagenet" if pretrained else None}
    if arch.startswith("mobilenet"):
        options["alpha"] = alpha
    if head == "top":
        return APPLICATIONS[arch](classes=classes, **options)
    base = APPLICATIONS[arch](include_top=False, **options)
    if not classes:
        return base
    x = layers.GlobalAveragePooling2D()(base.output)
    return keras.Model(base.input, layers.Dense(classes, activation="softmax")(x))


def count(weights):
    return sum(math.prod(w.shape) for w in weights)


def spread(initializer, shape):
    """The largest value and the standard deviation, as keras.initializers document them."""
    scale, mode, distribution = initializer.scale, initializer.mode, initializer.distribution
    fan_in, fan_out = compute_fans(shape)
    variance = scale / {"fan_avg": (fan_in + fan_out) / 2, "fan_out": fan_out}[mode]
    deviation = math.sqrt(variance)
    if distribution == "uniform":
        return math.sqrt(3) * deviation, deviation
    assert distribution == "truncated_normal"
    return 2 * deviation / 0.87962566103423978, deviation


def numbers(layer):
    if isinstance(layer, layers.Dropout):
        assert layer.noise_shape in (None, (None, 1, 1, 1))
        return layer.rate, int(layer.noise_shape is not None)
    if isinstance(layer, layers.SeparableConv2D):
        return (*spread(layer.depthwise_initializer, layer.depthwise_kernel.shape),
                *spread(layer.pointwise_initializer, layer.pointwise_kernel.shape))
    if isinstance(layer, layers.DepthwiseConv2D):
        return spread(layer.depthwise_initializer, layer.kernel.shape)
    return spread(layer.kernel_initializer, layer.kernel.shape) if hasattr(layer, "kernel") else ()


def activation(layer):
    if isinstance(layer, layers.ReLU):
        assert layer.max_value == 6
        return "relu6"
    function = getattr(layer, "activation", None) or keras.activations.linear
    return {"silu": "swish"}.get(function.__name__, function.__name__)


def describe(arch, alpha, h, w, classes, head="-", pretrained=0):
    keras.backend.clear_session()
    model = (small(arch, h, w, classes)[0] if arch in SMALL else
             application(arch, alpha, h, w, classes, head, pretrained))
    print("model", arch, alpha, h, w, classes, head, pretrained)
    norms = [l for l in model.layers if isinstance(l, layers.BatchNormalization)]
    for norm in sorted({(l.epsilon, l.momentum, int(l.scale)) for l in norms}):
        print("norm", *norm)
    for layer in model.layers:
        shape = "x".join(str(d) for d in layer.output.shape[1:])
        print("layer", layer.name, type(layer).__name__, activation(layer), shape, layer.count_params(),
              *(f"{n:.9g}" for n in numbers(layer)))
    print("totals", count(model.weights), count(model.trainable_weights), count(model.non_trainable_weights))
    for n in FINE_TUNE if classes else ():
        for layer in model.layers:
            layer.trainable = True
        for layer in model.layers[:-n]:
            layer.trainable = False
        print("finetune", n, count(model.trainable_weights))


for case in ((224, 3, 2), (50, 3, 2), (161, 3, 2), (7, 3, 1), (224, 7, 2), (9, 2, 1), (8, 2, 1), (5, 1, 2), (4, 1, 2),
             (2, 5, 1), (1, 3, 2), (10, 5, 3), (11, 4, 3)):
    print("same", *case, *same_padding(*case))
describe("mobilenet", 0.25, 224, 224, 0)
describe("mobilenet", 0.25, 161, 50, 0)
describe("mobilenet", 0.5, 161, 161, 0)
describe("mobilenet", 0.35, 33, 65, 0)
describe("mobilenet", 1.0, 224, 224, 1000, "top")
describe("mobilenet", 1.0, 50, 50, 2)
describe("mobilenet_v2", 0.35, 224, 224, 1000, "top")
describe("mobilenet_v2", 0.35, 33, 97, 0)
describe("mobilenet_v2", 1.4, 161, 50, 0)
describe("mobilenet_v2", 1.0, 256, 256, 4)
describe("resnet50", 1, 224, 224, 1000, "top")
describe("resnet50", 1, 97, 97, 2)
describe("inception_v3", 1, 299, 299, 1000, "top")
describe("inception_v3", 1, 75, 75, 0)
describe("inception_v3", 1, 170, 129, 4)
describe("xception", 1, 299, 299, 1000, "top")
describe("xception", 1, 71, 71, 0)
describe("xception", 1, 130, 97, 4)
describe("densenet121", 1, 224, 224, 1000, "top")
describe("densenet121", 1, 97, 161, 2)
describe("densenet169", 1, 64, 64, 3)
describe("efficientnet_b0", 1, 224, 224, 1000, "top")
describe("efficientnet_b0", 1, 32, 32, 0)
describe("efficientnet_b0", 1, 65, 98, 4)
# These networks are built as for the published weights, without loading them.
file_utils.get_file = lambda *_args, **_options: None
keras.Model.load_weights = lambda *_args, **_options: None
describe("efficientnet_b0", 1, 224, 224, 0, "-", 1)
for small_arch in SMALL:
    describe(small_arch, 1, 32, 32, 0)
    describe(small_arch, 1, 32, 32, 10)
