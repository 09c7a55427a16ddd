# SPDX-License-Identifier: Apache-2.0
"""weights show, check and convert: their output, their exit codes, and their errors for damaged files."""
import json
import os
import struct
import sys

import h5py
import numpy as np

from harness import path, run, run_ok, run_tests

sys.path.insert(0, os.path.join(os.environ["CNNSWEEP_SOURCE"], "tests", "weights"))
import safetensors_format  # noqa: E402

SHAPES = {"conv2d/kernel": (5, 5, 3, 6), "conv2d/bias": (6,), "conv2d_1/kernel": (5, 5, 6, 16), "conv2d_1/bias": (16,),
          "dense/kernel": (400, 50), "dense/bias": (50,)}
BASENET = ["basenet", "--input", "32x32x3"]


def tensors():
    return {name: np.arange(np.prod(shape), dtype="f4").reshape(shape) for name, shape in SHAPES.items()}


def packed(name, changes=None, metadata=None):
    safetensors_format.write(path(name), {**tensors(), **(changes or {})}, metadata)
    return name


def test_show_prints_a_line_for_each_tensor_and_totals():
    packed("a.safetensors", {"extra": np.zeros((), "f8")}, {"preprocess": "unit"})
    lines = run_ok("weights", "show", "a.safetensors").stdout.splitlines()
    assert "conv2d/kernel  [5,5,3,6]  F32" in lines and "extra  []  F64" in lines
    values = sum(int(np.prod(shape)) for shape in SHAPES.values())
    assert lines[-1] == f"7 tensors, {values + 1} values; safetensors; preprocessing unit"


def test_check_succeeds_only_for_weights_that_would_load():
    assert " 6 matched, 0 missing, 0 unused, 0 of another shape" in run_ok(
        "weights", "check", packed("a.safetensors"), *BASENET).stdout
    less = {name: value for name, value in tensors().items() if name != "dense/bias"}
    safetensors_format.write(path("less.safetensors"), less)
    done = run("weights", "check", "less.safetensors", *BASENET)
    assert done.returncode == 1 and "missing      dense/bias [50]" in done.stdout and "dense/bias" in done.stderr
    assert run("weights", "check", "less.safetensors", *BASENET, "--allow-missing").returncode == 0
    done = run("weights", "check", packed("wide.safetensors", {"conv2d/bias": np.zeros(7, "f4")}), *BASENET)
    assert done.returncode == 1
    assert "wrong shape  conv2d/bias: [6] in the network, [7] in the file" in done.stdout


def test_mistakes_on_the_command_line_are_reported():
    for arguments, text in ((["weights"], "none of show, check, convert"), (["weights", "shwo"], "did you mean 'show'"),
                            (["weights", "show"], "FILE is missing"), (["weights", "check", "x.h5"], "ARCH is missing"),
                            (["weights", "show", "--alpha", "1", "x.h5"], "--alpha")):
        done = run(*arguments)
        assert done.returncode == 2 and text in done.stderr, (arguments, done.stderr)
    packed("a.safetensors")
    for arguments, text in ((["a.safetensors", "b.h5"], "--arch"),
                            (["a.safetensors", "b.npz", "--arch", *BASENET], "b.npz"),
                            (["a.safetensors", "none/b.h5", "--arch", *BASENET], "none/b.h5"),
                            (["none.h5", "b.h5", "--arch", *BASENET], "there is no file none.h5")):
        done = run("weights", "convert", *arguments)
        assert done.returncode == 1 and text in done.stderr, (arguments, done.stderr)
    assert "convert" in run_ok("weights", "--help").stdout


def test_convert_refuses_a_file_without_the_head():
    done = run("weights", "convert", packed("a.safetensors"), "b.h5", "--arch", *BASENET, "--classes", "3")
    assert done.returncode == 1 and "dense_1/kernel" in done.stderr and not os.path.exists(path("b.h5"))


def test_preprocessing_belongs_to_the_weights():
    other = run("weights", "check", packed("a.safetensors", metadata={"preprocess": "caffe"}), *BASENET)
    assert other.returncode == 1 and "made for the preprocessing 'caffe'" in other.stderr
    run_ok("weights", "convert", packed("a.safetensors"), "b.h5", "--arch", *BASENET)
    run_ok("weights", "convert", "b.h5", "b.weights.h5", "--arch", *BASENET)
    for name in ("b.h5", "b.weights.h5"):
        with h5py.File(path(name), "r+") as file:
            ours = file.attrs["preprocess"].decode()
            file.attrs["preprocess"] = np.bytes_("caffe")
        assert ours in run("weights", "check", name, *BASENET).stderr
        with h5py.File(path(name), "r+") as file:
            file.attrs["preprocess"] = np.bytes_(ours)
        run_ok("weights", "check", name, *BASENET)


