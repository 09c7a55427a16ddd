# SPDX-License-Identifier: Apache-2.0
"""An addition needs one row and one function. The test adds a dummy of each kind to a copy of the source, builds it, and checks
all that follows from a row. ARCHITECTURE.md's table of additions has the same numbers of files."""
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ["CNNSWEEP_SOURCE"]
BIN = os.environ["CNNSWEEP_BIN"]
COPIED = ["CMakeLists.txt", "LICENSE", "cmake", "include", "src", "data-prep", "slurm", "jobs"]

# {kind: [(file, the text before which the addition goes, or None for a new file; the addition)]}
ADDITIONS = {
    "an option": [
        ("include/cnnsweep/config.h", "    int64_t seed;\n", "    int dummy;\n"),
        ("src/config/train_options.c", '    {.key = "train.sync_bn",', """    {.key = "train.dummy",
     .type = CS_OPTION_INT,
     FIELD(train.dummy),
     .max = 9,
     .fallback = "3",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "a dummy"},
"""),
    ],
    "an augmentation": [
        ("src/data/augment/generator.c", "const cs_augment_rule cs_generator_rules[] = {",
         """static void negative_compose(const float *number, const double *drawn, cs_picture *picture) {
    uint8_t table[256];
    (void)number, (void)drawn;
    for (int v = 0; v < 256; v++)
        table[v] = (uint8_t)(255 - v);
    cs_picture_recolour(picture, table);
}

"""),
        ("src/data/augment/generator.c", '    {.name = "horizontal_flip",', """    {.name = "negative",
     .doc = "a dummy",
     .parameters = {{.type = CS_AUGMENT_BOOL}},
     .variants = cs_one_variant,
     .compose = negative_compose},
"""),
    ],
    "a step of an augmentation": [
        ("src/data/augment/torch_colour.c", "const cs_augment_rule cs_torch_colour_rules[] = {",
         """static void darker_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    cs_range_draw(number, rng, h, w, drawn);
}

static void darker_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    cs_torch_blend(picture, CS_BLEND_BLACK, drawn[0]);
}

"""),
        ("src/data/augment/torch_colour.c", '    {.name = "random_grayscale",', """    {.name = "darker",
     .doc = "a dummy",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"factor", CS_AUGMENT_RANGE, .max = 1, .fallback = {0.5f, 0.9f}}},
     .drawn = {"factor"},
     .draw = darker_draw,
     .compose = darker_compose},
"""),
    ],
    "a filter": [
        ("src/data/filter/table.c", "static const cs_filter table[] = {",
         """static cs_status posterize_apply(const float *value, cs_filter_scratch *scratch, cs_image *image) {
    (void)scratch;
    for (int i = 0; i < image->h * image->w * 3; i++)
        image->pixels[i] &= (uint8_t)(255 << (8 - (int)value[0]));
    return CS_OK;
}

"""),
        ("src/data/filter/table.c", '    {.name = "gray_world",', """    {.name = "posterize",
     .doc = "a dummy",
     .parameters = {{"bits", CS_FILTER_WHOLE, 1, 8, 2, NULL}},
     .apply = posterize_apply},
"""),
    ],
    "a metric of the confusion matrix": [
        ("src/metrics/from_confusion.c", "static const cs_metric rows[] = {",
         """static double least_recall(const cs_evaluation *evaluation) {
    double least = 1;
    for (int k = 0; k < evaluation->spec.classes; k++)
        least = fmin(least, cs_scores_of_class(evaluation, k).recall);
    return least;
}

"""),
        ("src/metrics/from_confusion.c", '    {"macro_f1",', '    {"least_recall", "a dummy", 3, true, CS_NEEDS_CONFUSION, '
         'least_recall},\n'),
    ],
    "a metric of the scores": [
        ("src/metrics/from_scores.c", "static const cs_metric rows[] = {",
         """static double margin(const cs_evaluation *evaluation) {
    int64_t rows = cs_evaluation_tally(evaluation).rows;
    double sum = 0;
    for (int64_t row = 0; row < rows; row++)
        sum += cs_evaluation_logits(evaluation, row)[0] - cs_evaluation_logits(evaluation, row)[1];
    return sum / (double)rows;
}

"""),
        ("src/metrics/from_scores.c", '    {"macro_auc",', '    {"margin", "a dummy", 3, true, CS_NEEDS_LOGITS, margin},\n'),
    ],
    "an optimizer": [
        ("include/cnnsweep/optimizer.h", '    ROW(ADAM, "adam",', '    ROW(SIGNED, "signed", 0, CS_RULE_SIGNED, sgd, '
         '(5e-3, 0, 0, 0, 0, 0), (5e-3, 0, 0, 0, 0, 0))                            \\\n'),
        ("include/cnnsweep/optimizer.h", "    ROW(ADAM, adam, 2, false)", "    ROW(SIGNED, signed, 0, false)                      "
         "                                                                \\\n"),
        ("src/engine/common/optimizer_step.h", "CS_STEP_OF(adam) {",
         """CS_STEP_OF(signed) {
    (void)state;
    (void)i;
    return g > 0 ? r[CS_RATE_GRADIENT] : g < 0 ? -r[CS_RATE_GRADIENT] : 0;
}

"""),
    ],
    "a learning-rate schedule": [
        ("src/config/schedule.c", "static const cs_schedule table[] = {",
         """static double halving(const cs_schedule_config *config, const cs_schedule_time *at) {
    return at->lr * pow(config->decay_rate, floor(at->t / at->epoch));
}

"""),
        ("src/config/schedule.c", "};\nenum { N_SCHEDULES",
         '    {.name = "halving", .rate = halving, .uses = "decay_rate", .decay_rate = 0.5},\n'),
    ],
    "an artifact": [
        ("src/report/artifacts.c", "static const cs_artifact table[] = {",
         """static cs_status write_rows(const cs_artifact_input *input, FILE *out) {
    fprintf(out, "%s %lld\\n", input->split, (long long)cs_evaluation_tally(input->evaluation).rows);
    return CS_OK;
}

"""),
        ("src/report/artifacts.c", '    {"classification report",',
         '    {"rows", "rows", "txt", CS_NEEDS_TALLY, write_rows},\n'),
    ],
    "a source of images": [
        ("data-prep/pack/source/source.c", "static const pack_source *const sources[]",
         "extern const pack_source pack_solid_source;\n"),
        ("data-prep/pack/source/source.c", "&pack_folder_source};", "&pack_solid_source, "),
        ("data-prep/pack/source/solid.c", None, """#include "source.h"

#include <stdlib.h>
#include <string.h>

static bool recognises(const char *path) {
    size_t length = strlen(path);
    return length > 6 && strcmp(path + length - 6, ".solid") == 0;
}

static cs_status scan(pack_input *input, pack_list *list) {
    (void)input;
    CS_TRY(pack_list_add_class(list, "dark"));
    CS_TRY(pack_list_add_class(list, "light"));
    for (int i = 0; i < 6; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        pack_sample sample = {.id = id, .label = i % 2, .source_split = CS_SPLIT_TRAIN, .at = (uint64_t)i};
        CS_TRY(pack_list_add(list, &sample));
    }
    list->split[CS_SPLIT_TRAIN] = true;
    return CS_OK;
}

static cs_status read_sample(const pack_input *input, const pack_sample *sample, pack_content *out) {
    CS_TRY(cs_path(out->name, sizeof out->name, "%s: %s", input->path, sample->id));
    CS_TRY(cs_image_reserve(&out->pixels, 8, 8));
    memset(out->pixels.pixels, (int)(40 * sample->at), 8 * 8 * 3);
    out->is_pixels = true;
    return CS_OK;
}

const pack_source pack_solid_source = {.name = "list of solid colours",
                                       .help = "is a dummy",
                                       .unit = "line",
                                       .hint = "none",
                                       .recognises = recognises,
                                       .scan = scan,
                                       .read = read_sample};
"""),
    ],
}
JOB = """name: additions
data: {path: data.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 2, batch: 16}
"""


