# SPDX-License-Identifier: Apache-2.0
"""Filters against OpenCV and scikit-image. The first argument is a file of cases: a text of 256 bytes, the image before the filter
and the image after it, each as height, width (int32) and pixels."""
import collections
import os
import subprocess
import sys

if len(sys.argv) > 2:
    import cv2
    import numpy as np

TEXT = 256


def cases(path):
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        text, images = data[at:at + TEXT].split(b"\0")[0].decode(), []
        at += TEXT
        for _ in range(2):
            h, w = np.frombuffer(data, np.int32, 2, at)
            images.append(np.frombuffer(data, np.uint8, h * w * 3, at + 8).reshape(h, w, 3))
            at += 8 + h * w * 3
        yield text, *images


def gray(image):
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def gaussian(image, sigma=1):
    return cv2.GaussianBlur(image, (0, 0), sigma)


def median(image, size=3):
    return cv2.medianBlur(image, int(size))


def bilateral(image, diameter=9, sigma_color=75, sigma_space=75):
    return cv2.bilateralFilter(image, int(diameter), sigma_color, sigma_space)


def unsharp(image, amount=1, sigma=2):
    return cv2.addWeighted(image, 1 + amount, gaussian(image, sigma), -amount, 0)


def sobel(image, amount=0.5):
    across, down = (cv2.Sobel(gray(image), cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    gradient = cv2.convertScaleAbs(cv2.magnitude(across, down))
    return cv2.addWeighted(image, 1 - amount, cv2.cvtColor(gradient, cv2.COLOR_GRAY2RGB), amount, 0)


def gray_world(image):
    means = image.mean(axis=(0, 1), dtype=np.float64)
    return np.clip(np.floor(image * (means.mean() / means) + 0.5), 0, 255).astype(np.uint8)


# The largest difference that is allowed; 0: the same bytes.
ALLOWED = {"gaussian": 0, "median": 0, "bilateral": 1, "unsharp": 1, "sobel": 1, "gray_world": 1}


def main(path):
    seen = collections.defaultdict(lambda: [0, 0, 0])
    for text, before, after in cases(path):
        name, *parameters = text.split(":")
        values = {}
        for parameter in parameters:
            key, value = parameter.split("=")
            values[key] = float(np.float32(value))
        want = globals()[name](before, **values)
        assert want.shape == after.shape, f"{text}: {before.shape} became {after.shape}, not {want.shape}"
        off = np.abs(want.astype(int) - after)
        assert off.max() <= ALLOWED[name], f"{text}, {before.shape}: off by {off.max()}, in {(off > 0).mean():.2%} of the values"
        seen[name][0] += off.size
        seen[name][1] += (off > 0).sum()
        seen[name][2] = max(seen[name][2], off.max())
    for name, (values, different, largest) in seen.items():
        print(f"{name}: {different} of {values} values differ, by {largest} at most")


if len(sys.argv) > 2:
    main(sys.argv[1])
else:
    python = os.environ.get("CNNSWEEP_KERAS_PYTHON")
    if python:
        subprocess.run([python, __file__, sys.argv[1], "compare"], check=True)
    else:
        print("CNNSWEEP_KERAS_PYTHON names no Python with OpenCV and scikit-image: not compared")
        sys.exit(1 if os.environ.get("CI") else 0)
