# SPDX-License-Identifier: Apache-2.0
"""cnnsweep-pack gives Pillow's pixels: for every kind of file, and after resizing."""
import tarfile
import unittest

import numpy as np
from pack_tools import PackTest, SPLITS, h5py, main, noise, run, shared_archive
from PIL import Image, ImageOps

RULES = {"bilinear": (Image.BILINEAR, 1), "nearest": (Image.NEAREST, 0), "bicubic": (Image.BICUBIC, 1),
         "lanczos": (Image.LANCZOS, 1), "box": (Image.BOX, 1), "hamming": (Image.HAMMING, 1)}


def pillow(path, size=None, rule=Image.BILINEAR):
    image = Image.open(path).convert("RGB")
    return np.asarray(image.resize(size, rule) if size else image).astype(int)


class Decoding(PackTest):
    def assert_decoded(self, tolerance=0):
        """Every file of class a, packed as it is, has Pillow's pixels; class b exists because two are required."""
        for name, (_, _, pixels) in self.samples().items():
            worst = np.abs(pixels - pillow(self.src / name)).max()
            self.assertLessEqual(worst, tolerance, name)

    def check(self, name, pixels=None, tolerance=0, **options):
        self.save(f"a/{name}", pixels, **options)
        self.save("b/plain.png")
        self.pack("--split", "1,0,0")
        self.assertEqual(len(self.samples()), 2)
        self.assert_decoded(tolerance)

    def test_png_rgb(self):
        self.check("rgb.png")

    def test_png_gray(self):
        self.check("gray.png", noise(24, 32, 1)[..., 0])

    def test_png_bilevel(self):
        self.check("bilevel.png", Image.fromarray(noise(24, 32, 1)[..., 0] > 128))

    def test_png_palette(self):
        self.check("palette.png", Image.fromarray(noise(24, 32, 1)).convert("P", palette=Image.ADAPTIVE, colors=13))

    def test_png_palette_with_transparent_entry(self):
        image = Image.fromarray(noise(24, 32, 1)).convert("P", palette=Image.ADAPTIVE, colors=200)
        self.check("transparent.png", image, transparency=3)

    def test_png_alpha_keeps_the_colour_channels(self):
        alpha = noise(24, 32, 2)[..., :1]
        self.check("rgba.png", np.concatenate([noise(24, 32, 1), alpha], axis=2))

    def test_png_gray_alpha(self):
        self.check("la.png", Image.fromarray(noise(24, 32, 1)).convert("LA"))

    def test_png_interlaced_and_16_bit(self):
        """The test makes these bytes itself: Pillow cannot write them, and clips 16-bit gray when it reads it."""
        import struct
        import zlib

        def png(depth, colour, rows):
            chunks = [(b"IHDR", struct.pack(">IIBBBBB", 32, 24, depth, colour, 0, 0, 0)),
                      (b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))), (b"IEND", b"")]
            return b"\x89PNG\r\n\x1a\n" + b"".join(
                struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks)

        deep = np.random.default_rng(3).integers(0, 65536, (24, 32, 3)).astype(">u2")
        (self.src / "a").mkdir(parents=True)
        (self.src / "a/gray16.png").write_bytes(png(16, 0, [row.tobytes() for row in deep[..., 0].copy()]))
        (self.src / "a/rgb16.png").write_bytes(png(16, 2, [row.tobytes() for row in deep]))
        self.save("b/plain.png")
        self.pack("--split", "1,0,0")
        found = self.samples()
        np.testing.assert_array_equal(found["a/rgb16.png"][2], deep >> 8)
        np.testing.assert_array_equal(found["a/gray16.png"][2], np.repeat(deep[..., :1] >> 8, 3, axis=2))

    def test_jpeg_baseline(self):
        self.check("baseline.jpg", quality=80)

    def test_jpeg_full_chroma(self):
        self.check("444.jpg", quality=90, subsampling=0)

    def test_jpeg_progressive(self):
        self.check("progressive.jpg", progressive=True)

    def test_jpeg_gray(self):
        self.check("gray.jpg", noise(24, 32, 1)[..., 0])

    def test_jpeg_cmyk(self):
        self.check("cmyk.jpg", Image.fromarray(noise(24, 32, 1)).convert("CMYK"), tolerance=1)

    def test_the_type_is_recognized_by_content_not_by_name(self):
        self.check("really_a.png", format="JPEG")

    def test_stray_bytes_before_the_end_are_ignored(self):
        """Photographs of well-known datasets have such bytes, which all decoders ignore."""
        path = self.save("a/stray.jpg", quality=90)
        clean = pillow(path)
        bytes_ = path.read_bytes()
        path.write_bytes(bytes_[:-2] + b"\x00\x11\x22" + bytes_[-2:])
        self.save("b/plain.png")
        self.pack("--split", "1,0,0")
        np.testing.assert_array_equal(self.samples()["a/stray.jpg"][2], clean)


