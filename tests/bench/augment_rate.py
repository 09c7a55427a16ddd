# SPDX-License-Identifier: Apache-2.0
"""Compares augmentation with Pillow/torchvision and, where they are installed, with albumentations and Keras: the same transforms of
the same images, one thread, processor time. The programs run in turn; prints a Markdown table of the medians of RUNS runs.

    python3 tests/bench/augment_rate.py BUILD [SIDE...]       environment: RUNS (5), SECONDS (0.3), PEER_PYTHON

PEER_PYTHON is an interpreter with torchvision, albumentations or Keras, or several with a colon between; each measures what it has.
Layers of Keras get batches of 16, compiled as in tf.data."""
import os
import statistics
import subprocess
import sys
import tempfile
import time

AFFINE = "degrees: 15, translate: 0.1, scale: [0.9, 1.1], interpolation: bilinear"
JITTER = "{color_jitter: {brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1}}"
T_AFFINE = "T.RandomAffine(15, (0.1, 0.1), (0.9, 1.1), interpolation=BILINEAR)"
T_JITTER = "T.ColorJitter(0.2, 0.2, 0.2, 0.1)"
A_AFFINE = "A.Affine((0.9, 1.1), {'x': (-0.1, 0.1), 'y': (-0.1, 0.1)}, None, (-15, 15), p=1)"
A_JITTER = "A.ColorJitter((0.8, 1.2), (0.8, 1.2), (0.8, 1.2), (-0.1, 0.1), p=1)"

LIBRARIES = ("torchvision", "albumentations", "keras")
AT_ONCE = 16  # images that a layer of Keras gets

