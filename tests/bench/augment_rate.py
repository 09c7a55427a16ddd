# SPDX-License-Identifier: Apache-2.0
"""Compares augmentation with Pillow/torchvision and, where it is installed, with albumentations: the same transforms of the same
images, one thread, processor time. The programs run in turn; prints a Markdown table of the medians of RUNS runs.

    python3 tests/bench/augment_rate.py BUILD [SIDE...]       environment: RUNS (5), SECONDS (0.3), PEER_PYTHON

PEER_PYTHON is an interpreter with torchvision or albumentations, or several with a colon between; each measures what it has."""
import os
import statistics
import subprocess
import sys
import tempfile
import time

# name: (steps of cnnsweep, torchvision's transform of a Pillow image, albumentations' of an array); None: no counterpart
ROWS = {
    "flip": ("[{random_horizontal_flip: {p: 1}}]", "T.RandomHorizontalFlip(1)", "A.HorizontalFlip(p=1)"),
    "rotation, nearest": ("[{random_rotation: 15}]", "T.RandomRotation(15)", "A.Rotate(15, interpolation=0, border_mode=0, p=1)"),
    "rotation, bilinear": ("[{random_rotation: {degrees: 15, interpolation: bilinear}}]", "T.RandomRotation(15, BILINEAR)",
                           "A.Rotate(15, border_mode=0, p=1)"),
    "affine, bilinear": ("[{random_affine: {degrees: 15, translate: 0.1, scale: [0.9, 1.1], interpolation: bilinear}}]",
                         "T.RandomAffine(15, (0.1, 0.1), (0.9, 1.1), interpolation=BILINEAR)",
                         "A.Affine((0.9, 1.1), {'x': (-0.1, 0.1), 'y': (-0.1, 0.1)}, None, (-15, 15), p=1)"),
    "perspective": ("[{random_perspective: {distortion_scale: 0.2, p: 1}}]", "T.RandomPerspective(0.2, 1)", "A.Perspective(p=1)"),
    "resized crop": ("[random_resized_crop]", "T.RandomResizedCrop(SIDE)", "A.RandomResizedCrop((SIDE, SIDE), p=1)"),
    "brightness, contrast": ("[{color_jitter: {brightness: 0.2, contrast: 0.2}}]", "T.ColorJitter(0.2, 0.2)",
                             "A.RandomBrightnessContrast(p=1)"),
    "saturation": ("[{color_jitter: {saturation: 0.2}}]", "T.ColorJitter(0, 0, 0.2)", None),
    "hue": ("[{color_jitter: {hue: 0.1}}]", "T.ColorJitter(0, 0, 0, 0.1)", "A.HueSaturationValue(18, 0, 0, p=1)"),
    "jitter": ("[{color_jitter: {brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1}}]", "T.ColorJitter(0.2, 0.2, 0.2, 0.1)",
               "A.ColorJitter((0.8, 1.2), (0.8, 1.2), (0.8, 1.2), (-0.1, 0.1), p=1)"),
    "autocontrast": ("[{random_autocontrast: {p: 1}}]", "T.RandomAutocontrast(1)", "A.AutoContrast(p=1)"),
    "equalize": ("[{random_equalize: {p: 1}}]", "T.RandomEqualize(1)", "A.Equalize(p=1)"),
    "shift in HSV": ("[{hue_saturation_value: {p: 1}}]", None, "A.HueSaturationValue(p=1)"),
    "CLAHE": ("[{clahe: {p: 1}}]", None, "A.CLAHE(p=1)"),
    "quarter turns": ("[random_rotate90]", None, "A.RandomRotate90(p=1)"),
    "albumentations' affine": ("[{affine: {scale: [0.9, 1.1], translate_percent: [-0.1, 0.1], rotate: [-15, 15], p: 1}}]", None,
                               "A.Affine((0.9, 1.1), {'x': (-0.1, 0.1), 'y': (-0.1, 0.1)}, None, (-15, 15), p=1)"),
    "grid distortion": ("[{grid_distortion: {p: 1}}]", None, "A.GridDistortion(p=1)"),
    "Keras' generator": ("{rotation_range: 15, width_shift_range: 0.1, height_shift_range: 0.1, zoom_range: 0.1, "
                         "horizontal_flip: true, brightness_range: [0.8, 1.2]}", None, None),
    "rotation + shift + zoom + flip + jitter": (
        "[random_horizontal_flip, {random_affine: {degrees: 15, translate: 0.1, scale: [0.9, 1.1], interpolation: bilinear}}, "
        "{color_jitter: {brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1}}]",
        "T.Compose([T.RandomHorizontalFlip(), T.RandomAffine(15, (0.1, 0.1), (0.9, 1.1), interpolation=BILINEAR), "
        "T.ColorJitter(0.2, 0.2, 0.2, 0.1)])",
        "A.Compose([A.HorizontalFlip(), A.Affine((0.9, 1.1), {'x': (-0.1, 0.1), 'y': (-0.1, 0.1)}, None, (-15, 15), p=1), "
        "A.ColorJitter((0.8, 1.2), (0.8, 1.2), (0.8, 1.2), (-0.1, 0.1), p=1)])"),
}


