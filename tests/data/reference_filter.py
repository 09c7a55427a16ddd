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
    import skimage.segmentation

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


def nl_means(image, h=3, patch=7, search=21):
    return cv2.fastNlMeansDenoising(image, None, h, int(patch), int(search))


def clahe(image, clip_limit=2, tiles=8):
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clip_limit, (int(tiles), int(tiles))).apply(np.ascontiguousarray(lab[..., 0]))
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)


def gray_world(image):
    means = image.mean(axis=(0, 1), dtype=np.float64)
    return np.clip(np.floor(image * (means.mean() / means) + 0.5), 0, 255).astype(np.uint8)


def hair_removal(image, size=17, kernel="cross", threshold=10, radius=1):
    element = cv2.getStructuringElement({"cross": cv2.MORPH_CROSS, "rect": cv2.MORPH_RECT}[kernel], (int(size), int(size)))
    dark = cv2.morphologyEx(gray(image), cv2.MORPH_BLACKHAT, element)
    mask = cv2.threshold(dark, threshold, 255, cv2.THRESH_BINARY)[1]
    return cv2.inpaint(image, mask, int(radius), cv2.INPAINT_TELEA)


def fundus(image, amount=4, scale=30, keep=0.9, black=7):
    """Graham's preprocessing without its resize, after the crop that is common with it."""
    bright = gray(image) > black
    if not bright.any():
        return image
    image = np.ascontiguousarray(crop(image, *box_of(bright)))
    row = image[image.shape[0] // 2].sum(1)
    radius = (row > row.mean() / 10).sum() / 2
    result = cv2.addWeighted(image, amount, cv2.GaussianBlur(image, (0, 0), radius / scale), -amount, 128)
    y, x = np.mgrid[:image.shape[0], :image.shape[1]]
    inside = (y - image.shape[0] // 2) ** 2 + (x - image.shape[1] // 2) ** 2 <= (np.float64(np.float32(keep)) * radius) ** 2
    return np.where(inside[..., None], result, np.uint8(128))


def box_of(mask):
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def crop(image, top, bottom, left, right):
    return image[top:bottom, left:right]


def region_of(mask, image, keep="crop", margin=0.1, min_area=0.01):
    n, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if n == 1:
        return image
    largest = 1 + stats[1:, cv2.CC_STAT_AREA].argmax()
    if stats[largest, cv2.CC_STAT_AREA] < min_area * mask.size:
        return image
    left, top, w, h, _ = stats[largest]
    m = int(np.rint(np.float64(np.float32(margin)) * max(h, w)))
    if keep == "crop":
        return crop(image, max(top - m, 0), top + h + m, max(left - m, 0), left + w + m)
    near = cv2.dilate((labels == largest).astype(np.uint8), np.ones((2 * m + 1, 2 * m + 1), np.uint8))
    return image * near[..., None]


def otsu(image, region="dark", **options):
    kind = {"dark": cv2.THRESH_BINARY_INV, "bright": cv2.THRESH_BINARY}[region]
    return region_of(cv2.threshold(gray(image), 0, 1, kind + cv2.THRESH_OTSU)[1], image, **options)


def chan_vese(image, region="dark", mu=0.25, iterations=200, size=128, **options):
    factor = int(-(-max(image.shape[:2]) // size))
    h, w = (-(-side // factor) * factor for side in image.shape[:2])
    padded = np.full((h, w), np.nan)
    padded[:image.shape[0], :image.shape[1]] = gray(image)
    small = np.nanmean(padded.reshape(h // factor, factor, w // factor, factor), axis=(1, 3))
    inside = skimage.segmentation.chan_vese(small, mu=mu, max_num_iter=int(iterations))
    bright = inside.any() and (inside.all() or small[inside].mean() > small[~inside].mean())
    mask = inside == (bright == (region == "bright"))
    mask = mask.repeat(factor, 0).repeat(factor, 1)[:image.shape[0], :image.shape[1]]
    return region_of(mask, image, **options)


# The largest difference that is allowed; 0: the same bytes.
ALLOWED = {"gaussian": 0, "median": 0, "bilateral": 1, "unsharp": 1, "sobel": 1, "nl_means": 0, "clahe": 0, "gray_world": 1,
           "hair_removal": 0, "fundus": 1, "otsu": 0}


def arguments(texts):
    for text in texts:
        key, value = text.split("=")
        yield key, value if value[0].isalpha() else float(np.float32(value))


def overlap(text, want, after):
    """Of the regions that both kept: the pixels that are in both, of those that are in one of them."""
    assert "keep=mask" in text, "a crop does not show where it was"
    a, b = want.any(-1), after.any(-1)
    return (a & b).sum() / (a | b).sum()


def main(path):
    seen, overlaps = collections.defaultdict(lambda: [0, 0, 0]), []
    for text, before, after in cases(path):
        name, *parameters = text.split(":")
        want = globals()[name](before, **dict(arguments(parameters)))
        assert want.shape == after.shape, f"{text}: {before.shape} became {after.shape}, not {want.shape}"
        if name == "chan_vese":
            overlaps.append(overlap(text, want, after))
            continue
        off = np.abs(want.astype(int) - after)
        assert off.max() <= ALLOWED[name], f"{text}, {before.shape}: off by {off.max()}, in {(off > 0).mean():.2%} of the values"
        seen[name][0] += off.size
        seen[name][1] += (off > 0).sum()
        seen[name][2] = max(seen[name][2], off.max())
    for name, (values, different, largest) in seen.items():
        print(f"{name}: {different} of {values} values differ, by {largest} at most")
    print(f"chan_vese: the regions overlap by {min(overlaps):.4f} at least")
    assert min(overlaps) > 0.98


if len(sys.argv) > 2:
    main(sys.argv[1])
else:
    python = os.environ.get("CNNSWEEP_KERAS_PYTHON")
    if python:
        subprocess.run([python, __file__, sys.argv[1], "compare"], check=True)
    else:
        print("CNNSWEEP_KERAS_PYTHON names no Python with OpenCV and scikit-image: not compared")
        sys.exit(1 if os.environ.get("CI") else 0)
