# SPDX-License-Identifier: Apache-2.0
"""Images of every format that cnnsweep-pack reads have Pillow's pixels; damaged ones are bad files. Names do not matter."""
import io
import itertools
import struct

import numpy as np
from pack_tools import PackTest, main, noise
from PIL import Image

ALL = ("--split", "1,0,0")
H, W = 24, 33  # rows that no padding fits by chance


def picture(mode="RGB", seed=1):
    """A picture of that mode; an alpha channel has all values."""
    image = Image.fromarray(noise(H, W, seed))
    if mode == "P":
        return image.convert("P", palette=Image.ADAPTIVE, colors=77)
    if mode in ("LA", "RGBA"):
        image = image.convert(mode)
        image.putalpha(Image.linear_gradient("L").resize((W, H)))
        return image
    return image.convert(mode)


def pillow(path, mode="RGB"):
    with Image.open(path) as image:
        return np.asarray(image.convert(mode).convert("RGB"))


class Formats(PackTest):
    def setUp(self):
        super().setUp()
        self.save("b/plain.png", picture())

    def write(self, name, content):
        path = self.src / "a" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def expect(self, *arguments, tolerance=0, wanted=None):
        wanted = wanted or pillow
        result = self.pack(*arguments, *ALL)
        found = self.samples()
        for name in sorted(found):
            pixels = wanted(self.src / name).astype(int)
            self.assertLessEqual(np.abs(found[name][2] - pixels).max(), tolerance, name)
        return result

    def refuse(self, files, needle, status=1):
        """Each file, content by name, is named as a bad one."""
        for name, content in files.items():
            self.write(name, content)
        result = self.pack_fails(f"{len(files)} of {len(files) + 1} files are no good", status=status)
        lines = [line for line in result.stderr.splitlines() if "/a/" in line]
        self.assertEqual(len(lines), min(len(files), 20))
        for line in lines:
            self.assertIn(needle, line)

    def cuts(self, whole, step=1, to=0):
        return {f"cut{n}": whole[:n] for n in range(12, len(whole) - to, step)}


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


