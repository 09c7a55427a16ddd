# SPDX-License-Identifier: Apache-2.0
"""`cnnsweep preview`: the sheet shows the dataset's images and what the numbers of the CSV make of them, and these numbers
follow the law that Keras documents."""
import csv

import h5py
import numpy as np
from PIL import Image, ImageEnhance
from scipy import stats

from harness import make_data, path, run, run_ok, run_tests, write_job

SIDE, GAP = 32, 2
AUGMENTATIONS = """augmentations:
  flips: {horizontal_flip: true, vertical_flip: true}
  dark: {brightness_range: [0.5, 1.5]}
  all:
    rotation_range: 20
    shear_range: 10
    zoom_range: [0.8, 1.4]
    width_shift_range: 0.25
    height_shift_range: 4
    channel_shift_range: 30
    horizontal_flip: true
    brightness_range: [0.5, 1.5]
  list: {width_shift_range: [-2, 5, 9]}
"""
HEAD = "name: sheet\ndata: {path: data.h5}\nmodel: {arch: basenet}\n"

make_data()
write_job(HEAD + AUGMENTATIONS)
with h5py.File(path("data.h5")) as file:
    IMAGES = file["train/images"][:]


def draw(augment, samples, epochs):
    """(cell(row, column), the rows of the CSV)"""
    run_ok("preview", "job.yaml", "--augment", augment, "--samples", str(samples), "--epochs", str(epochs), "--out", "sheet.png",
           "--csv", "drawn.csv")
    sheet = np.asarray(Image.open(path("sheet.png")))
    assert sheet.shape == (samples * (SIDE + GAP) - GAP, (epochs + 1) * (SIDE + GAP) - GAP, 3), sheet.shape
    with open(path("drawn.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == samples * epochs

    def cell(row, column):
        top, left = (int(row) - 1) * (SIDE + GAP), (int(column) - 1) * (SIDE + GAP)
        return sheet[top:top + SIDE, left:left + SIDE]

    return cell, rows


def test_the_first_column_has_the_images_as_they_are():
    cell, rows = draw("flips", 5, 3)
    for row in rows:
        assert (cell(row["row"], 1) == IMAGES[int(row["sample"])]).all(), row
    assert len({row["sample"] for row in rows}) == 5


def test_the_other_columns_have_what_the_numbers_make_of_them():
    cell, rows = draw("flips", 6, 5)
    for row in rows:
        want = IMAGES[int(row["sample"])]
        want = want[:, ::-1] if row["horizontal_flip"] == "1" else want
        want = want[::-1] if row["vertical_flip"] == "1" else want
        assert (cell(row["row"], row["column"]) == want).all(), row
        assert row["brightness"] == "", row
    cell, rows = draw("dark", 6, 5)
    for row in rows:
        image = Image.fromarray(IMAGES[int(row["sample"])])
        want = np.asarray(ImageEnhance.Brightness(image).enhance(np.float32(row["brightness"])))
        assert (cell(row["row"], row["column"]) == want).all(), row


def test_the_numbers_follow_their_law():
    """Of 2,100 draws; they are the same in each run, so the test passes always or never."""
    _, rows = draw("all", 84, 25)
    laws = {"rotation_degrees": (-20, 40), "shear_degrees": (-10, 20), "zoom_first": (0.8, 0.6), "zoom_second": (0.8, 0.6),
            "width_shift_pixels": (-8, 16), "channel_shift": (-30, 60), "brightness": (0.5, 1)}
    for name, (low, width) in laws.items():
        drawn = np.array([float(row[name]) for row in rows])
        p = stats.kstest(drawn, "uniform", (low, width)).pvalue
        print(f"{name}: uniform from {low} to {low + width}, p = {p:.3f}")
        assert p > 1e-3, name
        wrong = stats.kstest(drawn, "uniform", (low, width * 1.1)).pvalue
        assert wrong < 1e-3, f"{name}: the test would not notice a range that is a tenth too wide"
    flips = sum(row["horizontal_flip"] == "1" for row in rows)
    assert stats.binomtest(flips, len(rows), 0.5).pvalue > 1e-3, flips
    # A whole number n: 0 to n-1 with either sign, so 0 comes twice as often as each other number.
    counts = [sum(float(row["height_shift_pixels"]) == shift for row in rows) for shift in range(-3, 4)]
    assert sum(counts) == len(rows) and stats.chisquare(counts, [len(rows) * w / 8 for w in (1, 1, 1, 2, 1, 1, 1)]).pvalue > 1e-3
    pairs = np.array([[float(row[name]) for name in laws] for row in rows])
    correlation = np.corrcoef(pairs.T) - np.eye(len(laws))
    assert np.abs(correlation).max() < 0.1, correlation


def test_a_list_of_shifts_is_drawn_from_with_either_sign():
    _, rows = draw("list", 84, 25)
    counts = {}
    for row in rows:
        counts[float(row["width_shift_pixels"])] = counts.get(float(row["width_shift_pixels"]), 0) + 1
    assert sorted(counts) == [-9, -5, -2, 2, 5, 9], counts
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3, counts


def test_without_a_name_all_augmentations_are_drawn():
    done = run_ok("preview", "job.yaml", "--samples", "2")
    assert [line.split(": ")[1].split(",")[0] for line in done.stdout.splitlines() if line.startswith("row")] == [
        name for name in ("flips", "dark", "all", "list") for _ in range(2)], done.stdout
    assert Image.open(path("preview.png")).height == 8 * (SIDE + GAP) - GAP


def test_what_cannot_be_drawn_is_refused():
    write_job(HEAD, "plain.yaml")
    for arguments, message in ((("job.yaml", "--augment", "flip"), "augmentation 'flip' is not defined"),
                               (("plain.yaml",), "plain.yaml defines no augmentation"),
                               (("job.yaml", "--samples", "85"), "has 84 training images, fewer than 85"),
                               (("job.yaml", "--out", "no/such/folder/sheet.png"), "no/such/folder")):
        done = run("preview", *arguments)
        assert done.returncode != 0 and message in done.stderr, (arguments, done.stderr)


run_tests(globals())
