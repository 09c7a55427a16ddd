# SPDX-License-Identifier: Apache-2.0
"""cnnsweep-pack names and counts bad input, and leaves no files when it fails."""
import os
import resource
import shutil
import signal
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

import numpy as np
from pack_tools import BIN, SPLITS, PackTest, h5py, main, noise, run
from breakpoints import Stopped


class BadInput(PackTest):
    def setUp(self):
        super().setUp()
        for label in "ab":
            for i in range(4):
                self.save(f"{label}/{i}.jpg", noise(48, 48, i), quality=85)

    def test_a_truncated_jpeg_is_named(self):
        path = self.src / "a/2.jpg"
        path.write_bytes(path.read_bytes()[:-300])
        self.pack_fails("a/2.jpg: damaged JPEG", "1 of 8 files are no good", "--skip-bad")
        result = self.pack("--skip-bad")
        self.assertIn("1 of 8 files left out", result.stderr)
        self.assertEqual(len(self.samples()), 7)
        self.assertNotIn("a/2.jpg", self.samples())

    def test_every_truncation_of_a_jpeg_is_noticed(self):
        whole = (self.src / "a/2.jpg").read_bytes()
        shutil.rmtree(self.src / "a")
        lengths = list(range(0, len(whole) - 2, max(1, len(whole) // 60)))
        for n in lengths:
            (self.src / f"b/cut{n:05d}.jpg").write_bytes(whole[:n])
        self.save("a/good.jpg", noise(48, 48, 9))
        self.pack_fails(f"{len(lengths)} of {len(lengths) + 5} files are no good")

    def test_a_truncated_png_is_named(self):
        path = self.save("a/cut.png", noise(48, 48, 1))
        path.write_bytes(path.read_bytes()[:-400])
        self.pack_fails("a/cut.png: damaged PNG")

    def test_every_truncation_of_a_png_is_noticed(self):
        whole = self.save("a/x.png", noise(48, 48, 1)).read_bytes()
        lengths = list(range(0, len(whole) - 40, max(1, len(whole) // 60))) + list(range(len(whole) - 40, len(whole) - 11))
        for n in lengths:
            (self.src / f"b/cut{n:05d}.png").write_bytes(whole[:n])
        self.pack_fails(f"{len(lengths)} of {len(lengths) + 9} files are no good")

    def test_every_damaged_pixel_byte_of_a_png_is_noticed(self):
        ramp = np.tile(np.arange(48, dtype=np.uint8)[None, :, None], (48, 1, 3))
        whole = self.save("a/x.png", ramp).read_bytes()
        begin, end = whole.index(b"IDAT") + 4, whole.index(b"IEND") - 4
        self.assertGreater(end - begin, 40)
        for at in range(begin, end):
            (self.src / f"b/flip{at:05d}.png").write_bytes(whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1:])
        self.pack_fails(f"{end - begin} of {end - begin + 9} files are no good")

    def test_damaged_bytes_never_crash(self):
        self.save("b/x.png", noise(48, 48, 1))
        for name in ("a/1.jpg", "b/x.png"):
            whole = (self.src / name).read_bytes()
            for i in range(60):
                at = i * len(whole) // 60
                kind = name[-3:]
                (self.src / f"a/flip{i}.{kind}").write_bytes(whole[:at] + bytes([whole[at] ^ 0xA5]) + whole[at + 1:])
        result = run("cnnsweep-pack", self.src, self.out, "--skip-bad", "--size", "32x32")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("left out", result.stderr)

    def test_a_png_bomb_is_refused(self):
        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        header = struct.pack(">IIBBBBB", 2000000000, 2000000000, 8, 2, 0, 0, 0)
        (self.src / "a/bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
                                              chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b""))
        self.pack_fails("a/bomb.png", "2000000000x2000000000 pixels", "250 million")

    def test_a_jpeg_bomb_is_refused(self):
        whole = bytearray((self.src / "a/1.jpg").read_bytes())
        at = whole.index(b"\xff\xc0") + 5
        whole[at:at + 4] = struct.pack(">HH", 65500, 65500)
        (self.src / "a/1.jpg").write_bytes(whole)
        self.pack_fails("a/1.jpg", "65500x65500 pixels")

    def test_files_that_are_no_images_are_named_by_what_they_are(self):
        (self.src / "a/notes.jpg").write_text("hello")
        (self.src / "a/empty.jpg").write_bytes(b"")
        (self.src / "a/fake.jpg").write_bytes(bytes(128) + b"DICM")
        self.pack_fails("a/notes.jpg: not an image: JPEG, PNG, BMP, GIF, WebP, TIFF and PPM are read",
                        "a/empty.jpg: the file is empty", "a/fake.jpg: this is a DICOM image",
                        "3 of 11 files are no good")

    def test_broken_links_and_pipes_are_bad_files(self):
        (self.src / "a/gone.jpg").symlink_to("/nowhere/1.jpg")
        (self.src / "b/circle.jpg").symlink_to("circle.jpg")
        os.mkfifo(self.src / "b/pipe.jpg")
        self.pack_fails("a/gone.jpg: cannot open: No such file", "b/circle.jpg: cannot open: Too many levels",
                        "b/pipe.jpg: a pipe, socket or device", "3 of 11 files are no good", timeout=900)
        self.pack("--skip-bad", timeout=900)
        self.assertEqual(len(self.samples()), 8)

    def test_a_broken_link_in_place_of_a_class_is_an_error(self):
        """If it counted as a bad file, a whole class would be missing."""
        (self.src / "c").symlink_to("/nowhere")
        self.pack_fails("src/c: cannot look at it: No such file", arguments=["--skip-bad"])

    def test_the_size_is_that_of_the_first_good_file(self):
        data = self.save("a/0.jpg", noise(20, 30, 1)).read_bytes()
        (self.src / "a/0.jpg").write_bytes(data[:-2])
        self.pack("--skip-bad")
        self.assertEqual(self.samples()["a/1.jpg"][2].shape, (48, 48, 3))

    def test_many_bad_files_are_counted_not_all_named(self):
        for i in range(50):
            (self.src / f"a/bad{i}.jpg").write_text("x")
        result = self.pack_fails("50 of 58 files")
        self.assertEqual(result.stderr.count("not an image"), 20)

    def test_all_bad_files_can_be_listed(self):
        bad = [f"a/bad{i:02d}.jpg" for i in range(50)]
        for name in bad:
            (self.src / name).write_text("x")
        with tempfile.TemporaryDirectory() as folder:
            listed = Path(folder) / "bad.txt"
            for arguments in ((), ("--skip-bad",), ("--skip-bad", "--part", "0/2")):
                run("cnnsweep-pack", self.src, self.out, "--bad-list", listed, *arguments)
                self.assertEqual(sorted(listed.read_text().split()), bad, arguments)
                listed.unlink()
                self.out.unlink(missing_ok=True)

    def test_a_class_without_good_images_is_refused(self):
        for i in range(4):
            (self.src / f"a/{i}.jpg").write_text("x")
        self.pack_fails('class "a" has no images', arguments=["--skip-bad"])

    def test_an_empty_class_is_refused(self):
        (self.src / "c").mkdir()
        self.pack_fails('class "c" has no images to train on')

    def test_a_single_class_is_refused(self):
        shutil.rmtree(self.src / "b")
        self.pack_fails("only one class")

    def test_a_folder_without_classes_is_refused(self):
        shutil.rmtree(self.src)
        self.src.mkdir()
        self.pack_fails("no class folders")

    def test_a_class_in_test_but_not_in_train_is_refused(self):
        for name in ("train/a/1.png", "train/b/1.png", "test/z/1.png"):
            self.save(name)
        shutil.rmtree(self.src / "a")
        shutil.rmtree(self.src / "b")
        self.pack_fails("test/z: a class that the training split does not have")

    def test_a_test_folder_without_a_train_folder_is_refused(self):
        for name in ("test/a/1.png", "test/b/1.png"):
            self.save(name)
        self.pack_fails("there is a test/ but no train/")

    def test_sizes_that_differ_need_an_option(self):
        self.save("b/other.png", noise(20, 30, 1))
        self.pack_fails("b/other.png: 30x20 pixels, but the first image has 48x48", "--size WxH")

    def test_unreadable_folders_and_files_are_named(self):
        (self.src / "b/1.jpg").chmod(0)
        self.addCleanup((self.src / "b/1.jpg").chmod, 0o644)
        self.root.chmod(0o777)
        prefix = []
        if os.geteuid() == 0:  # root may read everything
            prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        call = prefix + [BIN / "cnnsweep-pack", self.src, self.out]
        result = subprocess.run(call, capture_output=True, text=True)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("b/1.jpg: cannot open: Permission denied", result.stderr)
        (self.src / "b").chmod(0)
        self.addCleanup((self.src / "b").chmod, 0o755)
        result = subprocess.run(call, capture_output=True, text=True)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("src/b: cannot open the folder: Permission denied", result.stderr)
        self.assertFalse(self.out.exists())

    def test_a_missing_folder_is_named(self):
        shutil.rmtree(self.src)
        self.pack_fails("or folder: No such file or directory")

    def test_a_file_of_another_kind_is_refused(self):
        shutil.rmtree(self.src)
        self.src.write_bytes(b"tar")
        self.pack_fails("src: not a table,", "or folder")


class Writing(PackTest):
    def setUp(self):
        super().setUp()
        for label in "ab":
            for i in range(20):
                self.save(f"{label}/{i}.png", noise(64, 64, i))

    def test_a_full_disk_leaves_no_files(self):
        """A small memory disk if the test may mount one, else a limit on the size of files."""
        disk = self.root / "disk"
        disk.mkdir()
        mounted = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk],
                                                       capture_output=True).returncode == 0

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (400000, 400000))

        try:
            for options in (["--size", "100x100"], ["--encoding", "jpeg", "--size", "200x200"],
                            ["--shard-size", "100K", "--size", "160x160"]):
                result = run("cnnsweep-pack", self.src, disk / "out", *options,
                             preexec_fn=None if mounted else limit)
                if not mounted and "--shard-size" in options:
                    continue  # no file reaches the limit
                self.assertEqual(result.returncode, 1, result.stdout)
                self.assertIn("No space left on device" if mounted else "File too large", result.stderr)
                self.assertEqual(list(disk.iterdir()), [])
        finally:
            if mounted:
                subprocess.run(["umount", disk], check=True)

    def test_existing_output_is_kept(self):
        self.out.write_text("precious")
        self.pack_fails("out.h5: already exists")
        self.assertEqual(self.out.read_text(), "precious")

    def names(self):
        """The ids of all images, in a file or in shards."""
        found = set()
        for path in self.out.glob("*.h5") if self.out.is_dir() else [self.out]:
            with h5py.File(path) as file:
                for split in SPLITS:
                    found |= {name.decode() for name in file[split]["id"][:]}
        return found

    def test_force_replaces_a_dataset(self):
        for before, after in (((), ()), (("--shard-size", "4K"), ("--shard-size", "2K")), ((), ("--shard-size", "4K"))):
            self.pack(*before)
            first = self.names()
            self.save("a/new.png", noise(64, 64, 7))
            self.pack("--force", *after)
            self.assertEqual(self.names() - first, {"a/new.png"})
            self.assertEqual(sorted(p.name for p in self.root.iterdir()), ["out.h5", "src"])
            (self.src / "a/new.png").unlink()
            shutil.rmtree(self.out) if self.out.is_dir() else self.out.unlink()

    def test_force_leaves_the_dataset_where_packing_fails(self):
        self.pack()
        before = self.out.read_bytes()
        (self.src / "a/bad.jpg").write_text("x")
        self.pack_fails("a/bad.jpg", arguments=("--force",))
        self.assertEqual(self.out.read_bytes(), before)

    def test_force_does_not_replace_a_folder_that_is_no_dataset(self):
        self.out.mkdir()
        (self.out / "thesis.tex").write_text("precious")
        self.pack_fails("is a folder, and no dataset", arguments=("--force",))
        self.assertTrue((self.out / "thesis.tex").exists())

    def test_an_interrupt_leaves_no_files(self):
        packer = Stopped("open out.h5.tmp 1", [BIN / "cnnsweep-pack", self.src, self.out], os.environ, self.root)
        self.assertEqual(len(list(self.root.iterdir())), 2)
        packer.signal(signal.SIGINT)
        code, _, errors = packer.end()
        self.assertEqual(code, 1, errors)
        self.assertIn("interrupted", errors)
        self.assertEqual(list(self.root.iterdir()), [self.src])

    def test_a_locked_dataset_is_called_that(self):
        self.pack()
        with h5py.File(self.out, "r+", locking=True):
            environment = {**os.environ, "HDF5_USE_FILE_LOCKING": "TRUE"}
            errors = run("cnnsweep-pack", "--info", self.out, env=environment).stderr
        self.assertIn("another program has it open for writing", errors)
        self.assertNotIn("pack the images again", errors)

    def test_a_file_system_without_shared_mappings_does(self):
        self.pack()
        library = BIN.parent / "tests/libcs_no_shared_map.so"
        environment = {**os.environ, "LD_PRELOAD": str(library), "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}
        for command in ("--info", "--check"):
            done = run("cnnsweep-pack", command, self.out, env=environment)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_check_notices_damage(self):
        for options, name in ([], "out.h5"), (["--shard-size", "100K"], "shards"):
            self.out = self.root / name
            self.pack(*options)
            self.assertEqual(run("cnnsweep-pack", "--check", self.out).returncode, 0)
            part = self.out / "shard-00001.h5" if options else self.out
            whole = part.read_bytes()
            part.write_bytes(whole[:len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1:])
            result = run("cnnsweep-pack", "--check", self.out, env={**os.environ, "CNNSWEEP_TRUST_SHARDS": "1"})
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"{part.name}: altered or damaged", result.stderr)
            part.write_bytes(whole[:-100])
            result = run("cnnsweep-pack", "--info", self.out)
            self.assertEqual(result.returncode, 1)
            self.assertIn(part.name, result.stderr)


class Usage(PackTest):
    def test_wrong_calls_have_status_2_and_a_hint(self):
        for arguments, needle in ((["--sise", "3"], "did you mean '--size'?"), (["x"], "give SRC and OUT"),
                                  (["a", "b", "c"], 'one argument too many: "c"'), (["--size"], "--size needs a value"),
                                  (["--size", "50", "a", "b"], '--size: "50" is not a size'),
                                  (["--split", "0.5,0.1,0.1", "a", "b"], "sum to 1"),
                                  (["--val", "1.5", "a", "b"], "--val"), (["--threads=0", "a", "b"], "--threads"),
                                  (["--encoding", "png", "a", "b"], "neither raw nor jpeg"),
                                  (["--shard-size", "12X", "a", "b"], "such as 256M"),
                                  (["--skip-bad=1", "a", "b"], "takes no value")):
            result = run("cnnsweep-pack", *arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn(needle, result.stderr)

    def test_options_that_do_not_fit_the_tree_are_refused(self):
        for label in "ab":
            self.save(f"{label}/1.png")
        self.pack_fails("no train folder to carve from", arguments=["--val", "0.1"])
        shutil.copytree(self.src, self.root / "whole" / "train")
        self.src = self.root / "whole"
        self.pack_fails("is split already", arguments=["--split", "0.5,0.5,0"])

    def test_help_names_every_option(self):
        result = run("cnnsweep-pack", "--help")
        self.assertEqual(result.returncode, 0)
        for option in ("--size", "--resize", "--encoding", "--split", "--val", "--shard-size", "--threads", "--seed",
                       "--skip-bad", "--check", "--info"):
            self.assertIn(option, result.stdout)


class Named(PackTest):
    """Files that are not read are named as what they are, with what to do."""
    KINDS = {"lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n", "a Git LFS pointer", "git lfs pull"),
             "html": (b"\xef\xbb\xbf \r\n<!DOCTYPE html><html>", "an HTML page", "download the file again"),
             "html2": (b"<HTML><body>404", "an HTML page", "download the file again"),
             "dicom": (bytes(128) + b"DICM" + bytes(99), "a DICOM image", "dcm2pnm"),
             "nifti": (struct.pack("<i", 348) + bytes(340) + b"n+1\0", "a NIfTI volume", "nibabel"),
             "nifti2": (struct.pack("<i", 540) + b"n+2\0\r\n\x1a\n" + bytes(528), "a NIfTI volume", "nibabel"),
             "gz": (b"\x1f\x8b\x08" + bytes(20), "gzip data", "NIfTI"),
             "heic": (b"\0\0\0\x18ftypheic" + bytes(20), "a HEIC image", "heif-convert"),
             "avif": (b"\0\0\0\x18ftypavif" + bytes(20), "an AVIF image", "avifdec"),
             "mp4": (b"\0\0\0\x18ftypisom" + bytes(20), "a video", "ffmpeg"),
             "j2k": (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image", "convert"),
             "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'>", "an SVG drawing", "convert"),
             "npy": (b"\x93NUMPY\1\0", "a NumPy array", "PNG"), "txt": (b"hello", "not an image", "are read")}

    def test_each_kind(self):
        self.save("a/good.png")
        self.save("b/good.png")
        for name, (content, _, _) in self.KINDS.items():
            (self.src / f"a/{name}.jpg").write_bytes(content)
        result = self.pack_fails(f"{len(self.KINDS)} of {len(self.KINDS) + 2} files are no good")
        for name, (_, kind, hint) in self.KINDS.items():
            line = next(line for line in result.stderr.splitlines() if f"a/{name}.jpg" in line)
            self.assertIn(kind, line)
            self.assertIn(hint, line)


if __name__ == "__main__":
    main()
