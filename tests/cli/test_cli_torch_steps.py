# SPDX-License-Identifier: Apache-2.0
"""Steps of torchvision: each cell of a sheet is, byte for byte, what torchvision's own functions (v1, Pillow images) make of
the image with the numbers of the CSV, and these numbers follow the law that torchvision documents."""
import numpy as np
from PIL import Image, ImageOps
from scipy import stats
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

from harness import run, run_ok, run_tests, write_job
from sheets import HEAD, SIDE, draw, make_job

JOB = """augmentations:
  turned: [{random_rotation: 15}]
  turned_smoothly: [{random_rotation: {degrees: [-50, 190], interpolation: bilinear, fill: 77}}]
  quarter: [{random_rotation: [90, 90]}]
  affine: [{random_affine: {degrees: 30, translate: [0.2, 0.1], scale: [0.7, 1.3], shear: 20, shear_y: [-5, 9]}}]
  affine_smoothly:
    - random_affine: {degrees: 0, translate: 0.3, scale: [0.7, 1.3], interpolation: bilinear, fill: 9}
  scaled: [{random_affine: {degrees: 0, scale: [0.7, 1.3]}}]
  perspective: [{random_perspective: {distortion_scale: 0.4, p: 0.7}}]
  perspective_nearest: [{random_perspective: {interpolation: nearest, fill: 200}}]
  crop: [{random_crop: {padding: 4}}]
  crop_edge: [{random_crop: {size: 32, padding: 3, padding_mode: edge}}]
  crop_symmetric: [{random_crop: {padding: 5, padding_mode: symmetric}}]
  resized_crop: [random_resized_crop]
  small_and_back: [{random_resized_crop: {size: [20, 41], scale: [0.3, 0.7]}}, {resize: [32, 32]}]
  large_and_cut: [{resize: [45, 50]}, random_horizontal_flip, {random_crop: [33, 34]}, {center_crop: 32}]
  jitter: [{color_jitter: {brightness: 0.5, contrast: 0.6, saturation: [0.2, 2], hue: 0.3}}]
  two: [{color_jitter: {brightness: 0.2, contrast: 0.2}}]
  colours: [random_grayscale, random_invert, {random_posterize: 3}, {random_solarize: 150}, random_autocontrast, random_equalize]
  equal: [{random_equalize: {p: 1}}]
  stretched: [{random_autocontrast: {p: 1}}]
  car:
    - random_horizontal_flip
    - {random_rotation: 15}
    - {color_jitter: {brightness: 0.2, contrast: 0.2}}
    - {random_perspective: {distortion_scale: 0.2, p: 0.5}}
    - {random_vertical_flip: {p: 0.3}}
    - {random_rotation: 5}
"""
make_job(JOB)
NEAREST, BILINEAR = InterpolationMode.NEAREST, InterpolationMode.BILINEAR
SETTINGS = {  # what the numbers of the CSV do not say
    "turned_smoothly": {"interpolation": BILINEAR, "fill": 77}, "affine_smoothly": {"interpolation": BILINEAR, "fill": 9},
    "perspective_nearest": {"interpolation": NEAREST, "fill": 200}, "crop_edge": {"padding": 3, "mode": "edge"},
    "crop_symmetric": {"padding": 5, "mode": "symmetric"}, "crop": {"padding": 4, "mode": "constant"},
    "colours": {"bits": 3, "threshold": 150}, "small_and_back": {"size": (20, 41)}, "large_and_cut": {"size": (33, 34)},
}


def rotated(image, n, interpolation=NEAREST, fill=0):
    return F.rotate(image, n["degrees"], interpolation, fill=fill)


def affine(image, n, interpolation=NEAREST, fill=0):
    return F.affine(image, n["degrees"], [int(n["translate_x"]), int(n["translate_y"])], n["scale"],
                    [n["shear_x"], n["shear_y"]], interpolation, fill=fill)


class Undecided(Exception):
    """A pixel shows, but for rounding, exactly the edge of the image: which side it is on depends on how equations are solved."""


def perspective(image, n, interpolation=BILINEAR, fill=0):
    """torchvision's coefficients, in the double precision that its later versions use."""
    w, h = image.size
    corners = [(0, 0), (w - 1, 0), (w - 1, h - 1), (0, h - 1)]
    moved = [(n[f"{c}_x"], n[f"{c}_y"]) for c in ("top_left", "top_right", "bottom_right", "bottom_left")]
    rows = []
    for (x, y), (u, v) in zip(moved, corners):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    coefficients = np.linalg.lstsq(np.array(rows), np.array(corners, float).ravel(), rcond=None)[0].astype(np.float32)
    y, x = np.mgrid[0:h, 0:w] + 0.5
    a, b, c, d, e, f, g, k = coefficients.astype(float)
    u, v = (a * x + b * y + c) / (g * x + k * y + 1), (d * x + e * y + f) / (g * x + k * y + 1)
    if min(np.abs(place).min() for place in (u, v, u - w, v - h)) < 1e-9:
        raise Undecided
    method = Image.BILINEAR if interpolation == BILINEAR else Image.NEAREST
    return image.transform(image.size, Image.PERSPECTIVE, coefficients.tolist(), method, fillcolor=(fill,) * 3)


