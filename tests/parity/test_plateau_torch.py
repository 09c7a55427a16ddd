# SPDX-License-Identifier: Apache-2.0
"""On random curves of a metric, with ties, plateaus and NaN, a plateau in torch's dialect reduces the rate when torch's
ReduceLROnPlateau does, and to the same rate."""
import os
import sys

try:
    import torch
except ImportError as missing:
    print(f"{missing}; install python3-torch: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)

from schedule_cases import curves, f32, run_program

CURVES = 1000
LR = f32(0.1)

cases, wanted, decided = [], [], 0
for curve, rng in curves(CURVES, 3):
    name, mode = rng.choice([("val_loss", "min"), ("val_accuracy", "max")])
    rule = {"factor": rng.choice([0.1, 0.2, 0.5, 0.9]), "patience": rng.randint(0, 6), "cooldown": rng.choice([0, 0, 1, 2, 5]),
            "threshold": rng.choice([0, 1e-4, 1e-4, 0.01, 0.1]), "threshold_mode": rng.choice(["rel", "rel", "abs"]),
            "min_lr": rng.choice([0, 0, 0.001, 0.05, 0.1])}
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler, rates = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode, **rule), []
    for value in curve:
        scheduler.step(value)
        rates.append(optimizer.param_groups[0]["lr"])
    wanted.append(rates)
    decided += rates[-1] != LR
    settings = {"dialect": "torch", "schedule": "plateau", "lr": LR, "plateau_monitor": name, "decay_rate": rule["factor"],
                "plateau_patience": rule["patience"], "cooldown": rule["cooldown"], "threshold": rule["threshold"],
                "threshold_mode": "auto" if rule["threshold_mode"] == "rel" else "abs", "min_lr": rule["min_lr"]}
    cases.append((("plateau", *map(repr, curve)), settings))

got = [[float(word) for word in line.split()] for line in run_program("stopping_decisions", cases)]
different = [i for i in range(CURVES) if got[i] != wanted[i]]
print(f"| plateau | torch | {CURVES} | {decided} | {len(different)} |")
for i in different[:3]:
    print(cases[i], "\nours: ", got[i], "\ntorch:", wanted[i])
assert not different and decided > CURVES / 4
