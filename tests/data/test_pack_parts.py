# SPDX-License-Identifier: Apache-2.0
"""Datasets that several processes pack in parts and then join equal those that one process packs."""
import fcntl
import filecmp
import os
import pathlib
import shutil

from pack_tools import PackTest, main, noise, ordered, run


class Parts(PackTest):
    def setUp(self):
        super().setUp()
        self.out = self.root / "whole"
        self.joined = self.root / "joined"
        for label, n in (("a", 30), ("b", 23), ("c", 8)):
            for i in range(n):
                self.save(f"{label}/{i:03d}.png", noise(6, 8, i + n))

    def part(self, index, count, *options, status=0):
        result = run("cnnsweep-pack", self.src, self.joined, "--part", f"{index}/{count}", *options)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def join(self, status=0):
        result = run("cnnsweep-pack", "--join", self.joined)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def assert_whole(self):
        self.assertEqual(ordered(self.joined), ordered(self.out))
        self.assertFalse(os.path.exists(f"{self.joined}.parts"))
        self.assertIn("whole; 61 images", run("cnnsweep-pack", "--check", self.joined).stdout)

    def assert_same_files(self):
        names = sorted(os.listdir(self.out))
        self.assertEqual(sorted(os.listdir(self.joined)), names)
        self.assertEqual(filecmp.cmpfiles(self.out, self.joined, names, shallow=False), (names, [], []))

    def test_raw_parts_are_the_same_files(self):
        options = ("--shard-size", "1K", "--seed", 3)
        self.pack(*options)
        for index in (2, 0, 1):
            self.part(index, 3, *options)
        self.join()
        self.assert_whole()
        self.assert_same_files()

    def test_there_may_be_more_parts_than_shards(self):
        options = ("--shard-size", "4K", "--size", "4x4")
        self.pack(*options)
        errors = [self.part(index, 5, *options).stderr for index in range(5)]
        self.assertEqual(["all of them fill 1 shard" in text for text in errors], [True] * 4 + [False])
        self.join()
        self.assert_whole()
        self.assert_same_files()

    def test_jpeg_parts_hold_the_same_samples_in_the_same_order(self):
        options = ("--encoding", "jpeg", "--shard-size", "4K")
        self.pack(*options)
        for index in range(3):
            self.part(index, 3, *options)
        self.join()
        self.assert_whole()

    def test_a_part_that_exists_is_not_packed_again(self):
        self.part(0, 2)
        before = os.stat(f"{self.joined}.parts/part-00000").st_mtime_ns
        self.assertIn("exists already", self.part(0, 2).stderr)
        self.assertEqual(os.stat(f"{self.joined}.parts/part-00000").st_mtime_ns, before)

    def test_a_missing_part_is_named(self):
        self.part(0, 3)
        self.part(2, 3)
        self.assertIn("part-00001: this part does not exist", self.join(status=1).stderr)
        self.assertFalse(self.joined.exists())

    def test_parts_packed_with_other_options_are_refused(self):
        self.part(0, 2, "--seed", 1)
        self.part(1, 2, "--seed", 2)
        self.assertIn("part-00001: part 1 of 2, of other images or options", self.join(status=1).stderr)
        self.assertIn("part 0 of 2 of other images", self.part(0, 2, "--seed", 2, status=1).stderr)

    def test_an_interrupted_join_can_be_repeated(self):
        options = ("--shard-size", "1K")
        self.pack(*options)
        for index in range(2):
            self.part(index, 2, *options)
        # The files that the first join would leave if it was interrupted after its second shard.
        copy = self.root / "copy"
        shutil.copytree(f"{self.joined}.parts", copy)
        self.join()
        moved = [self.root / "first", self.root / "second"]
        for i, to in enumerate(moved):
            shutil.copy(self.joined / f"shard-{i:05d}.h5", to)
        shutil.rmtree(self.joined)
        (copy / "whole").mkdir()
        for i, found in enumerate(moved):
            shutil.move(found, copy / "whole" / f"shard-{i:05d}.h5")
            (copy / "part-00000" / f"shard-{i:05d}.h5").unlink()
        shutil.move(copy, f"{self.joined}.parts")
        self.join()
        self.assert_whole()

    def add_bad(self, *names):
        """Packs the tree to `out`, and then adds bad files to the tree."""
        self.pack("--shard-size", "1K")
        for name in names:
            (self.src / name).write_text("no image")

    def notes(self):
        """{name: (text, time of modification)} of the notes on bad files."""
        found = pathlib.Path(f"{self.joined}.parts").glob("bad-*")
        return {path.name: (path.read_text(), path.stat().st_mtime_ns) for path in found}

    def test_every_part_leaves_out_the_bad_files_of_all_parts(self):
        self.add_bad("a/000x.png", "b/011x.png", "c/007x.png", "c/1.png")
        for index in (1, 2, 0):
            errors = self.part(index, 3, "--skip-bad", "--shard-size", "1K").stderr
            self.assertIn("4 of 65 files left out", errors)
        self.join()
        self.assert_whole()
        self.assert_same_files()

    def test_a_slice_that_one_part_has_checked_is_not_checked_again(self):
        self.add_bad("a/000x.png", "c/007x.png")
        self.assertEqual(self.part(0, 3, "--skip-bad").stderr.count("not an image"), 2)
        before = self.notes()
        for index in (1, 2):
            self.assertNotIn("not an image", self.part(index, 3, "--skip-bad").stderr)
        self.assertEqual(self.notes(), before)

    def test_notes_of_another_number_of_parts_are_not_read(self):
        self.add_bad("a/020x.png", "c/007x.png")  # the first file is in slice 2 of 8, and in slice 5 of 16
        options = ("--skip-bad", "--shard-size", "1K")
        self.part(0, 2, *options)
        shutil.rmtree(f"{self.joined}.parts/part-00000")
        for index in range(4):
            self.assertIn("2 of 63 files left out", self.part(index, 4, *options).stderr)
        self.join()
        self.assert_whole()

    def test_lost_or_damaged_notes_are_written_again(self):
        self.add_bad("a/000x.png", "b/011x.png", "c/007x.png")
        options = ("--skip-bad", "--shard-size", "1K")
        self.part(0, 2, *options)
        before = {name: text for name, (text, _) in self.notes().items()}
        for i, name in enumerate(sorted(before)):
            path = pathlib.Path(f"{self.joined}.parts") / name
            path.write_text(("", "1\n", "1\n99999\n", "-1\n", "x\n")[i % 5]) if i % 6 < 5 else path.unlink()
        self.part(1, 2, *options)
        self.assertEqual({name: text for name, (text, _) in self.notes().items()}, before)
        self.join()
        self.assert_whole()

    def test_a_repaired_file_is_checked_again(self):
        self.add_bad("a/000.png")
        self.assertIn("1 of 61 files left out", self.part(0, 2, "--skip-bad").stderr)
        self.save("a/000.png", noise(6, 8, 30))
        self.assertNotIn("left out", self.part(1, 2, "--skip-bad").stderr)
        self.assertIn("of other images or options", self.join(status=1).stderr)

    def test_wrong_part_numbers_are_refused(self):
        for wrong, needle in (("-1/3", "part -1 is outside 0 to 2"), ("3/3", "part 3 is outside"), ("0/0", "0 parts"),
                              ("x", "is no part"), ("1/2/3", "is no part"), ("1", "is no part")):
            result = run("cnnsweep-pack", self.src, self.joined, "--part", wrong)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertIn(needle, result.stderr)

    def test_a_damaged_note_of_a_part_loses_no_images(self):
        self.part(0, 1)
        note = pathlib.Path(f"{self.joined}.parts/part-00000/part.json")
        whole = note.read_text()
        note.write_text(whole.replace('"of": 1', '"of": 0'))
        self.assertIn("part.json: part 0 of 0", self.join(status=1).stderr)
        note.write_text(whole)
        self.join()
        self.assertIn("whole; 61 images", run("cnnsweep-pack", "--check", self.joined).stdout)

    def test_parts_are_joined_by_one_process_at_a_time(self):
        """The lock is a POSIX lock on a file beside the parts."""
        self.part(0, 1)
        lock = pathlib.Path(f"{self.joined}.parts.lock")
        with open(lock, "w") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            self.assertIn("another process is joining", self.join(status=1).stderr)
        self.join()
        self.assertFalse(lock.exists())

    def test_a_slash_at_the_end_of_the_name_is_ignored(self):
        for index in range(2):
            run("cnnsweep-pack", self.src, f"{self.joined}/", "--part", f"{index}/2")
        self.assertEqual(run("cnnsweep-pack", "--join", f"{self.joined}/").returncode, 0)
        self.assertIn("whole; 61 images", run("cnnsweep-pack", "--check", self.joined).stdout)


if __name__ == "__main__":
    main()
