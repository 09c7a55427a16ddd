# SPDX-License-Identifier: Apache-2.0
"""What TensorBoard's own readers find in the event files of a sweep: the values of the journal bit for bit, the runs and tags of
Keras' callback, the trials in the plug-in HParams, the confusion matrix as an image; also with hostile names, and after a
sweep was killed and resumed."""
import os
import sys

for room in ("cli", "parity"):
    sys.path.insert(0, os.path.join(os.environ["CNNSWEEP_SOURCE"], "tests", room))
import inside_keras

inside_keras.enter()

import csv
import datetime
import glob
import io
import json
import shutil
import signal
import struct

import keras
import numpy as np
from PIL import Image
from tensorboard import context
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.tensorflow_stub import pywrap_tensorflow
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups

from harness import JOB, make_data, path, read_journal, read_trials, run_ok, run_tests, stopped_at, write_job
from breakpoints import epoch, trial

EVERYTHING = {"scalars": 0, "tensors": 0}
TENSORBOARD = JOB + "tensorboard: true\n"
make_data()


def train(out, text=TENSORBOARD, *arguments):
    write_job(text)
    return run_ok("train", "job.yaml", "--out", out, *arguments)


def read(folder):
    events = EventAccumulator(path(folder), size_guidance=EVERYTHING)
    events.Reload()
    return events


def scalars(out, run):
    """{(tag, step): value} of a run; a step that is there twice is an error."""
    events = read(f"{out}/tensorboard/{run}")
    found = [(tag, event.step, event.value) for tag in events.Tags()["scalars"] for event in events.Scalars(tag)]
    assert len({item[:2] for item in found}) == len(found), f"{out} {run}: a step is there twice"
    return {item[:2]: item[2] for item in found}


def epochs_of(out):
    """[(run, tag, step, value)] of the epochs in the journal, as Keras names them."""
    for event in read_journal(out):
        if event["event"] != "epoch":
            continue
        for name, value in event.items():
            if name in ("event", "trial", "rank", "epoch", "seconds", "time") or value is None:
                continue
            is_val = name.startswith("val_")
            run = f"{event['trial']}/{'validation' if is_val else 'train'}"
            yield run, "epoch_" + (name[4:] if is_val else name), event["epoch"], value


def expect_journal(out):
    """The event files have all epochs of the journal, and nothing else."""
    wanted = {}
    for run, tag, step, value in epochs_of(out):
        wanted.setdefault(run, {})[tag, step] = float(np.float32(value))
    assert wanted
    for run, values in wanted.items():
        assert scalars(out, run) == values, f"{out} {run}"


def test_the_values_of_history_bit_for_bit():
    train("plain", TENSORBOARD.replace("seed: 3", "seed: 3, metrics: [macro_f1, val_macro_auc]"))
    expect_journal("plain")
    for file in glob.glob(path("plain/history/*.csv")):
        name = os.path.basename(file)[:-4]
        with open(file, newline="") as rows:
            for row in csv.DictReader(rows):
                for column, text in row.items():
                    run, tag = ("validation", column[4:]) if column.startswith("val_") else ("train", column)
                    if column != "epoch" and text != "NA":
                        value = scalars("plain", f"{name}/{run}")["epoch_" + tag, int(row["epoch"])]
                        assert abs(value - float(text)) <= 1e-7 * abs(value), f"{name} {column}"


def test_the_wall_times_are_those_of_the_journal():
    for event in read_journal("plain"):
        if event["event"] == "epoch":
            wanted = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()
            times = {e.wall_time for e in read(f"plain/tensorboard/{event['trial']}/train").Scalars("epoch_loss")
                     if e.step == event["epoch"]}
            assert len(times) == 1 and abs(times.pop() - wanted) < 0.002


