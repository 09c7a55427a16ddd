# SPDX-License-Identifier: Apache-2.0
"""Writes the seed inputs of the fuzzing campaigns into a folder: small files of weights for the network of network.c, small
images of every format, and small sources of images and datasets."""
import bz2
import gzip
import io
import json
import lzma
import os
import struct
import sys
import tarfile
import zipfile

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


def tiff(pixels, tile, planar):
    """A TIFF of 16 bits in tiles or strips, which Pillow does not write: pixels [h, w, channels]."""
    h, w, channels = pixels.shape
    planes = [pixels[..., c] for c in range(channels)] if planar else [pixels.reshape(h, -1)]
    tags = {256: w, 257: h, 258: 16, 259: 1, 262: 2 if channels > 2 else 1, 277: channels, 284: 2 if planar else 1}
    tags.update({322: tile, 323: tile} if tile else {278: 4})
    blocks = []
    for plane in planes:
        across = tile * (1 if planar else channels) if tile else plane.shape[1]
        wide = np.pad(plane, ((0, -h % (tile or 1)), (0, -plane.shape[1] % across)))
        blocks += [wide[y:y + (tile or 4), x:x + across].astype("<u2").tobytes()
                   for y in range(0, h, tile or 4) for x in range(0, plane.shape[1], across)]
    at = 8 + 12 * (len(tags) + 2) + 6
    lists = [at + 8 * len(blocks) + sum(map(len, blocks[:i])) for i in range(len(blocks))], [len(block) for block in blocks]
    for i, (tag, numbers) in enumerate(zip((324, 325) if tile else (273, 279), lists)):
        tags[tag] = at + 4 * i * len(blocks) if len(blocks) > 1 else numbers[0]
    entries = b"".join(struct.pack("<HHII", tag, 4, len(blocks) if tag in (273, 279, 324, 325) else 1, value)
                       for tag, value in sorted(tags.items()))
    data = struct.pack(f"<{2 * len(blocks)}I", *lists[0], *lists[1]) + b"".join(blocks)
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4) + data


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
    for tile, planar in ((0, False), (0, True), (16, False), (16, True)):
        with open(os.path.join(folder, "tiff", f"deep{tile}{'planes' if planar else ''}"), "wb") as out:
            out.write(tiff(np.arange(11 * 13 * 3).reshape(11, 13, 3) * 150, tile, planar))
    with open(os.path.join(folder, "bmp", "runs"), "wb") as out:
        runs = b"\x03\x11\0\2\2\1\0\5\x23\x45\x60\0\2\x77\0\1"
        head = struct.pack("<IiiHHIIiiII", 40, 13, 11, 1, 4, 2, len(runs), 0, 0, 16, 0)
        out.write(b"BM" + struct.pack("<IHHI", 118 + len(runs), 0, 0, 118) + head + bytes(range(64)) + runs)


TABLES = {"plain": b"path,label\na.png,0\na,1\n",
          "windows": b'\xef\xbb\xbf"image";"class"\r\n"a ""b"".png";"one"\r\n"a";"two\r\nlines"\r\n',
          "columns": b"file_name\tlabel\tsplit\tgroup\tweight\na.png\tx\ttrain\tg 1\t2.5\na\ty\tval\t\t0\n",
          "long": b"image,class\n%s,x\na,y\n" % (1100 * b"x"),
          "paths": b"file,class\n.\\a.png,10\n/nowhere,9\na,-1\n"}


def tables(folder):
    for name, text in TABLES.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(text)


def tar(form, long="long"):
    """A tar archive of two classes, without most of the zeros at its end."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name in ("a/1", f"a/{long}", "b/é", "b/1"):
            member = tarfile.TarInfo(name)
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
        link = tarfile.TarInfo("b/link")
        link.type, link.linkname = tarfile.SYMTYPE, "1"
        archive.addfile(link)
    data = out.getvalue().rstrip(b"\0")
    return data + bytes(-len(data) % 512 + 1024)


def sparse_tar():
    """GNU's old form of a file with holes before and after the 3 bytes that are stored."""
    member = tarfile.TarInfo("a/sparse")
    member.size, member.type = 3, b"S"
    head = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    head[386:410] = b"%011o\0%011o\0" % (5000, 3)
    head[483:495] = b"%011o\0" % 6003
    head[148:156] = b"%06o\0 " % (sum(head) - sum(head[148:156]) + 8 * 32)
    return bytes(head) + b"abc".ljust(512, b"\0") + tar(tarfile.GNU_FORMAT)


