# SPDX-License-Identifier: Apache-2.0
"""Ranks that share a trial sum their gradients on the GPUs if each has its own, and otherwise on the host. Tested with the
CUDA engine's build for the host."""
import os
import sys

from harness import BIN, make_data, read_trials, run_ok, run_tests, write_job

PLUGIN = os.path.realpath(os.path.join(BIN, "../tests/libcnnsweep_cuda_host.so"))
if not os.path.exists(PLUGIN):
    print("skipped: no CUDA in this build")
    sys.exit(77)

# 42 images in batches of 16: the last batch has 10.
JOB = """name: ways
data: {path: data.h5}
model: {arch: basenet}
threads: 1
train: {epochs: 2, batch: 16, seed: 5, optimizer: sgd, lr: 0.01}
sweep: {parameters: {augment: [none, flips]}}
augmentations: {flips: {horizontal_flip: true}}
"""
NUMBERS = ("loss", "accuracy", "val_loss", "val_accuracy", "test_loss", "test_accuracy")


def train(folder, ranks, gpus, **env):
    return run_ok("train", "job.yaml", "--device", "cuda", "--set", f"ranks_per_trial={max(ranks, 1)}", "--out", folder,
                  ranks=ranks, env={"CNNSWEEP_CUDA_PLUGIN": PLUGIN, "CNNSWEEP_HOST_GPUS": str(gpus), **env}).stderr


make_data(per_class=20)
write_job(JOB)
train("alone", 0, 1)
ALONE = read_trials("alone")


def check_equal(folder):
    trials = read_trials(folder)
    assert len(trials) == len(ALONE) == 2
    for got, want in zip(trials, ALONE):
        assert got["status"] == want["status"] == "ok", got
        for name in NUMBERS:
            a, b = float(got[name]), float(want[name])
            assert abs(a - b) <= 1e-3 * abs(b), f"{folder}, trial {got['trial']}: {name} is {a}, not {b}"


def test_ranks_with_their_own_gpus_sum_on_the_gpus():
    for ranks in (2, 3):
        errors = train(f"own{ranks}", ranks, ranks)
        assert errors.count("gradients: ") == 1 and f"gradients: the host's NCCL over {ranks} GPUs" in errors, errors
        check_equal(f"own{ranks}")


def test_ranks_that_share_a_gpu_sum_on_the_host():
    errors = train("shared", 3, 2)
    assert errors.count("gradients: ") == 1, errors
    assert "gradients: summed on the host (ranks 0 and 2 share GPU 0)" in errors, errors
    check_equal("shared")


def test_training_goes_on_without_a_refused_graph_capture():
    errors = train("refused", 0, 1, CNNSWEEP_HOST_RECORDS="1", CNNSWEEP_LOG="debug")
    for what in ("forward", "backward"):
        assert f"debug: {what} is not captured: the host's GPU refuses to capture" in errors, errors
    check_equal("refused")


run_tests(globals())
