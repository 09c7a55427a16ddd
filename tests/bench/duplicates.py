# SPDX-License-Identifier: Apache-2.0
"""How many planted duplicates cnnsweep-pack finds in real images, which others it names, and how long it takes.

  duplicates.py BIN DATA    BIN: folder of the programs; DATA: folder of tar archives SPLIT/CLASS/FILE

Of each set, up to 3000 images get a copy, in one run for each kind of copy, so that no copy is found by way of another. A
copy is found if it is in a set with its original. False are pairs that are named in the set as it is: each is counted, though
many show the same photograph, and --save FOLDER keeps their lists. The time is that of packing 100,000 images in CIFAR's
layout, with and without the search among their hashes, for which a part waits until it is joined."""
import argparse
import csv
import io
import re
import resource
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

SETS = {
    "CIFAR-100, 25 classes": ["cifar100_25class_train_png", "cifar100_25class_test_png"],
    "CIFAR-10, a part": ["cifar10_jpeg_subset"],
    "skin lesions": ["ham10000_melanoma_benign_malignant_224"],
    "fundus": ["eyepacs_dr_5level_256"],
}
MOST_COPIES = 3000


def jpeg(image, quality=70):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def resized(factor):
    return lambda image: image.resize((round(image.width * factor), round(image.height * factor)), Image.BICUBIC)


KINDS = {"exact": lambda image: image, "JPEG 70": jpeg, "half size": resized(0.5), "3/4 size": resized(0.75),
         "1.5 x size": resized(1.5), "mirrored": ImageOps.mirror, "mirrored, JPEG 70": lambda image: jpeg(ImageOps.mirror(image))}


def pack(binaries, source, *arguments):
    """(log, rows of the list of duplicates)"""
    with tempfile.TemporaryDirectory() as scratch:
        listed = Path(scratch) / "list.csv"
        result = subprocess.run([binaries / "cnnsweep-pack", source, Path(scratch) / "out.h5", "--encoding", "jpeg",
                                 "--duplicates-list", listed, *arguments], capture_output=True, text=True, check=True)
        with open(listed, newline="", encoding="utf-8") as file:
            return result.stderr, list(csv.DictReader(file))


def measure(name, archives, options):
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "images"
        for archive in archives:
            with tarfile.open(options.data / f"{archive}.tar") as tar:
                tar.extractall(source)
        files = sorted(path for path in source.rglob("*.*") if path.is_file())
        n = len(files)
        _, rows = pack(options.bin, source)
        if options.save:
            options.save.mkdir(parents=True, exist_ok=True)
            with open(options.save / f"{archives[0]}.csv", "w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(row.values() for row in rows)
        cells = [name, str(n), f"{len(rows)} ({100 * len(rows) / n:.2f} %)", f"{len(rows) / (n * (n - 1) / 2):.1e}"]
        originals = files[::-(-n // MOST_COPIES)]
        for change in KINDS.values():
            folder = source / "train" / "~copies"
            folder.mkdir()
            for i, path in enumerate(originals):
                change(Image.open(path).convert("RGB")).save(folder / f"{i:05d}.png", compress_level=1)
            _, rows = pack(options.bin, source)
            sets = {row[side]: row["set"] for row in rows for side in ("first", "second")}
            found = [sets.get(f"train/~copies/{i:05d}.png", "none") == sets.get(str(path.relative_to(source)))
                     for i, path in enumerate(originals)]
            cells.append(f"{100 * np.mean(found):.2f}")
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
        print("| " + " | ".join(cells) + " |", flush=True)


def cifar_like(folder, n, archive):
    """Writes n images in CIFAR-10's layout: those of an archive, and turned crops of them."""
    rng = np.random.default_rng(0)
    with tarfile.open(archive) as tar:
        images = [Image.open(tar.extractfile(member)).convert("RGB") for member in tar if member.isfile()]
    for batch in range(1, 6):
        with open(folder / f"data_batch_{batch}.bin", "wb") as file:
            for i in range(n // 5 * (batch - 1), n // 5 * batch):
                image = images[i % len(images)]
                if i >= len(images):
                    side, turns = int(rng.integers(20, 28)), int(rng.integers(1, 4))
                    x, y = rng.integers(0, 33 - side, 2)
                    image = image.crop((x, y, x + side, y + side)).resize((32, 32), Image.BILINEAR).rotate(90 * turns)
                file.write(bytes([i % 10]) + np.asarray(image).transpose(2, 0, 1).tobytes())


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def time(options, n=100000, runs=5):
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "cifar"
        source.mkdir()
        cifar_like(source, n, options.data / "cifar100_25class_train_png.tar")
        for name, part in (("with", ()), ("without", ("--part", "0/1"))):
            wall, processor = [], []
            for i in range(runs):
                used = processor_seconds()
                result = subprocess.run([options.bin / "cnnsweep-pack", source, Path(scratch) / f"{name}{i}", "--threads", "1",
                                         *part], capture_output=True, text=True, check=True)
                processor.append(processor_seconds() - used)
                wall.append(float(re.search(rf"packed {n} images in ([0-9.]+) s", result.stderr)[1]))
            print(f"{n} images of 32x32 {name} the search: {min(wall):.2f} to {max(wall):.2f} s, of the processor "
                  f"{min(processor):.2f} to {max(processor):.2f} s")
            print(*re.findall("duplicates.*", result.stderr), sep="\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--save", type=Path, help="folder for the lists of the pairs in the sets as they are")
    options = parser.parse_args()
    print("| set | images | pairs named (of images) | of all pairs | " + " | ".join(KINDS) + " |")
    print("|" + "---|" * (4 + len(KINDS)))
    for name, archives in SETS.items():
        measure(name, archives, options)
    time(options)


main()
