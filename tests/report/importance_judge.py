# SPDX-License-Identifier: Apache-2.0
"""Compares importances, FOLDER/PREFIX*.json, with an analysis of variance by projections in numpy, or with Optuna's PED-ANOVA, and
the means and correlations beside them with numpy's and scipy's."""
import glob
import itertools
import json
import os
import statistics
import sys

import numpy as np
from scipy.stats import pearsonr, spearmanr

NEAR = 1e-10


def near(seen, wanted, tolerance=NEAR):
    seen, wanted = np.array(seen, float), np.array(wanted, float)
    assert seen.shape == wanted.shape and np.allclose(seen, wanted, rtol=0, atol=tolerance, equal_nan=True), f"{seen} instead of {wanted}"


def dummies(trials, options):
    """A column for each combination of values of the options."""
    keys = [tuple(trial[i] for i in options) for trial in trials]
    return np.array([[key == other for other in sorted(set(keys), key=str)] for key in keys], float)


def squares(columns, y):
    """The sum of squares of the projection of y onto columns."""
    return float(((columns @ np.linalg.lstsq(columns, y, rcond=None)[0]) ** 2).sum())


def completed(trials, n):
    """The grid's trials with a value for every cell: those that lack one get what main effects, and of three options and more
    interactions of two, predict from the others."""
    means = {}
    for trial in trials:
        means.setdefault(tuple(trial[:n]), []).append(trial[n])
    values = [sorted({cell[i] for cell in means}, key=str) for i in range(n)]
    every = list(itertools.product(*values))
    groups = list(itertools.combinations(range(n), 2)) if n > 2 else [(i,) for i in range(n)]
    columns = np.hstack([dummies(every, group) for group in groups])
    known = [cell in means for cell in every]
    y = np.array([np.mean(means[cell]) if cell in means else np.nan for cell in every])
    if not all(known):
        fit = np.linalg.lstsq(columns[known], y[known], rcond=None)[0]
        y[~np.array(known)] = (columns @ fit)[~np.array(known)]
    within = sum(((np.array(list_of) - np.mean(list_of)) ** 2).sum() for list_of in means.values()) / len(trials)
    return every, y, within, all(known), max(map(len, means.values())) > 1


def check_anova(case, n):
    trials = [trial for trial in case["trials"] if trial[n] is not None]
    cells, y, within, complete, repeats = completed(trials, n)
    total = y.var() + within
    if complete:  # balanced: the classical sums of squares of all trials
        cells, y = [trial[:n] for trial in trials], np.array([trial[n] for trial in trials])
        near(total, y.var())
    y = y - y.mean()
    main = {i: squares(dummies(cells, (i,)), y) / len(y) for i in range(n)}
    pair = {(i, j): squares(dummies(cells, (i, j)), y) / len(y) - main[i] - main[j] for i, j in itertools.combinations(range(n), 2)}
    wanted = {(i, -1): share / total for i, share in main.items()} | {ij: share / total for ij, share in pair.items()}
    seen = {(i, j): share for i, j, share in case["parts"]}
    assert case["method"] == "anova" and seen.keys() == wanted.keys()
    near([seen[part] for part in wanted], list(wanted.values()), 1e-9)
    all_cells = squares(dummies(cells, range(n)), y) / len(y) / total
    near(np.nan if case["higher"] is None else case["higher"], all_cells - sum(wanted.values()) if n > 2 else np.nan, 1e-9)
    near(np.nan if case["noise"] is None else case["noise"], within / total if repeats else np.nan, 1e-9)
    near(sum(seen.values()) + (case["higher"] or 0) + (case["noise"] or 0), 1, 1e-9)
    assert [share for _, _, share in case["parts"]] == sorted(seen.values(), reverse=True)
    assert ("estimated" in case["note"]) == (not complete) and ("without repeats" in case["note"]) == (not repeats)


def check_optuna(case, n):
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    kinds = {}
    for i, (name, is_number, low, high, is_log, is_whole) in enumerate(case["options"]):
        words = list(dict.fromkeys(trial[i] for trial in case["trials"]))
        kinds[name] = (CategoricalDistribution(words) if not is_number else IntDistribution(int(low), int(high), log=bool(is_log))
                       if is_whole else FloatDistribution(low, high, log=bool(is_log)))
    study = optuna.create_study(direction="maximize" if case["maximize"] else "minimize")
    for trial in case["trials"]:
        has = {name: text for (name, *_), text in zip(case["options"], trial) if text is not None}
        values = {name: text if isinstance(kinds[name], CategoricalDistribution) else
                  int(text) if isinstance(kinds[name], IntDistribution) else float(text) for name, text in has.items()}
        study.add_trial(optuna.trial.create_trial(params=values, distributions={name: kinds[name] for name in has}, value=trial[n]))
    seen = {case["options"][i][0]: share for i, _, share in case["parts"]}
    if case["method"] == "fanova":
        return check_forest(optuna, study, seen)
    wanted = optuna.importance.get_param_importances(study, evaluator=optuna.importance.PedAnovaImportanceEvaluator())
    near([seen[name] for name in wanted], list(wanted.values()), 1e-6)
    assert list(seen) == sorted(seen, key=lambda name: -seen[name]) and case["method"] == "ped_anova"
    return max(abs(seen[name] - wanted[name]) for name in wanted)


def check_forest(optuna, study, seen):
    """The shares are within four standard deviations of those of Optuna's forests of other seeds, and not far in any case."""
    forests = [optuna.importance.get_param_importances(study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=seed),
                                                       normalize=False) for seed in range(4)]
    farthest = 0
    for name, share in seen.items():
        values = [forest[name] for forest in forests]
        assert abs(share - np.mean(values)) <= 4 * statistics.stdev(values) + 1e-3, f"{name}: {share} instead of {values}"
        farthest = max(farthest, abs(share - np.mean(values)))
    assert farthest < 0.05
    return farthest


def check_means(case, n):
    trials = [trial for trial in case["trials"] if trial[n] is not None]
    for a, b, means in case["means"]:
        cells = iter(means["cells"])
        for row, column in itertools.product(means["rows"], means["columns"]):
            values = [t[n] for t in trials if t[a] == row and (a == b or t[b] == column)]
            count, mean, deviation = next(cells)
            assert count == len(values)
            near(np.nan if mean is None else mean, np.mean(values) if values else np.nan)
            near(np.nan if deviation is None else deviation, statistics.stdev(values) if len(values) > 1 else np.nan)
        numeric = case["options"][a][1]
        assert means["rows"] == (sorted(means["rows"], key=float) if numeric else list(dict.fromkeys(
            t[a] for t in trials if t[a] is not None)))
    for i, (linear, rank) in enumerate(case["correlations"]):
        if not case["options"][i][1]:
            assert linear is None and rank is None
            continue
        x, y = np.array([(float(t[i]), t[n]) for t in trials if t[i] is not None]).T
        near((linear, rank), (pearsonr(x, y)[0], spearmanr(x, y)[0]))


paths = sorted(glob.glob(os.path.join(sys.argv[1], sys.argv[2] + "*.json")))
assert paths, "there are no cases"
farthest = 0
for path in paths:
    with open(path) as file:
        case = json.load(file)
    n = len(case["options"])
    try:
        if case["method"] == "anova":
            check_anova(case, n)
        else:
            farthest = max(farthest, check_optuna(case, n))
        check_means(case, n)
    except AssertionError as error:
        raise AssertionError(f"{os.path.basename(path)}: {error}") from error
print(f"{len(paths)} cases; the largest difference from Optuna: {farthest}")
