# SPDX-License-Identifier: Apache-2.0
"""On random curves of a metric, with ties, plateaus and NaN, early stopping stops in the epoch in which Keras' EarlyStopping
stops and restores the same weights, and a plateau reduces the rate when Keras' ReduceLROnPlateau does."""
import inside_keras

inside_keras.enter()

import keras

from schedule_cases import curves, f32, run_program

CURVES = 1000
LR = f32(0.1)


class Model:
    """What the callbacks ask of a model. Its weights are the number of the epoch."""
    metrics = ()

    def __init__(self):
        self.optimizer = keras.optimizers.SGD(LR)
        self.stop_training, self.epoch = False, 0

    def get_weights(self):
        return self.epoch

    def set_weights(self, epoch):
        self.epoch = epoch


def run_callback(callback, name, curve):
    """[learning rate after each epoch that was run], and the epoch of the weights at the end."""
    model, rates = Model(), []
    callback.set_model(model)
    callback.on_train_begin()
    for model.epoch, value in enumerate(curve):
        callback.on_epoch_end(model.epoch, {name: value})
        rates.append(float(model.optimizer.learning_rate))
        if model.stop_training:
            break
    callback.on_train_end()
    return rates, model.epoch


def direction(rng):
    """The monitor, the mode for Keras, and our settings of both. Keras cannot know the mode of a metric without a model."""
    name, best = rng.choice([("val_loss", "min"), ("loss", "min"), ("val_accuracy", "max"), ("accuracy", "max")])
    mode = rng.choice(["auto", "min", "max"])
    return name, best if mode == "auto" else mode, {"monitor": name, "monitor_mode": mode}


def test_early_stopping():
    cases, wanted = [], []
    for curve, rng in curves(CURVES, 1):
        name, mode, settings = direction(rng)
        patience = rng.randint(1, 6)
        settings.update(patience=patience, min_delta=rng.choice([0, 0, 1e-4, 0.001, 0.01, 0.1, 0.25]),
                        start_from_epoch=rng.choice([0, 0, 0, 1, 5, 40]))
        baseline = rng.choice([None, None, 0.25, 0.5, 0.9, 1.5])
        callback = keras.callbacks.EarlyStopping(
            name, settings["min_delta"], patience - 1 if patience == 1 and rng.random() < 0.5 else patience, mode=mode,
            baseline=baseline, restore_best_weights=True, start_from_epoch=settings["start_from_epoch"])
        rates, restored = run_callback(callback, name, curve)
        wanted.append(f"{len(rates)} {restored}")
        cases.append((("stopping", *map(repr, curve)), settings | {"baseline": baseline or "none"}))
    compare("early stopping", cases, wanted, [str(len(curve)) for (_, *curve), _ in cases])


def test_plateau():
    cases, wanted = [], []
    for curve, rng in curves(CURVES, 2):
        name, mode, settings = direction(rng)
        rule = {"factor": rng.choice([0.1, 0.2, 0.5, 0.9]), "patience": rng.randint(1, 6), "cooldown": rng.choice([0, 0, 1, 2, 5]),
                "min_delta": rng.choice([0, 1e-4, 1e-4, 0.01, 0.1]), "min_lr": rng.choice([0, 0, 0.001, 0.05, 0.1])}
        settings.update(dialect="keras", schedule="plateau", lr=LR, decay_rate=rule["factor"], plateau_patience=rule["patience"],
                        cooldown=rule["cooldown"], threshold=rule["min_delta"], min_lr=rule["min_lr"])
        rates, _ = run_callback(keras.callbacks.ReduceLROnPlateau(name, mode=mode, **rule), name, curve)
        wanted.append(" ".join(map(repr, rates)))
        cases.append((("plateau", *map(repr, curve)), settings))
    compare("plateau", cases, wanted, [" ".join([repr(LR)] * len(curve)) for (_, *curve), _ in cases])


def compare(name, cases, wanted, idle):
    """`idle`: how the answer to each case begins if nothing is decided."""
    got = run_program("stopping_decisions", cases)
    got = [" ".join(repr(float(word)) for word in line.split()) for line in got] if name == "plateau" else got
    different = [i for i in range(len(cases)) if got[i] != wanted[i]]
    decided = sum(not line.startswith(text) for line, text in zip(wanted, idle))
    print(f"| {name} | keras | {len(cases)} | {decided} | {len(different)} |")
    for i in different[:3]:
        print(cases[i], "\nours: ", got[i], "\nKeras:", wanted[i])
    assert not different and len(got) == len(cases) and decided > len(cases) / 4


test_early_stopping()
test_plateau()
