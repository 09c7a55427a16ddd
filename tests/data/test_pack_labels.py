# SPDX-License-Identifier: Apache-2.0
"""cnnsweep-pack --map, --classes and --only: classes are grouped, left out and ordered, and the dataset records it."""
import csv
import os
import re

import numpy as np
from pack_tools import SPLITS, PackTest, h5py, main, noise, run, shared_archive

GRADES = [str(i) for i in range(5)]


class Labels(PackTest):
    def setUp(self):
        super().setUp()
        for i in range(60):
            self.save(f"{i % 5}/{i}.png", noise(6, 8, i))

    def packed(self, *arguments):
        """({id: class name}, the classes in their order)"""
        self.out = self.root / f"{len(list(self.root.iterdir()))}.h5"
        self.done = self.pack(*arguments)
        with h5py.File(self.out) as file:
            classes = [name.decode() for name in file.attrs["classes"]]
            return {name.decode(): classes[label] for split in SPLITS
                    for name, label in zip(file[split]["id"][:], file[split]["label"][:])}, classes

    def recorded(self):
        with h5py.File(self.out) as file:
            return dict(zip((name.decode() for name in file.attrs["source_classes"]), map(int, file.attrs["source_labels"])))

    def check(self, arguments, mapping, classes):
        """The images of the classes in the mapping are packed, with its names; the dataset records it."""
        found, order = self.packed(*arguments)
        self.assertEqual(found, {f"{i % 5}/{i}.png": mapping[str(i % 5)] for i in range(60) if str(i % 5) in mapping})
        self.assertEqual(order, classes)
        self.assertEqual(self.recorded(), {grade: classes.index(mapping[grade]) if grade in mapping else -1 for grade in GRADES})


class Names(PackTest):
    RAW = (b"new\nline", b"caf\xc3\xa9", b"caf\xe9", b"tab\t", b"over\xc0\xaf", b"\xed\xa0\x80surrogate", b"\xf0\x9f\x90\xa6", b"end\xe2\x82")

    def test_names_are_stored_as_printable_utf8(self):
        for i, name in enumerate(self.RAW):
            for k in range(3):
                image = self.save("spare.png", noise(4, 4, i + k))
                folder = os.path.join(os.fsencode(self.src), name)
                os.makedirs(folder, exist_ok=True)
                os.rename(image, os.path.join(folder, b"%d.png" % k))
        done = self.pack()
        wanted = {re.sub(r"[\x00-\x1f\x7f]", lambda c: f"\\x{ord(c[0]):02x}", name.decode("utf-8", "backslashreplace"))
                  for name in self.RAW}
        with h5py.File(self.out) as file:
            self.assertEqual({name.decode() for name in file.attrs["classes"]}, wanted)
        self.assertEqual({line.split("  ")[0] for line in done.stdout.splitlines()[2:2 + len(wanted)]}, wanted)

    def test_two_names_that_would_be_stored_alike_are_refused(self):
        for name in ("new\nline", "new\\x0aline"):
            self.save(f"{name}/1.png", noise(4, 4, 1))
        self.pack_fails('two classes are called "new\\x0aline"')


class Grouping(Labels):
    def test_classes_of_one_name_become_one(self):
        binary = {grade: "healthy" if grade == "0" else "sick" for grade in GRADES}
        self.check(("--map", "0=healthy,1-4=sick"), binary, ["healthy", "sick"])
        self.check(("--map", "1-4=sick,0=healthy"), binary, ["healthy", "sick"])
        self.check(("--map", "0=healthy,1=sick,4=sick,2-3=sick"), binary, ["healthy", "sick"])

    def test_classes_that_no_rule_names_keep_theirs(self):
        self.check(("--map", "1-2=mild"), {"0": "0", "1": "mild", "2": "mild", "3": "3", "4": "4"}, ["0", "mild", "3", "4"])
        self.check(("--map", "1-2=0"), {"0": "0", "1": "0", "2": "0", "3": "3", "4": "4"}, ["0", "3", "4"])

    def test_a_table_has_the_rules_too(self):
        rules = self.root / "rules.csv"
        with open(rules, "w", newline="") as file:
            csv.writer(file).writerows([("from", "to"), ("0", "none, or few"), ("1-4", 'a "lot" = many')])
        self.check(("--map", rules), {grade: "none, or few" if grade == "0" else 'a "lot" = many' for grade in GRADES},
                   ["none, or few", 'a "lot" = many'])
        rules.write_text("from,to\n0,x\n7,y\n")
        self.pack_fails("rules.csv:3: column 'from': --map: there is no class '7'", arguments=("--map", rules))

    def test_a_class_whose_name_looks_like_a_range_is_meant_first(self):
        (self.src / "0").rename(self.src / "1-4")
        found, order = self.packed("--map", "1-4=range")
        self.assertEqual(order, ["1", "range", "2", "3", "4"])


