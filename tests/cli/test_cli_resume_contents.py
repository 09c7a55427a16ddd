# SPDX-License-Identifier: Apache-2.0
"""--resume and collect identify weights and datasets by their contents, not by their names or folders."""
import glob
import json
import os
import shutil
import signal
import subprocess

import h5py
import numpy as np

from harness import (BIN, CLEAN, MPI, SCRATCH, stopped_at, make_data, path, read_journal, read_trials, run, run_ok, run_tests,
                     without_clock, write_job)
from breakpoints import PATIENCE, epoch

JOB = """name: tiny
data: {path: data.h5}
model: {arch: basenet, weights: w.h5}
threads: 1
train: {epochs: 2, batch: 16, seed: 3}
sweep: {parameters: {lr: [0.001, 0.0003]}}
"""
HALF = ("--set", "sweep.parameters.lr=[0.001]")  # the first of the two trials
WITHOUT = JOB.replace(", weights: w.h5", "")


def swept(*files):
    """Writes a job that sweeps only these files."""
    return write_job(WITHOUT.replace("sweep: {", "sweep: {metric: {name: test_loss, goal: minimize}, ")
                     .replace("lr: [0.001, 0.0003]", f"weights: [{', '.join(files)}]"), "swept.yaml")


def make_weights():
    """Writes a.h5, b.h5 and c.h5: trained weights of three seeds."""
    for seed, name in enumerate("abc"):
        run_ok("train", write_job(WITHOUT, "made.yaml"), "--out", f"made_{name}", *HALF, "--set",
               f"train.seed={seed}", "--set", "train.save_weights=h5")
        os.rename(path(f"made_{name}/weights/t000.h5"), path(f"{name}.h5"))


make_data(per_class=20)
make_weights()
write_job(JOB)
shutil.copy(path("a.h5"), path("w.h5"))
run_ok("train", "job.yaml", "--out", "whole")
run_ok("train", "job.yaml", "--out", "half", *HALF)


def text_of(name):
    with open(path(name), encoding="utf-8") as file:
        return file.read()


def begun(out):
    """Makes the folder of a sweep of which one of two trials is done."""
    shutil.rmtree(path(out), ignore_errors=True)
    shutil.copytree(path("half"), path(out))
    return out


def outcomes(out):
    """The number of trials that have ended according to the journal."""
    return sum(event["event"] == "trial" for event in read_journal(out))


def table_of(out):
    """The table without the command that trains the best trial again, because that has paths."""
    return text_of(f"{out}/table.md").split("\n\n    cnnsweep")[0]


def assert_goes_on(out, *arguments):
    """--resume keeps the trial that was done and trains the other; the table is that of a sweep that was not stopped."""
    run_ok("train", "job.yaml", "--out", begun(out), "--resume", *arguments)
    assert outcomes(out) == 2, "what is done is not trained again"
    assert without_clock(read_trials(out)) == without_clock(read_trials("whole"))
    assert table_of(out) == table_of("whole")


def assert_refused(out, *needles, arguments=(), job="job.yaml"):
    """--resume is refused, by a dry run too, and writes nothing."""
    before = text_of(f"{out}/journal.jsonl")
    for more in ((), ("--dry-run",)):
        done = run("train", job, "--out", out, "--resume", *more, *arguments)
        assert done.returncode == 1, done.stderr
        for needle in (*needles, "hint: ", "--out ANOTHER_FOLDER", "--force"):
            assert needle in done.stderr, f"no {needle!r} in {done.stderr}"
    assert text_of(f"{out}/journal.jsonl") == before


class Replaced:
    """Inside this context, the file `name` has the contents of another one."""

    def __init__(self, name, source):
        self.name, self.source = path(name), path(source)

    def __enter__(self):
        os.rename(self.name, self.name + ".kept")
        shutil.copytree(self.source, self.name) if os.path.isdir(self.source) else shutil.copy(self.source, self.name)

    def __exit__(self, *_):
        shutil.rmtree(self.name) if os.path.isdir(self.name) else os.remove(self.name)
        os.rename(self.name + ".kept", self.name)


def test_weights_replaced_under_their_name_are_refused_by_name():
    with Replaced("w.h5", "b.h5"):
        assert_refused(begun("replaced"), "replaced was begun when w.h5 held other weights: its checksum was ")
    run_ok("train", "job.yaml", "--out", "replaced", "--resume")
    assert without_clock(read_trials("replaced")) == without_clock(read_trials("whole")), "with the old file it is resumed"


