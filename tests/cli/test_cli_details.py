# SPDX-License-Identifier: Apache-2.0
"""The details and the misclassified images that each trial of a sweep leaves: the numbers are those that scikit-learn computes of
the exported predictions; every split that is evaluated has them, on any number of ranks, and --force and --resume know them."""
import csv
import glob
import json
import os
import signal

import h5py
import numpy as np
import torch
from sklearn.metrics import average_precision_score, confusion_matrix, log_loss, precision_recall_fscore_support, roc_auc_score, roc_curve

from basenet import torch_basenet
from breakpoints import trial
from harness import path, read_trials, run, run_ok, run_tests, stopped_at, write_job

run_ok("--classes", "3", "--per-class", "40", "--size", "32x32", "drawn3", program="cnnsweep-synthetic")
run_ok("drawn3", "data.h5", program="cnnsweep-pack")
run_ok("--classes", "2", "--per-class", "40", "--size", "32x32", "drawn2", program="cnnsweep-synthetic")
run_ok("drawn2", "two.h5", program="cnnsweep-pack")
JOB = """name: details
data: {path: data.h5}
model: {arch: basenet, head: [flatten, dense]}
threads: 1
train: {epochs: 3, batch: 16, optimizer: adam, lr: 0.003, seed: 5}
"""
GRID = JOB.replace(", lr: 0.003, seed: 5", "") + "sweep: {parameters: {lr: [0.003, 0.001], seed: [1, 2]}}\n"
BINARY = JOB.replace("data.h5", "two.h5").replace("[flatten, dense]", "[{dense: 1, activation: sigmoid}]").replace(
    "seed: 5", "seed: 5, save_weights: h5, evaluate: [train, val, test]")


def read_rows(name):
    with open(path(name), newline="") as file:
        return list(csv.DictReader(file))


def details_of(name):
    with open(path(name), encoding="utf-8") as file:
        return json.load(file)


def files_of(folder):
    """{name below the folder: the bytes}, of both kinds of files."""
    found = {}
    for kind in ("details", "misclassified"):
        for name in glob.glob(path(f"{folder}/{kind}/*")):
            with open(name, "rb") as file:
                found[os.path.relpath(name, path(folder))] = file.read()
    return found


def assert_near(seen, wanted, tolerance):
    assert np.allclose(np.array(seen, float), wanted, rtol=0, atol=tolerance, equal_nan=True), (seen, wanted)


def check(details, labels, p, tolerance):
    """The details are those of the labels and the probabilities [rows,K]."""
    K, predicted = p.shape[1], p.argmax(1)
    classes, hot = range(K), np.eye(K, dtype=bool)[labels]
    assert details["rows"] == len(labels)
    assert (np.array(details["confusion"]) == confusion_matrix(labels, predicted, labels=classes)).all()
    scores = precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0)
    for name, values in zip(("precision", "recall", "f1", "support"), scores):
        assert_near([c[name] for c in details["classes"]], values, 1e-12)
    assert_near([c["auc"] for c in details["classes"]], [roc_auc_score(hot[:, k], p[:, k]) for k in classes], 1e-9)
    assert_near([c["average_precision"] for c in details["classes"]], [average_precision_score(hot[:, k], p[:, k]) for k in classes], 1e-9)
    for curve in details["roc"]:
        k = curve["class"]
        x, y, _ = roc_curve(hot[:, k], p[:, k], drop_intermediate=False)
        whole = np.rint(np.column_stack((x * curve["negatives"], y * curve["positives"]))).astype(int).tolist()
        assert len(curve["points"]) > 5 and all(point in whole for point in curve["points"])
    for name, rows, sign in (("confident_right", predicted == labels, -1), ("confident_wrong", predicted != labels, -1),
                             ("least_sure", labels >= 0, 1)):
        seen = [image["probability"] for image in details[name]]
        assert_near(seen, sign * np.sort(sign * p.max(1)[rows])[:8], tolerance)


