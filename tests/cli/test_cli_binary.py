# SPDX-License-Identifier: Apache-2.0
"""Binary heads in jobs: the numbers of a trial are those that torch and scikit-learn compute from the saved weights, and what
does not fit is refused before anything is trained."""
import math
import os

import h5py
import numpy as np
import torch
from sklearn.metrics import average_precision_score, brier_score_loss, confusion_matrix, f1_score, log_loss, roc_auc_score

from basenet import torch_basenet
from harness import BIN, path, read_trials, run, run_ok, run_tests, write_job

PLUGIN = os.path.realpath(os.path.join(BIN, "../tests/libcnnsweep_cuda_host.so"))

run_ok("--classes", "2", "--per-class", "40", "--size", "32x32", "drawn", program="cnnsweep-synthetic")
run_ok("drawn", "data.h5", program="cnnsweep-pack")
JOB = """name: binary
data: {path: data.h5}
model: {arch: basenet, head: [{dense: 1, activation: sigmoid}]}
threads: 1
train: {epochs: 2, batch: 16, optimizer: adam, seed: 3, lr: 0.001, save_weights: h5}
"""


def job(**options):
    """The job with more options of train."""
    more = "".join(f", {key}: {value}" for key, value in options.items())
    return JOB.replace("save_weights: h5", f"save_weights: h5{more}")


def train(out, text, *sets, device="auto", **how):
    arguments = ["--device", device] + [argument for value in sets for argument in ("--set", value)]
    run_ok("train", write_job(text), "--out", out, "--force", *arguments, **how)
    return read_trials(out)[0]


def logits_of(out, split):
    with h5py.File(path("data.h5")) as file:
        images, labels = file[f"{split}/images"][...], file[f"{split}/label"][...]
    return torch_basenet(images / 255, f"{out}/weights/t000.h5")[1][:, 0], torch.from_numpy(labels.astype(np.float32))


def check(trial, column, want, tolerance=1e-5):
    assert abs(float(trial[column]) - want) < tolerance, (column, trial[column], want)


def test_the_saved_kernel_has_one_unit():
    train("plain", job(metrics="all", evaluate="[train, val, test]"))
    with h5py.File(path("plain/weights/t000.h5")) as file:
        assert file["dense_1/dense_1/kernel:0"].shape[1] == 1 and file["dense_1/dense_1/bias:0"].shape == (1,)


def test_metrics_are_those_of_the_probabilities_of_both_classes():
    trial = read_trials("plain")[0]
    for split, prefix in (("train", "final_"), ("val", "val_"), ("test", "test_")):
        logits, labels = logits_of("plain", split)
        p, predicted = logits.double().sigmoid().numpy(), (logits > 0).numpy()
        y = labels.numpy()
        check(trial, prefix + "loss", torch.nn.BCEWithLogitsLoss()(logits, labels).item())
        check(trial, prefix + "accuracy", (predicted == y).mean())
        check(trial, prefix + "macro_f1", f1_score(y, predicted, average="macro"))
        check(trial, prefix + "macro_auc", roc_auc_score(y, p))
        check(trial, prefix + "macro_average_precision", average_precision_score(y, p))
        check(trial, prefix + "log_loss", log_loss(y, p))
        check(trial, prefix + "brier", brier_score_loss(y, p))
        # One of the two entries of a row is above one half.
        check(trial, prefix + "keras_precision", (predicted == y).mean())


def test_the_report_has_the_confusion_matrix_of_both_classes():
    logits, labels = logits_of("plain", "test")
    with open(path("plain/report/t000.txt")) as file:
        lines = file.read().split("confusion matrix")[1].splitlines()[2:4]
    assert [[int(n) for n in line.split()[1:]] for line in lines] == confusion_matrix(labels, logits > 0).tolist()


def test_smoothing_and_focal_are_in_the_loss_of_all_splits():
    trial = train("smoothed", job(label_smoothing=0.2))
    logits, labels = logits_of("smoothed", "test")
    check(trial, "test_loss", torch.nn.BCEWithLogitsLoss()(logits, labels * 0.8 + 0.1).item())
    for balancing, sets in ((None, ()), (0.7, ("train.focal_balancing=true", "train.focal_alpha=0.7"))):
        trial = train("focal", job(), "train.loss=focal", *sets)
        logits, labels = logits_of("focal", "test")
        losses = torch.nn.BCEWithLogitsLoss(reduction="none")(logits, labels)
        weights = 1 if balancing is None else labels * balancing + (1 - labels) * (1 - balancing)
        check(trial, "test_loss", (weights * (1 - torch.exp(-losses)) ** 2 * losses).mean().item())


