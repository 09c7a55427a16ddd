# SPDX-License-Identifier: Apache-2.0
"""cnnsweep-pack --append: images are added to a dataset, of which everything stays. h5py reads it; the same images packed
alone say what the new ones must be, and numpy what the statistics must be."""
import os
import shutil
import signal
from collections import Counter

import numpy as np
from PIL import Image
from pack_tools import BIN, SPLITS, PackTest, h5py, main, noise, run
from breakpoints import Stopped


def shards(path):
    return sorted(path.glob("shard-*.h5")) if path.is_dir() else [path]


def stored(path):
    """{split: [(id, class, weight, group, bytes)]} of a dataset, in its order"""
    found = {split: [] for split in SPLITS}
    for shard in shards(path):
        with h5py.File(shard) as file:
            classes = [name.decode() for name in file.attrs["classes"]]
            for split in SPLITS:
                group = file[split]
                for i, name in enumerate(group["id"][:]):
                    data = (group["images"][i] if "images" in group else
                            group["jpeg"][group["offset"][i]:group["offset"][i + 1]])
                    found[split].append((name.decode(), classes[group["label"][i]],
                                         float(group["weight"][i]) if "weight" in group else 1,
                                         group["group"][i].decode() if "group" in group else "", data.tobytes()))
    return found


def attributes(path):
    with h5py.File(shards(path)[0]) as file:
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in file.attrs.items()}


def contents(path):
    """The bytes of a file, or of the files of a folder."""
    return {file.name: file.read_bytes() for file in (path.iterdir() if path.is_dir() else [path])}


class Append(PackTest):
    """self.out is a dataset of the classes a, b and c; self.src has further images, of which some are JPEGs."""

    def setUp(self):
        super().setUp()
        self.src = self.first = self.root / "first"
        self.images(self.first, {"a": 40, "b": 30, "c": 20}, "old", 0)
        self.src = self.more = self.root / "more"
        self.images(self.more, {"a": 10, "c": 20}, "new", 1000)

    def images(self, src, sizes, name, seed, sides=(24, 32)):
        self.src = src
        for label, n in sizes.items():
            for i in range(n):
                pixels = noise(*sides, seed + 100 * ord(label) + i)
                self.save(f"{label}/{name}{i:02d}.{'jpg' if i % 3 == 0 else 'png'}", pixels)

    def made(self, *arguments, name="out.h5"):
        """Packs the first images."""
        self.src, self.out = self.first, self.root / name
        self.pack(*arguments)
        self.src = self.more

    def append(self, *arguments):
        done = run(self.packer, "--append", *arguments, self.src, self.out)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def append_fails(self, *needles, arguments=()):
        """It fails, says why, and leaves the dataset and all other files as they are."""
        before, files = contents(self.out), sorted(self.root.iterdir())
        done = run(self.packer, "--append", *arguments, self.src, self.out)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        for needle in needles:
            self.assertIn(needle, done.stderr)
        self.assertEqual(contents(self.out), before)
        self.assertEqual(sorted(self.root.iterdir()), files)

    def check(self):
        done = run(self.packer, "--check", self.out)
        self.assertEqual(done.returncode, 0, done.stderr)


