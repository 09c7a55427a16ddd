# SPDX-License-Identifier: Apache-2.0
"""mixup and cutmix as steps of an augmentation: the same results on every engine, what the plan says about them, and what is
refused. That groups, ranks and stops change nothing is tested in test_cli_recipes.py."""
import os

from harness import BIN, make_data, read_trials, run, run_ok, run_tests, write_job

PLUGIN = os.path.realpath(os.path.join(BIN, "../tests/libcnnsweep_cuda_host.so"))
# 105 images of train in batches of 16: the last batch has 9.
JOB = """name: mix
data: {path: data.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 2, batch: 16, seed: 5, optimizer: sgd, lr: 0.01}
sweep: {parameters: {augment: [flips, mixed, cut, both], fine_tune: [head, 4]}}
augmentations:
  flips: [random_horizontal_flip]
  mixed: [{mixup: {alpha: 0.2}}, {random_resized_crop: {size: 32}}, random_horizontal_flip]
  cut: [{cutmix: {alpha: 1.0, convention: torch}}, {random_rotation: 15}]
  both: [{mixup: {alpha: 0.8, convention: timm, p: 0.5}}, random_horizontal_flip, {cutmix: {convention: timm, p: 0.5}}]
"""
NUMBERS = ("loss", "accuracy", "val_loss", "test_loss")
make_data(per_class=50)
write_job(JOB)


def train(device):
    env = {"CNNSWEEP_CUDA_PLUGIN": PLUGIN, "CNNSWEEP_HOST_GPUS": "1"}
    run_ok("train", "job.yaml", "--device", device, "--out", device, env=env)
    return read_trials(device)


REF = train("ref")


def check_close_to_ref(device):
    trials = train(device)
    assert len(trials) == len(REF) == 8
    for got, want in zip(trials, REF):
        for name in NUMBERS:
            a, b = float(got[name]), float(want[name])
            assert abs(a - b) <= 1e-3 * abs(b), f"{device}, trial {got['trial']}: {name} is {a}, not {b}"


def test_engines_agree():
    check_close_to_ref("onednn")
    if os.path.exists(PLUGIN):
        check_close_to_ref("cuda")


def test_what_is_mixed_trains_otherwise():
    losses = {trial["augment"]: trial["loss"] for trial in REF if trial["fine_tune"] == "head"}
    assert len(set(losses.values())) == 4, losses


def test_the_plan_says_what_mixing_costs():
    plan = run_ok("train", "job.yaml", "--dry-run").stdout
    assert "8 trials in 4 groups" in plan, plan
    assert "mixing   mixed, cut, both: images of train are never twice the same, so none is cached" in plan, plan
    assert "only trials mixed alike share a group" in plan, plan
    assert "mixing" not in run_ok("train", "job.yaml", "--dry-run", "--trial", "t000").stdout


def refused(augmentation, *expected, extra="", augment="wrong"):
    text = JOB.split("sweep:")[0] + f"augmentations:\n  wrong: {augmentation}\n"
    text = text.replace("lr: 0.01", f"lr: 0.01, augment: {augment}{extra}")
    write_job(text, "wrong.yaml")
    done = run("train", "wrong.yaml", "--dry-run")
    assert done.returncode != 0, augmentation
    for part in expected:
        assert part in done.stderr, (part, done.stderr)


def test_what_cannot_be_mixed_is_refused():
    refused("[{mixup: {convention: tensorflow}}]", "convention", "keras, torch, timm")
    refused("[{mixup: {alpha: 0}}]", "alpha", "0.001")
    refused("[{mixup: 0.2}, random_invert, {mixup: 0.4}]", "mixup stands twice")
    refused("[{one_of: [{mixup: 0.2}, {cutmix: 1.0}]}]", "mixup mixes batches and cannot be a step of one_of")
    refused("[{sequential: [random_invert, {some_of: [cutmix]}]}]", "cutmix mixes batches and cannot be a step of")
    refused("[{cutmix: {alpha: 2}}]", "cutmix: alpha is 2", "convention: torch or timm")
    refused("{mixup: 0.2}", "mixup")
    refused("[mixup]", "train.augment is wrong, but train.mode is features", "images as they are", extra=", mode: features")


run_tests(globals())
