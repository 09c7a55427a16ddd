# SPDX-License-Identifier: Apache-2.0
"""train.mode: features from the job file to the table. The features equal those of torch, the results equal those of
fine_tune: head, and the features are computed once, whichever runs need them and whatever interrupts them."""
import os
import signal

import h5py
import numpy as np
import torch

from harness import stopped_at, make_data, path, read_trials, run, run_ok, run_tests, without_clock, write_job

JOB = """name: heads
data: {path: data.h5}
model: {arch: basenet, weights: base.h5}
threads: 1
train: {mode: features, epochs: 3, batch: 16, lr: 0.01, patience: 2}
sweep: {parameters: {head: [dense, "dense:20:relu,dense"], seed: [1, 2]}}
"""
ONE = ("--set", "sweep.parameters.head=[dense]", "--set", "sweep.parameters.seed=[1]")
KERNELS = {"conv2d": (5, 5, 3, 6), "conv2d_1": (5, 5, 6, 16), "dense": (400, 50)}


def write_weights():
    """Writes random weights of basenet without its head, in Keras' legacy layout; returns {layer: (kernel, bias)}."""
    random = np.random.default_rng(5)
    weights = {}
    with h5py.File(path("base.h5"), "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in KERNELS]
        for name, shape in KERNELS.items():
            kernel = random.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape).astype(np.float32)
            weights[name] = kernel, random.normal(0, 0.1, shape[-1]).astype(np.float32)
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/kernel:0".encode(), f"{name}/bias:0".encode()]
            for part, value in zip(("kernel", "bias"), weights[name]):
                group.create_dataset(f"{name}/{part}:0", data=value)
    return weights


def torch_features(images):
    x = torch.from_numpy(images.astype(np.float32) / 255).permute(0, 3, 1, 2)
    for name in ("conv2d", "conv2d_1"):
        kernel, bias = (torch.from_numpy(value) for value in weights[name])
        x = torch.max_pool2d(torch.conv2d(x, kernel.permute(3, 2, 0, 1), bias).relu(), 2)
    kernel, bias = (torch.from_numpy(value) for value in weights["dense"])
    return (x.permute(0, 2, 3, 1).flatten(1) @ kernel + bias).relu().numpy()


def feature_files(folder="data.features"):
    return sorted(os.listdir(path(folder))) if os.path.isdir(path(folder)) else []


make_data()
weights = write_weights()
write_job(JOB)
first = run_ok("train", "job.yaml", "--out", "first")


def test_features_equal_those_of_torch():
    name, = feature_files()
    assert name.startswith("basenet-") and len(name) == len("basenet-.h5") + 16, name
    with h5py.File(path("data.h5"), "r") as data, h5py.File(path(f"data.features/{name}"), "r") as made:
        for split in ("train", "val", "test"):
            assert len(made[split]["label"]) > 0
            np.testing.assert_array_equal(made[split]["label"][...], data[split]["label"][...])
            expected = torch_features(data[split]["images"][...])
            assert expected.std() > 0.1
            np.testing.assert_allclose(made[split]["features"][...], expected, rtol=1e-4, atol=1e-5)


def test_results_equal_those_of_fine_tune_head():
    run_ok("train", "job.yaml", "--out", "tuned", "--set", "train.mode=fine_tune", "--set", "train.fine_tune=head")
    for made, tuned in zip(read_trials("first"), read_trials("tuned")):
        assert made["status"] == tuned["status"] == "ok"
        for name in ("loss", "val_loss", "test_loss", "test_accuracy"):
            assert abs(float(made[name]) - float(tuned[name])) < 1e-5, (name, made, tuned)
    assert len({trial["loss"] for trial in read_trials("first")}) == 4


