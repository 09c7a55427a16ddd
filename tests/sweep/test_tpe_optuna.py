# SPDX-License-Identifier: Apache-2.0
"""Method tpe agrees with Optuna's TPESampler(multivariate=False): the densities of its estimators and their ratio to rounding,
and its choices in distribution, both for a recorded history and from a job file. CNNSWEEP_KERAS_PYTHON names a Python that has
Optuna 5."""
import os
import subprocess
import sys
import tempfile
import warnings

for folder in ("parity", "support"):
    sys.path.insert(0, os.path.join(os.environ["CNNSWEEP_SOURCE"], "tests", folder))
import inside_keras

inside_keras.enter()

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial
from scipy import stats

from ask_tell import search

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")
TESTS = os.path.join(os.environ["CNNSWEEP_BIN"], "..", "tests")
# A draw of the same distribution is refused once in so many tests. Seeds are fixed, so that the same is drawn in every run.
ONE_IN = 10000
DRAWS = 2000

NOTHING, UNDER_WAY, FINISHED = range(3)
STATES = {NOTHING: TrialState.FAIL, UNDER_WAY: TrialState.RUNNING, FINISHED: TrialState.COMPLETE}

DOMAINS = {
    "float": FloatDistribution(-1.5, 4.0),
    "log float": FloatDistribution(1e-5, 0.1, log=True),
    "float with step": FloatDistribution(0.1, 0.85, step=0.05),
    "int": IntDistribution(3, 40),
    "log int": IntDistribution(1, 300, log=True),
    "int with step": IntDistribution(10, 100, step=10),
    "choices": CategoricalDistribution(list(range(5))),
    "two choices": CategoricalDistribution([0, 1]),
}


def is_choice(domain):
    return isinstance(domain, CategoricalDistribution)


def line_of(domain):
    if is_choice(domain):
        return f"{len(domain.choices)} 0 0 0 0"
    return f"0 {domain.low!r} {domain.high!r} {domain.step or 0!r} {int(domain.log)}"


def draw(domain, rng):
    """A value of the domain; numbers are mostly near 3/4 of its width."""
    if is_choice(domain):
        return int(rng.integers(len(domain.choices)))
    low, high = (np.log(domain.low), np.log(domain.high)) if domain.log else (domain.low, domain.high)
    value = low + (high - low) * np.clip(rng.normal(0.75, 0.2), 0, 1)
    value = np.exp(value) if domain.log else value
    if domain.step:
        return domain.low + round((min(value, domain.high) - domain.low) / domain.step) * domain.step
    return float(np.clip(value, domain.low, domain.high))


def make_history(domain, n, seed, under_way=0, missing=False):
    """[(state, loss, value)]: n trials, of which some failed, then those under way; with `missing`, some without the parameter.
    Above 25 finished trials a number occurs once, as Optuna's sort leaves open which of equal numbers has which weight."""
    rng, trials, seen = np.random.default_rng(seed), [], set()
    while len(trials) < n + under_way:
        value = draw(domain, rng)
        if n > 25 and not is_choice(domain) and value in seen:
            value = float("nan")
        seen.add(value)
        if missing and rng.random() < 0.4:
            value = float("nan")
        state = UNDER_WAY if len(trials) >= n else NOTHING if rng.random() < 0.1 else FINISHED
        trials.append((state, float(np.round(rng.random(), 2)), value))
    return trials


def has_ties(domain, history):
    """Are there values with the same ratio? Rounding then decides in Optuna which of them is chosen."""
    ratios = np.sort(optuna_densities(domain, history, points_of(domain))[1])
    return len(ratios) < 60 and np.any(np.diff(ratios) < 1e-6)


def without_ties(domain, *arguments, **more):
    return next(h for h in (make_history(domain, *arguments, seed, **more) for seed in range(1, 200)) if not has_ties(domain, h))


def history_of(domain):
    return {"few": without_ties(domain, 12), "many": without_ties(domain, 90), "more": make_history(domain, 400, 3),
            "under way": without_ties(domain, 20, under_way=3), "conditional": without_ties(domain, 20, missing=True),
            "of others": [(FINISHED, i / 12, float("nan")) for i in range(12)]}


def study_of(domain, history, direction="minimize"):
    study = optuna.create_study(direction=direction)
    for state, loss, value in history:
        given = {} if np.isnan(value) else {"x": value}
        study.add_trial(create_trial(state=STATES[state], value=loss if state == FINISHED else None, params=given,
                                     distributions={"x": domain} if given else {}))
    return study


def sampler(seed):
    return optuna.samplers.TPESampler(multivariate=False, seed=seed)