def test_weights_with_one_altered_value_are_refused():
    with Replaced("w.h5", "a.h5"):
        with h5py.File(path("w.h5"), "r+") as file:
            names = []
            file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
            value = file[names[0]][...]
            value.flat[0] = np.nextafter(value.flat[0], np.inf, dtype=value.dtype)
            file[names[0]][...] = value
        assert_refused(begun("altered"), "w.h5 held other weights")


def test_with_force_new_weights_replace_the_old_rows():
    with Replaced("w.h5", "b.h5"):
        run_ok("train", "job.yaml", "--out", begun("forced"), "--force")
        run_ok("train", "job.yaml", "--out", "anew")
    assert without_clock(read_trials("forced")) == without_clock(read_trials("anew"))
    assert without_clock(read_trials("forced"))[0] != without_clock(read_trials("whole"))[0]


def test_a_file_rewritten_with_the_same_bytes_is_resumed():
    with Replaced("w.h5", "a.h5"):
        os.utime(path("w.h5"), (1, 1))
        assert_goes_on("touched")


def test_the_same_weights_under_another_name_are_resumed():
    os.makedirs(path("elsewhere"))
    shutil.copy(path("a.h5"), path("elsewhere/copy.h5"))
    os.symlink("elsewhere/copy.h5", path("link.h5"))
    os.link(path("w.h5"), path("hard.h5"))
    for i, name in enumerate(("./w.h5", "elsewhere/../w.h5", path("w.h5"), "link.h5", "hard.h5", "elsewhere/copy.h5")):
        assert_goes_on(f"named{i}", "--set", f"model.weights={name}")


def test_the_same_dataset_under_another_name_is_resumed():
    os.makedirs(path("staged"))
    shutil.copy(path("data.h5"), path("staged/again.h5"))
    os.symlink("data.h5", path("data-link.h5"))
    for i, name in enumerate(("./data.h5", path("data.h5"), "data-link.h5", "staged/again.h5")):
        assert_goes_on(f"data{i}", "--set", f"data.path={name}")


def test_a_folder_of_shards_may_move():
    run_ok("--shard-size", "64K", "drawn", "shards", program="cnnsweep-pack")
    assert len(glob.glob(path("shards/*.h5"))) > 1
    run_ok("train", "job.yaml", "--out", "moving", "--set", "data.path=shards", *HALF)
    os.makedirs(path("deep"))
    shutil.move(path("shards"), path("deep/moved"))
    run_ok("train", "job.yaml", "--out", "moving", "--resume", "--set", "data.path=deep/moved/")
    assert outcomes("moving") == 2
    assert without_clock(read_trials("moving")) == without_clock(read_trials("whole"))


def test_a_repacked_dataset_is_resumed_only_with_the_same_images():
    run_ok("drawn", "repacked.h5", program="cnnsweep-pack")
    run_ok("--classes", "3", "--per-class", "20", "--size", "32x32", "--seed", "9", "others", program="cnnsweep-synthetic")
    run_ok("others", "others.h5", program="cnnsweep-pack")
    with Replaced("data.h5", "repacked.h5"):
        assert_goes_on("repacked")
    with Replaced("data.h5", "others.h5"):
        assert_refused(begun("others-seen"), "data.h5 as it was then", "data.h5 now holds other samples")
    assert_refused(begun("others-named"), "others.h5 now holds other samples", arguments=("--set", "data.path=others.h5"))


def test_one_class_more_is_another_dataset():
    """The new class has no images: the samples are the same, but the last layer of the network is not."""
    with Replaced("data.h5", "data.h5.kept"):
        with h5py.File(path("data.h5"), "r+") as file:
            names, kept = file.attrs["classes"], dict(dtype=file.attrs["classes"].dtype)
            del file.attrs["classes"]
            file.attrs.create("classes", np.array([*names, b"zzz"], **kept))
        assert "4 classes" in run_ok("--info", "data.h5", program="cnnsweep-pack").stdout
        assert_refused(begun("class"), "now holds other samples")


