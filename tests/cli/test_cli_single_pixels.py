"""Grouping and the cache change no bit where a network ends in single pixels: MobileNet at 50 px in batches of 32, where
the products of rows and kernels are largest. Without AVX-512 these products once summed the last rows of a batch in
another order than the others. The trained weights are compared, as they keep what a table rounds away."""
import os

from harness import path, run_ok, write_job

# Whose batch norms have seen images: with initial ones next to nothing reaches the single pixels.
PRETRAINING = """name: pretraining
data: {path: data.h5}
model: {arch: mobilenet, alpha: 0.25, head: [gap, dense]}
threads: 1
train: {epochs: 3, batch: 32, seed: 1, save_weights: h5, fine_tune: all}
"""
JOB = """name: pixels
data: {path: data.h5}
model: {arch: mobilenet, alpha: 0.25, head: [gap, dense], weights: pretraining/weights/t000.h5}
threads: 1
train: {epochs: 2, batch: 32, lr: 0.01, seed: 2, save_weights: safetensors}
sweep:
  parameters:
    fine_tune: [head, 4, 10]
    augment: [none, flip]
augmentations: {flip: {horizontal_flip: true}}
"""


def train(out, *arguments):
    """The trained weights of each trial."""
    run_ok("train", "job.yaml", "--out", out, *arguments)
    folder = path(f"{out}/weights")
    return {name: open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder))}


run_ok("--classes", "3", "--per-class", "60", "--size", "50x50", "drawn", program="cnnsweep-synthetic")
run_ok("drawn", "data.h5", program="cnnsweep-pack")
run_ok("train", write_job(PRETRAINING, "pretraining.yaml"), "--out", "pretraining")
write_job(JOB)
shared, apart = train("shared"), train("apart", "--set", "group=false", "--set", "cache=off")
assert len(shared) == 6 and len(set(shared.values())) == 6, "trials that differ must give different weights"
differ = [name for name, weights in shared.items() if weights != apart[name]]
assert not differ, f"these weights depend on how the sweep was run: {differ}"
print("ok grouped with a cache, and alone without")
