# SPDX-License-Identifier: Apache-2.0
"""The real Keras writes weights in its formats (Keras 3 and legacy, flat and with the base in a Sequential), from a model that
its session builds for the second time. We read all of them and write both formats; Keras loads our files and has the same
weights to the bit, and the same outputs.

CNNSWEEP_KERAS_PYTHON names a Python that has keras and tensorflow."""
import os
import sys

sys.path[:0] = (os.path.join(os.environ["CNNSWEEP_SOURCE"], "tests", room) for room in ("cli", "parity"))
import inside_keras  # noqa: E402

inside_keras.enter()

import keras_files  # noqa: E402
from harness import SCRATCH, run, run_ok, run_tests  # noqa: E402

# name: (options, height and width as in keras_files.py)
MODELS = {"mobilenet": (["--alpha", "0.25"], 64), "xception": ([], 96), "inception_v3": ([], 96),
          "efficientnet_b0": ([], 64), "basenet": ([], 32)}


def check_round_trip(name):
    options, size = MODELS[name]
    arch = ["--arch", name, *options, "--classes", "4", "--input", f"{size}x{size}x3"]
    keras_files.make(SCRATCH, name)
    written = []
    for source in ("flat.weights.h5", "nested.weights.h5", "nestedwhole.h5", "whole.h5"):
        for target in ("h5",) if source != "whole.h5" else ("h5", "weights.h5"):
            out = f"{name}_from_{source.split('.')[0]}.{target}"
            done = run_ok("weights", "convert", f"{name}_{source}", out, *arch)
            assert " 0 missing, 0 unused, 0 of another shape" in done.stdout, done.stdout
            written.append(out)
    run_ok("weights", "convert", written[-1], f"{name}.safetensors", *arch)
    run_ok("weights", "convert", f"{name}.safetensors", f"{name}_from_safetensors.h5", *arch)
    keras_files.load(SCRATCH, name, [*written, f"{name}_from_safetensors.h5"])


def test_mobilenet_round_trip():
    check_round_trip("mobilenet")


def test_xception_round_trip_with_separable_convolutions():
    check_round_trip("xception")


def test_inception_v3_round_trip_with_automatic_names():
    check_round_trip("inception_v3")


def test_efficientnet_b0_round_trip_with_a_normalization():
    check_round_trip("efficientnet_b0")


def test_basenet_round_trip_with_automatic_names_alone():
    check_round_trip("basenet")


def test_two_bases_in_one_file_are_ambiguous():
    keras_files.make_pair(SCRATCH)
    done = run("weights", "check", "pair.weights.h5", "basenet", "--input", "32x32x3")
    assert done.returncode == 1 and "both layers/sequential/layers/" in done.stderr and \
        "and layers/sequential_1/layers/" in done.stderr, done.stderr


def test_a_batch_norm_of_the_head_is_not_read_into_the_base():
    done = run_ok("weights", "convert", "normed.weights.h5", "base.h5", "--arch", "inception_v3", "--input", "96x96x3")
    assert " 0 missing, 6 unused, 0 of another shape" in done.stdout, done.stdout
    keras_files.load_normed(SCRATCH, "base.h5")


def test_layers_that_a_network_lacks_are_reported_by_name():
    done = run("weights", "check", "mobilenet_flat.weights.h5", "mobilenet", "--alpha", "0.25")
    assert done.returncode == 0 and "unused       layers/dense/vars/0 (dense_1) [256,4]\n" in done.stdout, done.stdout


run_tests(globals())
