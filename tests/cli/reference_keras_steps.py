# SPDX-License-Identifier: Apache-2.0
"""Compares cells of sheets with the preprocessing layers of Keras: reference_keras_steps.py CELLS.npz NAME...

A layer runs as a whole, but where it draws random numbers it gets those of the CSV, if they follow the law of that draw."""
import sys
from functools import partial

import numpy as np
import tensorflow as tf
from keras import layers
from keras.preprocessing.image import smart_resize
from scipy import stats


class Numbers:
    """In the place of a layer's backend: its random numbers are given, one array for each draw, in the order of the draws."""

    def __init__(self, backend, draws, name):
        self.inner, self.draws, self.name, self.random = backend, list(draws), name, self

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def uniform(self, shape, minval=0.0, maxval=1.0, **_):
        values = np.asarray(self.draws.pop(0), np.float32)
        low, high = float(minval), float(maxval)
        assert values.min() >= low - 1e-6 and values.max() <= high + 1e-6, (self.name, low, high, values.min(), values.max())
        self.follows(values, "uniform", low, high)
        return tf.constant(np.broadcast_to(values.reshape(values.shape + (1,) * (len(shape) - values.ndim)), shape), tf.float32)

    def randint(self, shape, minval, maxval, **_):
        values = np.asarray(self.draws.pop(0))
        counts = np.bincount(values.astype(int) - minval, minlength=maxval - minval)
        assert len(counts) == maxval - minval and stats.chisquare(counts).pvalue > 1e-3, (self.name, counts)
        return tf.constant(values, tf.uint8)

    def follows(self, values, law, low, high):
        values = values[values != 0]  # a perspective has no number where a corner stays
        if len(np.unique(values)) < 10:  # decisions, whose draws are not in the CSV
            return
        p, wrong = (stats.kstest(values.ravel(), law, (low, (high - low) * by)).pvalue for by in (1, 1.1))
        assert p > 1e-3 and wrong < 1e-3, (self.name, low, high, p, wrong)


def made(layer, images, *draws, name=""):
    """What the layer makes of the images, with these draws."""
    backend, images = layer.backend, tf.constant(images, tf.float32)
    layer.backend = numbers = Numbers(backend, draws, name)
    result = layer.transform_images(images, layer.get_random_transformation(images, training=True), training=True)
    layer.backend = backend
    assert not numbers.draws, f"{name}: draws are left"
    return result.numpy()


def decided(happens, law):
    """A draw of U(0, 1) for a decision, and of the threshold that it is compared with: the highest that is possible."""
    n, p = happens.sum(), stats.binomtest(int(happens.sum()), len(happens), law).pvalue
    assert p > 1e-3, (n, len(happens), law)
    return np.where(happens, 0.0, 1.0)


def flip(n, images):
    both = n["flip"]
    p = stats.chisquare(np.bincount(both.astype(int), minlength=4)).pvalue
    assert p > 1e-3, p
    images = made(layers.RandomFlip("horizontal"), images, np.where(both % 2 == 1, 0.25, 0.75))
    return made(layers.RandomFlip("vertical"), images, np.where(both >= 2, 0.25, 0.75))


def flip_at_once(mode):
    return lambda n, images: made(layers.RandomFlip(mode), images, decided(n["flip"] == 1, 0.5))


def of(layer, *names, **arguments):
    """A layer that draws these numbers."""
    return lambda n, images: made(layer(**arguments), images, *(n[name] for name in names), name=str(arguments))


def shear(**arguments):
    def make(n, images):
        sign = np.sign(n["y"])  # y_factor is never negative here
        return made(layers.RandomShear(**arguments), images, np.where(sign > 0, 0.25, 0.75), n["y"] * sign, n["x"] * sign)
    return make


def perspective(p, factor, **arguments):
    """`p` is the probability that follows from factor; the layer draws one from its range, and a threshold."""
    def make(n, images):
        applied = decided(n["applied"] == 1, p)
        corners = np.zeros((len(images), 4, 2))
        for number, at in (("top_right_x", (1, 0)), ("bottom_left_y", (2, 1)), ("bottom_right_x", (3, 0)),
                           ("bottom_right_y", (3, 1))):
            corners[:, at[0], at[1]] = n[number]
        layer = layers.RandomPerspective(factor, **arguments)
        return made(layer, images, np.full(len(images), layer.factor[1]), applied, corners)
    return make


