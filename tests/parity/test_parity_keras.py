# SPDX-License-Identifier: Apache-2.0
"""Every Keras architecture of the zoo agrees with the real Keras: we load its files, features, probabilities and every
gradient agree, and Keras loads our files and gives the same output. CNNSWEEP_KERAS_PYTHON names a Python that has tensorflow.
Arguments are names of architectures; without any, all are compared."""
import functools
import os
import pathlib
import sys
import tempfile

import inside_keras

inside_keras.enter()
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # plain kernels, so that the reference shares no code with our engine

import keras
import numpy as np
import tensorflow as tf
from keras import applications, layers

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from small_nets import SMALL, small
from zoo_comparison import CLASSES, avoid_corners, compare, error, make_batch, on_some_batch, zoo_step


def published(build, **options):
    """Returns a function that builds the application with its classifier: (model, output of its last feature map)."""

    @functools.cache
    def base_layers():
        return len(build(weights=None, include_top=False, **options).layers)

    def make(h, w):
        model = build(input_shape=(h, w, 3), weights=None, classes=CLASSES, **options)
        return model, model.layers[base_layers() - 1].output

    return make


# arch, head, alpha, how Keras builds it, its preprocess_input, two sizes
CASES = [
    ("mobilenet", "top", 0.5, published(applications.MobileNet, alpha=0.5), applications.mobilenet, ((64, 64), (97, 80))),
    ("mobilenet_v2", "top", 1.4, published(applications.MobileNetV2, alpha=1.4), applications.mobilenet_v2,
     ((64, 64), (97, 80))),
    ("resnet50", "top", 1, published(applications.ResNet50), applications.resnet, ((64, 64), (97, 80))),
    ("inception_v3", "top", 1, published(applications.InceptionV3), applications.inception_v3, ((80, 80), (97, 90))),
    ("xception", "top", 1, published(applications.Xception), applications.xception, ((72, 72), (75, 90))),
    ("densenet121", "top", 1, published(applications.DenseNet121), applications.densenet, ((64, 64), (97, 80))),
    ("densenet169", "top", 1, published(applications.DenseNet169), applications.densenet, ((97, 80),)),
    ("efficientnet_b0", "top", 1, published(applications.EfficientNetB0), applications.efficientnet,
     ((64, 64), (97, 80))),
    *((arch, "", 1, functools.partial(small, arch, classes=CLASSES), None, ((32, 32), (33, 48))) for arch in SMALL),
]


def randomise(model):
    rng = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, layers.Dropout):
            layer.rate = 0
        for weight in layer.weights:
            if weight.name in ("moving_variance", "variance"):
                weight.assign(rng.uniform(0.5, 1.5, weight.shape))
            elif weight.name in ("moving_mean", "mean", "bias"):
                weight.assign(rng.uniform(-0.2, 0.2, weight.shape))
            elif weight.name in ("gamma", "beta"):
                values = rng.uniform(0.5, 1.5, weight.shape).astype(np.float32)
                weight.assign(avoid_corners(weight.name, values, layer.scale))
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()


def gradients_of(model, images, labels):
    with tf.GradientTape() as tape:
        probabilities = model(images, training=True)
        loss = -tf.reduce_mean(tf.math.log(tf.gather(probabilities, labels, batch_dims=1)))  # Keras' own loss is clipped
    names = {}
    for layer in model.layers:
        for weight in layer.trainable_weights:
            role = "depthwise_kernel" if weight.name == "kernel" and isinstance(layer, layers.DepthwiseConv2D) else \
                weight.name
            names[id(weight)] = f"{layer.name}/{role}"
    found = tape.gradient(loss, [w.value for w in model.trainable_weights])
    return {names[id(w)]: g.numpy() for w, g in zip(model.trainable_weights, found)}


def set_weights(model, weights):
    model.set_weights(weights)
    for layer in model.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()


def in_double(make, size, weights):
    """The same model in float64, so that only our rounding makes a difference; and a model that gives features and output."""
    keras.backend.clear_session()
    keras.config.set_floatx("float64")
    model, features = make(*size)
    set_weights(model, weights)
    for layer in model.layers:
        if isinstance(layer, layers.Dropout):
            layer.rate = 0
    keras.config.set_floatx("float32")
    return model, keras.Model(model.input, [features, model.output])


def loads_unchanged(folder, model, images):
    """Each of our files, loaded into the model after its weights were set to zero, gives the model's output as before."""
    want = model(images).numpy()
    good = True
    for name in ("ours.weights.h5", "ours.h5"):
        set_weights(model, [np.zeros(weight.shape) for weight in model.weights])
        model.load_weights(folder / name)
        got = error(model(images).numpy(), want)
        good = good and got == 0
        if got:
            print(f"FAIL {name} loaded into Keras gives another output: {got:.1e}")
    return good


def check(arch, head, alpha, make, module, size, first, folder):
    """Compares one case. Our files do not depend on the size: Keras loads those of the first size alone."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    model, _ = make(*size)
    randomise(model)
    preprocess = module.preprocess_input if module else lambda pixels: pixels / 255
    files = [folder / "theirs.weights.h5", folder / "theirs.h5"]
    model.save_weights(files[0])
    model.save(files[1])

    weights = model.get_weights()
    exact, outputs = in_double(make, size, weights)

    def agrees(seed):
        exact.set_weights(weights)  # a training step changes the moving statistics of its batch norms
        images, labels = make_batch(folder, seed, *size, preprocess)
        zoo_step(folder, arch, "keras", head, alpha, *size, files)
        want = [t.numpy() for t in outputs(images)]
        return compare(folder, f"{arch} {size[0]}x{size[1]}", *want, gradients_of(exact, images, labels))

    good = on_some_batch(agrees)
    if not first:
        return good
    images, _ = make_batch(folder, 0, *size, preprocess)
    return loads_unchanged(folder, model, images) and good


keras.config.disable_traceback_filtering()
results = []
for arch, head, alpha, make, module, sizes in CASES:
    for size in sizes if len(sys.argv) < 2 or arch in sys.argv[1:] else ():
        with tempfile.TemporaryDirectory() as scratch:
            results.append(check(arch, head, alpha, make, module, size, size == sizes[0], pathlib.Path(scratch)))
print(f"{sum(results)} of {len(results)} agree with Keras {keras.__version__}")
sys.exit(0 if results and all(results) else 1)
