# SPDX-License-Identifier: Apache-2.0
"""A sweep that is trained in parts (train --part i/n) and collected gives the table of the whole sweep."""
import csv
import json
import math
import os
import random
import re
import shutil
import statistics

from harness import make_data, path, read_journal, read_trials, run, run_ok, run_tests, without_clock, write_job

# 2 x 3 x 2 trials; the last axis is the repeats.
JOB = """name: tiny
data: {path: data.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 1, batch: 16, optimizer: adam, seed: 3}
sweep:
  repeats: 2
  parameters:
    lr: [0.01, 3e-4]
    augment: [none, flips, dark]
augmentations:
  flips: {horizontal_flip: true, vertical_flip: true}
  dark: {brightness_range: [0.5, 0.9]}
table: {rows: augment, columns: lr, value: test_loss}
"""
PARTS = 3
FOLDERS = [f"results/tiny/part-{i}-of-{PARTS}" for i in range(PARTS)]

make_data()
write_job(JOB)
run_ok("train", "job.yaml", "--out", "whole")
for part in range(PARTS):
    run_ok("train", "job.yaml", "--part", f"{part}/{PARTS}")


def text_of(name):
    with open(path(name), encoding="utf-8") as file:
        return file.read()


def read_pivot(folder):
    with open(path(f"{folder}/table.csv"), newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def collect(out, folders, *arguments):
    return run_ok("collect", *folders, "--out", out, *arguments)


def refused(folders, *needles, code=1):
    done = run("collect", *folders, "--out", "refused")
    assert done.returncode == code, f"exit {done.returncode}: {done.stderr}"
    for needle in needles:
        assert needle in done.stderr, f"no {needle!r} in {done.stderr}"
    assert not os.path.exists(path("refused")), "nothing is written"


def copy(folder, name, edit):
    """Copies a results folder; edit(text) gives the copy's journal."""
    shutil.rmtree(path(name), ignore_errors=True)
    shutil.copytree(path(folder), path(name))
    before = text_of(f"{name}/journal.jsonl")
    after = edit(before)
    assert after != before
    with open(path(f"{name}/journal.jsonl"), "w", encoding="utf-8") as file:
        file.write(after)
    return name


def losses(**where):
    """test_loss of those trials of the whole sweep that have these values."""
    return [float(t["test_loss"]) for t in read_trials("whole") if all(t[k] == v for k, v in where.items())]


def same(text, value):
    return math.isclose(float(text), value, rel_tol=1e-7, abs_tol=1e-7)


def test_every_trial_is_trained_by_one_part_under_the_number_of_the_whole():
    names = [[t["trial"] for t in read_trials(folder)] for folder in FOLDERS]
    assert all(names), "no part is empty"
    assert sorted(sum(names, [])) == [t["trial"] for t in read_trials("whole")]


def test_merged_parts_equal_the_whole_sweep():
    output = collect("merged", FOLDERS).stdout
    assert without_clock(read_trials("merged")) == without_clock(read_trials("whole"))
    assert text_of("merged/table.md") == text_of("whole/table.md")
    assert "missing  " not in output and "duplicate" not in output
    assert output.startswith(text_of("merged/table.md"))


def test_parts_with_other_numbers_of_threads_are_reported():
    other = copy(FOLDERS[1], "other_threads", lambda text: text.replace('"threads":1', '"threads":2'))
    output = collect("mixed", [FOLDERS[0], other, FOLDERS[2]]).stderr
    assert f"{other} was trained with 2 threads a rank and {FOLDERS[0]} with 1: numbers differ" in output, output
    assert "a rank and" not in collect("unmixed", FOLDERS).stderr


def test_the_default_output_is_the_parts_common_folder():
    run_ok("collect", *[f"{folder}/" for folder in FOLDERS])
    assert text_of("results/tiny/trials.csv") == text_of("merged/trials.csv")
    os.remove(path("results/tiny/trials.csv"))


def test_a_folder_with_results_of_its_own_is_not_written_to():
    before = text_of("whole/trials.csv")
    done = run("collect", *FOLDERS, "--out", "whole")
    assert done.returncode == 1 and "whole holds the results of a sweep" in done.stderr
    assert text_of("whole/trials.csv") == before


def test_part_numbers_are_checked():
    for part, needle in (("3/3", "part 3 is outside 0 to 2"), ("-1/3", "part -1 is outside"), ("0/0", "0 parts"),
                         ("1", "is no part"), ("1/2x", "is no part"), ("a/b", "is no part")):
        done = run("train", "job.yaml", f"--part={part}", "--out", "never")
        assert done.returncode == 2 and needle in done.stderr, (part, done.stderr)
    assert not os.path.exists(path("never"))


def test_the_division_does_not_depend_on_ranks_and_threads():
    """--dry-run lists the trials that were trained."""
    for part, folder in enumerate(FOLDERS):
        trained = [t["trial"] for t in read_trials(folder)]
        for ranks, threads in ((0, 1), (2, 1), (0, 4)):
            plan = run_ok("train", "job.yaml", "--part", f"{part}/{PARTS}", "--dry-run", "--set", f"threads={threads}",
                          "--out", "unused", ranks=ranks).stdout
            assert re.findall(r"^(t\d{3}) ", plan, re.M) == trained


def test_there_may_be_more_parts_than_trials():
    """The last parts have no trials; that is no failure."""
    folders = []
    for part in (0, 12):
        folders.append(f"many{part}")
        run_ok("train", "job.yaml", "--part", f"{part}/13", "--out", folders[-1])
    assert [len(read_trials(folder)) for folder in folders] == [1, 0]


def test_another_part_is_not_resumed_into_a_folder():
    done = run("train", "job.yaml", "--part", "1/3", "--out", FOLDERS[0], "--resume")
    assert done.returncode == 1 and "holds part 0 of 3" in done.stderr and "this is part 1 of 3" in done.stderr
    done = run("train", "job.yaml", "--out", FOLDERS[0], "--resume")
    assert done.returncode == 1 and "this is a whole sweep" in done.stderr


def test_an_incomplete_part_is_resumed_to_the_same_table():
    def cut(text):
        lines = text.splitlines(keepends=True)
        last = max(i for i, line in enumerate(lines) if json.loads(line)["event"] == "trial")
        return "".join(lines[:last])
    name = copy(FOLDERS[1], "cut", cut)
    run_ok("train", "job.yaml", "--part", "1/3", "--out", name, "--resume")
    collect("resumed", [FOLDERS[0], name, FOLDERS[2]])
    assert text_of("resumed/table.md") == text_of("whole/table.md")


def test_the_trials_of_missing_parts_are_named():
    output = collect("two", FOLDERS[:2]).stdout
    lost = [t["trial"] for t in read_trials(FOLDERS[2])]
    assert re.findall(r"^missing +(t\d+) lr=\S+ augment=\S+ seed=\d: is of part 2 of 3", output, re.M) == lost
    assert f"{12 - len(lost)} of 12 trials from 2 folders, {len(lost)} missing" in output
    assert [t["trial"] for t in read_trials("two")] == [t["trial"] for t in read_trials("whole") if t["trial"] not in lost]


def test_of_a_trial_in_several_folders_the_finished_one_counts():
    def fail(text):
        lines = []
        for line in text.splitlines():
            event = json.loads(line)
            if event["event"] == "trial":
                event = {k: event[k] for k in ("event", "trial", "rank")} | {"status": "failed", "reason": "injected"}
            lines.append(json.dumps(event))
        return "\n".join(lines) + "\n"
    failed = copy(FOLDERS[0], "failed", fail)
    output = collect("double", [failed, *FOLDERS]).stdout
    twice = [t["trial"] for t in read_trials(FOLDERS[0])]
    pattern = rf"^duplicate +(t\d+) .*: in failed \(failed\), {FOLDERS[0]} \(ok.*, counts\)$"
    assert re.findall(pattern, output, re.M) == twice
    assert text_of("double/table.md") == text_of("whole/table.md")


def test_of_a_trial_finished_twice_the_first_folder_counts():
    output = collect("first", [FOLDERS[1], "whole"]).stdout
    assert len(re.findall(rf"^duplicate .*{FOLDERS[1]} \(ok.*, counts\), whole \(ok", output, re.M)) == \
        len(read_trials(FOLDERS[1]))


def test_a_torn_last_line_is_tolerated():
    torn = copy(FOLDERS[0], "torn", lambda text: text + '{"event":"trial","trial":"t0')
    collect("torn-merged", [torn, *FOLDERS[1:]])
    assert text_of("torn-merged/table.md") == text_of("whole/table.md")
    # The journal ends in the row of its last trial, which is then missing.
    row = max(text_of(f"{FOLDERS[0]}/journal.jsonl").rfind('"event":"trial"'), 0)
    torn = copy(FOLDERS[0], "torn", lambda text: text[:row + 40])
    output = collect("torn-merged", [torn, *FOLDERS[1:]]).stdout
    last = [e["trial"] for e in read_journal(FOLDERS[0]) if e["event"] == "trial"][-1]
    assert re.findall(r"^missing +(t\d+) .*: 1 epochs in torn$", output, re.M) == [last]


def test_other_jobs_are_refused_by_the_key_that_differs():
    job = write_job(JOB.replace("batch: 16", "batch: 8"), "batch.yaml")
    run_ok("train", job, "--part", "1/3", "--out", "batch")
    refused([FOLDERS[0], "batch"], "batch is of another sweep", "train.batch is 8, there 16")
    run_ok("train", "job.yaml", "--part", "1/3", "--out", "axis", "--set", "sweep.parameters.lr=[0.01]")
    refused([FOLDERS[0], "axis"], "train.lr is [\"0.01\"]")
    job = write_job(JOB.replace("0.9]", "0.8]"), "dark.yaml")
    run_ok("train", job, "--part", "1/3", "--out", "dark")
    refused([FOLDERS[0], "dark"], "dark is of another sweep", "augment=dark", "augmentations")


def test_options_that_change_no_number_may_differ():
    run_ok("train", "job.yaml", "--part", "1/3", "--out", "slow", "--set", "cache=off", "--set",
           "checkpoint_seconds=0")
    collect("slow-merged", [FOLDERS[0], "slow", FOLDERS[2]])
    assert len(read_trials("slow-merged")) == 12


def test_parts_trained_on_other_data_are_refused():
    """The same job in a folder that has another data.h5."""
    os.makedirs(path("there"))
    run_ok("--classes", "3", "--per-class", "20", "--size", "32x32", "drawn", program="cnnsweep-synthetic",
           cwd=path("there"))
    run_ok("drawn", "data.h5", program="cnnsweep-pack", cwd=path("there"))
    run_ok("train", "../job.yaml", "--part", "1/3", "--out", "part", cwd=path("there"))
    refused([FOLDERS[0], "there/part"], "there/part was trained on other samples", "data.path data.h5")


def test_folders_without_results_are_refused():
    os.makedirs(path("empty"), exist_ok=True)
    refused([FOLDERS[0], "empty"], "empty: no journal.jsonl")
    refused([FOLDERS[0], "absent"], "absent", "No such file")
    refused([FOLDERS[0], "job.yaml"], "job.yaml: is not a folder")
    refused([FOLDERS[0], f"./{FOLDERS[0]}"], "is the same folder as")
    refused([], "DIR is missing", code=2)


def test_a_journal_without_a_description_is_refused():
    def strip(text):
        first, rest = text.split("\n", 1)
        event = json.loads(first)
        del event["sweep"]
        return json.dumps(event) + "\n" + rest
    refused([copy(FOLDERS[0], "old", strip)], "old: its journal does not describe the sweep")


def test_a_damaged_journal_does_no_harm():
    """With any letter of the description or the plan altered, collect ends normally and never reports fewer trials."""
    dice = random.Random(7)
    whole = text_of(f"{FOLDERS[0]}/journal.jsonl")
    end = whole.index('{"event":"epoch"')
    codes = set()
    for _ in range(80):
        at = dice.randrange(whole.index('"sweep":'), end)
        other = dice.choice('0129{}[]":,ax-')
        if other == whole[at]:
            continue
        name = copy(FOLDERS[0], "damaged", lambda text: text[:at] + other + text[at + 1:])
        done = run("collect", name, "--out", "of-damaged")
        codes.add(done.returncode)
        assert done.returncode == 1 or " of 12 trials from 1 folder" in done.stdout, (other, at, done.stdout)
    assert codes == {0, 1}, codes


def test_of_many_damaged_lines_the_first_are_named():
    name = copy(FOLDERS[0], "garbled", lambda text: text + "\x07{\n" * 50)
    output = collect("of-garbled", [name, *FOLDERS[1:]]).stderr
    assert output.count("a damaged line is passed over") == 20 and "30 more damaged lines" in output
    assert text_of("of-garbled/table.md") == text_of("whole/table.md")


def test_a_plan_that_lacks_a_line_is_refused_until_it_is_resumed():
    """The trial of that line is trained again under a new number; collect finds it by its place in the plan."""
    own = read_trials(FOLDERS[1])[0]["trial"]
    name = copy(FOLDERS[1], "lacking", lambda text: re.sub(rf'{{"event":"plan","trial":"{own}".*\n', "", text))
    refused([name], "lacking: its journal has the plan lines of 11 trials, but announces 12", "--resume")
    run_ok("train", "job.yaml", "--part", "1/3", "--out", name, "--resume")
    assert "t012" in [t["trial"] for t in read_trials(name)]
    output = collect("lacking-merged", [FOLDERS[0], name, FOLDERS[2]]).stdout
    assert "12 of 12 trials" in output
    assert text_of("lacking-merged/table.md") == text_of("whole/table.md")


def test_the_csv_pivot_has_mean_and_deviation():
    collect("pivot", FOLDERS)
    rows = read_pivot("pivot")
    assert list(rows[0]) == ["augment \\ lr", "0.01", "0.01 sd", "0.0003", "0.0003 sd"]
    assert [row["augment \\ lr"] for row in rows] == ["none", "flips", "dark"]
    for row in rows:
        for lr in ("0.01", "0.0003"):
            values = losses(augment=row["augment \\ lr"], lr=lr)
            assert len(values) == 2
            assert same(row[lr], sum(values) / 2)
            assert same(row[f"{lr} sd"], abs(values[0] - values[1]) / math.sqrt(2))


def test_the_latex_pivot_has_the_cells_of_the_csv():
    lines = text_of("pivot/table.tex").splitlines()
    assert lines[0] == r"\begin{tabular}{lrr}" and lines[-1] == r"\end{tabular}"
    assert lines[2] == r"augment \textbackslash{} lr & 0.01 & 0.0003 \\"
    cells = [line.removesuffix(r" \\").split(" & ") for line in lines[4:-2]]
    assert cells == [[row["augment \\ lr"]] + [f"{float(row[c]):.4f} $\\pm$ {float(row[c + ' sd']):.4f}" for c in ("0.01", "0.0003")]
                     for row in read_pivot("pivot")]


def test_rows_columns_and_value_are_chosen():
    collect("chosen", FOLDERS, "--rows", "lr", "--columns", "none", "--value", "test_accuracy")
    rows = read_pivot("chosen")
    assert [list(row)[:2] for row in rows] == [["lr", "test_accuracy"]] * 2
    for row, lr in zip(rows, ("0.01", "0.0003")):
        values = [float(t["test_accuracy"]) for t in read_trials("whole") if t["lr"] == lr]
        assert len(values) == 6
        assert same(row["test_accuracy"], statistics.mean(values))
        assert same(row["test_accuracy sd"], statistics.stdev(values))
    assert r"test\_accuracy" in text_of("chosen/table.tex")
    done = run("collect", *FOLDERS, "--rows", "batch", "--out", "refused")
    assert done.returncode == 1 and "--rows: batch is not swept" in done.stderr and "lr, augment, seed" in done.stderr
    done = run("collect", *FOLDERS, "--value", "test_acuracy", "--out", "refused")
    assert done.returncode == 1 and "did you mean 'test_accuracy'" in done.stderr


def test_best_chooses_among_other_options_and_averages_repeats():
    collect("best", FOLDERS, "--columns", "none", "--best")
    for row in read_pivot("best"):
        pairs = [losses(augment=row["augment"], lr=lr) for lr in ("0.01", "0.0003")]
        best = min(pairs, key=statistics.mean)
        assert same(row["test_loss"], statistics.mean(best)), "a loss is best where it is least"
        assert same(row["test_loss sd"], statistics.stdev(best))
    assert text_of("best/table.md").startswith("tiny: test_loss; best over lr; mean ± sd over seed\n")


def test_a_part_logs_that_scheduler_and_budget_are_its_own():
    log = run_ok("train", "job.yaml", "--part", "0/2", "--out", "asha", "--set", "sweep.scheduler.type=asha", "--set",
                 "sweep.metric.name=val_loss", "--set", "sweep.budget.minutes=5").stderr
    assert "the scheduler compares trials of this part alone" in log and "each part has the budget's minutes" in log
    assert "of this part" not in run_ok("train", "job.yaml", "--part", "0/2", "--out", "plain").stderr


def test_a_grid_that_grows_in_parts_is_complete():
    """Trials may move to another part and are then trained again, but they keep their numbers."""
    for part in range(2):
        run_ok("train", "job.yaml", "--part", f"{part}/2", "--out", f"grown{part}")
    for part in range(2):
        run_ok("train", "job.yaml", "--part", f"{part}/2", "--out", f"grown{part}", "--resume", "--set",
               "sweep.parameters.augment=[dark, none, flips]", "--set", "sweep.parameters.lr=[0.01, 0.003, 3e-4]")
    output = collect("grown", ["grown0", "grown1"]).stdout
    assert "18 of 18 trials" in output and " 0 missing" in output
    rows = read_trials("grown")
    assert len({(t["lr"], t["augment"], t["seed"]) for t in rows}) == 18
    before = {(t["lr"], t["augment"], t["seed"]): (t["trial"], t["test_loss"]) for t in read_trials("whole")}
    after = {(t["lr"], t["augment"], t["seed"]): (t["trial"], t["test_loss"]) for t in rows}
    assert {key: after[key] for key in before} == before


def test_a_part_may_begin_after_the_grid_has_grown():
    """Its trials have other numbers than they would have in a part that was begun before."""
    grown = ("--set", "sweep.parameters.augment=[dark, none, flips]")
    small = ("--set", "sweep.parameters.augment=[none, flips]")
    run_ok("train", "job.yaml", "--part", "0/2", "--out", "early", *small)
    run_ok("train", "job.yaml", "--part", "0/2", "--out", "early", "--resume", *grown)
    run_ok("train", "job.yaml", "--part", "1/2", "--out", "late", *grown)
    output = collect("late-merged", ["early", "late"]).stdout
    assert "12 of 12 trials" in output
    collect("whole-merged", ["whole"])
    rows = [{row["augment \\ lr"]: row for row in read_pivot(folder)} for folder in ("late-merged", "whole-merged")]
    assert rows[0] == rows[1]


def test_names_are_escaped_for_latex_and_markdown():
    names = ["none", "[1]*", "a|b", r"<é~^\$#{x}_&%>"]
    augmentations = "".join(f"  '{name}': {{horizontal_flip: true}}\n" for name in names[1:])
    listed = ", ".join(f"'{name}'" for name in names)
    run_ok("train", write_job(f"""name: tiny
data: {{path: data.h5}}
model: {{arch: basenet}}
threads: 1
train: {{epochs: 1}}
sweep: {{parameters: {{augment: [{listed}]}}}}
augmentations:
{augmentations}table: {{rows: augment, value: test_loss}}
""", "names.yaml"), "--out", "names")
    collect("names-merged", ["names"])
    assert [row["augment"] for row in read_pivot("names-merged")] == names
    # LaTeX would take a [ at the beginning of a row as the optional argument of the \\ before it.
    heads = [line.split(" & ")[0] for line in text_of("names-merged/table.tex").splitlines()[4:-2]]
    assert heads == ["none", r"{[}1]{*}", r"a\textbar{}b",
                     r"\textless{}é\textasciitilde{}\textasciicircum{}\textbackslash{}\$\#\{x\}\_\&\%\textgreater{}"]
    table = [line for line in text_of("names-merged/table.md").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)] for line in table]
    assert {len(row) for row in cells} == {4} and len({len(line) for line in table}) == 1
    assert [row[1].replace(r"\|", "|") for row in cells[2:]] == names


def test_a_random_sweep_in_parts_ends_in_its_leaderboard():
    job = write_job(JOB.replace("  repeats: 2\n", "  method: random\n  repeats: 2\n  budget: {trials: 8}\n")
                    .replace("lr: [0.01, 3e-4]", "lr: {log_uniform: [1e-4, 1e-2]}")
                    .replace("table: {rows: augment, columns: lr, value: test_loss}\n", ""), "random.yaml")
    run_ok("train", job, "--out", "random")
    for part in range(2):
        run_ok("train", job, "--part", f"{part}/2", "--out", f"random{part}")
    collect("random-merged", ["random0", "random1"], "--rows", "lr")
    assert os.path.exists(path("random-merged/table.csv"))
    done = collect("random-merged", ["random0", "random1"])
    assert text_of("random-merged/table.md") == text_of("random/table.md")
    assert without_clock(read_trials("random-merged")) == without_clock(read_trials("random"))
    assert not os.path.exists(path("random-merged/table.csv")) and "a leaderboard is no pivot" in done.stderr


run_tests(globals())
