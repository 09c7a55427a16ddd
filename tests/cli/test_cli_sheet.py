# SPDX-License-Identifier: Apache-2.0
"""`cnnsweep preview`: the sheet shows the images of the dataset and what the numbers of the CSV make of them. The laws of these
numbers are tested in test_cli_laws.py."""
import numpy as np
from PIL import Image, ImageEnhance

from harness import path, run, run_ok, run_tests, write_job
from sheets import GAP, HEAD, SIDE, draw, make_job

make_job("""augmentations:
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
""")


def test_the_cells_have_what_the_numbers_make_of_the_images():
    cells = draw("job.yaml", "flips", 6, 5)
    for cell in cells:
        numbers, want = cell.numbers(), cell.before
        assert sorted(numbers) == ["horizontal_flip", "vertical_flip"], numbers
        want = want[:, ::-1] if numbers["horizontal_flip"] else want
        want = want[::-1] if numbers["vertical_flip"] else want
        assert (cell.after == want).all(), cell
    assert len({cell.sample for cell in cells}) == 6
    for cell in draw("job.yaml", "dark", 6, 5):
        factor = np.float32(cell.numbers()["brightness"])
        want = np.asarray(ImageEnhance.Brightness(Image.fromarray(cell.before)).enhance(factor))
        assert (cell.after == want).all(), cell


def test_the_numbers_of_one_image_are_independent():
    rows = [cell.numbers() for cell in draw("job.yaml", "all", 84, 25)]
    assert all(len(row) == 9 for row in rows)
    numbers = np.array([list(row.values()) for row in rows])
    correlation = np.corrcoef(numbers.T) - np.eye(9)
    assert np.abs(correlation).max() < 0.1, correlation


def test_without_a_name_all_augmentations_are_drawn():
    done = run_ok("preview", "job.yaml", "--samples", "2")
    assert [line.split(": ")[1].split(",")[0] for line in done.stdout.splitlines() if line.startswith("row")] == [
        name for name in ("flips", "dark", "all") for _ in range(2)], done.stdout
    assert Image.open(path("preview.png")).height == 6 * (SIDE + GAP) - GAP


def test_what_cannot_be_drawn_is_refused():
    write_job(HEAD, "plain.yaml")
    for arguments, message in ((("job.yaml", "--augment", "flip"), "augmentation 'flip' is not defined"),
                               (("plain.yaml",), "plain.yaml defines no augmentation"),
                               (("job.yaml", "--samples", "85"), "has 84 training images, fewer than 85"),
                               (("job.yaml", "--out", "no/such/folder/sheet.png"), "no/such/folder")):
        done = run("preview", *arguments)
        assert done.returncode != 0 and message in done.stderr, (arguments, done.stderr)


run_tests(globals())