def seconds_per_image(transform, images, seconds):
    for image in images[:16]:
        transform(image)
    made, begin = 0, time.thread_time()
    while time.thread_time() - begin < seconds:
        for _ in range(16):
            transform(images[made % len(images)])
            made += 1
    return (time.thread_time() - begin) / made


def measure_peer(data, seconds):
    """Runs in the peer's interpreter: prints `library name seconds` for each row."""
    import numpy as np

    arrays = list(np.load(data))
    scope = {"SIDE": arrays[0].shape[0]}
    try:
        import torch
        from PIL import Image
        from torchvision import transforms

        torch.set_num_threads(1)
        scope.update(T=transforms, BILINEAR=transforms.InterpolationMode.BILINEAR)
        pictures = [Image.fromarray(array) for array in arrays]
        for name, (_, text, _) in ROWS.items():
            if text:
                print("torchvision", name.replace(" ", "_"), seconds_per_image(eval(text, scope), pictures, seconds), flush=True)
    except ImportError:
        pass
    try:
        import albumentations
        import cv2

        cv2.setNumThreads(1)
        scope.update(A=albumentations)
        for name, (_, _, text) in ROWS.items():
            if text:
                transform = eval(text, scope)
                print("albumentations", name.replace(" ", "_"),
                      seconds_per_image(lambda array: transform(image=array), arrays, seconds), flush=True)
    except ImportError:
        pass


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
        for i, (steps, _, _) in enumerate(ROWS.values()):
            job.write(f"  row{i}: {steps}\n")


def compare(build, side, runs, seconds, peers):
    times = {}
    with tempfile.TemporaryDirectory() as folder:
        write_data(folder, build, side)
        for _ in range(runs):
            out = subprocess.run([f"{build}/tests/augment_rate", f"{folder}/job.yaml", str(seconds)], check=True, text=True,
                                 capture_output=True).stdout
            for name, line in zip(ROWS, out.splitlines()):
                times.setdefault(("cnnsweep", name), []).append(float(line.split()[1]))
            for peer in peers:
                out = subprocess.run([peer, __file__, "--peer", f"{folder}/images.npy", str(seconds)], check=True, text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
                for library, name, value in (line.split() for line in out.splitlines()):
                    times.setdefault((library, name.replace("_", " ")), []).append(float(value))
    return {key: statistics.median(values) for key, values in times.items()}


def print_table(side, runs, medians):
    print(f"\n{side} x {side} pixels, microseconds of one thread an image, medians of {runs} runs\n")
    print("| transform | cnnsweep | Pillow/torchvision | ratio | albumentations | ratio |\n|---|---:|---:|---:|---:|---:|")
    for name in ROWS:
        own, cells = medians["cnnsweep", name], ""
        for library in ("torchvision", "albumentations"):
            peer = medians.get((library, name))
            cells += f" {peer * 1e6:.0f} | {peer / own:.1f} |" if peer else " | |"
        print(f"| {name} | {own * 1e6:.0f} |{cells}", flush=True)


if sys.argv[1] == "--peer":
    measure_peer(sys.argv[2], float(sys.argv[3]))
else:
    RUNS, SECONDS = int(os.environ.get("RUNS", 5)), float(os.environ.get("SECONDS", 0.3))
    PEERS = os.environ.get("PEER_PYTHON", sys.executable).split(":")
    for SIDE in [int(side) for side in sys.argv[2:]] or [50, 224]:
        print_table(SIDE, RUNS, compare(os.path.abspath(sys.argv[1]), SIDE, RUNS, SECONDS, PEERS))