def entry(dtype="F32", shape=(2,), offsets=(0, 8), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}


def blob(header, data=b"\0" * 8):
    return safetensors_format.pack(header, data)


# name: (bytes, what the error says besides the name of the file)
SAFETENSORS = {
    "shorter than the prefix": (b"\x08\0\0", "neither an HDF5 nor a safetensors"),
    "length beyond the file": (struct.pack("<Q", 2**63) + b"{}", "a header of 9223372036854775808 bytes"),
    "length one too large": (struct.pack("<Q", 3) + b"{}", "a header of 3 bytes, of 2"),
    "cut header": (blob(json.dumps({"a": entry()}).encode())[:30], "a header of"),
    "no JSON": (blob(b'{"a": '), "the header is no JSON"),
    "duplicate key": (blob(b'{"a": {}, "a": {}}'), "duplicate object key"),
    "NUL in a name": (blob(b'{"a\\u0000b": {}}'), "the header is no JSON"),
    "no object": (blob(b'{"a": 3}'), "tensor a: has no dtype"),
    "deep nesting": (blob(b'{"a":' + b"[" * 100000 + b"]" * 100000 + b"}"), "maximum parsing depth"),
    "unknown dtype": (blob({"a": entry("F31")}), "tensor a: dtype F31"),
    "a size below 0": (blob({"a": entry(shape=(-2,))}), "tensor a: a size in shape"),
    "a size with a fraction": (blob({"a": entry(shape=(2.5,))}), "tensor a: a size in shape"),
    "a size beyond 64 bits": (blob(b'{"a": {"dtype": "F32", "shape": [99999999999999999999]}}'), "the header is no JSON"),
    "too many sizes": (blob({"a": entry(shape=[1] * 33)}), "tensor a: shape is no list"),
    "overflowing product": (blob({"a": entry(shape=(2**62, 2**62))}), "tensor a: shape overflows"),
    "a product that wraps to 2": (blob({"a": entry(shape=(2**32 + 1, 2**32, 2))}), "tensor a: shape overflows"),
    "offsets after the end": (blob({"a": entry(offsets=(0, 16))}), "tensor a: data_offsets lie outside"),
    "offsets in reverse order": (blob({"a": entry(offsets=(8, 0))}), "tensor a: data_offsets lie outside"),
    "offsets below 0": (blob({"a": entry(offsets=(-8, 0))}), "tensor a: data_offsets is no pair"),
    "three offsets": (blob({"a": entry(offsets=(0, 4, 8))}), "tensor a: data_offsets is no pair"),
    "offsets that do not fit": (blob({"a": entry(shape=(3,))}), "tensor a: data_offsets do not fit"),
    "overlap": (blob({"a": entry(), "b": entry(shape=(1,), offsets=(4, 8))}), "tensor b: overlaps"),
    "hole": (blob({"a": entry(shape=(1,), offsets=(0, 4)), "b": entry(shape=(0,), offsets=(8, 8))}), "before it"),
    "bytes after the last tensor": (blob({"a": entry()}, b"\0" * 9), "1 bytes behind the last tensor"),
    "huge name": (blob({"n" * 100000: entry("F31")}), "tensor " + "n" * 150),
    "control characters": (blob({"a\nb\x1b[2J": entry("F31")}), "a?b?[2J"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n", "a Git LFS pointer"),
    "a page": (b"\n<!DOCTYPE html><title>404</title>", "an HTML page: the download failed"),
    "zip": (b"PK\x03\x04" + b"\0" * 40, "a zip archive"),
}


def test_malformed_safetensors_are_refused_with_file_and_place():
    for name, (data, text) in SAFETENSORS.items():
        with open(path("bad.safetensors"), "wb") as out:
            out.write(data)
        done = run("weights", "show", "bad.safetensors", cpu_seconds=20)
        assert done.returncode == 1 and "bad.safetensors: " in done.stderr and text in done.stderr, (name, done.stderr)


def test_integer_tensors_are_refused():
    done = run("weights", "check", packed("a.safetensors", {"conv2d/bias": np.zeros(6, "i8")}), *BASENET)
    assert done.returncode == 1 and "conv2d/bias holds no floating-point numbers but I64" in done.stderr


def keras3(file, shape=(6,)):
    for at, size in (("conv2d/vars/0", (5, 5, 3, 6)), ("conv2d/vars/1", shape)):
        file.create_dataset("layers/" + at, data=np.ones(size, "f4"))


def elsewhere(file):
    file.create_dataset("layers/conv2d/vars/1", (6,), "f4", external=[("/etc/passwd", 0, 24)])


def virtual(file):
    layout = h5py.VirtualLayout((6,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (6,))
    file.create_virtual_dataset("layers/conv2d/vars/1", layout)


def cycle(file):
    file.create_group("layers/a")
    file["layers/a/b"] = file["layers"]


def soft_cycle(file):
    file.create_group("layers")
    file["layers/a"] = h5py.SoftLink("/layers")


def deep(file):
    file.create_group("layers/" + "/".join("d" * 60))


def linked(file):
    file.create_group("layers")["a"] = h5py.ExternalLink("real.h5", "/layers")


# name: (function that writes the file, what the error says besides its name)
KERAS3 = {
    "cyclic groups": (cycle, "group layers/a/b is linked twice"),
    "soft cycle": (soft_cycle, "group layers/a is linked twice"),
    "too deep": (deep, "more than 32 levels"),
    "values in another file": (elsewhere, "layers/conv2d/vars/1 has its values elsewhere"),
    "virtual": (virtual, "layers/conv2d/vars/1 has its values elsewhere"),
    "a link into another file": (linked, "layers/a is no group"),
    "a dataset for a group": (lambda file: file.create_dataset("layers", data=np.ones(3)), "layers is no group"),
    "a group for a dataset": (lambda file: file.create_group("layers/conv2d/vars/0"), "conv2d/vars/0 is listed but"),
    "no shape": (lambda file: file.create_dataset("layers/conv2d/vars/0", data=h5py.Empty("f4")), "has no shape"),
    "a number for a name": (lambda file: file.create_group("layers/a/vars").attrs.create("name", 3), "no list of names"),
    "nothing of Keras": (lambda file: file.create_group("x"), "neither the attribute layer_names nor the group layers"),
}


def test_malformed_keras3_files_are_refused_with_file_and_place():
    with h5py.File(path("real.h5"), "w") as file:
        keras3(file)
    for name, (make, text) in KERAS3.items():
        with h5py.File(path("bad.weights.h5"), "w") as file:
            make(file)
        done = run("weights", "show", "bad.weights.h5", cpu_seconds=60)
        assert done.returncode == 1 and "bad.weights.h5: " in done.stderr and text in done.stderr, (name, done.stderr)


def test_an_absurd_shape_is_reported_and_not_allocated():
    with h5py.File(path("huge.weights.h5"), "w") as file:
        keras3(file)
        del file["layers/conv2d/vars/1"]
        file.create_dataset("layers/conv2d/vars/1", (2**60,), "f4", chunks=(1024,))
    done = run("weights", "check", "huge.weights.h5", *BASENET, "--allow-missing", cpu_seconds=20)
    assert done.returncode == 1 and "[1152921504606846976] in the file" in done.stdout, done.stderr


def converted(name, *arch):
    """The tensors that a network takes from a file, by h5py's names."""
    run_ok("weights", "convert", name, "out.safetensors", "--arch", *arch)
    return safetensors_format.read(path("out.safetensors"))[0]


def test_layer_names_of_keras_2_12_are_read():
    with h5py.File(path("old.weights.h5"), "w") as file:
        for group, layer in (("conv2d", "conv2d"), ("conv2d_2", "conv2d_1"), ("dense", "dense")):
            for i, role in enumerate(("kernel", "bias")):
                file.create_dataset(f"_layer_checkpoint_dependencies/{group}/vars/{i}", data=tensors()[f"{layer}/{role}"])
    got = converted("old.weights.h5", *BASENET)
    assert all(np.array_equal(got[name], value) for name, value in tensors().items())


def legacy(name, weights, layer_of):
    """Writes a legacy file of {"layer/role": values}; layer_of(name) is the group."""
    with h5py.File(path(name), "w") as file:
        layers = {}
        for weight in weights:
            layers.setdefault(layer_of(weight), []).append(weight)
        file.attrs["layer_names"] = [layer.encode() for layer in layers]
        for layer, names in layers.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = [f"{weight}:0".encode() for weight in names]
            for weight in names:
                group.create_dataset(f"{weight}:0", data=weights[weight])
    return name


def parameters(*arch):
    """{name: shape} of a network's parameters, as `weights check` lists them for an unrelated file that lacks them all."""
    safetensors_format.write(path("stranger.safetensors"), {"stranger": np.zeros(1, "f4")})
    done = run("weights", "check", "stranger.safetensors", *arch, "--allow-missing")
    assert done.returncode == 1 and "none of its 1 tensors is a parameter of" in done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("missing ")]
    return {name: tuple(json.loads(shape)) for _, name, shape in lines}


def test_layer_names_with_slashes_of_keras_2_are_read():
    random = np.random.default_rng(5)
    weights = {name: random.random(shape, "f4") for name, shape in parameters("densenet121").items()}
    old = {name.replace("conv1_conv/", "conv1/conv/", 1) if name.startswith("conv1_conv") else
           name.replace("conv1_bn/", "conv1/bn/", 1) if name.startswith("conv1_bn") else name: value
           for name, value in weights.items()}
    assert len(set(old) - set(weights)) == 5
    for file in (legacy("slash.h5", old, lambda name: name.rsplit("/", 1)[0]),
                 legacy("nested.h5", old, lambda name: "densenet121")):
        got = converted(file, "densenet121")
        assert all(np.array_equal(got[name], value) for name, value in weights.items())


def later(name, by):
    """The name that Keras gives to a layer in a session that has already had `by` layers of its kind."""
    base, _, count = name.rpartition("_")
    return f"{base}_{int(count) + by}" if count.isdigit() else f"{name}_{by}"


def test_automatic_names_of_a_later_model_in_a_session_are_read():
    weights = {f"{later(name.split('/')[0], 9)}/{name.split('/')[1]}": value for name, value in tensors().items()}
    assert "conv2d_10/kernel" in weights and "conv2d_9/kernel" in weights
    for file in (legacy("later.h5", weights, lambda name: name.split("/")[0]),
                 legacy("nested.h5", weights, lambda name: "sequential_1")):
        got = converted(file, *BASENET)
        assert all(np.array_equal(got[name], value) for name, value in tensors().items())


def test_automatic_names_of_a_partial_file_are_not_renumbered():
    part = {name: value for name, value in tensors().items() if not name.startswith("conv2d/")}
    done = run("weights", "check", legacy("part.h5", part, lambda name: name.split("/")[0]), *BASENET)
    assert done.returncode == 1 and "missing      conv2d/kernel" in done.stdout and "conv2d_1" not in done.stdout


def test_automatic_names_that_do_not_fit_are_not_renumbered():
    swapped = {name.replace("conv2d_1", "conv2d_0") if "_1" in name else name.replace("conv2d", "conv2d_5"): value
               for name, value in tensors().items()}
    done = run("weights", "check", legacy("swapped.h5", swapped, lambda name: name.split("/")[0]), *BASENET)
    assert done.returncode == 1 and "wrong shape  conv2d/kernel" in done.stdout, done.stdout


def test_a_file_open_for_writing_is_read_or_reported():
    legacy("open.h5", tensors(), lambda name: name.split("/")[0])
    with h5py.File(path("open.h5"), "r+"):
        assert run("weights", "check", "open.h5", *BASENET).returncode == 0
    with h5py.File(path("open_new.h5"), "w", libver="latest") as file:
        file["x"] = 1
        file.flush()
        done = run("weights", "check", "open_new.h5", *BASENET)
        assert done.returncode == 1 and "already open for write" in done.stderr and \
            "another program writes it" in done.stderr, done.stderr


def own_crash(text):
    """Is the first frame of a sanitizer's report that is from our code or HDF5 from our code?"""
    if "runtime error" in text:
        return "/src/" in text
    frames = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    known = [line for line in frames if "libhdf5" in line or "/src/" in line and "/libsanitizer/" not in line]
    reported = "ERROR: AddressSanitizer" in text or "LeakSanitizer" in text  # an allocation that is too large is only a warning
    return reported and (not known or "libhdf5" not in known[0])


def test_own_crash_distinguishes_our_frames_from_hdf5():
    hdf5 = "==1==ERROR: AddressSanitizer\n    #0 0x1 in memcpy\n    #1 0x2 in H5 (/lib/libhdf5_serial.so+0x3)\n"
    ours = "    #1 0x2 in read_param /x/src/weights/read.c:9\n"
    assert own_crash("==1==ERROR: AddressSanitizer\n" + ours + hdf5) and not own_crash(hdf5 + ours) and not own_crash("")
    assert not own_crash("==1==WARNING: AddressSanitizer failed to allocate 0xa300000000000258 bytes\n")


def test_randomly_damaged_hdf5_neither_crashes_nor_hangs_the_program():
    run_ok("weights", "convert", packed("a.safetensors"), "whole.h5", "--arch", *BASENET)
    with open(path("whole.h5"), "rb") as file:
        whole = bytearray(file.read())
    random = np.random.default_rng(4)
    for _ in range(60):
        damaged = bytearray(whole)
        for at in random.integers(0, 12000, 12):
            damaged[at] = random.integers(0, 256)
        with open(path("damaged.h5"), "wb") as out:
            out.write(damaged)
        done = run("weights", "check", "damaged.h5", *BASENET, cpu_seconds=200)
        assert done.returncode in (0, 1) and (done.returncode == 0 or "damaged.h5" in done.stderr), done
        assert not own_crash(done.stderr), done


run_tests(globals())
