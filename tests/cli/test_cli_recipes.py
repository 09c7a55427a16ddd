# SPDX-License-Identifier: Apache-2.0
"""Whatever is done to the images, a trial has the same history and weights, to the bit, alone and in a group, on one rank and on
eight, and after a stop as without one: on the default engine, and on the CUDA engine's build for the host."""
import glob
import os
import re
import shutil
import signal

from harness import BIN, make_data, path, read_journal, read_trials, run_ok, run_tests, stopped_at, without_clock, write_job
from breakpoints import checkpoint, epoch, preload

# The steps of most families, with those that the host alone can do (image_compression), that look at the whole image
# (random_autocontrast), at neighbours (gaussian_blur) and that make noise; and both ways of mixing.
JOB = """name: recipes
data: {path: data.h5, image: [16, 16]}
model: {arch: basenet, head: [flatten, dropout, dense], dropout: 0.3}
threads: 1
train: {epochs: 2, batch: 16, seed: 5, optimizer: adam, lr: 0.003, save_weights: safetensors}
sweep:
  parameters:
    augment: [featurewise, samplewise, zca, torchvision, albumentations, keras, mixup, cutmix, both]
    fine_tune: [head, 4]
augmentations:
  featurewise: {featurewise_std_normalization: true, horizontal_flip: true, rotation_range: 20, zoom_range: 0.2}
  samplewise: {rescale: 0.003921569, samplewise_std_normalization: true, vertical_flip: true}
  zca: {zca_whitening: true, zca_epsilon: 0.1, rescale: 0.003921569, horizontal_flip: true}
  torchvision:
    - {random_rotation: 15}
    - {color_jitter: {brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1}}
    - {random_perspective: {distortion_scale: 0.3}}
    - random_autocontrast
    - {gaussian_blur: {kernel_size: 3}}
    - {random_erasing: {value: random}}
  albumentations: [{image_compression: {quality_range: [30, 90]}}, {one_of: [gauss_noise, motion_blur]}, coarse_dropout]
  keras: [{keras.random_rotation: 0.1}, {keras.rand_augment: {num_ops: 2}}, {keras.random_gaussian_blur: {factor: 0.5}}]
  mixup: [random_horizontal_flip, {mixup: {alpha: 0.4}}]
  cutmix: [{cutmix: {convention: torch}}, {random_rotation: 15}]
  both: [{random_resized_crop: {size: 16}}, {mixup: {alpha: 0.8, convention: timm, p: 0.5}}, {cutmix: {convention: timm, p: 0.5}}]
"""
AUGMENTS = ("featurewise", "samplewise", "zca", "torchvision", "albumentations", "keras", "mixup", "cutmix", "both")
PLUGIN = os.path.realpath(os.path.join(BIN, "../tests/libcnnsweep_cuda_host.so"))
ENV = {"CNNSWEEP_CUDA_PLUGIN": PLUGIN, "CNNSWEEP_HOST_GPUS": "1"}
DEVICES = ["cpu"] + (["cuda"] if os.path.exists(PLUGIN) else [])
NUMBERS = ("loss", "accuracy", "val_loss", "test_loss")


def arguments(device, out, *more):
    return ("train", "job.yaml", "--device", device, "--out", out, *more)


def forget_statistics():
    """So that the next run computes the statistics of the training images anew."""
    shutil.rmtree(path("data.features"), ignore_errors=True)


def train(device, out, *more, ranks=0, env=None):
    forget_statistics()
    return run_ok(*arguments(device, out, *more), ranks=ranks, env={**ENV, **(env or {})})


def contents(name):
    with open(path(name), "rb") as file:
        return file.read()


def results(folder):
    """{(augment, fine_tune): the numbers, the history and the weights of that trial}, without the trials' names and the memory of
    their programs, which depends on where a trunk is cut."""
    found = {}
    for trial in without_clock(read_trials(folder)):
        name, _ = trial.pop("trial"), trial.pop("memory")
        assert trial["status"] == "ok", trial
        found[trial["augment"], trial["fine_tune"]] = (trial, contents(f"{folder}/history/{name}.csv"),
                                                       contents(f"{folder}/weights/{name}.safetensors"))
    return found


