# SPDX-License-Identifier: Apache-2.0
"""Compares the brightness changes that test_augment.c wrote to a file with those of Pillow's ImageEnhance.Brightness, which
Keras calls."""
import sys

import numpy as np
from PIL import Image, ImageEnhance

H, W = 9, 14
row = np.dtype([("factor", "<f4"), ("before", "u1", (H, W, 3)), ("after", "u1", (H, W, 3))])
rows = np.fromfile(sys.argv[1], row)
assert len(rows) == 300
for r in rows:
    pillow = np.asarray(ImageEnhance.Brightness(Image.fromarray(r["before"])).enhance(float(r["factor"])))
    np.testing.assert_array_equal(r["after"], pillow, err_msg=f"factor {r['factor']}")
assert any((r["after"] == 255).any() for r in rows) and any(r["factor"] < 0.6 for r in rows)