# name, steps of cnnsweep, and what the libraries call it, or None
ROWS = [
    ("horizontal flip", "[{random_horizontal_flip: {p: 1}}]", "T.RandomHorizontalFlip(1)", "A.HorizontalFlip(p=1)", None),
    ("vertical flip", "[{random_vertical_flip: {p: 1}}]", "T.RandomVerticalFlip(1)", "A.VerticalFlip(p=1)", None),
    ("rotation, nearest", "[{random_rotation: 15}]", "T.RandomRotation(15)",
     "A.Rotate(15, interpolation=0, border_mode=0, p=1)", None),
    ("rotation, bilinear", "[{random_rotation: {degrees: 15, interpolation: bilinear}}]", "T.RandomRotation(15, BILINEAR)",
     "A.Rotate(15, border_mode=0, p=1)", None),
    ("affine, bilinear", "[{random_affine: {%s}}]" % AFFINE, T_AFFINE, A_AFFINE, None),
    ("perspective", "[{random_perspective: {distortion_scale: 0.2, p: 1}}]", "T.RandomPerspective(0.2, 1)", "A.Perspective(p=1)",
     None),
    ("crop with padding", "[{random_crop: {size: SIDE, padding: 4}}]", "T.RandomCrop(SIDE, 4)",
     "A.RandomCrop(SIDE, SIDE, pad_if_needed=True, p=1)", None),
    ("resized crop", "[random_resized_crop]", "T.RandomResizedCrop(SIDE)", "A.RandomResizedCrop((SIDE, SIDE), p=1)", None),
    ("resize, crop", "[{resize: LARGER}, {center_crop: SIDE}]", "T.Compose([T.Resize(LARGER), T.CenterCrop(SIDE)])",
     "A.Compose([A.SmallestMaxSize(LARGER), A.CenterCrop(SIDE, SIDE)])", None),
    ("brightness, contrast", "[{color_jitter: {brightness: 0.2, contrast: 0.2}}]", "T.ColorJitter(0.2, 0.2)",
     "A.ColorJitter((0.8, 1.2), (0.8, 1.2), (1, 1), (0, 0), p=1)", None),
    ("saturation", "[{color_jitter: {saturation: 0.2}}]", "T.ColorJitter(0, 0, 0.2)",
     "A.ColorJitter((1, 1), (1, 1), (0.8, 1.2), (0, 0), p=1)", None),
    ("hue", "[{color_jitter: {hue: 0.1}}]", "T.ColorJitter(0, 0, 0, 0.1)", "A.HueSaturationValue(18, 0, 0, p=1)", None),
    ("color_jitter", "[%s]" % JITTER, T_JITTER, A_JITTER, None),
    ("grayscale", "[{random_grayscale: {p: 1}}]", "T.RandomGrayscale(1)", "A.ToGray(p=1)", None),
    ("invert", "[{random_invert: {p: 1}}]", "T.RandomInvert(1)", "A.InvertImg(p=1)", None),
    ("posterize", "[{random_posterize: {bits: 4, p: 1}}]", "T.RandomPosterize(4, 1)", "A.Posterize(4, p=1)", None),
    ("solarize", "[{random_solarize: {threshold: 128, p: 1}}]", "T.RandomSolarize(128, 1)", "A.Solarize((0.5, 0.5), p=1)", None),
    ("autocontrast", "[{random_autocontrast: {p: 1}}]", "T.RandomAutocontrast(1)", "A.AutoContrast(p=1)", None),
    ("equalize", "[{random_equalize: {p: 1}}]", "T.RandomEqualize(1)", "A.Equalize(p=1)", None),
    ("sharpness", "[{random_adjust_sharpness: {sharpness_factor: 2, p: 1}}]", "T.RandomAdjustSharpness(2, 1)", "A.Sharpen(p=1)",
     None),
    ("blur, 5 x 5", "[{gaussian_blur: {kernel_size: 5}}]", "T.GaussianBlur(5)", "A.GaussianBlur(5, (0.1, 2), p=1)", None),
    ("erasing", "[{random_erasing: {p: 1}}]", None, "A.Erasing(p=1)", None),
    ("rand_augment", "[rand_augment]", "T.RandAugment()", None, None),
    ("trivial_augment_wide", "[trivial_augment_wide]", "T.TrivialAugmentWide()", None, None),
    ("auto_augment", "[auto_augment]", "T.AutoAugment()", None, None),
    ("random_gamma", "[{random_gamma: {p: 1}}]", None, "A.RandomGamma(p=1)", None),
    ("random_brightness_contrast", "[{random_brightness_contrast: {p: 1}}]", None, "A.RandomBrightnessContrast(p=1)", None),
    ("hue_saturation_value", "[{hue_saturation_value: {p: 1}}]", None, "A.HueSaturationValue(p=1)", None),
    ("clahe", "[{clahe: {p: 1}}]", None, "A.CLAHE(p=1)", None),
    ("gauss_noise", "[{gauss_noise: {p: 1}}]", None, "A.GaussNoise(p=1)", None),
    ("motion_blur", "[{motion_blur: {p: 1}}]", None, "A.MotionBlur(p=1)", None),
    ("image_compression", "[{image_compression: {quality_range: [60, 90], p: 1}}]", None,
     "A.ImageCompression('jpeg', (60, 90), p=1)", None),
    ("coarse_dropout", "[{coarse_dropout: {p: 1}}]", None, "A.CoarseDropout(p=1)", None),
    ("random_rotate90", "[{random_rotate90: {p: 1}}]", None, "A.RandomRotate90(p=1)", None),
    ("transpose", "[{transpose: {p: 1}}]", None, "A.Transpose(p=1)", None),
    ("d4", "[d4]", None, "A.D4(p=1)", None),
    ("affine", "[{affine: {scale: [0.9, 1.1], translate_percent: [-0.1, 0.1], rotate: [-15, 15], p: 1}}]", None, A_AFFINE, None),
    ("shift_scale_rotate", "[{shift_scale_rotate: {p: 1}}]", None, "A.ShiftScaleRotate(p=1)", None),
    ("grid_distortion", "[{grid_distortion: {p: 1}}]", None, "A.GridDistortion(p=1)", None),
    ("Keras' generator", "{rotation_range: 15, width_shift_range: 0.1, height_shift_range: 0.1, zoom_range: 0.1, "
     "horizontal_flip: true, brightness_range: [0.8, 1.2]}", None, None,
     "ImageDataGenerator(rotation_range=15, width_shift_range=0.1, height_shift_range=0.1, zoom_range=0.1, horizontal_flip=True, "
     "brightness_range=(0.8, 1.2))"),
    ("keras.random_flip", "[keras.random_flip]", None, None, "L.RandomFlip()"),
    ("keras.random_rotation", "[{keras.random_rotation: 0.05}]", None, None, "L.RandomRotation(0.05)"),
    ("keras.random_zoom", "[{keras.random_zoom: 0.2}]", None, None, "L.RandomZoom(0.2)"),
    ("keras.random_translation", "[{keras.random_translation: {height_factor: 0.1, width_factor: 0.1}}]", None, None,
     "L.RandomTranslation(0.1, 0.1)"),
    ("keras.random_shear", "[{keras.random_shear: {x_factor: 0.1, y_factor: 0.1}}]", None, None, "L.RandomShear(0.1, 0.1)"),
    ("keras.random_perspective", "[keras.random_perspective]", None, None, "L.RandomPerspective()"),
    ("keras.random_crop", "[{keras.random_crop: {height: SMALLER, width: SMALLER}}]", None, None, "L.RandomCrop(SMALLER, SMALLER)"),
    ("keras.resizing", "[{keras.resizing: {height: SMALLER, width: SMALLER}}]", None, None, "L.Resizing(SMALLER, SMALLER)"),
    ("keras.random_brightness", "[{keras.random_brightness: 0.2}]", None, None, "L.RandomBrightness(0.2)"),
    ("keras.random_contrast", "[{keras.random_contrast: 0.2}]", None, None, "L.RandomContrast(0.2)"),
    ("keras.random_saturation", "[{keras.random_saturation: [0.3, 0.7]}]", None, None, "L.RandomSaturation((0.3, 0.7))"),
    ("keras.random_hue", "[{keras.random_hue: 0.2}]", None, None, "L.RandomHue(0.2)"),
    ("keras.random_color_jitter", "[{keras.random_color_jitter: {brightness_factor: 0.2, contrast_factor: 0.2, "
     "saturation_factor: [0.3, 0.7], hue_factor: 0.2}}]", None, None, "L.RandomColorJitter((-0.2, 0.2), 0.2, (0.3, 0.7), 0.2)"),
    ("keras.random_color_degeneration", "[{keras.random_color_degeneration: 0.5}]", None, None, "L.RandomColorDegeneration(0.5)"),
    ("keras.random_grayscale", "[{keras.random_grayscale: 1}]", None, None, "L.RandomGrayscale(1.0)"),
    ("keras.random_sharpness", "[{keras.random_sharpness: 0.5}]", None, None, "L.RandomSharpness(0.5)"),
    ("keras.random_posterization", "[{keras.random_posterization: 4}]", None, None, "L.RandomPosterization(4)"),
    ("keras.solarization", "[keras.solarization]", None, None, "L.Solarization()"),
    ("keras.auto_contrast", "[keras.auto_contrast]", None, None, "L.AutoContrast()"),
    ("keras.equalization", "[keras.equalization]", None, None, "L.Equalization()"),
    ("keras.random_invert", "[keras.random_invert]", None, None, "L.RandomInvert()"),
    ("keras.random_erasing", "[keras.random_erasing]", None, None, "L.RandomErasing()"),
    ("keras.random_gaussian_blur", "[keras.random_gaussian_blur]", None, None, "L.RandomGaussianBlur()"),
    ("keras.rand_augment", "[keras.rand_augment]", None, None, "L.RandAugment()"),
    ("rotation + shift + zoom + flip + jitter", "[random_horizontal_flip, {random_affine: {%s}}, %s]" % (AFFINE, JITTER),
     f"T.Compose([T.RandomHorizontalFlip(), {T_AFFINE}, {T_JITTER}])",
     f"A.Compose([A.HorizontalFlip(), {A_AFFINE}, {A_JITTER}])", None),
]