def test_the_results_of_a_trial():
    for row in read_trials("plain"):
        found = scalars("plain", row["trial"])
        metrics = {name: text for name, text in row.items() if name.startswith("test_") and text not in ("", "NA")}
        assert {tag for tag, _ in found} == set(metrics) and metrics
        for (tag, step), value in found.items():
            assert step == int(row["best_epoch"])
            assert abs(value - float(metrics[tag])) <= 1e-6


def test_the_runs_and_tags_of_keras():
    model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = np.zeros((8, 2), "float32"), np.zeros(8, "int32")
    model.fit(x, y, epochs=2, validation_data=(x, y), verbose=0, callbacks=[keras.callbacks.TensorBoard(path("keras"))])
    train("tags")
    for run in ("train", "validation"):
        theirs = read(f"keras/{run}").Tags()["tensors"]
        # Keras writes its evaluations a second time, by the number of the step.
        theirs = {tag for tag in theirs if not tag.startswith("evaluation_") and tag != "keras"}
        events = read(f"tags/tensorboard/t000/{run}")
        assert set(events.Tags()["scalars"]) == theirs, run
        steps = [event.step for event in read(f"keras/{run}").Tensors("epoch_loss")]
        assert [event.step for event in events.Scalars("epoch_loss")] == steps


def session_groups(out):
    """The trials as the plug-in HParams gives them to its page: {name: (options, status, metrics)}."""
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(path(f"{out}/tensorboard"))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, path(out))
    backend = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    request = api_pb2.ListSessionGroupsRequest(slice_size=1000, allowed_statuses=api_pb2.Status.values())
    answer = list_session_groups.Handler(context.RequestContext(), backend, "", request).run()
    experiment = backend.experiment_from_metadata(context.RequestContext(), "", True,
                                                  backend.hparams_metadata(context.RequestContext(), ""), None)
    groups = {}
    for group in answer.session_groups:
        options = {name: getattr(value, value.WhichOneof("kind")) for name, value in group.hparams.items()}
        metrics = {(value.name.group, value.name.tag): value.value for value in group.metric_values}
        groups[group.name] = options, group.sessions[0].status, metrics
    return experiment, groups


def test_the_plug_in_compares_the_trials():
    experiment, groups = session_groups("plain")
    assert [(info.name, info.type) for info in experiment.hparam_infos] == [
        ("augment", api_pb2.DATA_TYPE_STRING), ("lr", api_pb2.DATA_TYPE_FLOAT64)]
    assert experiment.metric_infos[0].display_name == "test_accuracy"
    rows = read_trials("plain")
    assert set(groups) == {row["trial"] for row in rows} and len(rows) == 6
    for row in rows:
        options, status, metrics = groups[row["trial"]]
        assert options == {"lr": float(row["lr"]), "augment": row["augment"]}
        assert status == api_pb2.STATUS_SUCCESS
        assert abs(metrics["", "test_accuracy"] - float(row["test_accuracy"])) < 1e-6
        assert abs(metrics["validation", "epoch_loss"] - scalars("plain", f"{row['trial']}/validation")["epoch_loss", 1]) < 1e-6
        assert len(metrics) == len(experiment.metric_infos)


def test_options_are_numbers_texts_and_bools():
    train("types", TENSORBOARD.replace("augment: [none, flips, dark]", "nesterov: [true, false]\n    fine_tune: [head, 2]\n"
                                       "    momentum: [0.9, 0.5]").replace("adam", "sgd").replace("epochs: 2", "epochs: 1")
          .replace("rows: augment", "rows: fine_tune"))
    for options, _, _ in session_groups("types")[1].values():
        assert {name: type(value) for name, value in options.items()} == {
            "lr": float, "nesterov": bool, "fine_tune": str, "momentum": float}, options


def test_a_trial_that_fails_is_one():
    train("fails", TENSORBOARD.replace("lr: [0.001, 0.0003]", "lr: [0.001, 1e30]").replace("adam", "sgd"))
    failed = {row["trial"] for row in read_trials("fails") if row["status"] == "failed"}
    groups = session_groups("fails")[1]
    assert failed and {name for name, group in groups.items() if group[1] == api_pb2.STATUS_FAILURE} == failed
    assert len(groups) == 6


