# SPDX-License-Identifier: Apache-2.0
"""Random trees of good, unusual and bad image files, such as a folder that has grown over years; all made from a seed."""
import io
import os
import struct
import zlib

import numpy as np
from PIL import Image

SOF, SOS, DQT, DHT = 0xC0, 0xDA, 0xDB, 0xC4


def segment(data, *markers):
    """(begin, end) of the first segment that has one of the markers."""
    at = 2
    while data[at + 1] not in markers:
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return at, at + 2 + struct.unpack_from(">H", data, at + 2)[0]


def drawing(rng, size):
    """A smooth pattern with some noise, an RGB Image of (width, height)."""
    small = Image.fromarray(rng.integers(0, 256, (3, 3, 3), dtype=np.uint8)).resize(size, Image.BICUBIC)
    pixels = np.asarray(small).astype(int)
    return Image.fromarray(np.clip(pixels + rng.integers(-9, 10, pixels.shape), 0, 255).astype(np.uint8))


def saved(image, form, **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def jpeg(rng, size, **options):
    """A JPEG of any kind that the packer reads; with `jfif` one that has a JFIF segment."""
    mode = rng.choice(["RGB", "RGB", "L"] if options.pop("jfif", False) else ["RGB", "RGB", "L", "CMYK"])
    options = {"quality": int(rng.integers(40, 98)), "progressive": bool(rng.integers(2)),
               "optimize": bool(rng.integers(2)), **options}
    if mode == "RGB":
        options["subsampling"] = int(rng.integers(3))
    return saved(drawing(rng, size).convert(mode), "JPEG", **options)


def png(rng, size):
    image = drawing(rng, size)
    kind = rng.choice(["RGB", "RGBA", "L", "LA", "P", "1"])
    return saved(image.convert(kind), "PNG", compress_level=int(rng.integers(0, 10)))


def altered(data, at, new):
    return data[:at] + new + data[at + len(new):]


def inserted(data, at, new):
    return data[:at] + new + data[at:]


# Oddities: unusual files as they occur in practice; all their pixels are intact.
def unknown_revision(rng, size):
    return altered(jpeg(rng, size, jfif=True), 11, bytes([int(rng.choice([0, 3, 9])), 0]))


def stray_bytes(rng, size):
    data = jpeg(rng, size)
    return inserted(data, segment(data, int(rng.choice([DQT, DHT, SOS])))[0], b"stray"[:int(rng.integers(1, 6))])


def fill_bytes(rng, size):
    data = jpeg(rng, size)
    return inserted(data, segment(data, DHT)[0], b"\xff" * int(rng.integers(1, 9)))


def more_behind_the_end(rng, size):
    return jpeg(rng, size) + rng.bytes(int(rng.integers(1, 300)))


def odd_scan_header(rng, size):
    data = jpeg(rng, size, progressive=False)
    return altered(data, segment(data, SOS)[1] - 2, b"\0")


def exif(rng, size):
    data = jpeg(rng, size)
    return inserted(data, 2, b"\xff\xe1\0\x28Exif\0\0" + rng.bytes(32))


def text_in_a_png(rng, size):
    data = png(rng, size)
    text = b"tEXtComment\0" + b"x" * int(rng.integers(9))
    return inserted(data, len(data) - 12, struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text)))


ODDITIES = [unknown_revision, stray_bytes, fill_bytes, more_behind_the_end, odd_scan_header, exif, text_in_a_png]


# Faults: damaged files, and files that are no images.
def cut_header(rng, size):
    data = jpeg(rng, size)
    return data[:int(rng.integers(3, segment(data, SOS)[0]))]


def cut_body(rng, size):
    data = jpeg(rng, size)
    return data[:int(rng.integers(segment(data, SOS)[1], len(data) - 2))]


def no_end(rng, size):
    return jpeg(rng, size)[:-2]


def cut_after(oddity):
    """A fault: a file with the oddity, for which the decoder warns, ends soon after its first scan begins."""
    def make(rng, size):
        data = oddity(rng, size)
        return data[:data.index(b"\xff\xda") + 18]

    return make


def sof_altered(offset, new):
    def make(rng, size):
        data = jpeg(rng, size, progressive=False)
        return altered(data, segment(data, SOF)[0] + offset, new)

    return make


def without(marker):
    def make(rng, size):
        data = jpeg(rng, size, progressive=False)
        begin, end = segment(data, marker)
        return data[:begin] + data[end:]

    return make


def two_beginnings(rng, size):
    return inserted(jpeg(rng, size), 2, b"\xff\xd8")


