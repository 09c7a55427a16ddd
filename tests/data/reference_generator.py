# SPDX-License-Identifier: Apache-2.0
"""Compares transforms as test_generator.c dumped them with those of Keras' ImageDataGenerator: of Keras itself and of
keras-preprocessing (for the time until 2.8) where CNNSWEEP_KERAS_PYTHON names an interpreter that has them, else with its
formulas (K/legacy/preprocessing/image.py) over scipy, which Keras calls."""
import os
import subprocess
import sys

import numpy as np

LARGEST = 24
FILLS = ["nearest", "constant", "reflect", "wrap"]
ROW = np.dtype([(name, "<i4") for name in "era fill order h w hflip vflip pad".split()]
               + [(name, "<f8") for name in "cval theta tx ty shear zx zy channel brightness".split()]
               + [(name, "u1", LARGEST * LARGEST * 3) for name in ("before", "after")])


class Formulas:
    """What Keras computes, written out; or with a mistake that a comparison must find."""

    def __init__(self, era, mistake=None):
        self.old = era == 1
        self.mistake = mistake

    def matrix(self, r):
        """Of (line, column); None: the image stays as it is."""
        t, s = np.deg2rad(r["theta"]), np.deg2rad(r["shear"])
        zx, zy = (r["zx"], r["zy"]) if r["zx"] else (1.0, 1.0)
        factors = []
        if t:
            factors.append([[np.cos(t), -np.sin(t), 0], [np.sin(t), np.cos(t), 0], [0, 0, 1]])
        if r["tx"] or r["ty"]:
            factors.append([[1, 0, r["tx"]], [0, 1, r["ty"]], [0, 0, 1]])
        if s:
            factors.append([[1, -np.sin(s), 0], [0, np.cos(s), 0], [0, 0, 1]])
        if zx != 1 or zy != 1:
            factors.append([[zx, 0, 0], [0, zy, 0], [0, 0, 1]])
        if not factors:
            return None
        m = np.linalg.multi_dot([np.eye(3), np.eye(3)] + [np.array(f, float) for f in factors])
        half = 0.5 if self.old != (self.mistake == "centre") else -0.5
        o = np.array([r["h"] / 2 + half, r["w"] / 2 + half])
        linear, offset = m[:2, :2], m[:2, 2] + o - m[:2, :2] @ o
        line_is_first = self.old != (self.mistake == "axes")
        return (linear, offset) if line_is_first else (linear[::-1, ::-1], offset[::-1])

    def affine(self, x, r):
        import scipy.ndimage

        matrix = self.matrix(r)
        if matrix is None:
            return x
        channels = [
            scipy.ndimage.affine_transform(x[..., c], *matrix, order=int(r["order"]), mode=FILLS[r["fill"]],
                                           cval=r["cval"]) for c in range(3)
        ]
        return np.stack(channels, -1)

    def undecided(self, r):
        """The pixels whose place in the source is, but for rounding, at a jump: between two pixels that are equally near, at
        an edge or at a seam. Which side it is on depends on the order in which numpy's BLAS sums."""
        matrix, jumps = self.matrix(r), np.zeros((r["h"], r["w"]), bool)
        if not (r["theta"] or r["shear"] or r["zx"]):  # shifts alone are computed without rounding
            return jumps
        for k, n in enumerate((r["h"], r["w"])):
            at = np.tensordot(matrix[0][k], np.mgrid[0:r["h"], 0:r["w"]], 1) + matrix[1][k]
            doubled = 2 * at if r["order"] == 0 else at  # with order 1 only the edges and the seams are jumps
            near = np.abs(doubled - np.round(doubled)) < 1e-9
            jumps |= near & ((r["order"] == 0) | (at < 0.5) | (at > n - 1.5))
        return jumps

    def channel_shift(self, x, by):
        return np.clip(x + by, x.min(), x.max())

    def brightness(self, x, factor):
        from PIL import Image, ImageEnhance

        if self.old:
            x = x - x.min()
            if x.max():
                x = x / x.max()
            x = x * 255
        image = Image.fromarray(x.astype(np.uint8))
        return np.asarray(ImageEnhance.Brightness(image).enhance(factor), np.float32)


