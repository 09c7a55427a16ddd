# SPDX-License-Identifier: Apache-2.0
"""How images are drawn for val and test: the rules of --split-rule against scikit-learn's and Keras' own, and groups, which no
rule tears apart. The random manifests are 60 here; CNNSWEEP_MANIFESTS=1000 makes as many as results/data.md tells of."""
import csv
import os
import warnings

import numpy as np
from pack_tools import SPLITS, PackTest, h5py, main, noise
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

MANIFESTS = int(os.environ.get("CNNSWEEP_MANIFESTS", "60"))
ROWS_MAX = 240


class Rules(PackTest):
    def setUp(self):
        super().setUp()
        self.images = self.root / "images"
        self.src = self.images
        first = self.save("0.png", noise(2, 2, 1))
        for i in range(1, ROWS_MAX):
            os.link(first, self.images / f"{i}.png")
        self.src = self.root / "labels.csv"

    def split(self, labels, *arguments, groups=None):
        """The split of each row of a manifest with these labels, as an array of 0, 1, 2."""
        columns = [[f"{i}.png" for i in range(len(labels))], labels] + ([] if groups is None else [groups])
        with open(self.src, "w", newline="") as file:
            csv.writer(file).writerows([["path", "label", "group"][:len(columns)], *zip(*columns)])
        self.out.unlink(missing_ok=True)
        self.log = self.pack("--root", self.images, *arguments).stderr
        found = np.full(len(labels), -1)
        with h5py.File(self.out) as file:
            for s, split in enumerate(SPLITS):
                for name in file[split]["id"][:]:
                    found[int(name.decode().split(".")[0])] = s
        return found

    def random_labels(self, rng, smallest=12):
        sizes = rng.integers(smallest, 60, rng.integers(2, 5))
        return rng.permutation(np.repeat([f"c{i}" for i in range(len(sizes))], sizes))

    def counts(self, labels, found):
        return [[int(np.sum((labels == c) & (found == s))) for s in range(3)] for c in np.unique(labels)]


