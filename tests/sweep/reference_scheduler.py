# SPDX-License-Identifier: Apache-2.0
"""Ray Tune's stopping rules in numpy: the reference for every decision of a scheduler on a stream of epochs.

The file has a line "kind max_t grace_period reduction_factor brackets min_samples maximize trials epochs" and then, for every
epoch in the order of the decisions, a line "trial epochs_done value stops"."""
import math
import sys

import numpy as np


def brackets_of(trials, brackets, max_t, grace, factor):
    """The bracket of each trial, in the proportions of Hyperband: n = ceil((s_max + 1) / (s + 1) * factor^s) of bracket s."""
    s_max = max(k for k in range(100) if grace * factor ** k <= max_t)
    shares = [math.ceil((s_max + 1) / (s_max - b + 1) * factor ** (s_max - b)) for b in range(brackets)]
    counts, chosen = [0] * brackets, []
    for _ in range(trials):
        b = min(range(brackets), key=lambda b: ((counts[b] + 1) / shares[b], b))
        counts[b] += 1
        chosen.append(b)
    return chosen


class Halving:
    """Ray Tune's AsyncHyperBandScheduler with its brackets."""

    def __init__(self, trials, max_t, grace, factor, brackets):
        self.max_t, self.factor = max_t, factor
        top = max(k for k in range(100) if grace * factor ** k <= max_t) + 1
        self.rungs = [[(grace * factor ** k, {}) for k in reversed(range(b, top))] for b in range(brackets)]
        self.bracket = brackets_of(trials, brackets, max_t, grace, factor)

    def decide(self, trial, time, value):
        if time >= self.max_t:
            return True
        for milestone, recorded in self.rungs[self.bracket[trial]]:
            if time < milestone or trial in recorded:
                continue
            cutoff = np.nanpercentile(list(recorded.values()), (1 - 1 / self.factor) * 100) if recorded else None
            recorded[trial] = value
            return bool(cutoff is not None and value < cutoff)
        return False


class Median:
    """Ray Tune's MedianStoppingRule, but it never pauses a trial."""

    def __init__(self, grace, samples):
        self.grace, self.samples, self.values = grace, samples, {}

    def decide(self, trial, time, value):
        self.values.setdefault(trial, []).append(value)
        others = [v for t, v in self.values.items() if t != trial and len(v) >= time]
        if time < self.grace or len(others) < self.samples:
            return False
        return bool(max(self.values[trial]) < np.median([np.mean(v[self.grace - 1:time]) for v in others]))


def main(path):
    lines = open(path).read().splitlines()
    kind, *numbers = lines[0].split()
    max_t, grace, factor, brackets, samples, maximize, trials, epochs = map(float, numbers)
    rule = (Median(int(grace), samples) if kind == "median"
            else Halving(int(trials), max_t, grace, factor, int(brackets)))
    stopped = wrong = 0
    for line in lines[1:]:
        trial, time, value, stops = line.split()
        value = float(value) if maximize else -float(value)
        expected = rule.decide(int(trial), int(time), value) and int(time) < epochs
        stopped += expected
        wrong += expected != (stops == "1")
    print(f"{lines[0]}: {len(lines) - 1} decisions, {stopped} stops, {wrong} wrong")
    return wrong or not stopped


sys.exit(1 if main(sys.argv[1]) else 0)
