# SPDX-License-Identifier: Apache-2.0
"""The numbers of a sweep do not depend, to the bit, on the number of ranks or on the grouping of trials."""
from harness import make_data, path, read_journal, read_trials, run_ok, without_clock, write_job
from breakpoints import checkpoint, preload

# Trials that differ in fine_tune or dropout share trunks, those that differ in augment do not: so some trials are grouped.
JOB = """name: ranks
data: {path: data.h5}
model: {arch: mobilenet, alpha: 0.25, head: [gap, dropout, dense]}
threads: 1
train: {epochs: 2, batch: 16, seed: 5}
sweep:
  parameters:
    fine_tune: [8, 14, all]
    dropout: [0, 0.5]
    augment: [none, flips]
augmentations: {flips: {horizontal_flip: true, brightness_range: [0.6, 0.9]}}
"""

make_data(per_class=20)
write_job(JOB)
run_ok("train", "job.yaml", "--out", "alone")
alone = without_clock(read_trials("alone"))
assert len(alone) == 12 and all(t["status"] == "ok" for t in alone)
assert len({t["loss"] for t in alone}) == 12, "trials that differ must give different numbers"

for ranks in (1, 2, 3):
    all_train = preload(checkpoint(1), stop=f"{ranks} {path(f'stopped{ranks}')}")  # the ranks wait for each other
    run_ok("train", "job.yaml", "--out", f"k{ranks}", "--set", "checkpoint_seconds=0", ranks=ranks, env=all_train)
    trials = read_trials(f"k{ranks}")
    assert without_clock(trials) == alone, f"{ranks} ranks give other numbers"
    start = read_journal(f"k{ranks}")[0]
    assert start["ranks"] == ranks, start
    assert len({t["rank"] for t in trials}) == ranks, "every rank trains"
    print(f"ok {ranks} ranks")

# Grouping and caching change no number either.
for sets in (["group=false"], ["cache=off"], ["group=false", "cache=off"]):
    arguments = [a for text in sets for a in ("--set", text)]
    for ranks in (0, 2):
        run_ok("train", "job.yaml", "--out", "ways", "--force", *arguments, ranks=ranks)
        assert without_clock(read_trials("ways")) == alone, f"{sets} on {ranks} ranks gives other numbers"
    print(f"ok {' '.join(sets)}")

single = write_job(JOB.replace("[8, 14, all]", "[8]").replace("[0, 0.5]", "[0.5]").replace("[none, flips]", "[flips]"), "single.yaml")
run_ok("train", single, "--out", "single")
(row,) = without_clock(read_trials("single"))
grouped = next(t for t in alone if t["fine_tune"] == "8" and t["dropout"] == "0.5" and t["augment"] == "flips")
assert {**row, "trial": ""} == {**grouped, "trial": ""}, "a trial alone gives other numbers than in its group"
print("ok alone and in a group")