def to_bytes(images):
    return np.floor(np.clip(images, 0, 255) + 0.5)


def resized(n, images, height, width, **arguments):
    return to_bytes(layers.Resizing(height, width, **arguments)(images.astype(np.float32)).numpy())


def crop(first, height, width):
    """Keras crops all images of a batch at one place."""
    def make(n, images):
        images, layer = resized(n, images, *first), layers.RandomCrop(height, width)
        places = [n["top"], n["left"]] if first[0] > height and first[1] > width else []
        for draws, count in zip(places, (first[0] - height + 1, first[1] - width + 1)):
            counts = np.bincount(draws.astype(int), minlength=count)
            assert len(counts) == count and stats.chisquare(counts).pvalue > 1e-3, counts
        return np.concatenate([made(layer, images[i:i + 1], *(draws[i] + 0.5 for draws in places)) for i in range(len(images))])
    return make


def crop_across(n, images):
    """As documented: an image that is as high as the part is not smaller than it."""
    images, left = resized(n, images, 40, 45), n["left"].astype(int)
    assert (n["top"] == 0).all() and stats.chisquare(np.bincount(left, minlength=22)).pvalue > 1e-3
    return np.stack([image[:, at:at + 24] for image, at in zip(images, left)])


def smart(size):
    """As documented, of an image that is too small."""
    return lambda n, images: resized(n, to_bytes(smart_resize(images.astype(np.float32), size)), 40, 24)


def saturation(factor):
    """As documented, full saturation is the most, which is so where the layer is told of values in 0..1."""
    return lambda n, images: 255 * made(layers.RandomSaturation(factor, value_range=(0, 1)), images / 255, n["saturation"])


def hue(factor):
    def make(n, images):
        return made(layers.RandomHue(factor), images, np.where(n["hue"] >= 0, 0.25, 0.75), np.abs(n["hue"]))
    return make


def jitter(n, images, literal=False):
    """The layer draws for its parts with a seed that it passes on, so the parts are called here."""
    images = made(layers.RandomBrightness(0.3), images, n["brightness"])
    images = made(layers.RandomContrast(0.5 if literal else (0.5, 0.5)), images, n["contrast"])
    change = of(layers.RandomSaturation, "saturation", factor=0.7) if literal else saturation((0.3, 0.8))
    return hue(0.4)(n, change(n, images))


def invert(p, factor):
    def make(n, images):
        layer = layers.RandomInvert(factor)
        return made(layer, images, np.full(len(images), layer.factor[1]), decided(n["applied"] == 1, p))
    return make


def posterization(n, images):
    return made(layers.RandomPosterization((3, 3)), images)


def solarization(n, images):
    layer = layers.Solarization(addition_factor=0.3, threshold_factor=(0.2, 0.9))
    layer.threshold_factor = (0.2 * 255, 0.9)  # as documented, both bounds are parts of 255
    return made(layer, images, n["addition"], n["threshold"])


def one_by_one(layer):
    """The layer takes the histogram of a whole batch."""
    return lambda n, images: np.concatenate([made(layer, images[i:i + 1]) for i in range(len(images))])


def blur(p, factor, sigma, **arguments):
    """Keras draws the sigmas once for a batch."""
    def make(n, images):
        layer = layers.RandomGaussianBlur(factor, sigma=sigma, **arguments)
        applied, sigmas = decided(n["applied"] == 1, p), np.stack([n["sigma_across"], n["sigma_down"]], -1)
        low, high = layer.sigma
        for column in sigmas.T if low < high else ():
            assert stats.kstest(column, "uniform", (low, high - low)).pvalue > 1e-3
        return np.concatenate([made(layer, images[i:i + 1], [layer.factor[1]], applied[i:i + 1], sigmas[i])
                               for i in range(len(images))])
    return make


def erasing(p, factor=1.0, **arguments):
    def make(n, images):
        layer = layers.RandomErasing(factor, **arguments)
        return made(layer, images, np.stack([n["width"], n["height"]], -1), n["left"], n["top"],
                    np.full(len(images), layer.factor[1]), decided(n["applied"] == 1, p))
    return make


