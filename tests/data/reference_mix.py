# SPDX-License-Identifier: Apache-2.0
"""Compares what test_mix.c dumped: mixed batches with Keras' layers MixUp and CutMix (where CNNSWEEP_KERAS_PYTHON names an
interpreter that has them), with torchvision.transforms.v2 and with timm, or with their formulas where they are not installed;
and numbers that were drawn with their distributions (scipy). Each library gets the same random numbers."""
import os
import subprocess
import sys

import numpy as np

ROWS, IMAGE, CLASSES = 8, 11 * 11 * 3, 4
MIXUP, CUTMIX = 0, 1
KERAS, TORCH, TIMM = 0, 1, 2
BATCH = np.dtype([(name, "<i4") for name in "kind convention n h w".split()]
                 + [("labels", "<i4", ROWS), ("partners", "<i4", ROWS), ("centre", "<i4", 2)]
                 + [("alpha", "<f4"), ("drawn_alpha", "<f4"), ("weights", "<f4", ROWS), ("places", "<f4", (ROWS, 2))]
                 + [(name, "<f4", (ROWS, IMAGE)) for name in ("images", "mixed")]
                 + [("targets", "<f4", (ROWS, CLASSES)), ("largest", "<i4", ROWS)])
LARGE, LARGE_ROWS, LARGE_BATCHES = 4096, 6, 3000
DRAW = np.dtype([(name, "<i4") for name in "partner x0 y0 x1 y1".split()] + [("image", "<f4"), ("label", "<f4")])


def images_of(b, field):
    n, h, w = b["n"], b["h"], b["w"]
    return b[field][:n, :h * w * 3].reshape(n, h, w, 3)


def one_hot(b):
    return np.eye(CLASSES, dtype=np.float32)[b["labels"][:b["n"]]]


def box_of_torchvision(ratio, size):
    half = int(0.5 * ratio * size)
    return half, half


def box_of_timm(ratio, size):
    side = int(ratio * size)
    return side // 2, (side + 1) // 2


def clipped_box(b, reach):
    """The box around the centre, and the share of the image that is outside it."""
    (x, y), w, h = b["centre"], int(b["w"]), int(b["h"])
    left, right = reach(np.sqrt(1.0 - float(b["weights"][0])), w)
    above, below = reach(np.sqrt(1.0 - float(b["weights"][0])), h)
    x0, x1, y0, y1 = max(x - left, 0), min(x + right, w), max(y - above, 0), min(y + below, h)
    return slice(y0, y1), slice(x0, x1), 1.0 - (x1 - x0) * (y1 - y0) / (w * h)


def mixed_with(b, others, reach):
    """One weight and one box for the batch."""
    x, t, weight = images_of(b, "images"), one_hot(b), float(b["weights"][0])
    if b["kind"] == MIXUP:
        out = np.float32(weight) * x + np.float32(1 - weight) * x[others]
    else:
        lines, columns, weight = clipped_box(b, reach)
        out = x.copy()
        out[:, lines, columns] = x[others][:, lines, columns]
    return out, np.float32(weight) * t + np.float32(1 - weight) * t[others]


def formula_of_torchvision(b):
    return mixed_with(b, np.roll(np.arange(b["n"]), 1), box_of_torchvision)


def formula_of_timm(b):
    return mixed_with(b, np.arange(b["n"])[::-1], box_of_timm)


class Scripted:
    """A function that returns the given values, one a call."""

    def __init__(self, *values):
        self.values = list(values)

    def __call__(self, *args, **kwargs):
        return self.values.pop(0)


def torchvision_itself():
    import torch
    from torchvision.transforms import v2

    def transformed(b):
        transform = (v2.MixUp, v2.CutMix)[b["kind"]](alpha=1.0, num_classes=CLASSES)
        transform._dist.sample = Scripted(torch.tensor([b["weights"][0]]))
        drawn, torch.randint = torch.randint, Scripted(*[torch.tensor([int(c)]) for c in b["centre"]])
        try:
            images, targets = transform(torch.tensor(images_of(b, "images")).permute(0, 3, 1, 2),
                                        torch.tensor(b["labels"][:b["n"]], dtype=torch.int64))
        finally:
            torch.randint = drawn
        return images.permute(0, 2, 3, 1).numpy(), targets.numpy()

    return transformed


