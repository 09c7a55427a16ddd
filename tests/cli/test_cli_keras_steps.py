# SPDX-License-Identifier: Apache-2.0
"""Steps of Keras 3: each cell of a sheet is, but for the rounding to bytes, what Keras' own layers make of the image when they
are given the numbers of the CSV instead of their random ones, and these numbers follow the laws by which the layers draw them.

CNNSWEEP_KERAS_PYTHON names a Python that has keras, tensorflow and scipy; reference_keras_steps.py runs in it."""
import os
import subprocess
import sys

import numpy as np

from harness import path, run, run_tests
from sheets import draw, make_job

PYTHON = os.environ.get("CNNSWEEP_KERAS_PYTHON")
if not PYTHON:
    print("CNNSWEEP_KERAS_PYTHON names no Python with Keras: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)

JOB = """augmentations:
  flip: [keras.random_flip]
  flip_literal: [{keras.random_flip: {keras3: literal}}]
  flip_horizontal: [{keras.random_flip: horizontal}]
  flip_vertical: [{keras.random_flip: vertical}]
  rotation: [{keras.random_rotation: 0.3}]
  rotation_wrap: [{keras.random_rotation: {factor: [0.1, 0.8], fill_mode: wrap}}]
  rotation_constant: [{keras.random_rotation: {factor: 1, fill_mode: constant, fill_value: 200}}]
  rotation_nearest: [{keras.random_rotation: {factor: 0.5, fill_mode: nearest, interpolation: nearest}}]
  zoom: [{keras.random_zoom: 0.7}]
  zoom_each: [{keras.random_zoom: {height_factor: [0.5, 1], width_factor: 0.6, fill_mode: wrap, interpolation: nearest}}]
  translation: [{keras.random_translation: {height_factor: 1, width_factor: [-0.2, 0.3]}}]
  translation_far:
    - keras.random_translation: {height_factor: [-1, -0.5], width_factor: 1, fill_mode: wrap}
  translation_constant:
    - keras.random_translation: {height_factor: 0.3, width_factor: 0.3, fill_mode: constant, fill_value: 77}
  shear: [{keras.random_shear: {x_factor: 0.5, y_factor: 0.2}}]
  shear_range: [{keras.random_shear: {x_factor: [0.3, 1], y_factor: 0.9, interpolation: nearest, fill_mode: constant}}]
  shear_literal: [{keras.random_shear: {x_factor: 0.5, y_factor: [0.2, 0.4], fill_mode: nearest, keras3: literal}}]
  perspective: [{keras.random_perspective: {factor: 0.7, scale: 0.5}}]
  perspective_nearest: [{keras.random_perspective: {factor: [0.5, 1], interpolation: nearest, fill_value: 99}}]
  perspective_literal: [{keras.random_perspective: {scale: 0.3, keras3: literal}}]
  crop: [{keras.resizing: {height: 61, width: 41}}, {keras.random_crop: {height: 40, width: 24}}]
  crop_across: [{keras.resizing: {height: 40, width: 45}}, {keras.random_crop: {height: 40, width: 24}}]
  crop_across_literal: [{keras.resizing: {height: 40, width: 45}}, {keras.random_crop: {height: 40, width: 24, keras3: literal}}]
  crop_wide: [{keras.random_crop: {height: 21, width: 33}}, {keras.resizing: {height: 40, width: 24}}]
  crop_wide_literal: [{keras.random_crop: {height: 21, width: 33, keras3: literal}}, {keras.resizing: {height: 40, width: 24}}]
  crop_small: [{keras.random_crop: {height: 99, width: 100}}, {keras.resizing: {height: 40, width: 24}}]
  resizing: [{keras.resizing: {height: 90, width: 7}}, {keras.resizing: {height: 40, width: 24}}]
  resizing_part: [{keras.resizing: {height: 19, width: 50, crop_to_aspect_ratio: true}}, {keras.resizing: {height: 40, width: 24}}]
  brightness: [{keras.random_brightness: 0.6}]
  brightness_range: [{keras.random_brightness: [0.1, 1]}]
  contrast: [{keras.random_contrast: 0.8}]
  contrast_range: [{keras.random_contrast: [0.3, 0.9]}]
  contrast_literal: [{keras.random_contrast: {factor: 0.8, keras3: literal}}]
  saturation: [{keras.random_saturation: 0.8}]
  saturation_range: [{keras.random_saturation: [0.2, 1]}]
  saturation_literal: [{keras.random_saturation: {factor: 0.7, keras3: literal}}]
  hue: [{keras.random_hue: 0.9}]
  hue_range: [{keras.random_hue: [0.3, 1]}]
  jitter:
    - keras.random_color_jitter:
        {brightness_factor: 0.3, contrast_factor: 0.5, saturation_factor: [0.3, 0.8], hue_factor: 0.4}
  jitter_literal:
    - keras.random_color_jitter: {brightness_factor: 0.3, contrast_factor: 0.5, saturation_factor: 0.7, hue_factor: 0.4,
                                  keras3: literal}
  degeneration: [{keras.random_color_degeneration: 0.7}]
  degeneration_literal: [{keras.random_color_degeneration: {factor: 0.7, keras3: literal}}]
  sharpness: [{keras.random_sharpness: 1}]
  sharpness_range: [{keras.random_sharpness: [0.4, 0.8]}]
  blur: [{keras.random_gaussian_blur: {factor: 0.8, kernel_size: 5}}]
  blur_range: [{keras.random_gaussian_blur: {kernel_size: 7, sigma: [0.1, 1]}}]
  blur_literal: [{keras.random_gaussian_blur: {sigma: 0.9, keras3: literal}}]
  erasing: [{keras.random_erasing: {factor: 0.8, fill_value: [10, 200, 77]}}]
  erasing_literal: [{keras.random_erasing: {scale: [0.1, 1], fill_value: 9, keras3: literal}}]
  erasing_noise: [keras.random_erasing]
  rand_augment: [keras.rand_augment]
  rand_augment_many: [{keras.rand_augment: {num_ops: 4, factor: [0.1, 0.4], interpolation: nearest}}]
  rand_augment_literal: [{keras.rand_augment: {keras3: literal}}]
  grayscale: [{keras.random_grayscale: 0.4}]
  invert: [{keras.random_invert: 0.4}]
  invert_literal: [{keras.random_invert: {keras3: literal}}]
  posterization: [{keras.random_posterization: 3}]
  posterization_literal: [{keras.random_posterization: {factor: 6, keras3: literal}}]
  solarization: [{keras.solarization: {addition_factor: 0.3, threshold_factor: [0.2, 0.9]}}]
  solarization_literal: [{keras.solarization: {addition_factor: [0.1, 0.3], threshold_factor: 0.6, keras3: literal}}]
  inverted_all: [keras.solarization]
  auto_contrast: [keras.auto_contrast]
  equalization: [keras.equalization]
  equalization_bins: [{keras.equalization: 37}]
"""
NAMES = [line.split(":")[0].strip() for line in JOB.splitlines() if line.startswith("  ") and line[2].isalpha()]
WITHOUT_DRAWS = ("auto_", "equal", "inverted", "resizing", "crop_wide", "crop_small")
make_job(JOB, size="24x40")


def cells_of(name):
    """The cells of a sheet of one step, and the numbers of all of them as arrays."""
    cells = draw("job.yaml", name, 84, 1 if name.startswith(WITHOUT_DRAWS) else 8)
    assert all(len(cell.steps) == 1 + name.startswith(("crop", "resiz")) for cell in cells), name
    numbers = {number: [cell.numbers()[number] for cell in cells] for number in cells[0].numbers()}
    return {"before": np.stack([cell.before for cell in cells]), "after": np.stack([cell.after for cell in cells]), **numbers}


def test_the_cells_and_the_laws_of_their_numbers_are_those_of_keras():
    arrays = {f"{name}/{key}": value for name in NAMES for key, value in cells_of(name).items()}
    np.savez(path("cells.npz"), **arrays)
    script = os.path.join(os.environ["CNNSWEEP_SOURCE"], "tests", "cli", "reference_keras_steps.py")
    done = subprocess.run([PYTHON, script, path("cells.npz"), *NAMES], capture_output=True, text=True,
                          env={**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"})
    print(done.stdout)
    assert done.returncode == 0, done.stderr[-4000:]


run_tests(globals())
