# SPDX-License-Identifier: Apache-2.0
"""Which split each image belongs to: trees, stratified splits, seeds, threads and shards."""
import json
import shutil

import numpy as np
from pack_tools import PackTest, SPLITS, h5py, main, noise, run


class Trees(PackTest):
    def flat(self, **classes):
        for name, n in classes.items():
            for i in range(n):
                self.save(f"{name}/{i:03d}.png", noise(4, 4, i))

    def counts(self):
        """{class: [train, val, test]}"""
        table = {}
        for name, (split, label, _) in self.samples().items():
            table.setdefault(label, [0, 0, 0])[SPLITS.index(split)] += 1
        return table

    def test_split_is_stratified(self):
        self.flat(a=100, b=37, c=9)
        self.pack("--split", "0.7,0.2,0.1")
        # n - round(0.2 n) - round(0.1 n), round(0.2 n), round(0.1 n)
        self.assertEqual(self.counts(), {0: [70, 20, 10], 1: [26, 7, 4], 2: [6, 2, 1]})

    def test_default_split_is_80_10_10(self):
        self.flat(a=50, b=30)
        self.pack()
        self.assertEqual(self.counts(), {0: [40, 5, 5], 1: [24, 3, 3]})

    def test_the_split_depends_on_the_seed_alone(self):
        self.flat(a=40, b=40)
        drawn = []
        for i, options in enumerate((["--seed", 5, "--threads", 1], ["--seed", 5, "--threads", 3], ["--seed", 6])):
            self.out = self.root / f"{i}.h5"
            self.pack(*options)
            drawn.append(self.out.read_bytes())
        self.assertEqual(drawn[0], drawn[1])
        self.assertNotEqual(drawn[0], drawn[2])

    def test_split_is_not_the_first_or_the_last_files(self):
        self.flat(a=60, b=60)
        self.pack()
        numbers = sorted(int(name[2:5]) for name, (split, label, _) in self.samples().items()
                      if split != "train" and label == 0)
        self.assertEqual(len(numbers), 12)
        self.assertGreater(numbers[-1] - numbers[0], 20)

    def test_bad_files_do_not_count_in_a_split(self):
        self.flat(a=12, b=12)
        for i in range(12):
            (self.src / f"a/{i:03d}x.png").write_text("no image")
        for seed in range(4):
            self.out = self.root / f"{seed}.h5"
            self.pack("--skip-bad", "--seed", seed)
            self.assertEqual(self.counts(), {0: [10, 1, 1], 1: [10, 1, 1]})

    def test_a_class_that_loses_its_images_of_a_split_is_named(self):
        for label in "abc":
            for split in ("train", "val", "test"):
                self.save(f"{split}/{label}/1.png", noise(4, 4, 1))
        (self.src / "val/c/1.png").unlink()  # c has had no other image in val
        (self.src / "val/b/1.png").write_text("no image")
        (self.src / "test/c/2.png").write_text("no image")
        errors = self.pack("--skip-bad").stderr
        self.assertIn('class "b" has no images left for val', errors)
        self.assertEqual(errors.count("has no images left"), 1, errors)

    def test_a_class_that_bad_files_make_too_small_to_split_is_named(self):
        self.flat(a=6, b=3, c=3)
        for i in range(4):
            (self.src / f"a/{i:03d}.png").write_text("no image")
        errors = self.pack("--skip-bad").stderr
        self.assertIn('class "a" has no images left for val', errors)
        self.assertIn('class "a" has no images left for test', errors)
        self.assertEqual(errors.count("has no images left"), 2, errors)

    def test_val_is_taken_from_train_and_not_from_test(self):
        for label, n in (("a", 40), ("b", 20)):
            for i in range(n):
                self.save(f"train/{label}/{i}.png", noise(4, 4, i))
            self.save(f"test/{label}/x.png", noise(4, 4, 99))
        self.pack("--val", "0.1")
        self.assertEqual(self.counts(), {0: [36, 4, 1], 1: [18, 2, 1]})

    def test_samples_keep_the_order_of_their_names(self):
        self.flat(b=7, a=7)
        self.save("a/deeper/001.png", noise(4, 4, 1))
        self.pack("--split", "1,0,0")
        with h5py.File(self.out) as file:
            ids = [name.decode() for name in file["train/id"]]
            self.assertEqual(ids, sorted(ids))
            self.assertEqual(file["train/label"][:].tolist(), [0] * 8 + [1] * 7)

    def test_split_folders_may_have_several_names(self):
        for folder in ("Training", "validation", "TEST"):
            for label in "ab":
                self.save(f"{folder}/{label}/1.png", noise(4, 4, 1))
        self.pack()
        self.assertEqual(self.counts(), {0: [1, 1, 1], 1: [1, 1, 1]})

    def test_files_beside_class_folders_and_hidden_files_are_ignored(self):
        self.flat(a=3, b=3)
        (self.src / "README").write_text("hello")
        (self.src / "a/.DS_Store").write_text("hello")
        result = self.pack("--split", "1,0,0")
        self.assertIn("README: ignored", result.stderr)
        self.assertEqual(len(self.samples()), 6)

    def test_a_folder_around_those_of_the_classes_is_named(self):
        for name in ("sets/a/1.png", "sets/b/1.png"):
            self.save(name, noise(4, 4, 1))
        (self.src / "sets/Thumbs.db").write_text("x")
        self.pack_fails("only one class, sets", f"sets has only folders: if they are the classes, SRC is {self.src}/sets")

    def test_folders_whose_names_look_like_splits_are_said_to_be_classes(self):
        for names, warned in ((("train_images", "test_images"), True), (("2020-train", "2020-val"), True),
                              (("trains", "tests"), False), (("constraint", "detest"), False)):
            shutil.rmtree(self.src, ignore_errors=True)
            self.out.unlink(missing_ok=True)
            for name in names:
                self.save(f"{name}/1.png", noise(4, 4, 1))
            done = self.pack("--split", "1,0,0")
            self.assertEqual("are taken as classes; if they are splits, call them" in done.stderr, warned, done.stderr)

    def test_masks_beside_images_are_said_to_be_packed(self):
        for label in "ab":
            for folder in ("images", "masks"):
                self.save(f"{label}/{folder}/1.png", noise(4, 4, 1))
        done = self.pack("--split", "1,0,0")
        self.assertIn("src/a/masks: its files are packed as images of the class", done.stderr)
        self.assertEqual((done.stderr.count("masks: its files"), len(self.samples())), (1, 4))

    def test_a_class_in_another_unicode_form_is_named_so(self):
        for train, test, said in (("Bénin", "Be\u0301nin", True), ("Be\u0301nin", "Bénin", True), ("nævus", "nevus", False),
                                  ("nævus", "nåvus", False)):
            shutil.rmtree(self.src, ignore_errors=True)
            for name in (f"train/{train}", "train/b", f"test/{test}"):
                self.save(f"{name}/1.png", noise(4, 4, 1))
            done = self.pack_fails("a class that the training split does not have")
            self.assertEqual("another Unicode form" in done.stderr, said, (train, test))

    def test_what_systems_leave_and_files_of_other_kinds_are_left_out_and_counted(self):
        self.flat(a=3, b=3)
        for name in ("a/Thumbs.db", "b/desktop.ini", "__MACOSX/a/._1.png", "a/notes.xml", "b/boxes.XML", "labels.csv"):
            (self.src / name).parent.mkdir(parents=True, exist_ok=True)
            (self.src / name).write_text("x")
        result = self.pack("--split", "1,0,0")
        self.assertIn("no images by their names: 1 .csv, 2 .xml, 3 of the system", result.stderr)
        self.assertEqual(len(self.samples()), 6)

    def test_shards_hold_the_same_samples(self):
        self.flat(a=20, b=20)
        self.pack()
        whole = self.samples()
        self.out = self.root / "shards"
        self.pack("--shard-size", "0.5K")
        index = json.loads((self.out / "index.json").read_text())
        found = {}
        for entry in index["shards"]:
            part = self.samples(self.out / entry["file"])
            self.assertEqual(len(part), sum(entry[split] for split in SPLITS))
            self.assertLessEqual(len(part) * 48, 512)
            found.update(part)
        self.assertGreater(len(index["shards"]), 2)
        self.assertEqual(found.keys(), whole.keys())
        for name in whole:
            self.assertEqual(found[name][:2], whole[name][:2])
            np.testing.assert_array_equal(found[name][2], whole[name][2])
        self.assertIn("whole; 40 images", run("cnnsweep-pack", "--check", self.out).stdout)

    def test_info_prints_the_counts(self):
        self.flat(ape=10, bee=20)
        self.pack()
        text = run("cnnsweep-pack", "--info", self.out).stdout
        self.assertIn("2 classes, raw images of 4x4 (bilinear), 1 file", text)
        self.assertEqual([line.split() for line in text.splitlines()[1:5]],
                         [["class", "train", "val", "test"], ["ape", "8", "1", "1"], ["bee", "16", "2", "2"],
                          ["total", "24", "3", "3"]])


if __name__ == "__main__":
    main()
