# SPDX-License-Identifier: Apache-2.0
"""`cnnsweep preview` with filters: rows of the image before and after each filter, and augmentations of filtered images."""
import numpy as np
import scipy.ndimage
from PIL import Image

from harness import make_data, path, run, run_ok, run_tests, write_job
from sheets import GAP, HEAD, SIDE, images

make_data()


def median(pixels, size):
    return np.stack([scipy.ndimage.median_filter(pixels[..., c], size, mode="nearest") for c in range(3)], -1)


def cells(*arguments):
    """The output, and a function that gives the cell of the sheet in a row and a column."""
    done = run_ok("preview", "job.yaml", "--samples", "2", "--epochs", "1", "--out", "sheet.png", *arguments)
    sheet = np.asarray(Image.open(path("sheet.png")))

    def at(row, column):
        top, left = row * (SIDE + GAP), column * (SIDE + GAP)
        return sheet[top:top + SIDE, left:left + SIDE]

    return done.stdout, at


def test_each_filter_has_rows_of_before_and_after():
    write_job(HEAD + "sweep: {parameters: {data.filter: [none, {median: 5}, {median: 9}]}}\n", "job.yaml")
    text, at = cells()
    assert [line.split(",")[0] for line in text.splitlines()[:4]] == [
        f"row {row}: filter median:size={size}" for row, size in ((1, 5), (2, 5), (3, 9), (4, 9))], text
    for row, size in enumerate((5, 5, 9, 9)):
        image = images()[row % 2 * len(images()) // 2]
        assert (at(row, 0) == image).all() and (at(row, 1) == median(image, size)).all(), row


def test_augmentations_are_drawn_of_filtered_images():
    write_job(HEAD.replace("data.h5", "data.h5, filter: {median: 5}") + "augmentations: {none_at_all: {brightness_range: [1, 1]}}\n",
              "job.yaml")
    text, at = cells()
    want = median(images()[0], 5)
    assert (at(0, 0) == want).all() and (at(0, 1) == want).all()
    assert (at(2, 0) == images()[0]).all() and (at(2, 1) == want).all() and text.count("row") == 4, text
    assert cells("--augment", "none_at_all")[0].count("row") == 2


def test_images_that_a_filter_crops_can_be_resized_by_an_augmentation():
    """A crop leaves images of different sizes, which the steps of an augmentation get as they are."""
    write_job(HEAD.replace("data.h5", "data.h5, filter: {otsu: {margin: 0, min_area: 0}}") +
              "train: {epochs: 1, augment: sized}\naugmentations: {sized: [{resize: [32, 32]}]}\n", "job.yaml")
    _, at = cells("--augment", "sized")
    by_dataset, by_augmentation = at(0, 0).astype(int), at(0, 1).astype(int)
    assert np.abs(by_dataset - by_augmentation).max() <= 1, "both resize the crop as Pillow does, but for rounding"
    assert np.abs(by_dataset - images()[0]).max() > 1
    run_ok("train", "job.yaml", "--device", "ref", "--out", "cropped")


def test_a_job_without_augmentations_and_filters_is_refused():
    write_job(HEAD, "job.yaml")
    done = run("preview", "job.yaml")
    assert done.returncode != 0 and "defines no augmentation and no filter" in done.stderr, done.stderr


run_tests(globals())