def cropped(image, n, padding=0, mode="constant", size=None, **_):
    padded = F.pad(image, padding, 0, mode)
    return F.crop(padded, int(n["top"]), int(n["left"]), *(size or (image.height, image.width)))


def resized_crop(image, n, size=(SIDE, SIDE), **_):
    return F.resized_crop(image, int(n["top"]), int(n["left"]), int(n["height"]), int(n["width"]), size, BILINEAR)


def jittered(image, n):
    changes = [(F.adjust_brightness, "brightness"), (F.adjust_contrast, "contrast"), (F.adjust_saturation, "saturation"),
               (F.adjust_hue, "hue")]
    for digit in f"{int(n['order']):04d}":
        change, name = changes[int(digit) - 1]
        if n[name] != (0 if name == "hue" else 1):  # a change that is not asked for is left out
            image = change(image, n[name])
    return image


RESIZE = {(20, 41): (32, 32), (33, 34): (45, 50)}
STEPS = {
    "random_horizontal_flip": lambda image, n, **_: F.hflip(image), "random_vertical_flip": lambda image, n: F.vflip(image),
    "random_rotation": rotated, "random_affine": affine, "random_perspective": perspective, "random_crop": cropped,
    "random_resized_crop": resized_crop, "resize": lambda image, n, **s: F.resize(image, RESIZE[s["size"]], BILINEAR),
    "center_crop": lambda image, n, **_: F.center_crop(image, SIDE),
    "color_jitter": jittered, "random_grayscale": lambda image, n, **_: F.to_grayscale(image, 3),
    "random_invert": lambda image, n, **_: F.invert(image),
    "random_posterize": lambda image, n, bits, **_: F.posterize(image, bits),
    "random_solarize": lambda image, n, threshold, **_: ImageOps.solarize(image, threshold),
    "random_autocontrast": lambda image, n, **_: F.autocontrast(image), "random_equalize": lambda image, n, **_: F.equalize(image),
}


def test_the_cells_are_those_of_torchvision():
    for name in [line.split(":")[0].strip() for line in JOB.splitlines() if line.startswith("  ") and line[2] != " "]:
        changed = left_out = 0
        for cell in draw("job.yaml", name, 12, 25):
            image = Image.fromarray(cell.before)
            try:
                for step, numbers in cell.steps:
                    image = STEPS[step](image, numbers, **SETTINGS.get(name, {}))
            except Undecided:
                left_out += 1
                continue
            want = np.asarray(image)
            off = np.abs(want.astype(int) - cell.after).max()
            assert off == 0, f"{name}: {cell.steps} is off by {off} at {(want != cell.after).any(-1).sum()} pixels"
            changed += (cell.after != cell.before).any()
        print(f"{name}: {300 - left_out} images are equal, {changed} of them changed")
        assert changed > 100 and left_out < 15, name


def test_the_steps_follow_the_order_of_the_list_and_their_probability():
    cells = draw("job.yaml", "car", 84, 25)
    order = ["random_horizontal_flip", "random_rotation", "color_jitter", "random_perspective", "random_vertical_flip",
             "random_rotation"]
    counts = dict.fromkeys(order, 0)
    for cell in cells:
        names, rest = [step for step, _ in cell.steps], iter(order)
        assert all(name in rest for name in names), names
        for name in names:
            counts[name] += 1
    assert counts["random_rotation"] == 2 * len(cells) and counts["color_jitter"] == len(cells)
    for name, p in (("random_horizontal_flip", 0.5), ("random_perspective", 0.5), ("random_vertical_flip", 0.3)):
        assert stats.binomtest(counts[name], len(cells), p).pvalue > 1e-3, (name, counts[name])


def test_two_steps_of_one_name_draw_different_numbers():
    pairs = [[numbers["degrees"] for step, numbers in cell.steps if step == "random_rotation"]
             for cell in draw("job.yaml", "car", 84, 25)]
    first, second = np.array(pairs).T
    assert stats.kstest(first, "uniform", (-15, 30)).pvalue > 1e-3 and stats.kstest(second, "uniform", (-5, 10)).pvalue > 1e-3
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1