def test_details_are_those_of_the_predictions_of_a_fold():
    run_ok("train", write_job(JOB + "sweep: {folds: 3}\n"), "--out", "folds", "--force")
    for trial in read_trials("folds"):
        rows = read_rows(f"folds/predictions/{trial['trial']}.csv")
        names = [name[2:] for name in rows[0] if name.startswith("p_")]
        labels = np.array([names.index(row["label"]) for row in rows])
        p = np.array([[float(row[f"p_{name}"]) for name in names] for row in rows])
        details = details_of(f"folds/details/{trial['trial']}.val.json")
        assert [c["name"] for c in details["classes"]] == names
        assert [c["val_images"] for c in details["classes"]] == list(np.bincount(labels))
        check(details, labels, p, 1e-8)
        assert_near(details["accuracy"], float(trial["val_accuracy"]), 1e-8)
        for image in details["confident_wrong"]:
            row = rows[image["sample"]]
            assert image["id"] == row["id"] and names[image["label"]] == row["label"] and names[image["predicted"]] == row["predicted"]
        wrong = [row for row in rows if row["label"] != row["predicted"]]
        listed = read_rows(f"folds/misclassified/{trial['trial']}.val.csv")
        assert len(wrong) > 0 and [(row["id"], row["label"], row["predicted"], row["probability_of_label"], row["probability_of_predicted"])
                                   for row in listed] == [(row["id"], row["label"], row["predicted"], row["p_" + row["label"]],
                                                           row["p_" + row["predicted"]]) for row in wrong]


def test_details_of_a_binary_head_are_those_of_torch_with_the_saved_weights():
    run_ok("train", write_job(BINARY), "--out", "binary", "--force")
    with h5py.File(path("two.h5")) as file:
        for split, ending in (("train", ".train"), ("val", ".val"), ("test", "")):
            logits = torch_basenet(file[f"{split}/images"][...] / 255, "binary/weights/t000.h5")[1][:, 0].double()
            labels = file[f"{split}/label"][...]
            p = torch.stack((1 - logits.sigmoid(), logits.sigmoid()), 1).detach().numpy()
            details = details_of(f"binary/details/t000{ending}.json")
            assert [curve["class"] for curve in details["roc"]] == [curve["class"] for curve in details["precision_recall"]] == [1]
            check(details, labels, p, 1e-5)
            assert_near(details["loss"], log_loss(labels, p), 1e-5)


def test_intervals_are_those_of_the_report():
    run_ok("train", write_job(JOB.replace("seed: 5", "seed: 5, metrics: macro_auc")), "--out", "intervals", "--force")
    details = details_of("intervals/details/t000.json")
    with open(path("intervals/report/t000.txt")) as file:
        text = file.read()
    for value, interval, what in ((details["accuracy"], details["accuracy_wilson"], "accuracy"),
                                  (details["macro_f1"], details["macro_f1_bootstrap"], "macro F1"),
                                  (details["macro_auc"], details["macro_auc_bootstrap"], "macro AUC")):
        assert f"{what}  {value:.4f}  {interval[0]:.4f} to {interval[1]:.4f}" in text, (what, value, interval, text)


def test_ranks_and_groups_write_the_same_files():
    run_ok("train", write_job(GRID), "--out", "one", "--force")
    run_ok("train", write_job(GRID), "--out", "two", "--force", ranks=2)
    run_ok("train", write_job(GRID), "--out", "shared", "--force", "--set", "ranks_per_trial=2", ranks=2)
    one, two = files_of("one"), files_of("two")
    assert sorted(one) == sorted(f"{kind}/t00{i}{split}.{ending}" for kind, ending in (("details", "json"), ("misclassified", "csv"))
                                 for split in ("", ".val") for i in range(4))
    assert one == two
    assert sorted(files_of("shared")) == sorted(one)


def test_a_killed_sweep_has_all_files_after_resume():
    halted = stopped_at(trial(2), "train", write_job(GRID), "--out", "killed", "--force")
    halted.signal(signal.SIGKILL)
    halted.end()
    run_ok("train", write_job(GRID), "--out", "killed", "--resume")
    assert files_of("killed") == files_of("one")


def test_force_removes_the_files_of_an_earlier_sweep():
    run_ok("train", write_job(GRID), "--out", "replaced", "--force")
    run_ok("train", write_job(JOB), "--out", "replaced", "--force")
    assert {os.path.basename(name).split(".")[0] for name in files_of("replaced")} == {"t000"}
    os.remove(path("replaced/journal.jsonl"))
    for name in ("trials.csv", "table.md"):
        os.remove(path(f"replaced/{name}"))
    refused = run("train", write_job(JOB), "--out", "replaced")
    assert refused.returncode != 0 and "already holds the results" in refused.stderr


def test_a_phase_that_others_go_on_from_has_none():
    phases = JOB + "phases: [{epochs: 1}, {epochs: 1, lr: 0.001}]\n"
    run_ok("train", write_job(phases), "--out", "phases", "--force")
    assert [trial["trial"] for trial in read_trials("phases")] == ["t000", "t001"]
    assert {os.path.basename(name).split(".")[0] for name in files_of("phases")} == {"t000"}


run_tests(globals())
