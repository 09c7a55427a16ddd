# SPDX-License-Identifier: Apache-2.0
"""`cnnsweep explain` explains networks of results folders and files of weights: what they predict is what the sweep has measured,
maps.h5 is complete, and the pictures are what torch and OpenCV make of the raw maps."""
import csv
import os
import subprocess

import h5py
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from harness import make_data, path, read_trials, run, run_ok, run_tests, write_job

JOB = """name: tiny
data: {path: data.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 2, batch: 16, optimizer: adam, seed: 3, save_weights: h5}
sweep:
  parameters:
    lr: [0.003, 0.0001]
    augment: [none, standard]
augmentations:
  standard: {featurewise_center: true, featurewise_std_normalization: true}
"""
EVERY = "cam,grad_cam,grad_cam_pp,hires_cam,xgrad_cam,layer_cam,eigen_cam,score_cam,guided_backprop,guided_grad_cam," \
        "saliency,smooth_grad,integrated_gradients,occlusion"

make_data()
write_job(JOB)
run_ok("train", "job.yaml")


def explain(*arguments, out="out"):
    done = run_ok("explain", *arguments, "--out", out, "--threads", "1")
    return done, h5py.File(path(f"{out}/maps.h5"))


def rows(out):
    with open(path(f"{out}/explained.csv"), newline="") as file:
        return list(csv.DictReader(file))


def losses(file):
    """The cross-entropy of each image, in double."""
    logits, truth = np.float64(file["logits"][:]), file["true_classes"][:]
    most = logits.max(1, keepdims=True)
    return (np.log(np.exp(logits - most).sum(1)) + most[:, 0]) - logits[np.arange(len(truth)), truth]


def test_each_trial_predicts_what_its_test_has_measured():
    for trial in read_trials("results/tiny"):
        _, file = explain("results/tiny", "--trial", trial["trial"], "--split", "test", "--batch", "7")
        right = file["logits"][:].argmax(1) == file["true_classes"][:]
        assert abs(right.mean() - float(trial["test_accuracy"])) < 1e-6, trial
        assert abs(losses(file).mean() - float(trial["test_loss"])) < 1e-5 * float(trial["test_loss"]), trial


def test_images_are_filtered_cropped_and_resized_as_for_the_test_of_a_trial():
    """Of a dataset whose images went through a filter, were resized and stored as JPEG."""
    run_ok("drawn", "small.h5", "--size", "30x30", "--filter", "median", "--resize", "bicubic", program="cnnsweep-pack")
    run_ok("drawn", "jpeg.h5", "--encoding", "jpeg", program="cnnsweep-pack")
    for data, settings in (("small.h5", "filter: [gaussian], val_augment: large"), ("jpeg.h5", "image: [24, 24]"),
                           ("jpeg.h5", "val_augment: large, filter: [gaussian]")):
        settings = settings if "image:" in settings else settings + ", image: [24, 24]"
        write_job(f"name: made\ndata: {{path: {data}, {settings}}}\nmodel: {{arch: basenet}}\n"
                  "train: {epochs: 2, lr: 0.003, save_weights: safetensors}\n"
                  "augmentations:\n  large: [{resize: 28}, {center_crop: 24}]\n", "made.yaml")
        run_ok("train", "made.yaml", "--force")
        trial, = read_trials("results/made")
        _, file = explain("results/made", "--split", "test", out="split")
        assert abs(losses(file).mean() - float(trial["test_loss"])) < 1e-5 * float(trial["test_loss"]), (data, settings)
        run_ok("explain", "results/made", *[f"drawn/{row['id']}" for row in rows("split")], "--out", "files")
        with h5py.File(path("split/maps.h5")) as a, h5py.File(path("files/maps.h5")) as b:
            assert (a["logits"][:] == b["logits"][:]).all(), (data, settings)


def test_the_best_trial_is_the_default():
    best = max(read_trials("results/tiny"), key=lambda trial: float(trial["test_accuracy"]))
    done, file = explain("results/tiny", "--split", "test", "--most", "3")
    assert file.attrs["network"].decode().startswith("tiny-t"), file.attrs["network"]
    chosen = file.attrs["network"].decode()[5:]
    accuracy = {trial["trial"]: trial["test_accuracy"] for trial in read_trials("results/tiny")}
    assert accuracy[chosen] == best["test_accuracy"], (chosen, accuracy)


