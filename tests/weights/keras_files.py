# SPDX-License-Identifier: Apache-2.0
"""Files of weights that the real Keras writes for test_weights_keras.py, and its reading of ours. Each function begins a new
session, as a program of its own would."""
import keras
import numpy as np


def basenet(input_shape, **_):
    layers = keras.layers
    return keras.Sequential([keras.Input(input_shape), layers.Conv2D(6, 5, activation="relu"), layers.MaxPooling2D(),
                             layers.Conv2D(16, 5, activation="relu"), layers.MaxPooling2D(), layers.Flatten(),
                             layers.Dense(50, activation="relu")])


CLASSES = 4
# our name: (constructor, its arguments, height and width)
MODELS = {"mobilenet": (keras.applications.MobileNet, {"alpha": 0.25}, 64),
          "xception": (keras.applications.Xception, {}, 96),
          "inception_v3": (keras.applications.InceptionV3, {}, 96),
          "efficientnet_b0": (keras.applications.EfficientNetB0, {}, 64), "basenet": (basenet, {}, 32)}


def base(name):
    make, arguments, size = MODELS[name]
    return make(weights=None, include_top=False, input_shape=(size, size, 3), **arguments)


def flat(name):
    """The layers of a base and a head in one model."""
    body = base(name)
    pooled = body.outputs[0] if name == "basenet" else keras.layers.GlobalAveragePooling2D()(body.outputs[0])
    return keras.Model(body.inputs[0], keras.layers.Dense(CLASSES, activation="softmax")(pooled))


def nested(name):
    """A base inside a Sequential."""
    pool = [] if name == "basenet" else [keras.layers.GlobalAveragePooling2D()]
    model = keras.Sequential([base(name), *pool, keras.layers.Dense(CLASSES, activation="softmax")])
    model.build((None, MODELS[name][2], MODELS[name][2], 3))
    return model


def randomise(model, seed):
    random = np.random.default_rng(seed)
    model.set_weights([np.asarray(random.uniform(0.05, 0.15, w.shape), w.dtype) for w in model.get_weights()])
    return model


def outputs(model, name):
    size = MODELS[name][2]
    return np.asarray(model(np.random.default_rng(9).uniform(-1, 1, (2, size, size, 3)).astype("f4"), training=False))


def make(folder, name):
    """Writes files of a model that the session builds for the second time, so that its automatic names have higher numbers."""
    keras.backend.clear_session()
    flat(name)
    model = randomise(flat(name), 1)
    model.save_weights(f"{folder}/{name}_flat.weights.h5")
    model.save(f"{folder}/{name}_whole.h5")
    np.savez(f"{folder}/{name}_expected.npz", *model.get_weights(), output=outputs(model, name))
    twin = nested(name)
    twin.set_weights(model.get_weights())
    twin.save_weights(f"{folder}/{name}_nested.weights.h5")
    twin.save(f"{folder}/{name}_nestedwhole.h5")


def make_pair(folder):
    """Writes files of models in which a parameter could belong to more than one layer."""
    keras.backend.clear_session()
    inputs = keras.Input((32, 32, 3))
    both = keras.layers.Concatenate()([basenet((32, 32, 3))(inputs), basenet((32, 32, 3))(inputs)])
    keras.Model(inputs, keras.layers.Dense(CLASSES)(both)).save_weights(f"{folder}/pair.weights.h5")
    keras.backend.clear_session()
    body = base("inception_v3")
    model = keras.Sequential([body, keras.layers.GlobalAveragePooling2D(), keras.layers.BatchNormalization(),
                              keras.layers.Dense(CLASSES)])
    randomise(model, 3).save_weights(f"{folder}/normed.weights.h5")
    np.savez(f"{folder}/normed.npz", *body.get_weights())


def load(folder, name, files):
    expected = np.load(f"{folder}/{name}_expected.npz")
    keras.backend.clear_session()
    model = flat(name)
    for i, file in enumerate(files):
        randomise(model, 2 + i).load_weights(f"{folder}/{file}")
        for k, got in enumerate(model.get_weights()):
            assert np.array_equal(got, expected[f"arr_{k}"]), f"{file}: weight {k}"
    assert np.array_equal(outputs(model, name), expected["output"], equal_nan=True), name


def load_normed(folder, file):
    keras.backend.clear_session()
    body = randomise(base("inception_v3"), 5)
    body.load_weights(f"{folder}/{file}")
    expected = np.load(f"{folder}/normed.npz")
    for k, got in enumerate(body.get_weights()):
        assert np.array_equal(got, expected[f"arr_{k}"]), k
