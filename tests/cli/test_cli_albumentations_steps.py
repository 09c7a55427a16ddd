# SPDX-License-Identifier: Apache-2.0
"""Steps of albumentations: each cell of a sheet is what albumentations' own functions make of the image with the numbers of the
CSV, and some of these are drawn as albumentations itself draws them; test_cli_laws.py tests their laws. CNNSWEEP_KERAS_PYTHON
names a Python that has albumentations."""
import os
import sys

PYTHON = os.environ.get("CNNSWEEP_KERAS_PYTHON")
try:
    import albumentations
except ImportError:
    if PYTHON and sys.argv[1:] != ["again"]:
        os.execv(PYTHON, [PYTHON, __file__, "again"])
    print("CNNSWEEP_KERAS_PYTHON names no Python with albumentations: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 0)

import cv2
import numpy as np
from albumentations.augmentations.blur import functional as blur
from albumentations.augmentations.dropout import functional as dropout
from albumentations.augmentations.geometric import functional as geometric
from albumentations.augmentations.pixel import functional as pixel
from albumentations.core.type_definitions import d4_group_elements
from scipy import ndimage, stats

from harness import run, run_tests
from sheets import SIDE, draw, images, make_data_anew, make_job, make_noise

JOB = """augmentations:
  gamma: [random_gamma]
  gamma_strong: [{random_gamma: {gamma_limit: [20, 400], p: 1}}]
  light: [random_brightness_contrast]
  light_strong: [{random_brightness_contrast: {brightness_limit: 0.5, contrast_limit: [-1, 2], p: 1}}]
  holes: [{coarse_dropout: {p: 0.8, fill: 255}}]
  holes_in_pixels:
    - coarse_dropout: {num_holes_range: [3, 8], hole_height_range: [2, 9], hole_width_range: [1, 40], fill: [9, 0, 200]}
  holes_of_noise: [{coarse_dropout: {num_holes_range: [1, 1], hole_height_range: [0.5, 0.9], fill: random, p: 1}}]
  holes_of_colour: [{coarse_dropout: {num_holes_range: [1, 1], hole_height_range: [0.5, 0.9], fill: random_uniform, p: 1}}]
  compressed: [image_compression]
  compressed_much: [{image_compression: {quality_range: [1, 80], p: 1}}]
  equalized: [clahe]
  equalized_much: [{clahe: {clip_limit: 30, tile_grid_size: [3, 5], p: 1}}]
  equalized_at_once: [{clahe: {clip_limit: [1, 1.5], tile_grid_size: 1, p: 1}}]
  turned: [random_rotate90]
  transposed: [transpose]
  square: [d4]
  square_again: [transpose, {random_rotate90: {p: 0.7}}, random_horizontal_flip, d4]
  shifted: [hue_saturation_value]
  shifted_far: [{hue_saturation_value: {hue_shift_limit: 180, sat_shift_limit: 255, val_shift_limit: [-100, 255], p: 1}}]
  not_shifted: [{hue_saturation_value: {hue_shift_limit: 0, sat_shift_limit: 0, val_shift_limit: 0, p: 1}}]
  affine: [{affine: {scale: [0.7, 1.4], translate_percent: [-0.3, 0.2], rotate: [-90, 180], shear: [-30, 20], p: 0.9}}]
  affine_constant: [{affine: {scale: [0.3, 1.4], rotate: [-9, 360], translate_percent: 0.2, shear: 7, fill: [9, 80, 200], p: 1}}]
  affine_replicate: [{affine: {scale: [0.1, 1.4], rotate: [-9, 360], border_mode: replicate, keep_ratio: true, p: 1}}]
  affine_reflect: [{affine: {scale: [0.1, 1.4], rotate: [-9, 360], border_mode: reflect, balanced_scale: true, p: 1}}]
  affine_reflect_101: [{affine: {scale: [0.1, 1.4], rotate: [-9, 360], border_mode: reflect_101, p: 1}}, random_horizontal_flip]
  affine_nearest: [{affine: {scale: [0.3, 1.4], rotate: [-9, 360], shear: [-30, 20], interpolation: nearest, fill: 77, p: 1}}]
  limits: [shift_scale_rotate]
  limits_far: [{shift_scale_rotate: {shift_limit: 0.3, scale_limit: [-0.5, 2], rotate_limit: 180, border_mode: reflect_101, p: 1}}]
  balanced: [{affine: {scale: [0.5, 2], balanced_scale: true, p: 1}}]
  grid: [grid_distortion]
  grid_reflect_101: [{grid_distortion: {num_steps: 16, distort_limit: [-0.6, 0.8], border_mode: reflect_101, p: 1}}]
  grid_constant: [{grid_distortion: {num_steps: 3, distort_limit: 0.9, normalized: false, fill: [9, 80, 200], p: 1}}]
  grid_nearest: [{grid_distortion: {num_steps: 1, normalized: false, interpolation: nearest, border_mode: replicate, p: 1}}]
  motion: [motion_blur]
  motion_far: [{motion_blur: {blur_limit: [4, 31], allow_shifted: false, direction_range: [0.2, 1], p: 1}}]
  noise: [{gauss_noise: {std_range: [0.1, 0.1], p: 1}}]
  noise_grey: [{gauss_noise: {std_range: [0.02, 0.3], per_channel: false, p: 1}}]
"""
make_job(JOB)


def with_holes(image, n, name):
    boxes = [[int(n[f"{side}_{i}"]) for side in ("left", "top", "width", "height")] for i in range(1, int(n["holes"]) + 1)]
    holes = np.array([[left, top, left + width, top + height] for left, top, width, height in boxes])
    return dropout.cutout(image, holes, {"holes": 255, "holes_in_pixels": (9, 0, 200)}[name], np.random.default_rng(0))


BORDERS = {"replicate": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT, "reflect_101": cv2.BORDER_REFLECT_101,
           "far": cv2.BORDER_REFLECT_101}
FILLS = {"affine_constant": (9, 80, 200), "grid_constant": (9, 80, 200), "affine_nearest": (77, 77, 77)}


def moved(image, n, name):
    shape = image.shape[:2]
    matrix = geometric.create_affine_transformation_matrix(
        *({axis: sign * n.get(f"{number}_{axis}", 0) for axis in "xy"} for number, sign in (("translate", 1), ("shear", -1), ("scale", 1))),
        n["degrees"], geometric.center(shape))
    return geometric.warp_affine(image, matrix, cv2.INTER_NEAREST if "nearest" in name else cv2.INTER_LINEAR,
                                 FILLS.get(name, (0, 0, 0)), BORDERS.get(name.partition("_")[2], cv2.BORDER_CONSTANT), shape)


def stretched(image, n, name):
    shape, steps = image.shape[:2], {"grid": 5, "grid_reflect_101": 16, "grid_constant": 3, "grid_nearest": 1}[name]
    factors = {f"{axis}_steps": [n[f"{axis}_{i}"] for i in range(steps + 1)] for axis in "xy"}
    if name in ("grid", "grid_reflect_101"):
        normalized = geometric.normalize_grid_distortion_steps(shape, steps, **factors)
        factors = {f"{axis}_steps": normalized[f"steps_{axis}"] for axis in "xy"}
    x, y = geometric.generate_grid(shape, factors["x_steps"], factors["y_steps"], steps)
    return geometric.remap(image, x, y, cv2.INTER_NEAREST if name == "grid_nearest" else cv2.INTER_LINEAR,
                           {**BORDERS, "nearest": cv2.BORDER_REPLICATE}.get(name.partition("_")[2], cv2.BORDER_CONSTANT),
                           FILLS.get(name, (0, 0, 0)))


STEPS = {
    "grid_distortion": stretched,
    "affine": moved,
    "shift_scale_rotate": moved,
    "random_gamma": lambda image, n, name: pixel.gamma_transform(image, n["gamma"]),
    "random_brightness_contrast": lambda image, n, name: albumentations.RandomBrightnessContrast().apply(image, n["factor"], n["shift"]),
    "coarse_dropout": with_holes,
    "clahe": lambda image, n, name: pixel.clahe(
        image, n["clip_limit"], {"equalized": (8, 8), "equalized_much": (3, 5), "equalized_at_once": (1, 1)}[name]),
    "random_rotate90": lambda image, n, name: geometric.rot90(image, int(n["quarters"])),
    "transpose": lambda image, n, name: geometric.transpose(image),
    "d4": lambda image, n, name: geometric.d4(image, d4_group_elements[int(n["element"])]),
    "random_horizontal_flip": lambda image, n, name: geometric.hflip(image),
    "hue_saturation_value": lambda image, n, name: pixel.shift_hsv(image, n["hue_shift"], n["sat_shift"], n["val_shift"]),
    "image_compression": lambda image, n, name: pixel.image_compression(image, int(n["quality"]), ".jpg"),
}


def check_cells(*names):
    for name in names:
        changed = 0
        for cell in draw("job.yaml", name, 12, 25):
            image = cell.before.copy()
            for step, numbers in cell.steps:
                image = STEPS[step](image, numbers, name)
            off = np.abs(image.astype(int) - cell.after).max()
            assert off == 0, f"{name}: {cell.steps} is off by {off}"
            changed += (cell.after != cell.before).any()
        print(f"{name}: 300 images are equal, {changed} of them changed")
        assert changed > 100, name


def test_the_cells_are_those_of_albumentations():
    check_cells("gamma", "gamma_strong", "light", "light_strong", "holes", "holes_in_pixels", "compressed", "compressed_much")


def test_clahe_is_that_of_albumentations_whether_or_not_the_tiles_divide_the_image():
    for size in ("40x24", "50x37", "32x45", f"{SIDE}x{SIDE}"):  # the last one is that of the other tests
        make_data_anew(size)
        check_cells("equalized", "equalized_much", "equalized_at_once")


def test_symmetries_of_a_square_are_those_of_albumentations_and_equally_likely():
    check_cells("turned", "transposed", "square", "square_again")
    for name, number, ways in (("turned", "quarters", 4), ("square", "element", 8)):
        drawn = [int(cell.numbers()[number]) for cell in draw("job.yaml", name, 84, 25)]
        counts = np.bincount(drawn, minlength=ways)
        print(f"{name}: {counts}")
        assert len(counts) == ways and stats.chisquare(counts).pvalue > 1e-3, counts


def test_symmetries_of_a_square_refuse_other_images():
    make_data_anew("40x24")
    for name in ("turned", "transposed", "square"):
        for command in (("preview", "job.yaml", "--augment", name, "--out", "sheet.png"),
                        ("train", "job.yaml", "--set", f"train.augment={name}", "--out", "out")):
            refused = run(*command)
            assert refused.returncode != 0 and "takes square images only, and this one is" in refused.stderr, refused.stderr
    make_data_anew(f"{SIDE}x{SIDE}")


def test_shifts_in_hsv_are_those_of_albumentations_but_in_the_last_columns():
    """OpenCV computes 32 pixels of a line at once (or 16) and truncates them. The rest of the line, fewer than 32, it rounds."""
    for size in ("72x40", f"{SIDE}x{SIDE}"):
        make_data_anew(size)
        make_noise()
        assert np.abs(np.diff(images()[:99].astype(int), axis=2)).mean() > 80, "these are no random bytes"
        for name in ("shifted", "shifted_far"):
            changed = last = 0
            for cell in draw("job.yaml", name, 12, 25):
                image = cell.before.copy()
                for step, numbers in cell.steps:
                    image = STEPS[step](image, numbers, name)
                whole = cell.after.shape[1] // 32 * 32
                off = np.abs(image.astype(int) - cell.after)
                assert off[:, :whole].max() == 0 and off.max() <= 1, cell.steps
                last += (off > 0).sum()
                changed += (cell.after != cell.before).any()
            print(f"{name}, {size}: {changed} images are equal but for {last} values of the last columns")
            assert changed > 100 and (last > 0) == (size != f"{SIDE}x{SIDE}")
    make_data_anew(f"{SIDE}x{SIDE}")


def test_without_a_shift_an_image_is_not_converted():
    assert all((cell.after == cell.before).all() for cell in draw("job.yaml", "not_shifted", 12, 2))


def test_maps_are_those_of_albumentations_but_for_rounding():
    """Of random bytes. OpenCV's own last columns of a line are rounded otherwise; the nearest pixel may be another one, too."""
    for size in ("72x40", f"{SIDE}x{SIDE}"):
        make_data_anew(size)
        make_noise()
        for name in ("affine", "affine_constant", "affine_replicate", "affine_reflect", "affine_reflect_101", "affine_nearest",
                     "limits", "limits_far", "grid", "grid_reflect_101", "grid_constant", "grid_nearest"):
            changed = off = values = 0
            for cell in draw("job.yaml", name, 12, 25):
                image = cell.before.copy()
                for step, numbers in cell.steps:
                    image = STEPS[step](image, numbers, name)
                difference = np.abs(image.astype(int) - cell.after)
                assert difference.max() <= 1 or name.endswith("nearest"), cell.steps
                off += (difference > 0).sum()
                values += difference.size
                changed += (cell.after != cell.before).any()
            print(f"{name}, {size}: {changed} of 300 images changed, {off} of {values} values differ")
            assert changed > 100 and off < values / 10000, name
    make_data_anew(f"{SIDE}x{SIDE}")


def test_the_numbers_of_affine_maps_are_drawn_as_albumentations_draws_them():
    theirs = {"affine": albumentations.Affine((0.7, 1.4), (-0.3, 0.2), rotate=(-90, 180), shear=(-30, 20)),
              "balanced": albumentations.Affine((0.5, 2), balanced_scale=True),
              "limits_far": albumentations.ShiftScaleRotate(0.3, (-0.5, 2), 180)}
    for name, transform in theirs.items():
        transform.set_random_seed(1)
        drawn = [transform.get_params_dependent_on_data({"shape": (SIDE, SIDE, 3)}, {}) for _ in range(10000)]
        moves = [transform._get_translate_params((SIDE, SIDE)) for _ in range(10000)]
        law = {"degrees": [d["rotate"] for d in drawn]}
        for axis in "xy":
            law[f"scale_{axis}"] = [d["scale"][axis] for d in drawn]
            law[f"translate_{axis}"] = [move[axis] for move in moves]
        law.update({f"shear_{axis}": [-transform._get_shear_params()[axis] for _ in range(10000)] for axis in "xy" if name == "affine"})
        rows = [cell.numbers() for cell in draw("job.yaml", name, 84, 25) if cell.steps]
        for number, values in law.items():
            own = [row[number] for row in rows]
            p = stats.ks_2samp(own, values).pvalue
            print(f"{name} {number}: from {min(own):.3f} to {max(own):.3f}, p = {p:.3f}")
            assert p > 1e-3, (name, number)
        assert abs(np.corrcoef([row["scale_x"] for row in rows], [row["scale_y"] for row in rows])[0, 1]) < 0.1
    assert all(row["scale_x"] == row["scale_y"] for cell in draw("job.yaml", "affine_replicate", 12, 2) for row in [cell.numbers()])


class Shifts:
    """Gives create_motion_kernel the shifts that were drawn."""

    def __init__(self, *shifts):
        self.shifts = list(shifts)

    def uniform(self, low, high):
        return self.shifts.pop(0)


def test_a_motion_blur_is_that_of_albumentations_but_for_ties():
    """OpenCV adds up floats in an order of its own. The mean of an even number of bytes may lie in the middle of two bytes."""
    for name, is_shifted in (("motion", True), ("motion_far", False)):
        undecided = changed = 0
        for cell in draw("job.yaml", name, 12, 25):
            if not cell.steps:
                continue
            n = cell.numbers()
            kernel = blur.create_motion_kernel(int(n["size"]), n["angle"], n["direction"], is_shifted, Shifts(n["shift_x"], n["shift_y"]))
            want = pixel.convolve(cell.before, kernel.astype(np.float32) / np.sum(kernel)).astype(int)
            exact = np.stack([ndimage.correlate(cell.before[..., c].astype(float), kernel / kernel.sum(), mode="mirror")
                              for c in range(3)], -1)
            near = np.abs(exact - np.floor(exact) - 0.5) < 1e-4
            assert (cell.after == want)[~near].all() and np.abs(cell.after - want).max() <= 1, (name, n)
            undecided += (cell.after != want).sum()
            changed += (cell.after != cell.before).any()
        print(f"{name}: {changed} images are equal but for {undecided} ties")
        assert changed > 100


def test_holes_are_drawn_as_albumentations_draws_them():
    for name, holes, height, width in (("holes", (1, 2), (0.1, 0.2), (0.1, 0.2)), ("holes_in_pixels", (3, 8), (2, 9), (1, 40))):
        rows = [cell.numbers() for cell in draw("job.yaml", name, 84, 25) if cell.steps]
        theirs = albumentations.CoarseDropout(holes, height, width, p=1)
        theirs.set_random_seed(1)
        drawn = [theirs.get_params_dependent_on_data({"shape": (SIDE, SIDE, 3)}, {})["holes"] for _ in range(20000)]
        counts = [np.bincount([int(row["holes"]) for row in rows], minlength=9), np.bincount([len(h) for h in drawn], minlength=9)]
        assert stats.chi2_contingency(np.array(counts)[:, np.sum(counts, 0) > 0]).pvalue > 1e-3, counts
        boxes = np.concatenate(drawn)
        law = {"left": boxes[:, 0], "top": boxes[:, 1], "width": boxes[:, 2] - boxes[:, 0], "height": boxes[:, 3] - boxes[:, 1]}
        for side, values in law.items():
            for i in range(1, holes[0] + 1):
                counts = np.array([np.bincount([int(row[f"{side}_{i}"]) for row in rows], minlength=SIDE + 1),
                                   np.bincount(values, minlength=SIDE + 1)])
                seen = counts[1] > len(values) * 5 / len(rows)
                p = stats.chi2_contingency(counts[:, seen]).pvalue
                print(f"{name} {side}_{i}: p = {p:.3f}")
                assert p > 1e-3 and not counts[0, counts[1] == 0].any(), (name, side, counts)


def test_random_values_of_holes_are_uniform():
    for name in ("holes_of_noise", "holes_of_colour"):
        values = []
        for cell in draw("job.yaml", name, 84, 25):
            n = {number: int(value) for number, value in cell.numbers().items()}
            hole = cell.after[n["top_1"]:n["top_1"] + n["height_1"], n["left_1"]:n["left_1"] + n["width_1"]].reshape(-1, 3)
            values.append(hole if name == "holes_of_noise" else hole[:1])
            assert name == "holes_of_noise" or (hole == hole[0]).all()
        values = np.concatenate(values)
        for c in range(3):
            assert stats.chisquare(np.bincount(values[:, c] // 4, minlength=64)).pvalue > 1e-3, (name, c)
        assert np.abs(np.corrcoef(values.T) - np.eye(3)).max() < 0.1


def test_noise_is_normal_and_truncated_as_albumentations_truncates_it():
    """Of values so far from 0 and 255 that none is cut off. albumentations truncates the noise, not the sum."""
    changes = []
    for cell in draw("job.yaml", "noise", 84, 25):
        far = (cell.before > 115) & (cell.before < 140)
        changes.append(cell.after.astype(int)[far] - cell.before[far])
    changes = np.concatenate(changes)
    theirs = pixel.add_noise(np.full((200, 200, 3), 127, np.uint8),
                             cv2.randn(np.zeros((200, 200, 3)), (0,) * 3, (25.5,) * 3).astype(np.float32)).astype(int) - 127
    law = stats.norm(0, 25.5)
    edges = np.arange(-80, 80, 5)
    expected = np.diff(law.cdf(np.where(edges > 0, edges, edges - 1)))  # edges <= 0 come before the truncated -|edge|
    for who, values in (("albumentations", theirs.ravel()), ("cnnsweep", changes)):
        counts = np.histogram(values, edges - 0.5)[0]
        p = stats.chisquare(counts, expected / expected.sum() * counts.sum()).pvalue
        print(f"{who}: {len(values)} changes, p = {p:.3f}")
        assert p > 1e-3, who
    shifted = np.diff(law.cdf(edges))  # as if the sums were truncated
    counts = np.histogram(changes, edges - 0.5)[0]
    assert stats.chisquare(counts, shifted / shifted.sum() * counts.sum()).pvalue < 1e-3


def test_noise_of_one_channel_is_that_of_all_and_differs_from_pixel_to_pixel():
    together, apart = [], []
    for name, changes in (("noise", apart), ("noise_grey", together)):
        for cell in draw("job.yaml", name, 84, 10):
            far = ((cell.after > 0) & (cell.after < 255)).all(-1)
            changes.append((cell.after.astype(int) - cell.before)[far])
    together, apart = np.concatenate(together), np.concatenate(apart)
    assert len(together) > 1000 and (together == together[:, :1]).all()
    assert len(apart) > 1000 and np.abs(np.corrcoef(apart.T) - np.eye(3)).max() < 0.1
    assert abs(np.corrcoef(apart[:-1, 0], apart[1:, 0])[0, 1]) < 0.05
    first, second = (cell.after for cell in draw("job.yaml", "noise", 1, 2))
    assert (first != second).any()


run_tests(globals())
