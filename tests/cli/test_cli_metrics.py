# SPDX-License-Identifier: Apache-2.0
"""train.metrics and train.evaluate choose what is computed and written, any metric can be monitored and compared by, and the
reports and the table say how sure the numbers are."""
import csv
import math
import os
import re
import shutil

from harness import make_data, path, read_journal, read_trials, run, run_ok, run_tests, without_clock, write_job
from scipy import stats

make_data()
SINGLE = """name: single
data: {path: data.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 3, batch: 16, seed: 3}
"""
TWO = SINGLE + "sweep: {parameters: {lr: [0.01, 0.0003]}}\n"
BEFORE = ["trial", "status", "reason", "epochs_run", "best_epoch"]
AFTER = ["params_total", "params_trainable", "memory", "seconds", "images_per_second", "stall_fraction", "rank", "engine",
         "precision", "deterministic"]


def train(out, *sets, text=SINGLE, ranks=0):
    arguments = [argument for value in sets for argument in ("--set", value)]
    return run_ok("train", write_job(text), "--out", out, *arguments, ranks=ranks)


def columns(out):
    names = list(read_trials(out)[0])
    assert names[:len(BEFORE)] == BEFORE and names[-len(AFTER):] == AFTER, names
    return names[len(BEFORE):-len(AFTER)]


def history(out, trial="t000"):
    with open(path(f"{out}/history/{trial}.csv"), newline="") as file:
        return list(csv.DictReader(file))


def events(out, kind):
    return [event for event in read_journal(out) if event["event"] == kind]


def report(out, split="", trial="t000"):
    """(confusion matrix, {metric: (value, low, high)}) of a report."""
    with open(path(f"{out}/report/{trial}{split}.txt")) as file:
        text = file.read()
    matrix = [[int(n) for n in line.split()[1:]] for line in text.split("confusion matrix")[1].splitlines()[2:5]]
    rows = re.findall(r"^ *(\w+ ?\w*)  ([0-9.]+)  ([0-9.]+) to ([0-9.]+)  ", text.split("95 % intervals")[1], re.M)
    return matrix, {name: tuple(map(float, numbers)) for name, *numbers in rows}


def test_without_the_option_the_columns_are_those_of_before():
    train("default")
    assert columns("default") == ["accuracy", "loss", "val_accuracy", "val_loss", "test_accuracy", "test_loss", "test_macro_f1",
                                  "test_weighted_f1"]
    assert list(history("default")[0]) == ["epoch", "accuracy", "learning_rate", "loss", "val_accuracy", "val_loss"]
    assert not set(events("default", "epoch")[0]) & {"macro_f1", "val_macro_f1", "mcc"}


def test_chosen_metrics_are_written_and_no_others():
    train("chosen", "train.metrics=[mcc, val_ece]")
    assert columns("chosen") == ["accuracy", "loss", "mcc", "val_accuracy", "val_loss", "val_mcc", "val_ece", "test_accuracy",
                                 "test_loss", "test_mcc"]
    assert list(history("chosen")[0]) == ["epoch", "accuracy", "learning_rate", "loss", "mcc", "val_accuracy", "val_ece",
                                          "val_loss", "val_mcc"]
    assert set(events("chosen", "epoch")[0]) >= {"mcc", "val_mcc", "val_ece"}
    assert "test_macro_f1" not in events("chosen", "trial")[0]


def test_metrics_change_neither_the_trial_nor_its_numbers():
    train("all", "train.metrics=all")
    assert events("all", "plan")[0]["key"] == events("default", "plan")[0]["key"]
    for name in columns("default"):
        assert read_trials("all")[0][name] == read_trials("default")[0][name], name
    for row, plain in zip(history("all"), history("default")):
        assert {name: row[name] for name in plain} == plain


def test_every_metric_of_every_split_is_computed():
    names = [line.split()[0] for line in run_ok("options", "--metrics").stdout.splitlines()]
    assert len(names) > 25
    trial, row = read_trials("all")[0], history("all")[-1]
    for name in names:
        for prefix in ("", "val_", "test_"):
            assert math.isfinite(float(trial[prefix + name])), prefix + name
        assert math.isfinite(float(row[name])) and math.isfinite(float(row["val_" + name])), name


def keras_stops(values, maximize, patience):
    """The number of epochs that keras.callbacks.EarlyStopping trains, and its best epoch."""
    best, at, wait = (-math.inf if maximize else math.inf), 0, 0
    for epoch, value in enumerate(values):
        wait += 1
        if value > best if maximize else value < best:
            best, at, wait = value, epoch, 0
        elif wait >= patience:
            return epoch + 1, at
    return len(values), at


