# SPDX-License-Identifier: Apache-2.0
"""Stochastic weight averaging: the rates, the tested weights with the statistics of their batch norms, and their losses are those
of torch.optim.swa_utils on every engine; and settings that do not go together are refused."""
import csv
import os
import signal
import sys

from harness import BIN, JOB, path, read_trials, run, run_ok, run_tests, stopped_at, without_clock, write_job
from breakpoints import epoch

import numpy as np
try:
    import torch
    from torch import nn
    from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
    from torch_deep import Net, loss_of, make_noise, read_split, read_weights
except ImportError as missing:
    print(f"{missing}; install python3-torch and python3-pil: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)

EPOCHS, START, BATCH = 6, 2, 16
make_noise()
ONE = (JOB[:JOB.index("sweep:")].replace("basenet", "basenet_deep_bn")
       .replace("epochs: 2, batch: 16, optimizer: adam", f"epochs: {EPOCHS}, batch: {BATCH}, optimizer: sgd, lr: 0.001, "
                "shuffle: false, save_weights: h5, dialect: torch, schedule: step, decay_epochs: 1, decay_rate: 0.8"))
# The largest error of a value, as a part of the largest value of its tensor, or of a loss. Tensors that began as 0 and have
# moved little count as if their largest value was 0.1.
DEVICES = {"ref": 1e-5, "cpu": 1e-4}
HOST_PLUGIN = os.path.join(os.path.dirname(BIN), "tests", "libcnnsweep_cuda_host.so")
if os.path.exists(HOST_PLUGIN):
    DEVICES["cuda"] = 1e-4
    os.environ["CNNSWEEP_CUDA_PLUGIN"] = HOST_PLUGIN


def settings(**options):
    return [word for key, value in options.items() for word in ("--set", f"train.{key}={value}")]


def train(out, device="cpu", job="one.yaml", **options):
    run_ok("train", job, "--out", out, "--force", "--device", device, *settings(**options), env=dict(os.environ))
    return read_trials(out)


def history(out):
    with open(path(f"{out}/history/t000.csv"), newline="") as file:
        return list(csv.DictReader(file))


write_job(ONE, "start.yaml")
train("start", job="start.yaml", epochs=1, lr=1e-12)
os.rename(path("start/weights/t000.h5"), path("start.h5"))
write_job(ONE.replace("arch: basenet_deep_bn", "arch: basenet_deep_bn, weights: start.h5"), "one.yaml")
INITIAL = read_weights("start.h5")


def reference(swa_lr=None, **annealing):
    """torch's example of swa_utils: the rate and val_loss of each epoch, the averaged values, their loss on val and test."""
    net = Net(INITIAL)
    images, labels = read_split("train")
    batches = list(zip(images.split(BATCH), labels.split(BATCH)))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.001)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.8)
    averaged, swa_schedule = AveragedModel(net), swa_lr and SWALR(optimizer, swa_lr, **annealing)
    rates, losses = [], []
    for number in range(EPOCHS):
        rates.append(optimizer.param_groups[0]["lr"])
        net.train()
        for x, y in batches:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            optimizer.step()
        losses.append(loss_of(net.eval(), "val"))
        if number >= START:
            averaged.update_parameters(net)
        if number >= START and swa_lr:
            swa_schedule.step()
        else:
            schedule.step()
    update_bn(batches, averaged)
    return rates, losses, averaged.eval().module.values(), loss_of(averaged, "val"), loss_of(averaged, "test")


def test_it_is_that_of_torch():
    for options, arguments in [({}, {}), ({"swa_lr": 0.004, "swa_anneal_epochs": 3}, {"swa_lr": 0.004, "anneal_epochs": 3}),
                               ({"swa_lr": 0.0002, "swa_anneal_epochs": 2, "swa_anneal": "linear"},
                                {"swa_lr": 0.0002, "anneal_epochs": 2, "anneal_strategy": "linear"})]:
        rates, losses, values, val_loss, test_loss = reference(**arguments)
        for device, bound in DEVICES.items():
            result, = train("out", device, swa_start=START, **options)
            got, rows = read_weights("out/weights/t000.h5"), history("out")
            assert set(got) == set(values), set(got) ^ set(values)
            errors = {name: np.abs(got[name] - values[name]).max() / max(np.abs(values[name]).max(), 0.1)
                      for name in values}
            for name, want in ("val_loss", val_loss), ("test_loss", test_loss):
                errors[name] = abs(float(result[name]) - want) / want
            for row, rate, loss in zip(rows, rates, losses):
                assert abs(float(row["learning_rate"]) / rate - 1) < 1e-6, (rows, rates)
                errors["val_loss", row["epoch"]] = abs(float(row["val_loss"]) - loss) / loss
            worst = max(errors, key=errors.get)
            print(f"| {options} | {device} | {errors[worst]:.1e} | {worst} |")
            assert errors[worst] < bound, worst
            assert abs(val_loss / losses[-1] - 1) > 100 * bound or device != "ref", "the average is that of the last epoch"


