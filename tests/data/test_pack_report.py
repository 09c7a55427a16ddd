# SPDX-License-Identifier: Apache-2.0
"""The page that --report writes. html.parser reads it; h5py, Pillow, numpy and scipy say what must be on it."""
import base64
import csv
import io
import os
import re
import signal
from html.parser import HTMLParser

import numpy as np
from PIL import Image
from scipy.ndimage import laplace

from pack_tools import BIN, SPLITS, PackTest, h5py, main, noise, run
from breakpoints import Stopped

HOSTILE = "<script>alert(1)</script> & \"b\" 'c'"
SHOWN = 8
EVERY_KIND = []
CLASSES = (HOSTILE, "b", "c")


class Page(HTMLParser):
    """sections: {id: {"rows": {name: [texts of the cells]}, "bars": {name: widths}, "figures": [(PNG, lines of the caption)],
    "text": all text}}; tags: all elements; open: those that are not closed; attributes: [(name, value)]; source: the HTML."""

    def __init__(self, path):
        super().__init__()
        self.sections, self.open, self.tags, self.attributes = {}, [], set(), []
        self.section = {"text": ""}
        self.source = path.read_text()
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        attrs = dict(attrs)
        if tag == "section":
            self.section = self.sections[attrs["id"]] = {"rows": {}, "bars": {}, "figures": [], "text": ""}
        elif tag == "tr":
            self.row, self.widths = [], []
        elif tag in ("th", "td"):
            self.row.append("")
        elif tag == "figure":
            self.lines = [""]
        elif tag == "br":
            self.lines.append("")
        elif tag == "img":
            self.image = base64.b64decode(attrs["src"].removeprefix("data:image/png;base64,"), validate=True)
        elif tag == "rect":
            self.widths.append((float(attrs["x"]), float(attrs["width"])))
        if tag not in ("meta", "br", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
        if tag == "tr":
            self.section["rows"][self.row[0]] = self.row[1:]
            self.section["bars"][self.row[0]] = self.widths
        elif tag == "figure":
            self.section["figures"].append((self.image, self.lines))

    def handle_data(self, text):
        self.section["text"] += text
        if "figcaption" in self.open:
            self.lines[-1] += text
        elif self.open and ("th" in self.open or "td" in self.open):
            self.row[-1] += text

    def counts(self, section):
        """{name: [train, val, test]} of the table of a section, without its head."""
        return {name: [int(cell) for cell in cells[:3]] for name, cells in self.sections[section]["rows"].items()
                if cells[0].isdigit()}


def bins(counts):
    """{(least, most): [train, val, test]} of a histogram's rows."""
    found = {}
    for name, row in counts.items():
        if name != "total":
            ends = [int(number) for number in name.split(" to ")]
            found[ends[0], ends[-1]] = row
    return found


class Stored:
    """An image of a dataset as h5py and Pillow read it, with what numpy and scipy measure of it."""

    def __init__(self, split, class_name, name, group, pixels):
        self.split, self.class_name, self.name, self.group, self.pixels = split, class_name, name, group, pixels
        grey = np.asarray(Image.fromarray(pixels).convert("L")).astype(float)
        self.brightness, self.sharpness = grey.mean(), laplace(grey, mode="mirror").var()
        self.h, self.w = grey.shape
        self.ratio = max(grey.shape) / min(grey.shape)


def read(path):
    """The images of a dataset in the order of train, val, test."""
    found = []
    for split in SPLITS:
        for shard in sorted(path.glob("shard-*.h5")) if path.is_dir() else [path]:
            with h5py.File(shard) as file:
                classes, group = [name.decode() for name in file.attrs["classes"]], file[split]
                for i, name in enumerate(group["id"][:]):
                    if "images" in group:
                        pixels = group["images"][i]
                    else:
                        data = group["jpeg"][group["offset"][i]:group["offset"][i + 1]].tobytes()
                        pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
                    found.append(Stored(split, classes[group["label"][i]], name.decode(),
                                        group["group"][i].decode() if "group" in group else "", pixels))
    return found


class Report(PackTest):
    """Packs a table of images of many sizes, with classes and files whose names are HTML, with splits and groups."""
    kinds = {"raw.h5": ("--size", "40x30"), "large.h5": ("--size", "150x110"), "jpeg.h5": ("--encoding", "jpeg"),
             "raw shards": ("--size", "20x20", "--shard-size", "20000"),
             "jpeg shards": ("--encoding", "jpeg", "--shard-size", "30000"),
             "resized.h5": ("--encoding", "jpeg", "--size", "64x48")}

    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(0)
        rows = []
        for i in range(70):
            h, w = (1, 30) if i == 3 else (300, 21) if i == 5 else rng.integers(12, 140, 2)
            shade = noise(max(h, 2), max(w, 2), i)[:h, :w] * rng.uniform(0.1, 1)
            name = f"<b>{i}&amp;\"'.png" if i % 9 == 0 else f"{i}.png"
            self.save(name, (shade if i % 8 else shade * 0 + 2 * i).astype(np.uint8))
            rows.append((name, CLASSES[min(i % 5, 2)], SPLITS[0 if i % 3 else 1 + i // 3 % 2], f"<p>{i // 4}" if i % 7 else ""))
        one_of_b = [row for row in rows if row[1:3] == ("b", "val")][:1]
        rows = [row for row in rows if row[1:3] not in (("c", "val"), ("b", "val"))] + one_of_b
        with open(self.src / "labels.csv", "w", newline="") as file:
            csv.writer(file).writerows([("path", "label", "split", "group"), *rows])
        self.folder, self.src, self.html = self.src, self.src / "labels.csv", self.root / "report.html"

    def page(self, *arguments):
        self.pack(*arguments, "--report", self.html)
        return Page(self.html)

    def every_kind(self):
        """[(page, stored images)] of datasets of all kinds, which are made once for all tests."""
        if not EVERY_KIND:
            for name, arguments in self.kinds.items():
                self.out = self.root / name
                EVERY_KIND.append((self.page(*arguments), read(self.out)))
        return EVERY_KIND

    def counted(self, images, of):
        found = {}
        for image in images:
            found.setdefault(of(image), [0, 0, 0])[SPLITS.index(image.split)] += 1
        return found


class Numbers(Report):
    def test_images_are_counted_by_class_and_split(self):
        for page, images in self.every_kind():
            counts = page.counts("classes")
            total = counts.pop("total")
            self.assertEqual(counts, self.counted(images, lambda image: image.class_name))
            self.assertEqual(total, [sum(image.split == split for image in images) for split in SPLITS])

    def test_bars_are_as_long_as_the_counts(self):
        bars, counts = (page := self.page(*self.kinds["raw.h5"])).sections["classes"]["bars"], page.counts("classes")
        del counts["total"]
        scale = 300 / max(map(sum, counts.values()))
        for name, row in counts.items():
            at = np.cumsum([0, *row]) * scale
            np.testing.assert_allclose(bars[name], list(zip(at, np.diff(at))), atol=0.006)

    def test_histograms_of_brightness_and_sizes(self):
        values = {"brightness": lambda image: int(image.brightness), "widths": lambda image: image.w,
                  "heights": lambda image: image.h}
        for page, images in self.every_kind():
            own_sizes = len({image.pixels.shape for image in images}) > 1
            for section, value in values.items():
                if section != "brightness" and not own_sizes:
                    self.assertNotIn(section, page.sections)
                    continue
                counts = page.counts(section)
                total, shown = counts.pop("total"), bins(counts)
                self.assertEqual(total, page.counts("classes")["total"])
                self.assertTrue(len(images) > 60 and 3 <= len(shown) <= 16, shown)
                edges = [least for least, _ in shown] + [max(most for _, most in shown) + 1]
                self.assertTrue(all(most + 1 == after for (_, most), after in zip(shown, edges[1:])), shown)
                for s, split in enumerate(SPLITS):
                    wanted, _ = np.histogram([value(image) for image in images if image.split == split], edges)
                    self.assertEqual([row[s] for row in shown.values()], wanted.tolist())

    def test_the_images_that_stand_out(self):
        for page, images in self.every_kind():
            middle = sorted(image.ratio for image in images)[len(images) // 2]
            keys = {"darkest": lambda image: image.brightness, "brightest": lambda image: -image.brightness,
                    "blurred": lambda image: round(image.sharpness, 6),
                    "ratios": lambda image: -abs(np.log(image.ratio / middle))}
            for section, key in keys.items():
                wanted = sorted(images, key=key)[:SHOWN]
                if section == "ratios" and key(wanted[0]) == 0:
                    self.assertNotIn(section, page.sections)
                    continue
                self.assertEqual([lines[0] for _, lines in page.sections[section]["figures"]],
                                 [image.name for image in wanted], section)

    def test_ratios_are_odd_by_what_is_usual_in_the_dataset(self):
        self.src = self.root / "long"
        for i in range(20):
            self.save(f"{'ab'[i % 2]}/{i:02d}.png", noise(20, 19, i) if i == 7 else noise(20, 44 + i % 3, i))
        page = self.page("--encoding", "jpeg")
        self.assertEqual(page.sections["ratios"]["figures"][0][1][0], "b/07.png")

    def test_captions_say_what_is_measured(self):
        for page, images in self.every_kind():
            by_name = {image.name: image for image in images}
            for section in page.sections.values():
                for _, (name, where, size, brightness, sharpness) in section["figures"]:
                    image = by_name[name]
                    self.assertEqual((where, size), (f"{image.split}, {image.class_name}", f"{image.w}x{image.h} pixels"))
                    self.assertAlmostEqual(float(brightness.removeprefix("brightness ")), image.brightness, delta=0.0501)
                    self.assertAlmostEqual(float(sharpness.removeprefix("sharpness ")), image.sharpness, delta=0.0501)

    def test_statistics_of_the_training_pixels(self):
        page = self.page(*self.kinds["raw.h5"])
        with h5py.File(self.out) as file:
            pixels = file["train/images"][:].reshape(-1, 3)
        numbers = re.search(r"mean ([0-9. ]+), std ([0-9. ]+)", page.source)
        for wanted, shown in zip((pixels.mean(0), pixels.std(0)), numbers.groups()):
            np.testing.assert_allclose([float(number) for number in shown.split()], wanted, atol=0.0051)
        self.assertIn("3 classes, raw images of 40x30", page.source)


class Pictures(Report):
    def test_every_class_has_samples_of_each_split_from_its_whole_length(self):
        for page, images in self.every_kind():
            wanted = []
            for label in CLASSES:
                for split in SPLITS:
                    own = [image.name for image in images if (image.class_name, image.split) == (label, split)]
                    wanted += own if len(own) <= 4 else [own[j * len(own) // 4] for j in range(4)]
            self.assertEqual([lines[0] for _, lines in page.sections["samples"]["figures"]], wanted)

    def test_pictures_have_the_stored_pixels_or_if_large_those_of_pillow_at_96(self):
        for page, images in self.every_kind():
            by_name = {image.name: image.pixels for image in images}
            for section in page.sections.values():
                for png, lines in section["figures"]:
                    shown, stored = np.asarray(Image.open(io.BytesIO(png))), by_name[lines[0]]
                    h, w = stored.shape[:2]
                    if max(h, w) <= 96:
                        np.testing.assert_array_equal(shown, stored)
                        continue
                    size = [max(1, int(side * 96 / max(h, w) + 0.5)) for side in (w, h)]
                    wanted = np.asarray(Image.fromarray(stored).resize(size, Image.BILINEAR))
                    self.assertEqual(shown.shape, wanted.shape)
                    self.assertLessEqual(abs(shown.astype(int) - wanted).max(), 1)

    def test_of_many_classes_the_first_are_shown(self):
        self.src = self.root / "many"
        for i in range(240):
            self.save(f"{i // 2:03d}/{i % 2}.png", noise(4, 4, i))
        page = self.page("--split", "1,0,0")
        self.assertIn("Of the first 100 of 120 classes.", page.sections["samples"]["text"])
        self.assertEqual([lines[0] for _, lines in page.sections["samples"]["figures"]], [f"{i:03d}/0.png" for i in range(100)])
        self.assertEqual(len(page.counts("classes")), 121)


class Checks(Report):
    def test_groups_in_several_splits_are_listed(self):
        for page, images in self.every_kind():
            members = [image for image in images if image.group]
            crossing = {name: row for name, row in self.counted(members, lambda image: image.group).items()
                        if sum(count > 0 for count in row) > 1}
            shown = page.counts("groups")
            del shown["total"]
            self.assertEqual(shown, crossing)
            text = page.sections["groups"]["text"]
            n = len({image.group for image in members})
            self.assertIn(f"{len(members)} of {len(images)} images are in {n} groups", text)
            self.assertIn(f"more than one split: {len(crossing)}\n", text)

    def test_info_counts_groups(self):
        for name, arguments in self.kinds.items():
            self.out = self.root / name
            done = self.pack(*arguments)
            splits = {}
            for image in read(self.out):
                splits.setdefault(image.group, []).append(image.split)
            splits.pop("")
            images, crossing = sum(map(len, splits.values())), sum(len(set(own)) > 1 for own in splits.values())
            self.assertIn(f"groups: {len(splits)} of {images} images, {crossing} with images in more than one split\n",
                          done.stdout)
        self.src = self.root / "without"
        for i in range(20):
            self.save(f"{'ab'[i % 2]}/{i}.png", noise(8, 8, i))
        self.out = self.root / "without.h5"
        self.assertNotIn("groups", self.pack().stdout)

    def test_of_many_groups_the_first_by_name_are_listed(self):
        lines = self.src.read_text().splitlines()
        crossing = [f"{i}.png,{c},{split},g{i // 2:02d}" for i, c, split in
                    ((i, CLASSES[1 + i // 2 % 2], ("train", "test")[i % 2]) for i in range(60)) if i % 9]
        self.src.write_text("\n".join([lines[0], *crossing]))
        page = self.page(*self.kinds["raw.h5"])
        groups = self.counted(read(self.out), lambda image: image.group)
        names = sorted(name for name, row in groups.items() if row[0] and row[2])
        self.assertGreater(len(names), 20)
        shown = page.counts("groups")
        del shown["total"]
        self.assertEqual(shown, {name: groups[name] for name in names[:20]})
        self.assertIn(f"more than one split: {len(names)}, of which the first", page.sections["groups"]["text"])

    def test_groups_that_stay_whole_are_said_to(self):
        self.src = self.folder
        self.src.joinpath("labels.csv").unlink()
        for i, path in enumerate(sorted(self.src.glob("*.png"))):
            self.save(f"{'ab'[i % 2]}/{path.name}", Image.open(path))
            path.unlink()
        page = self.page("--size", "8x8", "--group-regex", "([0-9]+)[.]png", "--split", "0.6,0.2,0.2")
        self.assertIn("No group has images in more than one split", page.sections["groups"]["text"])
        self.out = self.root / "without groups.h5"
        self.assertNotIn("groups", self.page("--size", "8x8").sections)

    def test_classes_that_a_split_does_not_have_are_named(self):
        for page, images in self.every_kind():
            missing = {split: [c for c in CLASSES if not any((i.split, i.class_name) == (split, c) for i in images)]
                       for split in SPLITS}
            self.assertTrue(any(missing.values()))
            for split, names in missing.items():
                if names:
                    self.assertIn(f"{split} has no image of {', '.join(names)}\n", page.sections["classes"]["text"])
                else:
                    self.assertNotIn(f"{split} has no image", page.sections["classes"]["text"])

    def test_what_became_of_the_classes_of_the_source(self):
        page = self.page("--size", "8x8", "--map", "b=rest", "--classes", "c,rest")
        with h5py.File(self.out) as file:
            names, labels = file.attrs["source_classes"], file.attrs["source_labels"]
            classes = [name.decode() for name in file.attrs["classes"]]
        wanted = {name.decode(): ["left out" if label < 0 else classes[label]] for name, label in zip(names, labels)}
        self.assertEqual(wanted, {HOSTILE: ["left out"], "b": ["rest"], "c": ["c"]})
        rows = page.sections["source"]["rows"]
        del rows["class of the source"]
        self.assertEqual(rows, wanted)


class Duplicates(Report):
    def write(self, images):
        """Makes a table of [(name, class, split, pixels)] the source, each saved as JPEG if its name ends so."""
        self.src = self.folder
        for name, _, _, pixels in images:
            self.save(name, pixels, **({"quality": 70} if name.endswith(".jpg") else {}))
        self.src = self.folder / "labels.csv"
        with open(self.src, "w", newline="") as file:
            csv.writer(file).writerows([("path", "label", "split"), *(image[:3] for image in images)])

    def test_sets_are_shown_side_by_side_those_across_splits_and_classes_first(self):
        one, two, three = (noise(64, 64, seed) for seed in (901, 902, 903))
        others = [(f"o{i}.png", "ab"[i % 2], SPLITS[i % 3], noise(64, 64, 1000 + i)) for i in range(30)]
        self.write([*others, ("same1.png", "a", "train", one), ("class1.png", "a", "train", two),
                    ("split1.png", "a", "train", three),
                    ("same2.png", "a", "train", one), ("class2.jpg", "b", "train", two), ("split2.png", "a", "train", three),
                    ("split3.png", "a", "test", three)])
        for arguments in (("--size", "64x64"), ("--encoding", "jpeg")):
            self.out.unlink(missing_ok=True)
            section = self.page(*arguments).sections["duplicates"]
            self.assertEqual([(lines[0], lines[1]) for _, lines in section["figures"]],
                             [("split1.png", "train, a"), ("split2.png", "train, a"), ("split3.png", "test, a"),
                              ("class1.png", "train, a"), ("class2.jpg", "train, b"),
                              ("same1.png", "train, a"), ("same2.png", "train, a")])
            for text in ("3 sets of 7 images, 1 in different splits, 1 of different classes",
                         "2 images, nearly equal, of different",
                         "3 images, equal pixels, in different splits", "2 images, equal pixels\n"):
                self.assertIn(text, section["text"])

    def test_every_image_of_a_set_counts_however_it_is_linked_to_the_others(self):
        """a and b are like c but not like each other, and only b has another class."""
        first = noise(64, 64, 77).astype(float)
        other = noise(64, 64, 78)
        for step in np.linspace(0.02, 0.6, 59):
            a, c, b = (np.clip(first * (1 - k) + other * k, 0, 255).astype(np.uint8) for k in (0, step, 2 * step))
            self.write([("a.png", "a", "train", a), ("b.png", "b", "train", b), ("c.png", "a", "train", c),
                        *((f"o{i}.png", "ab"[i % 2], "train", noise(64, 64, 1000 + i)) for i in range(4))])
            self.out.unlink(missing_ok=True)
            listed = self.root / "list.csv"
            done = self.pack("--duplicates-list", listed)
            with open(listed, newline="") as file:
                links = [(row["first"], row["second"]) for row in csv.DictReader(file)]
            if links == [("a.png", "c.png"), ("b.png", "c.png")]:
                break
        else:
            self.fail("no such images were found")
        self.assertIn("1 set of duplicates has images of different classes, such as a.png", done.stderr)
        with h5py.File(self.out) as file:
            self.assertEqual(list(file.attrs["duplicates"]), [1, 3, 0, 1])

    def test_of_many_sets_the_first_are_shown(self):
        self.write([(f"{i}_{k}.png", "ab"[i % 2], "train", noise(32, 32, i)) for i in range(20) for k in range(9)])
        section = self.page("--size", "32x32").sections["duplicates"]
        self.assertIn("20 sets of 180 images", section["text"])
        self.assertEqual([lines[0] for _, lines in section["figures"]], [f"{i}_{k}.png" for i in range(12) for k in range(6)])

    def test_without_duplicates_there_is_no_section(self):
        self.write([(f"{i}.png", "ab"[i % 2], "train", noise(32, 32, i)) for i in range(20)])
        self.assertNotIn("duplicates", self.page("--size", "32x32", "--balance", "over").sections)


class Balance(Report):
    sizes = {"a": 60, HOSTILE.replace("/", ""): 33, "c": 10}

    def setUp(self):
        super().setUp()
        self.src = self.root / "unbalanced"
        for name, n in self.sizes.items():
            for i in range(n):
                self.save(f"{name}/{i:03d}.png", noise(8, 8, len(name) * 1000 + i))

    def rows(self, page):
        """[(name, images in source, images in train, ...)] of the section"""
        rows = page.sections["balance"]["rows"]
        return {name: [cells[0], cells[2], *cells[4:]] for name, cells in rows.items() if name != "class"}

    def test_what_each_class_had_in_the_source_is_beside_what_it_has(self):
        for way in (("--balance", "under"), ("--balance", "over"), ("--per-class", "20"), ("--total", "50")):
            self.out.unlink(missing_ok=True)
            page = self.page(*way)
            with h5py.File(self.out) as file:
                classes = [name.decode() for name in file.attrs["classes"]]
                self.assertEqual(dict(zip(classes, file.attrs["source_counts"])), self.sizes)
                train = np.bincount(file["train/label"][:])
            wanted = {name: [str(self.sizes[name]), str(n)] for name, n in zip(classes, train)}
            self.assertEqual(self.rows(page), wanted)
            bars = page.sections["balance"]["bars"]
            scale = 300 / max(60, *train)
            for name, n in zip(classes, train):
                np.testing.assert_allclose(bars[name], [(0, self.sizes[name] * scale), (0, n * scale)], atol=0.006)

    def test_weights_are_added_up_by_class(self):
        page = self.page("--balance", "weights")
        with h5py.File(self.out) as file:
            sums = np.bincount(file["train/label"][:], file["train/weight"][:])
        np.testing.assert_allclose([float(cells[2]) for cells in self.rows(page).values()], sums, atol=0.0051)
        np.testing.assert_allclose(sums, sums[0], rtol=1e-5)

    def test_nothing_is_recorded_where_all_images_are_taken(self):
        self.assertNotIn("balance", self.page().sections)
        with h5py.File(self.out) as file:
            self.assertNotIn("source_counts", file.attrs)

    def test_a_dataset_packed_again_keeps_the_record_also_for_other_classes(self):
        first = self.root / "first.h5"
        self.assertEqual(run("cnnsweep-pack", "--balance", "under", self.src, first).returncode, 0)
        names = sorted(self.sizes)
        self.src = first
        self.pack("--classes", f"new,{names[2]}", "--map", f"{names[0]}=new,{names[1]}=new")
        with h5py.File(self.out) as file:
            self.assertEqual(list(file.attrs["source_counts"]), [93, 10])

    def test_parts_record_it_too_and_info_shows_it(self):
        self.out = self.root / "joined"
        for i in range(2):
            self.pack("--balance", "under", "--part", f"{i}/2")
        done = run("cnnsweep-pack", "--join", self.out)
        self.assertEqual(done.returncode, 0, done.stderr)
        table = {line.split()[0]: line.split()[-1] for line in done.stdout.splitlines()[1:6]}
        self.assertEqual({name: table[name] for name in ("class", "a", "c", "total")},
                         {"class": "source", "a": "60", "c": "10", "total": "103"})

    def test_a_damaged_record_is_refused(self):
        self.pack("--balance", "under")
        for value in ([60, -1, 10], [60, 33], "many"):
            with h5py.File(self.out, "r+") as file:
                del file.attrs["source_counts"]
                file.attrs["source_counts"] = value
            done = run("cnnsweep-pack", "--info", self.out)
            self.assertEqual(done.returncode, 1)
            self.assertIn("source_counts", done.stderr)


class Plots(Report):
    def charts(self, done):
        """{title: {name: (marks of train, val and test, number)}}"""
        found = {}
        for line in done.stdout.split("\n\n", 1)[1].splitlines():
            if line.endswith("(# train, + val, - test)"):
                chart = found.setdefault(line.split(" (#")[0], {})
            elif line:
                name, bar = line.rsplit(" |", 1)
                marks, number = bar.split(" ")
                self.assertRegex(marks, r"^#*\+*-*$")
                chart[name.rstrip()] = ([marks.count(mark) for mark in "#+-"], int(number))
        return found

    def test_bars_have_the_counts_of_the_page(self):
        for name, arguments in self.kinds.items():
            self.out = self.root / name
            page = self.page(*arguments)
            done = run("cnnsweep-pack", "--info", "--plots", self.out)
            self.assertEqual(done.returncode, 0, done.stderr)
            charts = self.charts(done)
            titles = {"classes": "Classes", "brightness": "Brightness, mean grey value, rounded down",
                      "widths": "Widths, pixels", "heights": "Heights, pixels"}
            self.assertEqual(set(charts), {title for section, title in titles.items() if section in page.sections})
            for section, title in titles.items():
                if section not in page.sections:
                    continue
                counts = page.counts(section)
                del counts["total"]
                self.assertEqual({name: number for name, (_, number) in charts[title].items()},
                                 {name: sum(row) for name, row in counts.items()})
                scale = 50 / max(map(sum, counts.values()))
                for name, (marks, _) in charts[title].items():
                    np.testing.assert_allclose(np.cumsum(marks), np.cumsum(counts[name]) * scale, atol=0.5001)

    def test_they_follow_a_packing_too_and_go_with_whole_datasets_only(self):
        self.assertIn("Classes", self.charts(self.pack("--size", "8x8", "--plots")))
        self.out.unlink()
        self.pack_fails("--plots is for whole datasets", arguments=("--part", "0/2", "--plots"), status=2)


class Files(Report):
    def test_names_are_escaped_and_nothing_outside_the_page_is_used(self):
        for page, images in self.every_kind():
            self.assertEqual(page.open, [])
            self.assertEqual(page.tags, {"html", "head", "meta", "style", "title", "body", "h1", "h2", "h3", "p", "section",
                                         "table", "thead", "tbody", "tfoot", "tr", "th", "td", "svg", "rect", "div", "figure",
                                         "img", "figcaption", "br"})
            self.assertTrue(any("<b>" in lines[0] for _, lines in page.sections["samples"]["figures"]))
            self.assertTrue(any(image.class_name == HOSTILE for image in images))
            for name, value in page.attributes:
                self.assertFalse(name.startswith("on"), name)
                self.assertFalse(name in ("href", "xlink:href", "srcset"), name)
                self.assertTrue(name != "src" or value.startswith("data:image/png;base64,"))
            without_images = re.sub(r"base64,[^\"]*", "", page.source)
            for outside in ("//", "url(", "@import"):
                self.assertNotIn(outside, without_images)

    def test_the_page_is_the_same_for_any_threads_and_by_info(self):
        for name, arguments in self.kinds.items():
            self.out = self.root / name
            self.page(*arguments, "--threads", "1")
            first = self.html.read_bytes()
            for threads in (1, 7):
                self.html.unlink()
                done = run("cnnsweep-pack", "--info", "--threads", threads, "--report", self.html, self.out)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.html.read_bytes(), first)

    def test_the_parts_of_a_dataset_have_a_page_when_they_are_joined(self):
        self.out = self.root / "joined"
        for i in range(2):
            self.pack("--size", "20x20", "--shard-size", "20000", "--part", f"{i}/2")
        done = run("cnnsweep-pack", "--join", "--report", self.html, self.out)
        self.assertEqual(done.returncode, 0, done.stderr)
        counts = Page(self.html).counts("classes")
        self.assertEqual(sum(counts["total"]), len(read(self.out)))

    def test_a_page_that_cannot_be_written_leaves_the_dataset(self):
        done = run("cnnsweep-pack", "--size", "8x8", "--report", self.root / "none/report.html", self.src, self.out)
        self.assertEqual(done.returncode, 1)
        self.assertIn("none/report.html", done.stderr)
        self.assertIn("the dataset is complete", done.stderr)
        self.assertEqual(run("cnnsweep-pack", "--check", self.out).returncode, 0)

    def test_a_damaged_image_is_named_and_leaves_no_page(self):
        self.pack("--encoding", "jpeg")
        with h5py.File(self.out, "r+") as file:
            name = file["train/id"][4].decode()
            file["train/jpeg"][file["train/offset"][4]:file["train/offset"][5]] = 0
        done = run("cnnsweep-pack", "--info", "--report", self.html, self.out,
                   env={**os.environ, "CNNSWEEP_TRUST_SHARDS": "1"})
        self.assertEqual(done.returncode, 1)
        self.assertIn(name, done.stderr)
        self.assertEqual(sorted(path.name for path in self.root.iterdir()), ["out.h5", "src"])

    def test_an_interrupt_leaves_no_page(self):
        self.pack("--size", "8x8")
        command = [BIN / "cnnsweep-pack", "--info", "--report", self.html, self.out]
        program = Stopped("open out.h5 1", command, os.environ, self.root)
        program.signal(signal.SIGINT)
        code, _, errors = program.end()
        self.assertEqual(code, 1, errors)
        self.assertIn("interrupted while its images were measured", errors)
        self.assertEqual(sorted(path.name for path in self.root.iterdir()), ["out.h5", "src"])

    def test_a_part_or_a_check_has_no_page(self):
        self.pack_fails("--report is for whole datasets", arguments=("--part", "0/2", "--report", self.html), status=2)
        done = run("cnnsweep-pack", "--check", "--report", self.html, self.out)
        self.assertEqual(done.returncode, 2, done.stderr)


if __name__ == "__main__":
    main()
