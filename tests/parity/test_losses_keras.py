# SPDX-License-Identifier: Apache-2.0
"""Losses in the dialect of Keras, and their gradients, are those of the real Keras in double, on every engine."""
import os
import sys

interpreter = os.environ.get("CNNSWEEP_KERAS_PYTHON")
if not interpreter:
    print("CNNSWEEP_KERAS_PYTHON is not set: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)
if "CNNSWEEP_INSIDE_KERAS" not in os.environ:
    os.environ["CNNSWEEP_INSIDE_KERAS"] = "1"
    os.execv(interpreter, [interpreter, *sys.argv])

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import tensorflow as tf

from loss_comparison import compare_all

keras.config.set_floatx("float64")


def of_keras(loss, settings):
    """`loss` takes logits."""
    def reference(batch):
        logits = tf.Variable(batch.logits.astype("float64"))
        with tf.GradientTape() as tape:
            value = loss(tf.constant(batch.targets.astype("float64")), logits)
        return float(value), tape.gradient(value, logits).numpy()
    return {"dialect": "keras", **settings}, reference


def smoothed(smoothing):
    return of_keras(keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing),
                    {"label_smoothing": smoothing})


compare_all("cross-entropy", "keras", [smoothed(0)])
compare_all("label smoothing", "keras", [smoothed(e) for e in (0.05, 0.1, 0.5, 0.9)])
