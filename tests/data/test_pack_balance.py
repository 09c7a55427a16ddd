# SPDX-License-Identifier: Apache-2.0
"""What makes up for classes of different sizes after the split: --balance over and --balance weights."""
from collections import Counter

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from pack_tools import SPLITS, PackTest, h5py, main, noise, ordered, run


class Balance(PackTest):
    sizes = {"a": 60, "b": 33, "c": 10}

    def folder(self, prefix="", **sizes):
        for label, n in (sizes or self.sizes).items():
            for i in range(n):
                self.save(f"{prefix}{label}/{i:03d}.png", noise(8, 8, ord(label) * 1000 + i))

    def stored(self, split, path=None):
        """(ids, labels, pixels, weights or None) of a split of a dataset in one file"""
        with h5py.File(path or self.out) as file:
            group = file[split]
            return ([name.decode() for name in group["id"][:]], group["label"][:], group["images"][:],
                    group["weight"][:] if "weight" in group else None)


class Over(Balance):
    def test_each_class_of_train_has_as_many_images_as_the_largest(self):
        self.folder()
        self.log = self.pack("--balance", "over").stderr
        self.assertEqual(Counter(self.stored("train")[1]), {0: 48, 1: 48, 2: 48})
        self.assertIn("train gets 48 images of each class, 61 of all are repeated", self.log)

    def test_the_other_splits_stay_as_they_are_and_share_no_image_with_train(self):
        self.folder()
        self.pack("--balance", "over")
        plain = self.root / "plain.h5"
        self.assertEqual(run(self.packer, self.src, plain).returncode, 0)
        for split in "val", "test":
            self.assertEqual(self.stored(split)[0], self.stored(split, plain)[0])
        ids = {split: set(self.stored(split)[0]) for split in SPLITS}
        self.assertEqual(ids["train"], set(self.stored("train", plain)[0]))
        self.assertFalse(ids["train"] & (ids["val"] | ids["test"]))

    def test_no_image_is_repeated_more_than_once_more_than_another_of_its_class(self):
        self.folder()
        self.pack("--balance", "over")
        ids, labels, _, _ = self.stored("train")
        for label in range(3):
            times = Counter(Counter(name for name, of in zip(ids, labels) if of == label).values())
            self.assertEqual(times, {0: {1: 48}, 1: {1: 6, 2: 21}, 2: {6: 8}}[label])

    def test_a_repeat_has_the_id_and_the_pixels_of_the_image(self):
        self.folder()
        self.pack("--balance", "over", "--seed", "3")
        plain = self.root / "plain.h5"
        self.assertEqual(run(self.packer, self.src, plain, "--seed", "3").returncode, 0)
        pixels = dict(zip(*self.stored("train", plain)[::2]))
        for name, image in zip(*self.stored("train")[::2]):
            np.testing.assert_array_equal(image, pixels[name])

    def test_the_seed_draws_what_is_repeated(self):
        self.folder("train/")
        drawn = []
        for seed in (1, 1, 2):
            self.out.unlink(missing_ok=True)
            self.pack("--balance", "over", "--seed", seed)
            drawn.append(self.stored("train")[0])
        self.assertEqual(drawn[0], drawn[1])
        self.assertNotEqual(drawn[0], drawn[2])

    def test_the_statistics_are_those_of_the_stored_images(self):
        self.folder()
        self.pack("--balance", "over")
        pixels = self.stored("train")[2].reshape(-1, 3)
        with h5py.File(self.out) as file:
            np.testing.assert_allclose(file.attrs["mean"], pixels.mean(0), rtol=1e-12)
            np.testing.assert_allclose(file.attrs["std"], pixels.std(0), rtol=1e-12)

    def test_repeats_are_no_duplicates(self):
        self.folder()
        self.assertIn("no duplicates", self.pack("--balance", "over").stderr)
        with h5py.File(self.out) as file:
            self.assertEqual(list(file.attrs["duplicates"]), [0, 0, 0, 0])

    def test_bad_images_are_counted_once_and_left_out(self):
        self.folder()
        (self.src / "c/bad.png").write_bytes(b"no image")
        self.pack_fails("1 of 104 files are no good", arguments=("--balance", "over"))
        self.pack("--balance", "over", "--skip-bad")
        self.assertEqual(Counter(self.stored("train")[1]), {0: 48, 1: 48, 2: 48})

    def test_parts_are_those_of_a_dataset_packed_at_once(self):
        self.folder()
        arguments = ("--balance", "over", "--size", "8x8", "--shard-size", 7 * 8 * 8 * 3)
        for encoding in "raw", "jpeg":
            joined, whole = self.root / f"joined-{encoding}", self.root / f"whole-{encoding}"
            for i in range(4):
                self.out = joined
                self.pack(*arguments, "--encoding", encoding, "--part", f"{i}/4")
            done = run(self.packer, "--join", joined)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("no duplicates", done.stderr)
            self.out = whole
            self.pack(*arguments, "--encoding", encoding)
            self.assertEqual(ordered(joined), ordered(whole))

    def test_a_dataset_packed_again_keeps_its_repeats(self):
        self.folder("train/")
        self.pack("--balance", "over")
        first, self.src, self.out = self.out, self.out, self.root / "again.h5"
        self.assertIn("no duplicates", self.pack().stderr)
        self.assertEqual(self.stored("train")[0], self.stored("train", first)[0])

    def test_images_drawn_for_validation_from_a_dataset_with_repeats_leave_train(self):
        self.folder("train/")
        self.pack("--balance", "over")
        self.src, self.out = self.out, self.root / "again.h5"
        self.pack("--val", "0.3")
        val = self.stored("val")[0]
        self.assertEqual(len(val), len(set(val)))
        self.assertEqual(len(val), 18 + 10 + 3)
        self.assertFalse(set(val) & set(self.stored("train")[0]))

    def test_amounts_of_a_dataset_with_repeats_count_each_image_once(self):
        self.folder("train/")
        self.pack("--balance", "over")
        self.src, self.out = self.out, self.root / "again.h5"
        self.pack("--per-class", "20")
        self.assertEqual(Counter(self.stored("train")[1]), {0: 20, 1: 20, 2: 10})