def noise(n, images, after):
    """The noise has Keras' law; what else there is must be the image."""
    dark, light = (erasing(1.0, factor=(1.0, 1.0), fill_value=value)(n, images) for value in (0, 255))
    inside = dark != light
    values = after[inside]
    edges = stats.norm.cdf((np.arange(255) + 0.5) / 255)  # between the normal values of one byte and those of the next
    law = np.diff(edges, prepend=0, append=1)
    assert stats.chisquare(np.bincount(values, minlength=256), len(values) * law).pvalue > 1e-3
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 5 / len(values)**0.5
    return np.where(inside, after, dark)


def rand_augment(n, images, ops=2, bits=4, factor=0.5, interpolation="bilinear", literal=False):
    """The layer's parts make the operations of each image, which has bytes between them."""
    layer = layers.RandAugment(factor=factor, interpolation=interpolation)
    if not literal:
        layer.random_posterization = layers.RandomPosterization((bits, bits))
        layer.solarization.addition_factor = layer.solarization.threshold_factor = (255 * layer.factor[0], layer.factor[1])
    sign = np.sign(n["shear_x"])
    draws = {"random_shear": [np.where(sign > 0, 0.25, 0.75), n["shear_y"] * sign, n["shear_x"] * sign],
             "random_translation": [n["down"], n["right"]], "random_rotation": [n["degrees"]],
             "random_brightness": [n["brightness"]], "random_color_degeneration": [n["degeneration"]],
             "random_contrast": [n["contrast"]], "random_sharpness": [n["sharpness"]],
             "random_posterization": [n["bits"]] if literal else [], "solarization": [n["addition"], n["threshold"]],
             "auto_contrast": [], "equalization": []}
    assert list(draws) == layer._AUGMENT_LAYERS
    operations = [n["operations"].astype(int) // 100**place % 100 - 1 for place in reversed(range(ops))]
    assert stats.chisquare(np.bincount(np.ravel(operations), minlength=len(draws))).pvalue > 1e-3
    for operation in operations:
        before, images = images, np.empty(images.shape)
        for k, name in enumerate(draws):
            part, chosen = getattr(layer, name), operation == k
            after = (one_by_one(part)({}, before[chosen]) if name == "equalization"
                     else made(part, before, *draws[name], name=name)[chosen])
            images[chosen] = to_bytes(after)
    return images


STEPS = {
    "flip": flip, "flip_literal": flip_at_once("horizontal_and_vertical"), "flip_horizontal": flip_at_once("horizontal"),
    "flip_vertical": flip_at_once("vertical"),
    "rotation": of(layers.RandomRotation, "degrees", factor=0.3),
    "rotation_wrap": of(layers.RandomRotation, "degrees", factor=(0.1, 0.8), fill_mode="wrap"),
    "rotation_constant": of(layers.RandomRotation, "degrees", factor=1.0, fill_mode="constant", fill_value=200.0),
    "rotation_nearest": of(layers.RandomRotation, "degrees", factor=0.5, fill_mode="nearest", interpolation="nearest"),
    "zoom": of(layers.RandomZoom, "height_zoom", height_factor=0.7),
    "zoom_each": of(layers.RandomZoom, "height_zoom", "width_zoom", height_factor=(0.5, 1.0), width_factor=0.6, fill_mode="wrap",
                    interpolation="nearest"),
    "translation": of(layers.RandomTranslation, "down", "right", height_factor=1.0, width_factor=(-0.2, 0.3)),
    "translation_far": of(layers.RandomTranslation, "down", "right", height_factor=(-1.0, -0.5), width_factor=1.0,
                          fill_mode="wrap"),
    "translation_constant": of(layers.RandomTranslation, "down", "right", height_factor=0.3, width_factor=0.3,
                               fill_mode="constant", fill_value=77.0),
    "shear": shear(x_factor=(0.0, 0.5), y_factor=(0.0, 0.2)),
    "shear_range": shear(x_factor=(0.3, 1.0), y_factor=(0.0, 0.9), interpolation="nearest", fill_mode="constant"),
    "shear_literal": shear(x_factor=0.5, y_factor=(0.2, 0.4), fill_mode="nearest"),
    "perspective": perspective(0.7, factor=(0.7, 0.7), scale=0.5),
    "perspective_nearest": perspective(0.75, factor=(0.5, 1.0), interpolation="nearest", fill_value=99.0),
    "perspective_literal": perspective(0.5, factor=1.0, scale=0.3),
    "crop": crop((61, 41), 40, 24), "crop_across": crop_across, "crop_across_literal": crop((40, 45), 40, 24),
    "crop_wide": smart((21, 33)), "crop_small": smart((99, 100)),
    "crop_wide_literal": lambda n, images: resized(n, to_bytes(made(layers.RandomCrop(21, 33), images)), 40, 24),
    "resizing": lambda n, images: resized(n, resized(n, images, 90, 7), 40, 24),
    "resizing_part": lambda n, images: resized(n, resized(n, images, 19, 50, crop_to_aspect_ratio=True), 40, 24),
    "brightness": of(layers.RandomBrightness, "brightness", factor=0.6),
    "brightness_range": of(layers.RandomBrightness, "brightness", factor=(0.1, 1.0)),
    "contrast": of(layers.RandomContrast, "contrast", factor=(0.8, 0.8)),
    "contrast_range": of(layers.RandomContrast, "contrast", factor=(0.3, 0.9)),
    "contrast_literal": of(layers.RandomContrast, "contrast", factor=0.8),
    "saturation": saturation((0.0, 0.8)), "saturation_range": saturation((0.2, 1.0)),
    "saturation_literal": of(layers.RandomSaturation, "saturation", factor=0.7),
    "hue": hue(0.9), "hue_range": hue((0.3, 1.0)), "jitter": jitter, "jitter_literal": partial(jitter, literal=True),
    "degeneration": of(layers.RandomColorDegeneration, "degeneration", factor=(0.0, 0.7)),
    "degeneration_literal": of(layers.RandomColorDegeneration, "degeneration", factor=0.7),
    "sharpness": of(layers.RandomSharpness, "sharpness", factor=1.0),
    "sharpness_range": of(layers.RandomSharpness, "sharpness", factor=(0.4, 0.8)),
    "blur": blur(0.8, (0.8, 0.8), (1.0, 1.0), kernel_size=5), "blur_range": blur(1.0, (1.0, 1.0), (0.1, 1.0), kernel_size=7),
    "blur_literal": blur(0.5, 1.0, 0.9),
    "erasing": erasing(0.8, factor=(0.8, 0.8), fill_value=(10, 200, 77)),
    "erasing_literal": erasing(0.5, scale=(0.1, 1.0), fill_value=9),
    "rand_augment": rand_augment, "rand_augment_many": partial(rand_augment, ops=4, bits=3, factor=(0.1, 0.4), interpolation="nearest"),
    "rand_augment_literal": partial(rand_augment, literal=True),
    "grayscale": lambda n, images: made(layers.RandomGrayscale(0.4), images, decided(n["applied"] == 1, 0.4)),
    "invert": invert(0.4, (0.4, 0.4)), "invert_literal": invert(0.5, 1.0), "posterization": posterization,
    "posterization_literal": of(layers.RandomPosterization, "bits", factor=6), "solarization": solarization,
    "solarization_literal": of(layers.Solarization, "addition", "threshold", addition_factor=(0.1, 0.3),
                               threshold_factor=0.6),
    "inverted_all": lambda n, images: made(layers.Solarization(), images, n["addition"], n["threshold"]),
    "auto_contrast": of(layers.AutoContrast), "equalization": one_by_one(layers.Equalization()),
    "equalization_bins": one_by_one(layers.Equalization(bins=37)),
}


def main(file, names):
    arrays, wrong = np.load(file), []
    for name in names:
        n = {key.split("/")[1]: arrays[key] for key in arrays if key.startswith(name + "/")}
        before, after = n.pop("before"), n.pop("after")
        want = np.clip(noise(n, before, after) if name == "erasing_noise" else STEPS[name](n, before), 0, 255)
        off = np.abs(after - want)
        differ = np.count_nonzero(after != np.floor(want + 0.5))
        jumps = np.count_nonzero(off > 0.51)  # a place between two pixels, where Keras' cosine has another last bit
        changed = (after != before).any((1, 2, 3)).sum()
        print(f"{name}: {len(after)} images, {changed} changed; of {off.size} bytes {differ} are rounded differently, {jumps} of "
              f"them are {off.max():.4f} off before rounding")
        if jumps > 12 or changed < len(after) / 3:
            wrong.append((name, jumps))
    assert not wrong, wrong


main(sys.argv[1], sys.argv[2:])
