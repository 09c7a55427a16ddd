# SPDX-License-Identifier: Apache-2.0
"""Sweeps with method bayes, from the job file to the table. What all methods that learn have in common is in test_cli_tpe.py, and
tests/sweep/test_search_methods.py shows how close to the best trial bayes comes."""
import signal

from harness import make_data, read_trials, run_ok, run_tests, stopped_at, without_clock, write_job
from breakpoints import epoch, trial
from search_job import check_values, search_job, values

make_data(per_class=20)
write_job(search_job("modelled", "bayes", trials=20, epochs=1))


def test_values_are_of_their_ranges_and_conditions_hold():
    run_ok("train", "job.yaml", "--out", "modelled")
    trials = read_trials("modelled")
    assert len(set(values(trials))) == 20
    check_values(trials)


def test_a_small_space_is_searched_to_its_end():
    run_ok("train", "job.yaml", "--out", "small", "--set", "sweep.parameters={batch: {int: [8, 16], step: 2}, "
           "optimizer: [sgd, adam], momentum: {values: [0, 0.5], when: {optimizer: sgd}}}", "--set",
           "sweep.exclude=[{batch: 8, optimizer: adam}]")
    found = [(t["batch"], t["optimizer"], t["momentum"]) for t in read_trials("small")]
    assert len(found) == len(set(found)) == 14 and ("8", "adam", "") not in found


def test_after_a_kill_the_same_trials_are_chosen():
    for stop in (epoch(12), trial(3)):
        sweep = stopped_at(stop, "train", "job.yaml", "--out", "killed", "--resume")
        sweep.signal(signal.SIGKILL)
        assert sweep.end()[0] == -signal.SIGKILL
    run_ok("train", "job.yaml", "--out", "killed", "--resume")
    assert without_clock(read_trials("killed")) == without_clock(read_trials("modelled"))


def test_two_ranks_share_a_sweep():
    run_ok("train", "job.yaml", "--out", "two", ranks=2)
    trials = read_trials("two")
    assert len(set(values(trials))) == 20 and all(t["status"] == "ok" for t in trials)


run_tests(globals())
