# SPDX-License-Identifier: Apache-2.0
"""Whole training runs on a GPU, compared with the CPU: they have the same accuracy, repeat bit for bit where that is asked for,
and a checkpoint moves from the CPU to the GPU and back. The images are drawn; tests/gpu.sh runs this script.

    CNNSWEEP_BIN=$PWD/build/bin python3 tests/gpu_training.py [accuracy|repeat|checkpoint...] [--device cuda] [--small]
"""
import argparse
import csv
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "cli"))
from harness import stopped_at, make_data, path, read_trials, run, without_clock, write_job  # noqa: E402
from breakpoints import epoch  # noqa: E402

JOB = """name: gpu
data: {path: data.h5}
model: {arch: cnn4}
threads: 4
checkpoint_seconds: 0
train: {epochs: EPOCHS, batch: 16, optimizer: adam, lr: 0.0003, seed: 3, save_weights: safetensors}
sweep:
  parameters:
    augment: [flips]
augmentations:
  flips: {horizontal_flip: true, vertical_flip: true}
"""
ENDED_BY_SIGNAL = 75


def sets_of(device, **sets):
    """The options for a device; a CPU has no precision."""
    flags = ["--device", device]
    if device == "cuda":
        for name, value in sets.items():
            flags += ["--set", f"{name}={value}"]
    return flags


def train(out, device, *flags, **sets):
    done = run("train", "job.yaml", "--out", out, *sets_of(device, **sets), *flags)
    assert done.returncode == 0, f"{out} on {device}: exit {done.returncode}\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}"
    return read_trials(out)[0]


def history(out):
    with open(path(f"{out}/history/t000.csv"), newline="") as file:
        return [{name: value for name, value in row.items() if "second" not in name} for row in csv.DictReader(file)]


def weights(out):
    with open(path(f"{out}/weights/t000.safetensors"), "rb") as file:
        return file.read()


def test_accuracy(device, _epochs, small):
    cpu = train("on_cpu", "cpu")
    level, images = float(cpu["test_accuracy"]), int(sum(1 for _ in open_test_images()))
    assert level > 0.5 or small, f"the run on the CPU has not improved on chance ({level}), so nothing can be compared with it"
    slack = 2 * (level * (1 - level) / images + 0.25 / images**2) ** 0.5 + 1 / images
    print(f"cpu: test accuracy {level:.3f} on {images} images", flush=True)
    for precision in ("fp32", "tf32", "bf16", "fp16"):
        got = float(train(f"on_gpu_{precision}", device, precision=precision)["test_accuracy"])
        print(f"{device} {precision}: {got:.3f}", flush=True)
        assert got >= level - slack, f"{precision}: {got:.3f}, the CPU {level:.3f}; {slack:.3f} less may be (two standard errors)"
        if device != "cuda":
            break


def open_test_images():
    for folder, _, names in os.walk(path("drawn/test")):
        yield from (name for name in names if name.endswith((".jpg", ".png")))


def test_repeat(device, _epochs, _small):
    for precision in ("fp32", "bf16"):
        outs = [f"{precision}_{i}" for i in range(2)]
        trials = [train(out, device, precision=precision, deterministic="true") for out in outs]
        assert without_clock([trials[0]]) == without_clock([trials[1]]), f"{precision}: {trials}"
        assert history(outs[0]) == history(outs[1]), f"{precision}: {history(outs[0])} {history(outs[1])}"
        assert weights(outs[0]) == weights(outs[1]), f"{precision}: the weights differ"
        print(f"{precision}: rows and weights are the same bits twice", flush=True)


def train_until(out, device, epochs):
    """Trains and stops after so many more epochs."""
    sweep = stopped_at(epoch(epochs), "train", "job.yaml", "--out", out, "--resume", *sets_of(device, precision="fp32"))
    sweep.signal(signal.SIGUSR2)
    code, _, log = sweep.end()
    assert code == ENDED_BY_SIGNAL, f"on {device}: exit {code}, not {ENDED_BY_SIGNAL}\n{log[-3000:]}"


def test_checkpoint(device, epochs, _small):
    train("whole", "cpu")
    on_cpu = on_gpu = epochs // 3
    train_until("moved", "cpu", on_cpu)
    train_until("moved", device, on_gpu)
    train("moved", "cpu", "--resume")
    whole, moved = (float(history(out)[-1]["loss"]) for out in ("whole", "moved"))
    print(f"{on_cpu} epochs on the CPU, {on_gpu} on {device}, {epochs - on_cpu - on_gpu} on the CPU: loss {moved:.4f}, "
          f"undisturbed on the CPU {whole:.4f}", flush=True)
    assert len(history("moved")) == epochs
    for row, want in zip(history("moved")[:on_cpu], history("whole")):
        assert row == want, f"the epochs before the move differ: {row} {want}"
    first = float(history("whole")[0]["loss"])
    assert abs(moved - whole) < 0.1 * first, f"loss {moved}, undisturbed {whole}"


TESTS = {"accuracy": test_accuracy, "repeat": test_repeat, "checkpoint": test_checkpoint}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", nargs="*", choices=[*TESTS, []], default=[])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="a quick run to test the script; its accuracy means nothing")
    options = parser.parse_args()
    epochs = 6 if options.small else 24
    make_data(per_class=20 if options.small else 200)
    write_job(JOB.replace("EPOCHS", str(epochs)))
    for name in options.tests or TESTS:
        TESTS[name](options.device, epochs, options.small)
        print(f"ok {name}", flush=True)


if __name__ == "__main__":
    main()
