# SPDX-License-Identifier: Apache-2.0
"""Groups of steps choose as albumentations' do: one_of in proportion to the steps' p, some_of all choices equally, sequential all
or none."""
from itertools import combinations

from scipy import stats

from harness import run_tests
from sheets import draw, make_job

make_job("""augmentations:
  one: [{one_of: [{random_solarize: {p: 0.25}}, {random_posterize: {p: 0.5}}, {random_invert: {p: 0.25}}]}]
  some: [{some_of: {n: 2, steps: [{random_solarize: {p: 1}}, {random_posterize: {p: 1}}, {random_invert: {p: 1}}]}}]
  some_with_p: [{some_of: {n: 1, steps: [{random_solarize: {p: 0.3}}, {random_invert: {p: 0.3}}]}}]
  all: [{sequential: {p: 0.7, steps: [{random_solarize: {p: 1}}, {random_invert: {p: 0.5}}]}}]
  nested: [{one_of: {p: 1, steps: [{sequential: [{random_solarize: {p: 1}}, {random_posterize: {p: 1}}]}, random_invert]}}]
""")
DRAWS = 84 * 25


def counts_of(augment):
    counts = {}
    for cell in draw("job.yaml", augment, 84, 25):
        names = tuple(name.removeprefix("random_") for name, _ in cell.steps)
        counts[names] = counts.get(names, 0) + 1
    return counts


def follows(augment, law):
    """law: {names of the steps that are applied: probability}"""
    counts = counts_of(augment)
    assert set(counts) <= set(law), counts
    p = stats.chisquare([counts.get(names, 0) for names in law], [DRAWS * probability for probability in law.values()]).pvalue
    print(f"{augment}: {counts}, p = {p:.3f}")
    assert p > 1e-3, augment


def test_one_of_applies_one_step_in_proportion_to_its_probability():
    follows("one", {(): 0.5, ("solarize",): 0.125, ("posterize",): 0.25, ("invert",): 0.125})


def test_some_of_chooses_so_many_and_keeps_their_order():
    follows("some", dict.fromkeys(combinations(("solarize", "posterize", "invert"), 2), 1 / 3))


def test_a_step_that_some_of_chooses_still_has_its_probability():
    follows("some_with_p", {(): 0.7, ("solarize",): 0.15, ("invert",): 0.15})


def test_sequential_applies_all_steps_or_none():
    follows("all", {(): 0.3, ("solarize",): 0.35, ("solarize", "invert"): 0.35})


def test_groups_can_be_nested():
    follows("nested", {("solarize", "posterize"): 0.5, ("invert",): 0.5})


run_tests(globals())