def timm_itself():
    import torch
    from timm.data.mixup import Mixup

    def transformed(b):
        if b["n"] % 2:
            return formula_of_timm(b)  # timm refuses odd batches
        on, off = (1.0, 0.0) if b["kind"] == MIXUP else (0.0, 1.0)
        transform = Mixup(mixup_alpha=on, cutmix_alpha=off, label_smoothing=0.0, num_classes=CLASSES)
        kept = np.random.beta, np.random.rand, np.random.randint
        np.random.beta, np.random.rand = Scripted(b["weights"][0]), Scripted(0.0)
        np.random.randint = Scripted(int(b["centre"][1]), int(b["centre"][0]))
        try:
            images = torch.tensor(images_of(b, "images")).permute(0, 3, 1, 2).contiguous()
            images, targets = transform(images, torch.tensor(b["labels"][:b["n"]], dtype=torch.int64))
        finally:
            np.random.beta, np.random.rand, np.random.randint = kept
        return images.permute(0, 2, 3, 1).numpy(), targets.numpy()

    return transformed


def keras_itself():
    import keras
    from keras import layers

    class Draws:
        """Stands in for the backend's random numbers."""

        def __init__(self, b):
            n = b["n"]
            places = b["places"][:n]
            uniform = [places[:, 0], places[:, 1]]
            if b["kind"] == CUTMIX:
                uniform.insert(0, b["drawn_alpha"] - np.float32(1e-6))
            self.uniform = Scripted(*[keras.ops.convert_to_tensor(u) for u in uniform])
            self.beta = Scripted(keras.ops.convert_to_tensor(b["weights"][:n]))
            self.shuffle = Scripted(keras.ops.convert_to_tensor(b["partners"][:n]))

    def transformed(b):
        layer = layers.MixUp(alpha=1.0) if b["kind"] == MIXUP else layers.CutMix(factor=1.0)
        images, labels = images_of(b, "images"), one_hot(b)
        kept, layer.backend.random = layer.backend.random, Draws(b)
        try:
            transformation = layer.get_random_transformation({"images": images, "labels": labels}, training=True, seed=1)
            out = layer.transform_images(images, transformation), layer.transform_labels(labels, transformation)
        finally:
            layer.backend.random = kept
        return tuple(np.asarray(o) for o in out)

    return transformed


def check_batches(batches, convention, reference, name):
    rows = batches[batches["convention"] == convention]
    moved = 0
    for b in rows:
        want, targets = reference(b)
        got, n = images_of(b, "mixed"), b["n"]
        moved += (got != images_of(b, "images")).mean()
        assert np.array_equal(got, want), f"{name}: images differ by {np.abs(got - want).max()} in {b['n']} rows, kind {b['kind']}"
        off = np.abs(b["targets"][:n] - targets).max()
        assert off <= 1.2e-7, f"{name}: targets differ by {off}, kind {b['kind']}"
        assert np.array_equal(b["largest"][:n], b["targets"][:n].argmax(1))
    print(f"{name}: the images of {len(rows)} batches are bit-equal; {moved / len(rows):.0%} of their values were mixed")
    assert len(rows) > 0 and moved / len(rows) > 0.2


def or_formula(load, formula, name):
    try:
        return load(), name
    except ImportError:
        return formula, f"the formula of {name}"