def test_early_stopping_monitors_any_metric():
    stopped = 0
    for monitor, maximize in (("val_macro_auc", True), ("val_keras_recall", True), ("val_brier", False), ("mcc", True)):
        train(monitor, f"train.monitor={monitor}", "train.patience=1", "train.epochs=12", "train.lr=0.01")
        train(monitor + "-long", f"train.metrics={monitor}", "train.epochs=12", "train.lr=0.01")
        trial, rows = read_trials(monitor)[0], history(monitor + "-long")
        epochs, best = keras_stops([float(row[monitor]) for row in rows], maximize, 1)
        assert (int(trial["epochs_run"]), int(trial["best_epoch"])) == (epochs, best), (monitor, trial)
        assert trial[monitor] == rows[best][monitor] and len(history(monitor)) == epochs
        stopped += epochs < 12
    assert stopped > 0


def test_without_a_val_split_the_metric_of_train_is_monitored_and_written():
    shutil.copytree(path("drawn"), path("no-val"))
    shutil.rmtree(path("no-val/val"))
    run_ok("no-val", "no-val.h5", program="cnnsweep-pack")
    train("no-val-run", "data.path=no-val.h5", "train.monitor=val_kappa", "train.patience=5")
    assert all(math.isfinite(float(row["kappa"])) for row in history("no-val-run"))


def test_the_metrics_of_the_sweep_and_of_the_table_add_themselves():
    train("added", "sweep.metric.name=val_macro_auc", "table.value=test_kappa", text=TWO)
    assert set(read_trials("added")[0]) >= {"val_macro_auc", "test_kappa"}
    assert not set(read_trials("added")[0]) & {"macro_auc", "test_macro_auc", "val_kappa"}
    with open(path("added/table.md")) as file:
        table = file.read()
    assert table.startswith("single: test_kappa") and "Best val_macro_auc" in table


def test_a_scheduler_compares_by_any_metric_of_val():
    train("halved", "sweep.metric.name=val_macro_auc", "sweep.scheduler={type: asha, grace_period: 1, reduction_factor: 2}",
          "train.epochs=4", text=TWO)
    assert any("val_macro_auc" in trial["reason"] for trial in read_trials("halved"))


def test_an_unknown_name_is_refused_with_a_suggestion():
    for key, value, wanted in (("train.metrics", "macro_auk", "'macro_auc'"), ("train.monitor", "val_macro_auk", "'val_macro_auc'"),
                               ("train.evaluate", "tests", "'test'"), ("sweep.metric.name", "test_mmc", "'test_mcc'")):
        done = run("train", write_job(), "--out", "never", "--set", f"{key}={value}")
        assert done.returncode == 1 and f"did you mean {wanted}?" in done.stderr, done.stderr


def test_the_tested_weights_are_reported_on_val_and_test():
    trial = read_trials("default")[0]
    assert sorted(os.listdir(path("default/report"))) == ["t000.txt", "t000.val.txt"]
    for split, name in (("", "test_accuracy"), (".val", "val_accuracy")):
        matrix, _ = report("default", split)
        right, n = sum(matrix[i][i] for i in range(3)), sum(map(sum, matrix))
        assert n == 18 and abs(right / n - float(trial[name])) < 1e-9


def test_train_is_evaluated_without_augmentation_if_asked_for():
    flips = SINGLE + "augmentations: {dark: {brightness_range: [0.2, 0.4]}}\n"
    train("evaluated", "train.evaluate=[train, val, test]", "train.metrics=mcc", "train.augment=dark", text=flips)
    trial = read_trials("evaluated")[0]
    matrix, _ = report("evaluated", ".train")
    right, n = sum(matrix[i][i] for i in range(3)), sum(map(sum, matrix))
    assert n == 84 and abs(right / n - float(trial["final_accuracy"])) < 1e-8 and math.isfinite(float(trial["final_mcc"]))
    # The same weights on the same images without augmentation: a trial that does nothing but test them.
    train("saved", "train.save_weights=h5", "train.augment=dark", text=flips)
    train("again", "model.weights=saved/weights/t000.h5", "train.lr=1e-12", "train.epochs=1", "train.fine_tune=head",
          "train.evaluate=train", "train.augment=none", "sweep.metric.name=final_loss")
    assert abs(float(read_trials("again")[0]["final_loss"]) - float(trial["final_loss"])) < 1e-4


def test_a_test_split_that_is_not_evaluated_is_not_read():
    done = train("unseen", "train.evaluate=val")
    assert os.listdir(path("unseen/report")) == ["t000.val.txt"]
    assert read_trials("unseen")[0]["test_accuracy"] == "nan"
    assert "trials are compared by val_accuracy" in done.stderr


def test_intervals_are_wilsons_and_those_of_the_draws():
    train("intervals", "train.metrics=test_macro_auc")
    matrix, intervals = report("intervals")
    right, n = sum(matrix[i][i] for i in range(3)), sum(map(sum, matrix))
    low, high = stats.binomtest(right, n).proportion_ci(method="wilson")
    assert intervals["accuracy"] == (round(right / n, 4), round(low, 4), round(high, 4)), intervals
    trial = read_trials("intervals")[0]
    for name, column in (("macro F1", None), ("macro AUC", "test_macro_auc")):
        value, low, high = intervals[name]
        assert low <= value <= high and low < high
        assert column is None or abs(value - float(trial[column])) < 1e-4
    assert "macro AUC" not in report("default")[1]


