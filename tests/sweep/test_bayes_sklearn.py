# SPDX-License-Identifier: Apache-2.0
"""The Gaussian process of method bayes agrees with scikit-learn's GaussianProcessRegressor, its expected improvement with a
numerical integral, and its kernel is as likely as the best that scipy finds with scikit-learn's evidence."""
import os
import subprocess

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # threads that wait for each other are slow beside other tests

import numpy as np
from scipy import integrate, optimize, stats
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

PROGRAM = os.path.join(os.environ["CNNSWEEP_BIN"], "..", "tests", "gp_values")
CATEGORY, NUMBER = 1, 0
MISSING = float("nan")


def gp_values(kinds, kernel, points, values, predictions):
    """(log evidence, kernel, [predictions, (mean, deviation, log improvement)]); a kernel is [weights..., scale, noise], or None."""
    weights, rest = (kernel[:-2], kernel[-2:]) if kernel is not None else ([MISSING] * len(kinds), (0, 0))
    words = [len(kinds), *(word for pair in zip(kinds, weights) for word in pair), *rest, len(points)]
    words += [word for point, value in zip(points, values) for word in (*point, value)]
    words += [len(predictions), *(word for point in predictions for word in point)]
    done = subprocess.run([PROGRAM], input=" ".join(repr(float(w)) if isinstance(w, float) else str(w) for w in words),
                          capture_output=True, text=True, check=True)
    first, *lines = [[float(word) for word in line.split()] for line in done.stdout.splitlines()]
    return first[0], np.array(first[1:]), np.array(lines)


def embed(kinds, points):
    """Points whose distances are those of the features: a category, or the lack of one, is a corner of a simplex with edges of
    length 1. Returns them, and the feature of each coordinate."""
    columns, features = [], []
    for f, kind in enumerate(kinds):
        column = points[:, f]
        if kind == NUMBER:
            columns.append(column)
            features.append(f)
            continue
        for name in np.unique(column[~np.isnan(column)]).tolist() + [MISSING]:
            same = np.isnan(column) if np.isnan(name) else column == name
            columns.append(same / np.sqrt(2))
            features.append(f)
    return np.stack(columns, 1), features


def judge(kinds, kernel, points, values, all_points=None):
    """Scikit-learn's process with this kernel. `points` are the first of `all_points`, which have all categories."""
    at, features = embed(kinds, points if all_points is None else all_points)
    weights, scale, noise = np.array(kernel[:-2]), kernel[-2], kernel[-1]
    matern = ConstantKernel(scale, "fixed") * Matern(1 / np.sqrt(weights[features]), "fixed", nu=2.5)
    return GaussianProcessRegressor(matern, alpha=noise, optimizer=None).fit(at[:len(points)], values)


def make_data(kinds, n, seed, missing=False):
    rng = np.random.default_rng(seed)
    points = np.stack([rng.integers(3, size=n).astype(float) if kind == CATEGORY else rng.random(n) for kind in kinds], 1)
    values = np.sin(5 * points[:, 0]) + sum(points[:, f] ** 2 for f in range(1, len(kinds))) + 0.1 * rng.normal(size=n)
    if missing:
        points[rng.random(points.shape) < 0.3] = MISSING
    return points, (values - values.mean()) / values.std()


def test_evidence_and_predictions_are_those_of_scikit_learn():
    for kinds, missing in (((NUMBER,), False), ((NUMBER, NUMBER, NUMBER), False), ((NUMBER, CATEGORY, CATEGORY), False),
                           ((CATEGORY, CATEGORY), True)):
        points, values = make_data(kinds, 60, 1, missing)
        kernel = [0.5, 2.0, 7.0][:len(kinds)] + [1.3, 0.02]
        evidence, _, ours = gp_values(kinds, kernel, points[:40], values[:40], points)
        process = judge(kinds, kernel, points[:40], values[:40], points)
        mean, deviation = process.predict(embed(kinds, points)[0], return_std=True)
        assert abs(evidence - process.log_marginal_likelihood_value_) < 1e-9 * abs(evidence), kinds
        np.testing.assert_allclose(ours[:, 0], mean, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(ours[:, 1], deviation, rtol=1e-6, atol=1e-8)


def test_a_number_that_some_points_lack_is_at_distance_1_from_them():
    rng = np.random.default_rng(3)
    number = rng.random(30)
    has = rng.random(30) < 0.6
    values = np.where(has, 0.0, 1.0) + 0.05 * rng.normal(size=30)
    values = (values - values.mean()) / values.std()
    kernel = [1.0, 3.0, 1.0, 0.1]
    of_number = gp_values((NUMBER, NUMBER), kernel, np.stack([number, np.where(has, 0.0, MISSING)], 1), values, [])
    of_category = gp_values((NUMBER, CATEGORY), kernel, np.stack([number, np.where(has, 0.0, MISSING)], 1), values, [])
    assert of_number[0] == of_category[0]


def test_the_expected_improvement_is_its_integral():
    points, values = make_data((NUMBER, NUMBER), 20, 5)
    predictions = np.random.default_rng(6).random((40, 2)) * 1.5
    _, _, ours = gp_values((NUMBER, NUMBER), [4.0, 4.0, 1.0, 1e-4], points, values, predictions)
    for mean, deviation, log_improvement in ours:
        z = (values.min() - mean) / deviation
        # The integral of (z - x) times the normal density from -infinity to z, whose largest part is taken out of it.
        integral, _ = integrate.quad(lambda t: t * np.exp(z * t - t * t / 2), 0, np.inf, epsabs=0, epsrel=1e-10)
        expected = np.log(deviation) + stats.norm.logpdf(z) + np.log(integral)
        assert abs(log_improvement - expected) < 1e-6 * max(1, abs(expected)), (z, log_improvement, expected)
    assert min((values.min() - ours[:, 0]) / ours[:, 1]) < -25


def log_prior(kernel):
    weights, scale, noise = kernel[:-2], kernel[-2], kernel[-1]
    return -np.sum(0.1 / weights + 0.1 * weights) + stats.gamma(2).logpdf(scale) + stats.gamma(1.1, scale=1 / 30).logpdf(noise)


def test_the_kernel_is_as_likely_as_the_best_of_ten_searches():
    """By less than 0.01 in the logarithm, a difference that changes no choice. The priors are those of Optuna."""
    for kinds, n in (((NUMBER, NUMBER), 15), ((NUMBER, CATEGORY, NUMBER), 60), ((NUMBER,) * 5, 100)):
        points, values = make_data(kinds, n, 7)

        def loss(logarithms):
            kernel = np.exp(logarithms) + np.append(np.zeros(len(kinds) + 1), 1e-6)
            return -judge(kinds, kernel, points, values).log_marginal_likelihood_value_ - log_prior(kernel)

        rng = np.random.default_rng(8)
        starts = [np.append(rng.normal(size=len(kinds) + 1), rng.uniform(-6, -2)) for _ in range(10)]
        best = min(optimize.minimize(loss, start, method="L-BFGS-B", bounds=[(-8, 8)] * (len(kinds) + 1) + [(-12, 2)]).fun
                   for start in starts)
        _, kernel, _ = gp_values(kinds, None, points, values, [])
        assert loss(np.log(kernel - np.append(np.zeros(len(kinds) + 1), 1e-6))) < best + 0.01, (kinds, kernel)


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
        print("ok", name, flush=True)