class Weights(Balance):
    def test_images_have_the_weights_of_scikit_learn(self):
        self.folder()
        done = self.pack("--balance", "weights")
        labels = self.stored("train")[1]
        self.assertEqual(len(labels), 48 + 27 + 8)
        wanted = compute_class_weight("balanced", classes=np.arange(3), y=labels).astype(np.float32)
        for split in SPLITS:
            _, labels, _, weights = self.stored(split)
            np.testing.assert_array_equal(weights, wanted[labels])
        self.assertIn("train weights: mean 1,", done.stdout)

    def test_they_are_multiplied_by_those_of_the_images(self):
        self.folder("train/")
        table = self.root / "weights.csv"
        given = {f"train/{c}/{i:03d}.png": 0.25 * (i + 1) for c, n in self.sizes.items() for i in range(n)}
        table.write_text("file,weight\n" + "".join(f"{name},{weight}\n" for name, weight in given.items()))
        self.pack("--balance", "weights", "--weights", table)
        ids, labels, _, weights = self.stored("train")
        wanted = compute_class_weight("balanced", classes=np.arange(3), y=labels)[labels] * [given[name] for name in ids]
        np.testing.assert_allclose(weights, wanted, rtol=1e-6)

    def test_the_images_left_without_the_bad_ones_are_weighed(self):
        self.folder("train/")
        for i in range(20):
            (self.src / f"train/b/{i:03d}.png").write_bytes(b"no image")
        self.pack("--balance", "weights", "--skip-bad")
        _, labels, _, weights = self.stored("train")
        self.assertEqual(Counter(labels), {0: 60, 1: 13, 2: 10})
        np.testing.assert_array_equal(
            weights, compute_class_weight("balanced", classes=np.arange(3), y=labels).astype(np.float32)[labels])

    def test_amounts_can_be_asked_for_too(self):
        self.folder("train/")
        self.pack("--balance", "weights", "--per-class", "30")
        _, labels, _, weights = self.stored("train")
        self.assertEqual(Counter(labels), {0: 30, 1: 30, 2: 10})
        self.assertAlmostEqual(weights[labels == 2].sum(), weights[labels == 0].sum(), places=4)


if __name__ == "__main__":
    main()