def test_maps_h5_has_every_method_and_the_csv_every_image():
    methods = [name for name in EVERY.split(",") if name != "cam"]
    _, file = explain("results/tiny", "--split", "test", "--most", "4", "--batch", "3", "--method", ",".join(methods))
    assert set(file) == {*methods, "ids", "classes", "true_classes", "logits", "class_names"}
    for name in methods:
        at_layer = name.endswith("cam") and name != "guided_grad_cam" or name == "grad_cam_pp"
        shape = (4, 5, 5) if at_layer else (4, 32, 32, 3) if name.startswith("guided") else (4, 32, 32)
        assert file[name].shape == shape and np.isfinite(file[name][:]).all() and file[name][:].any(), name
    assert (file["classes"][:] == file["logits"][:].argmax(1)).all()
    names = [name.decode() for name in file["class_names"]]
    for row, id_, logits in zip(rows("out"), file["ids"], file["logits"]):
        assert row["id"] == id_.decode() and row["predicted"] == row["explained"] == names[logits.argmax()]
        assert abs(float(row["probability"]) - np.exp(logits.max()) / np.exp(logits).sum()) < 1e-5
        assert row["true"] in row["id"]
        for name in methods:
            for ending in (".png", ".map.png"):
                assert Image.open(path(f"out/{row['files']}.{name}{ending}")).size == (32, 32)


def scaled(values):
    return (values - values.min()) / (values.max() - values.min() + 1e-7)


def heat_of(map_):
    """max(., 0), scaled, resized as OpenCV does (torch's align_corners=False is the same), scaled again."""
    small = torch.tensor(scaled(np.maximum(np.float64(map_), 0)))[None, None]
    return scaled(F.interpolate(small, size=(32, 32), mode="bilinear", align_corners=False)[0, 0].numpy())


def colours(step):
    """OpenCV's JET is three ramps."""
    return np.clip(1.5 - np.abs(4 * step[..., None] - np.array([3, 2, 1])), 0, 1)


def test_pictures_are_the_maps_over_the_images():
    _, file = explain("results/tiny", "--trial", "t000", "--split", "test", "--most", "3", "--method", "grad_cam,occlusion")
    with h5py.File(path("data.h5")) as data:
        stored = {id_.decode(): image for id_, image in zip(data["test/id"], data["test/images"])}
    for i, row in enumerate(rows("out")):
        for method in ("grad_cam", "occlusion"):
            heat = heat_of(file[method][i])
            shown = np.asarray(Image.open(path(f"out/{row['files']}.{method}.map.png")), dtype=float)
            mixed = np.asarray(Image.open(path(f"out/{row['files']}.{method}.png")), dtype=float)
            drawn = colours(np.floor(255 * heat) / 255)
            near = np.abs(shown - 255 * drawn).max(-1) <= 1  # a heat at the border of two steps may take either
            assert near.mean() > 0.98, (method, i, near.mean())
            overlay = drawn / 2 + stored[row["id"]] / 510
            assert np.quantile(np.abs(mixed - 255 * overlay / overlay.max()), 0.98) <= 2, (method, i)


def jet_of_opencv():
    code = "import cv2, numpy as np; print(cv2.applyColorMap(np.arange(256, dtype=np.uint8), 2).reshape(-1).tolist())"
    python = os.environ.get("CNNSWEEP_KERAS_PYTHON")
    done = subprocess.run([python, "-c", code], capture_output=True, text=True) if python else None
    return np.array(eval(done.stdout)).reshape(256, 3)[:, ::-1] if done and done.returncode == 0 else None


def test_jet_is_opencvs():
    table = jet_of_opencv()
    if table is None:
        print("no OpenCV: the table is not compared")
        return
    assert np.abs(table - 255 * colours(np.arange(256) / 255)).max() < 0.51


def test_a_file_gives_the_maps_of_the_same_image_in_the_dataset():
    for trial in ("t000", "t001"):
        explain("results/tiny", "--trial", trial, "--split", "test", "--most", "5", out="split")
        files = [f"drawn/{row['id']}" for row in rows("split")]
        explain("results/tiny", *files, "--trial", trial, out="files")
        with h5py.File(path("split/maps.h5")) as a, h5py.File(path("files/maps.h5")) as b:
            assert (a["grad_cam"][:] == b["grad_cam"][:]).all() and (a["logits"][:] == b["logits"][:]).all(), trial
            assert (b["true_classes"][:] == -1).all()


def test_weights_alone_give_the_same_maps():
    explain("results/tiny", "--trial", "t000", "--split", "test", "--most", "5", out="trial")
    explain("results/tiny/weights/t000.h5", "--arch", "basenet", "--input", "32x32x3", "--data", "data.h5", "--split", "test",
            "--most", "5", out="weights")
    with h5py.File(path("trial/maps.h5")) as a, h5py.File(path("weights/maps.h5")) as b:
        assert (a["grad_cam"][:] == b["grad_cam"][:]).all() and (a["logits"][:] == b["logits"][:]).all()