class Choosing(Labels):
    def test_classes_gives_a_subset_and_its_order(self):
        self.check(("--classes", "4,0,2"), {"0": "0", "2": "2", "4": "4"}, ["4", "0", "2"])

    def test_only_keeps_the_order(self):
        self.check(("--only", "4,0,2"), {"0": "0", "2": "2", "4": "4"}, ["0", "2", "4"])

    def test_names_of_groups_can_be_chosen(self):
        self.check(("--map", "0=healthy,1-4=sick", "--classes", "sick,healthy"),
                   {grade: "healthy" if grade == "0" else "sick" for grade in GRADES}, ["sick", "healthy"])
        self.check(("--map", "0=healthy", "--only", "healthy,4"), {"0": "healthy", "4": "4"}, ["healthy", "4"])

    def test_what_is_left_is_split_as_if_the_rest_had_never_been_there(self):
        chosen, _ = self.packed("--only", "1,3", "--seed", "5")
        with h5py.File(self.out) as file:
            splits = {split: file[split]["id"][:].tolist() for split in SPLITS}
        for grade in "024":
            for path in (self.src / grade).iterdir():
                path.unlink()
            (self.src / grade).rmdir()
        self.packed("--seed", "5")
        with h5py.File(self.out) as file:
            self.assertEqual({split: file[split]["id"][:].tolist() for split in SPLITS}, splits)


class Recording(Labels):
    def test_info_says_what_became_of_the_classes(self):
        self.packed("--map", "0=healthy,1-3=sick", "--only", "healthy,sick")
        for text in (self.done.stdout, run(self.packer, "--info", self.out).stdout):
            for line in ("healthy: 0 of the source", "sick: 1, 2, 3 of the source", "left out: 4"):
                self.assertIn(line, text.splitlines())

    def test_nothing_is_recorded_where_nothing_was_chosen(self):
        self.packed()
        with h5py.File(self.out) as file:
            self.assertNotIn("source_classes", file.attrs)
        self.assertNotIn("of the source", self.done.stdout)

    def test_parts_record_it_too(self):
        self.out = self.root / "joined"
        for i in range(2):
            self.pack("--only", "1,2", "--shard-size", "300", "--part", f"{i}/2")
        self.assertEqual(run(self.packer, "--join", self.out).returncode, 0)
        self.assertIn("left out: 0, 3, 4", run(self.packer, "--info", self.out).stdout.splitlines())

    def test_thousands_of_classes_are_recorded(self):
        table = self.root / "many.csv"
        names = [self.save(f"all/{i}.png", noise(4, 4, i)).relative_to(self.root) for i in range(3000)]
        classes = [f"a class with a rather long name {i}" for i in range(3000)]
        table.write_text("path,label\n" + "".join(f"{name},{label}\n" for name, label in zip(names, classes)))
        rules = self.root / "rules.csv"
        rules.write_text("from,to\n" + "".join(f"{label},{i // 1500}\n" for i, label in enumerate(classes)))
        self.src = table
        self.packed("--map", rules)
        self.assertEqual(self.recorded(), {label: i // 1500 for i, label in enumerate(classes)})

    def test_labels_of_the_source_that_no_class_has_are_refused(self):
        self.packed("--only", "1,2")
        with h5py.File(self.out, "r+") as file:
            file.attrs["source_labels"] = np.array([0, 1, 2, -1, -1], np.int32)
        done = run(self.packer, "--info", self.out)
        self.assertIn("source_labels has 2, but there are 2 classes", done.stderr)


class Mistakes(Labels):
    def test_mistakes_are_named(self):
        for arguments, needle in (
                (("--map", "O=x"), "--map: there is no class 'O'"),
                (("--map", "0=x,0-1=y"), "--map: the class '0' is mapped twice"),
                (("--map", "7-9=x"), "--map: there is no class from 7 to 9"), (("--map", "0="), "--map: '0' gets no name"),
                (("--map", "0=x,1"), "--map: '1' is no rule"), (("--map", "0-4=x"), "--map: only one class is left, 'x'"),
                (("--map", "nowhere.csv"), "--map: nowhere.csv"), (("--only", "0,9"), "--only: there is no class '9'"),
                (("--only", "0"), "--only: only one class"), (("--classes", "1,0,1"), "--classes: '1' is named twice"),
                (("--map", "1-4=sick", "--only", "0,sikc"), "--only: there is no class 'sikc'; did you mean 'sick'?"),
                (("--classes", "0,1", "--only", "0,1"), "--only and --classes: both name")):
            self.pack_fails(needle, arguments=arguments)


class Retinopathy(Labels):
    def test_grades_become_binary_and_the_extremes_alone(self):
        table = shared_archive("eyepacs_trainLabels_35126.csv")
        if not table:
            self.skipTest("needs the shared test material")
        rows = list(csv.DictReader(table.read_text().splitlines()))
        image = self.save("x.jpeg", noise(8, 8, 1))
        images = self.root / "images"
        images.mkdir()
        for row in rows:
            (images / f"{row['image']}.jpeg").hardlink_to(image)
        self.src = table
        base = ("--root", images, "--label-column", "level", "--size", "8x8")
        counts = {grade: sum(row["level"] == grade for row in rows) for grade in GRADES}
        found, _ = self.packed(*base, "--map", "0=healthy,1-4=sick")
        self.assertEqual((len(found), sum(name == "sick" for name in found.values())), (len(rows), len(rows) - counts["0"]))
        found, classes = self.packed(*base, "--only", "0,4")
        self.assertEqual((sum(name == "0" for name in found.values()), sum(name == "4" for name in found.values()), classes),
                         (counts["0"], counts["4"], ["0", "4"]))


main()
