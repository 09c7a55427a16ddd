# SPDX-License-Identifier: Apache-2.0
"""Steps of torchvision that look at neighbours, fill rectangles, or follow a policy: each cell of a sheet is what torchvision's
own functions (v1, Pillow images) make of the image with the numbers of the CSV, and these numbers follow their law."""
import math

import numpy as np
from PIL import Image
from scipy import ndimage, stats
from torchvision.transforms import AutoAugment, AutoAugmentPolicy, InterpolationMode, RandAugment, TrivialAugmentWide
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import _apply_op

from harness import run_tests
from sheets import SIDE, draw, make_job

JOB = """augmentations:
  sharp: [{random_adjust_sharpness: 2.3}]
  smooth: [{random_adjust_sharpness: {sharpness_factor: 0.4, p: 1}}]
  blur: [{gaussian_blur: 5}]
  wide_blur: [{gaussian_blur: {kernel_size: [3, 23], sigma: [0.5, 4]}}]
  rand: [rand_augment]
  rand_strong: [{rand_augment: {num_ops: 4, magnitude: 27, interpolation: bilinear, fill: 99}}]
  rand_bins: [{rand_augment: {magnitude: 6, num_magnitude_bins: 10}}]
  trivial: [trivial_augment_wide]
  trivial_smoothly: [{trivial_augment_wide: {num_magnitude_bins: 8, interpolation: bilinear, fill: 31}}]
  imagenet: [auto_augment]
  cifar10: [{auto_augment: cifar10}]
  svhn: [{auto_augment: {policy: svhn, fill: 128}}]
  erased: [{random_erasing: {p: 0.7, value: 255}}]
  erased_by_colour: [{random_erasing: {scale: [0.1, 0.9], ratio: [0.5, 2], value: [3, 200, 90]}}]
  erased_by_noise: [{random_erasing: {p: 1, scale: [0.2, 0.3], value: random}}]
"""
make_job(JOB)
NEAREST, BILINEAR = InterpolationMode.NEAREST, InterpolationMode.BILINEAR
OPERATIONS = list(RandAugment()._augmentation_space(31, (SIDE, SIDE))) + ["Invert"]
SAMPLING = {"rand_strong": (BILINEAR, 99), "trivial_smoothly": (BILINEAR, 31), "svhn": (NEAREST, 128)}


def operated(image, name, strengths, bin_index, sign, sampling):
    values, has_sign = strengths[name]
    value = float(values[bin_index]) if values.ndim > 0 else 0.0
    return _apply_op(image, name, value * sign if has_sign else value, sampling[0], [sampling[1]] * 3)


def rand_augmented(image, n, name):
    ops, magnitude, bins = {"rand": (2, 9, 31), "rand_strong": (4, 27, 31), "rand_bins": (2, 6, 10)}[name]
    strengths = RandAugment()._augmentation_space(bins, (SIDE, SIDE))
    for i in range(1, ops + 1):
        image = operated(image, OPERATIONS[int(n[f"op_{i}"])], strengths, magnitude, n[f"sign_{i}"], SAMPLING.get(name, (NEAREST, 0)))
    return image


def trivially_augmented(image, n, name):
    strengths = TrivialAugmentWide()._augmentation_space(31 if name == "trivial" else 8)
    return operated(image, OPERATIONS[int(n["op"])], strengths, int(n["bin"]), n["sign"], SAMPLING.get(name, (NEAREST, 0)))


def auto_augmented(image, n, name):
    auto = AutoAugment(AutoAugmentPolicy(name))
    strengths = auto._augmentation_space(10, (SIDE, SIDE))
    for i, (operation, _, bin_index) in enumerate(auto.policies[int(n["policy"])], 1):
        if n[f"apply_{i}"]:
            image = operated(image, operation, strengths, bin_index, n[f"sign_{i}"], SAMPLING.get(name, (NEAREST, 0)))
    return image


def erased(image, n, name):
    value = {"erased": [255] * 3, "erased_by_colour": [3, 200, 90]}[name]
    tensor = F.pil_to_tensor(image)
    tensor = F.erase(tensor, int(n["top"]), int(n["left"]), int(n["height"]), int(n["width"]),
                     tensor.new_tensor(value)[:, None, None])
    return F.to_pil_image(tensor)


STEPS = {
    "random_adjust_sharpness": lambda image, n, name: F.adjust_sharpness(image, {"sharp": 2.3, "smooth": 0.4}[name]),
    "rand_augment": rand_augmented, "trivial_augment_wide": trivially_augmented, "auto_augment": auto_augmented,
    "random_erasing": erased,
}


def test_the_cells_are_those_of_torchvision():
    for name in ("sharp", "smooth", "rand", "rand_strong", "rand_bins", "trivial", "trivial_smoothly", "imagenet", "cifar10", "svhn",
                 "erased", "erased_by_colour"):
        changed = 0
        for cell in draw("job.yaml", name, 12, 50):
            image = Image.fromarray(cell.before)
            for step, numbers in cell.steps:
                image = STEPS[step](image, numbers, name)
            off = np.abs(np.asarray(image).astype(int) - cell.after).max()
            assert off == 0, f"{name}: {cell.steps} is off by {off}"
            changed += (cell.after != cell.before).any()
        print(f"{name}: 600 images are equal, {changed} of them changed")
        assert changed > 200, name


