# SPDX-License-Identifier: Apache-2.0
"""The random numbers of every rule of an augmentation, as `cnnsweep preview` writes them, follow the laws of law_rows.py. They
are the same in each run, so the tests pass always or never."""
import csv
import re
from itertools import combinations

import numpy as np

from harness import make_data, path, run_ok, run_tests, write_job
from law_rows import FAMILIES, FIXED, SETTINGS, H, W
from laws import Continuous, Discrete, chance
from sheets import HEAD, images

SAMPLES, EPOCHS = 84, 50
DRAWS = SAMPLES * EPOCHS
make_data(size=f"{W}x{H}")
assert images().shape[1:3] == (H, W)


def preview(augmentations, *settings):
    """What each of them draws: a list of the images that a step is applied to, each {step: {number: value}}."""
    write_job(HEAD + "augmentations:\n" + "".join(f"  a{i}: {steps}\n" for i, steps in enumerate(augmentations)))
    run_ok("preview", "job.yaml", "--samples", str(SAMPLES), "--epochs", str(EPOCHS), "--csv", "drawn.csv", *settings)
    cells = [{} for _ in augmentations]
    with open(path("drawn.csv"), newline="") as file:
        lines = csv.reader(file)
        next(lines)
        for _, _, augment, sample, epoch, name, _, number, value in lines:
            numbers = cells[int(augment[1:])].setdefault((sample, epoch), {}).setdefault(name, {"sample": float(sample)})
            if number:
                numbers[number] = float(value)
    return [list(drawn.values()) for drawn in cells]


def columns_of(cells, rule):
    """{number: its values} in the images to which the rule is applied."""
    drawn = [cell[rule] for cell in cells if rule in cell]
    return {number: np.array([numbers[number] for numbers in drawn]) for number in drawn[0]}


def names_in(expression):
    """Those of numbers, not of functions."""
    return set(re.findall(r"\b[a-z]\w*\b(?!\()", expression))


def evaluate(expression, columns):
    expression, _, condition = expression.partition(" | ")
    names = {**vars(np), **columns}
    values = eval(expression, names)
    values = np.stack(values, 1) if isinstance(values, tuple) else values
    return values[eval(condition, names)] if condition else values


def values_of(row, cells):
    """[(expression, values, law)] of the laws of a row."""
    if "steps" in row.laws:
        drawn = [" ".join(cell) for cell in cells] + [""] * (DRAWS - len(cells))
        return [("steps", np.array(drawn), row.laws["steps"])]
    columns = columns_of(cells, row.rule())
    unknown = set(columns) - {"sample"}.union(*map(names_in, row.laws))
    assert not unknown, f"{row.steps}: no law for {unknown}"
    applied = np.arange(DRAWS) < len(columns["sample"])
    return [("applied to", applied * 1, chance(row.p))] + [(key, evaluate(key, columns), law) for key, law in row.laws.items()]


def check_laws(steps, values, failures):
    """Prints the p-value of each law, and returns them; notes laws that do not hold, and wrong laws that would."""
    p_values = []
    for key, drawn, law in values:
        wrong = law.wrong()
        p_values.append(law.p_value(drawn))
        by_wrong = wrong.p_value(drawn) if wrong else 0
        print(f"{steps} {key}: {len(drawn)} draws, p = {p_values[-1]:.4f}, of a wrong law {by_wrong:.1e}")
        if p_values[-1] <= 1e-3:
            failures.append(f"{steps}: {key} does not follow its law, p = {p_values[-1]:.2g}")
        if by_wrong >= 1e-3:
            failures.append(f"{steps}: {key}: the test would not notice a wrong law, p = {by_wrong:.2g}")
    return p_values


def check_independence(steps, values, failures):
    """Continuous numbers of a step do not go together, unless a law says how."""
    laws = {key: drawn for key, drawn, law in values if isinstance(law, Continuous)}
    together = [names_in(key) for key, _, _ in values if key not in laws]
    for a, b in combinations([key for key in laws if "|" not in key], 2):
        if not any({a, b} <= names for names in together):
            r = np.corrcoef(laws[a], laws[b])[0, 1]
            if abs(r) > 5 / np.sqrt(len(laws[a])):
                failures.append(f"{steps}: {a} and {b} go together, r = {r:.2f}")


def test_each_number_follows_its_law():
    failures, summary = [], []
    for family, rows in FAMILIES.items():
        cells, smooth, counted = preview([row.steps for row in rows], "--set", "train.batch=1"), [], []
        for row, drawn in zip(rows, cells):
            values = values_of(row, drawn)
            for p, (_, _, law) in zip(check_laws(row.steps, values, failures), values):
                if isinstance(law, Continuous):
                    smooth.append(p)
                elif isinstance(law, Discrete) and len(law.weights) > 1:
                    counted.append(p)
            check_independence(row.steps, values, failures)
        kinds = [f"{len(p)} {kind}, lowest p {min(p):.4f}" for kind, p in (("continuous", smooth), ("counted", counted)) if p]
        summary.append(f"{family}: {len(rows)} rows, {' and '.join(kinds)}")
    print("\n".join(summary))
    assert not failures, "\n".join(failures)


def in_parts(weights, size):
    return {part: sum(weight for value, weight in weights.items() if value // size == part)
            for part in {value // size for value in weights}}


def test_partners_are_everywhere_in_the_split():
    """In batches of 6. timm's partners have each other, so that a pair counts once."""
    share = {0: 1 / 6, **{k: 5 / 6 / (SAMPLES - 1) for k in range(1, SAMPLES)}}
    never = {k: 1 for k in range(1, SAMPLES)}
    laws = {"keras": {f"(partner - sample) % {SAMPLES} // 12": share}, "torch": {f"(partner - sample) % {SAMPLES} // 12": never},
            "timm": {"(partner - sample) // 12 | partner > sample": {k: SAMPLES - k for k in range(1, SAMPLES)}}}
    failures = []
    for kind in ("mixup", "cutmix"):
        cells = preview([f"[{{{kind}: {{convention: {name}}}}}]" for name in laws], "--set", "train.batch=6")
        for (name, law), drawn in zip(laws.items(), cells):
            columns = columns_of(drawn, kind)
            values = [(key, evaluate(key, columns), Discrete(in_parts(weights, 12))) for key, weights in law.items()]
            itself = evaluate("partner == sample", columns) * 1
            values.append(("partner == sample", itself, chance(1 / 6 if name == "keras" else 0)))
            check_laws(f"{kind}, {name}", values, failures)
    assert not failures, "\n".join(failures)


def test_every_rule_has_a_law_or_draws_nothing():
    rules = set(re.findall(r"^\| `([\w.]+)` \|", run_ok("options", "--augmentations", "--markdown").stdout, re.M))
    ruled = {row.rule() for rows in FAMILIES.values() for row in rows}
    assert rules == ruled | set(FIXED) | set(SETTINGS), rules ^ (ruled | set(FIXED) | set(SETTINGS))
    assert not ruled & {*FIXED, *SETTINGS}
    steps = [f"[{{{name}{text}}}]" if text else f"[{name}]" for name, text in FIXED.items()]
    settings = "{" + ", ".join(f"{name}: {value}" for name, value in SETTINGS.items()) + "}"
    *fixed, generator = preview([*steps, settings])
    assert not generator, "settings draw nothing"
    for name, cells in zip(FIXED, fixed):
        assert all(set(numbers) == {"sample"} for cell in cells for numbers in cell.values()), f"{name} has no law"


run_tests(globals())