def check_same(folder, expected, trials=None):
    got = results(folder)
    assert got.keys() == set(trials or expected), got.keys()
    for key, values in got.items():
        for what, one, other in zip(("row", "history", "weights"), values, expected[key]):
            if one != other:
                shown = "" if what == "weights" else f":\n{one}\n{other}"
                raise AssertionError(f"{folder}: the {what} of {key} differ{shown}")


make_data(per_class=16)  # 33 images of train: the last batch has one
write_job(JOB)
LOGS = {device: train(device, f"whole-{device}", env={"CNNSWEEP_LOG": "debug"}).stderr for device in DEVICES}
WHOLE = {device: results(f"whole-{device}") for device in DEVICES}


def test_each_recipe_trains_otherwise():
    for whole in WHOLE.values():
        assert len(whole) == 2 * len(AUGMENTS)
        for what in range(3):
            assert len({str(values[what]) for values in whole.values()}) == len(whole)


def test_trials_of_a_recipe_share_a_trunk():
    plan = run_ok("train", "job.yaml", "--dry-run").stdout
    assert f"{2 * len(AUGMENTS)} trials in {len(AUGMENTS)} groups" in plan, plan


def test_a_trial_gives_the_same_alone_and_in_a_group():
    for device in DEVICES:
        train(device, f"alone-{device}", "--set", "group=false")
        check_same(f"alone-{device}", WHOLE[device])


def test_eight_ranks_give_what_one_gives():
    """Also without groups, where several ranks need the same statistics at a time."""
    for device in DEVICES:
        for group in ("true", "false"):
            out = f"ranks-{device}-{group}"
            all_train = preload(checkpoint(1), stop=f"8 {path(f'all-{out}')}")  # the ranks wait for each other
            train(device, out, "--set", "checkpoint_seconds=0", "--set", f"group={group}", ranks=8, env=all_train)
            assert len({trial["rank"] for trial in read_trials(out)}) == 8, "every rank trains"
            check_same(out, WHOLE[device])


def test_a_trial_that_was_stopped_ends_like_one_that_was_not():
    """The signal comes after the first epoch and ends the run after the next step: trials go on within their second epoch."""
    for device in DEVICES:
        for augment in AUGMENTS:
            forget_statistics()
            out = f"stopped-{device}-{augment}"
            command = arguments(device, out, "--set", f"sweep.parameters.augment=[{augment}]")
            sweep = stopped_at(epoch(1), *command, env=ENV)
            sweep.signal(signal.SIGTERM)
            code, _, log = sweep.end()
            assert code == 75 and glob.glob(path(f"{out}/checkpoints/t*.ckpt")), log
            forget_statistics()
            log = run_ok(*command, "--resume", env={**ENV, "CNNSWEEP_LOG": "debug"}).stderr
            assert len(re.findall(r"goes on from epoch 2, [0-9]+ batches done", log)) == 2, log
            check_same(out, WHOLE[device], [(augment, depth) for depth in ("head", "4")])


def test_a_device_makes_the_images_that_it_can():
    """The host makes those that it alone can make, the standardized ones and those that change their size."""
    if "cuda" in DEVICES:
        log = LOGS["cuda"]
        assert log.count("train: the host augments the images, since one of the steps needs it") == 1, log
        assert log.count("images are standardized by the CPU, as the device only scales and shifts their channels") == 2, log
        assert log.count("train: 33 images stay in the device's memory") == 5, log
        assert "stay in the device's memory" not in LOGS["cpu"]


def check_close(folder, expected):
    for key, values in results(folder).items():
        for name in NUMBERS:
            a, b = float(values[0][name]), float(expected[key][0][name])
            assert abs(a - b) <= 1e-5 * abs(b), f"{folder}, {key}: {name} is {a}, not {b}"


def test_ranks_that_share_batches_give_what_one_gives():
    train("cpu", "shared", "--set", "ranks_per_trial=2", ranks=2)
    check_close("shared", WHOLE["cpu"])


def test_engines_agree():
    if "cuda" in DEVICES:
        check_close("whole-cuda", WHOLE["cpu"])


run_tests(globals())