def cut_png(rng, size):
    data = png(rng, size)
    return data[:int(rng.integers(9, len(data) - 12))]


def damaged_png(rng, size):
    data = saved(drawing(rng, size), "PNG")
    at = data.index(b"IDAT") + 4 + int(rng.integers(2, 8))
    return altered(data, at, bytes([data[at] ^ 0x5A]))


def constant(data):
    return lambda rng, size: data


FAULTS = [
    cut_header, cut_body, no_end, two_beginnings, cut_png, damaged_png,
    cut_after(unknown_revision), cut_after(odd_scan_header), cut_after(more_behind_the_end),
    sof_altered(4, b"\x0c"),  # 12 bits
    sof_altered(1, b"\xc3"),  # lossless
    sof_altered(5, b"\0\0\0\0"),  # no pixels
    sof_altered(5, b"\xff\x00\xff\x00"),  # enormous
    without(DQT),
    constant(b""), constant(b"\xff\xd8\xff"), constant(b"\x89PNG\r\n\x1a\n"), constant(b"GIF89a......"),
    constant(b"<!DOCTYPE html><title>404</title>"), constant(b"version https://git-lfs.github.com/spec/v1\n"),
    constant(b"[ViewState]\n"),
]


class Tree:
    """A tree below `root` that has only good files until add_bad() adds bad ones. `good` and `bad` are their paths below `root`,
    and `options` are those to pack the tree with."""

    def __init__(self, root, seed):
        self.root, self.rng = root, np.random.default_rng(seed)
        rng = self.rng
        self.good, self.bad = [], []
        self.encoding = str(rng.choice(["raw", "jpeg"]))
        self.options = ["--seed", str(seed), "--encoding", self.encoding]
        self.size = tuple(rng.integers(8, 30, 2).tolist())
        self.mixed = bool(rng.integers(2))  # images have different sizes
        if self.mixed and (self.encoding == "raw" or rng.integers(2)):
            self.options += ["--size", f"{rng.integers(1, 20)}x{rng.integers(1, 20)}",
                             "--resize", str(rng.choice(["bilinear", "nearest"]))]
        self.folders = self.draw_folders()
        for folder, n in self.folders:
            (root / folder / "empty").mkdir(parents=True)
            (root / folder / ".hidden.jpg").write_bytes(b"x")
            for _ in range(n):
                self.write_good(folder)

    def draw_folders(self):
        """[(folder, number of images in it)]"""
        rng = self.rng
        names = rng.choice(["ape", "bee", "cow 1", "d\u00f6r", "eel"], rng.integers(2, 5), False).tolist()
        kind = rng.integers(3)
        if kind == 0:
            return [(name, int(rng.integers(3, 9))) for name in names]
        least = {"train": 2, "val": 0, "test": 0} if kind == 1 else {"train": 4, "test": 1}
        if kind == 2:
            self.options += ["--val", "0.3"]
        return [(f"{split}/{name}", int(rng.integers(n, 6))) for split, n in least.items() for name in names]

    def some_size(self):
        return (int(self.rng.integers(1, 70)), int(self.rng.integers(1, 70)))

    def path(self, folder):
        """A new name at a random place in the order; some names are in a new subfolder."""
        while True:
            name = f"{folder}/{self.rng.choice(['', '', 'deep/', 'deep/er/'])}{self.rng.integers(10000):04d}.jpg"
            if name not in self.good and name not in self.bad:
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                return name

    def write_good(self, folder):
        kind = [jpeg, jpeg, png, ODDITIES[self.rng.integers(len(ODDITIES))]][self.rng.integers(4)]
        name = self.path(folder)
        (self.root / name).write_bytes(kind(self.rng, self.some_size() if self.mixed else self.size))
        self.good.append(name)

    def add_bad(self):
        for _ in range(int(self.rng.integers(1, 12))):
            name = self.path(self.folders[self.rng.integers(len(self.folders))][0])
            self.write_bad(self.root / name)
            self.bad.append(name)

    def write_bad(self, path):
        kind = int(self.rng.integers(len(FAULTS) + 3))
        if kind < len(FAULTS):
            path.write_bytes(FAULTS[kind](self.rng, (int(self.rng.integers(8, 40)), int(self.rng.integers(8, 40)))))
        elif kind == len(FAULTS):
            path.symlink_to("/nowhere/at/all.jpg")
        elif kind == len(FAULTS) + 1:
            path.symlink_to(path.name)  # a link to itself
        else:
            os.mkfifo(path)
