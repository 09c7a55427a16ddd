# SPDX-License-Identifier: Apache-2.0
"""cnnsweep-pack with a table of images as its source. Python's csv module writes the tables and says what is in them."""
import csv
import io
import tarfile
from collections import Counter

import numpy as np
from pack_tools import SPLITS, PackTest, h5py, main, noise, run, shared_archive

FIELDS = ["path", "label", "split", "group", "weight"]


class Manifest(PackTest):
    def setUp(self):
        super().setUp()
        self.images = self.root / "images"
        self.images.mkdir()
        self.src = self.root / "labels.csv"

    def image(self, name):
        self.src, kept = self.images, self.src
        self.save(name, noise(6, 8, len(name)))
        self.src = kept
        return name

    def write(self, rows, header=("path", "label"), encoding="utf-8", **form):
        with open(self.src, "w", newline="", encoding=encoding) as file:
            csv.writer(file, **form).writerows([header, *rows])

    def simple(self, n=12, classes=2):
        """n images, whose rows are written; their classes are c0, c1 and so on in turn."""
        rows = [(self.image(f"{i}.png"), f"c{i % classes}") for i in range(n)]
        self.write(rows)
        return rows

    def pack(self, *arguments, **options):
        return super().pack("--root", self.images, *arguments, **options)

    def fails(self, *needles, arguments=()):
        return self.pack_fails(*needles, arguments=("--root", self.images, *arguments))

    def classes(self):
        with h5py.File(self.out) as file:
            return [name.decode() for name in file.attrs["classes"]]


