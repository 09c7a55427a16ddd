# SPDX-License-Identifier: Apache-2.0
"""Losses in the dialect of Keras, and their gradients, are those of the real Keras in double, on every engine."""
import inside_keras

inside_keras.enter()

import keras
import numpy as np
import tensorflow as tf

from loss_comparison import class_weights, compare_all

keras.config.set_floatx("float64")


def targets_of(batch):
    """As the losses of Keras take them: a binary head has those of class 1."""
    return batch.targets if batch.outputs == batch.classes else batch.targets[:, 1:]


def fit_loss(loss, batch, **weights):
    """What a step of training reports as its loss, if the weights are those of fit's class_weight or sample_weight."""
    inputs = keras.Input((batch.outputs,))
    model = keras.Model(inputs, keras.layers.Activation("linear")(inputs))
    model.compile(loss=loss, optimizer="sgd")
    values = model.train_on_batch(batch.logits.astype("float64"), targets_of(batch).astype("float64"),
                                  **weights)
    return float(np.atleast_1d(values)[0])


def of_keras(loss, options, weighted=False):
    """`loss` takes logits. Class weights are given by names or numbers, and those that are 1 not at all."""
    def settings(batch):
        named = [f"{f'class{k}' if k % 2 else k}:{w}" for k, w in enumerate(class_weights(batch)) if w != 1]
        return {"dialect": "keras", "class_weight": ",".join(named) if weighted else "none", **options}

    def reference(batch):
        weights = np.array(class_weights(batch), float) if weighted else np.ones(batch.classes)
        logits, targets = tf.Variable(batch.logits.astype("float64")), tf.constant(targets_of(batch).astype("float64"))
        with tf.GradientTape() as tape:
            value = loss(targets, logits, sample_weight=weights[batch.labels])
        gradient = tape.gradient(value, logits).numpy()
        assert not weighted or abs(float(value) - fit_loss(loss, batch, class_weight=dict(enumerate(weights)))) < 1e-6 * max(float(value), 1e-3)
        return float(value), gradient, float(loss(targets, logits))
    return settings, reference


def by_sample(loss, weighted=False, **options):
    """Weights of samples, which Keras' model takes alone; with those of classes, which multiply them, the loss object does."""
    settings, plain = of_keras(loss, {**options, "sample_weight": "true"}, weighted)

    def reference(batch):
        weights = np.array(class_weights(batch), float) if weighted else np.ones(batch.classes)
        both = weights[batch.labels] * batch.weights
        logits, targets = tf.Variable(batch.logits.astype("float64")), tf.constant(targets_of(batch).astype("float64"))
        with tf.GradientTape() as tape:
            value = loss(targets, logits, sample_weight=both)
        assert abs(float(value) - fit_loss(loss, batch, sample_weight=both)) < 1e-6 * max(float(value), 1e-3)
        return float(value), tape.gradient(value, logits).numpy(), plain(batch)[2]
    return settings, reference


def smoothed(smoothing, weighted=False):
    return of_keras(keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing),
                    {"label_smoothing": smoothing}, weighted)


compare_all("cross-entropy", "keras", [smoothed(0)])
compare_all("label smoothing", "keras", [smoothed(e) for e in (0.05, 0.1, 0.5, 0.9)])
compare_all("class weights", "keras", [smoothed(e, True) for e in (0, 0.1)])


def focal(alpha, gamma, smoothing=0, weighted=False):
    return of_keras(keras.losses.CategoricalFocalCrossentropy(alpha, gamma, from_logits=True, label_smoothing=smoothing),
                    {"loss": "focal", "focal_alpha": alpha, "focal_gamma": gamma, "label_smoothing": smoothing}, weighted)


# Keras clips probabilities to 1e-7 and 1 - 1e-7, where the loss has no gradient; the logits are nearer to one another.
compare_all("focal", "keras", [focal(0.25, 2), focal(1, 0), focal(0.5, 0.5), focal(0.25, 1), focal(2, 5), focal(0.25, 2, 0.1),
                               focal(0.25, 2, 0, True), focal(0.25, 2, 0.1, True)], spread=1.5)


def binary(smoothing, weighted=False):
    return of_keras(keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing),
                    {"label_smoothing": smoothing}, weighted)


def binary_focal(gamma, alpha=None, smoothing=0, weighted=False):
    balancing = {} if alpha is None else {"focal_alpha": alpha, "focal_balancing": "true"}
    loss = keras.losses.BinaryFocalCrossentropy(alpha is not None, 0.25 if alpha is None else alpha, gamma, from_logits=True,
                                                label_smoothing=smoothing)
    return of_keras(loss, {"loss": "focal", "focal_gamma": gamma, "label_smoothing": smoothing, **balancing}, weighted)


CROSS_ENTROPY = keras.losses.CategoricalCrossentropy(from_logits=True)
BINARY = keras.losses.BinaryCrossentropy(from_logits=True)
compare_all("sample weights", "keras", [by_sample(CROSS_ENTROPY), by_sample(CROSS_ENTROPY, True)])
compare_all("binary head, sample weights", "keras", [by_sample(BINARY), by_sample(BINARY, True)], binary=True)
compare_all("binary head", "keras", [binary(e, w) for e in (0, 0.1, 0.5) for w in (False, True)], binary=True)
compare_all("binary head, focal", "keras", [binary_focal(2), binary_focal(0), binary_focal(0.5), binary_focal(2, 0.25),
                                            binary_focal(1, 0.9, 0.1), binary_focal(2, None, 0.2), binary_focal(2, 0.25, 0, True),
                                            binary_focal(5, 1, 0.1, True)], spread=1.5, binary=True)


def penalized(l1, l2):
    """The penalty is part of the loss in validation, too. The kernel is the identity, so that most of its values are 0."""
    def reference(batch):
        kernel, penalty = tf.Variable(np.eye(batch.classes)), keras.regularizers.L1L2(l1, l2)
        inputs, targets = tf.constant(batch.logits.astype("float64")), tf.constant(batch.targets.astype("float64"))
        with tf.GradientTape() as tape:
            value = keras.losses.CategoricalCrossentropy(True)(targets, inputs @ kernel) + penalty(kernel)
        return float(value), tape.gradient(value, kernel).numpy(), float(value)
    return lambda batch: {"l1": l1, "l2": l2}, reference


compare_all("l1 and l2 penalties", "keras", [penalized(0.5, 0), penalized(0.25, 0.125)])
