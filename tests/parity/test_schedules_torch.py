# SPDX-License-Identifier: Apache-2.0
"""The learning rate and the momentum of every update are those of torch.optim.lr_scheduler, in double, and those of timm's
cosine, whose formula is written out here."""
import math
import os
import sys

try:
    import torch
    from torch.optim import lr_scheduler
except ImportError as missing:
    print(f"{missing}; install python3-torch: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)

from schedule_cases import f32, largest_difference, our_rates, report

LR, STEPS, EPOCHS = f32(0.1), 4, 70


def torch_rates(make, per_epoch, optimizer="sgd"):
    """The rate, momentum and beta_1 of every update of torch's scheduler."""
    value = [torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))]
    made = torch.optim.SGD(value, lr=LR) if optimizer == "sgd" else torch.optim.Adam(value, lr=LR)
    scheduler, rows = make(made), []
    for _ in range(EPOCHS):
        for _ in range(STEPS):
            group = made.param_groups[0]
            rows.append((group["lr"], group.get("momentum", 0), group.get("betas", (0, 0))[0]))
            made.step()
            if not per_epoch:
                scheduler.step()
        if per_epoch:
            scheduler.step()
    return rows


def compare(name, settings, make, per_epoch=True, optimizer="sgd", updates=STEPS * EPOCHS):
    settings = dict(dialect="torch", lr=LR, optimizer=optimizer, epochs=EPOCHS, **settings)
    ours, theirs = our_rates(updates, STEPS, settings), torch_rates(make, per_epoch, optimizer)[:updates]
    difference = largest_difference(ours[:, 0], [row[0] for row in theirs], LR)
    for column in (1, 2):
        if any(row[column] != theirs[0][column] for row in theirs):
            difference = max(difference, largest_difference(ours[:, column], [row[column] for row in theirs], 1))
    report(name, "torch", updates, difference)


def warmed(optimizer, epochs, factor, then):
    """torch's way of a warm-up before another scheduler."""
    first = lr_scheduler.LinearLR(optimizer, start_factor=factor, end_factor=1, total_iters=epochs)
    return lr_scheduler.SequentialLR(optimizer, [first, then(optimizer)], milestones=[epochs])


compare("constant", {"schedule": "constant"}, lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 1))
compare("step, StepLR(20)", {"schedule": "step", "decay_epochs": 20}, lambda o: lr_scheduler.StepLR(o, 20))
compare("step, StepLR(7, 0.5)", {"schedule": "step", "decay_epochs": 7, "decay_rate": 0.5}, lambda o: lr_scheduler.StepLR(o, 7, 0.5))
compare("multistep, MultiStepLR([30, 60])", {"schedule": "multistep", "milestones": "30,60"},
        lambda o: lr_scheduler.MultiStepLR(o, [30, 60]))
compare("exponential, ExponentialLR(0.95)", {"schedule": "exponential", "decay_rate": 0.95},
        lambda o: lr_scheduler.ExponentialLR(o, 0.95))
compare("polynomial, PolynomialLR(50, 0.9)", {"schedule": "polynomial", "decay_epochs": 50, "power": 0.9},
        lambda o: lr_scheduler.PolynomialLR(o, 50, 0.9))
compare("cosine, CosineAnnealingLR(70)", {"schedule": "cosine"}, lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS))
compare("cosine, CosineAnnealingLR(20, 0.001), which goes up again", {"schedule": "cosine", "decay_epochs": 20, "min_lr": 0.001},
        lambda o: lr_scheduler.CosineAnnealingLR(o, 20, 0.001))
compare("cosine, CosineAnnealingLR, per update", {"schedule": "cosine", "schedule_interval": "step"},
        lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS * STEPS), per_epoch=False)
