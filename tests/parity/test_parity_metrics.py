# SPDX-License-Identifier: Apache-2.0
"""Every metric equals that of scikit-learn to 1e-12, and those of Keras to 1e-6, on random and on degenerate inputs. What
scikit-learn refuses or calls undefined is NaN. CNNSWEEP_KERAS_PYTHON names a Python that has keras and scikit-learn 1.9.
`--table` takes more inputs and prints the largest differences as Markdown."""
import os
import subprocess
import sys
import warnings

import inside_keras

inside_keras.enter()

import keras
import numpy as np
from scipy import stats
from sklearn import metrics as sk
from sklearn.exceptions import UndefinedMetricWarning

PROGRAM = os.path.join(os.path.dirname(os.environ["CNNSWEEP_BIN"]), "tests", "metric_values")
RANDOM = 400 if "--table" in sys.argv else 100
RANDOM_OF_KERAS = 40  # it takes long for each input
warnings.filterwarnings("ignore")


def softmax(logits):
    """Added up in the order of the classes. Of two rows with the same logits in another order one would otherwise have the
    larger score of a class by the last bit, and no tie, depending on the order in which a library adds."""
    e = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True).astype(np.float64))
    return e / e.cumsum(axis=1)[:, -1:]


def make_inputs():
    """(labels, logits): random ones of 2 to 9 classes, some with ties; then what is degenerate."""
    rng = np.random.default_rng(7)
    inputs = []
    for i in range(RANDOM):
        classes, n = int(rng.integers(2, 10)), int(rng.integers(30, 300))
        labels = np.concatenate([np.arange(classes), rng.integers(0, classes, n - classes)])
        logits = rng.normal(0, rng.choice([0.3, 1, 4]), (n, classes))
        logits[np.arange(n), labels] += rng.choice([0, 1, 3])
        inputs.append((labels, np.round(logits) if i % 4 == 0 else logits))
    for classes in (2, 3, 6):
        n = 40
        some = rng.normal(size=(n, classes))
        labels = rng.integers(0, classes, n)
        labels[:classes] = np.arange(classes)
        inputs += [(labels, np.zeros((n, classes))),  # all scores are equal
                   (np.zeros(n, int), some),  # only class 0 occurs
                   (np.ones(n, int), np.eye(classes)[np.ones(n, int)]),  # and only it is predicted
                   (labels % max(2, classes - 1), some),  # the last class never occurs
                   (labels, 200 * some),  # scores of exactly 0 and 1
                   (labels[:1], some[:1])]  # one row
    return [(labels.astype(np.int32), logits.astype(np.float32)) for labels, logits in inputs]


