# SPDX-License-Identifier: Apache-2.0
"""Cross-validation: a fold gives the numbers of a dataset that was packed with its splits, whatever the trial computes from its
training images; the table, the predictions of held-out images, ranks, a resumed sweep, and requests that cannot be met."""
import csv
import glob
import math
import os
import re
import shutil
import signal

import h5py
import numpy as np
from sklearn.metrics import accuracy_score, log_loss

from harness import BIN, make_data, path, read_trials, run, run_ok, run_tests, stopped_at, without_clock, write_job
from breakpoints import epoch

make_data(per_class=30)
with h5py.File(path("data.h5")) as file:
    CLASSES = [name.decode() for name in file.attrs["classes"]]
    STORED = [(split, name.decode(), CLASSES[label]) for split in ("train", "val", "test")
              for name, label in zip(file[split]["id"][:], file[split]["label"][:])]

JOB = """name: folds
data: {path: data.h5}
model: {arch: basenet, head: [flatten, dense]}
threads: 1
train: {epochs: 2, batch: 16, optimizer: adam, seed: 5}
"""
FOLDS = JOB + """sweep:
  folds: 3
  parameters: {fine_tune: [all, head]}
augmentations:
  featurewise: {featurewise_center: true, featurewise_std_normalization: true, horizontal_flip: true}
  flips: {horizontal_flip: true}
  centred: {featurewise_center: true}
"""
# {what the trial computes from its training images, or from all images: settings}
PLUGIN = os.path.realpath(os.path.join(BIN, "../tests/libcnnsweep_cuda_host.so"))
ENV = {"CNNSWEEP_CUDA_PLUGIN": PLUGIN, "CNNSWEEP_HOST_GPUS": "1"}
SETTINGS = {"nothing": (), "augmentation": ("train.augment=flips",), "statistics": ("train.augment=featurewise",),
            "class weights": ("train.class_weight=balanced",), "filters": ("data.filter=clahe",),
            "features": ("train.mode=features", "sweep.parameters={lr: [0.001, 0.01]}"),
            "features of centred images": ("train.mode=features", "train.augment=centred", "sweep.parameters={lr: [0.001, 0.01]}")}
if os.path.exists(PLUGIN):
    SETTINGS["the CUDA engine's build for the host"] = ("device=cuda", "train.augment=flips")


def sets(*texts):
    return [argument for text in texts for argument in ("--set", text)]


def read_rows(name):
    with open(path(name), newline="") as file:
        return list(csv.DictReader(file))


def train(out, *settings, job=FOLDS, ranks=0):
    run_ok("train", write_job(job), "--out", out, "--force", *sets(*settings), ranks=ranks,
           env=ENV if "device=cuda" in settings else None)
    return read_trials(out)


def predictions(folder, trials):
    return {trial["fold"]: read_rows(f"{folder}/predictions/{trial['trial']}.csv") for trial in trials}


def first_cell(trials):
    """The trials of the first combination of values."""
    return trials[:3]


