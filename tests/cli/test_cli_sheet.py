# SPDX-License-Identifier: Apache-2.0
"""`cnnsweep preview`: the sheet shows the dataset's images and what the numbers of the CSV make of them, and these numbers
follow the law that Keras documents."""
import numpy as np
from PIL import Image, ImageEnhance
from scipy import stats

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
  list: {width_shift_range: [-2, 5, 9]}
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


def test_the_numbers_follow_their_law():
    """Of 2,100 draws; they are the same in each run, so the test passes always or never."""
    rows = [cell.numbers() for cell in draw("job.yaml", "all", 84, 25)]
    laws = {"rotation_degrees": (-20, 40), "shear_degrees": (-10, 20), "zoom_first": (0.8, 0.6), "zoom_second": (0.8, 0.6),
            "width_shift_pixels": (-8, 16), "channel_shift": (-30, 60), "brightness": (0.5, 1)}
    for name, (low, width) in laws.items():
        drawn = np.array([row[name] for row in rows])
        p = stats.kstest(drawn, "uniform", (low, width)).pvalue
        print(f"{name}: uniform from {low} to {low + width}, p = {p:.3f}")
        assert p > 1e-3, name
        wrong = stats.kstest(drawn, "uniform", (low, width * 1.1)).pvalue
        assert wrong < 1e-3, f"{name}: the test would not notice a range that is a tenth too wide"
    flips = sum(row["horizontal_flip"] == 1 for row in rows)
    assert stats.binomtest(flips, len(rows), 0.5).pvalue > 1e-3, flips
    # A whole number n: 0 to n-1 with either sign, so 0 comes twice as often as each other number.
    counts = [sum(row["height_shift_pixels"] == shift for row in rows) for shift in range(-3, 4)]
    assert sum(counts) == len(rows) and stats.chisquare(counts, [len(rows) * w / 8 for w in (1, 1, 1, 2, 1, 1, 1)]).pvalue > 1e-3
    pairs = np.array([[row[name] for name in laws] for row in rows])
    correlation = np.corrcoef(pairs.T) - np.eye(len(laws))
    assert np.abs(correlation).max() < 0.1, correlation


def test_a_list_of_shifts_is_drawn_from_with_either_sign():
    counts = {}
    for cell in draw("job.yaml", "list", 84, 25):
        shift = cell.numbers()["width_shift_pixels"]
        counts[shift] = counts.get(shift, 0) + 1
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