def undefined_is_nan(function, *arguments, **options):
    """NaN where scikit-learn raises, or warns that the metric is not defined."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UndefinedMetricWarning)
        warnings.filterwarnings("error", message=".*invalid value.*|.*No positive class.*|.*empty slice.*|.*divide by zero.*")
        try:
            return float(function(*arguments, **options))
        except (ValueError, ZeroDivisionError, UndefinedMetricWarning, UserWarning, RuntimeWarning):
            return np.nan


def calibration_error(labels, p, bins=15):
    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    of = np.digitize(confidence, np.arange(1, bins) / bins, right=True)
    return sum(abs(right[of == b].mean() - confidence[of == b].mean()) * (of == b).mean() for b in np.unique(of))


def specificity(labels, predicted, classes):
    """The recall of "not this class"; scikit-learn has no other name for it."""
    return np.mean([sk.recall_score(labels != k, predicted != k, zero_division=0) for k in range(classes)])


def top_k(labels, logits, k, classes):
    if k >= classes:
        return 1.0
    return sk.top_k_accuracy_score(labels, logits, k=k, labels=range(classes))


def of_sklearn(labels, logits):
    classes, p, predicted = logits.shape[1], softmax(logits), logits.argmax(axis=1)
    every, one_hot = range(classes), np.eye(classes)[labels]
    expected = {"accuracy": sk.accuracy_score(labels, predicted), "macro_specificity": specificity(labels, predicted, classes),
                "balanced_accuracy": sk.balanced_accuracy_score(labels, predicted), "mcc": sk.matthews_corrcoef(labels, predicted),
                "log_loss": sk.log_loss(labels, p, labels=every),
                "brier": sk.brier_score_loss(labels, p[:, 1] if classes == 2 else p, labels=every),
                "ece": calibration_error(labels, p)}
    for average in ("macro", "weighted", "micro"):
        for name in ("precision", "recall", "f1"):
            expected[f"{average}_{name}"] = getattr(sk, name + "_score")(labels, predicted, average=average, labels=every,
                                                                         zero_division=0)
    for name, weights in (("kappa", None), ("linear_kappa", "linear"), ("quadratic_kappa", "quadratic")):
        expected[name] = undefined_is_nan(sk.cohen_kappa_score, labels, predicted, labels=every, weights=weights)
    for k in (3, 5):
        expected[f"top_{k}_accuracy"] = top_k(labels, logits, k, classes)
    for average in ("macro", "weighted"):
        for name, way in ((f"{average}_auc", "ovr"), (f"{average}_auc_ovo", "ovo")):
            expected[name] = undefined_is_nan(sk.roc_auc_score, labels, p[:, 1] if classes == 2 else p, average=average,
                                              multi_class=way, labels=every)
    # For scikit-learn average_precision is 0 for a class that never occurs, with a warning that is no UndefinedMetricWarning.
    expected["macro_average_precision"] = undefined_is_nan(sk.average_precision_score, labels if classes == 2 else one_hot,
                                                           p[:, 1] if classes == 2 else p)
    wilson = stats.binomtest(int((predicted == labels).sum()), len(labels)).proportion_ci(method="wilson")
    expected["wilson_low"], expected["wilson_high"] = wilson
    expected["mcnemar"] = stats.binomtest(int((predicted == labels).sum()), len(labels)).pvalue
    return expected


def of_keras(labels, logits):
    classes, p = logits.shape[1], softmax(logits).astype(np.float32)
    one_hot, expected = np.eye(classes, dtype=np.float32)[labels], {}
    for name, metric in (("keras_precision", keras.metrics.Precision()), ("keras_recall", keras.metrics.Recall()),
                         ("keras_auc", keras.metrics.AUC())):
        metric.update_state(one_hot, p)
        expected[name] = float(metric.result())
    return expected


def check_bootstrap(labels, logits, seen):
    """The quantiles of our 1000 draws are near those of numpy's."""
    rng, classes, p, predicted = np.random.default_rng(1), logits.shape[1], softmax(logits), logits.argmax(axis=1)
    draws = [rng.integers(0, len(labels), len(labels)) for _ in range(1000)]
    for name, value in (("f1", lambda at: sk.f1_score(labels[at], predicted[at], average="macro", labels=range(classes),
                                                      zero_division=0)),
                        ("auc", lambda at: np.mean([sk.roc_auc_score(labels[at] == k, p[at, k]) for k in range(classes)]))):
        low, high = np.nanquantile([value(at) for at in draws], [0.025, 0.975])
        for end, wanted in (("low", low), ("high", high)):
            got = seen[f"bootstrap_{name}_{end}"]
            assert abs(got - wanted) < 0.2 * (high - low), f"bootstrap of {name}: {end} is {got}, wanted {wanted}"


def main():
    inputs = make_inputs()
    assert len(inputs) == RANDOM + 3 * 6
    packed = b"".join(np.array([logits.shape[1], len(labels)], np.int32).tobytes() + labels.tobytes() + logits.tobytes()
                      for labels, logits in inputs)
    lines = subprocess.run([PROGRAM], input=packed, stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    assert len(lines) == len(inputs)
    worst, undefined, problems = {}, {}, []
    for i, ((labels, logits), line) in enumerate(zip(inputs, lines)):
        words = line.split()
        seen = dict(zip(words[::2], map(float, words[1::2])))
        by_keras = of_keras(labels, logits) if i < RANDOM_OF_KERAS or i >= RANDOM else {}
        for expected, limit in ((of_sklearn(labels, logits), 1e-12), (by_keras, 1e-6)):
            for name, wanted in expected.items():
                difference = 0 if np.isnan(wanted) and np.isnan(seen[name]) else abs(seen[name] - wanted)
                undefined[name] = undefined.get(name, 0) + bool(np.isnan(seen[name]))
                if not difference <= limit:
                    problems.append(f"input {i}, {logits.shape}: {name} is {seen[name]!r}, wanted {wanted!r}")
                worst[name] = max(worst.get(name, 0), difference)
        unchecked = {name for name in seen if name not in worst and not name.startswith("bootstrap") and name != "loss"}
        assert not unchecked, f"not compared: {unchecked}"
    check_bootstrap(*inputs[5], dict(zip(lines[5].split()[::2], map(float, lines[5].split()[1::2]))))
    if "--table" in sys.argv:
        print("| metric | largest difference | NaN in both |\n|---|---|---|")
        for name in worst:
            print(f"| `{name}` | {worst[name]:.1e} | {undefined[name]} |")
    print("\n".join(problems[:40]))
    print(f"{len(worst)} figures of {len(inputs)} inputs, {len(problems)} differ")
    sys.exit(1 if problems else 0)


main()