def add(root, kind):
    for file, anchor, text in ADDITIONS[kind]:
        path, content = os.path.join(root, file), text
        if anchor:
            with open(path) as source:
                before = source.read()
            assert before.count(anchor) == 1, f"{file} has {before.count(anchor)} times: {anchor}"
            content = before.replace(anchor, text + anchor)
        with open(path, "w" if anchor else "x") as out:
            out.write(content)


def build(root, folder):
    options = ["-DCMAKE_BUILD_TYPE=None", "-DCMAKE_C_FLAGS=-O1", "-DCNNSWEEP_ONEDNN=OFF", "-DCNNSWEEP_CUDA=OFF", "-DBUILD_TESTING=OFF"]
    for command in (["cmake", "-S", root, "-B", folder, *options], ["cmake", "--build", folder, "-j2"]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return os.path.join(folder, "bin")


class Scratch:
    def __init__(self, folder, bin_folder):
        self.folder, self.bin = folder, bin_folder

    def run(self, program, *arguments, bin_folder=None):
        return subprocess.run([os.path.join(bin_folder or self.bin, program), *arguments], cwd=self.folder,
                              env={**os.environ, "CNNSWEEP_BUSY_CORES": "0"}, capture_output=True, text=True)

    def ok(self, *command, **where):
        done = self.run(*command, **where)
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def job(self, text):
        with open(os.path.join(self.folder, "job.yaml"), "w") as out:
            out.write(text)

    def train(self, out, *arguments, text=JOB, **where):
        self.job(text)
        self.ok("cnnsweep", "train", "job.yaml", "--device", "ref", "--out", out, *arguments, **where)
        with open(os.path.join(self.folder, out, "journal.jsonl")) as file:
            events = [json.loads(line) for line in file]
        with open(os.path.join(self.folder, out, "trials.csv"), newline="") as file:
            return [event["key"] for event in events if event["event"] == "plan"], list(csv.DictReader(file))

    def refused(self, text, *needles):
        self.job(text)
        done = self.run("cnnsweep", "train", "job.yaml", "--dry-run")
        assert done.returncode == 1 and all(needle in done.stderr for needle in needles), done.stderr


def test_an_option(scratch):
    assert "train.dummy" in scratch.ok("cnnsweep", "options")
    plain, _ = scratch.train("plain")
    before, _ = scratch.train("before", bin_folder=BIN)
    default, _ = scratch.train("default", "--set", "train.dummy=3")
    other, _ = scratch.train("other", "--set", "dummy=4")
    assert plain == before == default != other, "the key changes where the option is set to another value, and only there"
    _, swept = scratch.train("swept", text=JOB + "sweep: {parameters: {dummy: [1, 2]}}\n")
    assert [trial["dummy"] for trial in swept] == ["1", "2"]
    scratch.refused(JOB.replace("{epochs: 2", "{dumy: 1, epochs: 2"), "job.yaml:5:9", "unknown key 'dumy'", "did you mean 'dummy'?")
    scratch.refused(JOB.replace("{epochs: 2", "{dummy: 12, epochs: 2"), "job.yaml:5:16", "train.dummy is 12, outside 0 to 9")


def test_an_augmentation(scratch):
    rules = JOB + "sweep: {parameters: {augment: [none, rule, off]}}\naugmentations: {rule: {negative: true}, off: {negative: false}}\n"
    keys, trials = scratch.train("rules", text=rules)
    assert keys[0] != keys[1] and keys[0] == keys[2], "the key changes where the rule is on, and only there"
    assert trials[0]["loss"] == trials[2]["loss"] != trials[1]["loss"]
    flips = JOB.replace("batch: 16", "batch: 16, augment: flips") + "augmentations: {flips: {horizontal_flip: true}}\n"
    assert scratch.train("flips", text=flips)[1][0]["loss"] == scratch.train("flips-before", text=flips, bin_folder=BIN)[1][0]["loss"], \
        "a new rule does not change the draws of the others"
    scratch.refused(JOB + "augmentations: {rule: {negativ: true}}\n", "job.yaml:6:24", "did you mean 'negative'?")


def test_a_step_of_an_augmentation(scratch):
    lists = JOB + """sweep: {parameters: {augment: [none, step, other]}}
augmentations: {step: [darker], other: [{darker: {factor: [0.1, 0.2], p: 0.5}}]}
"""
    keys, trials = scratch.train("steps", text=lists)
    assert len(set(keys)) == 3 and len({trial["loss"] for trial in trials}) == 3
    assert "darker" in scratch.ok("cnnsweep", "options", "--augmentations")
    scratch.refused(JOB + "augmentations: {step: [{darker: 2}]}\n", "darker: factor takes two numbers")


def test_a_filter(scratch):
    import h5py
    scratch.ok("cnnsweep-pack", "--filter", "posterize:bits=1", "drawn", "posterized.h5")
    with h5py.File(os.path.join(scratch.folder, "posterized.h5")) as file:
        assert file.attrs["filter"] == b"posterize:bits=1" and set(file["train/images"][:].flat) <= {0, 128}
    keys, trials = scratch.train("filters", text=JOB + "sweep: {parameters: {filter: [none, posterize, {posterize: {bits: 1}}]}}\n")
    packed = scratch.train("packed", "--set", "data.path=posterized.h5")[1]
    assert len(set(keys)) == 3 and len({trial["loss"] for trial in trials}) == 3
    assert trials[2]["loss"] == packed[0]["loss"], "a filter in the job gives the numbers of a filter in the packer"
    assert "posterize" in scratch.ok("cnnsweep", "options", "--filters")
    scratch.refused(JOB.replace("data.h5", "data.h5, filter: posterise"), "job.yaml:2:31", "did you mean 'posterize'?")


def test_a_metric_of_the_confusion_matrix(scratch):
    _, trials = scratch.train("recall", "--set", "train.monitor=val_least_recall", "--set", "train.patience=1")
    assert 0 <= float(trials[0]["val_least_recall"]) <= 1 and "test_least_recall" not in trials[0]
    with open(os.path.join(scratch.folder, "recall/history/t000.csv")) as file:
        assert "val_least_recall" in file.readline()
    scratch.train("table", text=JOB + "sweep: {metric: {name: test_least_recall}, parameters: {lr: [0.01, 0.001]}}\n")
    with open(os.path.join(scratch.folder, "table/table.md")) as file:
        assert "Best test_least_recall" in file.read()
    assert "least_recall" in scratch.ok("cnnsweep", "options", "--metrics")
    scratch.refused(JOB.replace("batch: 16", "batch: 16, monitor: val_least_recal"), "did you mean 'val_least_recall'?")


def test_a_metric_of_the_scores(scratch):
    trial = scratch.train("scores", "--set", "train.metrics=margin")[1][0]
    assert all(trial[name] not in ("", "nan") for name in ("margin", "val_margin", "test_margin"))


def test_an_optimizer(scratch):
    key, trials = scratch.train("signed", "--set", "train.optimizer=signed")
    assert key != scratch.train("adam")[0] and trials[0]["status"] == "ok"
    with open(os.path.join(scratch.folder, "signed/history/t000.csv"), newline="") as file:
        assert abs(float(next(csv.DictReader(file))["learning_rate"]) - 0.005) < 1e-9, "lr: auto is the rate of the optimizer's row"
    assert "signed" in scratch.ok("cnnsweep", "options")
    scratch.refused(JOB.replace("batch: 16", "batch: 16, optimizer: signd"), "did you mean 'signed'?")


def test_a_learning_rate_schedule(scratch):
    """A row of the history has the rate of the epoch's last update. A setting of the schedule is refused for others."""
    keys = {value: scratch.train(value, "--set", f"train.schedule={value}")[0] for value in ("constant", "halving")}
    assert keys["constant"] == scratch.train("none")[0] != keys["halving"]
    with open(os.path.join(scratch.folder, "halving/history/t000.csv"), newline="") as file:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(file)]
    assert [round(rate, 9) for rate in rates] == [0.001, 0.0005], rates
    assert "plateau, halving" in scratch.ok("cnnsweep", "options")
    scratch.refused(JOB.replace("batch: 16", "batch: 16, schedule: halvin"), "did you mean 'halving'?")
    scratch.refused(JOB.replace("batch: 16", "batch: 16, decay_rate: 0.5"), "plateau, halving")