compare("restarts, CosineAnnealingWarmRestarts(10)", {"schedule": "restarts", "decay_epochs": 10},
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 10))
compare("restarts, CosineAnnealingWarmRestarts(5, 2, 0.01)", {"schedule": "restarts", "decay_epochs": 5, "t_mul": 2, "min_lr": 0.01},
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5, 2, 0.01))
compare("linear, LinearLR()", {"schedule": "linear", "decay_epochs": 5}, lambda o: lr_scheduler.LinearLR(o))
compare("linear, LinearLR(1, 0.1, 60)", {"schedule": "linear", "decay_epochs": 60, "start_factor": 1, "end_factor": 0.1},
        lambda o: lr_scheduler.LinearLR(o, 1, 0.1, 60))
compare("multistep after a warm-up, SequentialLR",
        {"schedule": "multistep", "milestones": "20,40", "decay_rate": 0.3, "warmup_epochs": 5, "warmup_lr": 0.02},
        lambda o: warmed(o, 5, 0.2, lambda o: lr_scheduler.MultiStepLR(o, [20, 40], 0.3)))
compare("cosine after a warm-up, SequentialLR", {"schedule": "cosine", "warmup_epochs": 4, "warmup_lr": 0.01},
        lambda o: warmed(o, 4, 0.1, lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS - 4)))
compare("exponential after a warm-up by update",
        {"schedule": "exponential", "decay_rate": 0.9, "schedule_interval": "step", "decay_steps": 1, "warmup_steps": 50,
         "warmup_lr": 0.025},
        lambda o: warmed(o, 50, 0.25, lambda o: lr_scheduler.ExponentialLR(o, 0.9)), per_epoch=False)
for anneal in ("cos", "linear"):
    for optimizer in ("sgd", "adam"):
        compare(f"one_cycle, OneCycleLR({anneal}), {optimizer}", {"schedule": "one_cycle", "anneal": anneal},
                lambda o: lr_scheduler.OneCycleLR(o, LR, total_steps=EPOCHS * STEPS, anneal_strategy=anneal),
                per_epoch=False, optimizer=optimizer)
compare("one_cycle, OneCycleLR(pct_start 0.45, div_factor 10, final_div_factor 100), rates alone",
        {"schedule": "one_cycle", "pct_start": 0.45, "div_factor": 10, "final_div_factor": 100, "cycle_momentum": "false"},
        lambda o: lr_scheduler.OneCycleLR(o, LR, total_steps=EPOCHS * STEPS, pct_start=0.45, div_factor=10,
                                          final_div_factor=100, cycle_momentum=False), per_epoch=False)
for name, settings, arguments in (
        ("triangular", {}, {"mode": "triangular"}),
        ("triangular2", {"m_mul": 0.5}, {"mode": "triangular2"}),
        ("exp_range", {"decay_rate": 0.99}, {"mode": "exp_range", "gamma": 0.99})):
    compare(f"cyclic, CyclicLR({name}, 15 up, 25 down)",
            dict(schedule="cyclic", decay_steps=40, pct_start=0.375, min_lr=0.001, **settings),
            lambda o: lr_scheduler.CyclicLR(o, 0.001, LR, step_size_up=15, step_size_down=25, **arguments), per_epoch=False)


def timm_cosine(epoch, length, lowest, k, warmup, first):
    """timm.scheduler.CosineLRScheduler(t_initial, lr_min, k_decay, warmup_t, warmup_lr_init) with its default warmup_prefix."""
    if epoch < warmup:
        return first + epoch * (LR - first) / warmup
    return lowest + (LR - lowest) * (1 + math.cos(math.pi * epoch**k / length**k)) / 2 if epoch < length else lowest


for k in (1, 1.5, 3):
    settings = {"schedule": "cosine", "min_lr": 1e-5, "k_decay": k, "warmup_epochs": 5, "warmup_lr": 1e-4,
                "warmup_prefix": "false", "decay_epochs": 60, "cycle": "false", "dialect": "torch", "lr": LR, "epochs": EPOCHS}
    theirs = [timm_cosine(step // STEPS, 60, 1e-5, k, 5, 1e-4) for step in range(STEPS * EPOCHS)]
    difference = largest_difference(our_rates(STEPS * EPOCHS, STEPS, settings)[:, 0], theirs, LR)
    report(f"cosine, timm's with k_decay {k} and warm-up", "torch", STEPS * EPOCHS, difference)
