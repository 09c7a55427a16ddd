# SPDX-License-Identifier: Apache-2.0
"""The files that a small sweep leaves agree with each other: table, trials, histories, reports and journal."""
import csv
import os
import re

from harness import make_data, path, read_journal, read_trials, run, run_ok, run_tests, write_job

make_data()
done = run_ok("train", write_job(), "--out", "r")
trials = read_trials("r")
journal = read_journal("r")


def table_cells(text):
    """{(row name, column name): cell} of the Markdown pivot."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    header, rows = lines[0], lines[2:]
    return {(row[0], column): cell for row in rows for column, cell in zip(header[1:], row[1:])}


def test_trials_are_in_the_order_of_the_grid():
    expected = [(lr, augment) for lr in ("0.001", "0.0003") for augment in ("none", "flips", "dark")]
    assert [(t["lr"], t["augment"]) for t in trials] == expected
    assert [t["trial"] for t in trials] == [f"t{i:03d}" for i in range(6)]
    assert all(t["status"] == "ok" and t["reason"] == "epochs done" and t["epochs_run"] == "2" for t in trials)


def test_table_is_the_pivot_of_the_trials():
    table = open(path("r/table.md")).read()
    assert table in done.stdout
    assert table.startswith("tiny: test_accuracy\n\n| augment \\ lr ")
    cells = table_cells(table)
    expected = {(t["augment"], t["lr"]): f"{float(t['test_accuracy']):.4f}" for t in trials}
    assert cells == expected, (cells, expected)
    best = max(trials, key=lambda t: float(t["test_accuracy"]))
    line = re.search(r"Best test_accuracy: (\S+), trial (t\d+)", table)
    assert float(line[1]) == round(float(best["test_accuracy"]), 4)


def test_histories_have_the_columns_of_keras_and_the_rows_of_the_journal():
    for trial in trials:
        with open(path(f"r/history/{trial['trial']}.csv"), newline="") as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == ["epoch", "accuracy", "learning_rate", "loss", "val_accuracy", "val_loss"]
        events = [e for e in journal if e["event"] == "epoch" and e["trial"] == trial["trial"]]
        assert [int(r["epoch"]) for r in rows] == [e["epoch"] for e in events] == [0, 1]
        for row, event in zip(rows, events):
            for name in ("accuracy", "loss", "val_accuracy", "val_loss", "learning_rate"):
                assert abs(float(row[name]) - event[name]) <= 1e-8 * abs(event[name])
        assert abs(float(rows[1]["val_loss"]) - float(trial["val_loss"])) < 1e-6
        assert abs(float(rows[0]["learning_rate"]) - float(trial["lr"])) < 1e-9


def test_reports_are_of_the_test_split():
    for trial in trials:
        text = open(path(f"r/report/{trial['trial']}.txt")).read()
        matrix = [[int(n) for n in line.split()[1:]] for line in text.split("confusion matrix")[1].splitlines()[2:5]]
        total = sum(map(sum, matrix))
        assert total == 18 and [sum(row) for row in matrix] == [6, 6, 6], text
        right = sum(matrix[i][i] for i in range(3))
        assert abs(right / total - float(trial["test_accuracy"])) < 1e-6
        assert f"augment={trial['augment']}" in text.splitlines()[0]


def test_journal_begins_ends_and_has_every_trial():
    assert journal[0]["event"] == "start" and journal[0]["trials"] == 6 and journal[0]["threads"] == 1
    assert journal[-1] == {**journal[-1], "event": "end", "status": "done"}
    rows = {e["trial"]: e for e in journal if e["event"] == "trial"}
    assert len(rows) == 6
    for trial in trials:
        assert abs(rows[trial["trial"]]["test_loss"] - float(trial["test_loss"])) < 1e-6
        assert rows[trial["trial"]]["options"] == {"train.lr": trial["lr"], "train.augment": trial["augment"]}


def test_the_log_has_a_line_for_each_epoch_and_no_progress_bar():
    assert len(re.findall(r"^t00\d .*epoch [12]/2  loss \d", done.stderr, re.M)) == 12
    assert "\r" not in done.stderr and "\033" not in done.stderr


def test_the_folder_has_no_other_files():
    assert sorted(os.listdir(path("r"))) == [
        "details", "history", "journal.jsonl", "misclassified", "report", "report.html", "table.md", "trials.csv"]


def test_finished_results_are_kept_unless_forced():
    with open(path("r/notes.txt"), "w") as out:
        out.write("mine")
    before = open(path("r/trials.csv")).read()
    refused = run("train", "job.yaml", "--out", "r", "--set", "train.epochs=1")
    assert refused.returncode == 1 and "r already holds the results of a sweep" in refused.stderr
    assert "--force" in refused.stderr
    assert open(path("r/trials.csv")).read() == before
    run_ok("train", "job.yaml", "--out", "r", "--set", "train.epochs=1", "--force")
    assert {t["epochs_run"] for t in read_trials("r")} == {"1"}
    assert open(path("r/notes.txt")).read() == "mine"
    assert len([e for e in read_journal("r") if e["event"] == "start"]) == 1


run_tests(globals())
