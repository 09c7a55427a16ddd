# SPDX-License-Identifier: Apache-2.0
"""Laws of random numbers. A law gives the p-value of what was drawn, and makes a law that is wrong by a tenth of its range or by
a fifth of its weights, which a test must refuse."""
import numpy as np
from scipy import stats


class Continuous:
    """Given by its distribution function, from `low` on. Kolmogorov-Smirnov."""

    def __init__(self, low, cdf):
        self.low, self.cdf = low, cdf

    def p_value(self, values):
        return stats.kstest(values, self.cdf).pvalue

    def wrong(self):
        return Continuous(self.low, lambda x: self.cdf(self.low + (x - self.low) / 1.1))


class Discrete:
    """Given by {value: weight}. Chi-square; values that are expected fewer than 5 times count together."""

    def __init__(self, weights):
        total = sum(weights.values())
        self.weights = {value: weight / total for value, weight in weights.items() if weight > 0}

    def p_value(self, values):
        counts = dict.fromkeys(self.weights, 0)
        for value in values.tolist():
            value = tuple(value) if isinstance(value, list) else value
            if value not in counts:
                return 0.0
            counts[value] += 1
        expected = {value: len(values) * weight for value, weight in self.weights.items()}
        rare = [value for value in counts if expected[value] < 5]
        often = [value for value in counts if expected[value] >= 5]
        if len(often) + (len(rare) > 0) < 2:
            return 1.0
        pairs = [(counts[value], expected[value]) for value in often]
        pairs += [(sum(counts[value] for value in rare), sum(expected[value] for value in rare))] if rare else []
        return stats.chisquare(*zip(*pairs)).pvalue

    def wrong(self):
        if len(self.weights) == 1:
            return Discrete({value + 1: 1 for value in self.weights})
        return Discrete({value: self.weights[value] * (0.8 if i % 2 else 1.2) for i, value in enumerate(sorted(self.weights))})

    def of(self, k):
        """The law of the k-th number of each value, which is a tuple."""
        weights = {}
        for value, weight in self.weights.items():
            weights[value[k]] = weights.get(value[k], 0) + weight
        return Discrete(weights)


class Distinct:
    """Keys of streams of random numbers: no two are equal."""

    def p_value(self, values):
        return float(len(np.unique(values)) == len(values))

    def wrong(self):
        return None


def uniform(low, high):
    return Continuous(low, stats.uniform(low, high - low).cdf)


def either(*laws):
    """One of these, each equally likely."""
    return Continuous(min(law.low for law in laws), lambda x: np.mean([law.cdf(x) for law in laws], axis=0))


def either_sign(low, high):
    return either(uniform(-high, -low), uniform(low, high))


def beta(alpha):
    return Continuous(0, stats.beta(alpha, alpha).cdf)


def one_of(*values):
    return Discrete(dict.fromkeys(values, 1))


def whole(low, high):
    """A whole number from low to high, both included."""
    return one_of(*range(low, high + 1))


def always(value):
    return Discrete({value: 1})


def chance(p):
    return Discrete({1: p, 0: 1 - p})


def spread(low, high, n=700):
    """n numbers that stand for a uniform law; 700 can be divided by the sides of the images."""
    return low + (high - low) * (np.arange(n) + 0.5) / n


def law_of(*made):
    """That of whole numbers, or of tuples of them, which stand for all."""
    made = [values.ravel() for values in np.broadcast_arrays(*made)]
    low, size = [values.min() for values in made], [int(np.ptp(values)) + 1 for values in made]
    codes = np.ravel_multi_index([(values - least).astype(int) for values, least in zip(made, low)], size)
    counts = np.bincount(codes)
    places = [places + least for places, least in zip(np.unravel_index(np.arange(len(counts)), size), low)]
    keys = zip(*(axis.tolist() for axis in places)) if len(made) > 1 else places[0].tolist()
    return Discrete(dict(zip(keys, counts.tolist())))


def made_of(make, *axes):
    """The law of what `make` returns for numbers of the axes, whose values are equally likely."""
    made = make(*np.meshgrid(*axes, indexing="ij", sparse=True))
    return law_of(*made) if isinstance(made, tuple) else law_of(made)


def place(side, lengths):
    """The first pixel of a part of a line of `side` pixels, with these lengths, everywhere equally likely."""
    weights = dict.fromkeys(range(side + 1), 0)
    for length, weight in lengths.weights.items():
        room = side - int(length) + 1
        for first in range(room):
            weights[first] += weight / room
    return Discrete(weights)


def first_that_fits(fits, otherwise, law, tries=10):
    """Of so many tries the first value that fits, else another one."""
    kept = {value: weight for value, weight in law.weights.items() if fits(*value)}
    fail = (1 - sum(kept.values())) ** tries
    weights = {value: weight / sum(kept.values()) * (1 - fail) for value, weight in kept.items()}
    weights[otherwise] = weights.get(otherwise, 0) + fail
    return Discrete(weights)
