# SPDX-License-Identifier: Apache-2.0
"""Writes the seed inputs of the fuzzing campaigns into a folder: small files of weights for the network of network.c."""
import json
import os
import struct
import sys

import h5py
import numpy as np

KERAS = {"norm/mean": (3,), "norm/variance": (3,), "norm/count": (), "conv/kernel": (1, 1, 3, 2), "conv/bias": (2,),
         "dw/depthwise_kernel": (1, 1, 2, 1), "sep/depthwise_kernel": (1, 1, 2, 1),
         "sep/pointwise_kernel": (1, 1, 2, 2), "bn/gamma": (2,), "bn/beta": (2,), "bn/moving_mean": (2,),
         "bn/moving_variance": (2,), "dense/kernel": (2, 2), "dense/bias": (2,)}
TORCH = {"conv.weight": (2, 3, 1, 1), "conv.bias": (2,), "dw.weight": (2, 1, 1, 1), "bn.weight": (2,), "bn.bias": (2,),
         "bn.running_mean": (2,), "bn.running_var": (2,), "bn.num_batches_tracked": (), "dense.weight": (2, 2),
         "dense.bias": (2,)}
CLASSES = {"norm": "normalization", "conv": "conv2d", "dw": "depthwise_conv2d", "sep": "separable_conv2d",
           "bn": "batch_normalization", "dense": "dense"}


def values(shape, dtype):
    return np.asarray(np.arange(1, 1 + np.prod(shape, dtype=int)).reshape(shape) / 4, dtype)


def legacy(root, dtype="f4", **options):
    root.attrs["layer_names"] = [layer.encode() for layer in CLASSES]
    for layer in CLASSES:
        group = root.create_group(layer)
        mine = [name for name in KERAS if name.startswith(layer + "/")]
        group.attrs["weight_names"] = [name.encode() for name in mine]
        for name in mine:
            group.create_dataset(name, data=values(KERAS[name], dtype), **(options if KERAS[name] else {}))


def keras3(root, names=True, above="layers/"):
    for layer, class_ in CLASSES.items():
        group = root.create_group(f"{above}{class_}/vars")
        if names:
            group.attrs["name"] = layer
        for i, name in enumerate(n for n in KERAS if n.startswith(layer + "/")):
            group.create_dataset(str(i), data=values(KERAS[name], "i8" if name.endswith("count") else "f4"))


def hdf5(folder):
    def new(name, libver=None):
        return h5py.File(os.path.join(folder, name + ".h5"), "w", libver=libver)

    with new("legacy_new", "latest") as file:
        legacy(file)
        file.attrs["preprocess"] = "raw"
    with new("legacy_packed", "latest") as file:
        legacy(file, "f2", chunks=True, compression="gzip")
    with new("whole", "latest") as file:
        legacy(file.create_group("model_weights"), "f8")
    with new("keras3_new", "latest") as file:
        keras3(file)
    with new("keras3_nested", "latest") as file:
        keras3(file, names=False, above="layers/functional/layers/")
    with new("keras3_old") as file:
        group = file.create_group("layers/conv2d/vars")
        group.create_dataset("0", data=values(KERAS["conv/kernel"], "f4"))
    with new("cycle") as file:
        file.create_group("layers/a")
        file["layers/a/b"] = file["layers"]


def safetensors(path, shapes, dtype, code, **metadata):
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, shape in shapes.items():
        whole = not shape and "." in name
        block = values(shape, "<i8" if whole else dtype).tobytes()
        if code == "BF16" and not whole:
            block = values(shape, "<f4").tobytes()
            block = b"".join(block[i + 2:i + 4] for i in range(0, len(block), 4))
        header[name] = {"dtype": "I64" if whole else code, "shape": list(shape),
                        "data_offsets": [len(data), len(data) + len(block)]}
        data += block
    text = json.dumps(header).encode()
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + data)


def main(folder):
    for kind in ("hdf5", "safetensors"):
        os.makedirs(os.path.join(folder, kind), exist_ok=True)
    hdf5(os.path.join(folder, "hdf5"))
    below = os.path.join(folder, "safetensors")
    safetensors(below + "/torch", TORCH, "<f4", "F32", format="pt", preprocess="torch")
    safetensors(below + "/torch_half", TORCH, "<f2", "F16")
    safetensors(below + "/keras", KERAS, "<f8", "F64", preprocess="tf")
    safetensors(below + "/brain", KERAS, "<f2", "BF16")
    safetensors(below + "/empty", {}, "<f4", "F32")


main(sys.argv[1])
