# SPDX-License-Identifier: Apache-2.0
"""cnnsweep-pack with an archive as its source makes the dataset that the unpacked archive gives. Python makes the archives."""
import gzip
import os
import resource
import subprocess
import tarfile
import tempfile
import zipfile

import numpy as np
from pack_tools import PackTest, main, noise, run, shared_archive

FORMS = {"gnu.tar": ("w", tarfile.GNU_FORMAT), "pax.tar": ("w", tarfile.PAX_FORMAT), "ustar.tar": ("w", tarfile.USTAR_FORMAT),
         "x.tar.gz": ("w:gz", tarfile.GNU_FORMAT), "x.tgz": ("w:gz", tarfile.PAX_FORMAT),
         "x.tar.bz2": ("w:bz2", tarfile.PAX_FORMAT), "x.tar.xz": ("w:xz", tarfile.GNU_FORMAT)}


class Archive(PackTest):
    def setUp(self):
        super().setUp()
        self.folder = self.src
        long = "a long name " * 9 + "x" * 20  # more than the 100 bytes of a tar header
        for i in range(36):
            name = (f"{i}.png", f"nested/{i}.png", f"Bénin {i}.png", f"{long}{i}.png")[i % 4]
            self.save(f"{('train', 'val', 'test')[i // 18 + (i > 26)]}/{'abc'[i % 3]}/{name}", noise(6, 8, i))
        (self.src / "train/a/Thumbs.db").write_bytes(b"x")
        (self.src / "train/a/.hidden").write_bytes(b"x")
        self.pack("--size", "8x6")
        self.wanted = self.out.read_bytes()

    def make(self, name, prefix="", change=lambda info: info):
        """Packs the folder into an archive, whose paths begin with the prefix."""
        path = self.root / name
        if name.endswith(".zip"):
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for file in sorted(self.folder.rglob("*")):
                    archive.write(file, prefix + str(file.relative_to(self.folder)))
            return path
        mode, form = FORMS[name]
        with tarfile.open(path, mode, format=form) as archive:
            for top in os.listdir(self.folder):
                archive.add(self.folder / top, prefix + top, filter=change)
        return path

    def check_same(self, source, *arguments):
        self.src, self.out = source, self.root / f"{source.name}.h5"
        done = self.pack("--size", "8x6", *arguments)
        self.assertEqual(self.out.read_bytes(), self.wanted)
        return done.stderr


class Forms(Archive):
    def test_every_form_gives_the_dataset_of_the_folder(self):
        for name in FORMS:
            if name == "ustar.tar":  # has no names as long as one of these
                for path in self.folder.rglob("a long name*"):
                    path.rename(path.with_name(path.name[-40:]))
                self.src, self.out = self.folder, self.root / "short.h5"
                self.pack("--size", "8x6")
                kept, self.wanted = self.wanted, self.out.read_bytes()
                self.check_same(self.make(name))
                self.wanted = self.out.read_bytes()
                continue
            self.check_same(self.make(name))

    def test_zip_gives_the_dataset_of_the_folder(self):
        self.check_same(self.make("x.zip"))

    def test_any_number_of_threads_gives_the_same(self):
        for name in ("gnu.tar", "x.tar.gz"):
            path = self.make(name)
            for threads in ("1", "5"):
                self.check_same(path, "--threads", threads)
                self.out.unlink()

    def test_archives_are_recognised_by_content(self):
        self.check_same(self.make("gnu.tar").rename(self.root / "dataset"))

    def test_paths_may_begin_with_a_dot(self):
        self.check_same(self.make("gnu.tar", "./"))

    def test_root_names_the_folder_that_has_the_classes(self):
        path = self.make("gnu.tar", "data/of 2020/")
        self.check_same(path, "--root", "data/of 2020")
        self.src, self.out = path, self.root / "none.h5"
        self.pack_fails("only one class, data; two are needed", "in an archive --root names it")
        self.pack_fails("no class folders", arguments=("--root", "data/of"))

    def test_a_compressed_archive_is_unpacked_where_tmpdir_says_and_leaves_nothing(self):
        path = self.make("x.tar.gz")
        with tempfile.TemporaryDirectory() as folder:
            self.src, self.out = path, self.root / "z.h5"
            done = self.pack("--size", "8x6", env={**os.environ, "TMPDIR": folder})
            self.assertIn(f"x.tar.gz: compressed, so it is unpacked into a temporary file first, in {folder}", done.stderr)
            self.assertEqual(os.listdir(folder), [])
        self.pack_fails("cannot make a temporary file", env={**os.environ, "TMPDIR": "/nowhere"})


