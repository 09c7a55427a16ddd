# SPDX-License-Identifier: Apache-2.0
"""cnnsweep-pack with lines of JSON as its table, as the image folders of Hugging Face have them. Python's json module writes
them."""
import json

from pack_tools import PackTest, h5py, main, noise, run


class Lines(PackTest):
    def setUp(self):
        super().setUp()
        self.table = self.src / "metadata.jsonl"

    def write(self, rows, table=None, **form):
        (table or self.table).write_text("".join(json.dumps(row, **form) + "\n" for row in rows))

    def rows(self, n=24, labels=("cat", 'say "aye"', "ümlaut, C"), folder=""):
        """n objects, whose images are saved"""
        for i in range(n):
            self.save(f"{folder}x/{i}.png", noise(6, 8, i))
        return [{"file_name": f"x/{i}.png", "label": labels[i % len(labels)], "weight": i / 8, "group": f"p{i // 3}"}
                for i in range(n)]

    def check(self, rows):
        self.assertEqual({name: (found["label"], found["group"], found["weight"]) for name, found in self.stored().items()},
                         {row["file_name"]: (str(row["label"]), row["group"], row["weight"]) for row in rows})


class Folders(Lines):
    def test_a_folder_with_metadata(self):
        rows = self.rows()
        for name, form in (("a", {}), ("b", {"ensure_ascii": False}), ("c", {"separators": (" ,  ", " : ")})):
            self.out = self.root / f"{name}.h5"
            self.write(rows, **form)
            self.pack()
            self.check(rows)

    def test_the_metadata_of_each_split(self):
        wanted = {}
        for folder, split in (("train", "train"), ("validation", "val"), ("test", "test")):
            rows = self.rows(folder=f"{folder}/")
            self.write(rows, self.src / folder / "metadata.jsonl")
            wanted.update({f"{folder}/{row['file_name']}": (split, row["label"]) for row in rows})
        self.pack()
        self.assertEqual({name: (found["split"], found["label"]) for name, found in self.stored().items()}, wanted)

    def test_classes_that_are_numbers_are_in_their_order(self):
        rows = self.rows(labels=(10, 9, 0))
        self.write(rows)
        self.pack()
        self.check(rows)
        with h5py.File(self.out) as file:
            self.assertEqual([name.decode() for name in file.attrs["classes"]], ["0", "9", "10"])

    def test_other_values_in_the_objects_do_not_matter(self):
        rows = self.rows()
        self.write([{"objects": {"bbox": [[1, 2, 3, 4]], "n": i}, "text": None, **row, "ok": i % 2 == 0, "rest": []}
                    for i, row in enumerate(rows)])
        self.pack()
        self.check(rows)


class Tables(Lines):
    def test_a_file_of_any_name_with_any_columns(self):
        rows = self.rows()
        table = self.root / "labels.jsonl"
        self.write([{"img": row["file_name"], "kind": row["label"], "patient": row["group"], "w": row["weight"]} for row in rows],
                   table)
        images, self.src = self.src, table
        self.pack("--root", images, "--file-column", "img", "--label-column", "kind", "--group-column", "patient",
                  "--weight-column", "w")
        self.check(rows)

    def test_weights_of_images(self):
        rows = self.rows()
        self.write([{"file_name": row["file_name"], "label": row["label"], "group": row["group"]} for row in rows])
        weights = self.root / "weights.jsonl"
        self.write([{"file": row["file_name"], "weight": row["weight"]} for row in rows], weights)
        self.pack("--weights", weights)
        self.check(rows)

    def test_empty_lines_and_a_byte_order_mark_are_skipped(self):
        rows = self.rows()
        lines = [json.dumps(row) for row in rows]
        self.table.write_bytes(b"\xef\xbb\xbf\n" + "\r\n\r\n  \n".join(lines).encode())
        self.pack()
        self.check(rows)

    def test_what_an_object_does_not_have_is_empty(self):
        rows = self.rows()
        for i, row in enumerate(rows):
            if i % 4 == 1:
                del row["group"]
            elif i % 4 == 3:
                row["group"] = None
        self.write(rows)
        self.pack()
        self.check([{**row, "group": row.get("group") or ""} for row in rows])


class Mistakes(Lines):
    def test_mistakes_are_named_with_line_and_column(self):
        rows = [json.dumps(row) for row in self.rows(4)]
        table = self.src = self.table
        for line, needle in (('{"file_name": "x/1.png", "label": }', "metadata.jsonl:3: at character 35: "),
                             ("[1, 2]", "not an object"),
                             ("3", "metadata.jsonl:3: at character 1: "), ('{"label": "a", "label": "b"}', "metadata.jsonl:3:"),
                             ('{"file_name": "x/1.png"}', "metadata.jsonl:3: column 'label': the class is empty"),
                             ('{"file_name": "x/1.png", "label": "a", "weight": "much"}',
                              "column 'weight': the weight is 'much'"),
                             ('{"file_name": "a\\u0000b", "label": "a"}', "metadata.jsonl:3:"),
                             ('{"file_name":', "metadata.jsonl:3:")):
            table.write_text("\n".join([*rows[:2], line, *rows[2:]]))
            self.pack_fails(needle)

    def test_a_missing_column_is_named_with_those_that_are_there(self):
        self.src.mkdir()
        self.write([{"file_name": "1.png", "caption": "x", "kind": 2}])
        self.src = self.table
        self.pack_fails("there is no column label or class; it has file_name, caption, kind", "--label-column")

    def test_what_follows_an_object_in_its_line_is_a_mistake(self):
        rows = self.rows(4)
        self.src = self.table
        self.table.write_text("".join(json.dumps(row) for row in rows))
        self.pack_fails("metadata.jsonl:1: at character")

    def test_a_folder_whose_metadata_names_no_files_is_one_of_classes(self):
        for i in range(12):
            self.save(f"{'ab'[i % 2]}/{i}.png", noise(6, 8, i))
        self.write([{"isic_id": 1, "age": 2}])
        self.pack()
        self.assertEqual(run(self.packer, "--check", self.out).returncode, 0)
        with h5py.File(self.out) as file:
            self.assertEqual([name.decode() for name in file.attrs["classes"]], ["a", "b"])


if __name__ == "__main__":
    main()