class Images(Append):
    kinds = {"raw.h5": (), "resized.h5": ("--size", "12x10", "--resize", "lanczos", "--fit", "crop"),
             "jpeg.h5": ("--encoding", "jpeg"), "jpeg of a size.h5": ("--encoding", "jpeg", "--size", "16x16"),
             "filtered.h5": ("--filter", "median:3,unsharp", "--size", "20x20"),
             "filtered jpeg.h5": ("--filter", "median:3", "--encoding", "jpeg"),
             "decoded.h5": ("--alpha", "1,22,255", "--exif", "apply", "--depth16", "scale", "--max-pixels", "5000"),
             "raw shards": ("--size", "16x16", "--shard-size", 20 * 16 * 16 * 3),
             "jpeg shards": ("--encoding", "jpeg", "--shard-size", "20000"), "one shard": ("--shard-size", "1G")}

    def test_what_is_there_stays_and_new_images_are_as_if_they_were_packed_alone(self):
        self.images(self.more, {"b": 12}, "new", 1000)
        for name, arguments in self.kinds.items():
            self.made(*arguments, name=name)
            old, meta = stored(self.out), attributes(self.out)
            self.append()
            self.check()
            alone = self.root / f"alone {name}"
            self.assertEqual(run(self.packer, *arguments, self.more, alone).returncode, 0)
            new, now = stored(alone), stored(self.out)
            for split in SPLITS:
                self.assertGreater(len(new[split]), 0)
                self.assertEqual(now[split], old[split] + new[split], (name, split))
            for key in meta.keys() - {"mean", "std", "checksum"}:
                self.assertEqual(attributes(self.out)[key], meta[key], (name, key))

    def test_shards_keep_their_size(self):
        for name in "raw shards", "jpeg shards":
            self.made(*self.kinds[name], name=name)
            before, n = max(map(len, contents(self.out).values())), len(shards(self.out))
            self.append()
            self.assertGreater(len(shards(self.out)), n)
            self.assertLess(max(map(len, contents(self.out).values())), 1.2 * before)

    def test_statistics_are_those_of_all_training_images(self):
        for name in "raw.h5", "resized.h5", "raw shards":
            self.made(*self.kinds[name], name=name)
            before = attributes(self.out)["mean"]
            self.append()
            pixels = np.concatenate([np.frombuffer(row[4], np.uint8) for row in stored(self.out)["train"]]).reshape(-1, 3)
            for shard in shards(self.out):
                with h5py.File(shard) as file:
                    np.testing.assert_allclose(file.attrs["mean"], pixels.mean(0), rtol=1e-12)
                    np.testing.assert_allclose(file.attrs["std"], pixels.std(0), rtol=1e-12)
            self.assertNotEqual(attributes(self.out)["mean"], before)

    def test_new_images_of_another_size_get_that_of_the_dataset(self):
        self.made()
        shutil.rmtree(self.more)
        self.images(self.more, {"b": 5}, "large", 5, sides=(60, 90))
        self.append("--split", "1,0,0")
        for name, _, _, _, data in stored(self.out)["train"][-5:]:
            wanted = np.asarray(Image.open(self.more / name).convert("RGB").resize((32, 24), Image.BILINEAR)).astype(int)
            self.assertLessEqual(abs(np.frombuffer(data, np.uint8).reshape(24, 32, 3) - wanted).max(), 1)

    def test_images_can_be_added_again_and_again(self):
        self.made()
        for i in range(3):
            self.src = self.root / f"more{i}"
            self.images(self.src, {"b": 4}, f"more{i}-", 3000 + 100 * i)
            before = stored(self.out)
            self.append()
            for split, rows in stored(self.out).items():
                self.assertEqual(rows[:len(before[split])], before[split])
        self.assertEqual(sum(map(len, stored(self.out).values())), 102)

    def test_bad_images_are_left_out_if_asked_for_or_nothing_is_added(self):
        self.made()
        (self.more / "a/bad.png").write_bytes(b"no image")
        self.append_fails("1 of 31 files are no good", "bad.png")
        old = stored(self.out)
        self.append("--skip-bad")
        for split, rows in stored(self.out).items():
            self.assertEqual(rows[:len(old[split])], old[split])
        self.assertEqual(sum(map(len, stored(self.out).values())), 120)

    def test_an_id_that_is_there_is_refused_by_name(self):
        self.made()
        shutil.copy(self.first / "b/old07.png", self.more / "a/moved.png")
        (self.more / "b").mkdir()
        shutil.copy(self.first / "a/old01.png", self.more / "b/old07.png")
        self.append_fails("has an image 'b/old07.png' already", "a folder of the new images only")

    def test_repeats_of_a_balanced_dataset_stay(self):
        self.made("--balance", "over")
        old = stored(self.out)
        self.append()
        for split, rows in stored(self.out).items():
            self.assertEqual(rows[:len(old[split])], old[split])
        self.assertEqual(attributes(self.out)["source_counts"], [50, 30, 40])


class Classes(Append):
    def test_classes_are_those_of_the_dataset_in_its_order(self):
        self.made("--classes", "c,b,a")
        old = stored(self.out)
        self.append()
        self.assertEqual(attributes(self.out)["classes"], [b"c", b"b", b"a"])
        for split, rows in stored(self.out).items():
            for name, label, *_ in rows[len(old[split]):]:
                self.assertEqual(label, name[0])

    def test_images_of_one_class_can_be_added(self):
        self.made()
        shutil.rmtree(self.more / "c")
        self.append()
        self.assertEqual(Counter(row[1] for rows in stored(self.out).values() for row in rows), {"a": 50, "b": 30, "c": 20})

    def test_a_new_class_is_refused_with_what_can_be_done(self):
        self.made()
        self.save("d/1.png")
        self.append_fails('its class "d" is none of', 'which has "a", "b", "c"', '--map "d=a"')
        self.append("--map", "d=b")
        self.assertEqual(sum(row[1] == "b" for rows in stored(self.out).values() for row in rows), 31)

    def test_classes_can_be_left_out(self):
        self.made()
        self.save("d/1.png")
        self.append("--only", "c")
        self.assertEqual(Counter(row[1] for rows in stored(self.out).values() for row in rows), {"a": 40, "b": 30, "c": 40})

    def test_a_dataset_groups_and_leaves_out_new_classes_as_its_own(self):
        self.made("--map", "a=x", "--only", "x,b")
        done = self.append()
        self.assertIn("20 of 30 images are of classes that", done.stderr)
        self.assertEqual(Counter(row[1] for rows in stored(self.out).values() for row in rows), {"x": 50, "b": 30})
        self.assertEqual(attributes(self.out)["source_labels"], [0, 1, -1])


