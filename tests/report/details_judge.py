# SPDX-License-Identifier: Apache-2.0
"""Compares the details of evaluations, FOLDER/PREFIX*.json, with what scikit-learn, scipy and numpy compute of the same rows."""
import csv
import glob
import json
import os
import sys

import h5py
import numpy as np
from scipy.special import softmax
from scipy.stats import binomtest
from sklearn.metrics import (auc, average_precision_score, confusion_matrix, precision_recall_curve, precision_recall_fscore_support,
                             roc_auc_score, roc_curve)

NEAR = 1e-12
SPLITS = ("train", "val", "test")


def assert_near(seen, wanted, what, tolerance=NEAR):
    seen = np.array(seen, float)
    assert np.allclose(seen, wanted, rtol=tolerance, atol=tolerance, equal_nan=True), f"{what}: {seen} instead of {wanted}"


def printable(raw):
    """Bytes as text: what is no UTF-8, and control characters, as \\x0a."""
    text = raw.decode("utf-8", "surrogateescape")
    return "".join(f"\\x{ord(c) & 0xff:02x}" if ord(c) < 0x20 or 0xdc80 <= ord(c) <= 0xdcff else c for c in text)


def wilson(part, rows):
    if rows == 0:
        return np.nan, np.nan
    return tuple(binomtest(part, rows).proportion_ci(method="wilson"))


class Case:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        self.base = path[:-len(".json")]
        self.details = json.loads(self.text)
        with h5py.File(self.base + ".h5") as file:
            self.names = [bytes(name) if isinstance(name, bytes) else name.encode() for name in file.attrs["classes"]]
            self.labels = {split: file[split]["label"][:] for split in SPLITS}
            self.ids = [bytes(name) for name in file["test"]["id"][:]]
        self.K = len(self.names)
        rows = np.fromfile(self.base + ".rows").reshape(-1, 1 + 2 * self.K)
        self.y, self.logits, self.p = rows[:, 0].astype(int), rows[:, 1:1 + self.K], rows[:, 1 + self.K:]
        self.predicted = self.logits.argmax(1)
        self.n = len(self.y)

    def csv(self, name):
        with open(f"{self.base}.{name}.csv", newline="", encoding="utf-8", errors="surrogateescape") as file:
            return list(csv.reader(file))


def check_classes(case):
    d, K = case.details, case.K
    assert d["rows"] == case.n and d["split"] == "test" and d["left_out"] == ""
    assert_near(case.p, softmax(case.logits, axis=1), "scores", 1e-13)
    assert [c["name"] for c in d["classes"]] == [printable(name) for name in case.names]
    assert not any(ord(c) < 0x20 and c != "\n" or c == "<" for c in case.text)
    matrix = confusion_matrix(case.y, case.predicted, labels=range(K))
    scores = precision_recall_fscore_support(case.y, case.predicted, labels=range(K), zero_division=0)
    for name, values in zip(("precision", "recall", "f1", "support"), scores):
        assert_near([c[name] for c in d["classes"]], values, name)
    for average in ("macro", "weighted"):
        values = precision_recall_fscore_support(case.y, case.predicted, labels=range(K), average=average, zero_division=0)
        assert_near([d[f"{average}_{name}"] for name in ("precision", "recall", "f1")], values[:3], average)
    for split in SPLITS:
        assert [c[f"{split}_images"] for c in d["classes"]] == list(np.bincount(case.labels[split], minlength=K))
    assert [c["predicted"] for c in d["classes"]] == list(matrix.sum(0))
    assert [c["right"] for c in d["classes"]] == list(matrix.diagonal())
    if K <= 30:
        assert_near([c["precision_wilson"] for c in d["classes"]],
                    [wilson(r, n) for r, n in zip(matrix.diagonal(), matrix.sum(0))], "precision_wilson", 1e-9)
        assert_near([c["recall_wilson"] for c in d["classes"]],
                    [wilson(r, n) for r, n in zip(matrix.diagonal(), matrix.sum(1))], "recall_wilson", 1e-9)
    assert_near(d["accuracy"], (case.y == case.predicted).mean(), "accuracy")
    assert_near(d["accuracy_wilson"], wilson(int((case.y == case.predicted).sum()), case.n), "accuracy_wilson", 1e-9)
    return matrix


