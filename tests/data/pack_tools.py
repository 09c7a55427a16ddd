# SPDX-License-Identifier: Apache-2.0
"""Shared by the scripts that test cnnsweep-pack: functions that run programs, make images and read datasets with h5py."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

BIN = Path(os.environ["CNNSWEEP_BIN"])
SOURCE = Path(os.environ["CNNSWEEP_SOURCE"])
sys.path.insert(0, str(SOURCE / "tests/support"))
os.environ["LSAN_OPTIONS"] = f"suppressions={SOURCE}/tests/data/lsan.supp:print_suppressions=0"
SPLITS = ("train", "val", "test")


def run(program, *arguments, **options):
    """Runs a program of the build; the result has returncode, stdout, stderr."""
    return subprocess.run([BIN / program, *map(str, arguments)], capture_output=True, text=True, **options)


def noise(h, w, seed):
    """Pixels between a photograph and noise, [h, w, 3] uint8."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (max(2, h // 6), max(2, w // 6), 3), dtype=np.uint8))
    smooth = np.asarray(small.resize((w, h), Image.BICUBIC)).astype(int)
    return np.clip(smooth + rng.integers(-12, 13, smooth.shape), 0, 255).astype(np.uint8)


def shared_archive(name):
    """Path of an image archive of the shared test material, or None without that material."""
    return shared_material(f"data/{name}")


def shared_material(name):
    """Path of a file or folder of the shared test material, or None without that material; see test_shared in test.h."""
    named = os.environ.get("CNNSWEEP_SHARED")
    root = SOURCE / (named or "../shared")
    path = root / name
    if path.exists():
        return path
    if root.is_dir() if named else os.environ.get("CI"):
        raise FileNotFoundError(f"{path}: CNNSWEEP_SHARED must name the folder with the test material")
    return None


def ordered(folder):
    """([(split, id, label, bytes)] of a folder of shards, in their order, and the means and deviations in the shards)"""
    found, statistics = [], set()
    for split in SPLITS:
        for path in sorted(folder.glob("shard-*.h5")):
            with h5py.File(path) as file:
                group = file[split]
                statistics.add(file.attrs["mean"].tobytes() + file.attrs["std"].tobytes())
                for i, (name, label) in enumerate(zip(group["id"][:], group["label"][:])):
                    data = (group["images"][i] if "images" in group else
                            group["jpeg"][group["offset"][i]:group["offset"][i + 1]])
                    found.append((split, name, int(label), np.asarray(data).tobytes()))
    return found, statistics


class PackTest(unittest.TestCase):
    """A test with a scratch folder and functions that expect the packer to succeed, or to fail and leave no files."""
    packer = "cnnsweep-pack"

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="cnnsweep-test-")
        self.addCleanup(self.scratch.cleanup)
        self.root = Path(self.scratch.name)
        self.src, self.out = self.root / "src", self.root / "out.h5"

    def stored(self):
        """{id: {column: value}} of the dataset, with the class's name as label."""
        found = {}
        with h5py.File(self.out) as file:
            classes = [name.decode() for name in file.attrs["classes"]]
            for split in SPLITS:
                group = file[split]
                for i, name in enumerate(group["id"][:]):
                    found[name.decode()] = {
                        "label": classes[group["label"][i]], "split": split,
                        "group": group["group"][i].decode() if "group" in group else None,
                        "weight": float(group["weight"][i]) if "weight" in group else None}
        return found

    def save(self, name, pixels=None, **options):
        """Saves pixels (or an Image, or noise) as SRC/name."""
        path = self.src / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if pixels is None:
            pixels = noise(24, 32, len(name))
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        image.save(path, **options)
        return path

    def pack(self, *arguments, **options):
        result = run(self.packer, self.src, self.out, *arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def pack_fails(self, *needles, arguments=(), status=1, **options):
        """The packer fails, its message contains all needles, and it leaves no files."""
        before = sorted(self.root.iterdir())
        result = run(self.packer, self.src, self.out, *arguments, **options)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        for needle in needles:
            self.assertIn(needle, result.stderr)
        self.assertEqual(sorted(self.root.iterdir()), before)
        return result

    def samples(self, path=None):
        """{id: (split, label, pixels)} of a raw dataset in one file, read by h5py alone."""
        found = {}
        with h5py.File(path or self.out) as file:
            for split in SPLITS:
                group = file[split]
                for name, label, pixels in zip(group["id"][:], group["label"][:], group["images"][:]):
                    found[name.decode()] = (split, int(label), pixels)
        return found


def main():
    unittest.main(argv=sys.argv[:1], verbosity=2)  # names the skipped tests
