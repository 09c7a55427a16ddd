# SPDX-License-Identifier: Apache-2.0
"""Packs a folder of images as people write it, with Pillow and h5py: each image is opened, resized and written to an array of
an HDF5 file, by one process or by a pool of processes. pack_rate.sh compares cnnsweep-pack with it. Prints images per second,
from the list of the files to the closed file, without the time to import the modules.

  pack_pillow.py FOLDER OUT WIDTHxHEIGHT PROCESSES"""
import functools
import multiprocessing
import sys
import time
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

CHUNK = 32  # files that a process of the pool gets at once


def load(path, size):
    return np.asarray(Image.open(path).convert("RGB").resize(size, Image.BILINEAR))


def loaded(files, size, processes):
    one = functools.partial(load, size=size)
    if processes == 1:
        yield from map(one, files)
    else:
        with multiprocessing.Pool(processes) as pool:
            yield from pool.imap(one, files, CHUNK)


def main():
    folder, out, size, processes = sys.argv[1:]
    width, height = map(int, size.split("x"))
    started = time.perf_counter()
    files = sorted(path for path in Path(folder).rglob("*") if path.suffix in (".jpg", ".jpeg"))
    classes = sorted({path.relative_to(folder).parts[1] for path in files})
    with h5py.File(out, "w") as file:
        images = file.create_dataset("images", (len(files), height, width, 3), np.uint8)
        for i, image in enumerate(loaded(files, (width, height), int(processes))):
            images[i] = image
        file["label"] = np.array([classes.index(path.relative_to(folder).parts[1]) for path in files], np.int32)
    print(f"{len(files) / (time.perf_counter() - started):.1f}")


if __name__ == "__main__":
    main()