def test_the_numbers_follow_their_law():
    laws = {"affine": {"degrees": (-30, 60), "scale": (0.7, 0.6), "shear_x": (-20, 40), "shear_y": (-5, 14)},
            "jitter": {"brightness": (0.5, 1), "contrast": (0.4, 1.2), "saturation": (0.2, 1.8), "hue": (-0.3, 0.6)},
            "turned_smoothly": {"degrees": (-50, 240)}}
    for name, numbers in laws.items():
        rows = [cell.numbers() for cell in draw("job.yaml", name, 84, 25)]
        for number, (low, width) in numbers.items():
            drawn = [row[number] for row in rows]
            p, wrong = (stats.kstest(drawn, "uniform", (low, width * by)).pvalue for by in (1, 1.1))
            print(f"{name} {number}: uniform from {low} to {low + width}, p = {p:.3f}")
            assert p > 1e-3 and wrong < 1e-3, (name, number)
        if name == "jitter":
            orders = [row["order"] for row in rows]
            counts = [orders.count(order) for order in set(orders)]
            assert len(counts) == 24 and stats.chisquare(counts).pvalue > 1e-3, counts
        if name == "affine":  # U(-0.2, 0.2) of 32 pixels, rounded
            most = 0.2 * SIDE
            edges = np.clip(np.arange(-7, 8) - 0.5, -most, most)
            counts = np.histogram([row["translate_x"] for row in rows], np.arange(-7, 8) - 0.5)[0]
            kept = np.diff(edges) > 0
            assert counts[~kept].sum() == 0
            expected = np.diff(edges)[kept] / (2 * most) * len(rows)
            assert stats.chisquare(counts[kept], expected).pvalue > 1e-3, counts


def test_corners_and_places_are_uniform_whole_numbers():
    rows = [cell.numbers() for cell in draw("job.yaml", "perspective", 84, 25) if cell.steps]
    assert stats.binomtest(len(rows), 84 * 25, 0.7).pvalue > 1e-3
    most = int(0.4 * (SIDE // 2))
    for number, first in (("top_left_x", 0), ("top_right_x", SIDE - 1 - most), ("bottom_right_y", SIDE - 1 - most)):
        counts = np.bincount([int(row[number]) - first for row in rows])
        assert len(counts) == most + 1 and stats.chisquare(counts).pvalue > 1e-3, (number, counts)
    rows = [cell.numbers() for cell in draw("job.yaml", "crop", 84, 25)]
    counts = np.bincount([int(row["top"]) * 9 + int(row["left"]) for row in rows])
    assert len(counts) == 81 and stats.chisquare(counts).pvalue > 1e-3


def test_a_part_has_the_documented_area_and_ratio():
    rows = [cell.numbers() for cell in draw("job.yaml", "resized_crop", 84, 25)]
    area = np.array([row["height"] * row["width"] / SIDE**2 for row in rows])
    ratio = np.array([row["width"] / row["height"] for row in rows])
    assert area.min() > 0.06 and area.max() <= 1 and 0.7 < ratio.min() and ratio.max() < 1.43, (area.min(), ratio.min())
    rng = np.random.default_rng(1)  # the documented rejection, drawn independently; sides are rounded to pixels
    want = []
    while len(want) < 20000:
        a, r = rng.uniform(0.08, 1) * SIDE**2, np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
        w, h = round((a * r)**0.5), round((a / r)**0.5)
        if w <= SIDE and h <= SIDE:
            want.append(h * w / SIDE**2)
    assert stats.ks_2samp(area, want).pvalue > 1e-3


def test_sizes_that_do_not_fit_are_refused():
    for steps, message in (
        ("[{random_crop: 40}]", "random_crop: 40x40 is larger than the image, which is 32x32"),
        ("[{center_crop: [32, 33]}]", "center_crop: 32x33 is larger than the image"),
        ("[{random_crop: 24}]", "train images: augmentation makes an image of 24x24, but the network takes 32x32"),
        ("[{one_of: [{random_crop: 24}]}]", "random_crop cannot stand in a group"),
        ("[{resize: {size: 40, p: 0.5}}]", "resize cannot have a p below 1")):
        write_job(HEAD + f"train: {{augment: small}}\naugmentations: {{small: {steps}}}\n", "sizes.yaml")
        done = run("train", "--dry-run", "sizes.yaml")
        assert done.returncode != 0 and message in done.stderr, (steps, done.stderr)


def test_a_job_trains_on_parts_of_larger_images():
    write_job(HEAD.replace("data.h5}", "data.h5, image: [24, 24]}") + "train: {augment: part, epochs: 1}\n"
              "augmentations: {part: [{random_crop: 24}]}\n", "part.yaml")
    run_ok("train", "part.yaml")


run_tests(globals())
