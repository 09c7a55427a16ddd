# SPDX-License-Identifier: Apache-2.0
"""Compares standardized images as test_fit.c dumped them with those of Keras' ImageDataGenerator after fit on the same training
images: of Keras itself and of keras-preprocessing (for the time until 2.8) where CNNSWEEP_KERAS_PYTHON names an interpreter that has
them, else with its formulas (K/legacy/preprocessing/image.py) in double precision."""
import os
import subprocess
import sys

import numpy as np

HEAD = np.dtype([(name, "<i4") for name in ("era samplewise_center samplewise_std_normalization featurewise_center "
                                            "featurewise_std_normalization zca_whitening h w n n_val").split()]
                + [(name, "<f8") for name in ("rescale", "zca_epsilon")])
FLAGS = [name for name in HEAD.names if "_" in name and name not in ("n_val", "zca_epsilon")]


def cases(name):
    with open(name, "rb") as file:
        while head := file.read(HEAD.itemsize):
            c = np.frombuffer(head, HEAD)[0]
            yield (c, *(np.frombuffer(file.read(4 * n * c["h"] * c["w"] * 3), "<f4").reshape(n, c["h"], c["w"], 3).astype(float)
                        for n in (c["n"], c["n_val"], c["n_val"])))


class Formulas:
    """What Keras computes, written out; or with a mistake that a comparison must find."""

    def __init__(self, c, train, mistake=None):
        self.on = {name: bool(c[name]) for name in FLAGS}
        self.rescale, self.mistake = c["rescale"] or 1, mistake
        x = train * self.rescale
        ddof = 1 if mistake == "deviation" else 0
        self.zca = self.on["zca_whitening"]
        self.std_on = self.on["featurewise_std_normalization"] and not self.zca
        self.center_on = self.on["featurewise_center"] or self.std_on or self.zca
        self.mean, self.std = x.mean((0, 1, 2)), x.std((0, 1, 2), ddof=ddof)
        if self.zca:
            flat = (x - self.mean).reshape(len(x), -1)
            if c["era"]:
                u, s, _ = np.linalg.svd(flat.T @ flat / len(x))
                self.matrix = u / np.sqrt(s + c["zca_epsilon"]) @ u.T
            else:
                u, s, _ = np.linalg.svd(flat.T, full_matrices=False)
                self.matrix = u * (np.sqrt(len(x)) / (s + c["zca_epsilon"])) @ u.T

    def standardize(self, image):
        x = image * self.rescale
        std = self.on["samplewise_std_normalization"]
        if self.on["samplewise_center"] or std:
            x = x - x.mean(keepdims=self.mistake != "image", axis=(0, 1) if self.mistake == "image" else None)
        if std:
            x = x / (x.std() + 1e-6)
        if self.center_on:
            x = x - self.mean
        if self.std_on:
            x = x / (self.std + 1e-6)
        return (x.reshape(-1) @ self.matrix).reshape(x.shape) if self.zca else x


class Keras:
    """In double precision: the float32 mean of many images is off by more than we allow."""

    def __init__(self, c, train):
        if c["era"]:
            from keras_preprocessing.image import ImageDataGenerator
        else:
            from keras.src.legacy.preprocessing.image import ImageDataGenerator
        self.generator = ImageDataGenerator(rescale=c["rescale"] or None, dtype="float64", **{name: bool(c[name]) for name in FLAGS},
                                            **({"zca_epsilon": c["zca_epsilon"]} if c["zca_epsilon"] else {}))
        self.generator.fit(train)

    def standardize(self, image):
        return self.generator.standardize(image[None].copy())[0]


def difference(reference, val, ours):
    """The largest, relative to the deviation of the values."""
    want = np.stack([reference.standardize(image) for image in val])
    return np.abs(want - ours).max() / want.std()


def main(name, kind):
    n = 0
    for c, train, val, ours in cases(name):
        off = difference(kind(c, train), val, ours)
        assert off <= (1e-3 if c["zca_whitening"] else 1e-5), (off, dict(zip(HEAD.names, c)))
        n += 1
    print(f"{kind.__name__}: {n} standardizations agree")
    assert n >= 36


def mistakes_are_found(name):
    for mistake, affected in (("deviation", "featurewise_std_normalization"), ("image", "samplewise_std_normalization")):
        for c, train, val, ours in cases(name):
            if c[affected] and not c["zca_whitening"]:
                assert difference(Formulas(c, train, mistake), val, ours) > 2e-5, (mistake, dict(zip(HEAD.names, c)))


if len(sys.argv) > 2:
    main(sys.argv[1], Keras)
else:
    main(sys.argv[1], Formulas)
    mistakes_are_found(sys.argv[1])
    keras = os.environ.get("CNNSWEEP_KERAS_PYTHON")
    if keras:
        subprocess.run([keras, __file__, sys.argv[1], "keras"], check=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
    else:
        print("CNNSWEEP_KERAS_PYTHON names no Python with Keras: compared with its formulas only")
        sys.exit(1 if os.environ.get("CI") else 0)
