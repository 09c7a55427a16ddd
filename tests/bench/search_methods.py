# SPDX-License-Identifier: Apache-2.0
"""The methods bayes, tpe and random, and Optuna's TPE, on recorded results of real grids: a trial is a row of the table in place of
training.

    CNNSWEEP_BIN=build/bin CNNSWEEP_KERAS_PYTHON=... python3 tests/bench/search_methods.py [--seeds 20] [--lists]

prints the tables of results/search.md. The grids are results/search/*.csv, and the jobs that trained them lie beside them. A rate
is searched in its range, log_uniform, and the row is that of the nearest rate of the grid; with --lists every option is a list."""
import argparse
import csv
import os
import sys
import tempfile

import numpy as np

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
for folder in ("parity", "support"):
    sys.path.insert(0, os.path.join(ROOT, "tests", folder))
from ask_tell import search  # noqa: E402

GRIDS = ("cifar10", "isic", "xray")
METRIC, BUDGETS = "val_loss", (20, 40, 60)


class Grid:
    """The recorded results of a grid."""

    def __init__(self, name):
        with open(os.path.join(ROOT, "results", "search", f"{name}.csv"), newline="") as file:
            rows = list(csv.DictReader(file))
        self.name = name
        self.options = [key for key in rows[0] if key != METRIC]
        self.values = {key: list(dict.fromkeys(row[key] for row in rows)) for key in self.options}
        self.results = {tuple(row[key] for key in self.options): float(row[METRIC] or "nan") for row in rows}
        self.rates = np.array([float(text) for text in self.values["lr"]])
        self.best = np.nanmin(list(self.results.values()))
        step = (self.rates[-1] / self.rates[0]) ** (0.5 / (len(self.rates) - 1))
        self.low, self.high = self.rates[0] / step, self.rates[-1] * step

    def result(self, values):
        rate = self.values["lr"][np.argmin(np.abs(np.log(self.rates / float(values["lr"]))))]
        return self.results[tuple(rate if key == "lr" else values[key] for key in self.options)]

    def job(self, method, lists):
        """The text of a job file that searches the grid's options. Their names need not fit an actual training."""
        names = {key: f"    {key}: [{', '.join(self.values[key])}]\n" for key in self.options}
        if not lists:
            names["lr"] = f"    lr: {{log_uniform: [{self.low:.6g}, {self.high:.6g}]}}\n"
        return (f"name: {self.name}\ndata: {{path: none.h5}}\nmodel: {{arch: basenet, head: [dropout, dense]}}\n"
                f"augmentations:\n  flips: {{horizontal_flip: true, vertical_flip: true}}\nsweep:\n  method: {method}\n"
                f"  budget: {{trials: {BUDGETS[-1]}}}\n  metric: {{name: {METRIC}}}\n  parameters:\n" + "".join(names.values()))


def search_ours(grid, method, seed, lists, ranks=1):
    """The results of the trials, in their order."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as job:
        job.write(grid.job(method, lists))
        job.flush()
        found = search(job.name, BUDGETS[-1], grid.result, ranks, sets=[f"sweep.seed={seed}"])
    return [grid.result(values) for values, _ in found]


def search_optuna(grid, seed, lists):
    import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(multivariate=False, seed=seed))
    results = []
    for _ in range(BUDGETS[-1]):
        trial = study.ask()
        values = {key: trial.suggest_categorical(key, grid.values[key]) for key in grid.options if key != "lr" or lists}
        if not lists:
            values["lr"] = trial.suggest_float("lr", grid.low, grid.high, log=True)
        results.append(grid.result(values))
        failed = np.isnan(results[-1])
        study.tell(trial, None if failed else results[-1], state=optuna.trial.TrialState.FAIL if failed else None)
    return results


def best_so_far(results):
    return [np.nanmin(results[:n]) for n in BUDGETS]


def measure(grid, seeds, lists, methods):
    """{method: [seeds, budgets] the best result so far}"""
    def search_by(method, seed):
        return search_optuna(grid, seed, lists) if method == "optuna" else search_ours(grid, method, seed, lists)
    return {method: np.array([best_so_far(search_by(method, seed)) for seed in range(1, seeds + 1)]) for method in methods}


def compare(best, method, other):
    """The number of seeds in which a method was ahead of another, and behind."""
    return f"{np.sum(best[method] < best[other])} / {np.sum(best[method] > best[other])}"


def print_table(seeds, lists, methods):
    print("| grid | trials | " + " | ".join(methods) + " | bayes / tpe | tpe / random | best of the grid |")
    print("|---|---|" + "---|" * len(methods) + "---|---|---|")
    for name in GRIDS:
        grid = Grid(name)
        best = measure(grid, seeds, lists, methods)
        for i, n in enumerate(BUDGETS):
            cells = " | ".join(f"{best[m][:, i].mean():.4f} ± {best[m][:, i].std(ddof=1):.4f}" for m in methods)
            at = {m: best[m][:, i] for m in methods}
            print(f"| {name}, {len(grid.results)} cells | {n} | {cells} | {compare(at, 'bayes', 'tpe')} | "
                  f"{compare(at, 'tpe', 'random')} | {grid.best:.4f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--lists", action="store_true", help="every option is a list of values")
    parser.add_argument("--without-optuna", action="store_true")
    args = parser.parse_args()
    if not args.without_optuna:
        import inside_keras
        inside_keras.enter()
    print_table(args.seeds, args.lists, ["bayes", "tpe", "random"] + ([] if args.without_optuna else ["optuna"]))


if __name__ == "__main__":
    main()
