# SPDX-License-Identifier: Apache-2.0
"""The simulation of a sweep's queue (tests/bench/scale_sim.py) agrees with closed forms and operational laws, and the program
that measures its service times (queue_rate) loses no message."""
import heapq
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace

sys.path.insert(0, os.path.join(os.environ["CNNSWEEP_SOURCE"], "tests", "bench"))
import scale
import scale_sim
from scale_sim import NOTHING, Service, simulate


def near(a, b, part=1e-9):
    assert abs(a - b) <= part * max(abs(a), abs(b)), (a, b)


def draws(n, seed):
    draw = random.Random(seed)
    return [draw.expovariate(1 / 5) for _ in range(n)]


def test_one_rank_with_an_instant_server_takes_the_sum():
    lengths = draws(50, 1)
    for epochs in (0, 1, 7):
        got = simulate(2, lengths, epochs, NOTHING)
        near(got.makespan, sum(lengths))
        near(got.utilisation, 1)
        assert got.messages == 50 * (epochs + 2) + 1


def test_one_rank_waits_for_each_answer_once():
    lengths, service = draws(40, 2), Service(ask=0.1, epoch=0.2, finished=0.7, message=0, sync=0, sleep=0)
    near(simulate(2, lengths, 3, service).makespan, sum(lengths) + 40 * (0.1 + 3 * 0.2 + 0.7) + 0.1)


def test_equal_trials_come_in_waves():
    got = simulate(9, [2.0] * 50, 4, NOTHING)
    near(got.makespan, math.ceil(50 / 8) * 2.0)


def test_an_instant_server_gives_longest_first_list_scheduling():
    for ranks, root_trains in ((5, False), (17, True), (200, False)):
        lengths = draws(300, ranks)
        free = [0.0] * (ranks if root_trains else ranks - 1)
        for length in sorted(lengths, reverse=True):
            heapq.heapreplace(free, free[0] + length)
        near(simulate(ranks, lengths, 3, NOTHING, root_trains).makespan, max(free))


def test_a_server_that_is_the_limit_takes_its_time_for_each_trial():
    """Far more ranks than it can carry, and no sync: its throughput is what its messages take."""
    service = Service(ask=2e-3, epoch=1e-3, finished=3e-3, message=1e-3, sync=0, sleep=0)
    got = simulate(3000, [0.5] * 6000, 4, service)
    near(got.makespan, 6000 * scale_sim.seconds_a_trial(service, 4, 0.5) + 2999 * 3e-3, 0.02)
    assert got.busy > 0.99


def test_messages_that_wait_together_share_a_sync():
    """As many ranks as fit into one turn send their messages at the same times: each turn has one sync."""
    service = replace(NOTHING, sync=1.0)
    n = scale_sim.TOGETHER
    near(simulate(n + 1, [50.0] * n, 5, service).makespan, 50 + 6 * 1.0)


def test_less_than_a_second_of_training_waits_for_no_sync():
    n = scale_sim.TOGETHER
    near(simulate(n + 1, [0.001] * n, 5, replace(NOTHING, sync=1.0)).makespan, 0.001)


def test_the_asymptotic_bounds_hold():
    """Throughput is at most that of the ranks and that of the server, at least that of ranks that all wait for all
    (Denning and Buzen 1978); two per cent for the first and the last wave."""
    service = Service(ask=1e-3, epoch=2e-3, finished=5e-3, message=1e-3, sync=0, sleep=0)
    epochs, mean = 5, 1.0
    each = scale_sim.seconds_a_trial(service, epochs, mean)
    for takers in (1, 4, 16, 64, 256):
        got = simulate(takers + 1, [mean] * (200 * takers), epochs, service)
        rate = 200 * takers / got.makespan
        assert rate <= min(takers / (mean + each), 1 / each) * 1.02, (takers, rate)
        assert rate >= takers / (mean + takers * each) * 0.98, (takers, rate)


def test_rank_0_is_saturated_where_the_formula_says():
    """Well below the limit rank 0 is partly idle, well above it busy except at the ends; its time for each trial is as computed."""
    service, mean, epochs = replace(Service(), finished=20e-3), 5.0, 10
    limit = scale_sim.most_ranks(service, epochs, mean)
    for part, least, most in ((0.3, 0.25, 0.45), (3, 0.75, 1.0)):
        ranks = int(limit * part) + 1
        got = simulate(ranks, scale_sim.lengths_of(12 * ranks, mean, 0.3), epochs, service)
        assert least < got.busy <= most, (part, got.busy)
    near(got.busy * got.makespan, 12 * ranks * scale_sim.seconds_a_trial(service, epochs, mean), 0.1)


def test_naps_cost_at_most_two_an_answer():
    """One until rank 0 looks, one until the rank does; rank 0 itself waits for none."""
    service = replace(NOTHING, sleep=1e-3)
    got = simulate(2, draws(100, 3), 4, service)
    assert 0 < max(got.waits) <= 2e-3 + 1e-9, max(got.waits)
    assert max(simulate(1, draws(100, 3), 4, service, root_trains=True).waits) == 0


def test_the_queue_loses_no_message():
    """With the program's queue and ranks that train nothing, every trial runs once and every message gets an answer."""
    build, folder = os.path.dirname(os.environ["CNNSWEEP_BIN"]), tempfile.mkdtemp(prefix="cnnsweep-scale-")
    os.environ["ASAN_OPTIONS"] = "detect_leaks=0"  # Open MPI does not free all its memory at exit
    try:
        bench = scale.Bench(build, folder, 1)
        for ranks, root in ((4, "serves"), (3, "takes")):
            run, lengths = bench.once(ranks, 100, 3, 0, 0, 0.1, root)
            assert len(lengths) == 100 and run["commits"] <= run["messages"]
            # A rank 0 that takes trials may take all of them before another rank has asked; the others then send no epochs.
            finished, epochs = (run.get(kind, {"n": 0})["n"] for kind in ("finished", "epoch"))
            assert finished <= 100 and epochs == 3 * finished, run
            if root == "serves":
                assert finished == 100 and run["ask"]["n"] == 100 + ranks - 1, run
    finally:
        shutil.rmtree(folder)


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
        print(f"ok {name}", flush=True)