def test_reports_do_not_depend_on_the_ranks():
    train("one", "train.metrics=macro_auc", text=TWO)
    train("two", "train.metrics=macro_auc", text=TWO, ranks=2)
    assert without_clock(read_trials("one")) == without_clock(read_trials("two"))
    for name in sorted(os.listdir(path("one/report"))):
        with open(path(f"one/report/{name}")) as a, open(path(f"two/report/{name}")) as b:
            assert a.read() == b.read(), name
    with open(path("one/table.md")) as a, open(path("two/table.md")) as b:
        assert a.read() == b.read().replace("-n 2 ", "")


def test_the_table_compares_the_two_best_trials():
    with open(path("one/table.md")) as file:
        line = re.search(r"The two best trials on test: (t\d+) alone is right on (\d+) images, (t\d+) alone on (\d+); .*"
                         r"p = (\S+)", file.read())
    only_a, only_b = int(line[2]), int(line[4])
    by_name = {trial["trial"]: float(trial["test_accuracy"]) for trial in read_trials("one")}
    assert by_name[line[1]] >= by_name[line[3]] and only_a + only_b > 0
    assert abs((by_name[line[1]] - by_name[line[3]]) * 18 - (only_a - only_b)) < 1e-6
    assert abs(float(line[5]) - stats.binomtest(only_a, only_a + only_b).pvalue) < 1e-3


def test_collect_writes_the_same_columns_and_refuses_others():
    train("whole", "train.metrics=mcc", text=TWO)
    run_ok("collect", "whole", "--out", "merged")
    for name in ("trials.csv", "table.md"):
        with open(path(f"whole/{name}")) as a, open(path(f"merged/{name}")) as b:
            assert a.read() == b.read(), name
    done = run("collect", "whole", "--out", "other", "--value", "test_macro_auc")
    assert done.returncode == 1 and "train.metrics: [test_macro_auc]" in done.stderr


def test_a_resumed_sweep_may_choose_other_metrics():
    train("more", text=TWO)
    run_ok("train", "job.yaml", "--out", "more", "--resume", "--set", "train.metrics=mcc")
    assert "val_mcc" in read_trials("more")[0] and list(history("more")[0])[5:] == ["val_accuracy", "val_loss", "val_mcc"]
    assert all(row["val_mcc"] == "NA" for row in history("more")), "those epochs were not trained again"


def pack_without(*splits):
    name = "without-" + "-".join(splits)
    shutil.copytree(path("drawn"), path(name))
    for split in splits:
        shutil.rmtree(path(f"{name}/{split}"))
    run_ok(name, name + ".h5", program="cnnsweep-pack")
    return f"data.path={name}.h5"


def test_without_a_test_split_trials_are_compared_by_val_accuracy():
    for text in (SINGLE, TWO):
        out = "untested" + str(len(text))
        data = "data.path=without-test.h5" if os.path.exists(path("without-test.h5")) else pack_without("test")
        done = train(out, data, text=text)
        assert "no test split is evaluated: trials are compared by val_accuracy" in done.stderr
        with open(path(f"{out}/table.md")) as file:
            assert "Best val_accuracy" in file.read()
        assert events(out, "start")[-1]["metric"] == "val_accuracy"


def check_hint(done, out, text, data):
    """What the hint of a failure says to add works."""
    hint = re.findall(r"--set [a-z._]+=[a-z_0-9]+", done.stderr)
    assert done.returncode == 1 and hint, done.stderr
    train(out, data, *[word.split()[1] for word in hint], text=text)


def test_without_test_and_val_the_hint_works():
    data = pack_without("test", "val")
    for text in (SINGLE, TWO):
        out = "hinted" + str(len(text))
        check_hint(run("train", write_job(text), "--out", "never", "--set", data), out, text, data)
        with open(path(f"{out}/table.md")) as file:
            assert "Best accuracy" in file.read()


def test_a_metric_of_a_missing_split_is_refused_and_the_hint_works():
    data = "data.path=without-test.h5"
    done = run("train", write_job(TWO), "--out", "never", "--set", data, "--set", "sweep.metric.name=test_mcc")
    assert "has no test split, so there is no test_mcc" in done.stderr
    check_hint(done, "instead", TWO, data)
    with open(path("instead/table.md")) as file:
        assert "Best val_mcc" in file.read()


def test_a_metric_alone_is_no_sweep_without_parameters():
    train("alone", "sweep.metric.name=val_accuracy")
    assert len(read_trials("alone")) == 1


run_tests(globals())