def pack_fold(held_out, fold):
    """Packs the images with the splits of a fold; the held-out images of all folds are given."""
    val = {row["id"] for row in held_out[fold]}
    divided = {row["id"] for rows in held_out.values() for row in rows}
    with open(path("fold.csv"), "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("path", "label", "split"))
        for _, name, label in STORED:
            out.writerow((name, label, "val" if name in val else "train" if name in divided else "test"))
    run_ok("--root", "drawn", "--classes", ",".join(CLASSES), "--force", "fold.csv", "fold.h5", program="cnnsweep-pack")


def numbers(trial):
    """What must not depend on how the splits came about."""
    return {name: value for name, value in without_clock([trial])[0].items()
            if name not in ("trial", "fold", "fine_tune", "lr", "memory", "reason")}


def test_a_fold_gives_the_numbers_of_a_dataset_that_was_packed_with_its_splits():
    for what, settings in SETTINGS.items():
        trials = first_cell(train("folds", *settings))
        held_out = predictions("folds", trials)
        pack_fold(held_out, "2/3")
        shutil.rmtree(path("fold.features"), ignore_errors=True)
        single = [text for text in settings if not text.startswith("sweep")]
        packed = train("packed", "data.path=fold.h5", "sweep=null", *single)
        assert numbers(packed[0]) == numbers(trials[1]), (what, packed[0], trials[1])
        for name in "history/{}.csv", "report/{}.val.txt", "report/{}.txt":
            texts = []
            for folder, trial in ("packed", packed[0]), ("folds", trials[1]):
                with open(path(folder + "/" + name.format(trial["trial"]))) as file:
                    texts.append(file.read())
            without = [re.sub(r"^folds.*$|[0-9.e-]+,(?=\d*\.\d+$)", "", text, flags=re.M) for text in texts]
            if "history" in name:
                without = [[{key: value for key, value in row.items() if key != "seconds"}
                            for row in csv.DictReader(text.splitlines())] for text in texts]
            assert without[0] == without[1], (what, name, without)


def test_every_image_of_train_and_val_is_held_out_once_and_test_stays():
    trials = train("once")
    for cell in trials[:3], trials[3:]:
        rows = [row for rows in predictions("once", cell).values() for row in rows]
        assert sorted(row["id"] for row in rows) == sorted(name for split, name, _ in STORED if split != "test")
    tests = [open(path(f"once/report/{trial['trial']}.txt")).read() for trial in trials]
    assert all(re.search(r"accuracy +[\d.]+ +15\b", text) for text in tests), tests[0]


def test_predictions_are_those_that_the_metrics_were_computed_of():
    for trial in train("kept"):
        rows = read_rows(f"kept/predictions/{trial['trial']}.csv")
        assert list(rows[0]) == ["id", "label", "predicted"] + [f"p_{name}" for name in CLASSES]
        labels, predicted = [row["label"] for row in rows], [row["predicted"] for row in rows]
        known = {name: label for _, name, label in STORED}
        assert labels == [known[row["id"]] for row in rows]
        scores = np.array([[float(row[f"p_{name}"]) for name in CLASSES] for row in rows])
        assert math.isclose(accuracy_score(labels, predicted), float(trial["val_accuracy"]), rel_tol=1e-8)
        assert predicted == [CLASSES[k] for k in scores.argmax(1)]
        assert math.isclose(log_loss(labels, scores, labels=CLASSES), float(trial["val_loss"]), rel_tol=1e-5), trial


def test_a_fold_that_is_test_is_followed_by_the_one_that_is_val():
    trials = first_cell(train("tested", "data.fold_split=test"))
    rows = predictions("tested", trials)
    assert sorted(row["id"] for each in rows.values() for row in each) == sorted(name for _, name, _ in STORED)
    for i, trial in enumerate(trials):
        with open(path(f"tested/report/{trial['trial']}.val.txt")) as file:
            support = [int(line.split()[-1]) for line in file if line.split()[:1] and line.split()[0] in CLASSES][:len(CLASSES)]
        labels = [row["label"] for row in rows[f"{(i + 1) % 3 + 1}/3"]]
        assert support == [labels.count(name) for name in CLASSES]
        assert math.isclose(accuracy_score([row["label"] for row in rows[trial["fold"]]],
                                           [row["predicted"] for row in rows[trial["fold"]]]), float(trial["test_accuracy"]),
                            rel_tol=1e-8)
    with open(path("tested/table.md")) as file:
        text = file.read()
    assert text.startswith("folds: test_accuracy; mean ± sd over fold") and "McNemar" not in text, text


def test_a_cell_is_the_mean_and_deviation_over_folds_and_repeats():
    trials = train("cells", "sweep.repeats=2")
    assert [(trial["seed"], trial["fold"]) for trial in trials[:6]] == [(s, f"{f}/3") for s in "56" for f in (1, 2, 3)]
    seeds = [{row["id"] for row in read_rows(f"cells/predictions/t00{t}.csv")} for t in (0, 3)]
    assert seeds[0] != seeds[1]
    with open(path("cells/table.md")) as file:
        text = file.read()
    assert "folds: val_accuracy; mean ± sd over seed, fold" in text, text
    means = {name: np.mean([float(trial["val_accuracy"]) for trial in trials if trial["fine_tune"] == name])
             for name in ("all", "head")}
    best = max(means, key=means.get)
    assert re.search(rf"Best val_accuracy: [\d.]+ ± [\d.]+, trials t0(00 to t005|06 to t011) \(fine_tune={best}\)", text), text
    for name in "all", "head":
        values = [float(trial["val_accuracy"]) for trial in trials if trial["fine_tune"] == name]
        mean, deviation = re.search(rf"\| {name} +\| +([\d.]+) ± ([\d.]+)", text).groups()
        assert len(values) == 6 and abs(np.mean(values) - float(mean)) < 6e-5
        assert abs(np.std(values, ddof=1) - float(deviation)) < 6e-5


def test_all_folds_share_the_features_of_the_images():
    shutil.rmtree(path("data.features"), ignore_errors=True)
    train("features", *SETTINGS["features"])
    assert len(glob.glob(path("data.features/*"))) == 1


def test_ranks_and_a_resumed_sweep_give_the_same_numbers_and_predictions():
    want = without_clock(train("alone"))
    kept = predictions("alone", want[:3])
    for ranks in 2, 3:
        found = without_clock(train(f"ranks{ranks}", ranks=ranks))
        assert found == want and predictions(f"ranks{ranks}", found[:3]) == kept
    program = stopped_at(epoch(2), "train", "job.yaml", "--out", "stopped")
    program.signal(signal.SIGKILL)
    program.end()
    run_ok("train", "job.yaml", "--out", "stopped", "--resume")
    found = without_clock(read_trials("stopped"))
    assert found == want and predictions("stopped", found[:3]) == kept


def test_ranks_that_share_a_trial_predict_the_same():
    kept = predictions("alone", first_cell(train("alone")))
    found = predictions("shared", first_cell(train("shared", "ranks_per_trial=2", ranks=2)))
    for fold, rows in kept.items():
        assert [row["id"] for row in found[fold]] == [row["id"] for row in rows]
        for name in CLASSES:
            want, got = (np.array([float(row[f"p_{name}"]) for row in of]) for of in (rows, found[fold]))
            np.testing.assert_allclose(got, want, atol=2e-3)


def test_one_fold_is_a_trial_of_its_own():
    want = first_cell(train("all"))[1]
    found = train("one", "data.fold=2/3", job=JOB)[0]
    assert numbers(found) == numbers(want)
    assert read_rows("one/predictions/t000.csv") == read_rows("all/predictions/t001.csv")
    run_ok("train", "job.yaml", "--out", "none", "--force")
    assert not os.path.exists(path("none/predictions"))


# {how trials come about: (settings, how many cells)}
WAYS = {"random": (("sweep.method=random", "sweep.budget.trials=6", "sweep.parameters={lr: {log_uniform: [0.0001, 0.01]}}"), 2),
        "tpe": (("sweep.method=tpe", "sweep.budget.trials=36", "train.epochs=1",
                 "sweep.parameters={lr: {log_uniform: [0.0001, 0.01]}}"), 12),
        "phases": (("sweep.parameters=null", "phases=[{fine_tune: head, epochs: 1}, {fine_tune: all, epochs: 1}]"), 1)}


def test_however_trials_come_about_a_cell_holds_each_image_out_once():
    for way, (settings, cells) in WAYS.items():
        trials = train(way, *settings)[:3 * cells]
        assert len(glob.glob(path(f"{way}/predictions/*.csv"))) == 3 * cells
        for cell in (trials[i:i + 3] for i in range(0, len(trials), 3)):
            assert len({trial.get("lr") for trial in cell}) == 1 and len({trial["fold"] for trial in cell}) == 3, cell
            rows = [row["id"] for each in predictions(way, cell).values() for row in each]
            assert sorted(rows) == sorted(name for split, name, _ in STORED if split != "test")


def test_collecting_parts_gives_the_same_table():
    train("whole")
    for part in 1, 2:
        run_ok("train", "job.yaml", "--part", f"{part - 1}/2", "--out", f"part{part}", "--force")
    done = run_ok("collect", "part1", "part2", "--out", "both")
    with open(path("whole/table.md")) as file:
        assert file.read().split("\n\nBest")[0] in done.stdout, done.stdout


ERRORS = [
    (("sweep.folds=1000",), "1000 folds of 75 images"),
    (("sweep.folds=2", "data.fold_split=test"), "none is left for train"),
    (("data.fold_rule=grouped",), "the images have none"),
    (("sweep.folds=0",), "sweep.folds is 0"),
    (("data.fold_rule=stratefied",), "did you mean 'stratified'"),
    (("sweep.parameters={fold: [1/3, 2/3]}",), "folds gives every trial 3 values, and data.fold is swept too"),
    (("sweep=null", "data.fold=4/3"), "'4/3' is no fold"),
    (("sweep=null", "data.fold=1"), "'1' is no fold"),
    (("sweep.parameters=null", "phases=[{epochs: 1}, {epochs: 1, seed: 9}]"), "all have one seed"),
    (("sweep=null", "data.fold_rule=plain"), "data.fold_rule is set, but there are no folds"),
]


def test_what_cannot_be_done_is_refused_before_training():
    for settings, text in ERRORS:
        done = run("train", write_job(FOLDS), "--out", "refused", *sets(*settings))
        assert done.returncode != 0 and text in done.stderr, (settings, done.stderr)
        assert not os.path.exists(path("refused"))


def test_a_class_with_fewer_images_than_folds_is_named():
    rare = [name for split, name, label in STORED if split == "train" and label == CLASSES[0]][:2]
    with open(path("rare.csv"), "w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "split")] + [(name, label, split) for split, name, label in STORED
                                                                    if label != CLASSES[0] or name in rare])
    run_ok("--root", "drawn", "rare.csv", "rare.h5", program="cnnsweep-pack")
    done = run_ok("train", write_job(FOLDS), "--out", "rare", "--dry-run", *sets("data.path=rare.h5"))
    assert f'class "{CLASSES[0]}" has 2 images for 3 folds' in done.stderr, done.stderr