class Splits(Append):
    def splits(self):
        return {name: split for split, rows in stored(self.out).items() for name, *_ in rows}

    def test_new_images_are_split_as_asked_for(self):
        self.made()
        old = {split: len(rows) for split, rows in stored(self.out).items()}
        self.append("--split", "0.5,0,0.5")
        self.assertEqual({split: len(rows) - old[split] for split, rows in stored(self.out).items()},
                         {"train": 15, "val": 0, "test": 15})

    def test_a_source_that_is_split_keeps_its_splits(self):
        self.made()
        self.src = self.root / "split"
        for split, label, i in (("train", "a", 1), ("train", "b", 2), ("test", "a", 3), ("val", "b", 4)):
            self.save(f"{split}/{label}/{i}.png", noise(24, 32, 7000 + i))
        self.append()
        new = {name: split for name, split in self.splits().items() if "/" in name[2:]}
        self.assertEqual(new, {"train/a/1.png": "train", "train/b/2.png": "train", "test/a/3.png": "test", "val/b/4.png": "val"})

    def test_images_of_groups_that_are_there_follow_them(self):
        grouping = ("--group-regex", "/[a-z]+([0-9])")
        shutil.rmtree(self.more)
        self.images(self.more, {"a": 40, "b": 25}, "new", 1000)
        for i in range(12):
            self.save(f"c/x-{i}.png", noise(24, 32, 9000 + i))
        self.made(*grouping, "--split", "0.5,0.25,0.25")
        old = {row[3]: split for split, rows in stored(self.out).items() for row in rows}
        self.assertGreater(len(set(old.values())), 1)
        done = self.append(*grouping, "--split", "0.2,0.4,0.4")
        found = {}
        for split, rows in stored(self.out).items():
            for name, _, _, group, _ in rows:
                if group:
                    found.setdefault(group, set()).add(split)
        self.assertEqual(found, {group: {split} for group, split in old.items() if group})
        self.assertNotIn("in more than one split", done.stderr)
        alone = {split for name, split in self.splits().items() if "/x-" in name}
        self.assertEqual(alone, {"train", "val", "test"})

    def test_new_images_may_all_follow_their_groups(self):
        grouping = ("--group-regex", "/[a-z]+([0-9])", "--split-rule", "grouped")
        self.made(*grouping)
        self.append(*grouping)
        splits = {}
        for split, rows in stored(self.out).items():
            for row in rows:
                splits.setdefault(row[3], set()).add(split)
        self.assertEqual(set(map(len, splits.values())), {1})

    def test_new_images_without_groups_are_split_by_any_rule(self):
        self.made("--group-regex", "/[a-z]+([0-9])")
        old = stored(self.out)
        alone = self.root / "alone.h5"
        for rule in ("stratified", "train_test_split"):
            self.out.unlink()
            self.made("--group-regex", "/[a-z]+([0-9])")
            alone.unlink(missing_ok=True)
            self.assertEqual(run(self.packer, "--split-rule", rule, self.more, alone).returncode, 0)
            self.append("--split-rule", rule)
            self.assertEqual({split: len(rows) - len(old[split]) for split, rows in stored(self.out).items()},
                             {split: len(rows) for split, rows in stored(alone).items()})

    def test_it_is_said_that_groups_are_missing(self):
        self.made("--group-regex", "/[a-z]+([0-9])")
        self.assertIn("have groups, and the new ones have none", self.append().stderr)

    def test_the_bad_ones_left_out_the_others_are_split(self):
        self.made()
        for i in range(0, 20, 2):
            next((self.more / "c").glob(f"new{i:02d}.*")).write_bytes(b"no image")
        self.append("--skip-bad", "--split", "0.5,0,0.5")
        new = Counter(split for name, split in self.splits().items() if name.startswith("c/new"))
        self.assertEqual(new, {"train": 5, "test": 5})


