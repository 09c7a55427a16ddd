# SPDX-License-Identifier: Apache-2.0
"""In random trees that have bad files among the good ones, --skip-bad packs exactly the good files.
    test_pack_trees.py [TREES]"""
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
from pack_tools import BIN, PackTest, ordered, run
from PIL import Image
from trees import Tree

TREES = int(sys.argv[1]) if len(sys.argv) > 1 else 25


def on_every_tree(test):
    """Calls the test with each of TREES random trees, which have separate folders."""
    @functools.wraps(test)
    def on_all(self):
        for seed in range(TREES):
            with self.subTest(seed=seed):
                self.root = Path(self.scratch.name) / str(seed)
                self.src, self.out = self.root / "src", self.root / "out"
                test(self, Tree(self.src, seed))
                shutil.rmtree(self.root)
    return on_all


class Trees(PackTest):
    def packed(self, tree, *options):
        """Packs into one file, removes it and returns its bytes."""
        self.pack(*tree.options, *options)
        data = self.out.read_bytes()
        self.out.unlink()
        return data

    @on_every_tree
    def test_exactly_the_bad_files_are_named(self, tree):
        tree.add_bad()
        errors = self.pack_fails(f"{len(tree.bad)} of {len(tree.good) + len(tree.bad)} files are no good",
                               arguments=tree.options).stderr
        named = {name for name in tree.good + tree.bad if f"{self.src}/{name}: " in errors}
        self.assertEqual(named, set(tree.bad))

    @on_every_tree
    def test_good_files_have_the_pixels_of_pillow(self, tree):
        if tree.mixed or tree.encoding != "raw":
            return
        tree.add_bad()
        self.pack("--skip-bad", *tree.options)
        found = self.samples()
        self.assertEqual(found.keys(), set(tree.good))
        for name, (_, _, pixels) in found.items():
            expected = np.asarray(Image.open(self.src / name).convert("RGB"))
            self.assertLessEqual(np.abs(pixels.astype(int) - expected).max(), 1, name)

    @on_every_tree
    def test_the_dataset_is_that_of_the_good_files_on_any_number_of_threads(self, tree):
        clean = self.packed(tree)
        tree.add_bad()
        for threads in (1, 2, 3, 8):
            self.assertEqual(self.packed(tree, "--skip-bad", "--threads", threads), clean)

    @on_every_tree
    def test_the_parts_are_those_of_the_good_files(self, tree):
        """The parts are packed one after the other or all at once."""
        options = [*tree.options, "--shard-size", "2K"]
        self.pack(*options)
        clean, files = ordered(self.out), {path.name: path.read_bytes() for path in self.out.iterdir()}
        shutil.rmtree(self.out)
        tree.add_bad()
        count = int(tree.rng.integers(1, 5))
        calls = [[BIN / "cnnsweep-pack", "--skip-bad", "--threads", "1", "--part", f"{i}/{count}", *options,
                  self.src, self.out] for i in tree.rng.permutation(count)]
        if tree.rng.integers(2):
            running = [subprocess.Popen(call, stderr=subprocess.PIPE, text=True) for call in calls]
            ended = [(process.communicate()[1], process.returncode) for process in running]
        else:
            results = [subprocess.run(call, capture_output=True, text=True) for call in calls]
            ended = [(result.stderr, result.returncode) for result in results]
        for errors, status in ended:
            self.assertEqual(status, 0, errors)
            self.assertIn(f"{len(tree.bad)} of {len(tree.good) + len(tree.bad)} files left out", errors)
        joined = run("cnnsweep-pack", "--join", self.out)
        self.assertEqual(joined.returncode, 0, joined.stderr)
        self.assertEqual(ordered(self.out), clean)
        if tree.encoding == "raw":
            self.assertEqual({path.name: path.read_bytes() for path in self.out.iterdir()}, files)
        self.assertEqual(sorted(path.name for path in self.root.iterdir()), ["out", "src"])


if __name__ == "__main__":
    if os.access("/dev/shm", os.W_OK):  # every finished file is synced, which on a disk would take most of the time
        tempfile.tempdir = "/dev/shm"
    unittest.main(argv=sys.argv[:1], verbosity=2)
