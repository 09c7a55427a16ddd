# SPDX-License-Identifier: Apache-2.0
"""cnnsweep-pack --weights: weights of images go from a CSV file into the dataset, beside the labels."""
import csv

import numpy as np
from pack_tools import SPLITS, PackTest, h5py, main, run

IDS = [f"{name}/{i}.png" for name in ("a", "b") for i in range(10)]
WEIGHTS = {name: np.float32(0.25 * i) for i, name in enumerate(IDS)}


class Weights(PackTest):
    def setUp(self):
        super().setUp()
        self.table = self.root / "weights.csv"
        for name in IDS:
            self.save(name)

    def write(self, rows, header=("file", "weight"), newline="\n", encoding="utf-8"):
        with open(self.table, "w", newline="", encoding=encoding) as file:
            writer = csv.writer(file, lineterminator=newline)
            writer.writerows([header, *rows])

    def stored(self, path=None):
        """{id: weight} of a dataset in one file."""
        with h5py.File(path or self.out) as file:
            for split in SPLITS:
                self.assertEqual(file[split]["weight"].dtype, np.float32)
                self.assertEqual(file[split]["weight"].shape, file[split]["label"].shape)
            return {name.decode(): weight for split in SPLITS
                    for name, weight in zip(file[split]["id"][:], file[split]["weight"][:])}

    def test_every_image_gets_the_weight_of_its_line(self):
        self.write(sorted(WEIGHTS.items(), reverse=True))
        done = self.pack("--weights", self.table)
        self.assertEqual(self.stored(), WEIGHTS)
        self.assertIn("train weights: mean", done.stdout)

    def test_jpeg_datasets_have_weights_too(self):
        self.write(WEIGHTS.items())
        self.pack("--weights", self.table, "--encoding", "jpeg")
        self.assertEqual(self.stored(), WEIGHTS)

    def test_splits_without_images_have_no_weights_but_their_place(self):
        self.write(WEIGHTS.items())
        for encoding in "raw", "jpeg":
            self.out = self.root / f"{encoding}.h5"
            self.pack("--weights", self.table, "--split", "1,0,0", "--encoding", encoding)
            self.assertEqual(self.stored(), WEIGHTS)
            self.assertEqual(run(self.packer, "--check", self.out).returncode, 0)

    def test_tables_are_read_as_programs_write_them(self):
        rows = [("x, y", weight, name) for name, weight in WEIGHTS.items()]
        for newline, encoding in (("\r\n", "utf-8-sig"), ("\n\n", "utf-8")):
            self.write(rows, ('say "why"', "how much", "path"), newline, encoding)
            self.out = self.root / f"{encoding}.h5"
            self.pack("--weights", self.table, "--weight-column", "how much", "--file-column", "path")
            self.assertEqual(self.stored(), WEIGHTS)

    def test_the_last_line_needs_no_end(self):
        self.write(WEIGHTS.items())
        self.table.write_text(self.table.read_text().rstrip("\n"))
        self.pack("--weights", self.table)
        self.assertEqual(self.stored(), WEIGHTS)

    def test_without_the_option_there_are_no_weights(self):
        self.pack()
        with h5py.File(self.out) as file:
            self.assertNotIn("weight", file["train"])

    def test_parts_are_joined_with_their_weights(self):
        self.write(WEIGHTS.items())
        whole = self.root / "whole"
        size = ("--size", "8x8", "--shard-size", "600")
        self.out = self.root / "joined"
        for i in range(3):
            self.pack("--weights", self.table, *size, "--part", f"{i}/3")
        self.assertEqual(run(self.packer, "--join", self.out).returncode, 0)
        self.assertEqual(run(self.packer, self.src, whole, "--weights", self.table, *size).returncode, 0)
        found = {}
        for folder in self.out, whole:
            found[folder] = {name.decode(): weight for path in folder.glob("shard-*.h5") for split in SPLITS
                             for name, weight in zip(h5py.File(path)[split]["id"][:], h5py.File(path)[split]["weight"][:])}
        self.assertEqual(found[self.out], WEIGHTS)
        self.assertEqual(found[whole], WEIGHTS)

    def test_parts_with_other_weights_are_not_joined(self):
        self.out = self.root / "joined"
        for i in range(2):
            self.write([(name, weight + i) for name, weight in WEIGHTS.items()])
            self.pack("--weights", self.table, "--size", "8x8", "--shard-size", "600", "--part", f"{i}/2")
        done = run(self.packer, "--join", self.out)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("of other images or options", done.stderr)

    def test_bad_images_are_left_out_with_their_weights(self):
        (self.src / "b/10.png").write_bytes(b"no image")
        self.write([*WEIGHTS.items(), ("b/10.png", 7)])
        self.pack("--weights", self.table, "--skip-bad")
        self.assertEqual(self.stored(), WEIGHTS)

    def test_a_changed_weight_is_found(self):
        self.write(WEIGHTS.items())
        self.pack("--weights", self.table)
        with h5py.File(self.out, "r+") as file:
            file["train/weight"][0] += 1
        done = run(self.packer, "--check", self.out)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("altered or damaged", done.stderr)

    def test_stored_weights_must_be_numbers_of_at_least_0(self):
        for i, value in enumerate((-1, np.nan, np.inf)):
            self.out = self.root / f"{i}.h5"
            self.write(WEIGHTS.items())
            self.pack("--weights", self.table)
            with h5py.File(self.out, "r+") as file:
                file["val/weight"][0] = value
            done = run(self.packer, "--info", self.out, env={"CNNSWEEP_TRUST_SHARDS": "1"})
            self.assertIn("val: a weight that is negative or not finite", done.stderr)

    def check_refused(self, *needles, arguments=()):
        self.pack_fails(*needles, arguments=("--weights", self.table, *arguments))

    def test_mistakes_are_named_with_file_and_line(self):
        for value in ("-1", "nan", "inf", "1e60", "many", "", "1,5"):
            self.write([*list(WEIGHTS.items())[:3], ("a/3.png", value)])
            self.check_refused(f"weights.csv:5: column 'weight': the weight is '{value}'", "a number of at least 0")
        self.write([("a/0.png", 1), ("a/0.png", 1)])
        self.check_refused("weights.csv:3: column 'file': 'a/0.png' has a weight already")
        self.write([("a/0.png", 1), ("0.png", 1)])
        self.check_refused("weights.csv:3: column 'file': there is no image '0.png' in", "such as a/0.png")
        self.write([("a/0.png", 1, 2)])
        self.check_refused("weights.csv:2: 3 fields, but the header has 2")
        self.table.write_text('file,weight\n"a/0.png,1\n')
        self.check_refused("weights.csv:2: a quote without an end")
        self.table.write_text('file,weight\n"a/0.png"x,1\n')
        self.check_refused("weights.csv:2:10: a quote in the middle of a field")

    def test_every_image_needs_a_line(self):
        self.write(list(WEIGHTS.items())[:-3])
        self.check_refused("weights.csv: 3 of 20 images have no line, the first of them 'b/7.png'")

    def test_weights_that_are_all_0_are_refused(self):
        self.write([(name, 0) for name in IDS])
        self.check_refused("weights.csv: all weights are 0")

    def test_an_unknown_column_is_refused(self):
        self.write(WEIGHTS.items(), ("file", "weihgt"))
        self.check_refused("weights.csv: there is no column weight; it has file, weihgt", "--weight-column")
        self.write(WEIGHTS.items(), ("picture", "weight"))
        self.check_refused("there is no column path or file or", "--file-column")
        self.table.write_text("")
        self.check_refused("weights.csv: an empty table")

    def test_a_file_that_does_not_exist_is_named(self):
        self.check_refused("weights.csv")


main()
