# SPDX-License-Identifier: Apache-2.0
"""cnnsweep-pack --filter: what is filtered when, and what the dataset says about it. The filters themselves are compared with
OpenCV in test_filter.c."""
import io

import numpy as np
import scipy.ndimage
from pack_tools import PackTest, h5py, main, noise, ordered, run
from PIL import Image

SPLIT = ("--split", "1,0,0")


def median(pixels, size):
    return np.stack([scipy.ndimage.median_filter(pixels[..., c], size, mode="nearest") for c in range(3)], -1)


class Filters(PackTest):
    def setUp(self):
        super().setUp()
        self.pixels = {}
        for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
            self.pixels[name] = noise(24, 32, 5 + len(self.pixels))
            self.save(name, self.pixels[name])

    def attribute(self):
        with h5py.File(self.out) as file:
            return file.attrs["filter"].decode() if "filter" in file.attrs else None

    def test_images_are_filtered_before_they_are_resized(self):
        self.pack("--filter", "median:size=5", "--size", "13x11", "--resize", "nearest", *SPLIT)
        for name, (_, _, pixels) in self.samples().items():
            filtered = Image.fromarray(median(self.pixels[name], 5))
            np.testing.assert_array_equal(pixels, np.asarray(filtered.resize((13, 11), Image.NEAREST)))

    def test_filters_are_applied_in_the_order_given(self):
        self.pack("--filter", "median:size=5", "--filter", "gaussian:sigma=2,median", *SPLIT)
        self.assertEqual(self.attribute(), "median:size=5,gaussian:sigma=2,median")
        given = self.samples()
        self.out = self.root / "other.h5"
        self.pack("--filter", "median,gaussian:sigma=2,median:size=5", *SPLIT)
        self.assertFalse(np.array_equal(given["a/1.png"][2], self.samples()["a/1.png"][2]))

    def test_the_dataset_says_how_it_was_filtered(self):
        done = self.pack("--filter", "median:size=3", *SPLIT)
        self.assertEqual(self.attribute(), "median")
        self.assertIn("after filter median,", done.stdout)
        self.out = self.root / "plain.h5"
        self.assertNotIn("filter", self.pack(*SPLIT).stdout)
        self.assertIsNone(self.attribute())

    def test_the_mean_is_that_of_the_filtered_pixels(self):
        self.pack("--filter", "median:size=9", *SPLIT)
        filtered = np.concatenate([median(pixels, 9).reshape(-1, 3) for pixels in self.pixels.values()])
        with h5py.File(self.out) as file:
            np.testing.assert_allclose(file.attrs["mean"], filtered.mean(axis=0))

    def test_jpeg_files_are_filtered_too(self):
        with io.BytesIO() as bytes_:
            Image.fromarray(noise(24, 32, 9)).save(bytes_, "jpeg", quality=95)
            jpeg = bytes_.getvalue()
        path = self.src / "a/3.jpg"
        path.write_bytes(jpeg)
        self.pack("--encoding", "jpeg", "--filter", "median:size=9", *SPLIT)
        with h5py.File(self.out) as file:
            group, i = file["train"], list(file["train/id"][:]).index(b"a/3.jpg")
            stored = bytes(group["jpeg"][group["offset"][i]:group["offset"][i + 1]])
        self.assertNotEqual(stored, jpeg)
        off = np.asarray(Image.open(io.BytesIO(stored))).astype(int) - median(np.asarray(Image.open(path)), 9)
        self.assertLess(np.abs(off).mean(), 2)

    def test_parts_give_the_same_dataset(self):
        options = ["--filter", "median:size=5", "--size", "16x12", "--shard-size", "600", *SPLIT]
        self.pack(*options)
        whole, self.out = self.out, self.root / "joined"
        for part in range(2):
            self.pack("--part", f"{part}/2", *options)
        self.assertEqual(run(self.packer, "--join", self.out).returncode, 0)
        self.assertEqual(ordered(whole), ordered(self.out))
        self.out = self.root / "mixed"
        self.pack("--part", "0/2", *options)
        self.pack("--part", "1/2", *options[2:])
        done = run(self.packer, "--join", self.out)
        self.assertEqual(done.returncode, 1)
        self.assertIn("of other images or options", done.stderr)

    def test_wrong_filters_are_refused(self):
        for text, needle in (("medain", "--filter: unknown filter 'medain'; did you mean 'median'?"),
                             ("median:size=40", "--filter: median: size is '40'; it takes an odd number from 3 to 31")):
            self.pack_fails(needle, arguments=("--filter", text), status=2)


main()
