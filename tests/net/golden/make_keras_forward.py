#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes keras_forward.txt: the last feature maps that Keras computes with weights and an image made by formulas.

Needs tensorflow (pip install tensorflow-cpu). Run it when the zoo changes; a test repeats the formulas and compares.
    python3 make_keras_forward.py > keras_forward.txt

    forward ARCH ALPHA H W GAIN COUNT SUM NORM VALUES...   of the last feature map [H,W,C] in this order: how many
                                                          values, their sum, their L2 norm, the first ones
    logits ARCH ALPHA H W GAIN COUNT SUM NORM VALUES...    the same for the published classifier
    pretrained ARCH ...                                    forward of the network that weights="imagenet" builds

Weights and image come from formulas.py; the image goes through the architecture's own preprocess_input.
"""
import os

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # plain kernels, so that the reference shares no code with our engine

import formulas
import keras
import numpy as np
from keras.src.utils import file_utils

FIRST = 8
CLASSES = 10


def assign(layer, weight, gain):
    """Our role of the depthwise kernel is "kernel", for a SeparableConv2D as for a DepthwiseConv2D."""
    if weight.name == "count":
        return
    separable = weight.name == "depthwise_kernel"
    role = "kernel" if separable else weight.name
    depthwise = separable or isinstance(layer, keras.layers.DepthwiseConv2D)
    fan_in = np.prod(weight.shape[:2] if depthwise else weight.shape[:-1])
    weight.assign(formulas.value(layer.name, role, weight.shape, fan_in, gain))


def forward(arch, alpha, h, w, gain, kind="forward"):
    keras.backend.clear_session()
    build, module = ARCHITECTURES[arch]
    options = {"alpha": alpha} if alpha != 1 else {}
    if kind == "logits":
        options.update(include_top=True, classes=CLASSES, classifier_activation=None)
    else:
        options.update(include_top=False)
    model = build(input_shape=(h, w, 3), weights="imagenet" if kind == "pretrained" else None, **options)
    for layer in model.layers:
        for weight in layer.weights:
            assign(layer, weight, gain)
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
    image = formulas.pixels(h, w)[None].astype(np.float32)
    out = model(module.preprocess_input(image)).numpy().astype(np.float64).ravel()
    numbers = (out.sum(), np.linalg.norm(out), *out[:FIRST])
    print(kind, arch, alpha, h, w, gain, out.size, *(f"{v:.9g}" for v in numbers))


applications = keras.applications
ARCHITECTURES = {
    "mobilenet": (applications.MobileNet, applications.mobilenet),
    "mobilenet_v2": (applications.MobileNetV2, applications.mobilenet_v2),
    "resnet50": (applications.ResNet50, applications.resnet),
    "inception_v3": (applications.InceptionV3, applications.inception_v3),
    "xception": (applications.Xception, applications.xception),
    "densenet121": (applications.DenseNet121, applications.densenet),
    "densenet169": (applications.DenseNet169, applications.densenet),
    "efficientnet_b0": (applications.EfficientNetB0, applications.efficientnet),
}
GAINS = {"resnet50": 0.5, "xception": 0.5}
for alpha, h, w in ((0.25, 64, 64), (1.0, 65, 96)):
    forward("mobilenet", alpha, h, w, 1)
for alpha, h, w in ((0.35, 64, 64), (1.4, 97, 66)):
    forward("mobilenet_v2", alpha, h, w, 1)
for arch, first, second in (("resnet50", (64, 64), (97, 66)), ("densenet121", (64, 64), (97, 66)),
                            ("densenet169", (64, 64), (97, 66)), ("inception_v3", (75, 75), (130, 97)),
                            ("xception", (71, 71), (130, 97)), ("efficientnet_b0", (64, 64), (97, 66))):
    forward(arch, 1.0, *first, GAINS.get(arch, 1))
    forward(arch, 1.0, *second, GAINS.get(arch, 1))
for arch in ARCHITECTURES:
    smallest = {"inception_v3": 75, "xception": 71}.get(arch, 32)
    forward(arch, 1.0, smallest, smallest + 10, GAINS.get(arch, 1), "logits")
# This network is built as for the published weights, without loading them.
file_utils.get_file = lambda *_args, **_options: None
keras.Model.load_weights = lambda *_args, **_options: None
forward("efficientnet_b0", 1.0, 64, 64, 1, "pretrained")
