# SPDX-License-Identifier: Apache-2.0
"""Draws sheets of `cnnsweep preview` and reads them together with the numbers of the CSV."""
import csv
import glob
import os
import shutil
from dataclasses import dataclass, field

import h5py
import numpy as np
from PIL import Image

from harness import make_data, path, run_ok, write_job

SIDE, GAP = 32, 2
HEAD = "name: sheet\ndata: {path: data.h5}\nmodel: {arch: basenet}\n"


@dataclass
class Cell:
    """What one image became in one epoch, and by which steps: (name, {number: value}) in their order."""
    sample: int
    before: np.ndarray
    after: np.ndarray
    steps: list = field(default_factory=list)

    def numbers(self):
        return {name: value for _, numbers in self.steps for name, value in numbers.items()}


def images():
    with h5py.File(path("data.h5")) as file:
        return file["train/images"][:]


def draw(job, augment, samples, epochs):
    """The cells of the sheet, row by row, without its first column, which is checked here."""
    run_ok("preview", job, "--augment", augment, "--samples", str(samples), "--epochs", str(epochs), "--out", "sheet.png",
           "--csv", "drawn.csv")
    sheet, pixels = np.asarray(Image.open(path("sheet.png"))), images()
    h, w = pixels.shape[1:3]
    assert sheet.shape == (samples * (h + GAP) - GAP, (epochs + 1) * (w + GAP) - GAP, 3), sheet.shape

    def at(row, column):
        top, left = row * (h + GAP), column * (w + GAP)
        return sheet[top:top + h, left:left + w]

    cells = {}
    for row in range(samples):
        sample = row * len(pixels) // samples
        assert (at(row, 0) == pixels[sample]).all(), "the first column has the images as they are"
        for column in range(1, epochs + 1):
            cells[row, column] = Cell(sample, pixels[sample], at(row, column))
    with open(path("drawn.csv"), newline="") as file:
        last = None
        for line in csv.DictReader(file):
            cell = cells[int(line["row"]) - 1, int(line["column"]) - 1]
            assert int(line["sample"]) == cell.sample and int(line["epoch"]) == int(line["column"]) - 1
            step = (line["row"], line["column"], line["step"], line["occurrence"])
            if step != last:
                cell.steps.append((line["step"], {}))
            if line["number"]:
                cell.steps[-1][1][line["number"]] = float(line["value"])
            last = step
    return list(cells.values())


def make_data_anew(size):
    """Replaces the images by others of that size."""
    shutil.rmtree(path("drawn"))
    os.remove(path("data.h5"))
    make_data(size=size)


def make_noise():
    """Replaces the images by random bytes."""
    rng = np.random.default_rng(1)
    for name in glob.glob(path("drawn/*/*/*.jpg")):
        shape = np.asarray(Image.open(name)).shape
        os.remove(name)
        Image.fromarray(rng.integers(0, 256, shape, np.uint8)).save(name.replace(".jpg", ".png"))
    os.remove(path("data.h5"))
    run_ok("drawn", "data.h5", program="cnnsweep-pack")


def make_job(augmentations, name="job.yaml", size=f"{SIDE}x{SIDE}"):
    make_data(size=size)
    write_job(HEAD + augmentations, name)
