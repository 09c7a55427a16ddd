#!/usr/bin/env python3
"""Writes keras_models.txt: what Keras itself says about the networks of the zoo, and about "same" padding.

Needs tensorflow (pip install tensorflow-cpu). Run it when the zoo changes; the tests read the text file.
    python3 make_keras_models.py > keras_models.txt

    same IN KERNEL STRIDE OUT BEFORE AFTER     tf.nn.conv2d, padding SAME, along one axis
    model ARCH ALPHA H W CLASSES               CLASSES 0: include_top=False, else with the head gap, dense (or dense)
    norm EPSILON MOMENTUM                      of every BatchNormalization
    layer NAME CLASS SHAPE PARAMETERS LIMIT    SHAPE HxWxC or C; LIMIT of glorot_uniform, 0 without a kernel
    totals TOTAL TRAINABLE NON_TRAINABLE
    finetune N TRAINABLE                       model.layers[-N:] trainable, the others not
"""
import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras.src.initializers.random_initializers import compute_fans

FINE_TUNE = (1, 2, 4, 6, 8, 10, 40, 89)


def same_padding(size, kernel, stride):
    """Which taps of the first and of the last window lie inside, one tap at a time."""
    valid = []
    for tap in range(kernel):
        weights = np.zeros((kernel, 1, 1, 1), np.float32)
        weights[tap] = 1
        image = np.ones((1, size, 1, 1), np.float32)
        valid.append(tf.nn.conv2d(image, weights, (stride, 1), "SAME").numpy()[0, :, 0, 0] > 0)
    first = [v[0] for v in valid]
    last = [v[-1] for v in valid]
    return len(valid[0]), first.index(True), last[::-1].index(True)


def with_head(base, classes):
    if not classes:
        return base
    x = layers.GlobalAveragePooling2D()(base.output)
    return keras.Model(base.input, layers.Dense(classes, activation="softmax")(x))


def mobilenet(alpha, h, w, classes):
    return with_head(
        keras.applications.MobileNet(input_shape=(h, w, 3), include_top=False, weights=None, alpha=alpha), classes)


def mobilenet_v2(alpha, h, w, classes):
    return with_head(
        keras.applications.MobileNetV2(input_shape=(h, w, 3), include_top=False, weights=None, alpha=alpha), classes)


def resnet50(_alpha, h, w, classes):
    return with_head(keras.applications.ResNet50(input_shape=(h, w, 3), include_top=False, weights=None), classes)


def densenet121(_alpha, h, w, classes):
    return with_head(keras.applications.DenseNet121(input_shape=(h, w, 3), include_top=False, weights=None), classes)


def densenet169(_alpha, h, w, classes):
    return with_head(keras.applications.DenseNet169(input_shape=(h, w, 3), include_top=False, weights=None), classes)


def basenet(_alpha, h, w, classes):
    x = inputs = layers.Input((h, w, 3))
    x = layers.MaxPooling2D(2)(layers.Conv2D(6, 5, activation="relu")(x))
    x = layers.MaxPooling2D(2)(layers.Conv2D(16, 5, activation="relu")(x))
    x = layers.Dense(50, activation="relu")(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x) if classes else x)


def count(weights):
    return sum(math.prod(w.shape) for w in weights)


def glorot_limit(layer):
    kernels = [w for w in layer.weights if w.name == "kernel"]
    return math.sqrt(6 / sum(compute_fans(kernels[0].shape))) if kernels else 0


def describe(build, alpha, h, w, classes):
    keras.backend.clear_session()
    model = build(alpha, h, w, classes)
    print("model", build.__name__, alpha, h, w, classes)
    for norm in sorted({(l.epsilon, l.momentum) for l in model.layers if isinstance(l, layers.BatchNormalization)}):
        print("norm", *norm)
    for layer in model.layers:
        assert not isinstance(layer, layers.ReLU) or layer.max_value == 6
        assert not isinstance(layer, layers.Activation) or layer.activation is keras.activations.relu
        shape = "x".join(str(d) for d in layer.output.shape[1:])
        print("layer", layer.name, type(layer).__name__, shape, layer.count_params(), f"{glorot_limit(layer):.9g}")
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
describe(mobilenet, 0.25, 224, 224, 0)
describe(mobilenet, 0.25, 161, 50, 0)
describe(mobilenet, 0.5, 161, 161, 0)
describe(mobilenet, 0.35, 33, 65, 0)
describe(mobilenet, 1.0, 224, 224, 0)
describe(mobilenet, 1.0, 50, 50, 2)
describe(mobilenet_v2, 0.35, 224, 224, 0)
describe(mobilenet_v2, 0.35, 33, 97, 0)
describe(mobilenet_v2, 1.4, 161, 50, 0)
describe(mobilenet_v2, 1.0, 256, 256, 4)
describe(resnet50, 1, 224, 224, 0)
describe(resnet50, 1, 97, 97, 2)
describe(densenet121, 1, 224, 224, 2)
describe(densenet121, 1, 97, 161, 0)
describe(densenet169, 1, 64, 64, 3)
describe(basenet, 1, 32, 32, 0)
describe(basenet, 1, 32, 32, 10)