def test_a_killed_sweep_of_averages_goes_on_and_ends_the_same():
    write_job(ONE.replace("arch: basenet_deep_bn, weights: start.h5", "arch: basenet_deep_bn, head: [dropout, dense], dropout: 0.3")
              + """sweep:
  parameters:
    swa_start: [none, 1, 4]
    fine_tune: [all, {blocks: 2}]
""", "swept.yaml")
    arguments = ["train", "swept.yaml", "--set", "checkpoint_seconds=0"]
    run_ok(*arguments, "--out", "undisturbed")
    trials = without_clock(read_trials("undisturbed"))
    assert [trial["swa_start"] for trial in trials] == ["none", "none", "1", "1", "4", "4"], trials
    assert len({trial["test_loss"] for trial in trials}) == 6
    assert len({trial["loss"] for trial in trials}) == 2
    run_ok(*arguments, "--out", "alone", "--set", "group=false")
    assert without_clock(read_trials("alone")) == trials
    for epochs in (9, 11, 7):
        sweep = stopped_at(epoch(epochs), *arguments, "--out", "killed", "--resume")
        sweep.signal(signal.SIGKILL)
        assert sweep.end()[0] == -signal.SIGKILL
    run_ok(*arguments, "--out", "killed", "--resume")
    assert without_clock(read_trials("killed")) == trials


def test_a_training_that_goes_on_for_longer_averages_on():
    """Although the tested weights, with statistics of their own, were those of the mean."""
    write_job(ONE + "keep_state: all\n", "longer.yaml")
    options = {"swa_start": 2, "swa_lr": 0.002, "swa_anneal_epochs": 1}
    for epochs, more in (4, []), (6, ["--extend"]):
        run_ok("train", "longer.yaml", "--out", "sittings", *more, *settings(epochs=epochs, **options))
    run_ok("train", "longer.yaml", "--out", "at_once", *settings(epochs=6, **options))
    assert history("sittings") == history("at_once")
    assert without_clock(read_trials("sittings")) == without_clock(read_trials("at_once"))
    got, wanted = (read_weights(f"{out}/weights/t000.h5") for out in ("sittings", "at_once"))
    assert all(np.array_equal(got[name], wanted[name]) for name in wanted)


def test_in_a_phase_epochs_count_from_its_beginning():
    """By hand: train, save the weights, begin again from them."""
    short = ONE.replace(f"epochs: {EPOCHS}", "epochs: 2")
    write_job(short, "first.yaml")
    run_ok("train", "first.yaml", "--out", "first")
    os.rename(path("first/weights/t000.h5"), path("first.h5"))
    by_hand = ONE.replace(f"epochs: {EPOCHS}", "epochs: 3, swa_start: 1").replace("basenet_deep_bn", "basenet_deep_bn, weights: first.h5")
    write_job(by_hand, "second.yaml")
    wanted = train("second", job="second.yaml")[0]
    write_job(ONE.replace(f"epochs: {EPOCHS}, ", "") + "phases:\n  - {epochs: 2}\n  - {epochs: 3, swa_start: 1}\n", "phases.yaml")
    got = train("phases", job="phases.yaml")[0]
    assert [got[name] for name in ("loss", "val_loss", "test_loss")] == [wanted[name] for name in ("loss", "val_loss", "test_loss")]


REFUSED = [
    (f"swa_start={EPOCHS}", f"train.swa_start is {EPOCHS}, but the last of {EPOCHS} epochs is {EPOCHS - 1}", "counted from 0"),
    ("swa_start=0", "train.swa_start is 0, outside 1 to", ""),
    ("swa_start=2 ema=0.9", "train.swa_start and train.ema are both set", "leave one of them out"),
    ("swa_start=2 patience=1", "train.swa_start and train.patience are both set", "leave one of them out"),
    ("swa_start=2 save_epoch=last", "train.swa_start and train.save_epoch are both set", "the average is tested and saved"),
    ("swa_lr=0.1", "train.swa_lr is set, but train.swa_start is none", ""),
    ("swa_start=2 swa_anneal=linear", "train.swa_anneal is set, but train.swa_lr is auto", ""),
    ("swa_start=2 swa_anneal_epochs=3", "train.swa_anneal_epochs is set, but train.swa_lr is auto", ""),
]


def test_what_does_not_fit_is_refused():
    for options, message, hint in REFUSED:
        done = run("train", "one.yaml", "--out", "refused", *settings(**dict(word.split("=") for word in options.split())))
        assert done.returncode != 0 and message in done.stderr and hint in done.stderr, (options, done.stderr)
        assert not os.path.exists(path("refused/journal.jsonl")), options


run_tests(globals())
