# SPDX-License-Identifier: Apache-2.0
"""Writes Keras-style .h5 files, good and bad, into a folder: make_files.py FOLDER [WEIGHTS.h5 ...]

The network is that of test_keras_h5.c; element k of parameter i is ((37 k + 11 i) mod 251) / 64, exact in float16.
For each WEIGHTS.h5 it writes a text file NAME.txt with a line `layer/parameter count first last sum` for each parameter.
"""
import os
import sys

import h5py
import numpy as np

SHAPES = {"conv/kernel": (3, 3, 3, 4), "conv/bias": (4,), "dw/depthwise_kernel": (3, 3, 4, 1), "bn/gamma": (4,),
          "bn/beta": (4,), "bn/moving_mean": (4,), "bn/moving_variance": (4,), "dense/kernel": (4, 2),
          "dense/bias": (2,)}
LAYERS = ["input", "conv", "dw", "bn", "gap", "dense"]


def values(i, shape):
    return ((37 * np.arange(np.prod(shape)) + 11 * i) % 251 / 64).reshape(shape)


def weights():
    return {name: values(i, shape) for i, (name, shape) in enumerate(SHAPES.items())}


def write_layer(root, layer, names, data, suffix=":0", dtype="f4", variable=False, **options):
    group = root.create_group(layer)
    names = [n + suffix for n in names]
    encoded = np.array([n.encode() for n in names]) if names else np.zeros(0)
    group.attrs["weight_names"] = np.array(names, object) if names and variable else encoded
    for name, values_ in zip(names, data):
        group.create_dataset(name, data=np.asarray(values_, dtype), **options)
    return group


def write_tree(root, tensors, layers=LAYERS, variable=False, **options):
    root.attrs["layer_names"] = list(layers) if variable else [l.encode() for l in layers]
    for layer in layers:
        mine = [n for n in tensors if n.startswith(layer + "/")]
        write_layer(root, layer, mine, [tensors[n] for n in mine], variable=variable, **options)


def good_files(new):
    every = weights()
    write_tree(new("fixed"), every)
    write_tree(new("reversed"), every, LAYERS[::-1])
    write_tree(new("packed"), every, chunks=True, compression="gzip")
    write_tree(new("half"), every, dtype="f2")
    write_tree(new("double"), every, dtype=">f8")
    write_tree(new("headless"), every, LAYERS[:-1])
    keras3 = {n.replace("depthwise_", ""): v for n, v in every.items()}
    write_tree(new("keras3"), keras3, variable=True, suffix="")
    whole = new("whole")
    write_tree(whole.create_group("model_weights"), every)
    whole.create_group("optimizer_weights")
    split = new("split")
    write_tree(split, every)
    del split.attrs["layer_names"]
    split.attrs["layer_names0"] = [l.encode() for l in LAYERS[:2]]
    split.attrs["layer_names1"] = [l.encode() for l in LAYERS[2:]]
    nested = new("nested")
    nested.attrs["layer_names"] = [b"net", b"dense"]
    inside = [n for n in every if not n.startswith("dense/")]
    write_layer(nested, "net", inside, [every[n] for n in inside])
    write_layer(nested, "dense", ["dense/kernel", "dense/bias"], [every["dense/kernel"], every["dense/bias"]])


def unequal_files(new):
    every = weights()
    write_tree(new("no_gamma"), {n: v for n, v in every.items() if n != "bn/gamma"})
    more = dict(every, **{"extra/kernel": np.ones((2, 3)), "conv/scale": np.ones(4)})
    write_tree(new("more"), more, LAYERS + ["extra"])
    twice = new("twice")
    write_tree(twice, every)
    group = twice.create_group("twin")
    group.attrs["weight_names"] = [b"conv/bias:0"]
    group.create_dataset("conv/bias:0", data=np.full(4, 9, "f4"))
    twice.attrs["layer_names"] = [l.encode() for l in LAYERS + ["twin"]]
    write_tree(new("other_head"), dict(every, **{"dense/kernel": np.ones((4, 5)), "dense/bias": np.ones(5)}))
    write_tree(new("half_head"), {n: v for n, v in every.items() if n != "dense/kernel"})
    write_tree(new("stranger"), {"extra/kernel": np.ones(3)}, ["extra"])
    write_tree(new("later"), {n.replace("dense/", "dense_7/"): v for n, v in every.items()}, LAYERS[:-1] + ["dense_7"])
    write_tree(new("wide"), dict(every, **{"conv/kernel": np.ones((3, 3, 3, 8))}))
    write_tree(new("flat"), dict(every, **{"conv/kernel": np.ones(108)}))
    write_tree(new("rank32"), dict(every, **{"conv/kernel": np.ones((1,) * 32)}))
    write_tree(new("scalar"), dict(every, **{"bn/beta": np.float32(1)}))
    huge = new("huge")
    write_tree(huge, {n: v for n, v in every.items() if n != "conv/bias"})
    huge["conv"].attrs["weight_names"] = [b"conv/kernel:0", b"conv/bias:0"]
    huge["conv"].create_dataset("conv/bias:0", shape=(2**60,), dtype="f4", chunks=(1024,))


def bad_files(new):
    every = weights()
    write_tree(new("integers"), every, dtype="i4")

    def without_bias(name):
        """Writes a good file without conv/bias; returns its group."""
        file = new(name)
        write_tree(file, every)
        del file["conv/conv/bias:0"]
        return file["conv"]

    without_bias("text_data").create_dataset("conv/bias:0", data=np.array([b"a"] * 4))
    without_bias("records").create_dataset("conv/bias:0", data=np.zeros(4, [("x", "f4"), ("y", "f4")]))
    without_bias("group_data").create_group("conv/bias:0")
    without_bias("elsewhere")["conv/bias:0"] = h5py.ExternalLink("no_such_file.h5", "/data")
    new("no_names").create_group("conv")
    new("number_names").attrs["layer_names"] = np.arange(3)
    missing = new("no_group")
    write_tree(missing, every)
    del missing["bn"]
    missing = new("no_dataset")
    write_tree(missing, every)
    del missing["bn/bn/beta:0"]
    missing = new("no_weight_names")
    write_tree(missing, every)
    del missing["bn"].attrs["weight_names"]
    new("dataset_root").create_dataset("model_weights", data=np.zeros(3))
    loop = new("loop")
    loop.attrs["layer_names"] = [b"a"]
    loop["a"] = h5py.SoftLink("/a")
    long = new("long_names")
    write_tree(long, every, LAYERS + ["n" * 900])
    long["n" * 900].attrs["weight_names"] = [b"w" * 700 + b"/" + b"k" * 200]
    empty = new("empty_names")
    write_tree(empty, every)
    empty["conv"].attrs["weight_names"] = [b""]


def describe(path, out):
    with h5py.File(path) as file, open(out, "w") as lines:
        for layer in file.attrs["layer_names"]:
            for name in file[layer].attrs["weight_names"]:
                data = file[layer][name][()].ravel().astype("f8")
                name = name.decode().split(":")[0]
                print(name, data.size, *(repr(float(v)) for v in (data[0], data[-1], data.sum())), file=lines)


def main():
    folder = sys.argv[1]
    files = []

    def new(name):
        files.append(h5py.File(os.path.join(folder, name + ".h5"), "w"))
        return files[-1]

    for write in (good_files, unequal_files, bad_files):
        write(new)
    for file in files:
        file.close()
    for path in sys.argv[2:]:
        describe(path, os.path.join(folder, os.path.basename(path) + ".txt"))


main()
