# SPDX-License-Identifier: Apache-2.0
"""cnnsweep-pack with one more source in its table (sources/gray.c), which gives pixels instead of files."""
import numpy as np
from pack_tools import PackTest, h5py, main, run

LINES = ["train a 10", "train a 20", "train b 30", "train b 40", "val a 50", "val b 60", "test b 70"]


class Source(PackTest):
    packer = "../tests/pack_gray"

    def setUp(self):
        super().setUp()
        self.src = self.root / "list.gray"

    def write(self, *lines):
        self.src.write_text("".join(line + "\n" for line in lines))

    def levels(self):
        """{id: (split, label, gray level)}; all pixels of an image have the same level."""
        for name, (split, label, pixels) in self.samples().items():
            self.assertEqual(len(np.unique(pixels)), 1, name)
        return {name: (split, label, int(pixels[0, 0, 0])) for name, (split, label, pixels) in self.samples().items()}

    def test_samples_have_their_classes_splits_and_pixels(self):
        self.write(*LINES)
        self.pack()
        self.assertEqual(self.levels(), {f"line {i}": (split, "ab".index(label), int(level)) for i, (split, label, level)
                                         in enumerate((line.split() for line in LINES), 1)})
        self.assertEqual({pixels.shape for _, _, pixels in self.samples().values()}, {(6, 8, 3)})

    def test_pixels_are_resized_as_those_of_files(self):
        self.write(*LINES)
        self.pack("--size", "4x5")
        self.assertEqual({pixels.shape for _, _, pixels in self.samples().values()}, {(5, 4, 3)})
        self.assertEqual([level for _, _, level in self.levels().values()], [10, 20, 30, 40, 50, 60, 70])

    def test_pixels_become_jpeg(self):
        self.write(*LINES)
        self.pack("--encoding", "jpeg")
        with h5py.File(self.out) as file:
            self.assertEqual(bytes(file["train/jpeg"][:3]), b"\xff\xd8\xff")

    def test_bad_samples_are_left_out(self):
        self.write(*LINES, "train b 999")
        self.pack_fails("list.gray: line 8: 999 is no gray level")
        self.pack("--skip-bad")
        self.assertNotIn("line 8", self.samples())
        self.assertEqual(len(self.samples()), 7)

    def test_parts_make_the_same_dataset(self):
        self.write(*LINES, "train b 999")
        for name in ("whole", "parts"):
            self.out = self.root / name
            arguments = ["--skip-bad", "--shard-size", "288"]  # two images
            for part in (["--part", "0/2"], ["--part", "1/2"]) if name == "parts" else ([],):
                self.pack(*arguments, *part)
        self.assertEqual(run(self.packer, "--join", self.out).returncode, 0)
        shards = [[shard.read_bytes() for shard in sorted((self.root / name).glob("shard-*.h5"))] for name in ("whole", "parts")]
        self.assertEqual(len(shards[0]), 4)
        self.assertEqual(*shards)

    def test_errors_use_the_words_of_the_source(self):
        self.write(*LINES)
        self.pack_fails("list.gray is split already, it has a train line", arguments=["--split", "0.8,0.1,0.1"])
        self.write("train a 1")
        self.pack_fails("only one class", "SPLIT CLASS LEVEL")

    def test_help_and_errors_name_all_sources(self):
        page = run(self.packer, "--help").stdout
        self.assertIn("or a folder a class;\n" + 38 * " " + "or SRC is a list of\n" + 38 * " " + "gray levels; OUT is the", page)
        self.src = self.root / "other"
        self.pack_fails("other: cannot open the table, binary file of CIFAR, archive, dataset, folder or gray list: No such file")
        self.src.write_text("")
        self.pack_fails("other: not a table, binary file of CIFAR, archive, dataset, folder or gray list")


main()