def check_confusion(case, matrix):
    d = case.details
    cells = [(label, predicted, matrix[label, predicted]) for label, predicted in np.argwhere(matrix)]
    wrong = sorted(((-count, label, predicted) for label, predicted, count in cells if label != predicted))
    assert [tuple(pair) for pair in d["pairs"]] == [(label, predicted, -count) for count, label, predicted in wrong[:20]]
    if case.K <= 200:
        assert (np.array(d["confusion"]) == matrix).all() and d["rows_in_other_cells"] == 0
        table = case.csv("confusion")
        assert [row[0] for row in table[1:]] == table[0][1:] == [printable(name) for name in case.names]
        assert (np.array([row[1:] for row in table[1:]], int) == matrix).all()
        return
    assert "confusion" not in d
    kept = sorted(cells, key=lambda cell: (-cell[2], cell[0], cell[1]))[:10000]
    assert [tuple(cell) for cell in d["cells"]] == sorted(kept)
    assert d["rows_in_other_cells"] == case.n - sum(count for _, _, count in kept) > 0
    table = case.csv("confusion")
    assert [(row[0], row[1], int(row[2])) for row in table[1:]] == [
        (printable(case.names[label]), printable(case.names[predicted]), count) for label, predicted, count in sorted(kept)]


def distance(points, line):
    """The largest distance of points to a line through vertices."""
    a, step = line[:-1], np.diff(line, axis=0)
    length = np.maximum((step ** 2).sum(1), 1e-300)
    worst = 0
    for some in np.array_split(points, len(points) // 500 + 1):
        p = some[:, None, :]
        along = np.clip(((p - a) * step).sum(2) / length, 0, 1)
        worst = max(worst, np.sqrt(((a + along[:, :, None] * step - p) ** 2).sum(2)).min(1).max())
    return worst


def vertices(curve, is_roc):
    wrong, right = np.array(curve["points"], float).T
    if is_roc:
        return np.column_stack((wrong / curve["negatives"], right / curve["positives"]))
    return np.column_stack((right / curve["positives"], np.divide(right, right + wrong, out=np.ones(len(right)), where=right + wrong > 0)))


def check_curve(curve, truth, scores, is_roc):
    """(the distance of the whole curve to the points that are kept, the number of them)"""
    if is_roc:
        x, y, _ = roc_curve(truth, scores, drop_intermediate=False)
        assert_near(curve["area"], auc(x, y), "auc", 1e-11)
    else:
        y, x, _ = precision_recall_curve(truth, scores)
        x, y = x[::-1], y[::-1]
        assert_near(curve["area"], average_precision_score(truth, scores), "average precision", 1e-11)
    whole, kept = np.column_stack((x, y)), vertices(curve, is_roc)
    assert len(kept) <= 200 and curve["positives"] == truth.sum() and curve["negatives"] == (~truth).sum()
    on_curve = {(round(a, 12), round(b, 12)) for a, b in whole}
    assert all((round(a, 12), round(b, 12)) in on_curve for a, b in kept), "a kept point is not of the curve"
    return distance(np.unique(whole, axis=0), kept), len(kept)


def check_curves(case, worst):
    d, K = case.details, case.K
    hot = np.eye(K, dtype=bool)[case.y]
    support = hot.sum(0)
    both = [k for k in range(K) if 0 < support[k] < case.n]
    if K <= 100:
        wanted = [roc_auc_score(hot[:, k], case.p[:, k]) if k in both else np.nan for k in range(K)]
        assert_near([c["auc"] for c in d["classes"]], wanted, "auc of a class", 1e-11)
        wanted = [average_precision_score(hot[:, k], case.p[:, k]) if support[k] else np.nan for k in range(K)]
        assert_near([c["average_precision"] for c in d["classes"]], wanted, "average precision of a class", 1e-11)
        assert_near(d["micro_auc"], roc_auc_score(hot.ravel(), case.p.ravel()), "micro auc", 1e-11)
        assert_near(d["micro_average_precision"], average_precision_score(hot.ravel(), case.p.ravel()), "micro average precision", 1e-11)
    areas = np.array([c["auc"] for c in d["classes"]], float)
    precisions = np.array([c["average_precision"] for c in d["classes"]], float)
    first = 1 if K == 2 else 0
    assert_near(d["macro_auc"], areas[first:].mean(), "macro auc")
    assert_near(d["macro_average_precision"], precisions[first:].mean(), "macro average precision")
    shown = both if 2 < K <= 10 else [k for k in both if k == 1] if K == 2 else [None] + sorted(both, key=lambda k: (areas[k], k))[:5]
    for name, is_roc in (("roc", True), ("precision_recall", False)):
        assert [curve["class"] for curve in d[name]] == shown
        for curve in d[name]:
            k = curve["class"]
            truth, scores = (hot.ravel(), case.p.ravel()) if k is None else (hot[:, k], case.p[:, k])
            if K > 100 and k is None:
                continue
            far, kept = check_curve(curve, truth, scores, is_roc)
            assert far <= 1e-3 or kept == 200, f"{name} of class {k}: {far} from {kept} points"
            worst[name] = max(worst.get(name, (0, 0, "")), (far, kept, os.path.basename(case.base)))
        table = case.csv("roc" if is_roc else "pr")[1:]
        labels = ["micro average" if c["class"] is None else printable(case.names[c["class"]]) for c in d[name] for _ in c["points"]]
        assert [row[0] for row in table] == labels
        if table:
            assert_near([row[1:] for row in table], np.concatenate([vertices(c, is_roc) for c in d[name]]), f"{name} CSV", 1e-15)


def check_reliability(case):
    d = case.details
    confidence, right = case.p[np.arange(case.n), case.predicted], case.y == case.predicted
    edges = np.arange(1, 15) / 15
    bins = np.digitize(confidence, edges, right=True)
    error = 0
    for i, seen in enumerate(d["reliability"]):
        inside = bins == i
        assert seen["count"] == inside.sum()
        if inside.any():
            assert_near((seen["confidence"], seen["accuracy"]), (confidence[inside].mean(), right[inside].mean()), "bin")
            error += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
        else:
            assert seen["confidence"] is None and seen["accuracy"] is None
    assert_near(d["calibration_error"], error, "calibration error")
    table = case.csv("reliability")[1:]
    assert [int(row[2]) for row in table] == [seen["count"] for seen in d["reliability"]]
    assert_near([row[3] or np.nan for row in table], [np.nan if b["confidence"] is None else b["confidence"] for b in d["reliability"]], "CSV")


def check_images(case):
    d = case.details
    confidence, right = case.p[np.arange(case.n), case.predicted], case.y == case.predicted
    rows = np.arange(case.n)
    wanted = {"confident_right": rows[right][np.lexsort((rows[right], -confidence[right]))][:8],
              "confident_wrong": rows[~right][np.lexsort((rows[~right], -confidence[~right]))][:8],
              "least_sure": np.lexsort((rows, confidence))[:8]}
    for name, samples in wanted.items():
        assert [image["sample"] for image in d[name]] == list(samples), name
        for image, i in zip(d[name], samples):
            assert (image["id"], image["label"], image["predicted"]) == (printable(case.ids[i]), case.y[i], case.predicted[i])
            assert (image["probability"], image["label_probability"]) == (confidence[i], case.p[i, case.y[i]])
    table = case.csv("misclassified")
    assert table[0] == ["id", "label", "predicted", "probability_of_label", "probability_of_predicted"]
    for row, i in zip(table[1:], rows[~right], strict=True):
        wanted = [case.ids[i].decode("utf-8", "surrogateescape"), printable(case.names[case.y[i]]), printable(case.names[case.predicted[i]])]
        assert row[:3] == wanted, f"{row[:3]} instead of {wanted}"
    if not right.all():
        assert_near([row[3:] for row in table[1:]], [(case.p[i, case.y[i]], confidence[i]) for i in rows[~right]], "CSV", 1e-8)


paths = sorted(glob.glob(os.path.join(sys.argv[1], sys.argv[2] + "*.json")))
assert paths, "there are no cases"
worst = {}
for path in paths:
    case = Case(path)
    try:
        check_confusion(case, check_classes(case))
        check_curves(case, worst)
        check_reliability(case)
        check_images(case)
    except AssertionError as error:
        raise AssertionError(f"{os.path.basename(path)}, {case.K} classes, {case.n} rows: {error}") from error
    for name in glob.glob(case.base + ".*"):
        os.remove(name)
print(f"{len(paths)} cases; the largest distance of a curve to the points that are kept:", worst)
assert all(far <= 4e-3 for far, _, _ in worst.values())
