# SPDX-License-Identifier: Apache-2.0
"""cnnsweep-pack where images can be decoded in more than one way: 16 bits, alpha, EXIF orientation, enormous images. Pillow
is the judge of the pixels."""
import struct
import zlib

import numpy as np
from pack_tools import PackTest, h5py, main, noise, run
from PIL import Image, ImageOps

ALL = ("--split", "1,0,0")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(values, colour):
    """A PNG of 16 bits a channel; colour is its type: 0 gray, 2 RGB, 4 gray and alpha, 6 RGBA."""
    h, w = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 16, colour, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def deep(channels, top=65536):
    return np.random.default_rng(channels).integers(0, top, (24, 32, channels))


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data


class Choices(PackTest):
    def setUp(self):
        super().setUp()
        self.save("b/plain.png")

    def write(self, name, content):
        path = self.src / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def packed(self, *arguments):
        result = self.pack(*arguments, *ALL)
        return {name: pixels for name, (_, _, pixels) in self.samples().items()}, result

    def attribute(self):
        with h5py.File(self.out) as file:
            return file.attrs["decode"].decode() if "decode" in file.attrs else None


class Depth(Choices):
    def setUp(self):
        super().setUp()
        self.xray, self.rgb = deep(1, 4096), deep(3)
        self.write("a/xray.png", png(self.xray, 0))
        self.write("a/rgb.png", png(self.rgb, 2))

    def test_16_bits_are_counted_and_said_once(self):
        _, result = self.packed()
        self.assertEqual(result.stderr.count("values of 16 bits in 2 images: the high byte is kept"), 1)
        self.assertIsNone(self.attribute())

    def test_clip_is_pillows_conversion_of_gray(self):
        found, result = self.packed("--depth16", "clip")
        np.testing.assert_array_equal(found["a/xray.png"], np.asarray(Image.open(self.src / "a/xray.png").convert("RGB")))
        np.testing.assert_array_equal(found["a/rgb.png"], np.minimum(self.rgb, 255))
        self.assertIn("decoded with depth16=clip", result.stdout)

    def test_scale_uses_the_range_of_the_image(self):
        found, result = self.packed("--depth16", "scale")
        for name, values in (("a/xray.png", np.repeat(self.xray, 3, 2)), ("a/rgb.png", self.rgb)):
            wanted = (values - values.min()) * 255 / (values.max() - values.min())
            np.testing.assert_array_equal(found[name], np.floor(wanted + 0.5))
        self.assertIn("the range of each image becomes 0 to 255", result.stderr)

    def test_an_image_of_one_value_is_black_when_scaled(self):
        self.write("a/flat.png", png(np.full((24, 32, 1), 777), 0))
        self.assertEqual(self.packed("--depth16", "scale")[0]["a/flat.png"].max(), 0)


class Alpha(Choices):
    COLOUR = (200, 0, 77)

    def check(self, name, **options):
        """Blending is Pillow's paste."""
        image = Image.open(self.src / name).convert("RGBA")
        wanted = Image.new("RGB", image.size, self.COLOUR)
        wanted.paste(image, mask=image.getchannel("A"))
        found, result = self.packed("--alpha", ",".join(map(str, self.COLOUR)))
        np.testing.assert_array_equal(found[name], np.asarray(wanted))
        self.assertIn("decoded with alpha=200,0,77", result.stdout)
        self.assertEqual(self.attribute(), "alpha=200,0,77")
        return found

    def test_rgba(self):
        self.save("a/rgba.png", np.concatenate([noise(24, 32, 1), noise(24, 32, 2)[..., :1]], axis=2))
        found = self.check("a/rgba.png")
        np.testing.assert_array_equal(found["b/plain.png"], np.asarray(Image.open(self.src / "b/plain.png")))

    def test_gray_with_alpha(self):
        image = Image.fromarray(noise(24, 32, 1)).convert("L")
        self.save("a/la.png", Image.merge("LA", (image, image.transpose(Image.ROTATE_180))))
        self.check("a/la.png")

    def test_palettes_with_alpha(self):
        image = Image.fromarray(noise(24, 32, 1)).convert("P", palette=Image.ADAPTIVE, colors=200)
        self.save("a/entries.png", image, transparency=bytes(range(0, 200, 2)))
        self.check("a/entries.png")

    def test_a_transparent_colour(self):
        pixels = noise(24, 32, 1)
        pixels[:9] = (1, 2, 3)
        self.save("a/key.png", pixels, transparency=(1, 2, 3))
        found = self.check("a/key.png")
        np.testing.assert_array_equal(found["a/key.png"][:9], np.broadcast_to(self.COLOUR, (9, 32, 3)))

    def test_16_bits_are_blended_by_their_high_bytes(self):
        values = deep(4)
        self.write("a/deep.png", png(values, 6))
        image = Image.fromarray((values >> 8).astype(np.uint8), "RGBA")
        wanted = Image.new("RGB", image.size, self.COLOUR)
        wanted.paste(image, mask=image.getchannel("A"))
        found, _ = self.packed("--alpha", ",".join(map(str, self.COLOUR)))
        np.testing.assert_array_equal(found["a/deep.png"], np.asarray(wanted))


