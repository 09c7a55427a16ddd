# SPDX-License-Identifier: Apache-2.0
"""cnnsweep-pack with a dataset as its source. h5py reads both datasets; Pillow says what a stored image is at another size."""
import csv

import numpy as np
from PIL import Image
from pack_tools import SOURCE, SPLITS, PackTest, h5py, main, noise, run


class Packed(PackTest):
    """Packs images of five classes from a table with splits, groups and weights; then self.src is the dataset."""

    def setUp(self):
        super().setUp()
        rows = []
        for i in range(60):
            name = self.save(f"{i}.jpg", noise(24, 32, i), quality=90).name
            rows.append((name, i % 5, SPLITS[i // 5 % 6 // 2 if i % 3 else 0], f"p{i // 4}" if i % 7 else "", i / 4))
        with open(self.src / "labels.csv", "w", newline="") as file:
            csv.writer(file).writerows([("path", "label", "split", "group", "weight"), *rows])
        self.table = self.src / "labels.csv"

    def first(self, *arguments, name="first.h5"):
        self.src, self.out = self.table, self.root / name
        self.pack(*arguments)
        self.src, self.out = self.out, self.root / "second.h5"

    def read(self, path, label_names=True):
        """{id: (split, class, group, weight, stored bytes)}"""
        found = {}
        for file in sorted(path.glob("shard-*.h5")) if path.is_dir() else [path]:
            with h5py.File(file) as file:
                classes = file.attrs["classes"]
                for split in SPLITS:
                    group = file[split]
                    for i, name in enumerate(group["id"][:]):
                        data = (group["images"][i] if "images" in group else
                                group["jpeg"][group["offset"][i]:group["offset"][i + 1]])
                        found[name.decode()] = (split, classes[group["label"][i]].decode(), group["group"][i], group["weight"][i],
                                                data.tobytes())
        return found

    def attribute(self, name):
        with h5py.File(self.out) as file:
            return file.attrs[name]


class Images(Packed):
    def test_all_that_is_stored_of_a_sample_stays_as_it_was(self):
        for name, arguments, same in (("raw.h5", (), ()), ("resized.h5", ("--size", "16x12"), ()),
                                      ("jpeg.h5", ("--encoding", "jpeg"), ("--encoding", "jpeg")),
                                      ("shards", ("--shard-size", "20000"), ()),
                                      ("jpeg shards", ("--shard-size", "9000", "--encoding", "jpeg"), ("--encoding", "jpeg"))):
            self.first(*arguments, name=name)
            self.out = self.root / f"second of {name}.h5"
            self.pack(*same)
            self.assertEqual(self.read(self.out), self.read(self.src))

    def test_the_dataset_of_raw_images_packed_again_is_the_same_file(self):
        self.first()
        self.pack()
        self.assertEqual(self.out.read_bytes(), self.src.read_bytes())

    def test_images_are_resized_as_pillow_resizes_the_stored_ones(self):
        self.first()
        self.pack("--size", "20x10")
        stored = self.samples(self.src)
        for name, (_, _, pixels) in self.samples().items():
            wanted = np.asarray(Image.fromarray(stored[name][2]).resize((20, 10), Image.BILINEAR)).astype(int)
            self.assertLessEqual(abs(wanted - pixels).max(), 1, name)

    def test_stored_jpegs_are_decoded(self):
        self.first("--encoding", "jpeg")
        self.pack()
        whole = self.samples()
        self.src, self.out = self.table, self.root / "raw.h5"
        self.pack()
        for name, (_, _, pixels) in self.samples().items():
            np.testing.assert_array_equal(pixels, whole[name][2])

    def test_filters_of_both_runs_are_recorded_and_those_of_the_first_leave_jpegs_as_they_are(self):
        self.first("--filter", "median", "--encoding", "jpeg")
        first = self.read(self.src)
        self.pack("--encoding", "jpeg")
        self.assertEqual((self.attribute("filter"), self.read(self.out)), (b"median", first))
        self.out = self.root / "third.h5"
        self.pack("--filter", "gaussian")
        self.assertEqual(self.attribute("filter"), b"median,gaussian")

    def test_the_rules_by_which_raw_images_were_decoded_stay_recorded(self):
        self.first("--depth16", "scale")
        first = self.src
        self.pack("--size", "8x8")
        with h5py.File(first) as file:
            self.assertEqual(file.attrs["decode"], self.attribute("decode"))


class Classes(Packed):
    def test_classes_are_chosen_and_grouped_again(self):
        self.first("--only", "0,1,2,4")
        self.pack("--map", "0=healthy,1-2=mild", "--classes", "mild,healthy")
        wanted = {name: (split, {"0": "healthy", "1": "mild", "2": "mild"}[label], *rest)
                  for name, (split, label, *rest) in self.read(self.src).items() if label != "4"}
        self.assertEqual(self.read(self.out), wanted)
        self.assertEqual([name.decode() for name in self.attribute("source_classes")], ["0", "1", "2", "3", "4"])
        self.assertEqual(self.attribute("source_labels").tolist(), [1, 0, 0, -1, -1])

    def test_classes_keep_their_order(self):
        self.first("--classes", "4,0,2")
        self.pack()
        self.assertEqual([name.decode() for name in self.attribute("classes")], ["4", "0", "2"])

    def test_some_of_train_can_become_val_where_there_is_none(self):
        self.table.write_text(self.table.read_text().replace(",val,", ",train,"))
        self.first()
        self.pack_fails("is split already", arguments=("--split", "0.8,0.1,0.1"))
        self.pack("--val", "0.25")
        before, after = self.read(self.src), self.read(self.out)
        for name, row in before.items():
            self.assertIn(after[name][0], ("train", "val") if row[0] == "train" else ("test",))
        n = sum(row[0] == "train" for row in before.values())
        self.assertLess(abs(sum(row[0] == "val" for row in after.values()) - 0.25 * n), 4)
        train, val = ({row[2] for row in after.values() if row[0] == split} - {b""} for split in ("train", "val"))
        self.assertFalse(train & val)


class Mistakes(Packed):
    def test_damaged_datasets_and_other_files_of_hdf5_are_refused(self):
        self.first()
        whole = bytearray(self.src.read_bytes())
        with h5py.File(self.src) as file:
            at = file["train/images"].id.get_offset()
        whole[at] ^= 1
        self.src.write_bytes(whole)
        self.pack_fails("first.h5: altered or damaged")
        with h5py.File(self.src, "w") as file:
            file["x"] = 1
        self.pack_fails("first.h5: not a cnnsweep dataset")

    def test_ids_of_no_bytes_are_refused(self):
        """The older form of HDF5, in which this dataset is, has no checksums of its own that would refuse the change."""
        whole = bytearray((SOURCE / "tests/fuzz/corpus/dataset/raw").read_bytes())
        at = whole.rindex(text := b"\x13\x01\0\0\x08\0\0\0", 0, whole.rindex(text))  # text of 8 bytes; the last is of test
        whole[at + 4] = 0
        self.src = self.root / "raw.h5"
        self.src.write_bytes(whole)
        self.pack_fails("raw.h5: val/id has values of no bytes")

    def test_raw_images_without_pixels_are_refused(self):
        self.first("--size", "8x6")
        with h5py.File(self.src, "r+") as file:
            file.attrs.modify("width", np.int32(0))
            for split in SPLITS:
                n = len(file[f"{split}/label"])
                del file[f"{split}/images"]
                file.create_dataset(f"{split}/images", (n, 6, 0, 3), np.uint8)
        self.pack_fails("first.h5: raw images of 0 x 6")

    def test_parts_make_the_same_dataset(self):
        self.first()
        self.out = self.root / "parts"
        arguments = ("--only", "1,3", "--shard-size", "9000")
        for i in range(2):
            self.pack(*arguments, "--part", f"{i}/2")
        self.assertEqual(run(self.packer, "--join", self.out).returncode, 0)
        parts, self.out = self.out, self.root / "whole"
        self.pack(*arguments)
        self.assertEqual(*([path.read_bytes() for path in sorted(folder.glob("shard*"))] for folder in (parts, self.out)))


main()
