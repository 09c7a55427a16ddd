# SPDX-License-Identifier: Apache-2.0
"""Learning rates by part of the network in jobs: what is named trains at its rate, maps are swept, and names that the network
does not have are refused before anything is trained."""
import os

import h5py
import numpy as np

from harness import JOB, make_data, path, read_trials, run, run_ok, run_tests, write_job

make_data(per_class=12)
ONE = JOB[:JOB.index("sweep:")]


def job(options, sweep=""):
    return write_job(ONE.replace("optimizer: adam, seed: 3", f"{options}, seed: 3, save_weights: h5") + sweep, "rates.yaml")


def weights(options):
    """{layer: its kernel} after two epochs."""
    run_ok("train", job(options), "--out", "out", "--force")
    kernels = {}
    with h5py.File(path("out/weights/t000.h5")) as file:
        file.visititems(lambda name, item: kernels.update({name.split("/")[-2]: item[:]} if "kernel" in name else {}))
    return kernels


def test_parts_have_their_rates():
    plain = weights("optimizer: sgd, lr: 0.01")
    none = weights("optimizer: sgd, lr: 1e-12")
    still = weights("optimizer: sgd, lr: 0.01, lr_mult: {blocks: 0, conv2d_1: 1}")
    assert len(plain) == 4, plain.keys()
    for name, kernel in still.items():
        moved = not np.allclose(kernel, none[name], atol=1e-7)
        assert moved == (name not in ("conv2d", "dense")), name
    doubled = weights("optimizer: sgd, lr: 0.005, lr_mult: {head: 2, blocks: 2}")
    assert all(np.array_equal(doubled[name], plain[name]) for name in plain)


def test_the_history_has_the_rate_of_factor_1():
    run_ok("train", job("optimizer: sgd, lr: 0.01, lr_mult: {head: 10, blocks: 0.1}"), "--out", "out", "--force")
    rows = open(path("out/history/t000.csv")).read().splitlines()
    at = rows[0].split(",").index("learning_rate")
    assert [float(row.split(",")[at]) for row in rows[1:]] == [0.01, 0.01], rows


def test_maps_are_swept_and_a_finished_sweep_is_resumed():
    sweep = "sweep:\n  parameters:\n    lr_mult: [none, {decay: 0.5}, {head: 2, blocks: 0.1}]\n"
    run_ok("train", job("optimizer: adam", sweep), "--out", "swept")
    trials = read_trials("swept")
    assert [trial["lr_mult"] for trial in trials] == ["none", "decay:0.5", "head:2,blocks:0.1"], trials
    assert len({trial["loss"] for trial in trials}) == 3
    run_ok("train", "rates.yaml", "--out", "swept", "--resume")
    assert read_trials("swept") == trials


REFUSED = [
    ("lr_mult: {haed: 2}", "", "basenet has no layers 'haed'; did you mean 'head'?", "it takes head, blocks, decay"),
    ("lr_mult: {conv2d_3: 2}", "", "has no layers 'conv2d_3'; did you mean 'conv2d_1'?", "from 1 to 3"),
    ("lr_mult: {head: -1}", "", "train.lr_mult is 'head:-1'", "a factor is 0 to 1e6"),
    ("lr_mult: {decay: 2}", "", "decay is 2", "above 0 and up to 1"),
    ("lr_mult: 0.1", "", "train.lr_mult is '0.1'", "a map such as"),
    ("lr: 0.1", "sweep:\n  parameters:\n    lr_mult: [none, {tail: 2}]\n", "lr_mult=tail:2: train.lr_mult: basenet has no layers "
     "'tail'", ""),
]


def test_what_does_not_fit_is_refused():
    for options, sweep, message, hint in REFUSED:
        done = run("train", job(options, sweep), "--out", "refused")
        assert done.returncode != 0 and message in done.stderr and hint in done.stderr, (options, done.stderr)
        assert not os.path.exists(path("refused/journal.jsonl")), options


run_tests(globals())