class Orientation(Choices):
    def setUp(self):
        super().setUp()
        for orientation in range(1, 9):
            self.save(f"a/{orientation}.jpg", noise(24, 32, 1), exif=exif(orientation))
            self.save(f"a/{orientation}.png", noise(24, 32, 1), exif=exif(orientation))

    def expect(self, found, convert, size=None, tolerance=0):
        for name, pixels in found.items():
            image = convert(Image.open(self.src / name)).convert("RGB")
            wanted = np.asarray(image.resize(size, Image.BILINEAR) if size else image).astype(int)
            self.assertLessEqual(np.abs(pixels - wanted).max(), tolerance, name)

    def test_it_is_ignored_by_default_and_counted(self):
        found, result = self.packed()
        self.expect(found, lambda image: image)
        self.assertEqual(result.stderr.count("EXIF orientations in 14 images: ignored"), 1)

    def test_upright_images_are_not_mentioned(self):
        for path in [*self.src.glob("a/[2-8].*")]:
            path.unlink()
        self.assertNotIn("EXIF", self.packed()[1].stderr)

    def test_applied_it_is_pillows_exif_transpose(self):
        found, result = self.packed("--exif", "apply", "--size", "17x13")
        self.expect(found, ImageOps.exif_transpose, (17, 13), tolerance=1)
        self.assertIn("EXIF orientations in 14 images: applied", result.stderr)
        self.assertIn("decoded with exif=apply", result.stdout)

    def test_jpeg_encoding_stores_turned_pixels(self):
        self.pack("--encoding", "jpeg", "--exif", "apply", *ALL)
        with h5py.File(self.out) as file:
            jpeg, offset, names = (file["train/" + key][:] for key in ("jpeg", "offset", "id"))
        for i, name in enumerate(names):
            stored = self.root / "stored.jpg"
            stored.write_bytes(jpeg[offset[i]:offset[i + 1]].tobytes())
            turned = ImageOps.exif_transpose(Image.open(self.src / name.decode())).convert("RGB")
            difference = np.abs(np.asarray(Image.open(stored)).astype(int) - np.asarray(turned))
            self.assertLess(difference.mean(), 5, name)
            self.assertEqual(name == b"a/1.jpg", stored.read_bytes() == (self.src / name.decode()).read_bytes())

    def test_large_photographs_are_turned_when_they_are_decoded_scaled_down(self):
        self.save("a/tall.jpg", noise(300, 800, 1), exif=exif(6), quality=90)
        turned = ImageOps.exif_transpose(Image.open(self.src / "a/tall.jpg"))
        found, _ = self.packed("--exif", "apply", "--size", "10x70")
        wanted = np.asarray(turned.resize((10, 70), Image.BILINEAR)).astype(int)
        self.assertLess(np.abs(found["a/tall.jpg"] - wanted).mean(), 2)

    def test_broken_exif_data_turn_nothing(self):
        whole = (self.src / "a/6.jpg").read_bytes()
        at = whole.index(b"Exif\0\0") + 6
        for i in range(at, at + 26):
            self.write(f"a/broken{i - at}.jpg", whole[:i] + b"\xff" + whole[i + 1:])
        wanted = np.asarray(Image.open(self.src / "a/1.jpg"))
        for path in self.src.glob("a/[2-8].*"):
            path.unlink()
        found, _ = self.packed("--exif", "apply", "--size", "32x24")
        for i in range(8):
            np.testing.assert_array_equal(found[f"a/broken{i}.jpg"], wanted)


class Sizes(Choices):
    def test_a_photograph_of_108_megapixels_is_read(self):
        image = Image.linear_gradient("L").resize((12000, 9000), Image.NEAREST)
        self.save("a/phone.jpg", image, quality=50)
        found, _ = self.packed("--size", "8x8")
        wanted = np.asarray(image.resize((8, 8), Image.BOX)).astype(int)
        self.assertLessEqual(np.abs(found["a/phone.jpg"][..., 0] - wanted).max(), 4)

    def test_the_limit_can_be_changed(self):
        self.save("a/wide.png", noise(10, 80, 1))
        self.pack_fails("a/wide.png: the header says 80x10 pixels, more than the 0.000799 million accepted",
                        arguments=["--max-pixels", "799", *ALL])
        self.packed("--max-pixels", "800", "--size", "32x24")
        self.assertEqual(self.attribute(), "max-pixels=800")


class Options(Choices):
    def test_wrong_values_are_refused(self):
        for arguments, needle in ((("--depth16", "low"), '"low" is not high-byte, clip or scale'),
                                  (("--alpha", "white"), 'neither drop nor a colour'),
                                  (("--alpha", "0,0,256"), "from 0 to 255"), (("--alpha", "0,0,0,0"), "from 0 to 255"),
                                  (("--exif", "yes"), '"yes" is not ignore or apply')):
            self.pack_fails(needle, arguments=arguments, status=2)

    def test_all_parts_must_have_the_same_rules(self):
        self.save("a/1.png")
        result = run(self.packer, self.src, self.out, "--size", "8x8", "--part", "0/2", "--alpha", "0,0,0", *ALL)
        self.assertEqual(result.returncode, 0, result.stderr)
        result = run(self.packer, self.src, self.out, "--size", "8x8", "--part", "0/2", *ALL)
        self.assertIn("part 0 of 2 of other images or options", result.stderr)


if __name__ == "__main__":
    main()
