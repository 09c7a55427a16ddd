# SPDX-License-Identifier: Apache-2.0
"""report.html of many classes, many trials and many long curves: below 10 MB, written in seconds of processor time."""
import json
import os
import sys

# For the programs that the harness starts, if they are built with sanitizers.
os.environ["LSAN_OPTIONS"] = f"print_suppressions=0:suppressions={os.environ['CNNSWEEP_SOURCE']}/tests/report/lsan.supp"
sys.path.insert(0, os.path.join(os.environ["CNNSWEEP_SOURCE"], "tests", "cli"))
import numpy as np
from PIL import Image

from harness import make_data, path, read_trials, run_ok, run_tests, write_job
from page_reader import Page, rows

MOST = 10 * 10 ** 6  # bytes of a page
JOB = """name: large
data: {path: DATA}
model: {arch: basenet}
threads: 1
train: {epochs: 1, batch: 64, optimizer: adam}
"""
CLASSES = 3000
LONG = 250  # epochs
make_data(per_class=14, size="16x16")


def page(out):
    return Page(path(f"{out}/report.html"))


def make_classes():
    """many.h5: CLASSES classes with an image in each split."""
    random = np.random.default_rng(2)
    for split in "train", "val", "test":
        for k in range(CLASSES):
            folder = path(f"many/{split}/class-{k:04d}")
            os.makedirs(folder)
            colour = random.integers(0, 255, 3)
            Image.fromarray(np.full((16, 16, 3), colour, np.uint8)).save(f"{folder}/{split}.bmp")
    run_ok("many", "many.h5", program="cnnsweep-pack")


def test_three_thousand_classes():
    make_classes()
    run_ok("train", write_job(JOB.replace("DATA", "many.h5") + "report: false\n"), "--out", "classes")
    run_ok("report", "classes", "--explain", "none", cpu_seconds=60)
    seen = page("classes")
    assert len(seen.bytes) < MOST, len(seen.bytes)
    assert seen.trials() == ["t000"]
    report = rows(next(seen.section("t000").iter("table")))
    assert report[1][0] == "class-0000" and report[-2][0] == "macro average"
    assert f"of {CLASSES} classes" in seen.words("t000")


def train_grid(out, n, job=JOB):
    """A grid of n times n trials."""
    lr, l2 = (", ".join(f"{low * (i + 1):.6f}" for i in range(n)) for low in (0.001, 0.0001))
    grid = f"sweep: {{parameters: {{lr: [{lr}], l2: [{l2}]}}}}\nreport: false\n"
    run_ok("train", write_job(job.replace("DATA", "data.h5") + grid), "--out", out)


def test_a_hundred_trials():
    train_grid("trials", 10)
    run_ok("report", "trials", "--explain", "none", cpu_seconds=60)
    seen = page("trials")
    assert len(seen.bytes) < MOST, len(seen.bytes)
    names = sorted(trial["trial"] for trial in read_trials("trials"))
    assert sorted(seen.trials()) == names and len(names) == 100
    assert len(seen.leaderboard()) == 100
    for name in names:
        assert list(seen.section(name).iter("table")) and list(seen.section(name).iter("img")), name


def test_many_long_curves():
    """The best trials have a section, and the curves of the best are drawn, with the last epoch; CSV has all."""
    train_grid("curves", 14, JOB.replace("epochs: 1", "epochs: 1, metrics: all"))
    with open(path("curves/journal.jsonl")) as file:
        events = [json.loads(line) for line in file]
    with open(path("curves/journal.jsonl"), "w") as file:
        for event in events:
            for epoch in range(LONG if event["event"] == "epoch" else 1):
                file.write(json.dumps({**event, "epoch": epoch} if event["event"] == "epoch" else event) + "\n")
    run_ok("report", "curves", "--explain", "none", cpu_seconds=60)
    seen = page("curves")
    assert len(seen.bytes) < MOST, len(seen.bytes)
    best = [row["trial"] for row in seen.leaderboard()]
    assert seen.trials() == best[:len(seen.trials())] and 20 < len(seen.trials()) < len(best) == 196
    chart = next(svg for svg in seen.section("curves").iter() if svg.tag.endswith("svg"))
    drawn = {mark.get("data-trial") for mark in chart.iter() if mark.get("data-trial")}
    assert drawn == set(best[:len(drawn)]) and len(drawn) >= 10


run_tests(globals())