def test_swept_files_that_swap_names_keep_their_rows():
    for name in ("one.h5", "two.h5"):
        shutil.copy(path("a.h5" if name == "one.h5" else "b.h5"), path(name))
    job = swept("one.h5", "two.h5")
    run_ok("train", job, "--out", "swapped")
    before = {t["weights"]: t for t in without_clock(read_trials("swapped"))}
    os.rename(path("one.h5"), path("other.h5"))
    os.rename(path("two.h5"), path("one.h5"))
    os.rename(path("other.h5"), path("two.h5"))
    run_ok("train", job, "--out", "swapped", "--resume")
    run_ok("train", job, "--out", "swapped-anew")
    after = {t["weights"]: t for t in without_clock(read_trials("swapped"))}
    anew = {t["weights"]: t for t in without_clock(read_trials("swapped-anew"))}
    assert outcomes("swapped") == 2, "nothing is trained again"
    assert before["one.h5"]["test_loss"] != before["two.h5"]["test_loss"]
    for name, old in (("one.h5", "two.h5"), ("two.h5", "one.h5")):
        assert {**after[name], "trial": ""} == {**anew[name], "trial": ""} == {**before[old], "weights": name, "trial": ""}
    best = min(after.values(), key=lambda t: float(t["test_loss"]))
    assert f"weights={best['weights']}" in run_ok("status", "swapped").stdout


def test_a_replaced_swept_file_is_refused_and_an_added_one_is_not():
    for name in "abc":
        shutil.copy(path(f"{name}.h5"), path(f"s{name}.h5"))
    run_ok("train", swept("sa.h5", "sb.h5"), "--out", "grown")
    with Replaced("sb.h5", "c.h5"):
        assert_refused("grown", "sb.h5 held other weights", job="swept.yaml")
    run_ok("train", swept("sa.h5", "sb.h5", "sc.h5"), "--out", "grown", "--resume")
    assert outcomes("grown") == 3 and [t["weights"] for t in read_trials("grown")] == ["sa.h5", "sb.h5", "sc.h5"]


def test_missing_weights_are_reported_as_missing():
    done = run("train", "job.yaml", "--out", begun("gone"), "--resume", "--set", "model.weights=none.h5")
    assert done.returncode == 1 and "there is no file none.h5" in done.stderr, done.stderr


def run_until(out, epochs, *arguments):
    """Trains a trial that has many epochs and stops it after `epochs` of them. (exit code, log)"""
    sweep = stopped_at(epoch(epochs), "train", "job.yaml", "--out", out, *HALF, "--set", "train.epochs=1000000", *arguments,
                 env={"CNNSWEEP_LOG": "debug"})
    sweep.signal(signal.SIGTERM)
    code, _, log = sweep.end()
    return code, log


def history(out, n):
    return text_of(f"{out}/history/t000.csv").splitlines()[:n + 1]


def test_a_trial_under_way_goes_on_from_its_checkpoint_only_with_the_same_contents():
    code, log = run_until("stopped", 4)
    assert code == 75 and glob.glob(path("stopped/checkpoints/t000.ckpt")), log
    before = history("stopped", 1000000)
    with Replaced("w.h5", "b.h5"):
        assert_refused("stopped", "w.h5 held other weights", arguments=(*HALF, "--set", "train.epochs=1000000"))
        shutil.copytree(path("stopped"), path("forced-anew"), ignore=lambda *_: ["journal.jsonl"])
        _, log = run_until("forced-anew", 4, "--force")
        assert "goes on from epoch" not in log and history("forced-anew", 1)[1] != before[1]
    epochs = len(before) - 1
    code, log = run_until("stopped", 4, "--resume", "--set", "model.weights=./a.h5", "--set", "data.path=./data.h5")
    assert code == 75 and "goes on from epoch" in log and "passed over" not in log, log
    run_until("straight", epochs + 4)
    assert history("stopped", epochs + 4) == history("straight", epochs + 4)


def test_features_are_found_by_content():
    frozen = ("--set", "train.mode=features", "--set", "train.fine_tune=head")
    folder = ("--set", "data.features=kept.features")
    run_ok("train", "job.yaml", "--out", "features", *frozen, *folder, *HALF)
    files = os.listdir(path("kept.features"))
    assert len(files) == 1
    os.symlink("data.h5", path("features-link.h5"))
    run_ok("train", "job.yaml", "--out", "features", "--resume", *frozen, *folder, "--set", "model.weights=./w.h5", "--set",
           "data.path=features-link.h5")
    assert outcomes("features") == 2 and os.listdir(path("kept.features")) == files
    with Replaced("w.h5", "b.h5"):
        assert_refused("features", "w.h5 held other weights", arguments=(*frozen, *folder))
        run_ok("train", "job.yaml", "--out", "features-b", *frozen, *folder, *HALF)
    assert len(os.listdir(path("kept.features"))) == 2
    run_ok("train", "job.yaml", "--out", "features-place", "--resume", *frozen, *folder, *HALF)
    run_ok("train", "job.yaml", "--out", "features-place", "--resume", *frozen, "--set", "data.features=other.features", *HALF)
    assert outcomes("features-place") == 1, "the folder of the features changes no number"


