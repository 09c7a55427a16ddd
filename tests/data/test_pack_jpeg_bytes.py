# SPDX-License-Identifier: Apache-2.0
"""JPEGs are stored byte for byte, however many bytes each split has."""
import io
import itertools

from PIL import Image
from pack_tools import SPLITS, PackTest, h5py, main, noise, run

LARGE, FIRST = 1 << 14, 1 << 16  # CS_HDF5_LARGE and CS_HDF5_FIRST of hdf5_file.h


def jpeg(size, seed):
    """A JPEG of `size` bytes, most of which are comments."""
    file = io.BytesIO()
    Image.fromarray(noise(16, 16, seed)).save(file, "JPEG")
    plain, comments = file.getvalue(), b""
    while (left := size - len(plain) - len(comments)) > 0:
        segment = left if left < 60000 else 50000
        comments += b"\xff\xfe" + (segment - 2).to_bytes(2, "big") + bytes((seed + i) % 251 for i in range(segment - 4))
    return plain[:2] + comments + plain[2:]


class JpegBytes(PackTest):
    def check(self, sizes):
        """Packs two JPEGs a split that have sizes[split] bytes together; 0: none."""
        expected = {}
        for number, split in enumerate(SPLITS):
            for i, name in enumerate(("a", "b")):
                path = self.src / split / name / "0.jpg"
                path.unlink(missing_ok=True)
                path.parent.mkdir(parents=True, exist_ok=True)
                if sizes[number]:
                    data = jpeg(sizes[number] // 2 + i * (sizes[number] % 2), 2 * number + i)
                    path.write_bytes(data)
                    expected[str(path.relative_to(self.src))] = data
        self.out.unlink(missing_ok=True)
        self.pack("--encoding", "jpeg")
        stored = {}
        with h5py.File(self.out) as file:
            for split in SPLITS:
                group = file[split]
                for i, name in enumerate(group["id"][:]):
                    begin, end = group["offset"][i:i + 2]
                    stored[name.decode()] = group["jpeg"][begin:end].tobytes()
        self.assertEqual(stored, expected)
        self.assertEqual(run("cnnsweep-pack", "--check", self.out).returncode, 0)

    def test_around_the_sizes_from_which_they_are_written_once(self):
        for size in (LARGE - 1, LARGE, LARGE + 1, FIRST - 1, FIRST, FIRST + 1, 3 * FIRST + 5):
            with self.subTest(size):
                self.check((size, 0, 3000))

    def test_few_and_many_in_each_split(self):
        for sizes in itertools.product((2000, 40000), (0, 2000, 40000), (2000, LARGE - 1, 40000)):
            with self.subTest(sizes):
                self.check(sizes)


main()
