# SPDX-License-Identifier: Apache-2.0
"""What the rules of augmentations draw, and by which laws: a row for each rule and setting. The laws are written here from the
sources of Keras 3.15, torchvision 0.14, albumentations 2.0.8 and timm 1.0.31, not from the program's."""
import re
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
from scipy import stats
from torchvision.transforms import AutoAugment, AutoAugmentPolicy

from laws import (Discrete, Distinct, always, beta, chance, either, either_sign, first_that_fits, law_of, made_of, one_of, place,
                  spread, uniform, whole)

H, W = 14, 10  # of the images
SIGN, HALF, KEY = one_of(-1, 1), chance(0.5), Distinct()


@dataclass
class Row:
    """Steps of a job file and the laws of what the rule draws: {expression of its numbers: law}. "a, b" are two numbers
    together, "a | c" is a where c holds, and "steps" are the names of the steps that are applied. The rule is the first step that
    is not `resize`."""
    steps: str
    laws: dict
    p: float = 1  # the part of the images that the step is applied to

    def rule(self):
        return next(name for name in re.findall(r"[a-z_]\w*(?:\.\w+)?", self.steps) if name != "resize")


def step(text, laws, p=1.0):
    """A row of a list with one step."""
    return Row(f"[{{{text}}}]" if ": " in text else f"[{text}]", laws, p)


def resized(h, w, text, laws, p=1.0):
    """A row of a step for images of h x w."""
    return Row(f"[{{resize: [{h}, {w}]}}, {text}, {{resize: [{H}, {W}]}}]", laws, p)


GENERATOR = [
    Row("{rotation_range: 20}", {"rotation_degrees": uniform(-20, 20)}),
    Row("{height_shift_range: 0.25}", {"height_shift_pixels": uniform(-H / 4, H / 4)}),
    # A whole number n: 0 to n-1 with either sign.
    Row("{height_shift_range: 4}", {"height_shift_pixels": Discrete({0: 2, **dict.fromkeys((-3, -2, -1, 1, 2, 3), 1)})}),
    Row("{width_shift_range: 0.25}", {"width_shift_pixels": uniform(-W / 4, W / 4)}),
    Row("{width_shift_range: [-2, 5, 9]}", {"width_shift_pixels": one_of(-9, -5, -2, 2, 5, 9)}),
    Row("{shear_range: 10}", {"shear_degrees": uniform(-10, 10)}),
    Row("{zoom_range: 0.3}", {"zoom_first": uniform(0.7, 1.3), "zoom_second": uniform(0.7, 1.3)}),
    Row("{zoom_range: [0.8, 1.4]}", {"zoom_first": uniform(0.8, 1.4), "zoom_second": uniform(0.8, 1.4)}),
    Row("{channel_shift_range: 30}", {"channel_shift": uniform(-30, 30)}),
    Row("{horizontal_flip: true}", {"horizontal_flip": HALF}),
    Row("{vertical_flip: true}", {"vertical_flip": HALF}),
    Row("{brightness_range: [0.5, 1.5]}", {"brightness": uniform(0.5, 1.5)}),
]


def rounded(half_width):
    return made_of(np.rint, spread(-half_width, half_width, 100000))


def sides_of_area(scale, log_ratio):
    """height and width of a part of the area, whose ratio is uniform in its logarithm."""
    def sides(part, ratio):
        return np.rint(np.sqrt(H * W * part * np.exp(ratio))), np.rint(np.sqrt(H * W * part / np.exp(ratio)))
    return made_of(sides, spread(*scale, 1500), spread(*log_ratio, 1500))


def resized_crop(scale, ratio):
    """torchvision's ratio is that of width to height. After ten tries it takes the largest part in the middle."""
    low, high = ratio
    last = (round(W / low), W) if W / H < low else (H, round(H * high)) if W / H > high else (H, W)
    sides = first_that_fits(lambda h, w: 0 < h <= H and 0 < w <= W, last, sides_of_area(scale, (-np.log(high), -np.log(low))))
    return {"height, width": sides, "top": place(H, sides.of(0)), "left": place(W, sides.of(1))}