def test_parts_are_collected_by_content():
    os.makedirs(path("far"))
    shutil.copy(path("a.h5"), path("far/pretrained.h5"))
    shutil.copy(path("data.h5"), path("far/images.h5"))
    run_ok("train", "job.yaml", "--part", "0/2", "--out", "part0")
    run_ok("train", "job.yaml", "--part", "1/2", "--out", "part1", "--set", "model.weights=far/pretrained.h5", "--set",
           "data.path=far/images.h5", "--set", "data.features=far")
    output = run_ok("collect", "part0", "part1", "--out", "merged").stdout
    assert "2 of 2 trials" in output, output
    assert without_clock(read_trials("merged")) == without_clock(read_trials("whole"))
    with Replaced("w.h5", "b.h5"):
        run_ok("train", "job.yaml", "--part", "1/2", "--out", "part1-b")
    done = run("collect", "part0", "part1-b", "--out", "mixed")
    assert done.returncode == 1 and "part1-b is of another sweep than part0: model.weights is w.h5 (" in done.stderr, done.stderr
    assert ", there w.h5 (" in done.stderr and not os.path.exists(path("mixed"))


def test_parts_that_sweep_weights_are_collected_by_content():
    for name in "abc":
        shutil.copy(path(f"{name}.h5"), path(f"p{name}.h5"))
        shutil.copy(path(f"{name}.h5"), path(f"far-p{name}.h5"))
    run_ok("train", swept("pa.h5", "pb.h5"), "--part", "0/2", "--out", "axis0")
    for out, names in (("axis1", ("far-pa.h5", "far-pb.h5")), ("axis1-c", ("pa.h5", "pc.h5")), ("axis1-turned", ("pb.h5", "pa.h5"))):
        run_ok("train", swept(*names), "--part", "1/2", "--out", out)
    output = run_ok("collect", "axis0", "axis1", "--out", "axis-merged").stdout
    assert "2 of 2 trials" in output, output
    assert [t["weights"] for t in read_trials("axis-merged")] == ["pa.h5", "pb.h5"]
    for other in ("axis1-c", "axis1-turned"):
        done = run("collect", "axis0", other, "--out", "mixed")
        assert done.returncode == 1 and f"{other} is of another sweep than axis0: model.weights is [" in done.stderr, done.stderr


def test_copies_of_a_file_must_be_equal_on_all_ranks():
    """Each rank has its own folder, as on nodes with local disks."""
    def two(out, **other):
        for rank in range(2):
            os.makedirs(path(f"{out}/{rank}"))
            for name in ("w.h5", "data.h5"):
                shutil.copy(path(other.get(name.split(".")[0], name) if rank else name), path(f"{out}/{rank}/{name}"))
        script = f'cd {path(out)}/$OMPI_COMM_WORLD_RANK && exec {BIN}/cnnsweep "$@"'
        return subprocess.run(["mpirun", "-n", "2", "sh", "-c", script, "sh", "train", path("job.yaml"), "--out", path(f"{out}/results")], cwd=SCRATCH, env={**CLEAN, **MPI},
                              capture_output=True, text=True, timeout=PATIENCE)
    done = two("same")
    assert done.returncode == 0, done.stderr
    for out, other, needle in (("weights-differ", {"w": "b.h5"}, "w.h5 holds other bytes than when the sweep began"),
                               ("data-differ", {"data": "others.h5"}, "data.h5 holds other samples than when the sweep began")):
        done = two(out, **other)
        assert done.returncode == 1 and needle in done.stderr, done.stderr
        assert not os.path.exists(path(f"{out}/results/journal.jsonl")), "nothing may begin"


def test_a_journal_of_an_older_version_is_refused_with_a_reason():
    out = begun("old")
    events = read_journal(out)
    for event in events:
        event.pop("format", None)
        event.pop("files", None)
    with open(path(f"{out}/journal.jsonl"), "w") as file:
        file.write("".join(json.dumps(event) + "\n" for event in events))
    assert_refused(out, "old: its journal is of format 0", "had other keys for trials and drew other augmentations")
    assert "1 done" in run_ok("status", out).stdout
    assert "1 of 1 trials" in run_ok("collect", out, "--out", "old-collected").stdout
    done = run("collect", out, "half", "--out", "mixed")
    assert done.returncode == 1 and "another version of the program" in done.stderr, done.stderr


run_tests(globals())
