# SPDX-License-Identifier: Apache-2.0
"""How many images are taken of each class: --balance, --per-class and --total, alone and together."""
from collections import Counter

from pack_tools import SPLITS, PackTest, h5py, main, noise


class Amounts(PackTest):
    sizes = {"a": 90, "b": 40, "c": 11}

    def folder(self, prefix="", **sizes):
        for label, n in (sizes or self.sizes).items():
            for i in range(n):
                self.save(f"{prefix}{label}/{i:03d}.png", noise(3, 3, i))

    def taken(self, *arguments, splits=SPLITS):
        """{class: images} after packing."""
        self.out.unlink(missing_ok=True)
        self.log = self.pack(*arguments).stderr
        found = Counter()
        with h5py.File(self.out) as file:
            names = [name.decode() for name in file.attrs["classes"]]
            for split in splits:
                found.update(names[label] for label in file[split]["label"][:])
        return dict(found)

    def test_balance_takes_as_many_of_each_class_as_the_smallest_has(self):
        self.folder()
        self.assertEqual(self.taken("--balance", "under"), {"a": 11, "b": 11, "c": 11})
        self.assertIn("33 of 141 images are taken, drawn by the seed 0", self.log)

    def test_per_class_takes_at_most_so_many(self):
        self.folder()
        self.assertEqual(self.taken("--per-class", 30), {"a": 30, "b": 30, "c": 11})

    def test_total_takes_the_same_fraction_of_each_class(self):
        self.folder()
        self.assertEqual(self.taken("--total", 47), {"a": 30, "b": 13, "c": 4})  # 47 / 141 is a third
        self.assertEqual(self.taken("--total", 1000), self.sizes)

    def test_they_can_be_combined(self):
        self.folder()
        self.assertEqual(self.taken("--balance", "under", "--total", 30), {"a": 10, "b": 10, "c": 10})
        self.assertEqual(self.taken("--per-class", 30, "--total", 71), {"a": 30, "b": 30, "c": 11})

    def test_the_images_are_drawn_by_the_seed(self):
        self.folder()
        drawn = []
        for seed in (1, 1, 2):
            self.taken("--per-class", 10, "--seed", seed)
            drawn.append({name for name in self.samples()})
        self.assertEqual(drawn[0], drawn[1])
        self.assertNotEqual(drawn[0], drawn[2])
        self.assertNotEqual({name for name in drawn[0] if name[0] == "a"}, {f"a/{i:03d}.png" for i in range(10)})

    def test_only_train_is_drawn_from_where_the_source_is_split(self):
        self.folder("train/")
        self.folder("test/", a=9, b=8, c=7)
        self.assertEqual(self.taken("--per-class", 5, splits=("train",)), {"a": 5, "b": 5, "c": 5})
        self.assertEqual(self.taken("--per-class", 5, splits=("test",)), {"a": 9, "b": 8, "c": 7})

    def test_groups_stay_whole_among_what_is_taken(self):
        for i in range(60):
            self.save(f"{'ab'[i % 3 == 0]}/p{i // 4:02d}_{i}.png", noise(3, 3, i))
        self.taken("--group-regex", "p([0-9]+)_", "--per-class", 15)
        splits = {}
        for name, (split, _, _) in self.samples().items():
            splits.setdefault(name[2:5], set()).add(split)
        self.assertTrue(all(len(s) == 1 for s in splits.values()), splits)

    def test_parts_take_the_same_images(self):
        self.folder()
        self.taken("--per-class", 20)
        whole = set(self.samples())
        joined = self.root / "joined"
        for i in range(2):
            self.out = joined
            self.pack("--per-class", 20, "--part", f"{i}/2")
        found = set()
        for path in joined.parent.glob("joined.parts/*/*.h5"):
            with h5py.File(path) as file:
                for split in SPLITS:
                    found |= {name.decode() for name in file[split]["id"][:]}
        self.assertEqual(found, whole)

    def test_a_class_without_images_to_train_is_named(self):
        self.folder("train/", a=5, b=5)
        self.folder("test/", a=2, b=2)
        (self.src / "train/c").mkdir()
        self.pack_fails('class "c" has no images to train on', arguments=("--balance", "under"))

    def test_other_ways_are_refused(self):
        self.folder()
        self.pack_fails("\"smote\" is not none, under, over or weights", arguments=("--balance", "smote"), status=2)


if __name__ == "__main__":
    main()
