# SPDX-License-Identifier: Apache-2.0
"""Random weights of torchvision's networks are converted from safetensors through every format without a changed bit. torch
loads the files that we write, strictly, and computes the same. h5py reads the HDF5 files in between."""
import os
import re
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.environ["CNNSWEEP_SOURCE"], "tests", "cli"))
from harness import path, run, run_ok, run_tests  # noqa: E402

import safetensors_format  # noqa: E402

try:
    import h5py
    import torch
    import torchvision
except ImportError as missing:
    print(f"{missing}; install python3-torch, python3-torchvision and python3-h5py: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)

torch.manual_seed(1)


def network(name, **how):
    """A network whose statistics differ from those of a new network."""
    model = getattr(torchvision.models, name)(**how).eval()
    with torch.no_grad():
        for value in model.state_dict().values():
            if value.dtype == torch.float32:
                value.uniform_(0.1, 0.9)
    return model


def save(model, file, dtype=None):
    tensors = {name: value.numpy() for name, value in model.state_dict().items()}
    safetensors_format.write(path(file), {n: v.astype(dtype) if dtype and v.dtype == np.float32 else v
                                          for n, v in tensors.items()}, {"format": "pt"})


def check_round_trip(name, classes):
    model = network(name, num_classes=classes)
    save(model, "in.safetensors")
    arch = ["--arch", name, "--dialect", "torch", "--head", "top", "--classes", str(classes)]
    source = "in.safetensors"
    for target in ("a.h5", "b.weights.h5", "c.safetensors"):
        done = run_ok("weights", "convert", source, target, *arch)
        assert " 0 missing, 0 unused, 0 of another shape" in done.stdout, done.stdout
        source = target
    tensors, metadata = safetensors_format.read(path(source))
    assert metadata == {"format": "pt", "preprocess": "torch"}
    state = model.state_dict()
    assert set(tensors) == set(state)
    for key, value in tensors.items():
        assert key.endswith("num_batches_tracked") or np.array_equal(value, state[key].numpy()), key
    fresh = getattr(torchvision.models, name)(num_classes=classes).eval()
    fresh.load_state_dict({key: torch.from_numpy(value.copy()) for key, value in tensors.items()}, strict=True)
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(fresh(images), model(images))


def test_resnet18_round_trip():
    check_round_trip("resnet18", 5)


def test_mobilenet_v2_round_trip():
    check_round_trip("mobilenet_v2", 3)


def test_the_keys_of_published_densenets_are_read():
    model = network("densenet121", num_classes=3)
    tensors = {re.sub(r"(denselayer\d+\.(?:norm|relu|conv))([12]\.)", r"\1.\2", name): value.numpy()
               for name, value in model.state_dict().items()}
    assert "features.denseblock1.denselayer1.norm.1.weight" in tensors
    safetensors_format.write(path("published.safetensors"), tensors)
    done = run_ok("weights", "convert", "published.safetensors", "d.safetensors", "--arch", "densenet121", "--dialect",
                  "torch", "--head", "top", "--classes", "3")
    assert " 0 missing, 0 unused" in done.stdout, done.stdout
    got, _ = safetensors_format.read(path("d.safetensors"))
    for name, value in model.state_dict().items():
        assert name.endswith("num_batches_tracked") or np.array_equal(got[name], value.numpy()), name


def test_kernels_are_transposed_to_keras_axes():
    model = network("mobilenet_v2", num_classes=3)
    save(model, "in.safetensors")
    run_ok("weights", "convert", "in.safetensors", "axes.h5", "--arch", "mobilenet_v2", "--dialect", "torch",
           "--head", "top", "--classes", "3")
    state = {name: value.numpy() for name, value in model.state_dict().items()}
    with h5py.File(path("axes.h5")) as file:
        assert file.attrs["preprocess"] == b"torch"
        layers = [name.decode() for name in file.attrs["layer_names"]]
        for layer in layers:
            names = [name.decode() for name in file[layer].attrs["weight_names"]]
            for name in names:
                ours, role = file[layer][name][()], name.split("/")[-1].split(":")[0]
                if role == "kernel":
                    theirs = state[layer + ".weight"]
                    assert np.array_equal(ours, theirs.transpose(2, 3, 1, 0) if theirs.ndim == 4 else theirs.T), name
                elif role == "depthwise_kernel":
                    assert np.array_equal(ours, state[layer + ".weight"].transpose(2, 3, 0, 1)), name
                elif role == "moving_variance":
                    assert np.array_equal(ours, state[layer + ".running_var"]), name
        assert sum(len(file[layer].attrs["weight_names"]) for layer in layers) == sum(
            1 for name in state if not name.endswith("num_batches_tracked"))


def test_half_and_double_precision_are_read():
    model = network("resnet18", num_classes=2)
    arch = ["--arch", "resnet18", "--dialect", "torch", "--head", "top", "--classes", "2"]
    for dtype in ("float16", "float64"):
        save(model, "in.safetensors", dtype)
        run_ok("weights", "convert", "in.safetensors", "out.safetensors", *arch)
        tensors, _ = safetensors_format.read(path("out.safetensors"))
        for name, value in model.state_dict().items():
            if value.dtype == torch.float32:
                assert np.array_equal(tensors[name], value.numpy().astype(dtype).astype("float32")), name


def test_special_16_bit_floats_are_converted_as_by_numpy():
    half = np.array([0, 0x8000, 1, 0x8001, 0x3ff, 0x400, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x3c00, 0x3555, 0xb555, 0x83ff,
                     0x0200, 0x7800], "u2")
    brain = np.array([0, 0x8000, 1, 0x7f80, 0xff80, 0x3f80, 0x4049, 0x0080, 0x007f, 0xc2f7, 0x7f7f, 0xff7f, 0x8001, 0x3eab,
                      0x0001, 0x4000], "u2")
    shapes = {"conv2d/kernel": (5, 5, 3, 6), "conv2d/bias": (6,), "conv2d_1/kernel": (5, 5, 6, 16), "conv2d_1/bias": (16,),
              "dense/kernel": (400, 50), "dense/bias": (50,)}
    tensors = {name: np.ones(shape, "f4") for name, shape in shapes.items()}
    for odd, expected in ((half.view("f2"), half.view("f2").astype("f4")), (brain, (brain.astype("u4") << 16).view("f4"))):
        safetensors_format.write(path("odd.safetensors"), {**tensors, "conv2d_1/bias": odd})
        run_ok("weights", "convert", "odd.safetensors", "plain.safetensors", "--arch", "basenet", "--input", "32x32x3")
        got, _ = safetensors_format.read(path("plain.safetensors"))
        assert got["conv2d_1/bias"].tobytes() == expected.tobytes(), got["conv2d_1/bias"]


def test_weights_of_another_architecture_are_refused():
    save(network("resnet18", num_classes=2), "in.safetensors")
    done = run("weights", "check", "in.safetensors", "resnet50", "--dialect", "torch")
    assert done.returncode == 1 and "wrong shape  layer1.0.conv1.weight: [64,64,1,1] in the network, [64,64,3,3] in the " \
        "file" in done.stdout, done.stdout


run_tests(globals())