def test_repeats_of_images_are_in_train_alone():
    """--balance over stores images of the rarer classes several times."""
    rare = [row for row in STORED if row[2] != CLASSES[0]] + [row for row in STORED if row[2] == CLASSES[0]][::4]
    with open(path("over.csv"), "w", newline="") as file:
        csv.writer(file).writerows([("path", "label")] + [(name, label) for _, name, label in rare])
    run_ok("--root", "drawn", "--balance", "over", "over.csv", "over.h5", program="cnnsweep-pack")
    with h5py.File(path("over.h5")) as file:
        stored = [(name.decode(), CLASSES[label]) for split in ("train", "val")
                  for name, label in zip(file[split]["id"][:], file[split]["label"][:])]
    trials = first_cell(train("over", "data.path=over.h5", "train.evaluate=[train, val, test]"))
    held_out = predictions("over", trials)
    ids = [row["id"] for rows in held_out.values() for row in rows]
    assert len(stored) > len(ids) == len(set(ids)) and set(ids) == {name for name, _ in stored}
    for trial in trials:
        held = {row["id"] for row in held_out[trial["fold"]]}
        with open(path(f"over/report/{trial['trial']}.train.txt")) as file:
            support = [int(line.split()[-1]) for line in file if line.split()[:1] and line.split()[0] in CLASSES][:len(CLASSES)]
        assert support == [sum(label == of and name not in held for name, label in stored) for of in CLASSES], support


def test_groups_that_no_fold_keeps_together_are_warned_of():
    with open(path("groups.csv"), "w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "group")] + [(name, label, f"p{i // 4}")
                                                                    for i, (_, name, label) in enumerate(STORED)])
    run_ok("--root", "drawn", "groups.csv", "groups.h5", program="cnnsweep-pack")
    warned = []
    for rule in "auto", "stratified":
        done = run_ok("train", write_job(FOLDS), "--out", "warned", "--dry-run",
                      *sets("data.path=groups.h5", f"data.fold_rule={rule}"))
        warned.append("more than one split" in done.stderr)
    assert warned == [False, True]


run_tests(globals())