def test_an_artifact(scratch):
    scratch.train("artifacts")
    for name, text in (("t000.txt", "test 9\n"), ("t000.val.txt", "val 9\n")):
        with open(os.path.join(scratch.folder, "artifacts/rows", name)) as file:
            assert file.read() == text
    scratch.train("artifacts", "--force")


def test_a_source_of_images(scratch):
    import h5py
    with open(os.path.join(scratch.folder, "list.solid"), "w"):
        pass
    scratch.ok("cnnsweep-pack", "list.solid", "solid.h5")
    with h5py.File(os.path.join(scratch.folder, "solid.h5")) as file:
        assert file["train/images"].shape == (6, 8, 8, 3) and sorted(file["train/images"][:, 0, 0, 0]) == [0, 40, 80, 120, 160, 200]
    assert "is a dummy" in scratch.ok("cnnsweep-pack", "--help")


def check_architecture():
    """Checks the rows of ARCHITECTURE.md: | addition | files before | files now | ..."""
    with open(os.path.join(SOURCE, "ARCHITECTURE.md")) as file:
        rows = dict(re.findall(r"^\| (an? [^|]*?) \| [^|]* \| (\d+) \|", file.read(), re.M))
    for kind, changes in ADDITIONS.items():
        files = len({file for file, _, _ in changes})
        assert rows.get(kind) == str(files), f"ARCHITECTURE.md says {rows.get(kind)} files for {kind}, it is {files}"


def main():
    with tempfile.TemporaryDirectory(prefix="cnnsweep-additions-") as root:
        copy, folder = os.path.join(root, "source"), os.path.join(root, "scratch")
        os.makedirs(folder)
        os.makedirs(copy)
        for name in COPIED:
            path = os.path.join(SOURCE, name)
            (shutil.copytree if os.path.isdir(path) else shutil.copy)(path, os.path.join(copy, name))
        for kind in ADDITIONS:
            add(copy, kind)
        scratch = Scratch(folder, build(copy, os.path.join(root, "build")))
        scratch.ok("cnnsweep-synthetic", "--classes", "3", "--per-class", "20", "--size", "24x24", "drawn")
        scratch.ok("cnnsweep-pack", "drawn", "data.h5")
        for kind in ADDITIONS:
            globals()["test_" + re.sub("[ -]", "_", kind)](scratch)
            print("ok", kind, flush=True)
    check_architecture()


main()
