# SPDX-License-Identifier: Apache-2.0
"""The zoo's small networks as a Keras user writes them."""
import keras
from keras import layers


def basenet(x):
    x = layers.MaxPooling2D(2)(layers.Conv2D(6, 5, activation="relu")(x))
    x = layers.MaxPooling2D(2)(layers.Conv2D(16, 5, activation="relu")(x))
    return layers.Dense(50, activation="relu")(layers.Flatten()(x))


def convolution(x, filters, kernel, norm):
    x = layers.Conv2D(filters, kernel, padding="same", activation=None if norm else "relu")(x)
    if norm == "before":
        x = layers.BatchNormalization()(x)
    if norm:
        x = layers.Activation("relu")(x)
    return layers.BatchNormalization()(x) if norm == "after" else x


def basenet_deep(norm):
    def add_layers(x):
        for filters, kernel, pool in ((6, 5, True), (16, 5, True), (16, 3, False), (24, 3, False), (32, 3, True)):
            x = convolution(x, filters, kernel, norm)
            x = layers.MaxPooling2D(2)(x) if pool else x
        x = layers.Dense(100, activation="relu")(layers.Flatten()(x))
        return layers.Dense(50, activation="relu")(x)

    return add_layers


def cnn4(x):
    for filters in (32, 64, 128, 256):
        x = layers.MaxPooling2D(2)(convolution(x, filters, 3, "before"))
    return x


SMALL = {"basenet": basenet, "basenet_deep": basenet_deep(None), "basenet_deep_bn": basenet_deep("before"),
         "basenet_deep_bn_after": basenet_deep("after"), "cnn4": cnn4}


def small(arch, h, w, classes):
    """(network, the output that its head starts from); classes 0: the network has no head."""
    inputs = layers.Input((h, w, 3))
    features = x = SMALL[arch](inputs)
    if classes and arch == "cnn4":
        x = layers.Dense(512, activation="relu")(layers.Flatten()(x))
        x = layers.Dropout(0.5)(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x) if classes else x), features