def ask(domain, history, points=(), draws=0):
    text = [line_of(domain), str(len(history)), *(f"{s} {loss!r} {value!r}" for s, loss, value in history), str(len(points)),
            *(repr(float(p)) for p in points)]
    done = subprocess.run([f"{TESTS}/tpe_values", str(draws)], input="\n".join(text), capture_output=True, text=True, check=True)
    lines = [[float(word) for word in line.split()] for line in done.stdout.splitlines()]
    return np.array(lines[:len(points)]), np.array([line[0] for line in lines[len(points):]])


def points_of(domain):
    if is_choice(domain):
        return list(range(len(domain.choices)))
    if domain.step:
        return list(np.arange(domain.low, domain.high + domain.step / 2, domain.step))[:60]
    return list(np.geomspace(domain.low, domain.high, 50) if domain.log else np.linspace(domain.low, domain.high, 50))


def optuna_estimators(own, domain, history):
    """Those of good and of other values, as TPESampler._sample makes them."""
    study = study_of(domain, history)
    trials = [t for t in study.trials if t.state != TrialState.FAIL]
    finished = sum(t.state == TrialState.COMPLETE for t in trials)
    parts = optuna.samplers._tpe.sampler._split_trials(study, trials, optuna.samplers._tpe.sampler.default_gamma(finished))
    return [own._build_parzen_estimator(study, {"x": domain}, part, handle_below=i == 0) for i, part in enumerate(parts)]


def optuna_densities(domain, history, points):
    own = sampler(0)
    below, above = optuna_estimators(own, domain, history)
    samples = {"x": np.array(points, dtype=float)}
    return np.stack([below.log_pdf(samples), above.log_pdf(samples)], 1), own._compute_acquisition_func(samples, below, above)


def optuna_draws(domain, history):
    own = sampler(7)
    below, above = optuna_estimators(own, domain, history)
    samples = below.sample(own._rng.rng, DRAWS * own._n_ei_candidates)
    ratios = own._compute_acquisition_func(samples, below, above).reshape(DRAWS, -1)
    return samples["x"].reshape(DRAWS, -1)[range(DRAWS), ratios.argmax(1)]


def test_densities_and_their_ratio_are_those_of_optuna():
    for name, domain in DOMAINS.items():
        points = points_of(domain)
        for kind, history in history_of(domain).items():
            expected, ratio = optuna_densities(domain, history, points)
            got, _ = ask(domain, history, points)
            np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9, err_msg=f"{name}, {kind}")
            np.testing.assert_allclose(got[:, 0] - got[:, 1], ratio, rtol=1e-9, atol=1e-9, err_msg=f"{name}, {kind}")


def test_equal_numbers_have_the_same_density():
    history = [(FINISHED, i / 16, float(3 + i % 4)) for i in range(16)]
    expected, _ = optuna_densities(DOMAINS["int"], history, [3, 4, 7, 40])
    np.testing.assert_allclose(ask(DOMAINS["int"], history, [3, 4, 7, 40])[0], expected, rtol=1e-9)


def probability_that_equal(a, b, discrete):
    """The p-value of the two-sample test: Kolmogorov and Smirnov's, or chi-square with rare values put together."""
    if not discrete:
        return stats.ks_2samp(a, b).pvalue
    values = np.unique(np.round(np.concatenate([a, b]), 9))
    counts = np.array([[np.sum(np.abs(x - v) < 1e-9) for v in values] for x in (a, b)])
    rare = counts.sum(0) < 20
    counts = np.concatenate([counts[:, ~rare], counts[:, rare].sum(1, keepdims=True)], 1)
    counts = counts[:, counts.sum(0) > 0]
    return 1.0 if counts.shape[1] == 1 else stats.chi2_contingency(counts, correction=False).pvalue


def test_choices_have_the_distribution_of_optunas():
    for name, domain in DOMAINS.items():
        for kind, history in history_of(domain).items():
            if kind == "more":
                continue
            expected = optuna_draws(domain, history)
            _, got = ask(domain, history, draws=DRAWS)
            p = probability_that_equal(got, expected, is_choice(domain) or domain.step is not None)
            assert p > 1 / ONE_IN, (name, kind, p)