class Keras:
    """Keras itself."""

    def __init__(self, era):
        if era == 1:
            from keras_preprocessing.image import affine_transformations as module
        else:
            from keras.src.legacy.preprocessing import image as module
        self.module = module
        self.scale = {} if era == 1 else {"scale": False}  # as the generator calls it

    def affine(self, x, r):
        return self.module.apply_affine_transform(
            x, r["theta"], r["tx"], r["ty"], r["shear"], r["zx"] or 1, r["zy"] or 1, 0, 1, 2, fill_mode=FILLS[r["fill"]],
            cval=r["cval"], order=int(r["order"]))

    def channel_shift(self, x, by):
        return self.module.apply_channel_shift(x, by, 2)

    def brightness(self, x, factor):
        return self.module.apply_brightness_shift(x, factor, **self.scale)


def flipped(x, r):
    x = x[:, ::-1] if r["hflip"] else x
    return x[::-1] if r["vflip"] else x


def transformed(reference, r):
    """In the order of ImageDataGenerator.apply_transform."""
    x = r["before"][:r["h"] * r["w"] * 3].reshape(r["h"], r["w"], 3).astype(np.float32)
    x = reference.affine(x, r)
    if r["channel"]:
        x = reference.channel_shift(x, r["channel"])
    x = flipped(x, r)
    return reference.brightness(x, r["brightness"]) if r["brightness"] else x


def largest_difference(reference, r):
    """Over the pixels that are decided; and how many are not."""
    undecided = flipped(Formulas(r["era"]).undecided(r), r)
    if undecided.any() and (r["channel"] or (r["era"] == 1 and r["brightness"])):
        undecided[:] = True  # every value depends on the smallest and the largest
    want = transformed(reference, r)
    got = r["after"][:want.size].reshape(want.shape).astype(np.float32)
    return np.where(undecided[..., None], 0, np.abs(got - want)).max(), undecided.sum()


def allowed(r):
    """Brightness gives whole numbers; else a float is rounded to a byte."""
    return 0 if r["brightness"] else 0.5 + 1e-3


def main(rows, kind):
    references = [kind(0), kind(1)]
    left_out = 0
    for i, r in enumerate(rows):
        off, undecided = largest_difference(references[r["era"]], r)
        assert off <= allowed(r), f"transform {i} is off by {off}: " + str({key: r[key] for key in ROW.names[:-2]})
        left_out += undecided
    exact, pixels = (rows["brightness"] > 0).sum(), (rows["h"] * rows["w"]).sum()
    print(f"{kind.__name__}: {exact} transforms with brightness are bit-equal, {len(rows) - exact} without are within a "
          f"rounding; {left_out} of {pixels} pixels lie at a jump")
    assert len(rows) / 4 < exact < len(rows) * 3 / 4 and left_out < 0.05 * pixels


def mistakes_are_found(rows):
    for mistake in ("centre", "axes"):
        wrong = sum(largest_difference(Formulas(r["era"], mistake), r)[0] > allowed(r) for r in rows)
        print(f"with the wrong {mistake} {wrong} of {len(rows)} transforms differ")
        assert wrong > len(rows) / 2


transforms = np.fromfile(sys.argv[1], ROW)
if len(sys.argv) > 2:
    main(transforms, Keras)
else:
    main(transforms, Formulas)
    mistakes_are_found(transforms[::20])
    keras = os.environ.get("CNNSWEEP_KERAS_PYTHON")
    if keras:
        subprocess.run([keras, __file__, sys.argv[1], "keras"], check=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
    else:
        print("CNNSWEEP_KERAS_PYTHON names no Python with Keras: compared with its formulas only")
        sys.exit(1 if os.environ.get("CI") else 0)