def torchvision_transforms(arrays, sides):
    """Yields the number of each row that the library has, a function of an image, images, and how many it makes of one."""
    import torch
    from PIL import Image
    from torchvision import transforms

    torch.set_num_threads(1)
    scope = {"T": transforms, "BILINEAR": transforms.InterpolationMode.BILINEAR, **sides}
    images = [Image.fromarray(array) for array in arrays]
    for number, (_, _, text, _, _) in enumerate(ROWS):
        if text:
            yield number, eval(text, scope), images, 1


def albumentations_transforms(arrays, sides):
    import albumentations
    import cv2

    cv2.setNumThreads(1)
    scope = {"A": albumentations, **sides}
    for number, (_, _, _, text, _) in enumerate(ROWS):
        if text:
            transform = eval(text, scope)
            yield number, lambda array: transform(image=array), arrays, 1


def keras_transforms(arrays, sides):
    os.environ.update(CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
    import keras
    import numpy as np
    import tensorflow as tf
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    batch = [tf.constant(np.stack(arrays[:AT_ONCE]), tf.float32)]
    for number, (_, _, _, _, text) in enumerate(ROWS):
        if text and text.startswith("ImageDataGenerator"):
            yield number, eval(text, {"ImageDataGenerator": ImageDataGenerator}).random_transform, arrays, 1
        elif text:
            layer = eval(text, {"L": keras.layers, **sides})
            yield number, tf.function(lambda images: layer(images, training=True)), batch, AT_ONCE


def seconds_per_image(transform, images, at_once, seconds):
    for image in images[:16]:
        transform(image)
    made, begin = 0, time.process_time()
    while made < 16 or time.process_time() - begin < seconds:
        transform(images[made % len(images)])
        made += 1
    return (time.process_time() - begin) / made / at_once


def measure_peer(data, seconds):
    """Runs in the peer's interpreter: prints `library number seconds` for each row of each library that it has."""
    import numpy as np

    arrays = list(np.load(data))
    sides = sides_of(arrays[0].shape[0])
    for library, transforms in zip(LIBRARIES, (torchvision_transforms, albumentations_transforms, keras_transforms)):
        try:
            for number, transform, images, at_once in transforms(arrays, sides):
                print(library, number, seconds_per_image(transform, images, at_once, seconds), flush=True)
        except ImportError:
            pass


def sides_of(side):
    """The sides that rows name: of the images, one from which the middle is cut out, and one that is cut out."""
    return {"SIDE": side, "LARGER": side * 8 // 7, "SMALLER": side * 7 // 8}


def write_data(folder, build, side):
    """Drawn images as a dataset and as an array for the peers."""
    import h5py
    import numpy as np

    for command in ((f"{build}/bin/cnnsweep-synthetic", "--classes", "2", "--per-class", "48", "--size", f"{side}x{side}", "drawn"),
                    (f"{build}/bin/cnnsweep-pack", "drawn", "data.h5")):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    with h5py.File(os.path.join(folder, "data.h5")) as file:
        np.save(os.path.join(folder, "images.npy"), file["train/images"][:64])
    with open(os.path.join(folder, "job.yaml"), "w") as job:
        job.write(f"data: {{path: {folder}/data.h5}}\nmodel: {{arch: basenet}}\naugmentations:\n")
        for number, row in enumerate(ROWS):
            steps = row[1]
            for name, pixels in sides_of(side).items():
                steps = steps.replace(name, str(pixels))
            job.write(f"  row{number}: {steps}\n")


def compare(build, side, runs, seconds, peers):
    """The median seconds of each (library, number of the row)."""
    times = {}
    with tempfile.TemporaryDirectory() as folder:
        write_data(folder, build, side)
        for _ in range(runs):
            out = subprocess.run([f"{build}/tests/augment_rate", f"{folder}/job.yaml", str(seconds)], check=True, text=True,
                                 capture_output=True).stdout
            for number, line in enumerate(out.splitlines()):
                times.setdefault(("cnnsweep", number), []).append(float(line.split()[1]))
            for peer in peers:
                out = subprocess.run([peer, __file__, "--peer", f"{folder}/images.npy", str(seconds)], check=True, text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
                for library, number, value in (line.split() for line in out.splitlines()):
                    times.setdefault((library, int(number)), []).append(float(value))
    return {key: statistics.median(values) for key, values in times.items()}


def print_table(side, runs, medians):
    print(f"\n{side} x {side} pixels, microseconds of one thread an image, medians of {runs} runs\n")
    print("| transform | cnnsweep | Pillow/torchvision | ratio | albumentations | ratio | Keras | ratio |\n|---|" + "---:|" * 7)
    for number, row in enumerate(ROWS):
        own, cells = medians["cnnsweep", number], ""
        for library in LIBRARIES:
            peer = medians.get((library, number))
            cells += f" {peer * 1e6:.0f} | {peer / own:.1f} |" if peer else " | |"
        print(f"| {row[0]} | {own * 1e6:.0f} |{cells}", flush=True)


if sys.argv[1] == "--peer":
    measure_peer(sys.argv[2], float(sys.argv[3]))
else:
    RUNS, SECONDS = int(os.environ.get("RUNS", 5)), float(os.environ.get("SECONDS", 0.3))
    PEERS = os.environ.get("PEER_PYTHON", sys.executable).split(":")
    for SIDE in [int(side) for side in sys.argv[2:]] or [50, 224]:
        print_table(SIDE, RUNS, compare(os.path.abspath(sys.argv[1]), SIDE, RUNS, SECONDS, PEERS))