def test_a_class_can_be_named():
    _, file = explain("results/tiny", "--split", "test", "--most", "4", "--class", "true")
    assert (file["classes"][:] == file["true_classes"][:]).all()
    name = file["class_names"][1].decode()
    for wanted in (name, "1"):
        _, file = explain("results/tiny", "--split", "test", "--most", "4", "--class", wanted)
        assert (file["classes"][:] == 1).all()


def test_panels_show_networks_side_by_side():
    done = run_ok("explain", "results/tiny", "results/tiny/weights/t000.h5", "--arch", "basenet", "--input", "32x32x3", "--data",
                  "data.h5", "--split", "test", "--most", "2", "--out", "sizes", "--method", "grad_cam,saliency", "--threads", "1")
    folders = sorted(name for name in os.listdir(path("sizes")) if not name.endswith(".png"))
    assert len(folders) == 2 and folders[0].startswith("1_tiny-t") and folders[1] == "2_t000.h5", folders
    panels = [name for name in os.listdir(path("sizes")) if name.endswith(".panel.png")]
    assert len(panels) == 2 and "panels" in done.stdout
    for name in panels:
        picture = np.asarray(Image.open(path(f"sizes/{name}")))
        assert picture.shape == (3 * 160 + 2 * 4, 2 * 160 + 4, 3), picture.shape
        assert (picture[160:164] == 255).all() and (picture[:160, :160] == picture[:160, 164:]).all()


def test_faithfulness_is_printed_for_each_method():
    done, _ = explain("results/tiny", "--split", "test", "--most", "4", "--method", "grad_cam,saliency", "--faithfulness")
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("  ")]
    assert lines[0] == ["method", "ROAD", "drop", "increase"] and [line[0] for line in lines[1:]] == ["grad_cam", "saliency"]
    for line in lines[1:]:
        assert abs(float(line[1])) <= 1 and 0 <= float(line[2]) <= 1 and float(line[3]) in (0, 0.25, 0.5, 0.75, 1), line


def test_swish_is_said_to_keep_its_gradient():
    write_job(JOB[:JOB.index("sweep:")].replace("basenet", "efficientnet_b0").replace("epochs: 2", "epochs: 1"), "swish.yaml")
    run_ok("train", "swish.yaml", "--out", "swish")
    done, _ = explain("swish", "--split", "test", "--most", "1", "--method", "guided_backprop")
    assert "swish" in done.stderr and "plain gradient" in done.stderr, done.stderr
    done, _ = explain("results/tiny", "--split", "test", "--most", "1", "--method", "guided_backprop")
    assert "plain gradient" not in done.stderr, done.stderr


def refused(words, *arguments):
    done = run("explain", *arguments, "--out", "refused", "--threads", "1")
    assert done.returncode != 0 and all(word in done.stderr for word in words), (words, done.stderr)
    assert not os.path.exists(path("refused/maps.h5"))


def test_mistakes_are_named():
    results = ("results/tiny", "--split", "test")
    refused(["grad_camm", "grad_cam"], *results, "--method", "grad_camm")
    refused(["max_pooling2d_2", "max_pooling2d_1"], *results, "--layer", "max_pooling2d_2")
    refused(["global average pool", "grad_cam"], *results, "--method", "cam")
    refused(["no such class", "0 to 2"], *results, "--class", "cat")
    refused(["t009", "t000 to t003"], *results, "--trial", "t009")
    refused(["no images to explain"], "results/tiny")
    refused(["class", "not known"], "results/tiny", f"drawn/{rows('split')[0]['id']}", "--class", "true")
    refused(["nothing.jpg"], "results/tiny", "nothing.jpg")
    refused(["--arch"], "results/tiny/weights/t000.h5", "nothing.jpg")
    refused(["standardized"], "results/tiny/weights/t001.h5", "--arch", "basenet", "--input", "32x32x3", "--classes", "3", "a.jpg")
    refused(["drawn", "no results of a sweep"], "drawn", "--split", "test")
    run_ok("train", "job.yaml", "--out", "plain", "--set", "train.save_weights=none")
    refused(["kept no weights", "save_weights"], "plain", "--split", "test")
    refused(["no such dataset"], "results/tiny", "--split", "test", "--data", "other.h5")


run_tests(globals())
