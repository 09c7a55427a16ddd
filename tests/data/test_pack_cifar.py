# SPDX-License-Identifier: Apache-2.0
"""cnnsweep-pack with the binary files of CIFAR. The records are made by numpy, and those of the shared material have PNGs."""
import csv
import pickle
import tarfile

import numpy as np
from PIL import Image
from pack_tools import SPLITS, PackTest, h5py, main, run, shared_archive

NAMES = {"fine": [f"fine {i:02}" for i in range(100)], "coarse": [f"coarse {i:02}" for i in range(20)]}


class Cifar(PackTest):
    def setUp(self):
        super().setUp()
        self.src.mkdir()
        self.rng = np.random.default_rng(3)

    def write(self, name, labels):
        """Writes records of random pixels; labels has a row for each. Returns the pixels, [n, 32, 32, 3]."""
        labels = np.asarray(labels, np.uint8).reshape(len(labels), -1)
        pixels = self.rng.integers(0, 256, (len(labels), 3, 32, 32), dtype=np.uint8)
        (self.src / name).write_bytes(np.hstack([labels, pixels.reshape(len(labels), -1)]).tobytes())
        return pixels.transpose(0, 2, 3, 1)

    def write_names(self):
        for kind, names in NAMES.items():
            (self.src / f"{kind}_label_names.txt").write_text("\n".join(names) + "\n\n")

    def classes(self):
        with h5py.File(self.out) as file:
            return [name.decode() for name in file.attrs["classes"]]

    def check(self, wanted):
        """wanted: {id: (split, class name, pixels)}"""
        found, classes = self.samples(), self.classes()
        self.assertEqual({name: (split, classes[label]) for name, (split, label, _) in found.items()},
                         {name: (split, label) for name, (split, label, _) in wanted.items()})
        for name, (_, _, pixels) in wanted.items():
            np.testing.assert_array_equal(found[name][2], pixels, name)


class Ten(Cifar):
    def test_batches_are_train_and_test(self):
        names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
        (self.src / "batches.meta.txt").write_text("\n".join(names) + "\n\n")
        wanted = {}
        for name in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]:
            labels = self.rng.permutation(20) % 10
            for i, pixels in enumerate(self.write(name, labels)):
                wanted[f"{name}:{i}"] = ("test" if name[0] == "t" else "train", names[labels[i]], pixels)
        self.pack()
        self.check(wanted)
        self.assertEqual(self.classes(), names)
        self.pack_fails("which has no labels 'coarse'; it has fine", arguments=("--labels", "coarse"))

    def test_a_batch_alone_is_split(self):
        labels = np.arange(200) % 10
        pixels = self.write("data_batch_1.bin", labels)
        self.src /= "data_batch_1.bin"
        self.pack()
        found = self.samples()
        self.check({f"data_batch_1.bin:{i}": (found[f"data_batch_1.bin:{i}"][0], str(labels[i]), pixels[i]) for i in range(200)})
        self.assertEqual({split for split, _, _ in found.values()}, set(SPLITS))


class Hundred(Cifar):
    def setUp(self):
        super().setUp()
        self.labels = {name: [(i % 20, i % 100) for i in self.rng.permutation(300)] for name in ("train.bin", "test.bin")}
        self.pixels = {name: self.write(name, labels) for name, labels in self.labels.items()}

    def wanted(self, kind, name_of=lambda kind, label: NAMES[kind][label]):
        return {f"{name}:{i}": (name[:-4], name_of(kind, labels[kind == "fine"]), self.pixels[name][i])
                for name in self.labels for i, labels in enumerate(self.labels[name])}

    def test_labels_are_fine_or_coarse(self):
        self.write_names()
        for kind in ("fine", "coarse"):
            self.out = self.root / f"{kind}.h5"
            self.pack(*([] if kind == "fine" else ["--labels", kind]))
            self.check(self.wanted(kind))
            self.assertEqual(self.classes(), NAMES[kind])

    def test_without_a_file_of_names_classes_are_numbers_in_their_order(self):
        self.pack()
        self.check(self.wanted("fine", lambda kind, label: str(label)))
        self.assertEqual(self.classes(), [str(i) for i in range(100)])

    def test_some_classes_are_chosen_and_some_of_train_is_val(self):
        self.write_names()
        chosen = NAMES["fine"][3:100:4]
        self.pack("--classes", ",".join(chosen), "--val", "0.34")
        self.assertEqual(self.classes(), chosen)
        for split, each in (("train", 2), ("val", 1), ("test", 3)):
            with h5py.File(self.out) as file:
                self.assertEqual(np.bincount(file[split]["label"]).tolist(), [each] * 25)

    def test_files_that_are_cut_or_have_other_labels_are_refused(self):
        whole = (self.src / "train.bin").read_bytes()
        (self.src / "train.bin").write_bytes(whole[:-1])
        self.pack_fails("train.bin: 922199 bytes are not whole records of 3074", "cut short")
        (self.src / "train.bin").write_bytes(whole[:3074 * 5 + 1] + b"\x64" + whole[3074 * 5 + 2:])
        self.pack_fails("train.bin: record 5: label 100 of 100 classes")
        (self.src / "train.bin").write_bytes(whole)
        (self.src / "fine_label_names.txt").write_text("apple\nbear\n")
        self.pack_fails("fine_label_names.txt: 2 names, not those of 100 classes")
        (self.src / "fine_label_names.txt").write_text("\n".join(NAMES["fine"][:99] + NAMES["fine"][:1]))
        self.pack_fails("fine_label_names.txt: classes 0 and 99 are both called 'fine 00'")

    def test_the_python_version_is_named_and_not_loaded(self):
        class Trap:
            def __reduce__(self):
                return (open, (str(trap), "w"))

        trap, self.src = self.root / "trap", self.root / "cifar-batches-py"
        self.src.mkdir()
        for names in (("data_batch_1", "test_batch", "batches.meta"), ("train", "test", "meta")):
            for name in names:
                for protocol in (2, 4):
                    (self.src / name).write_bytes(pickle.dumps({"data": Trap()}, protocol))
                    for source in (self.src, self.src / name):
                        done = run(self.packer, source, self.out)
                        self.assertEqual(done.returncode, 1)
                        self.assertIn(f"{source}: a pickle of Python, which is not read", done.stderr)
                        self.assertIn("binary.tar.gz", done.stderr)
            for name in names:
                (self.src / name).unlink()
        self.assertFalse(trap.exists())

    def test_a_missing_file_is_named(self):
        (self.src / "test.bin").unlink()
        self.assertIn("test.bin: not there", self.pack().stderr)
        self.assertEqual(len(self.samples()), 300)