class ScikitLearn(Rules):
    def test_counts_are_those_of_train_test_split(self):
        """Called twice, as people do. Manifests in which classes have equal claims are left out: there it draws or rounds."""
        def is_open(sizes, drawn):
            remainders = sorted((size * drawn % sum(sizes) for size in sizes.tolist()), reverse=True)
            more = drawn - sum(size * drawn // sum(sizes) for size in sizes.tolist())
            return 0 < more < len(sizes) and remainders[more - 1] == remainders[more]

        compared = 0
        for seed in range(MANIFESTS):
            rng = np.random.default_rng(seed)
            labels = self.random_labels(rng)
            val, test = round(rng.uniform(0.1, 0.3), 2), round(rng.uniform(0.1, 0.3), 2)
            rest, tested = train_test_split(np.arange(len(labels)), test_size=test, stratify=labels, random_state=seed)
            train, valued = train_test_split(rest, test_size=val / (1 - test), stratify=labels[rest], random_state=seed)
            if any(is_open(np.unique(labels[rows], return_counts=True)[1], len(drawn))
                   for rows, drawn in ((np.arange(len(labels)), rest), (rest, train))):
                continue
            expected = np.zeros(len(labels), int)
            expected[valued], expected[tested] = 1, 2
            found = self.split(labels, "--split-rule", "train_test_split", "--split", f"{1 - val - test:.2f},{val},{test}")
            self.assertEqual(self.counts(labels, found), self.counts(labels, expected), (seed, val, test))
            compared += 1
        print(f"train_test_split: the same counts in {compared} of {MANIFESTS} manifests; in the others classes have equal "
              "claims")
        self.assertGreater(compared, MANIFESTS // 2)

    def groups(self, rng, labels, mean):
        """Groups in which one class is more frequent than the others."""
        order = np.argsort(labels, kind="stable")
        groups = np.empty(len(labels), int)
        sizes = rng.integers(1, 2 * mean, len(labels)).cumsum()
        groups[order] = np.searchsorted(sizes, np.arange(len(labels)), side="right")
        mixed = rng.random(len(labels)) < 0.3
        groups[mixed] = rng.permutation(groups[mixed])
        return groups

    def test_three_equal_splits_are_the_folds_of_stratified_group_k_fold(self):
        """Where all groups differ in how uneven they are, so that the order of the groups is given. Which of two folds that are
        equally good comes first is a matter of rounding in scikit-learn, and the first one here."""
        compared = 0
        for seed in range(MANIFESTS):
            rng = np.random.default_rng(seed)
            labels = self.random_labels(rng)
            groups = self.groups(rng, labels, 12)
            table = np.array([[np.sum((groups == g) & (labels == c)) for c in np.unique(labels)] for g in np.unique(groups)])
            uneven = np.sort(table.std(1))
            if np.any(np.diff(uneven) < 1e-9):
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of classes with less groups than folds
                folds = [test for _, test in StratifiedGroupKFold(3).split(labels, labels, groups)]
            if any(set(labels[fold]) != set(labels) for fold in folds):
                continue  # a class without an image to train on is refused
            found = self.split(labels, "--split", "0.333333333333,0.333333333333,0.333333333334",
                               groups=[f"g{g}" for g in groups])
            self.assertEqual({frozenset(np.flatnonzero(found == s)) for s in range(3)}, {frozenset(fold) for fold in folds}, seed)
            compared += 1
        print(f"StratifiedGroupKFold: the same folds in {compared} of {MANIFESTS} manifests; in the others groups are equally "
              "uneven, or a fold lacks a class")
        self.assertGreater(compared, MANIFESTS // 10)

    def test_no_group_crosses_and_classes_are_as_even_as_in_stratified_group_k_fold(self):
        """60, 20 and 20 % against two of its five folds."""
        def unevenness(labels, found):
            shares = np.array(self.counts(labels, found), float)
            return np.abs(shares / shares.sum(1, keepdims=True) - [0.6, 0.2, 0.2]).mean()

        ours, theirs = [], []
        for seed in range(MANIFESTS):
            rng = np.random.default_rng(seed)
            labels = self.random_labels(rng, 20)
            groups = self.groups(rng, labels, 4)
            found = self.split(labels, "--split", "0.6,0.2,0.2", "--seed", seed, groups=[f"g{g}" for g in groups])
            for g in np.unique(groups):
                self.assertEqual(len(set(found[groups == g])), 1, (seed, g))
            folds = [test for _, test in StratifiedGroupKFold(5).split(labels, labels, groups)]
            expected = np.zeros(len(labels), int)
            expected[folds[0]], expected[folds[1]] = 1, 2
            ours.append(unevenness(labels, found))
            theirs.append(unevenness(labels, expected))
        print(f"grouped: no group of {MANIFESTS} manifests crosses; a class's part of a split is off by {np.mean(ours):.4f}, in "
              f"StratifiedGroupKFold by {np.mean(theirs):.4f}")
        self.assertLessEqual(np.mean(ours), 1.05 * np.mean(theirs))


class Keras(Rules):
    def test_generator_takes_the_first_of_each_class(self):
        """int(v n) of the sorted files, as the iterator of keras_preprocessing takes them."""
        labels = self.random_labels(np.random.default_rng(1))
        found = self.split(labels, "--split-rule", "generator", "--split", "0.75,0.25,0")
        for name in np.unique(labels):
            rows = np.flatnonzero(labels == name)
            self.assertEqual(list(found[rows]), [1] * int(0.25 * len(rows)) + [0] * (len(rows) - int(0.25 * len(rows))))

    def test_validation_split_takes_the_last_rows(self):
        labels = self.random_labels(np.random.default_rng(2))
        found = self.split(labels, "--split-rule", "validation_split", "--split", "0.7,0.3,0")
        at = int(np.floor(len(labels) * (1.0 - 0.3)))
        self.assertEqual(list(found), [0] * at + [1] * (len(labels) - at))

    def test_they_make_no_test_split(self):
        with open(self.src, "w") as file:
            file.write("path,label\n0.png,a\n1.png,b\n")
        for rule in ("generator", "validation_split"):
            self.pack_fails(f"--split-rule {rule} makes no test split", arguments=("--root", self.images, "--split-rule", rule))


class Groups(PackTest):
    def folder(self, n=30):
        for i in range(n):
            self.save(f"{'sick' if i % 3 == 0 else 'healthy'}/person{i // 2:02d}_{i % 2}.png", noise(3, 3, i))

    def splits_of_persons(self):
        found = {}
        for name, (split, _, _) in self.samples().items():
            found.setdefault(name.split("/")[-1].split("_")[0], set()).add(split)
        return found

    def test_groups_are_parts_of_paths(self):
        self.folder()
        self.pack("--group-regex", "person([0-9]+)_")
        splits = self.splits_of_persons()
        self.assertTrue(all(len(s) == 1 for s in splits.values()), splits)
        with h5py.File(self.out) as file:
            self.assertEqual(set(file["train"]["group"][:]) | set(file["val"]["group"][:]) | set(file["test"]["group"][:]),
                             {f"{i:02d}".encode() for i in range(15)})

    def test_val_is_carved_out_by_groups(self):
        for split, persons in (("train", range(20)), ("test", range(20, 24))):
            for i in persons:
                for k in range(2):
                    self.save(f"{split}/{'ab'[k]}/person{i:02d}_{k}.png", noise(3, 3, i))
        self.pack("--val", "0.25", "--group-regex", "person([0-9]+)_")
        splits = self.splits_of_persons()
        self.assertTrue(all(len(s) == 1 for s in splits.values()), splits)
        self.assertEqual(sum(s == {"val"} for s in splits.values()), 5)
        self.assertEqual(sum(s == {"test"} for s in splits.values()), 4)

    def test_images_without_a_group_are_counted_and_drawn_one_by_one(self):
        self.folder()
        for i in range(20):
            self.save(f"healthy/other{i}.png", noise(3, 3, i))
        self.assertIn("20 of 50 images have no group", self.pack("--group-regex", "person([0-9]+)_").stderr)
        self.assertEqual({s for name, (s, _, _) in self.samples().items() if "other" in name}, set(SPLITS))

    def test_groups_that_cross_the_splits_of_the_source_are_named(self):
        for split, persons in (("train", (1, 2, 3)), ("test", (3, 4))):
            for i in persons:
                for label in "ab":
                    self.save(f"{split}/{label}/person{i}_{split}.png", noise(3, 3, i))
        self.assertIn('1 group has images in more than one split, such as "3" in train and test',
                      self.pack("--group-regex", "person([0-9]+)_").stderr)

    def test_what_cannot_work_is_refused(self):
        self.folder(6)
        for arguments, needle in ((("--group-regex", "person[0-9]+"), "has no part in ( )"),
                                  (("--group-regex", "person([0-9]+"), "is no regular expression"),
                                  (("--group-regex", "patient([0-9]+)"), "matches no path, such as healthy/person00_1.png"),
                                  (("--split-rule", "grouped"), "the images have no groups"),
                                  (("--split-rule", "stratified", "--group-regex", "person([0-9]+)"),
                                   "images of a group would get into different splits")):
            self.pack_fails(needle, arguments=arguments)
        self.pack_fails("is no rule to split by", arguments=("--split-rule", "fair"), status=2)


class TinyClasses(PackTest):
    def test_classes_that_a_split_does_not_have_are_named(self):
        for label, n in (("a", 40), ("b", 3), ("c", 40)):
            for i in range(n):
                self.save(f"{label}/{i}.png", noise(3, 3, i))
        errors = self.pack().stderr
        self.assertIn('val has no image of 1 of 3 classes: "b"', errors)
        self.assertIn('test has no image of 1 of 3 classes: "b"', errors)


if __name__ == "__main__":
    main()