def test_class_weights_count_in_training_alone():
    plain, first, second = (train("weighted", job(class_weight=weights), "train.lr=1e-12", "train.epochs=1")
                            for weights in ("none", "[2, 0]", "[0, 2]"))
    for other in first, second:
        check(plain, "val_loss", float(other["val_loss"]))
        assert abs(float(plain["loss"]) - float(other["loss"])) > 1e-3
    check(plain, "loss", (float(first["loss"]) + float(second["loss"])) / 2)


MIXED = """augmentations:
  mixed: [{mixup: {alpha: 0.4}}]
"""


def test_engines_agree_also_with_mixed_images():
    text = job(augment="mixed", label_smoothing=0.1, metrics="macro_auc") + MIXED
    want = train("ref", text, device="ref")
    for device in ("onednn", "cuda") if os.path.exists(PLUGIN) else ("onednn",):
        got = train(device, text, device=device, env={"CNNSWEEP_CUDA_PLUGIN": PLUGIN, "CNNSWEEP_HOST_GPUS": "1"})
        for name in ("loss", "val_loss", "test_loss", "test_macro_auc"):
            assert math.isclose(float(got[name]), float(want[name]), rel_tol=1e-3), (device, name, got[name], want[name])
    assert want["loss"] != train("ref", job(label_smoothing=0.1), device="ref")["loss"]


def test_two_ranks_that_share_a_batch_train_as_one():
    one = train("one", job())
    two = train("two", job(), "ranks_per_trial=2", ranks=2)
    for name in ("loss", "val_loss", "test_loss"):
        assert math.isclose(float(one[name]), float(two[name]), rel_tol=1e-4), (name, one[name], two[name])


def test_heads_of_both_kinds_are_swept_in_one_group():
    head = "[{dense: 1, activation: sigmoid}]"
    text = job(fine_tune="head").replace(f", head: {head}", "")
    write_job(text + f"sweep: {{parameters: {{head: [{head}, [dense]]}}}}\n", "heads.yaml")
    assert "2 trials in 1 group" in run_ok("train", "heads.yaml", "--dry-run").stdout
    run_ok("train", "heads.yaml", "--out", "heads")
    assert [trial["status"] for trial in read_trials("heads")] == ["ok", "ok"]


REFUSED = [
    (JOB.replace("dense: 1", "dense: 2"), "'dense:2:sigmoid' cannot be the last layer", "dense:1:sigmoid"),
    (JOB.replace("sigmoid", "relu"), "'dense:1:relu' cannot be the last layer", "{dense: 1, activation: sigmoid}"),
    (job(loss="focal", focal_alpha=0.5), "train.focal_alpha is set, but", "train.focal_balancing: true"),
    (job(focal_balancing="true"), "train.focal_balancing is set, but", "it is for train.loss: focal"),
    (job(loss="focal", focal_balancing="true", focal_alpha=2), "train.focal_alpha is 2", "it is at most 1"),
    (job(loss="focal", focal_balancing="true").replace("{dense: 1, activation: sigmoid}", "dense"),
     "train.focal_balancing is set, but", "a head that ends in"),
]


def test_what_does_not_fit_is_refused():
    for text, message, hint in REFUSED:
        done = run("train", write_job(text), "--out", "refused")
        assert done.returncode != 0 and message in done.stderr and hint in done.stderr, (text, done.stderr)
        assert not os.path.exists(path("refused/journal.jsonl"))


def test_a_dataset_of_three_classes_is_refused():
    run_ok("--classes", "3", "--per-class", "12", "--size", "32x32", "three", program="cnnsweep-synthetic")
    run_ok("three", "three.h5", program="cnnsweep-pack")
    done = run("train", write_job(JOB), "--out", "refused", "--set", "data.path=three.h5")
    assert done.returncode != 0 and "decides between 2 classes, but there are 3" in done.stderr, done.stderr
    assert "plain dense" in done.stderr and not os.path.exists(path("refused/journal.jsonl"))


run_tests(globals())
