# SPDX-License-Identifier: Apache-2.0
"""A sweep with phases that is trained in two sittings, with fewer epochs of the last phase and then --extend, and of which a
random rank is killed at a random time in both, gives the results of an undisturbed run of all epochs byte for byte.

    CNNSWEEP_BIN=build/bin python3 tests/fault/phases.py [--runs 30] [--ranks 3] [--seed 1] [--again 0.4]
"""
import sweeps
from kill import kill_and_resume
from sweeps import epochs, resuming, write_job

# Phases that several trials have in common, early stopping in the first, an average of the weights, an optimizer that is kept.
JOB = """name: faults
data: {path: data.h5}
model: {arch: mobilenet, alpha: 0.25, head: [gap, dropout, dense]}
threads: 1
checkpoint_seconds: 0
keep_state: all
train: {batch: 16, seed: 5}
phases:
  - {epochs: 3, fine_tune: head, lr: 0.01, patience: 1}
  - {epochs: 2, fine_tune: {blocks: 1}, ema: 0.9}
  - {epochs: EPOCHS, fine_tune: {blocks: 1}, lr: 0.0001, ema: 0.9, keep_optimizer: true}
sweep:
  parameters:
    phases.1.augment: [none, flips]
    phases.2.lr: [0.01, 0.001]
    phases.3.augment: [none, flips]
augmentations: {flips: {horizontal_flip: true, brightness_range: [0.6, 0.9]}}
table: {rows: phases.2.lr, columns: phases.3.augment, value: test_accuracy}
"""
TRIALS, EPOCHS, FIRST_SITTING = 8, 5, 2


def two_sittings(out, ranks, total, again, chance, delay):
    """Returns a line for each kill."""
    write_job(JOB.replace("EPOCHS", str(FIRST_SITTING)), "first.yaml")
    total_first = total - TRIALS * (EPOCHS - FIRST_SITTING)
    kills = kill_and_resume(out, ranks, total_first, again, chance, delay, resuming(out, "first.yaml"))
    assert epochs(out) <= total_first, epochs(out)
    return kills + kill_and_resume(out, ranks, total, again, chance, delay, resuming(out, how="--extend"))


def campaign(runs, ranks, seed, again):
    def disturb(out, _, total, chance, delay):
        return two_sittings(out, ranks, total, again, chance, delay)
    return sweeps.campaign("phases", "kills (rank: where)", disturb, runs, ranks, seed, JOB.replace("EPOCHS", str(EPOCHS)))


if __name__ == "__main__":
    sweeps.main(__doc__, 30, campaign)