class Tables(Manifest):
    def test_every_form_that_programs_write_has_the_same_rows(self):
        forms = [dict(), dict(delimiter="\t"), dict(delimiter=";"), dict(lineterminator="\n"),
                 dict(quoting=csv.QUOTE_ALL, lineterminator="\r"), dict(quoting=csv.QUOTE_ALL), dict(encoding="utf-8-sig"),
                 dict(quoting=csv.QUOTE_ALL, delimiter=";", lineterminator="\n\n")]
        odd = ["a, b", 'the "best"', "semi;colon", "two\nlines", "tab\tbed", "ümlaut", "", "  in spaces  ", "CR\rLF\r\n"]
        rows = []
        for i in range(36):
            name = self.image(f"{['x', 'with space', 'a,b', 'semi;'][i % 4]}{i}.png")
            rows.append((name, ["no", 'say "aye"', "c, d"][i % 3], SPLITS[min(i // 12, 2)], odd[i % len(odd)], str(0.25 * i)))
        for number, form in enumerate(forms):
            self.out = self.root / f"{number}.h5"
            self.write(rows, FIELDS, **{"quoting": csv.QUOTE_MINIMAL, **form})
            with open(self.src, newline="", encoding=form.get("encoding", "utf-8")) as file:
                wanted = {row["path"]: row for row in csv.DictReader(file, delimiter=form.get("delimiter", ","))}
            self.pack()
            for name, found in self.stored().items():
                row = wanted.pop(name)
                # spaces around an unquoted field are no part of it
                group = row["group"] if "quoting" in form or any(c in row["group"] for c in '"\n\r,') else row["group"].strip(" ")
                self.assertEqual((found["label"], found["split"], found["weight"]),
                                 (row["label"], row["split"], float(row["weight"])))
                self.assertEqual(found["group"], group)
            self.assertEqual(wanted, {})

    def test_columns_can_have_any_names(self):
        names = [self.image(f"{i}.png") for i in range(9)]
        rows = [("x", i % 2, f"p{i}", i + 1, SPLITS[min(i // 5, 2)], name) for i, name in enumerate(names)]
        self.write(rows, ("path", "level", "patient", "importance", "fold", "image id"))
        self.pack("--file-column", "image id", "--label-column", "level", "--group-column", "patient", "--split-column", "fold",
                  "--weight-column", "importance")
        for name, row in zip(names, rows):
            self.assertEqual(self.stored()[name], dict(label=str(row[1]), split=row[4], group=row[2], weight=float(row[3])))

    def test_usual_names_of_columns_are_found_whatever_their_case(self):
        rows = self.simple()
        for header in (("File", "Class"), ("filename", "LABEL"), ("image", "class"), ("file_name", "label")):
            self.out = self.root / f"{header[0]}.h5"
            self.write(rows, header)
            self.assertIn(f"files from '{header[0]}', classes from '{header[1]}'", self.pack().stderr)
            self.assertEqual({name: found["label"] for name, found in self.stored().items()}, dict(rows))

    def test_whole_numbers_are_classes_in_their_order_and_other_names_in_that_of_their_bytes(self):
        names = [self.image(f"{i}.png") for i in range(24)]
        for labels in (["10", "9", "0", "100"], ["b", "10", "9", "a"], ["-1", "1", "0", "2"]):
            self.out = self.root / f"{labels[0]}.h5"
            self.write([(name, labels[i % 4]) for i, name in enumerate(names)])
            self.pack()
            numbers = all(label.lstrip("-").isdigit() for label in labels)
            self.assertEqual(self.classes(), sorted(labels, key=int) if numbers else sorted(labels))

    def test_a_table_cut_or_changed_anywhere_is_packed_or_refused(self):
        self.write([(name, label, "train", "g", 1) for name, label in self.simple(6)], FIELDS)
        rng, whole = np.random.default_rng(1), self.src.read_bytes()
        for i in range(60):
            text = bytearray(whole[:rng.integers(len(whole))] if i % 2 else whole)
            for _ in range(int(rng.integers(0, 5)) if text else 0):
                text[rng.integers(len(text))] = rng.choice(list(b'",\n\r\t;\0x\xff'))
            self.src.write_bytes(text)
            self.out = self.root / f"{i}.h5"
            done = run(self.packer, self.src, self.out, "--root", self.images, errors="replace")
            self.assertIn(done.returncode, (0, 1), f"{bytes(text)}\n{done.stderr}")
            self.assertEqual(done.returncode == 0, self.out.exists())


class Paths(Manifest):
    def test_paths_begin_at_the_table_or_at_root_or_are_absolute(self):
        names = [self.image(f"{i}.png") for i in range(8)]
        table = self.root / "t.csv"
        forms = {"beside": (self.images / "t.csv", "", ()), "below": (table, "images/", ()),
                 "root": (table, "", ("--root", self.images)), "absolute": (table, f"{self.images}/", ())}
        for name, (self.src, prefix, arguments) in forms.items():
            self.out = self.root / f"{name}.h5"
            self.write([(prefix + name, i % 2) for i, name in enumerate(names)])
            PackTest.pack(self, *arguments)
            self.assertEqual(set(self.stored()), {prefix + name for name in names})

    def test_endings_that_the_table_leaves_out_are_added(self):
        endings = ["jpeg", "png", "JPG", "jpg"]
        rows = [(f"{i}_left", i % 2) for i in range(12)]
        for i, (name, _) in enumerate(rows):
            self.image(f"{name}.{endings[i // 3]}")
        self.write([*rows, ("v1.2", 0)])
        self.image("v1.2.png")
        self.pack("--size", "8x6")
        self.assertEqual(set(self.stored()), {f"{name}.{endings[i // 3]}" for i, (name, _) in enumerate(rows)} | {"v1.2.png"})

    def test_a_file_of_exactly_that_name_comes_first(self):
        rows = self.simple(8)
        (self.images / "0.png.png").write_bytes(b"no image")
        self.pack()
        self.assertEqual(set(self.stored()), {name for name, _ in rows})

    def test_backslashes_of_windows_are_slashes(self):
        names = [self.image(f"sub/{i}.png") for i in range(8)]
        self.write([(name.replace("/", "\\"), i % 2) for i, name in enumerate(names)])
        self.pack()
        self.assertEqual(set(self.stored()), set(names))

    def test_a_file_that_is_missing_is_a_bad_image(self):
        rows = self.simple()
        (self.images / "3.png").unlink()
        self.fails("3.png: cannot open")
        self.pack("--skip-bad")
        self.assertEqual(set(self.stored()), {name for name, _ in rows} - {"3.png"})

    def test_if_none_exists_the_hint_is_root(self):
        self.simple()
        self.pack_fails("labels.csv: none of its 12 images exists in", "such as 0.png", "--root names the folder")


class Folders(Manifest):
    def test_metadata_in_a_folder_of_images(self):
        rows = [(self.image(f"x/{i}.png"), f"c{i % 2}", "text") for i in range(12)]
        self.src = self.images / "metadata.csv"
        self.write(rows, ("file_name", "label", "caption"))
        self.src = self.images
        PackTest.pack(self)
        self.assertEqual({name: found["label"] for name, found in self.stored().items()}, {row[0]: row[1] for row in rows})

    def test_metadata_in_the_folder_of_each_split(self):
        wanted = {}
        for folder, split, n in (("train", "train", 8), ("validation", "val", 4), ("test", "test", 6)):
            rows = [(f"{i}.png", f"c{i % 2}") for i in range(n)]
            for name, label in rows:
                self.image(f"{folder}/{name}")
                wanted[f"{folder}/{name}"] = (split, label)
            self.src = self.images / folder / "metadata.csv"
            self.write(rows, ("file_name", "label"))
        self.src = self.images
        PackTest.pack(self)
        self.assertEqual({name: (found["split"], found["label"]) for name, found in self.stored().items()}, wanted)

    def test_metadata_that_names_no_files_beside_class_folders_is_ignored(self):
        for i in range(12):
            self.image(f"{'ab'[i % 2]}/{i}.png")
        (self.images / "metadata.csv").write_text("isic_id,age\n1,2\n")
        self.src = self.images
        PackTest.pack(self)
        self.assertEqual(self.classes(), ["a", "b"])


class Mistakes(Manifest):
    def test_mistakes_are_named_with_line_and_column(self):
        names = [self.image(f"{i}.png") for i in range(3)]
        good = [names[0], "a", "train", "g", "1"]
        for column, value, needle in ((1, "", "column 'label': the class is empty"), (0, "", "column 'path': the path is empty"),
                                      (2, "trian", "column 'split': the split is 'trian'"),
                                      (4, "-1", "column 'weight': the weight is '-1'"),
                                      (0, 1100 * "n", "column 'path': path is longer than 1023 bytes: nn")):
            bad = [names[1], "b", "test", "g", "1"]
            bad[column] = value
            self.write([good, bad], FIELDS)
            self.fails(f"labels.csv:3: {needle}")
        self.write([good, good], FIELDS)
        self.fails("labels.csv:3: '0.png' stands in line 2 already")
        self.write([good, good[:3]], FIELDS)
        self.fails("labels.csv:3: 3 fields, but the header has 5")
        self.src.write_text('path,label\n0.png,a\n1.png,"b\n')
        self.fails("labels.csv:3: a quote without an end")
        self.src.write_text('path,label\n0.png,a\n1.png,5"\n')
        self.fails("labels.csv:3:8: a quote in the middle of a field")

    def test_lines_are_counted_over_fields_of_several_lines_and_empty_lines(self):
        self.simple()
        self.src.write_text('path,label,note\n\n0.png,a,"one\ntwo"\r\n\r\n\n1.png,,x\n')
        self.fails("labels.csv:7: column 'label'")

    def test_columns_that_are_missing_are_named_with_those_that_exist(self):
        rows = self.simple()
        self.write(rows, ("image", "level"))
        self.fails("there is no column label or class; it has image, level", "--label-column says which one it is")
        self.fails("there is no column 'levle'; did you mean 'level'?", arguments=("--label-column", "levle"))
        self.fails("there is no column 'patient'", arguments=("--label-column", "level", "--group-column", "patient"))

    def test_text_in_utf_16_is_named(self):
        self.simple()
        self.src.write_text(self.src.read_text(), encoding="utf-16")
        self.fails("labels.csv: not a table of text", "save it as UTF-8")

    def test_empty_tables_and_tables_without_rows_are_refused(self):
        for text, needle in (("", "an empty table"), ("\n\n", "an empty table"), ("path,label\n", "no class rows")):
            self.src.write_text(text)
            self.fails(needle)

    def test_options_of_tables_are_refused_for_folders(self):
        self.src = self.images
        for i in range(4):
            self.image(f"{'ab'[i % 2]}/{i}.png")
        self.pack_fails("--label-column:", "is a folder, for which there is no such option", arguments=("--label-column", "x"))

    def test_a_table_that_is_split_takes_no_other_split(self):
        self.write([(self.image(f"{i}.png"), i % 2, "train") for i in range(8)], ("path", "label", "split"))
        self.fails("labels.csv is split already, it has a train row", arguments=("--split", "0.8,0.1,0.1"))
        self.pack("--val", "0.5")
        self.assertEqual(Counter(found["split"] for found in self.stored().values()), {"train": 4, "val": 4})


class Groups(Manifest):
    def setUp(self):
        super().setUp()
        self.rows = [(self.image(f"{i}.png"), f"c{i % 2}", f"patient {i // 3}" if i % 5 else "") for i in range(20)]
        self.write(self.rows, ("path", "label", "group"))

    def test_groups_are_joined_from_parts(self):
        self.out = self.root / "joined"
        for i in range(3):
            self.pack("--shard-size", "300", "--part", f"{i}/3")
        self.assertEqual(run(self.packer, "--join", self.out).returncode, 0)
        found = {}
        for path in self.out.glob("shard-*.h5"):
            with h5py.File(path) as file:
                for split in SPLITS:
                    found.update(zip(file[split]["id"][:], file[split]["group"][:]))
        self.assertEqual({name.decode(): group.decode() for name, group in found.items()}, {row[0]: row[2] for row in self.rows})

    def test_a_changed_group_is_found(self):
        self.pack()
        with h5py.File(self.out, "r+") as file:
            file["train/group"][1] = b"other"
        done = run(self.packer, "--check", self.out)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("altered or damaged", done.stderr)

    def test_without_a_column_there_are_no_groups(self):
        self.write([row[:2] for row in self.rows])
        self.pack()
        with h5py.File(self.out) as file:
            self.assertNotIn("group", file["train"])


class Retinopathy(Manifest):
    def test_the_table_of_grades_gives_the_classes_splits_and_patients_of_its_rows(self):
        archive, table = shared_archive("eyepacs_dr_5level_256.tar"), shared_archive("eyepacs_dr_5level_256.csv")
        if not archive:
            self.skipTest("needs the shared test material")
        with tarfile.open(archive) as tar:
            tar.extractall(self.images)
        self.src = table
        self.pack("--label-column", "level", "--group-column", "patient", "--size", "16x16")
        rows = list(csv.DictReader(io.StringIO(table.read_text())))
        self.assertEqual({name: (found["label"], found["split"], found["group"]) for name, found in self.stored().items()},
                         {row["file"]: (row["level"], row["split"], row["patient"]) for row in rows})


main()
