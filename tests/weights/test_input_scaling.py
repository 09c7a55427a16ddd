# SPDX-License-Identifier: Apache-2.0
"""EfficientNet rescales its input once, or twice for ImageNet's weights. We recognize which from files of the real Keras, and
our own files record it.

CNNSWEEP_KERAS_PYTHON names a Python that has keras and tensorflow."""
import os
import subprocess
import sys

import h5py
import numpy as np

sys.path.insert(0, os.path.join(os.environ["CNNSWEEP_SOURCE"], "tests", "cli"))
from harness import SCRATCH, path, run, run_ok, run_tests  # noqa: E402

PYTHON = os.environ.get("CNNSWEEP_KERAS_PYTHON")
if not PYTHON:
    print("CNNSWEEP_KERAS_PYTHON names no Python with Keras: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)

# Builds the network as for the published weights, without loading them.
MAKE = """
import keras
from keras.src.utils import file_utils

def build(weights):
    return keras.applications.EfficientNetB0(weights=weights, include_top=False, input_shape=(32, 32, 3))

def save(model, name):
    model.save_weights(name + ".weights.h5")
    model.save(name + ".h5")

save(build(None), "scratch")
save(build(None), "second")  # of its session: its only rescaling is called rescaling_1
inner = build(None)
keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Rescaling(1.0), inner]).save_weights("nested.weights.h5")
file_utils.get_file = lambda *_args, **_options: None
keras.Model.load_weights = lambda *_args, **_options: None
keras.backend.clear_session()
save(build("imagenet"), "imagenet")
"""
ASSUMED = "taken for ImageNet's weights"


def preprocessing_of(name):
    """(the preprocessing that a conversion of `name` records, the messages of the conversion)"""
    done = run_ok("weights", "convert", name, "out.safetensors", "--arch", "efficientnet_b0", "--input", "32x32x3")
    last = run_ok("weights", "show", "out.safetensors").stdout.splitlines()[-1]
    return last.split("preprocessing ")[1], done.stderr


def test_files_of_keras_are_recognized():
    done = subprocess.run([PYTHON, "-c", MAKE], cwd=SCRATCH, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    for name, kind in (("scratch.weights.h5", "raw"), ("scratch.h5", "raw"), ("second.weights.h5", "raw"),
                       ("nested.weights.h5", "raw"), ("imagenet.weights.h5", "raw_imagenet"),
                       ("imagenet.h5", "raw_imagenet")):
        got, said = preprocessing_of(name)
        assert got == kind and ASSUMED not in said, (name, got, said)


def test_our_files_keep_the_scaling():
    for source, kind in (("scratch.h5", "raw"), ("imagenet.h5", "raw_imagenet")):
        for target in ("ours.h5", "ours.weights.h5", "ours.safetensors"):
            run_ok("weights", "convert", source, target, "--arch", "efficientnet_b0", "--input", "32x32x3")
            got, said = preprocessing_of(target)
            assert got == kind and ASSUMED not in said, (source, target, got, said)


def test_an_unknown_scaling_is_assumed_and_reported():
    with h5py.File(path("scratch.h5")) as whole, h5py.File(path("some.h5"), "w") as file:
        group = whole["model_weights"]
        names = [n for n in group.attrs["layer_names"] if len(group[n].attrs["weight_names"])]
        file.attrs["layer_names"] = np.array([n.encode() if isinstance(n, str) else n for n in names])
        for name in names:
            group.copy(name, file)
    got, said = preprocessing_of("some.h5")
    assert got == "raw_imagenet" and f"some.h5 does not tell how its input is scaled: {ASSUMED}" in said, (got, said)


def test_other_networks_have_no_second_scaling():
    done = run("weights", "check", "scratch.h5", "mobilenet", "--allow-missing")
    assert ASSUMED not in done.stderr


run_tests(globals())