class Weights(Append):
    def test_weights_of_new_images_are_stored_and_1_where_there_are_none(self):
        table = self.root / "weights.csv"
        names = [str(path.relative_to(self.more)) for path in sorted(self.more.glob("*/*"))]
        table.write_text("file,weight\n" + "".join(f"{name},{i / 4}\n" for i, name in enumerate(names)))
        self.made()
        self.append("--weights", table)
        wanted = {name: i / 4 for i, name in enumerate(names)}
        for rows in stored(self.out).values():
            for name, _, weight, *_ in rows:
                self.assertEqual(weight, wanted.get(name, 1))

    def test_of_a_dataset_with_weights_they_stay(self):
        self.made("--balance", "weights")
        old = stored(self.out)
        self.assertIn("the new ones get the weight 1", self.append().stderr)
        for split, rows in stored(self.out).items():
            self.assertEqual(rows[:len(old[split])], old[split])
            self.assertEqual({row[2] for row in rows[len(old[split]):]}, {1})


class Duplicates(Append):
    def setUp(self):
        super().setUp()
        shutil.copy(self.first / "a/old01.png", self.more / "a/copy1.png")
        shutil.copy(self.first / "b/old02.png", self.more / "c/copy2.png")
        shutil.copy(self.more / "a/new04.png", self.more / "a/copy3.png")

    def names(self):
        return {row[0] for rows in stored(self.out).values() for row in rows}

    def test_they_are_counted_and_said(self):
        self.made()
        done = self.append()
        self.assertIn("2 of the 33 images that are added are duplicates of images that were there", done.stderr)
        self.assertEqual(attributes(self.out)["duplicates"][:2] + attributes(self.out)["duplicates"][3:], [3, 6, 1])

    def test_only_new_ones_are_dropped(self):
        shutil.copy(self.first / "a/old01.png", self.first / "a/own.png")
        self.made()
        self.append("--duplicates", "drop")
        self.assertEqual({name for name in self.names() if "copy" in name or "own" in name}, {"a/copy3.png", "a/own.png"})

    def test_the_new_copy_is_dropped_wherever_the_splits_are(self):
        self.made("--split", "0.4,0,0.6")
        self.src = self.root / "split"
        for path in sorted(self.first.glob("*/*.png")):
            self.save(f"train/{path.parent.name}/copy of {path.name}", Image.open(path))
        self.save("train/a/one.png", noise(24, 32, 4567))
        before = self.names()
        self.append("--duplicates", "drop")
        self.assertEqual(self.names() - before, {"train/a/one.png"})

    def test_groups_of_duplicates_follow_the_image_that_is_there(self):
        self.made("--split", "0.3,0.3,0.4")
        self.append("--duplicates", "group", "--split", "0.4,0.3,0.3")
        splits = {row[0]: split for split, rows in stored(self.out).items() for row in rows}
        self.assertEqual(splits["a/copy1.png"], splits["a/old01.png"])
        self.assertEqual(splits["c/copy2.png"], splits["b/old02.png"])
        self.assertEqual(splits["a/copy3.png"], splits["a/new04.png"])

    def test_it_fails_for_new_ones_and_not_for_those_that_were_there(self):
        shutil.copy(self.first / "a/old01.png", self.first / "a/own.png")
        self.made()
        self.append_fails("a/copy1.png is a duplicate of a/old01.png", "3 of 124 images", arguments=("--duplicates", "fail"))
        for name in "a/copy1.png", "c/copy2.png", "a/copy3.png":
            (self.more / name).unlink()
        self.append("--duplicates", "fail")


class Sources(Append):
    def test_a_dataset_is_added_to_another(self):
        for kind in ((), ("--encoding", "jpeg")):
            self.made(*kind, name=f"out{len(kind)}.h5")
            old = stored(self.out)
            self.src = self.root / f"second{len(kind)}.h5"
            self.assertEqual(run(self.packer, *kind, self.more, self.src).returncode, 0)
            second = stored(self.src)
            self.append()
            self.assertEqual(stored(self.out), {split: old[split] + second[split] for split in SPLITS})

    def test_a_filtered_dataset_is_added_to_one_with_the_same_filter_only(self):
        self.made("--filter", "median")
        old = stored(self.out)
        self.src = self.root / "second.h5"
        self.assertEqual(run(self.packer, "--filter", "median", self.more, self.src).returncode, 0)
        other = self.root / "third.h5"
        self.assertEqual(run(self.packer, "--filter", "gaussian", self.more, other).returncode, 0)
        second = stored(self.src)
        self.append()
        self.assertEqual(stored(self.out), {split: old[split] + second[split] for split in SPLITS})
        self.assertEqual(attributes(self.out)["filter"], b"median")
        self.src = other
        self.append_fails("its images went through the filter gaussian")

    def test_a_table_is_added(self):
        self.made()
        table = self.more / "labels.csv"
        table.write_text("path,label,split,group\na/new01.png,c,test,p1\na/new02.png,b,train,\n")
        self.src = table
        self.append()
        rows = {row[0]: (split, row[1], row[3]) for split, rows in stored(self.out).items() for row in rows}
        self.assertEqual((rows["a/new01.png"], rows["a/new02.png"]), (("test", "c", "p1"), ("train", "b", "")))