class Shared(Cifar):
    def test_records_have_the_pixels_of_the_pngs_of_the_same_images(self):
        archive, records = (shared_archive(name) for name in ("cifar100_25class_test_png.tar", "cifar100_rebuilt_layout_500.bin"))
        if not archive:
            self.skipTest("needs the shared test material")
        rows = list(csv.DictReader(records.with_suffix(".csv").read_text().splitlines()))
        with tarfile.open(archive) as tar:
            tar.extractall(self.src)
        (self.src / "test").rename(self.src / "train")
        self.pack()
        pngs, names = self.samples(), self.classes()
        self.src, self.out = records, self.root / "records.h5"
        self.pack()
        found, numbers = self.samples(), self.classes()
        self.assertEqual(len(found), 500)
        for row in rows:
            _, label, pixels = found[f"{records.name}:{row['record']}"]
            png = pngs["train" + row["file"][len("test"):]]
            np.testing.assert_array_equal(pixels, png[2], row["file"])
            self.assertEqual((numbers[label], names[png[1]]), (row["fine"], row["file"].split("/")[1]))

    def test_25_classes_are_the_same_from_records_and_from_pngs(self):
        """The experiment's set: 12,500 and 2,500 images, 10 % of train for validation. The records are written by Pillow and numpy,
        with records of other classes between them, which are left out."""
        archives = [shared_archive(f"cifar100_25class_{split}_png.tar") for split in ("train", "test")]
        if not archives[0]:
            self.skipTest("needs the shared test material")
        fine = {row["name"]: int(row["fine"]) for row in
                csv.DictReader(shared_archive("cifar100_fine_coarse.csv").read_text().splitlines())}
        for archive in archives:
            with tarfile.open(archive) as tar:
                tar.extractall(self.src)
        records = self.root / "records"
        records.mkdir()
        (records / "fine_label_names.txt").write_text("\n".join(sorted(fine, key=fine.get)) + "\n")
        ids = {}
        for split in "train", "test":
            paths = sorted((self.src / split).glob("*/*.png"))
            others = sorted(set(fine.values()) - {fine[path.parent.name] for path in paths})
            rows = []
            for path in paths:
                if len(rows) % 3 == 0:
                    rows.append(bytes([0, others[len(rows) % len(others)]]) + bytes(3072))
                ids[f"{split}.bin:{len(rows)}"] = str(path.relative_to(self.src))
                rows.append(bytes([0, fine[path.parent.name]]) + np.asarray(Image.open(path)).transpose(2, 0, 1).tobytes())
            (records / f"{split}.bin").write_bytes(b"".join(rows))
        self.pack("--val", "0.1")
        pngs, names = self.samples(), self.classes()
        self.src, self.out = records, self.root / "records.h5"
        self.pack("--val", "0.1", "--classes", ",".join(names))
        found = {ids[name]: sample for name, sample in self.samples().items()}
        self.assertEqual(self.classes(), names)
        self.assertEqual([sum(split == of for split, _, _ in found.values()) for of in SPLITS], [11250, 1250, 2500])
        self.assertEqual({name: sample[:2] for name, sample in found.items()}, {name: sample[:2] for name, sample in pngs.items()})
        for name, (_, _, pixels) in found.items():
            np.testing.assert_array_equal(pixels, pngs[name][2], name)


main()