def test_the_confusion_matrix_is_an_image():
    """The lightness of a cell is the part of its row, as the report has it."""
    with open(path("plain/report/t000.txt")) as file:
        lines = file.read().split("confusion matrix")[1].splitlines()[2:5]
    counts = np.array([[int(text) for text in line.split()[-3:]] for line in lines])
    event, = read("plain/tensorboard/t000").Tensors("test_confusion_matrix")
    width, height, png = event.tensor_proto.string_val
    image = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(float)
    assert (int(height), int(width)) == image.shape[:2] and int(height) % 3 == 0
    cell = int(height) // 3
    white, dark = np.array([255, 255, 255]), np.array([8, 48, 107])
    for i in range(3):
        for j in range(3):
            part = counts[i, j] / counts[i].sum()
            seen = image[i * cell + cell // 2, j * cell + cell // 2]
            assert np.abs(seen - (white + (dark - white) * part)).max() <= 1, (i, j)


def records(file):
    with open(file, "rb") as stream:
        data = stream.read()
    while data:
        size, crc = struct.unpack("<QI", data[:12])
        body, after = data[12:12 + size], struct.unpack("<I", data[12 + size:16 + size])[0]
        yield data[:8], crc, body, after
        data = data[16 + size:]


def event_files(out):
    return glob.glob(path(f"{out}/tensorboard/**/events.out.tfevents.*"), recursive=True)


def test_every_checksum_is_right():
    files = event_files("plain")
    assert len(files) == 1 + 6 * 4
    for file in files:
        found = list(records(file))
        assert found
        for head, crc, body, after in found:
            assert pywrap_tensorflow.masked_crc32c(head) == crc and pywrap_tensorflow.masked_crc32c(body) == after


HOSTILE = [b"<script>alert(1)</script>".replace(b"/", b"\\"), b'"quoted\'s', "\u202e\u05d0\u05d1\u05d2".encode(), b"two\nlines",
           b"caf\xe9", b"`code` *x* [a](javascript:1)"]


def test_hostile_names_of_classes():
    run_ok("--classes", "2", "--per-class", "12", "--size", "32x32", "few", program="cnnsweep-synthetic")
    source = sorted(glob.glob(path("few/*/")))[0].encode()
    for name in HOSTILE:
        shutil.copytree(source, path("hostile").encode() + b"/" + name)
    run_ok("hostile", "hostile.h5", "--split", "0.5,0.25,0.25", program="cnnsweep-pack")
    train("names", TENSORBOARD.replace("data.h5", "hostile.h5").replace("epochs: 2", "epochs: 1"))
    expect_journal("names")
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(path("names/tensorboard"))
    multiplexer.Reload()
    text = multiplexer.SummaryMetadata("t000", "test_confusion_matrix").summary_description
    assert text.count("\\. ") == len(HOSTILE)
    for part in ("\\<script\\>", "\\\"quoted's", "\u202e\u05d0\u05d1\u05d2", "caf", "\\`code\\`"):
        assert part in text, (part, text)


def test_hostile_values_of_options():
    names = ['"<script>"', '"it\'s \\"quoted\\""', '"\u202e\u05d0"', '"1e3"', '"nan"']
    text = TENSORBOARD.replace("augment: [none, flips, dark]", f"augment: [{', '.join(names)}]").replace("epochs: 2", "epochs: 1")
    text = text.split("augmentations:")[0] + "augmentations:\n" + "".join(
        f"  {name}: {{brightness_range: [0.{i + 1}, 1.0]}}\n" for i, name in enumerate(names)) + (
        "table: {rows: augment, columns: lr, value: test_accuracy}\ntensorboard: true\n")
    train("values", text)
    found = {group[0]["augment"] for group in session_groups("values")[1].values()}
    assert found == {"<script>", "it's \"quoted\"", "\u202e\u05d0", "1e3", "nan"}, found


def test_no_step_is_lost_or_doubled_when_a_killed_sweep_goes_on():
    train("whole")
    wanted = {run: scalars("whole", run) for run in
              [f"t{t:03d}{part}" for t in range(6) for part in ("", "/train", "/validation")]}
    tensors = read("whole/tensorboard/t000").Tags()["tensors"]
    assert "test_confusion_matrix" in tensors
    points = [epoch(1), epoch(4), epoch(12), trial(2), trial(6)] + [f"open tfevents {n}" for n in (1, 2, 5, 9, 14, 20)]
    for number, point in enumerate(points):
        out = f"cut{number}"
        write_job(TENSORBOARD)
        stopped = stopped_at(point, "train", "job.yaml", "--out", out)
        stopped.signal(signal.SIGKILL)
        stopped.end()
        train(out, TENSORBOARD, "--resume")
        assert {run: scalars(out, run) for run in wanted} == wanted, point
        assert session_groups(out)[1] == session_groups("whole")[1], point
        for t in range(6):
            assert read(f"{out}/tensorboard/t{t:03d}").Tags()["tensors"] == tensors, point


def test_a_file_that_was_cut_is_written_again():
    write_job(TENSORBOARD)
    stopped = stopped_at(epoch(2), "train", "job.yaml", "--out", "torn")
    stopped.signal(signal.SIGKILL)
    stopped.end()
    for file in event_files("torn"):
        os.truncate(file, os.path.getsize(file) - 3)
    train("torn", TENSORBOARD, "--resume")
    expect_journal("torn")


def test_the_option_can_be_turned_on_later():
    write_job(JOB)
    stopped = stopped_at(trial(3), "train", "job.yaml", "--out", "later")
    stopped.signal(signal.SIGKILL)
    stopped.end()
    assert not os.path.exists(path("later/tensorboard"))
    train("later", TENSORBOARD, "--resume")
    expect_journal("later")
    assert len(session_groups("later")[1]) == 6


def test_epochs_of_an_earlier_version_have_the_time_of_the_start():
    write_job(JOB)
    stopped = stopped_at(trial(3), "train", "job.yaml", "--out", "earlier")
    stopped.signal(signal.SIGKILL)
    stopped.end()
    events = read_journal("earlier")
    with open(path("earlier/journal.jsonl"), "w") as file:
        for event in events:
            if event["event"] != "start":
                event.pop("time", None)
            file.write(json.dumps(event, separators=(",", ":")) + "\n")
    train("earlier", TENSORBOARD, "--resume")
    started = datetime.datetime.fromisoformat(events[0]["time"].replace("Z", "+00:00")).timestamp()
    assert all(abs(event.wall_time - started) < 0.002 for event in read("earlier/tensorboard/t000/train").Scalars("epoch_loss"))


def test_a_later_phase_has_the_epochs_of_the_one_before():
    train("phases", TENSORBOARD.replace("train: {epochs: 2, batch", "train: {batch").replace(
        "sweep:\n  parameters:\n    lr: [0.001, 0.0003]\n    augment: [none, flips, dark]",
        "phases:\n  - {epochs: 2, fine_tune: head}\n  - {epochs: 2, fine_tune: all}\n"
        "sweep: {parameters: {phases.2.lr: [0.001, 0.0003]}}").split("table:")[0] + "tensorboard: true\n")
    for name in ("t000", "t001"):
        assert sorted({step for _, step in scalars("phases", f"{name}/train")}) == [0, 1, 2, 3]
        assert len(scalars("phases", f"{name}/validation")) == 8
    assert set(session_groups("phases")[1]) == {"t000", "t001"}, "a phase that another follows is no trial"


def test_force_removes_the_files():
    train("again")
    train("again", JOB, "--force")
    assert not os.path.exists(path("again/tensorboard"))


run_tests(globals())
