# SPDX-License-Identifier: Apache-2.0
"""report.html, read strictly and compared with the other files of a sweep: hostile names, nothing from outside, sweeps that
failed, run or are in parts, folders that lack files, and the numbers of tables and figures."""
import base64
import csv
import glob
import io
import itertools
import json
import os
import re
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from urllib.parse import unquote

# For the programs that the harness starts, if they are built with sanitizers.
os.environ["LSAN_OPTIONS"] = f"print_suppressions=0:suppressions={os.environ['CNNSWEEP_SOURCE']}/tests/report/lsan.supp"
sys.path.insert(0, os.path.join(os.environ["CNNSWEEP_SOURCE"], "tests", "cli"))
import h5py
import numpy as np
from PIL import Image
from scipy import stats

from harness import make_data, path, read_trials, run, run_ok, run_tests, stopped_at, write_job
from breakpoints import epoch, trial
from page_reader import Page, rows, text

JOB = """name: small
data: {path: data.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 2, batch: 8, optimizer: adam}
sweep: {metric: {name: test_loss, goal: minimize}, parameters: {lr: [0.02, 0.001, 0.005], augment: [none, flips]}}
augmentations: {flips: {horizontal_flip: true}}
table: {rows: augment, columns: lr, value: test_loss}
"""
# The packer writes bytes that are no UTF-8 and control characters as \\x and two digits.
HOSTILE = {b"<script>x": "<script>x", b"\"quoted' &amp;": "\"quoted' &amp;", "\u202e\u05d0\u0627".encode(): "\u202e\u05d0\u0627",
           b"two\nlines": "two\\x0alines", b"caf\xe9": "caf\\xe9", b"-->]]><!--,;": "-->]]><!--,;",
           "\u9ed1\u8272\u7d20".encode(): "\u9ed1\u8272\u7d20"}
OPTIONS = ["<script>y", "it's \"quoted\" &amp;", "\u202e\u05d0", "a,b", "<!--"]
make_data(per_class=14, size="16x16")


def train(out, job=JOB, *arguments):
    return run_ok("train", write_job(job), "--out", out, *arguments)


def page(out):
    return Page(path(f"{out}/report.html"))


def report(*arguments):
    done = run_ok("report", *arguments)
    return Page(os.path.join(path(""), done.stdout.strip())), done.stderr


