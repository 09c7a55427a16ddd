# SPDX-License-Identifier: Apache-2.0
"""The learning rate of every update is that of keras.optimizers.schedules, in double."""
import inside_keras

inside_keras.enter()

import numpy as np
from keras.optimizers import schedules

from schedule_cases import f32, largest_difference, our_rates, report

LR, STEPS, EPOCHS = f32(0.1), 7, 20
UPDATES = STEPS * EPOCHS

# (class, its arguments but the first rate, our settings)
CASES = [
    ("ExponentialDecay", {"decay_steps": 10, "decay_rate": 0.96}, {"schedule": "exponential", "decay_steps": 10, "decay_rate": 0.96}),
    ("ExponentialDecay", {"decay_steps": 2.4 * STEPS, "decay_rate": 0.97, "staircase": True},
     {"schedule": "exponential", "decay_epochs": 2.4, "decay_rate": 0.97, "staircase": "true"}),
    ("InverseTimeDecay", {"decay_steps": 10, "decay_rate": 0.5}, {"schedule": "inverse_time", "decay_steps": 10, "decay_rate": 0.5}),
    ("InverseTimeDecay", {"decay_steps": STEPS, "decay_rate": 2, "staircase": True},
     {"schedule": "inverse_time", "decay_rate": 2, "staircase": "true"}),
    ("PiecewiseConstantDecay", {"boundaries": [20, 50, 90], "values": [0.1, 0.05, 0.01, 0.002]},
     {"schedule": "piecewise", "boundaries": "20,50,90", "values": "0.1,0.05,0.01,0.002"}),
    ("PolynomialDecay", {"decay_steps": 100, "end_learning_rate": 1e-4}, {"schedule": "polynomial", "decay_steps": 100, "min_lr": 1e-4}),
    ("PolynomialDecay", {"decay_steps": 33, "end_learning_rate": 0.01, "power": 0.5},
     {"schedule": "polynomial", "decay_steps": 33, "min_lr": 0.01, "power": 0.5}),
    ("PolynomialDecay", {"decay_steps": 33, "end_learning_rate": 0.001, "power": 2, "cycle": True},
     {"schedule": "polynomial", "decay_steps": 33, "min_lr": 0.001, "power": 2, "cycle": "true"}),
    ("CosineDecay", {"decay_steps": UPDATES}, {"schedule": "cosine"}),
    ("CosineDecay", {"decay_steps": 90, "alpha": 0.05}, {"schedule": "cosine", "decay_steps": 90, "min_lr": 0.05 * LR}),
    ("CosineDecay", {"decay_steps": UPDATES - 2 * STEPS, "initial_learning_rate": 0.001, "warmup_target": LR, "warmup_steps": 2 * STEPS},
     {"schedule": "cosine", "warmup_epochs": 2, "warmup_lr": 0.001}),
    ("CosineDecay", {"decay_steps": 80, "alpha": 0.1, "initial_learning_rate": 0.0, "warmup_target": LR, "warmup_steps": 30},
     {"schedule": "cosine", "decay_steps": 80, "min_lr": 0.1 * LR, "warmup_steps": 30}),
    ("CosineDecayRestarts", {"first_decay_steps": 15}, {"schedule": "restarts", "decay_steps": 15}),
    ("CosineDecayRestarts", {"first_decay_steps": 20, "t_mul": 1.0, "m_mul": 0.8, "alpha": 0.01},
     {"schedule": "restarts", "decay_steps": 20, "t_mul": 1, "m_mul": 0.8, "min_lr": 0.01 * LR}),
    ("CosineDecayRestarts", {"first_decay_steps": 2 * STEPS, "t_mul": 1.5, "m_mul": 0.9},
     {"schedule": "restarts", "decay_epochs": 2, "t_mul": 1.5, "m_mul": 0.9}),
]


def in_double(value):
    """Keras computes with the types of its arguments, and takes a float of Python for a float of 32 bits."""
    if isinstance(value, list):
        return [in_double(item) for item in value]
    return np.float64(value) if isinstance(value, float) else value


def keras_rates(name, arguments):
    if name != "PiecewiseConstantDecay":
        arguments = {"initial_learning_rate": LR, **arguments}
    schedule = getattr(schedules, name)(**{key: in_double(value) for key, value in arguments.items()})
    return [float(schedule(step)) for step in range(UPDATES)]


for name, arguments, settings in CASES:
    ours = our_rates(UPDATES, STEPS, {"dialect": "keras", "lr": LR, "epochs": EPOCHS, **settings})[:, 0]
    text = ", ".join(f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in arguments.items())
    report(f"{settings['schedule']}, {name}({text})", "keras", UPDATES, largest_difference(ours, keras_rates(name, arguments), LR))
