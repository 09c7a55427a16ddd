# SPDX-License-Identifier: Apache-2.0
"""Training of classes of different sizes: the weights of --balance weights do what class_weight: balanced does, and a dataset of
--balance over is trained as one of so many images."""
import csv
import math
import os
import shutil

from harness import make_data, path, run_ok, run_tests, write_job

make_data()
shutil.copytree(path("drawn"), path("uneven"))
for number, name in enumerate(sorted(os.listdir(path("uneven/train")))):
    images = sorted(os.listdir(path(f"uneven/train/{name}")))
    for image in images[len(images) // (1 + number):]:
        os.remove(path(f"uneven/train/{name}/{image}"))
for balance in "none", "weights", "over":
    run_ok("--balance", balance, "uneven", f"{balance}.h5", program="cnnsweep-pack")

JOB = """name: uneven
data: {path: none.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 2, batch: 16, seed: 3, lr: 0.001, optimizer: adam}
"""


def losses(out, *sets):
    arguments = [argument for value in sets for argument in ("--set", value)]
    run_ok("train", write_job(JOB), "--out", out, "--force", *arguments)
    with open(path(f"{out}/history/t000.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    return [float(value) for row in rows for name, value in row.items() if name.endswith(("loss", "accuracy"))]


def close(first, second):
    return len(first) == len(second) and all(math.isclose(a, b, rel_tol=1e-5) for a, b in zip(first, second))


def test_weights_of_images_are_those_of_balanced_classes():
    wanted = losses("classes", "train.class_weight=balanced")
    assert close(losses("images", "data.path=weights.h5", "train.sample_weight=true"), wanted)
    assert not close(losses("neither"), wanted)


def test_repeated_images_are_trained_as_others():
    over = losses("over", "data.path=over.h5")
    assert len(over) == len(losses("none")) and all(map(math.isfinite, over)) and not close(over, losses("none"))


run_tests(globals())