def compare_batches(path):
    batches = np.fromfile(path, BATCH)
    check_batches(batches, TORCH, *or_formula(torchvision_itself, formula_of_torchvision, "torchvision"))
    check_batches(batches, TIMM, *or_formula(timm_itself, formula_of_timm, "timm"))
    keras = os.environ.get("CNNSWEEP_KERAS_PYTHON")
    if keras:
        subprocess.run([keras, __file__, path, "keras"], check=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
        return
    print("CNNSWEEP_KERAS_PYTHON names no Python with Keras: its layers are not compared")
    sys.exit(1 if os.environ.get("CI") else 0)


def follows(values, law, what):
    from scipy import stats

    p = stats.kstest(values, law).pvalue
    print(f"{what}: {len(values)} values, p = {p:.3g}")
    assert p > 1e-3, what


def are_even(counts, what, expected=None):
    from scipy import stats

    p = stats.chisquare(np.ravel(counts), expected).pvalue
    print(f"{what}: p = {p:.3g}")
    assert p > 1e-3, what


def check_partners(rows, convention):
    order = np.arange(LARGE_ROWS)
    assert (np.sort(rows["partner"], 1) == order).all()
    if convention == KERAS:
        are_even([[(rows["partner"][:, i] == j).sum() for j in order] for i in order], "partners")
    else:
        assert (rows["partner"] == (np.roll(order, 1) if convention == TORCH else order[::-1])).all()


def are_of_beta(weights, alpha):
    """A float near 1 is rounded, with a small alpha often to 1; so the shape is looked at below 1/2, and above that the
    number of weights."""
    from scipy import stats

    law = stats.beta(alpha, alpha)
    follows(weights[weights <= 0.5], lambda x: law.cdf(x) * 2, f"weights of Beta({alpha}, {alpha})")
    bounds = np.linspace(0, 1, 9)
    are_even(np.histogram(weights, bounds)[0], "and all of them", np.diff(law.cdf(bounds)) * len(weights))


def check_mixup(rows, convention, alpha):
    check_partners(rows, convention)
    assert (rows["image"] == rows["label"]).all() and (rows["x1"] - rows["x0"] == LARGE).all()
    weights = rows["image"] if convention == KERAS else rows["image"][:, 0]
    assert convention == KERAS or (rows["image"] == rows["image"][:, :1]).all()
    are_of_beta(weights.ravel(), alpha)


def check_keras_cutmix(rows):
    """A box's sides are sqrt(1 - weight), and it lies anywhere inside the image. The weight is of Beta(a, a) with a from 0 to 1,
    as a sample of which other random numbers are drawn."""
    from scipy import stats

    check_partners(rows, KERAS)
    rows = rows.ravel()
    for first, last in (("x0", "x1"), ("y0", "y1")):
        side = np.sqrt(1 - rows["label"])
        inner = (side > 0.02) & (side < 0.9)
        assert np.abs((rows[last] - rows[first]) / LARGE - side).max() < 2 / LARGE
        follows(rows[first][inner] / (LARGE * (1 - side[inner])), "uniform", f"{first} of a box")
    generator = np.random.default_rng(1)
    alphas = generator.uniform(size=200000) + 1e-6
    weights = [np.round(w, 5) for w in (rows["label"][::LARGE_ROWS], generator.beta(alphas, alphas))]
    same = stats.ks_2samp(*weights).pvalue
    print(f"weights of a random alpha: p = {same:.3g}")
    assert same > 1e-3


def check_centres(rows, convention):
    """With a tiny alpha a weight is 0 or 1, and where it is 1 the box is empty and lies at its centre."""
    check_partners(rows, convention)
    one = rows[:, 0]
    assert (rows["x0"] == rows["x0"][:, :1]).all() and np.isin(np.round(one["label"], 6), [0, 1]).mean() > 0.4
    empty = one[(one["label"] == 1) & (one["x0"] == one["x1"]) & (one["y0"] == one["y1"])]
    assert 0.4 < len(empty) / len(one) < 0.6
    follows(empty["x0"] / LARGE, "uniform", "x of a centre")
    follows(empty["y0"] / LARGE, "uniform", "y of a centre")
    large = one[one["label"] < 0.9]  # of these most are as large as the image, and their centre is not its centre
    assert len(large) > 1000
    for first, last in (("x0", "x1"), ("y0", "y1")):
        assert ((large[first] == 0) | (large[last] == LARGE)).all()


def check_rules(rows):
    one = rows[:, 0]
    kinds = [(one["image"] > 0) & (one["image"] < 1), one["image"] == 0, (one["image"] == 1) & (one["label"] == 1)]
    counts = np.array([kind.sum() for kind in kinds])
    assert counts.sum() == len(one)
    are_even(counts, "rules", np.array([0.25, 0.375, 0.375]) * len(one))
    are_of_beta(one["image"][kinds[0]], 0.8)


def check_draws(path):
    laws = np.fromfile(path, DRAW).reshape(-1, LARGE_BATCHES, LARGE_ROWS)
    assert len(laws) == 8
    check_mixup(laws[0], KERAS, 0.2)
    check_mixup(laws[1], KERAS, 2.5)
    check_mixup(laws[2], TORCH, 1)
    check_mixup(laws[3], TIMM, 0.4)
    check_keras_cutmix(laws[4])
    check_centres(laws[5], TORCH)
    check_centres(laws[6], TIMM)
    check_rules(laws[7])


if len(sys.argv) > 2:
    check_batches(np.fromfile(sys.argv[1], BATCH), KERAS, keras_itself(), "Keras")
elif sys.argv[1].endswith("draws.bin"):
    check_draws(sys.argv[1])
else:
    compare_batches(sys.argv[1])