def test_a_second_run_computes_nothing():
    name, = feature_files()
    before = os.stat(path(f"data.features/{name}"))
    assert f"{name}: features of layer dense, to be computed once" in first.stderr, first.stderr
    again = run_ok("train", "job.yaml", "--out", "again")
    assert f"{name}: features of layer dense, 50 values an image, computed before" in again.stderr, again.stderr
    after = os.stat(path(f"data.features/{name}"))
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert without_clock(read_trials("first")) == without_clock(read_trials("again"))


def test_every_engine_has_its_own_file():
    for device in ("cpu", "ref"):
        run_ok("train", "job.yaml", "--out", f"on_{device}", "--device", device, "--set", "data.features=engines")
    assert len(feature_files("engines")) == 2


def test_ranks_share_one_file():
    run_ok("train", "job.yaml", "--out", "ranks", "--set", "data.features=shared/of/ranks", ranks=2)
    assert len(feature_files("shared/of/ranks")) == 1
    assert without_clock(read_trials("first")) == without_clock(read_trials("ranks"))


def test_a_damaged_file_stops_the_sweep_before_it_begins():
    name, = feature_files()
    whole = open(path(f"data.features/{name}"), "rb").read()
    for damage in (whole[:-100], whole[:-100] + bytes(100)):
        os.makedirs(path("damaged"), exist_ok=True)
        with open(path(f"damaged/{name}"), "wb") as file:
            file.write(damage)
        done = run("train", "job.yaml", "--out", "never", "--set", "data.features=damaged")
        assert done.returncode == 1 and f"damaged/{name}" in done.stderr and "delete it" in done.stderr, done.stderr
        assert not os.path.exists(path("never"))


def test_options_that_contradict_features_are_refused_with_their_place():
    for old, new, needle in (("epochs", "fine_tune: 2, epochs", "job.yaml:5:36: train.fine_tune is 2"),
                             ("{parameters: {", "{parameters: {fine_tune: [all], ", "job.yaml:6:33: train.fine_tune is all")):
        write_job(JOB.replace(old, new, 1))
        done = run("train", "job.yaml", "--dry-run")
        assert done.returncode == 1 and needle in done.stderr, done.stderr
    write_job(JOB)


def interrupt_extraction(folder, wanted):
    """(exit code, log) of a run that gets the signal when it begins to compute features."""
    other = ("--set", "model.arch=mobilenet", "--set", "model.weights=", "--set", "sweep.parameters.head=[[gap, dense]]")
    sweep = stopped_at("open .h5.tmp 1", "train", "job.yaml", "--out", folder + "-r", *ONE, *other, "--set",
                       f"data.features={folder}")
    sweep.signal(wanted)
    code, _, log = sweep.end()
    return code, log


def test_a_signal_leaves_no_incomplete_file():
    code, log = interrupt_extraction("stopped", signal.SIGTERM)
    assert code == 75, (code, log)
    assert feature_files("stopped") == []


def test_files_of_a_killed_process_do_no_harm():
    code, _ = interrupt_extraction("killed", signal.SIGKILL)
    assert code == -signal.SIGKILL
    left = feature_files("killed")
    assert len(left) == 2 and not any(name.endswith(".h5") for name in left), left
    # The next runs need other features, and the same ones: the killed process left files under both names.
    run_ok("train", "job.yaml", "--out", "next", *ONE, "--set", "data.features=killed")
    name, = [name for name in feature_files("killed") if name.endswith(".h5")]
    os.remove(path(f"killed/{name}"))
    for suffix in (".tmp", ".lock"):
        with open(path(f"killed/{name}{suffix}"), "w") as file:
            file.write("left")
    run_ok("train", "job.yaml", "--out", "next2", *ONE, "--set", "data.features=killed")
    assert [n for n in feature_files("killed") if n.startswith(name)] == [name]


def test_a_dry_run_says_that_the_folder_of_features_cannot_be_made():
    done = run("train", "job.yaml", "--dry-run", "--set", "data.features=job.yaml/here")
    assert done.returncode != 0 and "job.yaml/here: cannot create the folder" in done.stderr, done.stderr
    assert "data.features names another folder" in done.stderr


run_tests(globals())