class Resizing(PackTest):
    SIZES = ((50, 50), (224, 224), (17, 90), (131, 40), (1, 1), (33, 7), (300, 299))

    def check(self, sizes=SIZES, convert=pillow):
        for size in sizes:
            for name, (rule, tolerance) in RULES.items():
                self.out = self.root / f"{name}-{size[0]}x{size[1]}.h5"
                self.pack("--size", f"{size[0]}x{size[1]}", "--resize", name, "--split", "1,0,0")
                for image, (_, _, pixels) in self.samples().items():
                    worst = np.abs(pixels - convert(self.src / image, size, rule)).max()
                    self.assertLessEqual(worst, tolerance, f"{image} to {size}, {name}")

    def test_equals_pillow_up_and_down(self):
        for i, (h, w) in enumerate(((180, 180), (61, 100), (97, 33), (7, 5), (1, 1))):
            self.save(f"{'ab'[i % 2]}/{i}.png", noise(h, w, i))
        self.save("a/white.png", np.full((700, 90, 3), 255, np.uint8))
        self.check()

    def test_large_jpeg_not_much_larger_than_the_target_equals_pillow(self):
        self.save("a/large.jpg", noise(390, 300, 1), quality=90)
        self.save("b/large.jpg", noise(399, 399, 2), quality=90)
        self.check(sizes=((50, 50),))

    def test_much_larger_jpeg_is_decoded_scaled_down(self):
        """The pixels are those of Pillow's scaled decoding (draft), by 2 and by 4."""
        self.save("a/1.jpg", noise(480, 560, 1), quality=90)
        self.save("b/2.jpg", noise(900, 801, 2), quality=90)

        def draft(path, size, rule):
            image = Image.open(path)
            if rule == Image.BILINEAR:
                scale = 2 if path.name == "1.jpg" else 4
                image.draft("RGB", (image.width // scale, image.height // scale))
                self.assertLess(image.width, 300)
            return np.asarray(image.convert("RGB").resize(size, rule)).astype(int)

        self.check(sizes=((50, 50),), convert=draft)

    def test_real_photographs(self):
        archive = shared_archive("isic_melanoma_vs_nevus.tar")
        if not archive:
            self.skipTest("no shared test material here")
        with tarfile.open(archive) as tar:
            tar.extractall(self.src)
        for size in ((50, 50), (224, 224)):
            self.out = self.root / f"{size[0]}.h5"
            self.pack("--size", f"{size[0]}x{size[1]}")
            found = self.samples()
            self.assertEqual(len(found), 670)
            self.assertEqual([sum(s == split for s, _, _ in found.values()) for split in SPLITS], [512, 126, 32])
            for name, (_, _, pixels) in found.items():
                self.assertLessEqual(np.abs(pixels - pillow(self.src / name, size)).max(), 1, name)


def keras(image, size, rule):
    """load_img(keep_aspect_ratio=True) of Keras 3.15, but never of an empty part."""
    (width, height), (target_width, target_height) = image.size, size
    crop_height = max(1, min(height, (width * target_height) // target_width))
    crop_width = max(1, min(width, (height * target_width) // target_height))
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    return image.resize(size, rule, box=[left, top, left + crop_width, top + crop_height])


FITS = {"crop": lambda image, size, rule: ImageOps.fit(image, size, rule),
        "pad": lambda image, size, rule: ImageOps.pad(image, size, rule), "keep_aspect_ratio": keras}


class Fitting(PackTest):
    """--fit: what becomes of images whose sides have another ratio."""

    def setUp(self):
        super().setUp()
        for i, (h, w) in enumerate(((60, 100), (97, 33), (50, 50), (7, 5), (40, 41), (9, 200))):
            self.save(f"{'ab'[i % 2]}/{i}.png", noise(h, w, i))

    def check(self, size, fit, rule):
        self.out = self.root / f"{fit}-{rule}-{size[0]}x{size[1]}.h5"
        result = self.pack("--size", f"{size[0]}x{size[1]}", "--resize", rule, "--fit", fit, "--split", "1,0,0")
        for name, (_, _, pixels) in self.samples().items():
            with Image.open(self.src / name) as image:
                wanted = np.asarray(FITS[fit](image.convert("RGB"), size, RULES[rule][0])).astype(int)
            self.assertLessEqual(np.abs(pixels - wanted).max(), RULES[rule][1], f"{name} to {size}, {fit}, {rule}")
        return result

    def test_equals_pillow_and_keras_in_every_size_and_rule(self):
        for size in ((50, 50), (17, 90), (131, 40)):
            for fit in FITS:
                for rule in RULES:
                    self.check(size, fit, rule)

    def test_the_dataset_says_how_and_parts_must_agree(self):
        self.assertIn("of 24x16 (lanczos pad)", self.check((24, 16), "pad", "lanczos").stdout)
        with h5py.File(self.out) as file:
            self.assertEqual(file.attrs["resize"], b"lanczos pad")
        self.out = self.root / "parts"
        first = run("cnnsweep-pack", self.src, self.out, "--size", "8x8", "--part", "0/2", "--fit", "pad")
        self.assertEqual(first.returncode, 0, first.stderr)
        again = run("cnnsweep-pack", self.src, self.out, "--size", "8x8", "--part", "0/2", "--fit", "crop")
        self.assertIn("of other images or options", again.stderr)

    def test_large_photographs_are_cut_before_or_after_decoding_scaled_down_alike(self):
        for name in ("a/wide.jpg", "b/wide.jpg"):
            self.save(name, noise(500, 1100, 5), quality=95)
        self.pack("--size", "20x20", "--fit", "crop", "--split", "1,0,0")
        for name in ("a/wide.jpg", "b/wide.jpg"):
            with Image.open(self.src / name) as image:
                wanted = np.asarray(ImageOps.fit(image, (20, 20), Image.BILINEAR)).astype(int)
            self.assertLess(np.abs(self.samples()[name][2] - wanted).mean(), 2)


class Encoding(PackTest):
    def test_jpeg_keeps_files_and_encodes_the_rest_well(self):
        self.save("a/photo.jpg", noise(40, 60, 1), quality=70)
        self.save("b/drawing.png", noise(33, 20, 2))
        self.pack("--encoding", "jpeg", "--split", "1,0,0")
        with h5py.File(self.out) as file:
            group = file["train"]
            jpeg, offset = group["jpeg"][:].tobytes(), group["offset"][:]
            streams = [jpeg[offset[i]:offset[i + 1]] for i in range(2)]
        self.assertEqual(streams[0], (self.src / "a/photo.jpg").read_bytes())
        (self.root / "ours.jpg").write_bytes(streams[1])
        drawing = self.src / "b/drawing.png"
        Image.open(drawing).save(self.root / "pillows.jpg", quality=95, subsampling=0)
        ours, pillows = (np.abs(pillow(self.root / f"{who}.jpg") - pillow(drawing)).mean() for who in ("ours", "pillows"))
        self.assertLessEqual(ours, pillows)

    def test_jpeg_with_size_encodes_what_has_another(self):
        self.save("a/right.jpg", noise(20, 30, 1), quality=70)
        self.save("b/other.jpg", noise(60, 90, 2), quality=95)
        self.pack("--encoding", "jpeg", "--size", "30x20", "--split", "1,0,0")
        with h5py.File(self.out) as file:
            jpeg, offset = file["train/jpeg"][:].tobytes(), file["train/offset"][:]
            self.assertEqual((file.attrs["height"], file.attrs["width"]), (20, 30))
        self.assertEqual(jpeg[:offset[1]], (self.src / "a/right.jpg").read_bytes())
        (self.root / "other.jpg").write_bytes(jpeg[offset[1]:])
        self.assertEqual(pillow(self.root / "other.jpg").shape, (20, 30, 3))

    def test_h5py_reads_everything_unaided(self):
        for split, n in (("train", 5), ("val", 2), ("test", 1)):
            for label in ("cat", "d\u00f6g"):
                for i in range(n):
                    self.save(f"{split}/{label}/{i}.png", noise(8, 10, i + n))
        self.pack()
        with h5py.File(self.out) as file:
            self.assertEqual(file.attrs["format"], b"cnnsweep")
            self.assertEqual(file.attrs["version"], 1)
            self.assertEqual([name.decode() for name in file.attrs["classes"]], ["cat", "d\u00f6g"])
            self.assertEqual(file.attrs["resize"], b"bilinear")
            self.assertEqual(file["train/images"].shape, (10, 8, 10, 3))
            self.assertEqual(file["train/images"].dtype, np.uint8)
            self.assertIsNone(file["train/images"].chunks)
            self.assertEqual(file["val/label"][:].tolist(), [0, 0, 1, 1])
            self.assertEqual(file["test/id"][1].decode(), "test/d\u00f6g/0.png")
            pixels = file["train/images"][:].reshape(-1, 3).astype(float)
            np.testing.assert_allclose(file.attrs["mean"], pixels.mean(0), rtol=1e-12)
            np.testing.assert_allclose(file.attrs["std"], pixels.std(0), rtol=1e-9)

    def test_mean_and_std_of_large_images(self):
        """The images have more pixels than a block that is summed in 32 bits."""
        self.save("a/white.png", np.full((1100, 1000, 3), 255, np.uint8))
        self.save("b/black.png", np.zeros((1100, 1000, 3), np.uint8))
        self.pack("--split", "1,0,0")
        with h5py.File(self.out) as file:
            np.testing.assert_allclose(file.attrs["mean"], 127.5)
            np.testing.assert_allclose(file.attrs["std"], 127.5)


if __name__ == "__main__":
    main()