class Contents(Archive):
    def test_of_two_members_with_the_same_path_the_last_counts(self):
        path = self.make("gnu.tar")
        other = noise(6, 8, 99)
        file = self.save("../other.png", other)
        with tarfile.open(path, "a") as archive:
            archive.add(file, "train/a/0.png")
        self.src, self.out = path, self.root / "o.h5"
        self.pack("--size", "8x6")
        np.testing.assert_array_equal(self.samples()["train/a/0.png"][2], other)

    def test_a_folder_without_images_is_a_class_without_images_as_on_disk(self):
        (self.folder / "train/empty").mkdir()
        for self.src in (self.folder, self.make("gnu.tar"), self.make("x.zip")):
            self.out = self.root / "o.h5"
            self.pack_fails('class "empty" has no images')

    def test_links_are_left_out_and_named(self):
        (self.folder / "train/a/link.png").symlink_to("0.png")
        self.assertIn("train/a/link.png: left out, as it is a link", self.check_same(self.make("gnu.tar")))

    def tar_sparse(self, path, option="-cf", form="gnu"):
        """GNU tar, as Python writes no sparse files, which lack the holes of those on the disk."""
        subprocess.run(["tar", "--sparse", "--hole-detection=raw", f"--format={form}", option, path, "-C", self.folder, "."],
                       check=True)

    def test_sparse_files_have_their_holes(self):
        pixels = np.zeros((300, 300, 3), np.uint8)
        for name in "abc":
            pixels[[60, 200]] += 50
            path = self.save(f"train/{name}/sparse.bmp", pixels)
            data = path.read_bytes()
            with open(path, "wb") as file:
                for at in (at for at in range(0, len(data), 4096) if any(data[at:at + 4096])):
                    os.pwrite(file.fileno(), data[at:at + 4096], at)
                file.truncate(len(data))
        self.pack("--size", "8x6", "--force")
        self.wanted = self.out.read_bytes()
        for form in ("gnu", "oldgnu", "pax"):
            self.tar_sparse(path := self.root / f"{form}.tar", form=form)
            self.assertLess(path.stat().st_size, pixels.nbytes)
            self.assertIn("sparse files in it are unpacked", self.check_same(path))
        self.tar_sparse(path := self.root / "gnu.tgz", "-czf")
        self.check_same(path)

    @staticmethod
    def gnu_member(name, stored, size, parts=()):
        """A file in GNU's old form whose header has `size` as the real size; it is sparse if it has parts (offset, bytes)."""
        header = tarfile.TarInfo(name)
        header.size, header.type = len(stored), b"S" if parts else b"0"
        block = bytearray(header.tobuf(tarfile.GNU_FORMAT)[:512])
        for i, part in enumerate(parts):
            block[386 + 24 * i:410 + 24 * i] = b"%011o\0%011o\0" % part
        block[483:495] = b"%011o\0" % size
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
        return bytes(block) + stored + bytes(-len(stored) % 512)

    def test_a_sparse_file_is_as_long_as_its_header_says(self):
        """Its map has three bytes at 2 GiB, behind the end that the header gives."""
        pixels = noise(6, 8, 99)
        pixels[-1] = 0  # the first row of a BMP, 24 bytes behind a header of 54
        path, image = self.make("gnu.tar"), self.save("../other.bmp", pixels).read_bytes()
        parts = [(0, 54), (78, len(image) - 78), (1 << 31, 3)]
        stored = image[:54] + image[78:] + b"abc"
        path.write_bytes(self.gnu_member("train/a/sparse.bmp", stored, len(image), parts) + path.read_bytes())
        self.src, self.out = path, self.root / "o.h5"
        self.pack("--size", "8x6")
        np.testing.assert_array_equal(self.samples()["train/a/sparse.bmp"][2], pixels)

    def test_a_file_that_is_not_sparse_has_the_bytes_that_are_stored_of_it(self):
        """GNU's header has a field for the real size of a sparse file, which libarchive takes for the size of any file."""
        pixels = noise(6, 8, 99)
        image = self.save("../other.bmp", pixels).read_bytes()
        plain = self.make("gnu.tar").read_bytes()
        for size in (len(image) - 24, 1 << 20):
            archive = self.gnu_member("train/a/other.bmp", image, size) + plain
            for self.src, data in ((self.root / "x.tar", archive), (self.root / "x.tgz", gzip.compress(archive))):
                self.src.write_bytes(data)
                with tarfile.open(self.src) as tar:
                    self.assertEqual(tar.extractfile("train/a/other.bmp").read(), image)
                self.out = self.root / f"{self.src.name}{size}.h5"
                self.pack("--size", "8x6")
                np.testing.assert_array_equal(self.samples()["train/a/other.bmp"][2], pixels)

    def test_a_file_that_is_too_large_is_a_bad_image_and_not_unpacked(self):
        with open(self.folder / "train/a/vast.png", "wb") as file:
            file.truncate(1 << 42)
        subprocess.run(["tar", "--sparse", "-czf", path := self.root / "x.tgz", "-C", self.folder, "."], check=True)
        (self.folder / "train/a/vast.png").unlink()
        self.src, self.out = path, self.root / "o.h5"
        self.pack_fails("x.tgz/train/a/vast.png: a file of more than 1024 MB",
                        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))

    def test_an_entry_whose_path_is_too_long_is_named(self):
        self.src, self.out = self.root / "x.tar", self.root / "o.h5"
        for name in ("b/" + "n" * 1030, "b/" + "n/" * 515):
            with tarfile.open(self.src, "w") as archive:
                archive.addfile(tarfile.TarInfo("a/1.png"))
                archive.addfile(tarfile.TarInfo(name))
            self.pack_fails("x.tar: the path of its entry 1 is longer than 1022 bytes: b/n")

    def test_an_entry_whose_path_is_long_is_read(self):
        path, name = self.make("pax.tar"), "train/a/" + "n" * 1000
        with tarfile.open(path, "a", format=tarfile.PAX_FORMAT) as archive:
            archive.add(self.save("../other.png", noise(6, 8, 99)), name)
        self.src, self.out = path, self.root / "o.h5"
        self.pack("--size", "8x6")
        self.assertIn(name, self.samples())

    def test_no_program_runs_to_read_an_archive(self):
        """For some compressions libarchive would run a program that it finds by the first bytes of the file."""
        programs = self.root / "programs"
        programs.mkdir()
        for name, magic in {"lzop": b"\x89LZO\0\r\n\x1a\n", "lrzip": b"LRZI\0\6", "grzip": b"GRZipII\0\2\4:)"}.items():
            (programs / name).write_text(f"#!/bin/sh\ntouch {self.root}/ran\n")
            (programs / name).chmod(0o755)
            self.src, self.out = self.root / f"x.{name}", self.root / "o.h5"
            self.src.write_bytes(magic.ljust(4096, b"\x10"))
            self.pack_fails(f"x.{name}: not a table", env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"})

    def test_bad_images_are_bad_images(self):
        (self.folder / "train/b/bad.png").write_bytes(b"no image")
        path = self.make("gnu.tar")
        self.src, self.out = path, self.root / "o.h5"
        self.pack_fails("gnu.tar/train/b/bad.png: not an image", arguments=("--size", "8x6"))
        self.check_same(path, "--skip-bad")

    def test_an_archive_that_is_cut_is_refused_or_packed_never_more(self):
        rng = np.random.default_rng(5)
        for name in ("gnu.tar", "pax.tar", "x.tar.gz", "x.zip"):
            whole = self.make(name).read_bytes()
            self.src = self.root / "damaged"
            for i in range(12):
                data = bytearray(whole[:int(rng.integers(1, len(whole)))] if i % 2 else whole)
                for _ in range(4 * (i % 3)):
                    data[rng.integers(len(data))] = rng.integers(256)
                self.src.write_bytes(data)
                self.out = self.root / f"{name}{i}.h5"
                done = run(self.packer, self.src, self.out, "--size", "8x6", "--skip-bad", errors="replace")
                self.assertIn(done.returncode, (0, 1), done.stderr)
                self.assertEqual(done.returncode == 0, self.out.exists())

    def test_parts_make_the_same_dataset(self):
        self.src, whole, self.out = self.make("x.tar.gz"), self.root / "whole", self.root / "parts"
        arguments = ("--size", "8x6", "--shard-size", "600")
        for i in range(2):
            self.pack(*arguments, "--part", f"{i}/2")
        self.assertEqual(run(self.packer, "--join", self.out).returncode, 0)
        self.assertEqual(run(self.packer, self.folder, whole, *arguments).returncode, 0)
        self.assertEqual(*([path.read_bytes() for path in sorted(folder.glob("shard*"))] for folder in (self.out, whole)))


class Shared(PackTest):
    def test_shared_archives_give_the_datasets_of_their_folders(self):
        for name in ("isic_melanoma_vs_nevus.tar", "chest_xray_3class_resized256.tar"):
            archive = shared_archive(name)
            if not archive:
                self.skipTest("needs the shared test material")
            made = []
            self.src = self.root / name
            with tarfile.open(archive) as tar:
                tar.extractall(self.src)
            for self.src in (self.src, archive):
                self.out = self.root / f"{len(list(self.root.iterdir()))}.h5"
                self.pack("--encoding", "jpeg")
                made.append(self.out.read_bytes())
            self.assertEqual(*made)


main()
