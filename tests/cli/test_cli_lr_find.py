# SPDX-License-Identifier: Apache-2.0
"""cnnsweep lr-find: its rates and losses are those of a loop in torch, its smoothed loss and suggestions those of fastai's formulas,
and it ends as it should where the loss rises or is not finite, where it is killed, and in a folder that has results."""
import csv
import math
import os
import signal
import sys
import xml.etree.ElementTree

from harness import JOB, path, read_journal, read_trials, run, run_ok, run_tests, stopped_at, without_clock, write_job

import numpy as np
try:
    import torch
    from torch import nn
    from torch_deep import Net, make_noise, read_split, read_weights
except ImportError as missing:
    print(f"{missing}; install python3-torch and python3-pil: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)

make_noise()
ONE = JOB[:JOB.index("sweep:")]
DEEP = (ONE.replace("basenet", "basenet_deep_bn")
        .replace("optimizer: adam", "optimizer: sgd, shuffle: false, save_weights: h5, schedule: step, decay_epochs: 1"))
write_job(ONE, "one.yaml")
write_job(DEEP, "start.yaml")
run_ok("train", "start.yaml", "--out", "start", "--set", "train.epochs=1", "--set", "train.lr=1e-12", "--device", "ref")
os.rename(path("start/weights/t000.h5"), path("start.h5"))
write_job(DEEP.replace("arch: basenet_deep_bn", "arch: basenet_deep_bn, weights: start.h5"), "deep.yaml")


def find(out, *arguments, job="one.yaml"):
    """What it printed, and the columns of its CSV."""
    done = run_ok("lr-find", job, "--out", out, *arguments)
    with open(path(f"{out}/lr_find.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["step", "learning_rate", "loss", "smoothed_loss"]
    assert [int(row["step"]) for row in rows] == list(range(len(rows)))
    return done.stdout, *(np.array([float(row[name]) for row in rows]) for name in ("learning_rate", "loss", "smoothed_loss"))


def steep(rates, losses):
    return rates[((losses[1:] - losses[:-1]) / (np.log(rates[1:]) - np.log(rates[:-1]))).argmin()]


def valley(rates, losses):
    """fastai.callback.schedule.valley"""
    longest, start, end = [1] * len(losses), 0, 0
    for i in range(1, len(losses)):
        for j in range(i):
            if losses[i] < losses[j] and longest[i] < longest[j] + 1:
                longest[i] = longest[j] + 1
            if longest[end] < longest[i]:
                end, start = i, i - longest[i]
    third = (end - start) / 3
    return rates[start + int(third) + int(third / 2)]


def assert_suggested(out, steps, rates, smoothed):
    rates, smoothed = rates[steps // 10:-5], smoothed[steps // 10:-5]
    wanted = f"suggested learning rate: {valley(rates, smoothed):.3g} (valley), {steep(rates, smoothed):.3g} (steepest descent)"
    assert wanted in out, (wanted, out)


def assert_smoothed(losses, smoothed):
    average = 0
    for k, loss in enumerate(losses):
        average = 0.98 * average + 0.02 * loss
        assert math.isclose(smoothed[k], average / (1 - 0.98 ** (k + 1)), rel_tol=1e-9), k


def test_the_formulas_are_those_of_fastai():
    for steps, arguments in (100, []), (40, ["--min", "1e-5", "--max", "1", "--steps", "40", "--set", "train.optimizer=sgd"]):
        out, rates, losses, smoothed = find(f"formulas-{steps}", *arguments)
        low, high = (1e-5, 1) if arguments else (1e-7, 10)
        assert np.allclose(rates, [low * (high / low) ** (i / (steps - 1)) for i in range(len(rates))], rtol=1e-9)
        assert_smoothed(losses, smoothed)
        assert_suggested(out, steps, rates, smoothed)
        rises = [k for k in range(len(smoothed)) if smoothed[k] > 4 * smoothed[:k + 1].min()]
        assert rises == ([len(rates) - 1] if len(rates) < steps else []) and len(set(losses)) > 30, rises


def test_the_losses_are_those_of_torch():
    steps, batch, low, high = 30, 16, 1e-4, 0.02
    _, rates, losses, _ = find("deep", "--min", str(low), "--max", str(high), "--steps", str(steps), "--device", "ref",
                               job="deep.yaml")
    net, (images, labels) = Net(read_weights("start.h5")).train(), read_split("train")
    batches = list(zip(images.split(batch), labels.split(batch)))
    for step in range(steps):
        x, y = batches[step % len(batches)]
        loss = nn.functional.cross_entropy(net(x), y)
        net.zero_grad()
        loss.backward()
        assert math.isclose(losses[step], loss.item(), rel_tol=1e-5), (step, losses[step], loss.item())
        rate = low * (high / low) ** (step / (steps - 1))
        assert math.isclose(rates[step], rate, rel_tol=1e-9)
        with torch.no_grad():
            for value in net.parameters():
                value -= rate * value.grad


def test_with_accumulation_a_step_is_an_update():
    _, rates, losses, _ = find("single", "--steps", "20", "--max", "1e-6", "--set", "train.optimizer=sgd")
    _, accumulated, means, _ = find("accumulated", "--steps", "10", "--max", "1e-6", "--set", "train.accumulate=2", "--set",
                                    "train.optimizer=sgd")
    assert np.allclose(means, (losses[::2] + losses[1::2]) / 2, rtol=1e-4) and accumulated[-1] == rates[-1] == 1e-6


def test_a_rising_loss_ends_the_test():
    out, rates, _, smoothed = find("rising", "--min", "1e-3", "--max", "1e4", "--set", "train.optimizer=sgd")
    assert len(rates) < 100 and smoothed[-1] > 4 * smoothed.min() and "risen to more than 4 times its lowest" in out, out


def test_a_loss_that_is_not_finite_ends_the_test():
    out, rates, losses, _ = find("nan", "--min", "1e30", "--max", "1e37", "--set", "train.optimizer=sgd")
    assert 1 <= len(rates) < 10 and np.isfinite(losses).all(), losses
    assert "after which the loss was not finite" in out and "too few steps for a suggestion" in out, out


def test_the_picture_has_the_curve_and_the_marks():
    out, rates, _, _ = find("picture")
    text = open(path("picture/lr_find.svg")).read()
    root, tag = xml.etree.ElementTree.fromstring(text), "{http://www.w3.org/2000/svg}"
    curve = next(item for item in root.iter(tag + "g") if item.findtext(tag + "title") == "smoothed").find(tag + "path").get("d")
    assert curve.count("L") + 1 == len(rates) and curve.count("M") == 1
    assert len([item for item in root.iter(tag + "line") if item.get("class") == "cs-s-mark"]) == 2
    words = [item.text for item in root.iter(tag + "text")]
    assert "learning rate" in words and "0.001" in words and any(word.startswith("valley ") for word in words), words
    assert root.find(tag + "title").text == "tiny: learning-rate range test"
    assert "prefers-color-scheme:dark" in text and "<script" not in text


def test_a_trial_is_chosen_and_results_in_the_folder_stay():
    write_job(JOB, "swept.yaml")
    run_ok("train", "swept.yaml", "--out", "swept")
    trials, journal = read_trials("swept"), read_journal("swept")
    before = set(os.listdir(path("swept")))
    first, other = (find("swept", "--trial", name, "--steps", "10", job="swept.yaml")[2] for name in ("t000", "t002"))
    assert not np.array_equal(first, other), "t002 darkens its images"
    assert set(os.listdir(path("swept"))) == before | {"lr_find.csv", "lr_find.svg"}
    assert read_trials("swept") == trials and read_journal("swept") == journal
    run_ok("train", "swept.yaml", "--out", "swept", "--resume")
    assert without_clock(read_trials("swept")) == without_clock(trials)


def test_a_kill_leaves_no_part_of_a_file():
    for name in "csv", "svg":
        test = stopped_at(f"rename lr_find.{name} 1", "lr-find", "one.yaml", "--out", f"killed-{name}")
        test.signal(signal.SIGKILL)
        assert test.end()[0] == -signal.SIGKILL
        complete = {"csv": [], "svg": ["lr_find.csv"]}[name]
        assert [file for file in sorted(os.listdir(path(f"killed-{name}"))) if ".tmp." not in file] == complete


REFUSED = [
    (["--min", "0"], "--min 0 and --max 10 are no range of learning rates"),
    (["--min", "1", "--max", "0.1"], "--min 1 and --max 0.1 are no range"),
    (["--min", "small"], '"small" is no learning rate'),
    (["--steps", "1"], "--steps 1: a range has at least 2 steps"),
    (["--trial", "t009"], "t009"),
    (["--set", "train.lr_mult=haed:2"], "did you mean 'head'?"),
]


def test_what_is_no_test_is_refused():
    for arguments, message in REFUSED:
        done = run("lr-find", "one.yaml", "--out", "refused", *arguments)
        assert done.returncode != 0 and message in done.stderr, (arguments, done.stderr)
    done = run("lr-find", "one.yaml", "--out", "refused", ranks=2)
    assert done.returncode != 0 and "lr-find runs on 2 ranks" in done.stderr, done.stderr
    assert not os.path.exists(path("refused"))


run_tests(globals())
