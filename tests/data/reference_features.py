# SPDX-License-Identifier: Apache-2.0
"""Reads with h5py the features that test_features.c wrote, and compares them with the formula that made them."""
import sys

import h5py
import numpy as np

WIDTH = 5
with h5py.File(sys.argv[1], "r") as file:
    assert file.attrs["format"] in ("cnnsweep-features", b"cnnsweep-features"), dict(file.attrs)
    assert file.attrs["source"] in ("made by hand", b"made by hand"), dict(file.attrs)
    assert file.attrs["version"] == 1 and file.attrs["width"] == WIDTH and len(file.attrs["checksum"]) == 16
    assert sorted(file) == ["test", "train", "val"]
    for split, (name, count) in enumerate((("train", 23), ("val", 5), ("test", 0))):
        features, label = file[name]["features"], file[name]["label"]
        assert features.dtype == np.float32 and features.chunks is None and features.shape == (count, WIDTH)
        assert label.dtype == np.int32 and label.shape == (count,)
        row, value = np.mgrid[:count, :WIDTH]
        np.testing.assert_array_equal(features[...], (1000 * split + row + value / 8).astype(np.float32))
        np.testing.assert_array_equal(label[...], np.arange(count) % 3)