JOB = """name: asked
data: {path: data.h5}
model: {arch: basenet}
sweep:
  method: tpe
  budget: {trials: BUDGET}
  metric: {name: GOAL}
  parameters:
    lr: {log_uniform: [1.0e-4, 0.1]}
    weight_decay: {uniform: [0, 0.3]}
    batch: {log_int: [4, 128]}
    patience: {int: [1, 12]}
    epochs: {int: [10, 40], step: 10}
    l2: {uniform: [0.05, 0.5], step: 0.05}
    optimizer: [sgd, adam, adamw]
    momentum: {uniform: [0.1, 0.9], when: {optimizer: [sgd]}}
  zip:
    - {label_smoothing: [0, 0.1, 0.2], seed: [7, 8, 9]}
"""
# The same options in Optuna's words. The zipped lists are one choice, named by its first option.
SPACE = {
    "lr": FloatDistribution(1e-4, 0.1, log=True),
    "weight_decay": FloatDistribution(0, 0.3),
    "batch": IntDistribution(4, 128, log=True),
    "patience": IntDistribution(1, 12),
    "epochs": IntDistribution(10, 40, step=10),
    "l2": FloatDistribution(0.05, 0.5, step=0.05),
    "optimizer": CategoricalDistribution(["sgd", "adam", "adamw"]),
    "momentum": FloatDistribution(0.1, 0.9),
    "label_smoothing": CategoricalDistribution([0.0, 0.1, 0.2]),
}


def loss_of(values):
    return (np.log10(values["lr"]) + 2) ** 2 + values["weight_decay"] + abs(np.log2(values["batch"]) - 5) / 3 + \
        abs(values["patience"] - 6) / 6 + values["epochs"] / 40 + values["l2"] + values.get("momentum", 0.5) + \
        values["label_smoothing"] + {"sgd": 0, "adam": 0.2, "adamw": 0.5}[values["optimizer"]]


def values_of(values):
    """A trial of ask_tell in Optuna's words: numbers that it rounded to float are those of the grid again."""
    out = {}
    for name, text in values.items():
        domain = SPACE.get(name)
        if domain is None:
            continue
        value = text if name == "optimizer" else float(text)
        if is_choice(domain):
            out[name] = min(domain.choices, key=lambda choice: abs(choice - value)) if name != "optimizer" else value
        elif domain.step:
            steps = round((value - domain.low) / domain.step)
            out[name] = domain.low + steps * domain.step if isinstance(domain, FloatDistribution) else int(value)
        else:
            out[name] = min(max(value, domain.low), domain.high)
    assert int(values["seed"]) == 7 + round(10 * float(values["label_smoothing"])), "zipped options go together"
    assert ("momentum" in values) == (values["optimizer"] == "sgd"), "a condition holds"
    return out


def ask_optuna(trials, seed, direction):
    """What Optuna suggests as the last of the trials."""
    *before, (_, ended) = trials
    study = optuna.create_study(direction=direction, sampler=sampler(seed))
    sign = 1 if direction == "minimize" else -1
    for i, (values, _) in enumerate(before):
        study.add_trial(create_trial(state=TrialState.COMPLETE if i < ended else TrialState.RUNNING, params=values,
                                     distributions={name: SPACE[name] for name in values},
                                     value=sign * loss_of(values) if i < ended else None))
    trial, values = study.ask(), {}
    for name, domain in SPACE.items():
        if name != "momentum" or values["optimizer"] == "sgd":
            values[name] = trial._suggest(name, domain)
    return values


def compare_jobs(metric, direction, ranks, searches=200):
    """For every seed both programs suggest one more trial after the same ones. Their suggestions, of all seeds together, have the
    same distribution."""
    sign = 1 if direction == "minimize" else -1
    with tempfile.TemporaryDirectory() as folder:
        job = os.path.join(folder, "job.yaml")
        with open(job, "w") as out:
            out.write(JOB.replace("GOAL", metric).replace("BUDGET", str(12 + ranks)))
        ours, theirs = [], []
        for seed in range(1, searches + 1):
            trials = search(job, 12 + ranks, lambda values: sign * loss_of(values_of(values)), ranks, [f"sweep.seed={seed}"])
            trials = [(values_of(values), ended) for values, ended in trials]
            assert trials[-1][1] == 12
            ours.append(trials[-1][0])
            theirs.append(ask_optuna(trials, seed, direction))
    for name, domain in SPACE.items():
        a, b = (np.array([domain.to_internal_repr(v[name]) for v in both if name in v]) for both in (ours, theirs))
        p = probability_that_equal(a, b, is_choice(domain) or domain.step is not None)
        assert p > 1 / ONE_IN, (name, p)


def test_trials_of_a_job_have_the_distribution_of_optunas():
    compare_jobs("val_loss", "minimize", ranks=1)


def test_trials_under_way_count_as_in_optunas_constant_liar():
    compare_jobs("val_accuracy", "maximize", ranks=4)


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
        print("ok", name, flush=True)
