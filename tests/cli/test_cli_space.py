# SPDX-License-Identifier: Apache-2.0
"""Sweeps whose trials are no full product: from the job file to the table, with --resume, parts and collect. The trials are
those that a few lines of Python with itertools find."""
import itertools
import json
import random
import re
from decimal import Decimal

import numpy as np

from harness import make_data, path, read_journal, read_trials, run, run_ok, run_tests, without_clock, write_job

make_data()
BASE = """name: s
data: {path: data.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 1, batch: 16, weight_decay: 0.25}
sweep:
"""
CONDITIONAL = BASE + """  parameters:
    optimizer: [sgd, adam]
    weight_decay: {values: [0, 0.9], when: {optimizer: sgd}}
  include: [{optimizer: adam, lr: 0.01}]
table: {rows: optimizer, columns: weight_decay, value: val_loss}
"""


def table(folder):
    """The cells of the table, with the headings."""
    with open(path(f"{folder}/table.md")) as file:
        lines = [line for line in file if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    return [rows[0], *rows[2:]]


def test_a_trial_without_a_value_is_shown_with_a_dash():
    write_job(CONDITIONAL, "conditional.yaml")
    run_ok("train", "conditional.yaml", "--out", "conditional")
    trials = read_trials("conditional")
    assert [(t["optimizer"], t["weight_decay"], t["lr"]) for t in trials] == [
        ("sgd", "0", ""), ("sgd", "0.9", ""), ("adam", "", ""), ("adam", "", "0.01")]
    loss = [float(t["val_loss"]) for t in trials]
    mean = (loss[2] + loss[3]) / 2
    rows = table("conditional")
    assert rows[0] == ["optimizer \\ weight_decay", "0", "0.9", "-"]
    assert rows[1] == ["sgd", f"{loss[0]:.4f}", f"{loss[1]:.4f}", "-"]
    assert rows[2][:3] == ["adam", "-", "-"] and rows[2][3].startswith(f"{mean:.4f} ± "), rows
    done = run_ok("train", "conditional.yaml", "--dry-run").stdout
    assert "2 rows (train.optimizer) x 3 columns (train.weight_decay)" in done, done
    assert re.search(r"^t002 .*% +optimizer=adam$", done, re.M) and re.search(r"^t003 .*% +optimizer=adam lr=0.01$", done, re.M), done


def test_without_its_condition_a_trial_is_that_of_the_job():
    plain = BASE.replace("sweep:\n", "").replace("weight_decay: 0.25", "weight_decay: 0.25, optimizer: adam")
    write_job(plain, "plain.yaml")
    run_ok("train", "plain.yaml", "--out", "plain")
    assert read_trials("plain")[0]["val_loss"] == read_trials("conditional")[2]["val_loss"]
    keys = [[e["key"] for e in read_journal(folder) if e["event"] == "plan"] for folder in ("plain", "conditional")]
    assert keys[0][0] == keys[1][2]


def test_resume_goes_on_with_cells_that_were_left_out_or_added():
    write_job(BASE + "  parameters: {optimizer: [sgd, adam]}\n", "grid.yaml")
    run_ok("train", "grid.yaml", "--out", "grown")
    run_ok("train", "conditional.yaml", "--out", "grown", "--resume")
    def by_values(folder):
        trials = [{**trial, "trial": None} for trial in without_clock(read_trials(folder))]  # their numbers differ
        return sorted(trials, key=lambda t: (t["optimizer"], t["weight_decay"], t["lr"]))
    assert by_values("grown") == by_values("conditional")
    ended = [e["trial"] for e in read_journal("grown") if e["event"] == "trial"]
    assert len(ended) == len(set(ended)) == 5, ended  # sgd with the job's weight_decay is no trial of the second sweep


def test_collected_parts_are_the_whole():
    for part in range(2):
        run_ok("train", "conditional.yaml", "--part", f"{part}/2", "--out", f"part{part}")
    run_ok("collect", "part0", "part1", "--out", "collected")
    assert without_clock(read_trials("collected")) == without_clock(read_trials("conditional"))
    assert table("collected") == table("conditional")
    shown = run_ok("collect", "part0", "part1", "--out", "by_rate", "--rows", "lr", "--columns", "none").stdout
    assert re.search(r"^\| 0.01 +\|", shown, re.M) and re.search(r"^\| - +\|", shown, re.M), shown


def test_a_random_sweep_ranks_trials_without_a_value():
    write_job(BASE + """  method: random
  budget: {trials: 6}
  repeats: 2
  metric: {name: val_loss}
  parameters:
    optimizer: [sgd, adam]
    weight_decay: {uniform: [0, 0.9], when: {optimizer: sgd}}
""", "random.yaml")
    run_ok("train", "random.yaml", "--out", "random")
    trials = read_trials("random")
    assert len(trials) == 6 and all((t["weight_decay"] == "") == (t["optimizer"] == "adam") for t in trials)
    shown = {row[0]: row[1:3] for row in table("random")[1:]}
    assert shown == {t["trial"]: [t["optimizer"], t["weight_decay"] or "-"] for t in trials[::2]}
    assert any(row[1] == "-" for row in shown.values())
    run_ok("train", "random.yaml", "--trial", "t001", "--out", "alone")
    assert read_trials("alone")[0]["val_loss"] == trials[1]["val_loss"]


def test_preview_reads_such_a_job():
    write_job(CONDITIONAL.replace("include:", "zip: {shuffle: [true, false], seed: [1, 2]}\n  exclude: {weight_decay: 0, seed: 2}\n  include:")
              .replace("sweep:\n", "augmentations: {flip: {horizontal_flip: true}}\nsweep:\n"), "preview.yaml")
    run_ok("preview", "preview.yaml", "--out", "sheet.png")


def test_a_step_gives_the_values_of_decimal_numbers():
    """Optuna computes the end of a range with a step in decimal numbers, too."""
    draw = random.Random(8)
    for _ in range(60):
        step = Decimal(draw.randint(1, 40)).scaleb(-draw.randint(1, 3))
        low = Decimal(draw.randint(0, 300)).scaleb(-3)
        high = low + step * draw.randint(1, 12) + Decimal(draw.choice([0, 0, 1])).scaleb(-4)
        expected = [low + i * step for i in range(int((high - low) // step) + 1)]
        write_job(BASE.replace(", weight_decay: 0.25", "") + f"  parameters: {{l2: {{uniform: [{low}, {high}], step: {step}}}}}\n", "step.yaml")
        shown = re.findall(r"l2=(\S+)$", run_ok("train", "step.yaml", "--dry-run").stdout, re.M)
        assert [np.float32(text) for text in shown] == [np.float32(value) for value in expected], (low, high, step, shown)


NAMES = {"fine_tune": ["2", "4", "6", "head", "all"], "batch": ["8", "16", "32"], "shuffle": ["true", "false"], "seed": ["1", "2", "3"],
         "optimizer": ["sgd", "adam"], "epochs": ["1", "2"], "weight_decay": ["0", "0.5", "0.9"]}


def random_spec(draw):
    """(parameters {name: (values, when)}, zips, excludes, includes)"""
    names = draw.sample(list(NAMES), draw.randint(2, 5))
    values = {name: draw.sample(NAMES[name], draw.randint(2, len(NAMES[name]))) for name in names}
    zipped = names[-2:] if len(names) > 3 and draw.random() < 0.5 else []
    if zipped:
        length = min(len(values[name]) for name in zipped)
        for name in zipped:
            values[name] = values[name][:length]
    whens = {}
    for i, name in enumerate(names):
        others = names[:i]  # the file may have them in any order; see below
        if others and name not in zipped and draw.random() < 0.5:
            other = draw.choice(others)
            whens[name] = {other: draw.sample(values[other], draw.randint(1, len(values[other]) - 1))}
    single = [name for name in names if name not in zipped]
    draw.shuffle(single)
    excludes = [some_map(draw, values) for _ in range(draw.choice([0, 0, 1, 2]))]
    includes = [some_map(draw, NAMES) for _ in range(draw.choice([0, 0, 1, 2]))]
    return {name: values[name] for name in single}, whens, {name: values[name] for name in zipped}, excludes, includes


def some_map(draw, values):
    return {name: draw.sample(values[name], draw.randint(1, 2)) for name in draw.sample(list(values), draw.randint(1, 2))}


def cells_of(parameters, whens, zipped, excludes, includes):
    """The cells in order, as dictionaries; None: a map leaves out or adds nothing, or nothing is left."""
    axes = [[{name: value} for value in values] for name, values in parameters.items()]
    if zipped:
        axes.append([dict(zip(zipped, row)) for row in zip(*zipped.values())])
    cells, matched = [], [0] * len(excludes)
    for combination in itertools.product(*axes):
        cell = {name: value for part in combination for name, value in part.items()}
        while True:  # until no parameter is left whose condition does not hold
            off = [name for name in cell if any(cell.get(other) not in allowed for other, allowed in whens.get(name, {}).items())]
            if not off:
                break
            cell = {name: value for name, value in cell.items() if name not in off}
        if cell not in cells:
            cells.append(cell)
    kept = []
    for cell in cells:
        hits = [all(cell.get(name) in allowed for name, allowed in exclude.items()) for exclude in excludes]
        matched = [n + hit for n, hit in zip(matched, hits)]
        if not any(hits):
            kept.append(cell)
    added = [0] * len(includes)
    for i, include in enumerate(includes):
        for row in itertools.product(*include.values()):
            cell = dict(zip(include, row))
            if cell not in kept:
                kept.append(cell)
                added[i] += 1
    return kept if all(matched) and all(added) and kept else None


def written(parameters, whens, zipped, excludes, includes):
    lines = [f"    {name}: " + (f"{{values: [{', '.join(values)}], when: {json.dumps(whens[name])}}}" if name in whens else f"[{', '.join(values)}]")
             for name, values in parameters.items()]
    text = BASE.replace("train: {epochs: 1, batch: 16, weight_decay: 0.25}\n", "") + "  parameters:\n" + "\n".join(lines) + "\n"
    for name, value in (("zip", zipped), ("exclude", excludes), ("include", includes)):
        text += f"  {name}: {json.dumps(value)}\n" if value else ""
    return text


def test_the_trials_are_those_that_itertools_finds():
    draw, refused = random.Random(5), 0
    for _ in range(120):
        spec = random_spec(draw)
        expected = cells_of(*spec)
        write_job(written(*spec), "spec.yaml")
        done = run("train", "spec.yaml", "--dry-run")
        if expected is None:
            assert done.returncode == 1 and re.search("no trial|already", done.stderr), (spec, done.stderr)
            refused += 1
            continue
        assert done.returncode == 0, (spec, done.stderr)
        shown = [dict(word.split("=") for word in line.split()) for line in re.findall(r"^t\d+ .*?%  (.*)$", done.stdout, re.M)]
        assert shown == expected, (spec, shown, expected)
    assert refused < 60


run_tests(globals())
