# SPDX-License-Identifier: Apache-2.0
"""cache: auto, off and sizes, with and without room on the disk, give the same numbers bit for bit."""
import re

from harness import make_data, read_trials, run_ok, without_clock, write_job

JOB = """name: cache
data: {path: data.h5}
model: {arch: basenet_deep_bn}
threads: 1
train: {epochs: 3, batch: 16, seed: 5}
sweep:
  parameters:
    fine_tune: [2, conv2d_3]
    augment: [none, flips]
augmentations: {flips: {horizontal_flip: true}}
"""

TRAIN, REST = 42, 18  # images
make_data(per_class=20)
write_job(JOB)


def train(cache, *more, ranks=0, **env):
    """(the trials, the log's lines about caches)"""
    result = run_ok("train", "job.yaml", "--out", "out", "--force", "--set", f"cache={cache}", *more, ranks=ranks,
                    env={"CNNSWEEP_LOG": "debug", **env})
    return without_clock(read_trials("out")), re.findall(r"trunk cache: .*?not cached", result.stderr)


off, log_lines = train("off")
assert len({t["loss"] for t in off}) == 4 and not log_lines, log_lines
for cache, how in (("auto", {}), ("1K", {}), ("100K", {"TMPDIR": "/nonexistent"}), ("1G", {"ranks": 2})):
    trials, log_lines = train(cache, **how)
    assert trials == off, f"cache {cache} gives other numbers"
    assert len(log_lines) == 2, log_lines
    room_for_all = [" 0 not cached" in line for line in log_lines]
    assert not any(room_for_all) if "TMPDIR" in how else all(room_for_all), log_lines
    print(f"ok cache {cache} {how}: {log_lines}")

shared = ("--set", "ranks_per_trial=2")
off, _ = train("off", *shared, ranks=2)
trials, log_lines = train("auto", *shared, ranks=2)
assert trials == off, "a cache with ranks that share every batch gives other numbers"
assert len(log_lines) == 4, log_lines
print("ok ranks that share every batch")

write_job(JOB.replace("[none, flips]", "[turns]").replace("{flips: {horizontal_flip: true}}", "{turns: [random_rotate90, transpose]}"))
off, log_lines = train("off")
assert len({t["loss"] for t in off}) == 2 and not log_lines, log_lines
trials, log_lines = train("auto")
assert trials == off, "a cache of eight pictures of each image gives other numbers"
assert len(log_lines) == 1 and f"trunk cache: up to {8 * TRAIN + REST} rows " in log_lines[0], log_lines
print(f"ok turns and transpositions: {log_lines}")