class Bmp(Formats):
    @staticmethod
    def bmp(pixels, bits, compression=0, palette=b"", masks=b"", header=40, h=H, w=W):
        at = 14 + max(header, 40 + len(masks)) + len(palette)
        info = struct.pack("<IiiHHIIiiII", header, w, h, 1, bits, compression, len(pixels), 0, 0, len(palette) // 4, 0)
        info = (info + masks).ljust(header, b"\0")
        return b"BM" + struct.pack("<IHHI", at + len(pixels), 0, 0, at) + info + palette + pixels

    def test_the_kinds_that_pillow_writes(self):
        for mode in ("1", "L", "P", "RGB", "RGBA"):
            self.save(f"a/{mode}.bmp", picture(mode))
        self.expect()

    def test_16_and_32_bits_with_and_without_masks_and_both_directions(self):
        values = np.random.default_rng(1).integers(0, 65536, (H, W + 1), dtype=np.uint16).tobytes()
        many = np.random.default_rng(2).integers(0, 2**32, (H, W), dtype=np.uint32).tobytes()
        self.write("555.bmp", self.bmp(values, 16))
        self.write("565.bmp", self.bmp(values, 16, 3, masks=struct.pack("<3I", 0xF800, 0x7E0, 0x1F)))
        self.write("down.bmp", self.bmp(values, 16, h=-H))
        self.write("32.bmp", self.bmp(many, 32))
        self.write("masks.bmp", self.bmp(many, 32, 3, masks=struct.pack("<3I", 0xFF000000, 0xFF0000, 0xFF00)))
        self.write("alpha.bmp", self.bmp(many, 32, 3, masks=struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000), header=108))
        self.expect()

    def test_palettes_of_1_4_and_8_bits_with_few_colours(self):
        for bits in (1, 4, 8):
            indices = np.random.default_rng(bits).integers(0, 256, (H, (W * bits + 31) // 32 * 4), dtype=np.uint8)
            colours = np.random.default_rng(9).integers(0, 256, (2**bits, 4), dtype=np.uint8)
            self.write(f"{bits}.bmp", self.bmp(indices.tobytes(), bits, palette=colours.tobytes()))
        self.expect()

    def test_a_header_of_os2(self):
        rows = np.random.default_rng(1).integers(0, 256, (H, 100), dtype=np.uint8).tobytes()
        head = struct.pack("<IHHI", 26 + len(rows), 0, 0, 26) + struct.pack("<IHHHH", 12, W, H, 1, 24)
        self.write("core.bmp", b"BM" + head + rows)
        self.expect()

    def test_run_lengths(self):
        """Runs, literal bytes and early ends of lines."""
        for bits, literals in ((8, b"\x07abcdefg\0"), (4, b"\x06abc\0")):
            line = b"\x05\x12\x00" + literals + b"\x09\x34\x00\x00"
            pixels = line * (H - 1) + b"\x21\x45\x00\x00" + b"\x00\x01"
            colours = np.random.default_rng(9).integers(0, 256, (2**bits, 4), dtype=np.uint8)
            self.write(f"rle{bits}.bmp", self.bmp(pixels, bits, 1 if bits == 8 else 2, palette=colours.tobytes()))
        self.expect()

    def test_moves_and_odd_numbers_of_literals_in_run_lengths(self):
        """As Microsoft describes them; Pillow 9.4 misreads both."""
        colours = np.random.default_rng(9).integers(0, 256, (16, 4), dtype=np.uint8)
        pixels = b"\x03\x11" + b"\x00\x02\x02\x01" + b"\x00\x05\x23\x45\x60\x00" + b"\x02\x77" + b"\x00\x01"
        self.write("moves.bmp", self.bmp(pixels, 4, 2, palette=colours.tobytes()))
        indices = np.zeros((H, W), int)
        indices[H - 1, :3] = 1
        indices[H - 2, 5:12] = (2, 3, 4, 5, 6, 7, 7)
        self.pack(*ALL)
        np.testing.assert_array_equal(self.samples()["a/moves.bmp"][2], colours[indices][..., 2::-1])

    def test_damage(self):
        whole = saved(picture("P"), "BMP")
        self.refuse({**self.cuts(whole, 99), **{"last": whole[:-4]}}, "BMP")


class Gif(Formats):
    def test_gray_palette_and_interlace(self):
        for mode, interlace in itertools.product(("L", "P"), (0, 1)):
            self.save(f"a/{mode}{interlace}.gif", picture(mode), interlace=interlace)
        self.expect()

    def test_of_an_animation_the_first_frame(self):
        frames = [picture("P", seed) for seed in (2, 3)]
        self.save("a/moving.gif", picture("P"), save_all=True, append_images=frames)
        self.expect()

    def test_transparent_colours_are_dropped_or_blended(self):
        self.save("a/clear.gif", picture("P"), transparency=5)
        self.expect()
        self.out = self.root / "blended.h5"

        def blended(path):
            with Image.open(path) as file:
                image = file.convert("RGBA")
            wanted = Image.new("RGB", image.size, (9, 99, 199))
            wanted.paste(image, mask=image.getchannel("A"))
            return np.asarray(wanted)

        self.expect("--alpha", "9,99,199", wanted=blended)

    def test_a_frame_smaller_or_larger_than_the_screen(self):
        whole = bytearray(saved(picture("P"), "GIF"))
        for name, (w, h) in (("small", (W + 9, H + 4)), ("large", (W - 9, H - 4))):
            whole[6:10] = struct.pack("<HH", w, h)
            self.write(f"{name}.gif", bytes(whole))
        self.pack("--size", f"{W}x{H}", *ALL)
        found = self.samples()
        for name in ("small", "large"):
            wanted = Image.fromarray(pillow(self.src / f"a/{name}.gif")).resize((W, H), Image.BILINEAR)
            self.assertLessEqual(np.abs(found[f"a/{name}.gif"][2].astype(int) - np.asarray(wanted)).max(), 1, name)

    def test_damage(self):
        whole = saved(picture("P"), "GIF")
        self.refuse(self.cuts(whole, 9, to=20), "damaged GIF")


class Webp(Formats):
    def test_lossy_lossless_and_alpha(self):
        for mode, lossless in itertools.product(("RGB", "RGBA"), (False, True)):
            self.save(f"a/{mode}{lossless}.webp", picture(mode), lossless=lossless, exact=True)
        self.expect()

    def test_of_an_animation_the_first_frame(self):
        self.save("a/moving.webp", picture(), save_all=True, append_images=[picture(seed=2)], lossless=True)
        self.expect()

    def test_its_exif_orientation_is_found(self):
        data = Image.Exif()
        data[0x0112] = 3
        self.save("a/turned.webp", picture(), lossless=True, exif=data)
        self.pack("--exif", "apply", *ALL)
        np.testing.assert_array_equal(self.samples()["a/turned.webp"][2], np.asarray(picture())[::-1, ::-1])

    def test_damage(self):
        whole = saved(picture(), "WEBP")
        self.refuse(self.cuts(whole, 99), "WebP")


class Tiff(Formats):
    MODES = ("1", "L", "P", "RGB", "RGBA", "LA")

    def test_modes_and_compressions(self):
        for mode, how in itertools.product(self.MODES, (None, "tiff_lzw", "tiff_adobe_deflate", "packbits")):
            self.save(f"a/{mode}{how}.tif", picture(mode), compression=how)
        self.save("a/fax.tif", picture("1"), compression="group4")
        self.expect()

    def test_cmyk_and_jpeg(self):
        self.save("a/cmyk.tif", picture("CMYK"))
        self.save("a/jpeg.tif", picture(), compression="jpeg")
        self.save("a/ycc.tif", picture("YCbCr"), compression="jpeg")
        self.expect(tolerance=2)

    def test_16_bits_follow_the_rules(self):
        deep = np.random.default_rng(1).integers(0, 65536, (H, W), dtype=np.uint16)
        for how in (None, "tiff_lzw", "tiff_adobe_deflate"):
            self.save(f"a/{how}.tif", Image.fromarray(deep), compression=how)
        result = self.pack(*ALL)
        self.assertIn("values of 16 bits in 3 images", result.stderr)
        for name in ("None", "tiff_lzw", "tiff_adobe_deflate"):
            np.testing.assert_array_equal(self.samples()[f"a/{name}.tif"][2][..., 1], deep >> 8)

    @staticmethod
    def tiff(values, tile=None, planar=False, inverted=False):
        """A TIFF of 16 bits, big-endian and without compression: values [h, w, channels]."""
        h, w, channels = values.shape
        planes = [values[..., c:c + 1] for c in range(channels)] if planar else [values]
        blocks = []
        for plane in planes:
            if tile:
                wide = np.pad(plane, ((0, -h % tile), (0, -w % tile), (0, 0)))
                blocks += [wide[y:y + tile, x:x + tile] for y in range(0, h, tile) for x in range(0, w, tile)]
            else:
                blocks += [plane[y:y + 7] for y in range(0, h, 7)]
        data = [block.astype(">u2").tobytes() for block in blocks]
        at = 8 + np.cumsum([0] + [len(block) for block in data])
        tags = {256: w, 257: h, 258: 16, 259: 1, 262: 2 if channels > 2 else 0 if inverted else 1, 277: channels,
                284: 2 if planar else 1}
        if channels in (2, 4):
            tags[338] = 2
        lists = {324 if tile else 273: at[:-1], 325 if tile else 279: [len(block) for block in data]}
        tags.update({322: tile, 323: tile} if tile else {278: 7})
        body, entries = b"".join(data), []
        for tag, numbers in lists.items():
            place = 8 + len(body)
            body += struct.pack(f">{len(numbers)}I", *numbers)
            entries.append((tag, struct.pack(">HHII", tag, 4, len(numbers), place if len(numbers) > 1 else numbers[0])))
        entries += [(tag, struct.pack(">HHIHH", tag, 3, 1, value, 0)) for tag, value in tags.items()]
        directory = struct.pack(">H", len(entries)) + b"".join(entry for _, entry in sorted(entries)) + bytes(4)
        return b"MM\0*" + struct.pack(">I", 8 + len(body)) + body + directory

    def test_16_bits_in_tiles_strips_and_planes(self):
        rng = np.random.default_rng(3)
        wanted = {}
        for channels, tile, planar in itertools.product((1, 2, 3, 4), (None, 16), (False, True)):
            values = rng.integers(0, 65536, (H, W, channels))
            name = f"{channels}{tile}{planar}.tif"
            self.write(name, self.tiff(values, tile, planar))
            wanted[name] = np.broadcast_to(values[..., :3 if channels > 2 else 1] >> 8, (H, W, 3))
        values = rng.integers(0, 65536, (H, W, 1))
        self.write("inverted.tif", self.tiff(values, inverted=True))
        wanted["inverted.tif"] = np.broadcast_to(255 - (values >> 8), (H, W, 3))
        self.pack(*ALL)
        found = self.samples()
        for name, pixels in wanted.items():
            np.testing.assert_array_equal(found["a/" + name][2], pixels, name)

    def test_alpha_is_dropped_and_not_multiplied(self):
        self.save("a/rgba.tif", picture("RGBA"))
        self.expect(wanted=lambda path: pillow(path, "RGBA"))

    def test_the_orientation_is_part_of_the_image(self):
        for orientation in range(1, 9):
            self.save(f"a/{orientation}.tif", picture(), tiffinfo={274: orientation}, compression="tiff_lzw")
        self.pack("--size", f"{W}x{H}", "--resize", "nearest", *ALL)
        for name, (_, _, pixels) in self.samples().items():
            wanted = Image.fromarray(pillow(self.src / name)).resize((W, H), Image.NEAREST)
            np.testing.assert_array_equal(pixels, np.asarray(wanted), name)

    def test_of_several_pages_the_first(self):
        self.save("a/pages.tif", picture(), save_all=True, append_images=[picture(seed=2)])
        self.expect()

    def test_kinds_that_are_not_read_are_named(self):
        self.write("float.tif", saved(Image.fromarray(np.zeros((H, W), np.float32)), "TIFF"))
        self.write("preview.tif", saved(picture(), "TIFF", tiffinfo={254: 1}))
        self.pack_fails("float.tif: a TIFF of 32 bits a value in floating point",
                        "preview.tif: the first image of this TIFF is only a preview")

    def test_damage(self):
        lzw, deep = saved(picture(), "TIFF", compression="tiff_lzw"), self.tiff(np.zeros((H, W, 3), int))
        files = {**self.cuts(lzw, 99), **{name + "d": part for name, part in self.cuts(deep, 299).items()}}
        self.refuse(files, "TIFF")

    def test_blocks_far_larger_than_the_image_are_damage_and_not_a_want_of_memory(self):
        length, tall = struct.pack(">HHIHH", 323, 3, 1, 16, 0), struct.pack(">HHII", 323, 4, 1, 0x7FFFFFF0)
        self.refuse({"tall.tif": self.tiff(np.zeros((H, W, 3), int), 16).replace(length, tall)},
                    f"damaged TIFF: an image of {W} x {H} with blocks of 206158428672 bytes")


class Pnm(Formats):
    def test_bytes(self):
        for mode, name in (("1", "pbm"), ("L", "pgm"), ("RGB", "ppm")):
            self.save(f"a/picture.{name}", picture(mode))
        self.expect()

    def test_text_with_comments(self):
        values = np.asarray(picture())
        bits = " ".join(str(int(value > 99)) for value in values[..., 0].ravel())
        self.write("1.pbm", f"P1 # bits\n{W} # wide\n{H}\n{bits}".encode())
        self.write("packed.pbm", f"P1\n{W} {H}\n{bits.replace(' ', '')}".encode())
        self.write("2.pgm", f"P2\n#\n{W} {H} 255\n".encode() + " ".join(map(str, values[..., 0].ravel())).encode())
        self.write("3.ppm", f"P3\n{W}\t{H} 255\n".encode() + "\n".join(map(str, values.ravel())).encode() + b"\n")
        self.expect()

    def test_other_values_of_white(self):
        for white in (1, 2, 10, 100, 254):
            values = np.random.default_rng(white).integers(0, white + 1, (H, W, 3), dtype=np.uint8)
            self.write(f"{white}.ppm", f"P6 {W} {H} {white}\n".encode() + values.tobytes())
        self.expect()

    def test_16_bits_follow_the_rules(self):
        values = np.random.default_rng(1).integers(0, 4096, (H, W, 3)).astype(">u2")
        self.write("deep.ppm", f"P6 {W} {H} 4095\n".encode() + values.tobytes())
        result = self.expect(tolerance=1)
        self.assertIn("values of 16 bits in 1 image:", result.stderr)

    def test_damage(self):
        text = f"P2 {W} {H} 255\n".encode() + b"7 " * (W * H)
        files = {**self.cuts(saved(picture(), "PPM"), 99), **{n + "t": part for n, part in self.cuts(text, 99, 2).items()}}
        self.refuse(files, "damaged PPM")


if __name__ == "__main__":
    main()