def erased(scale, ratio):
    """torchvision erases nothing after ten tries, which is said by a height of 0."""
    sides = first_that_fits(lambda h, w: h < H and w < W, (0, 0), sides_of_area(scale, np.log(ratio)))
    return {"height, width": sides, "top": place(H, sides.of(0)), "left": place(W, sides.of(1)), "key": KEY}


def corners(scale):
    most_x, most_y = int(scale * (W // 2)), int(scale * (H // 2))
    sides = {"left": (0, most_x), "right": (W - 1 - most_x, W - 1), "top": (0, most_y), "bottom": (H - 1 - most_y, H - 1)}
    return {f"{y}_{x}_{axis}": whole(*sides[x if axis == "x" else y])
            for y in ("top", "bottom") for x in ("left", "right") for axis in "xy"}


def operations(n):
    """Of RandAugment's list of 14, each with a sign."""
    return {**{f"op_{i}": whole(0, 13) if i <= n else always(0) for i in range(1, 6)},
            **{f"sign_{i}": SIGN if i <= n else always(0) for i in range(1, 6)}}


def pairs_of_operations(policy):
    """AutoAugment's own table says with which probability each of the two operations of a policy is applied."""
    table = AutoAugment(policy).policies
    laws = {"sign_1": SIGN, "sign_2": SIGN}
    for k in (0, 1):
        applied = {(i, 1): pair[k][1] for i, pair in enumerate(table)}
        laws[f"policy, apply_{k + 1}"] = Discrete({**applied, **{(i, 0): 1 - p for (i, _), p in applied.items()}})
    return laws


ORDERS = one_of(*(int("".join(order)) for order in permutations("1234")))
TORCHVISION = [
    *(step(name, {}, 0.5) for name in ("random_horizontal_flip", "random_vertical_flip", "random_invert", "random_posterize",
                                       "random_solarize", "random_autocontrast", "random_equalize", "random_adjust_sharpness")),
    step("random_grayscale", {}, 0.1),
    step("random_rotation: 15", {"degrees": uniform(-15, 15)}),
    step("random_rotation: {degrees: [-10, 40], p: 0.7}", {"degrees": uniform(-10, 40)}, 0.7),
    step("random_affine: {degrees: 20, translate: [0.3, 0.5], scale: [0.8, 1.5], shear: [-5, 20], shear_y: 8}",
         {"degrees": uniform(-20, 20), "translate_x": rounded(0.3 * W), "translate_y": rounded(0.5 * H),
          "scale": uniform(0.8, 1.5), "shear_x": uniform(-5, 20), "shear_y": uniform(-8, 8)}),
    step("random_perspective", corners(0.5), 0.5),
    step("random_perspective: {distortion_scale: 0.9, p: 1}", corners(0.9)),
    step("random_crop: {padding: 3}", {"top": whole(0, 6), "left": whole(0, 6)}),
    resized(21, 15, f"{{random_crop: {{size: [{H}, {W}]}}}}", {"top": whole(0, 21 - H), "left": whole(0, 15 - W)}),
    step("random_resized_crop", resized_crop((0.08, 1), (3 / 4, 4 / 3))),
    step("random_resized_crop: {scale: [0.2, 0.6], ratio: [0.5, 2]}", resized_crop((0.2, 0.6), (0.5, 2))),
    step("color_jitter: {brightness: 0.4, contrast: 0.3, saturation: [0.5, 2], hue: 0.1}",
         {"order": ORDERS, "brightness": uniform(0.6, 1.4), "contrast": uniform(0.7, 1.3), "saturation": uniform(0.5, 2),
          "hue": uniform(-0.1, 0.1)}),
    step("gaussian_blur", {"sigma": uniform(0.1, 2)}),
    step("random_erasing", erased((0.02, 0.33), (0.3, 3.3)), 0.5),
    step("random_erasing: {scale: [0.1, 0.5], ratio: [0.5, 3], value: random, p: 1}", erased((0.1, 0.5), (0.5, 3))),
    step("rand_augment", operations(2)),
    step("rand_augment: {num_ops: 5}", operations(5)),
    step("trivial_augment_wide", {"op": whole(0, 13), "bin": whole(0, 30), "sign": SIGN}),
    step("auto_augment", pairs_of_operations(AutoAugmentPolicy.IMAGENET)),
    step("auto_augment: {policy: cifar10}", pairs_of_operations(AutoAugmentPolicy.CIFAR10)),
    step("auto_augment: {policy: svhn}", pairs_of_operations(AutoAugmentPolicy.SVHN)),
]


def holes(fewest, most, heights, widths):
    laws = {"holes": whole(fewest, most), "key": KEY}
    for i in range(1, 9):
        of_hole = {"height": heights, "width": widths, "top": place(H, heights), "left": place(W, widths)}
        for side, law in of_hole.items():
            laws[f"{side}_{i} | holes >= {i}" if i <= most else f"{side}_{i}"] = law if i <= most else always(0)
    return laws


def factors(steps, limit):
    return {f"{axis}_{i}": uniform(1 - limit, 1 + limit) if i <= steps else always(0) for axis in "xy" for i in range(17)}


def truncated(low, high):
    return made_of(np.trunc, spread(low, high, 100000))


UNMOVED = dict.fromkeys(("translate_x", "translate_y", "shear_x", "shear_y", "degrees"), always(0))
ALBUMENTATIONS = [
    step("random_gamma", {"gamma": uniform(0.8, 1.2)}, 0.5),
    step("random_gamma: {gamma_limit: [20, 400], p: 1}", {"gamma": uniform(0.2, 4)}),
    step("random_brightness_contrast", {"factor": uniform(0.8, 1.2), "shift": uniform(-51, 51)}, 0.5),
    step("random_brightness_contrast: {brightness_limit: 0.5, contrast_limit: [-1, 2], p: 1}",
         {"factor": uniform(0, 3), "shift": uniform(-127.5, 127.5)}),
    step("hue_saturation_value",
         {"hue_shift": uniform(-20, 20), "sat_shift": uniform(-30, 30), "val_shift": uniform(-20, 20)}, 0.5),
    step("coarse_dropout: {p: 0.9}", holes(1, 2, truncated(0.1 * H, 0.2 * H), truncated(0.1 * W, 0.2 * W)), 0.9),
    step("coarse_dropout: {num_holes_range: [7, 8], hole_height_range: [2, 5], hole_width_range: [1, 40], p: 1}",
         holes(7, 8, whole(2, 5), whole(1, W))),
    step("gauss_noise: {p: 1}", {"std": uniform(0.2, 0.44), "key": KEY}),
    step("gauss_noise", {"std": uniform(0.2, 0.44), "key": KEY}, 0.5),
    step("motion_blur", {"size": one_of(3, 5, 7), "angle": uniform(0, 360), "direction": uniform(-1, 1),
                         "shift_x": uniform(-1, 1), "shift_y": uniform(-1, 1)}, 0.5),
    step("motion_blur: {blur_limit: [4, 10], allow_shifted: false, angle_range: [20, 90], direction_range: [0.2, 1], p: 1}",
         {"size": one_of(5, 7, 9, 11), "angle": uniform(20, 90), "direction": uniform(0.2, 1), "shift_x": always(0),
          "shift_y": always(0)}),
    step("image_compression", {"quality": whole(99, 100)}, 0.5),
    step("image_compression: {quality_range: [30, 50], p: 1}", {"quality": whole(30, 50)}),
    step("clahe", {"clip_limit": uniform(1, 4)}, 0.5),
    step("clahe: {clip_limit: [2, 9], p: 1}", {"clip_limit": uniform(2, 9)}),
    resized(9, 9, "random_rotate90", {"quarters": whole(0, 3)}),
    resized(9, 9, "transpose", {}, 0.5),
    resized(9, 9, "d4", {"element": whole(0, 7)}),
    step("affine: {scale: [0.7, 1.4], translate_percent: [-0.3, 0.5], rotate: [-90, 180], shear: [-30, 20], p: 1}",
         {"scale_x": uniform(0.7, 1.4), "scale_y": uniform(0.7, 1.4), "shear_x": uniform(-30, 20), "shear_y": uniform(-30, 20),
          "degrees": uniform(-90, 180),
          "translate_x": truncated(-0.3 * W, 0.5 * W), "translate_y": truncated(-0.3 * H, 0.5 * H)}),
    step("affine: {scale: [0.5, 3], balanced_scale: true}",
         {**UNMOVED, "scale_x": either(uniform(0.5, 1), uniform(1, 3)), "scale_y": either(uniform(0.5, 1), uniform(1, 3))}, 0.5),
    step("affine: {scale: [0.5, 3], keep_ratio: true, p: 1}",
         {**UNMOVED, "scale_x": uniform(0.5, 3), "scale_y - scale_x": always(0)}),
    step("shift_scale_rotate",
         {"scale_x": uniform(0.9, 1.1), "scale_y": uniform(0.9, 1.1), "degrees": uniform(-45, 45),
          "translate_x": truncated(-0.0625 * W, 0.0625 * W), "translate_y": truncated(-0.0625 * H, 0.0625 * H)}, 0.5),
    step("shift_scale_rotate: {shift_limit: 0.4, scale_limit: [-0.5, 2], rotate_limit: [0, 180], p: 1}",
         {"scale_x": uniform(0.5, 3), "scale_y": uniform(0.5, 3), "degrees": uniform(0, 180),
          "translate_x": truncated(-0.4 * W, 0.4 * W), "translate_y": truncated(-0.4 * H, 0.4 * H)}),
    step("grid_distortion", factors(5, 0.3), 0.5),
    step("grid_distortion: {num_steps: 16, distort_limit: 0.6, p: 1}", factors(16, 0.6)),
]

LITERAL, SIZE = "keras3: literal", f"height: {H}, width: {W}"
JITTER = "brightness_factor: 0.2, contrast_factor: 0.4, saturation_factor: 0.6, hue_factor: 0.1"


def moved_corners(scale, p):
    names = ("top_right_x", "bottom_left_y", "bottom_right_x", "bottom_right_y")
    return {"applied": chance(p), **{name: uniform(-scale / 2, scale / 2) for name in names}}


def erasing(scale, p):
    return {"applied": chance(p), "width": uniform(*scale), "height": uniform(*scale), "left": uniform(0, 1),
            "top": uniform(0, 1), "key": KEY}


def of_rand_augment(n, factor, contrast, bits):
    return {"operations": made_of(lambda *ops: sum(100**i * (1 + op) for i, op in enumerate(ops)), *[np.arange(11)] * n),
            "shear_x": uniform(-factor, factor), "shear_y": uniform(-factor, factor), "sign(shear_x * shear_y)": always(1),
            **dict.fromkeys(("down", "right", "brightness", "degeneration", "sharpness"), uniform(0, factor)),
            "degrees": uniform(0, 360 * factor), "contrast": contrast, "bits": bits,
            "addition": uniform(0, 255 * factor), "threshold": uniform(0, 255 * factor)}


# A probability that Keras draws from [0, v] is v / 2 on the whole. The documentation of some layers says both that v is the
# probability and that it is drawn from [0, v], and of RandomInvert only the latter; docs/augmentation.md says that v is meant.
KERAS = [
    step("keras.random_flip", {"flip": whole(0, 3)}),
    step(f"keras.random_flip: {{{LITERAL}}}", {"flip": HALF}),
    step("keras.random_flip: {mode: vertical}", {"flip": HALF}),
    step("keras.random_rotation: 0.2", {"degrees": uniform(-72, 72)}),
    step("keras.random_zoom: 0.3", {"height_zoom": uniform(0.7, 1.3), "width_zoom - height_zoom": always(0)}),
    step("keras.random_zoom: {height_factor: [-0.2, 0.5], width_factor: 0.4}",
         {"height_zoom": uniform(0.8, 1.5), "width_zoom": uniform(0.6, 1.4)}),
    step("keras.random_translation: {height_factor: 0.2, width_factor: [-0.1, 0.4]}",
         {"down": uniform(-0.2, 0.2), "right": uniform(-0.1, 0.4)}),
    step("keras.random_shear: {x_factor: 0.3, y_factor: [0.1, 0.5]}",
         {"x": uniform(-0.3, 0.3), "y": either_sign(0.1, 0.5), "sign(x * y)": always(1)}),
    step(f"keras.random_shear: {{x_factor: 0.3, y_factor: 0.2, {LITERAL}}}",
         {"x": uniform(-0.3, 0.3), "y": uniform(-0.2, 0.2), "sign(x * y)": SIGN}),
    step("keras.random_perspective: {factor: 0.6, scale: 0.4}", moved_corners(0.4, 0.6)),
    step(f"keras.random_perspective: {{factor: 0.6, {LITERAL}}}", moved_corners(1, 0.3)),
    step("keras.random_perspective: {factor: [0.5, 0.9]}", moved_corners(1, 0.7)),
    resized(21, 15, f"{{keras.random_crop: {{{SIZE}}}}}", {"top": whole(0, 21 - H), "left": whole(0, 15 - W)}),
    resized(21, 15, f"{{keras.random_crop: {{{SIZE}, {LITERAL}}}}}", {"top": whole(0, 21 - H), "left": whole(0, 15 - W)}),
    resized(H, 15, f"{{keras.random_crop: {{{SIZE}}}}}", {"top": always(0), "left": whole(0, 15 - W)}),
    resized(H, 15, f"{{keras.random_crop: {{{SIZE}, {LITERAL}}}}}", {"top": always(0), "left": always((15 - W) // 2)}),
    step("keras.random_brightness: 0.3", {"brightness": uniform(-0.3, 0.3)}),
    step("keras.random_brightness: {factor: [-0.1, 0.6]}", {"brightness": uniform(-0.1, 0.6)}),
    step("keras.random_contrast: 0.3", {"contrast": uniform(0.7, 1.3)}),
    step(f"keras.random_contrast: {{factor: 0.3, {LITERAL}}}", {"contrast": uniform(1, 1.3)}),
    step("keras.random_contrast: {factor: [0.2, 0.6]}", {"contrast": uniform(0.8, 1.6)}),
    step("keras.random_saturation: 0.7", {"saturation": uniform(0, 0.7)}),
    step(f"keras.random_saturation: {{factor: 0.7, {LITERAL}}}", {"saturation": uniform(-0.7, 0.7)}),
    step("keras.random_saturation: {factor: [0.3, 0.8]}", {"saturation": uniform(0.3, 0.8)}),
    step("keras.random_hue: 0.2", {"hue": uniform(-0.2, 0.2)}),
    step("keras.random_hue: {factor: [0.1, 0.4]}", {"hue": either_sign(0.1, 0.4)}),
    step(f"keras.random_color_jitter: {{{JITTER}}}",
         {"brightness": uniform(-0.2, 0.2), "contrast": uniform(0.6, 1.4), "saturation": uniform(0, 0.6),
          "hue": uniform(-0.1, 0.1)}),
    step(f"keras.random_color_jitter: {{{JITTER}, {LITERAL}}}",
         {"brightness": uniform(-0.2, 0.2), "contrast": uniform(1, 1.4), "saturation": uniform(-0.6, 0.6),
          "hue": uniform(-0.1, 0.1)}),
    step("keras.random_color_degeneration: 0.5", {"degeneration": uniform(0, 0.5)}),
    step(f"keras.random_color_degeneration: {{factor: 0.5, {LITERAL}}}", {"degeneration": uniform(-0.5, 0.5)}),
    step("keras.random_sharpness: 0.8", {"sharpness": uniform(0, 0.8)}),
    step("keras.random_grayscale: 0.7", {"applied": chance(0.7)}),
    step("keras.random_invert: 0.6", {"applied": chance(0.6)}),
    step(f"keras.random_invert: {{factor: 0.6, {LITERAL}}}", {"applied": chance(0.3)}),
    step("keras.random_invert: {factor: [0.2, 0.6]}", {"applied": chance(0.4)}),
    step("keras.random_posterization: 4", {"bits": always(4)}),
    step(f"keras.random_posterization: {{factor: 7, {LITERAL}}}", {"bits": whole(1, 6)}),
    step("keras.solarization: {addition_factor: 0.3, threshold_factor: [0.4, 0.8]}",
         {"addition": uniform(0, 76.5), "threshold": uniform(102, 204)}),
    step(f"keras.solarization: {{addition_factor: 0.3, threshold_factor: [0.4, 0.8], {LITERAL}}}",
         {"addition": uniform(0, 76.5), "threshold": uniform(0.4, 204)}),
    step("keras.random_gaussian_blur: {factor: 0.7, sigma: 0.5}",
         {"applied": chance(0.7), "sigma_across": always(0.5), "sigma_down": always(0.5)}),
    step("keras.random_gaussian_blur: {factor: [1, 1], sigma: [0.2, 0.9]}",
         {"applied": always(1), "sigma_across": uniform(0.2, 0.9), "sigma_down - sigma_across": always(0)}),
    step(f"keras.random_gaussian_blur: {{factor: 0.8, sigma: 0.5, {LITERAL}}}",
         {"applied": chance(0.4), "sigma_across": uniform(0, 0.5), "sigma_down": uniform(0, 0.5)}),
    step("keras.random_erasing: {factor: 0.8, scale: [0.1, 0.5]}", erasing((0.1, 0.5), 0.8)),
    step(f"keras.random_erasing: {{{LITERAL}}}", erasing((0.02, 0.33), 0.5)),
    step("keras.rand_augment", of_rand_augment(2, 0.5, uniform(1, 1.5), always(4))),
    step(f"keras.rand_augment: {{num_ops: 1, factor: 0.8, {LITERAL}}}", of_rand_augment(1, 0.8, uniform(1, 1.8), whole(1, 5))),
]


def weights_of(alpha, n=700):
    return stats.beta.ppf(spread(0, 1, n), alpha, alpha)


def around(reach):
    """A box around a pixel of the image, as far as it lies inside; `reach` tells how far it goes before and after the pixel."""
    def ends(weight, centre, side):
        before, after = reach(np.sqrt(1 - weight), side)
        return np.maximum(np.floor(centre) - before, 0), np.minimum(np.floor(centre) + after, side)
    return ends


def inside(weight, part, side):
    """Keras' box, which lies anywhere inside the image: the whole numbers from its beginning to its end."""
    length = np.sqrt(1 - weight) * side
    first = part * (side - length)
    return np.ceil(first), np.minimum(np.ceil(first + length), side)


HALVES = around(lambda root, side: (np.trunc(root * side / 2), np.trunc(root * side / 2)))  # torchvision
SIDES = around(lambda root, side: (np.trunc(root * side) // 2, (np.trunc(root * side) + 1) // 2))  # timm


def box(ends, weights, horizontal, vertical):
    return {"left, right": made_of(lambda weight, at: ends(weight, at, W), weights, horizontal),
            "top, bottom": made_of(lambda weight, at: ends(weight, at, H), weights, vertical)}


def cut(ends, alpha):
    return {**box(ends, weights_of(alpha), spread(0, W), spread(0, H)),
            f"round(label_weight - 1 + (right - left) * (bottom - top) / {W * H}, 6)": always(0), "partner - sample": always(0)}


def box_of_keras():
    """The law of many boxes that are drawn as Keras draws them: the alpha of a batch is uniform. Weights are counted in 20 parts,
    because many are so near to 0 or 1 that a float, which Keras computes with, cannot tell."""
    rng = np.random.default_rng(1)
    alphas = rng.uniform(0, 1, 2000000) + 1e-6
    weights = rng.beta(alphas, alphas).astype(np.float32)
    laws = {f"{first}, {last}": law_of(*inside(weights, rng.random(len(weights), np.float32), side))
            for first, last, side in (("left", "right", W), ("top", "bottom", H))}
    return {**laws, "clip(floor(20 * label_weight), 0, 19)": law_of(np.minimum(np.floor(20 * weights), 19)),
            "partner - sample": always(0)}


# Batches have one image here, whose partner is itself.
ALONE = {"label_weight - weight": always(0), "partner - sample": always(0)}
BATCH = [
    *(step(f"mixup: {{convention: {name}}}", {"weight": beta(0.2), **ALONE}) for name in ("keras", "torch", "timm")),
    step("mixup: {alpha: 3, p: 0.4}", {"weight": beta(3), **ALONE}, 0.4),
    step("cutmix", box_of_keras()),
    step("cutmix: {convention: torch}", cut(HALVES, 1)),
    step("cutmix: {convention: torch, alpha: 0.4, p: 0.6}", cut(HALVES, 0.4), 0.6),
    step("cutmix: {convention: timm}", cut(SIDES, 1)),
    Row("[{mixup: {p: 0.3}}, {cutmix: {p: 0.5}}]", {"steps": Discrete({"mixup": 0.3, "cutmix": 0.5, "": 0.2})}),
    Row("[{mixup: {p: 0.9}}, {cutmix: {p: 0.6}}]", {"steps": Discrete({"mixup": 0.6, "cutmix": 0.4})}),
]

THREE = "[{random_solarize: {p: 0.25}}, {random_posterize: {p: 0.5}}, {random_invert: {p: 0.25}}]"
CERTAIN = THREE.replace("0.25", "1").replace("0.5", "1")
NAMES = ("random_solarize", "random_posterize", "random_invert")
GROUPS = [
    Row(f"[{{one_of: {THREE}}}]", {"steps": Discrete({"": 0.5, **dict(zip(NAMES, (0.125, 0.25, 0.125)))})}),
    Row("[{one_of: {p: 0.8, steps: [{random_solarize: {p: 0.1}}, random_invert]}}]",
        {"steps": Discrete({"": 0.2, "random_solarize": 0.8 / 6, "random_invert": 0.8 * 5 / 6})}),
    Row(f"[{{some_of: {{n: 2, steps: {CERTAIN}}}}}]", {"steps": one_of(*map(" ".join, combinations(NAMES, 2)))}),
    Row(f"[{{some_of: {{p: 0.6, steps: {THREE}}}}}]",
        {"steps": Discrete({"": 0.8, **dict(zip(NAMES, (0.05, 0.1, 0.05)))})}),
    Row("[{sequential: [{random_solarize: {p: 0.3}}, {random_invert: {p: 1}}]}]",
        {"steps": Discrete({"": 0.5, "random_solarize random_invert": 0.15, "random_invert": 0.35})}),
]

FAMILIES = {"generator": GENERATOR, "torchvision": TORCHVISION, "albumentations": ALBUMENTATIONS, "keras": KERAS, "batch": BATCH,
            "group": GROUPS}
# Rules that draw nothing, with what their steps need.
FIXED = {"resize": f": [{H}, {W}]", "center_crop": f": [{H}, {W}]", "normalize": "", "keras.resizing": f": {{{SIZE}}}",
         "keras.auto_contrast": "", "keras.equalization": ""}
SETTINGS = {"era": "keras2.8", "fill_mode": "wrap", "cval": 5, "interpolation_order": 0, "rescale": 0.5, "zca_epsilon": 0.1,
            "samplewise_center": "true", "samplewise_std_normalization": "true", "featurewise_center": "true",
            "featurewise_std_normalization": "true", "zca_whitening": "true"}
