# SPDX-License-Identifier: Apache-2.0
"""The output of --dry-run, summary, options and --version, compared with figures that were computed independently."""
import os
import re

from harness import make_data, path, run, run_ok, run_tests, write_job

make_data()
write_job()


def conv_macs(height, width, channels, filters, kernel):
    """The multiply-adds of an unpadded square convolution, and its output size."""
    out_h, out_w = height - kernel + 1, width - kernel + 1
    return out_h * out_w * filters * kernel * kernel * channels, out_h // 2, out_w // 2


def basenet_macs(size, classes):
    first, h, w = conv_macs(size, size, 3, 6, 5)
    second, h, w = conv_macs(h, w, 6, 16, 5)
    return first + second + h * w * 16 * 50 + 50 * classes


def test_dry_run_prints_the_trials_and_their_cost():
    done = run_ok("train", "job.yaml", "--dry-run", "--set", "train.epochs=7")
    rows = re.findall(r"^(t\d{3}) +([\d.]+) +([\d.]+)%  lr=(\S+) augment=(\S+)$", done.stdout, re.M)
    assert [(lr, augment) for _, _, _, lr, augment in rows] == [
        (lr, augment) for lr in ("0.001", "0.0003") for augment in ("none", "flips", "dark")]
    # A training step costs a forward pass and a backward pass of twice its size; validation is forward only.
    images_train, images_val = 3 * 28, 3 * 6
    expected = 7 * basenet_macs(32, 3) * (3 * images_train + images_val) * 1e-9
    for _, gmacs, share, _, _ in rows:
        assert abs(float(gmacs) - expected) < 0.05 + 0.01 * expected, (gmacs, expected)
        assert share == "16.7"
    assert "train 84 val 18 test 18 images" in done.stdout
    assert "test_accuracy: 3 rows (train.augment) x 2 columns (train.lr)" in done.stdout
    assert not os.path.exists(path("results"))


# Five depths of one network and four augmentations share four trunks.
GRID = """name: grid
data: {path: data.h5}
model: {arch: mobilenet, alpha: 0.25}
threads: 1
train: {epochs: 6, batch: 16}
sweep:
  parameters:
    fine_tune: [2, 4, 6, 8, 10]
    augment: [none, flip, flips, dark]
augmentations:
  flip: {horizontal_flip: true}
  flips: {horizontal_flip: true, vertical_flip: true}
  dark: {brightness_range: [0.5, 0.9]}
"""


def plan_of(*arguments, ranks=0):
    """The plan's first line, and (groups, trials in each, fine_tune, cached, seconds of each) a line."""
    text = run_ok("train", write_job(GRID, "grid.yaml"), "--dry-run", *arguments, ranks=ranks).stdout
    rows = re.findall(r"^(\d+)(?:-(\d+))? +(\d+)  (\S+(?: to \S+)?) +(.+?) +([\d.]+) s$", text, re.M)
    groups = [(int(last or first) - int(first) + 1, int(n), depth, cached, float(seconds))
              for first, last, n, depth, cached, seconds in rows]
    return text, groups


def test_dry_run_prints_how_trials_are_grouped():
    text, groups = plan_of()
    assert "20 trials in 4 groups on 1 rank" in text, text
    assert sum(count * n for count, n, *_ in groups) == 20
    assert all(n == 5 and depth == "10 to 2" for _, n, depth, *_ in groups), groups
    assert sorted(cached for count, _, _, cached, _ in groups for _ in range(count)) == [
        "all", "all variants", "all variants", "val, test"]
    saved = re.search(r"([\d.]+)x less work than one by one: ([\d.]+)x by sharing trunks, ([\d.]+)x by caching", text)
    total, sharing, caching = (float(x) for x in saved.groups())
    assert sharing > 1.2 and caching > 1 and abs(total - sharing * caching) < 0.2, saved.group()


def test_dry_run_plans_for_the_ranks_that_run_it():
    assert "20 trials in 20 groups on 1 rank:" in plan_of("--set", "group=false")[0]
    text, groups = plan_of("--set", "cache=off", ranks=2)
    assert " on 2 ranks:" in text and {cached for _, _, _, cached, _ in groups} == {"nothing"}, text
    text, groups = plan_of("--set", "sweep.parameters.augment=[none]", ranks=3)
    assert sum(count for count, *_ in groups) >= 3, text


def test_dry_run_reports_the_errors_of_training():
    done = run("train", "job.yaml", "--dry-run", "--set", "data.path=none.h5")
    assert done.returncode == 1 and "none.h5" in done.stderr


def test_dry_run_builds_every_network_of_the_sweep():
    done = run("train", "job.yaml", "--dry-run", "--set", "model.arch=mobilenet", "--set",
               "sweep.parameters={dialect: [keras, torch], lr: [0.001, 0.01]}", "--set", "table={}")
    assert done.returncode == 1 and "mobilenet has no dialect torch" in done.stderr, done.stderr


def totals(*arguments):
    text = run_ok("summary", *arguments).stdout
    return [int(n.replace(",", "")) for n in re.findall(r"params: ([\d,]+)", text)]


def test_summary_totals_are_those_of_keras():
    # keras.applications.MobileNet(alpha=..., include_top=...).summary()
    assert totals("mobilenet", "--input", "224x224x3", "--classes", "1000") == [4253864, 4231976, 21888]
    assert totals("mobilenet", "--input", "224x224x3") == [3228864, 3206976, 21888]
    assert totals("mobilenet", "--alpha", "0.25", "--input", "128x128x3") == [218544, 213072, 5472]
    # The CIFAR net: 5*5*3*6+6, 5*5*6*16+16, 400*50+50, 50*10+10.
    assert totals("basenet", "--input", "32x32x3", "--classes", "10") == [23432, 23432, 0]
    # Only a dense layer on 256 features is trainable.
    assert totals("mobilenet", "--alpha", "0.25", "--classes", "2", "--fine-tune", "head")[1] == 514


def test_summary_of_a_job_takes_classes_and_size_from_the_data():
    text = run_ok("summary", "job.yaml").stdout
    assert "(None, 32, 32, 3)" in text and "(None, 3)" in text
    without_data = run_ok("summary", path("job.yaml"), "--input", "64x48", "--classes", "5", cwd="/").stdout
    assert "(None, 64, 48, 3)" in without_data and "(None, 5)" in without_data


def test_options_lists_every_option_once():
    keys = re.findall(r"^\| `([a-z_0-9.]+)` \|", run_ok("options", "--markdown").stdout, re.M)
    assert len(keys) == len(set(keys)) > 20
    plain = run_ok("options").stdout
    assert all(re.search(rf"^{re.escape(key)} ", plain, re.M) for key in keys)
    for key in ("train.lr", "model.weights", "train.fine_tune", "train.augment", "data.path"):
        assert key in keys


def test_help_and_version():
    for arguments in (["help"], ["--help"]):
        text = run_ok(*arguments).stdout
        for command in ("train", "summary", "options", "version"):
            assert command in text
    for command in ("train", "summary", "options"):
        assert f"usage: cnnsweep {command}" in run_ok(command, "--help").stdout
    assert re.match(r"cnnsweep \d+\.\d+\.\d+\n", run_ok("version").stdout)
    assert run_ok("--version").stdout == run_ok("version").stdout


run_tests(globals())
