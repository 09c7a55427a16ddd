"""weights show, check and convert: what they print, how they end, and what damaged files are told."""
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


def test_show_prints_a_line_a_tensor_and_totals():
    packed("a.safetensors", {"extra": np.zeros((), "f8")}, {"preprocess": "unit"})
    lines = run_ok("weights", "show", "a.safetensors").stdout.splitlines()
    assert "conv2d/kernel  [5,5,3,6]  F32" in lines and "extra  []  F64" in lines
    values = sum(int(np.prod(shape)) for shape in SHAPES.values())
    assert lines[-1] == f"7 tensors, {values + 1} values; safetensors; preprocessing unit"


def test_check_ends_well_only_when_the_weights_would_load():
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


def test_mistakes_on_the_command_line():
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


def test_convert_refuses_to_make_up_a_head():
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


# name: bytes, what the error says beside the file's name
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
    "offsets behind the end": (blob({"a": entry(offsets=(0, 16))}), "tensor a: data_offsets lie outside"),
    "offsets turned round": (blob({"a": entry(offsets=(8, 0))}), "tensor a: data_offsets lie outside"),
    "offsets below 0": (blob({"a": entry(offsets=(-8, 0))}), "tensor a: data_offsets is no pair"),
    "three offsets": (blob({"a": entry(offsets=(0, 4, 8))}), "tensor a: data_offsets is no pair"),
    "offsets that do not fit": (blob({"a": entry(shape=(3,))}), "tensor a: data_offsets do not fit"),
    "overlap": (blob({"a": entry(), "b": entry(shape=(1,), offsets=(4, 8))}), "tensor b: overlaps"),
    "hole": (blob({"a": entry(shape=(1,), offsets=(0, 4)), "b": entry(shape=(0,), offsets=(8, 8))}), "before it"),
    "bytes behind": (blob({"a": entry()}, b"\0" * 9), "1 bytes behind the last tensor"),
    "huge name": (blob({"n" * 100000: entry("F31")}), "tensor " + "n" * 150),
    "control characters": (blob({"a\nb\x1b[2J": entry("F31")}), "a?b?[2J"),
    "zip": (b"PK\x03\x04" + b"\0" * 40, "a zip archive"),
}


def test_malformed_safetensors_are_refused_naming_file_and_place():
    for name, (data, text) in SAFETENSORS.items():
        with open(path("bad.safetensors"), "wb") as out:
            out.write(data)
        done = run("weights", "show", "bad.safetensors", timeout=20)
        assert done.returncode == 1 and "bad.safetensors: " in done.stderr and text in done.stderr, (name, done.stderr)


def test_integers_are_no_weights():
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


# name: what makes the file, what the error says beside its name
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


def test_malformed_keras3_files_are_refused_naming_file_and_place():
    with h5py.File(path("real.h5"), "w") as file:
        keras3(file)
    for name, (make, text) in KERAS3.items():
        with h5py.File(path("bad.weights.h5"), "w") as file:
            make(file)
        done = run("weights", "show", "bad.weights.h5", timeout=60)
        assert done.returncode == 1 and "bad.weights.h5: " in done.stderr and text in done.stderr, (name, done.stderr)


def test_an_absurd_shape_is_reported_not_allocated():
    with h5py.File(path("huge.weights.h5"), "w") as file:
        keras3(file)
        del file["layers/conv2d/vars/1"]
        file.create_dataset("layers/conv2d/vars/1", (2**60,), "f4", chunks=(1024,))
    done = run("weights", "check", "huge.weights.h5", *BASENET, "--allow-missing", timeout=20)
    assert done.returncode == 1 and "[1152921504606846976] in the file" in done.stdout, done.stderr


def test_randomly_damaged_hdf5_never_crashes_or_hangs_the_program():
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
        done = run("weights", "check", "damaged.h5", *BASENET, timeout=200)
        assert done.returncode in (0, 1) and (done.returncode == 0 or "damaged.h5" in done.stderr), done


run_tests(globals())
