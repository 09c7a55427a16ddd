# SPDX-License-Identifier: Apache-2.0
"""Writes the seed inputs of the fuzzing campaigns into a folder: small files of weights for the network of network.c, and small
images of every format."""
import json
import os
import struct
import sys

import h5py
import numpy as np
from PIL import Image

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


def images(folder):
    """A folder for each format. Pillow writes them, but for 16 bits a channel, of which numpy makes text."""
    exif = Image.Exif()
    exif[0x0112] = 6
    gray = Image.linear_gradient("L").resize((13, 11))
    colour = Image.merge("RGB", (gray, gray.rotate(180), gray.transpose(Image.TRANSPOSE).resize(gray.size)))
    clear = Image.merge("RGBA", (*colour.split(), gray))
    palette = colour.convert("P", palette=Image.ADAPTIVE, colors=16)
    deep = Image.fromarray(np.arange(11 * 13, dtype=np.uint16).reshape(11, 13) * 400)
    several = {"save_all": True, "append_images": [colour.rotate(90)]}
    kinds = {"jpeg": [(colour, {"exif": exif}), (gray, {"progressive": True}), (colour.convert("CMYK"), {})],
             "png": [(clear, {"exif": exif}), (palette, {"transparency": 3}), (deep, {}), (gray.convert("1"), {})],
             "bmp": [(colour, {}), (palette, {}), (gray.convert("1"), {}), (clear, {})],
             "gif": [(palette, {"transparency": 2}), (gray, {"interlace": 1}), (palette, several)],
             "webp": [(clear, {"lossless": True, "exif": exif}), (colour, {}), (colour, several)],
             "tiff": [(colour, {"compression": "tiff_lzw"}), (deep, {"compression": "tiff_adobe_deflate"}),
                      (colour, {"compression": "jpeg"}), (gray.convert("1"), {"compression": "group4"}),
                      (clear, {"tiffinfo": {274: 6}}), (palette, {"compression": "packbits"})],
             "ppm": [(colour, {}), (gray, {}), (gray.convert("1"), {})]}
    for kind, pictures in kinds.items():
        os.makedirs(os.path.join(folder, kind), exist_ok=True)
        for i, (picture, options) in enumerate(pictures):
            picture.save(os.path.join(folder, kind, str(i)), kind, **options)
    for i, text in enumerate((b"P1 3 2 # bits\n101 010", b"P2 2 2 4095 1 2 3 4000", b"P3 1 2 255 1 2 3 4 5 6")):
        with open(os.path.join(folder, "ppm", f"text{i}"), "wb") as out:
            out.write(text)
    with open(os.path.join(folder, "bmp", "runs"), "wb") as out:
        runs = b"\x03\x11\0\2\2\1\0\5\x23\x45\x60\0\2\x77\0\1"
        head = struct.pack("<IiiHHIIiiII", 40, 13, 11, 1, 4, 2, len(runs), 0, 0, 16, 0)
        out.write(b"BM" + struct.pack("<IHHI", 118 + len(runs), 0, 0, 118) + head + bytes(range(64)) + runs)


def main(folder):
    images(folder)
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
