# SPDX-License-Identifier: Apache-2.0
"""The job of the tests of methods that learn: ranges, whole numbers, a list, and a condition."""
VALUES = ("lr", "batch", "optimizer", "momentum")


def search_job(name, method, trials, epochs):
    return f"""name: {name}
data: {{path: data.h5}}
model: {{arch: basenet}}
threads: 1
train: {{epochs: {epochs}, seed: 3}}
checkpoint_seconds: 0
sweep:
  method: {method}
  budget: {{trials: {trials}}}
  metric: {{name: val_loss}}
  parameters:
    lr: {{log_uniform: [1.0e-4, 0.1]}}
    batch: {{log_int: [8, 32]}}
    optimizer: [sgd, adam]
    momentum: {{uniform: [0, 0.9], step: 0.3, when: {{optimizer: sgd}}}}
"""


def values(trials):
    """The values of rows of trials.csv."""
    return [tuple(t[name] for name in VALUES) for t in trials]


def check_values(trials):
    """They lie in the ranges of the job, and its condition holds."""
    for lr, batch, optimizer, momentum in values(trials):
        assert 1e-4 <= float(lr) <= 0.1 and 8 <= int(batch) <= 32
        assert (momentum in ("0", "0.3", "0.6", "0.9")) if optimizer == "sgd" else momentum == ""
