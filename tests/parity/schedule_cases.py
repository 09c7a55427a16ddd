# SPDX-License-Identifier: Apache-2.0
"""Cases for the programs schedule_rates and stopping_decisions, and random curves of metrics."""
import os
import pathlib
import random
import subprocess

import numpy as np

PROGRAMS = pathlib.Path(os.environ["CNNSWEEP_BIN"]).parent / "tests"


def run_program(name, cases):
    """The lines that the program prints for the cases [(words, settings)]."""
    text = "".join(" ".join([*map(str, words), *(f"train.{key}={value}" for key, value in settings.items())]) + "\n"
                   for words, settings in cases)
    done = subprocess.run([PROGRAMS / name], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def our_rates(updates, steps, settings):
    """[updates, 3]: rate, momentum and beta_1 of every update."""
    lines = run_program("schedule_rates", [((updates, steps), settings)])
    return np.array([[float(value) for value in line.split()] for line in lines])


def largest_difference(ours, theirs, lr):
    """Relative to the rate; a rate that would be 0 but for rounding is compared with lr * 1e-9."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape and len(ours) > 0
    return (np.abs(ours - theirs) / np.maximum(np.abs(theirs), lr * 1e-9)).max()


def report(name, dialect, updates, difference):
    print(f"| {name} | {dialect} | {updates} | {difference:.1e} |")
    assert difference < 1e-6, name


def f32(value):
    """A value that a float of ours has too."""
    return float(np.float32(value))


def random_curve(rng):
    """The values of a metric over epochs: noise, ties, plateaus, steps as large as a threshold, and NaN."""
    n, kind = rng.randint(5, 60), rng.randrange(5)
    value, curve = rng.choice([0.5, 1.0, 2.0]), []
    for epoch in range(n):
        if kind == 0:
            value = rng.random()
        elif kind == 1:
            value += rng.choice([-0.1, -0.01, -0.001, 0, 0, 0.01])
        elif kind == 2:
            value = rng.choice([0.25, 0.5, 0.75])
        elif kind == 3:
            value *= rng.choice([0.9, 0.99, 0.9999, 1, 1, 1.01])
        else:
            value = 1 / (1 + epoch) + rng.gauss(0, 0.05)
        curve.append(float("nan") if rng.random() < 0.03 else f32(value))
    return curve


def curves(n, seed):
    rng = random.Random(seed)
    return [(random_curve(rng), rng) for _ in range(n)]