class Refused(Append):
    def test_options_that_contradict_the_dataset(self):
        self.made("--size", "12x10", "--resize", "box", "--fit", "pad", "--filter", "median", "--exif", "apply",
                  "--alpha", "0,0,9")
        for option, value in (("--size", "12x11"), ("--resize", "bilinear"), ("--fit", "stretch"), ("--filter", "gaussian"),
                              ("--exif", "ignore"), ("--alpha", "drop"), ("--depth16", "clip"), ("--encoding", "jpeg"),
                              ("--max-pixels", "77"), ("--shard-size", "1M")):
            self.append_fails(f"{option}: {self.out} was packed otherwise", arguments=(option, value))
        for arguments in (("--balance", "over"), ("--per-class", "3"), ("--total", "9")):
            self.append_fails("not with --append", arguments=arguments)
        self.append("--size", "12x10", "--resize", "box", "--fit", "pad", "--filter", "median", "--exif", "apply", "--alpha",
                    "0,0,9", "--depth16", "high-byte", "--encoding", "raw")

    def test_wrong_calls(self):
        self.made()
        for arguments, needle in ((("--part", "0/2"), "--append: give SRC and the dataset, without --part"),
                                  (("--force",), "--force")):
            done = run(self.packer, "--append", *arguments, self.src, self.out)
            self.assertEqual(done.returncode, 2)
            self.assertIn(needle, done.stderr)
        missing = run(self.packer, "--append", self.src, self.root / "none/missing.h5")
        self.assertEqual(missing.returncode, 1)
        self.assertIn("missing.h5: no such dataset", missing.stderr)

    def test_a_damaged_dataset(self):
        self.made()
        with h5py.File(self.out, "r+") as file:
            file["train/images"][3] = 0
        self.append_fails("checksum")

    def test_unknown_rules_of_decoding(self):
        self.made("--exif", "apply")
        for text in ("exif=apply tint=3", "alpha=1,2,300", "", "alpha=", "depth16=clip"):
            with h5py.File(self.out, "r+") as file:
                file.attrs["decode"] = np.bytes_(text or " ")
            if text == "depth16=clip":
                self.append()
            else:
                self.append_fails("unknown rules of decoding")


class Interrupted(Append):
    def start(self):
        return Stopped(f"open {self.out.name}.tmp 1", [BIN / "cnnsweep-pack", "--append", self.src, self.out], os.environ,
                       self.root)

    def test_an_interrupt_leaves_the_dataset_and_nothing_else(self):
        for name, arguments in (("out.h5", ()), ("shards", ("--shard-size", "20000"))):
            self.made(*arguments, name=name)
            before, files = contents(self.out), sorted(self.root.iterdir())
            program = self.start()
            program.signal(signal.SIGINT)
            code, _, errors = program.end()
            self.assertEqual(code, 1, errors)
            self.assertEqual(contents(self.out), before)
            self.assertEqual(sorted(self.root.iterdir()), files)

    def test_a_kill_leaves_the_dataset_to_which_images_can_still_be_added(self):
        for name, arguments in (("out.h5", ()), ("shards", ("--shard-size", "20000"))):
            self.made(*arguments, name=name)
            before = contents(self.out)
            program = self.start()
            program.signal(signal.SIGKILL)
            program.end()
            self.assertEqual(contents(self.out), before)
            self.append()
            self.assertEqual(sum(map(len, stored(self.out).values())), 120)

    def test_two_cannot_add_at_the_same_time(self):
        self.made()
        program = self.start()
        self.src = self.first
        done = run(self.packer, "--append", self.src, self.out)
        program.go_on()
        code, _, errors = program.end()
        self.assertEqual(code, 0, errors)
        self.assertEqual(done.returncode, 1)
        self.assertIn("another process is adding images to it", done.stderr)
        self.assertEqual(sum(map(len, stored(self.out).values())), 120)


if __name__ == "__main__":
    main()