def read_csv(name):
    with open(path(name), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def details(name):
    with open(path(name), encoding="utf-8") as file:
        return json.load(file)


def near(seen, wanted, tolerance=1e-6):
    seen, wanted = ([float(value or "nan") for value in values] for values in (seen, wanted))
    assert np.allclose(seen, wanted, rtol=tolerance, atol=tolerance, equal_nan=True), (seen, wanted)


train("small")
report("small", "--figures")
SMALL, TRIALS = page("small"), read_trials("small")


# ---- what a page is ----

def pack_hostile():
    """hostile.h5, whose classes and files have hostile names."""
    random = np.random.default_rng(1)
    for name in HOSTILE:
        folder = path("hostile").encode() + b"/" + name
        os.makedirs(folder)
        for file in list(HOSTILE)[:6]:
            with open(folder + b"/" + file + b".png", "wb") as out:
                Image.fromarray(random.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(out, "PNG")
    run_ok("hostile", "hostile.h5", "--split", "0.5,0.25,0.25", program="cnnsweep-pack")


def hostile_job():
    quoted = [json.dumps(name) for name in OPTIONS]
    steps = "".join(f"  {name}: {{brightness_range: [0.{i + 1}, 1.0]}}\n" for i, name in enumerate(quoted))
    return JOB.replace("data.h5", "hostile.h5").replace("[none, flips]", f"[{', '.join(quoted)}]").replace(
        "augmentations: {flips: {horizontal_flip: true}}", "augmentations:\n" + steps.rstrip()).replace("epochs: 2", "epochs: 1")


pack_hostile()
train("hostile-out", hostile_job())
report("hostile-out", "--figures")


def test_hostile_names_are_text():
    seen = page("hostile-out")
    assert len(re.findall("<script", seen.source, re.IGNORECASE)) == 1
    assert len(seen.all("script")) == 1
    for name in HOSTILE.values():
        assert name in seen.words("t000"), name
    assert {row["augment"] for row in seen.leaderboard()} == set(OPTIONS)
    assert {row["augment \\ lr"] for row in seen.records("table")} == set(OPTIONS)


def test_hostile_names_of_images_are_text():
    seen = page("hostile-out")
    captions = " ".join(text(caption) for caption in seen.all("figcaption"))
    shown = {image["id"] for kind in ("confident_right", "confident_wrong", "least_sure") for image in details(
        "hostile-out/details/t000.json")[kind]}
    assert any("<script>x.png" in name for name in shown)
    for name in shown:
        assert re.sub("[\x01-\x08\x0b-\x1f\x7f]", "\ufffd", name) in captions, name


def test_hostile_names_in_figures():
    for name in glob.glob(path("hostile-out/*/*.svg")):
        ElementTree.parse(name)
    for name in glob.glob(path("hostile-out/*/*.png")):
        Image.open(name).verify()
    for name in glob.glob(path("hostile-out/*/*.pdf")):
        with open(name, "rb") as file:
            assert file.read(5) == b"%PDF-", name
    names = sorted(HOSTILE.values())
    assert sorted(row["class"] for row in read_csv("hostile-out/classes/t000.csv")) == names
    assert sorted(row["label"] for row in read_csv("hostile-out/confusion/t000.csv")) == names
    assert sorted(read_csv("hostile-out/confusion/t000.csv")[0]) == sorted(names + ["label"])
    assert {row["class"] for row in read_csv("hostile-out/roc/t000.csv")} <= {*names, "micro average"}
    assert {row["augment"] for row in read_csv("hostile-out/figures/parallel.csv")} == set(OPTIONS)
    assert {row["augment"] for row in read_csv("hostile-out/figures/options-augment.csv")} == set(OPTIONS)
    assert {row["augment"] for row in read_csv("hostile-out/figures/pairs-lr_and_augment.csv")} == set(OPTIONS)


def test_every_chart_has_all_its_files():
    stems = {os.path.splitext(name)[0] for name in glob.glob(path("small/*/*.svg"))}
    assert {os.path.basename(os.path.dirname(stem)) for stem in stems} >= {
        "figures", "curves", "loss", "confusion", "confusion_rows", "roc", "precision_recall", "reliability", "classes"}
    for stem, kind in itertools.product(stems, ("svg", "pdf", "png", "csv")):
        assert os.path.getsize(f"{stem}.{kind}") > 0, (stem, kind)


def test_ids_are_unique_and_references_have_them():
    assert len(set(SMALL.ids)) == len(SMALL.ids)
    for element in SMALL.root.iter():
        for name in ("aria-labelledby", "aria-describedby"):
            for wanted in (element.get(name) or "").split():
                assert wanted in SMALL.ids, (name, wanted)


def expect_links(seen, folder):
    links = [link.get("href") for link in seen.all("a")]
    assert sum(not link.startswith("#") for link in links) >= len(seen.trials()) / 2
    assert not any(re.search("[ :]|.#", link) for link in links), links
    for link in links:
        assert link[1:] in seen.ids if link.startswith("#") else os.path.isfile(path(f"{folder}/{unquote(link)}")), link


def test_links_lead_somewhere():
    expect_links(SMALL, "small")


def test_nothing_is_loaded_from_outside():
    for element in SMALL.root.iter():
        for name, value in element.attrib.items():
            if name.rpartition("}")[2] in ("src", "href", "srcset", "data", "action", "poster"):
                image = element.tag.rpartition("}")[2] in ("img", "image")
                assert value.startswith("data:" if image else ("#", "misclassified/")), (element.tag, name, value)
    script, style = (text(SMALL.all(tag)[0]) for tag in ("script", "style"))
    assert not re.search(r"https?:|//\w|import\s*\(|fetch|XMLHttp|eval", re.sub(r"(?m)^\s*//.*$", "", script))
    assert not re.search(r"@import|url\s*\(", style)
    policy = next(meta.get("content") for meta in SMALL.all("meta") if "Content-Security" in (meta.get("http-equiv") or ""))
    assert policy.startswith("default-src 'none'")


def test_every_trial_has_a_section_and_a_link():
    assert sorted(SMALL.trials()) == sorted(row["trial"] for row in TRIALS)
    assert {"#" + name for name in SMALL.trials()} <= {link.get("href") for link in SMALL.section("trials").iter("a")}


# ---- its numbers ----

def test_the_leaderboard_is_trials_csv_from_the_best_on():
    shown, csv_rows = SMALL.leaderboard(), {row["trial"]: row for row in TRIALS}
    order = sorted(TRIALS, key=lambda row: (float(row["test_loss"]), row["trial"]))
    assert [row["trial"] for row in shown] == [row["trial"] for row in order]
    for row in shown:
        of = csv_rows[row["trial"]]
        assert row["augment"] == of["augment"] and row["lr"] == of["lr"] and row["state"] == of["status"]
        for name in ("test_accuracy", "test_loss", "val_loss", "loss", "seconds", "test_macro_f1"):
            digits = len(row[name].partition(".")[2])
            assert abs(float(row[name]) - float(of[name])) <= 0.500001 * 10 ** -digits, (row["trial"], name)


def test_a_larger_accuracy_is_better():
    metric = "{name: test_loss, goal: minimize}", "{name: accuracy, goal: maximize}"
    train("accuracies", JOB.replace(*metric))
    values = [float(row["accuracy"]) for row in page("accuracies").leaderboard()]
    assert values == sorted(values, reverse=True) and len(set(values)) > 1
    assert page("accuracies").facts()["Best"].startswith(f"accuracy {values[0]:.4f}")


REPEATED = JOB.replace("sweep: {", "sweep: {repeats: 3, ")


def test_the_table_has_means_and_deviations():
    train("repeated", REPEATED)
    report("repeated", "--figures")
    results = read_trials("repeated")
    for row in page("repeated").records("table"):
        for lr in ("0.02", "0.001", "0.005"):
            values = [float(trial["test_loss"]) for trial in results
                      if (trial["augment"], trial["lr"]) == (row["augment \\ lr"], lr)]
            assert row[lr] == f"{np.mean(values):.4f} \u00b1 {np.std(values, ddof=1):.4f}"


def test_the_means_by_options():
    results = read_trials("repeated")
    for names, file in ((["lr"], "options-lr"), (["augment"], "options-augment"), (["lr", "augment"], "pairs-lr_and_augment")):
        seen = read_csv(f"repeated/figures/{file}.csv")
        assert len(seen) == len({tuple(trial[name] for name in names) for trial in results})
        for row in seen:
            values = [float(trial["test_loss"]) for trial in results if all(trial[name] == row[name] for name in names)]
            near([row["test_loss"], row["sd"], row["trials"]], [np.mean(values), np.std(values, ddof=1), len(values)])


def test_a_single_trial_has_no_deviation():
    assert {row["sd"] for row in read_csv("small/figures/pairs-lr_and_augment.csv")} == {""}


def shares(table, names):
    """{options: share of the variance} of a balanced grid, of sums of squares of cell means."""
    y = np.array([float(row["test_loss"]) for row in table])
    y = y - y.mean()

    def explained(options):
        keys = [tuple(row[name] for name in options) for row in table]
        return sum(np.mean([v for v, other in zip(y, keys) if other == key]) ** 2 for key in keys)
    both = explained(names)
    main = {(name, ""): explained([name]) for name in names}
    found = {**main, tuple(names): both - sum(main.values()), ("noise", ""): (y ** 2).sum() - both}
    return {key: value / (y ** 2).sum() for key, value in found.items()}


def test_importance_is_an_analysis_of_variance():
    wanted = shares(read_trials("repeated"), ["lr", "augment"])
    seen = {(row["option"], row["other"]): float(row["share"])
            for row in read_csv("repeated/figures/importance-anova.csv") if row["share"]}
    assert seen.keys() == wanted.keys()
    near(seen.values(), [wanted[key] for key in seen])


def test_nothing_matters_where_nothing_varies():
    slow = JOB.replace("lr: [0.02, 0.001, 0.005]", "lr: [1e-8, 2e-8, 3e-8]")
    train("even", slow.replace("test_loss", "test_accuracy").replace("minimize", "maximize"))
    assert len({row["test_accuracy"] for row in read_trials("even")}) == 1
    report("even", "--figures")
    assert {float(row["share"] or 0) for row in read_csv("even/figures/importance-anova.csv")} == {0}


def test_the_curves_are_the_history():
    assert glob.glob(path("small/figures/curves-*.csv"))
    for name in glob.glob(path("small/figures/curves-*.csv")):
        curve = os.path.basename(name)[7:-4]
        for row in TRIALS:
            history = read_csv(f"small/history/{row['trial']}.csv")
            seen = [other for other in read_csv(name) if other["trial"] == row["trial"]]
            near([other["epoch"] for other in seen], [int(other["epoch"]) + 1 for other in history])
            near([other[curve] for other in seen], [other[curve] for other in history])


def test_the_curves_of_a_trial_are_its_history():
    for row in TRIALS:
        seen, history = read_csv(f"small/curves/{row['trial']}.csv"), read_csv(f"small/history/{row['trial']}.csv")
        assert len(seen) == len(history) == 2 and seen[0].keys() == history[0].keys()
        for a, b in zip(seen, history):
            near(list(a.values())[1:], list(b.values())[1:])


def test_cost_and_coordinates_are_those_of_trials_csv():
    by_name = {row["trial"]: row for row in TRIALS}
    for name, columns in ("cost", ("seconds", "test_loss")), ("parallel", ("lr", "augment", "test_loss")):
        seen = read_csv(f"small/figures/{name}.csv")
        assert sorted(row["trial"] for row in seen) == sorted(by_name)
        for row, column in itertools.product(seen, columns):
            wanted = by_name[row["trial"]][column]
            assert row[column] == wanted or abs(float(row[column]) - float(wanted)) < 1e-6


def test_the_sections_have_the_details():
    for row in TRIALS:
        wanted = details(f"small/details/{row['trial']}.json")
        section = SMALL.section(row["trial"])
        shown = {record[0]: record[1:] for record in rows(next(section.iter("table")))[1:]}
        for item in wanted["classes"]:
            low, high = item["precision_wilson"]
            assert shown[item["name"]][0].split(" ")[0] == f"{item['precision']:.3f}" and (
                low is None or shown[item["name"]][0].endswith(f"{low:.3f} to {high:.3f}"))
            assert shown[item["name"]][2:4] == [f"{item['f1']:.3f}", str(item["support"])]
            assert shown[item["name"]][4] == f"{item['auc']:.3f}"
        matrix = read_csv(f"small/confusion/{row['trial']}.csv")
        assert [[int(value) for value in list(line.values())[1:]] for line in matrix] == wanted["confusion"]
        for pair in wanted["pairs"]:
            names = [wanted["classes"][k]["name"] for k in pair[:2]]
            assert f"{pair[2]} images of {names[0]} were taken for {names[1]}" in text(section)


def test_the_images_are_those_of_the_dataset():
    wanted = details("small/details/t000.json")
    samples = [image for kind in ("confident_right", "confident_wrong", "least_sure") for image in wanted[kind]]
    figures = [figure for figure in SMALL.section("t000").iter("figure") if figure.find("img") is not None]
    assert len(figures) == len(samples) > 0
    with h5py.File(path("data.h5")) as file:
        pixels = file["test/images"][:].reshape(-1, 16, 16, 3).astype(int)
    for figure, sample in zip(figures, samples):
        assert text(figure.find("figcaption")).startswith(sample["id"])
        shown = Image.open(io.BytesIO(base64.b64decode(figure.find("img").get("src").partition(",")[2]))).convert("RGB")
        distances = np.abs(pixels - np.asarray(shown, int)).mean((1, 2, 3))
        assert distances.argmin() == sample["sample"] and distances.min() < 12


# ---- sweeps that fail, run, or are in parts ----

def test_a_failed_trial_has_its_reason():
    train("failed", JOB.replace("lr: [0.02", "lr: [1e30").replace("adam", "sgd"))
    failed = {row["trial"]: row["reason"] for row in read_trials("failed") if row["status"] == "failed"}
    assert len(failed) == 2
    seen = page("failed")
    assert {row["trial"]: row["reason"] for row in seen.records("failures")} == failed
    assert [row["state"] for row in seen.leaderboard()] == 4 * ["ok"] + 2 * ["failed"]
    assert [row["1e+30"] for row in seen.records("table")] == ["failed", "failed"]
    for name, reason in failed.items():
        assert reason in seen.words(name)


def test_a_page_of_failures_alone():
    done = run("train", write_job(JOB.replace("lr: [0.02, 0.001, 0.005]", "lr: [1e30]").replace("adam", "sgd")), "--out", "none")
    assert done.returncode == 1 and "no report.html" not in done.stderr
    assert page("none").facts()["Trials"] == "2: 0 finished, 2 failed, 0 running, 0 waiting"
    report("none", "--figures")


def test_a_running_sweep():
    stopped = stopped_at(epoch(3), "train", write_job(JOB), "--out", "running", "--set", "train.optimizer=sgd")
    seen, _ = report("running", "--figures", "--explain", "none")
    assert "the sweep has not ended" in seen.source
    assert seen.facts()["Trials"] == "6: 1 finished, 0 failed, 1 running, 4 waiting"
    assert [row["state"] for row in seen.leaderboard()] == ["ok", "running"] + 4 * ["waiting"]
    assert len(list(seen.section(seen.leaderboard()[1]["trial"]).iter("figure"))) >= 2, "curves of a running trial"
    stopped.go_on()
    assert stopped.end()[0] == 0
    assert "has not ended" not in page("running").source
    assert page("running").facts()["Trials"] == "6: 6 finished, 0 failed, 0 running, 0 waiting"


def test_a_sweep_before_its_first_epoch():
    stopped = stopped_at('write {"event":"group" 1', "train", write_job(JOB), "--out", "early")
    seen, _ = report("early", "--figures", "--explain", "none")
    assert seen.facts()["Trials"].startswith("6: 0 finished, 0 failed, ") and len(seen.leaderboard()) == 6
    assert "Best" not in seen.facts() and "curves" not in seen.ids
    stopped.go_on()
    assert stopped.end()[0] == 0


def test_parts_together_and_alone():
    for part in range(2):
        run_ok("train", write_job(JOB), "--part", f"{part}/2", "--out", f"parts/{part}")
        assert page(f"parts/{part}").facts()["Trials"].endswith("; 3 are of parts that are not here")
    seen, _ = report("parts/0", "parts/1", "--figures")
    assert seen.facts()["Trials"] == "6: 6 finished, 0 failed, 0 running, 0 waiting" and "2, with" in seen.facts()["Ranks"]
    losses = {(row["lr"], row["augment"]): row["test_loss"] for row in SMALL.leaderboard()}
    assert {(row["lr"], row["augment"]): row["test_loss"] for row in seen.leaderboard()} == losses
    assert {row["rank"] for row in read_csv("parts/figures/timeline.csv")} == {"0", "1"}
    expect_links(seen, "parts")
    expect_links(report("parts/1")[0], "parts/1")


def test_links_lead_from_any_folder_to_any():
    shutil.copytree(path("small"), path("a #1%20:b/c"))
    for folder, out in (("a #1%20:b/c", "."), ("a #1%20:b/c", "a #1%20:b"), ("a #1%20:b/c", "else/where"), ("small", "small/er")):
        os.makedirs(path(out), exist_ok=True)
        run_ok("report", folder, "--out", out)
        expect_links(page(out), out)


def test_phases_follow_each_other_in_the_curves():
    train("phases", JOB.split("sweep:")[0] + """phases: [{epochs: 2, fine_tune: head}, {epochs: 1}]
sweep: {parameters: {phases.2.lr: [0.01, 0.001]}}
""")
    report("phases", "--figures")
    for name in page("phases").trials():
        curve = read_csv(f"phases/curves/{name}.csv")
        history = [row for file in sorted(glob.glob(path("phases/history/*.csv"))) for row in read_csv(file)]
        assert [row["epoch"] for row in curve] == ["1", "2", "3"]
        for row in curve:
            assert any(abs(float(row["loss"]) - float(other["loss"])) < 1e-6 for other in history)
    assert len(page("phases").trials()) == 2


def test_folds_have_no_images_and_say_so():
    train("folds", JOB.replace("sweep: {", "sweep: {folds: 2, "))
    seen = page("folds")
    assert len(seen.trials()) == 12 and "No images: the splits of a fold" in seen.words("t000")
    assert all("\u00b1" in row["0.02"] for row in seen.records("table"))


def test_searches_without_a_table():
    for method in "random", "tpe":
        train(method, JOB.split("sweep:")[0] + f"""sweep:
  method: {method}
  budget: {{trials: 12}}
  metric: {{name: test_loss, goal: minimize}}
  parameters: {{lr: {{log_uniform: [0.0001, 0.1]}}, label_smoothing: {{uniform: [0, 0.3]}}}}
""")
        report(method, "--figures")
        seen = page(method)
        assert len(seen.leaderboard()) == 12 and "table" not in seen.ids
        for way in "ped_anova", "fanova":
            found = {row["option"]: row for row in read_csv(f"{method}/figures/importance-{way}.csv")}
            assert sum(float(row["share"] or 0) for row in found.values()) > 0
            for option in "lr", "label_smoothing":
                x, y = ([float(trial[key]) for trial in read_trials(method)] for key in (option, "test_loss"))
                near([found[option]["correlation"], found[option]["rank_correlation"]],
                     [stats.pearsonr(x, y)[0], stats.spearmanr(x, y)[0]])


def test_a_single_trial():
    train("one", JOB.split("sweep:")[0])
    report("one", "--figures")
    assert page("one").trials() == ["t000"]


def test_no_page_is_written_where_none_is_wanted():
    train("without", JOB + "report: false\n")
    assert not os.path.exists(path("without/report.html"))


def test_a_resumed_sweep_has_the_page_of_all():
    stopped = stopped_at(trial(2), "train", write_job(JOB), "--out", "resumed")
    stopped.signal(9)
    stopped.end()
    run_ok("train", "job.yaml", "--out", "resumed", "--resume")
    seen = page("resumed")
    assert [{name: row[name] for name in ("lr", "augment", "test_loss", "test_accuracy")} for row in seen.leaderboard()] == [
        {name: row[name] for name in ("lr", "augment", "test_loss", "test_accuracy")} for row in SMALL.leaderboard()]


# ---- folders that lack something ----

def copy(name):
    shutil.rmtree(path(name), ignore_errors=True)
    shutil.copytree(path("small"), path(name))
    return name


def test_a_dataset_that_is_gone():
    os.rename(path("data.h5"), path("moved.h5"))
    try:
        seen, _ = report(copy("homeless"), "--figures")
    finally:
        os.rename(path("moved.h5"), path("data.h5"))
    assert "No images: " in seen.words("t000") and "data.h5" in seen.words("t000")
    assert not seen.all("img") and sorted(seen.trials()) == sorted(SMALL.trials())


def test_a_dataset_that_is_another():
    os.rename(path("data.h5"), path("moved.h5"))
    shutil.copy(path("hostile.h5"), path("data.h5"))
    try:
        seen, _ = report(copy("replaced"))
    finally:
        os.rename(path("moved.h5"), path("data.h5"))
    assert "is not the dataset that the sweep was trained on" in seen.words("t000") and not seen.all("img")


def test_details_that_are_gone_or_damaged():
    with open(path("small/details/t001.json"), encoding="utf-8") as file:
        whole = file.read()
    record = json.loads(whole)
    far = json.loads(whole)
    far["least_sure"][0]["sample"] = 10 ** 9
    fewer = {**record, "classes": record["classes"][:1]}
    for kind, content in (("cut", whole[:len(whole) // 2]), ("empty", ""), ("zeros", "\0" * len(whole)), ("gone", None),
                          ("version", json.dumps({**record, "version": 9})), ("classes", json.dumps(fewer))):
        out = copy("damaged")
        os.remove(path(f"{out}/details/t001.json"))
        if content is not None:
            with open(path(f"{out}/details/t001.json"), "w", encoding="utf-8") as file:
                file.write(content)
        seen, warnings = report(out, "--figures", "--explain", "none")
        assert "warn: " in warnings and "details" in warnings, (kind, warnings)
        assert not [table for table in seen.section("t001").iter("table")], kind
        assert [table for table in seen.section("t000").iter("table")], kind
    with open(path("damaged/details/t001.json"), "w", encoding="utf-8") as file:
        json.dump(far, file)
    seen, _ = report("damaged")
    assert "No images: " in seen.words("t001") and list(seen.section("t001").iter("table"))


def test_a_page_that_cannot_be_written_costs_only_the_page():
    stopped = stopped_at(trial(6), "train", write_job(JOB), "--out", "occupied")
    os.makedirs(path("occupied/report.html/in_the_way"))
    stopped.go_on()
    code, _, errors = stopped.end()
    assert code == 0 and "no report.html: " in errors, (code, errors)
    assert len(read_trials("occupied")) == 6


def rewrite_journal(out, change):
    with open(path(f"{out}/journal.jsonl")) as file:
        events = [change(json.loads(line)) for line in file]
    with open(path(f"{out}/journal.jsonl"), "w") as file:
        file.writelines(json.dumps(event) + "\n" for event in events if event)


def test_a_journal_without_times_and_groups():
    old = copy("old")
    rewrite_journal(old, lambda event: None if event["event"] == "group" else {k: v for k, v in event.items() if k != "time"})
    seen, _ = report(old, "--figures")
    assert "timeline" not in seen.ids and "Begun" not in seen.facts() and len(seen.leaderboard()) == 6


def test_a_part_without_times_beside_one_with_them():
    shutil.copytree(path("parts"), path("old-parts"))
    rewrite_journal("old-parts/0", lambda event: {k: v for k, v in event.items() if k != "time"})
    report("old-parts/0", "old-parts/1", "--figures")
    spans = read_csv("old-parts/figures/timeline.csv")
    assert spans and all(0 <= float(row["begun"]) <= float(row["ended"]) < 1e5 for row in spans), spans


def test_force_removes_the_figures_of_the_sweep_before():
    train("again")
    run_ok("report", "again", "--figures")
    train("again", JOB.replace("augment: [none, flips]", "augment: [none]"), "--force")
    assert not glob.glob(path("again/**/*.svg"), recursive=True), os.listdir(path("again"))


def test_a_page_is_replaced_whole_or_not_at_all():
    out = copy("whole")
    os.rename(path("whole/report.html"), path("whole/before.html"))
    os.makedirs(path("whole/report.html/in_the_way"))
    assert run("report", out).returncode == 1
    assert not [name for name in os.listdir(path("whole")) if "tmp" in name]


run_tests(globals())