def test_a_blur_is_that_of_torchvision_but_for_its_rounding_of_floats():
    """torchvision adds up floats in an order of its own. A value so near to the middle of two bytes may be rounded to either."""
    for name, size in (("blur", [5, 5]), ("wide_blur", [3, 23])):
        undecided = changed = 0
        for cell in draw("job.yaml", name, 12, 25):
            sigma = cell.numbers()["sigma"]
            want = np.asarray(F.gaussian_blur(Image.fromarray(cell.before), size, [sigma, sigma])).astype(int)
            exact = cell.before.astype(float)
            for axis, width in ((1, size[0]), (0, size[1])):
                weights = np.exp(-0.5 * (np.arange(-(width // 2), width // 2 + 1) / sigma) ** 2)
                exact = ndimage.correlate1d(exact, weights / weights.sum(), axis, mode="mirror")
            near = np.abs(exact - np.floor(exact) - 0.5) < 1e-4
            assert (cell.after == want)[~near].all() and np.abs(cell.after - want).max() <= 1, (name, sigma)
            undecided += near.sum()
            changed += (cell.after != cell.before).any()
        print(f"{name}: 300 images are equal but for rounding, which {undecided} of {300 * SIDE * SIDE * 3} values leave open")
        assert undecided < 2000 and changed > 200


def test_operations_signs_and_strengths_are_drawn_evenly():
    rows = [cell.numbers() for cell in draw("job.yaml", "rand_strong", 84, 25)]
    for i in range(1, 5):
        counts = np.bincount([int(row[f"op_{i}"]) for row in rows], minlength=14)
        assert len(counts) == 14 and stats.chisquare(counts).pvalue > 1e-3, counts
        assert stats.binomtest(sum(row[f"sign_{i}"] == 1 for row in rows), len(rows)).pvalue > 1e-3
    pairs = np.bincount([int(row["op_1"]) * 14 + int(row["op_2"]) for row in rows], minlength=196)
    assert stats.chisquare(pairs).pvalue > 1e-3
    rows = [cell.numbers() for cell in draw("job.yaml", "trivial", 84, 25)]
    for number, count in (("op", 14), ("bin", 31)):
        counts = np.bincount([int(row[number]) for row in rows], minlength=count)
        assert len(counts) == count and stats.chisquare(counts).pvalue > 1e-3, counts


def test_a_policy_is_one_of_25_and_applies_its_operations_with_their_probability():
    for name in ("imagenet", "cifar10", "svhn"):
        rows = [cell.numbers() for cell in draw("job.yaml", name, 84, 25)]
        counts = np.bincount([int(row["policy"]) for row in rows], minlength=25)
        assert len(counts) == 25 and stats.chisquare(counts).pvalue > 1e-3, counts
        for i in (1, 2):
            applied, expected, spread = 0, 0, 0
            for row in rows:
                p = AutoAugment(AutoAugmentPolicy(name)).policies[int(row["policy"])][i - 1][1]
                applied, expected, spread = applied + row[f"apply_{i}"], expected + p, spread + p * (1 - p)
                assert row[f"apply_{i}"] == p or 0 < p < 1, (name, row)
            assert abs(applied - expected) < 4 * math.sqrt(spread), (name, i, applied, expected)


def test_the_erased_rectangle_follows_its_law():
    """The rectangles are drawn again by torchvision's formulas; the areas, ratios and places must be distributed alike."""
    rows = [cell.numbers() for cell in draw("job.yaml", "erased", 84, 25) if cell.steps]
    assert stats.binomtest(len(rows), 84 * 25, 0.7).pvalue > 1e-3
    random, law = np.random.default_rng(1), []
    while len(law) < 100000:
        area, ratio = SIDE * SIDE * random.uniform(0.02, 0.33), math.exp(random.uniform(math.log(0.3), math.log(3.3)))
        height, width = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if height < SIDE and width < SIDE:
            law.append((height, width, random.integers(0, SIDE - height + 1), random.integers(0, SIDE - width + 1)))
    for k, number in enumerate(("height", "width", "top", "left")):
        expected = np.bincount([row[k] for row in law], minlength=SIDE) / len(law) * len(rows)
        counts = np.bincount([int(row[number]) for row in rows], minlength=SIDE)
        seen = expected > 5
        p = stats.chi2_contingency(np.array([counts[seen], expected[seen] * len(law) / len(rows)])).pvalue
        print(f"{number}: p = {p:.3f}")
        assert p > 1e-3, (number, counts)


def test_erasing_by_noise_is_normal_after_the_normalisation():
    values, outside = [], 0
    for cell in draw("job.yaml", "erased_by_noise", 84, 25):
        n = {name: int(value) for name, value in cell.numbers().items()}
        box = np.s_[n["top"]:n["top"] + n["height"], n["left"]:n["left"] + n["width"]]
        values.append(cell.after[box].reshape(-1, 3))
        rest = np.ones((SIDE, SIDE), bool)
        rest[box] = False
        outside += (cell.after != cell.before)[rest].sum()
    values = np.concatenate(values)
    assert outside == 0 and len(values) > 400000
    assert np.abs(np.corrcoef(values.T) - np.eye(3)).max() < 0.01
    assert abs(np.corrcoef(values[:-1, 0], values[1:, 0])[0, 1]) < 0.01
    for c, (mean, deviation) in enumerate(zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))):
        law = stats.norm(255 * mean, 255 * deviation)
        edges = np.arange(8, 249, 8)
        off = np.abs(np.mean(values[:, c, None] < edges, 0) - law.cdf(edges - 0.5)).max()
        print(f"channel {c}: distribution off by {off:.4f}")
        assert off < 0.01, (c, off)


run_tests(globals())
