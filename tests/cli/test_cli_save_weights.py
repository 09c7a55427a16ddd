# SPDX-License-Identifier: Apache-2.0
"""train.save_weights keeps the tested weights in a file that h5py opens and from which another job can begin."""
import os
import sys

import h5py

from harness import JOB, make_data, path, read_trials, run, run_ok, run_tests, write_job

sys.path.insert(0, os.path.join(os.environ["CNNSWEEP_SOURCE"], "tests", "weights"))
import safetensors_format  # noqa: E402

SHAPES = {"conv2d/kernel": (5, 5, 3, 6), "conv2d/bias": (6,), "conv2d_1/kernel": (5, 5, 6, 16), "conv2d_1/bias": (16,),
          "dense/kernel": (400, 50), "dense/bias": (50,), "dense_1/kernel": (50, 3), "dense_1/bias": (3,)}

make_data()
write_job(JOB)


def save(ending, ranks=0):
    run_ok("train", "job.yaml", "--out", f"made_{ending}", "--set", f"train.save_weights={ending}",
           "--set", "train.patience=1", ranks=ranks)
    files = [f"made_{ending}/weights/{trial['trial']}.{ending}" for trial in read_trials(f"made_{ending}")]
    assert sorted(os.listdir(path(f"made_{ending}/weights"))) == sorted(os.path.basename(file) for file in files)
    return files


def legacy_shapes(file):
    layers = [name.decode() for name in file.attrs["layer_names"]]
    names = [(layer, name.decode()) for layer in layers for name in file[layer].attrs["weight_names"]]
    return {name.split(":")[0]: file[layer][name].shape for layer, name in names}


def test_every_trial_leaves_a_file_with_all_its_parameters():
    for name in save("h5"):
        with h5py.File(path(name)) as file:
            assert legacy_shapes(file) == SHAPES, name
    for name in save("weights.h5", ranks=2):
        with h5py.File(path(name)) as file:
            assert file["layers/dense_1/vars/0"].shape == SHAPES["dense_1/kernel"]
    for name in save("safetensors"):
        assert {key: value.shape for key, value in safetensors_format.read(path(name))[0].items()} == SHAPES, name


def test_a_second_job_begins_where_the_first_ended():
    for ending in ("h5", "weights.h5", "safetensors"):
        first = read_trials(f"made_{ending}")[0]
        write_job(JOB[:JOB.index("sweep:")], "next.yaml")
        run_ok("train", "next.yaml", "--out", f"next_{ending}", "--set", "train.optimizer=sgd", "--set", "train.lr=1e-12",
               "--set", f"model.weights=made_{ending}/weights/{first['trial']}.{ending}")
        after, = read_trials(f"next_{ending}")
        assert abs(float(after["test_loss"]) - float(first["test_loss"])) < 1e-5, (first, after)


def test_nothing_is_kept_unless_asked_for():
    run_ok("train", "job.yaml", "--out", "plain")
    assert not os.path.exists(path("plain/weights"))


def test_force_removes_the_weights_of_the_sweep_before():
    run_ok("train", "job.yaml", "--out", "made_h5", "--force")
    assert not os.path.exists(path("made_h5/weights"))


def test_weights_are_not_written_over():
    os.makedirs(path("full/weights"))
    done = run("train", "job.yaml", "--out", "full", "--set", "train.save_weights=h5")
    assert done.returncode == 1 and "full already holds the results of a sweep (weights)" in done.stderr, done.stderr


run_tests(globals())