def real_size_tar():
    """Files of 3 bytes whose headers give another size as well, in GNU's old form and by a pax record."""
    member = tarfile.TarInfo("a/old")
    member.size = 3
    head = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    head[483:495] = b"%011o\0" % 36
    head[148:156] = b"%06o\0 " % (sum(head) - sum(head[148:156]) + 8 * 32)
    member.name, member.pax_headers = "a/pax", {"GNU.sparse.realsize": "2"}
    block = b"abc".ljust(512, b"\0")
    return bytes(head) + block + member.tobuf(tarfile.PAX_FORMAT) + block + tar(tarfile.GNU_FORMAT)


def zipped(method):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name in ("a/", "a/1", "b/é", "b/1"):
            archive.writestr(zipfile.ZipInfo(name), name * 9 if name[-1] != "/" else "", method)
    return out.getvalue()


def archives(folder):
    kinds = {"gnu": tar(tarfile.GNU_FORMAT, 120 * "x"), "pax": tar(tarfile.PAX_FORMAT, 120 * "x"),
             "long": tar(tarfile.PAX_FORMAT, 1100 * "x"), "sparse": sparse_tar(), "real_size": real_size_tar(),
             "ustar": tar(tarfile.USTAR_FORMAT), "gzip": gzip.compress(tar(tarfile.USTAR_FORMAT), mtime=0),
             "sparse_gzip": gzip.compress(sparse_tar(), mtime=0),
             "real_size_gzip": gzip.compress(real_size_tar(), mtime=0), "bzip2": bz2.compress(tar(tarfile.USTAR_FORMAT)),
             "xz": lzma.compress(tar(tarfile.USTAR_FORMAT)), "zip": zipped(zipfile.ZIP_DEFLATED),
             "stored": zipped(zipfile.ZIP_STORED)}
    for name, data in kinds.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(data)


def cifar(folder):
    files = {"cifar10": bytes([7]) + bytes(range(256)) * 12, "cifar100": bytes(3074) + bytes([19, 99]) + bytes(3072),
             "names": b"".join(b"class %d\n" % i for i in range(20))}
    for name, data in files.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(data)


def datasets(folder):
    """Datasets in the older form of HDF5, which has no checksums that would refuse nearly every change."""
    for name in ("raw", "jpeg", "all"):
        with h5py.File(os.path.join(folder, name), "w", alignment_threshold=1, alignment_interval=8) as file:
            file.attrs["format"], file.attrs["resize"] = np.bytes_("cnnsweep"), np.bytes_("bilinear")
            file.attrs["checksum"] = np.bytes_("0123456789abcdef")
            for number, value in {"version": 1, "height": 2, "width": 1}.items():
                file.attrs[number] = np.int32(value)
            file.attrs["mean"] = file.attrs["std"] = np.ones(3)
            file.attrs["classes"] = np.array([b"a", b"b\n"])
            if name == "all":
                file.attrs["filter"], file.attrs["decode"] = np.bytes_("none"), np.bytes_("default")
                file.attrs["duplicates"] = np.array([1, 2, 1, 0], np.int64)
                file.attrs["source_classes"] = np.array([b"x", b"y", b"z"])
                file.attrs["source_labels"] = np.array([0, 1, -1], np.int32)
            for split, n in (("train", 3), ("val", 1), ("test", 0)):
                file[f"{split}/label"] = np.arange(n, dtype=np.int32) % 2
                file[f"{split}/id"] = np.array([b"%d.png" % i for i in range(n)], "S8")
                if name == "jpeg":
                    file[f"{split}/jpeg"] = np.arange(5 * n, dtype=np.uint8)
                    file[f"{split}/offset"] = np.arange(n + 1, dtype=np.int64) * 5
                else:
                    file[f"{split}/images"] = np.zeros((n, 2, 1, 3), np.uint8)
                if name == "all":
                    file[f"{split}/weight"] = np.ones(n, np.float32)
                    file[f"{split}/group"] = np.array([b"g"] * n, "S2")


KINDS = {"hdf5": hdf5, "csv": tables, "archive": archives, "cifar": cifar, "dataset": datasets}


def main(folder):
    images(folder)
    for kind, write in KINDS.items():
        os.makedirs(os.path.join(folder, kind), exist_ok=True)
        write(os.path.join(folder, kind))
    below = os.path.join(folder, "safetensors")
    os.makedirs(below, exist_ok=True)
    safetensors(below + "/torch", TORCH, "<f4", "F32", format="pt", preprocess="torch")
    safetensors(below + "/torch_half", TORCH, "<f2", "F16")
    safetensors(below + "/keras", KERAS, "<f8", "F64", preprocess="tf")
    safetensors(below + "/brain", KERAS, "<f2", "BF16")
    safetensors(below + "/empty", {}, "<f4", "F32")


main(sys.argv[1])
