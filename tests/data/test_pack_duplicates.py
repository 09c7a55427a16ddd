# SPDX-License-Identifier: Apache-2.0
"""Duplicates: copies that are planted among generated images are found, said, listed, dropped and grouped."""
import csv
import io

from PIL import Image, ImageOps
from pack_tools import PackTest, h5py, main, noise, np, run


def jpeg(image):
    """The image after JPEG of quality 70."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=70)
    return Image.open(file).convert("RGB")


COPIES = {
    "exact": lambda image: image,
    "jpeg": jpeg,
    "half": lambda image: image.resize((image.width // 2, image.height // 2), Image.BILINEAR),
    "larger": lambda image: image.resize((image.width * 3 // 2, image.height * 3 // 2), Image.BICUBIC),
    "mirrored": ImageOps.mirror,
    "mirrored-jpeg": lambda image: jpeg(ImageOps.mirror(image)),
}


def picture(seed):
    return Image.fromarray(noise(64, 64, seed))


class Duplicates(PackTest):
    def listed(self, *arguments):
        """The rows of the list that a packing writes; its log is self.log."""
        path = self.root / "duplicates.csv"
        self.out.unlink(missing_ok=True)
        self.log = self.pack("--duplicates-list", path, *arguments).stderr
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def attribute(self):
        with h5py.File(self.out) as file:
            return file.attrs["duplicates"].tolist()

    def classes(self, n=20, prefix=""):
        """2n different images in two classes."""
        for i in range(2 * n):
            self.save(f"{prefix}{'ab'[i % 2]}/{i:03d}.png", picture(i))

    def test_planted_copies_are_found_and_nothing_else(self):
        self.classes(100)
        planted = {}
        for i in range(60):
            kind = list(COPIES)[i % len(COPIES)]
            name = f"{'ab'[i % 2]}/copy-{kind}-{i:03d}.png"
            self.save(name, COPIES[kind](picture(i)))
            planted[name] = f"{'ab'[i % 2]}/{i:03d}.png"
        rows = self.listed("--encoding", "jpeg")
        self.assertEqual({max(row["first"], row["second"]): min(row["first"], row["second"]) for row in rows},
                         planted)
        likeness = {"exact": "exact", "mirrored": "mirrored", "mirrored-jpeg": "mirrored"}
        for row in rows:
            kind = max(row["first"], row["second"]).split("copy-")[1][:-8]
            self.assertEqual(row["likeness"], likeness.get(kind, "near"), row)
            self.assertLessEqual(int(row["distance"]), 0 if kind in ("exact", "mirrored") else 10, row)
        self.assertEqual(self.attribute(), [60, 120, self.attribute()[2], 0])

    def test_those_in_different_splits_and_classes_are_said_first(self):
        self.classes(prefix="train/")
        self.classes(2, prefix="test/")  # the same images
        self.save("train/b/other.png", picture(4))
        rows = self.listed()
        self.assertEqual([(row["first_split"], row["second_split"]) for row in rows].count(("train", "test")), 4)
        self.assertIn('warn: 4 sets of duplicates have images in different splits, such as train/a/000.png (train, "a") and '
                      'test/a/000.png (test, "a")', self.log)
        self.assertIn('warn: 1 set of duplicates has images of different classes, such as train/a/004.png (train, "a") and '
                      'train/b/other.png (train, "b")', self.log)
        self.assertIn("duplicates: 5 sets of 10 images, 5 of them exact copies", self.log)
        self.assertEqual(self.attribute(), [5, 10, 4, 1])

    def test_a_set_has_one_line_less_than_images(self):
        self.classes()
        for kind, copy in COPIES.items():
            self.save(f"a/copy-{kind}.png", copy(picture(0)))
        rows = self.listed("--encoding", "jpeg")
        self.assertEqual([row["set"] for row in rows], ["1"] * len(COPIES))
        self.assertEqual(len({row[side] for row in rows for side in ("first", "second")}), len(COPIES) + 1)

    def test_drop_keeps_the_first_of_each_set_and_prefers_train(self):
        self.classes(prefix="train/")
        self.classes(2, prefix="test/")
        for i in range(4, 12):
            self.save(f"test/{'ab'[i % 2]}/{i + 100}.png", picture(i + 100))
        self.save("train/b/zz.png", jpeg(picture(0)))
        self.assertEqual(len(self.listed("--duplicates", "drop")), 5)
        kept = self.samples()
        self.assertEqual(len(kept), 40 + 8)
        self.assertEqual({name for name in kept if "00" in name[-7:-5] and name[:4] == "test"}, set())
        self.assertNotIn("train/b/zz.png", kept)
        self.assertIn("5 of 53 images are left out, as duplicates of others", self.log)
        self.assertEqual(self.attribute(), [0, 0, 0, 0])

    def test_group_keeps_a_set_in_one_split_together_with_the_given_groups(self):
        for i in range(60):  # p00 to p19 with three images each
            self.save(f"{'ab'[i % 2]}/p{i // 3:02d}-{i:02d}.png", picture(i))
        for i in range(0, 60, 7):
            self.save(f"{'ab'[i % 2]}/copy-{i:02d}.png", jpeg(picture(i)))
        self.listed("--duplicates", "group", "--group-regex", "(p[0-9]+)-", "--split", "0.5,0.25,0.25")
        splits = {}
        for name, (split, _, _) in self.samples().items():
            of = f"p{int(name[-6:-4]) // 3:02d}" if "copy" in name else name[2:5]
            splits.setdefault(of, set()).add(split)
        self.assertTrue(all(len(found) == 1 for found in splits.values()), splits)
        self.assertEqual(self.attribute()[2], 0)

    def test_group_alone_makes_groups_of_the_sets(self):
        self.classes(30)
        for i in range(20):
            self.save(f"{'ab'[i % 2]}/copy-{i:03d}.png", jpeg(picture(i)))
        rows = self.listed("--duplicates", "group", "--split", "0.4,0.3,0.3")
        self.assertEqual({row["first_split"] == row["second_split"] for row in rows}, {True})
        self.assertEqual(len(rows), 20)

    def test_fail_names_them(self):
        self.classes()
        self.save("a/copy.png", picture(0))
        self.pack_fails("a/copy.png is a duplicate of a/000.png", "1 of 41 images are duplicates of others (named above)",
                        arguments=("--duplicates", "fail"))

    def test_images_of_one_colour_are_duplicates_only_if_equal(self):
        self.classes()
        for i, value in enumerate((0, 0, 3, 90, 255)):
            self.save(f"a/flat-{i}.png", np.full((64, 64, 3), value, np.uint8))
        self.assertEqual([(row["first"], row["second"]) for row in self.listed()], [("a/flat-0.png", "a/flat-1.png")])

    def test_bad_files_are_left_out_as_ever(self):
        self.classes()
        self.save("a/copy.png", picture(0))
        (self.src / "a/bad.png").write_bytes(b"no image")
        self.assertEqual(len(self.listed("--duplicates", "drop", "--skip-bad")), 1)
        self.assertEqual(len(self.samples()), 40)

    def test_those_in_different_parts_are_found_when_they_are_joined(self):
        self.classes(prefix="train/")
        self.classes(2, prefix="test/")
        self.pack_fails("not with --part", arguments=("--part", "0/2", "--duplicates", "drop"), status=2)
        whole = self.listed()
        numbers = self.attribute()
        joined, listed = self.root / "joined", self.root / "joined.csv"
        self.out = joined
        for i in range(3):
            self.pack("--part", f"{i}/3", "--shard-size", "100K")
        result = run("cnnsweep-pack", "--join", joined, "--duplicates-list", listed)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("warn: 4 sets of duplicates have images in different splits", result.stderr)
        with open(listed, newline="", encoding="utf-8") as file:
            self.assertEqual(list(csv.DictReader(file)), whole)
        for path in joined.glob("*.h5"):
            with h5py.File(path) as file:
                self.assertEqual(file.attrs["duplicates"].tolist(), numbers)

    def test_a_dataset_is_searched_again(self):
        self.classes()
        self.save("a/copy.png", picture(0))
        self.pack()
        self.src, self.out = self.out, self.root / "again.h5"
        self.assertEqual(len(self.listed()), 1)


if __name__ == "__main__":
    main()
