# SPDX-License-Identifier: Apache-2.0
"""Twenty updates of every optimizer in the dialect of Keras agree with the real Keras, which computes in double, and so do
clipping, weight decay, accumulation and the average of the weights. CNNSWEEP_KERAS_PYTHON names a Python that has keras."""
import sys

import inside_keras

inside_keras.enter()

import keras
import numpy as np
from keras import optimizers

from optimizer_comparison import LR_MULT, compare_all

keras.config.set_floatx("float64")


def max_norm(tensor, limit):
    """The constraint of a kernel: depthwise kernels [H,W,C,1] have one norm a channel, the others one an output."""
    if not tensor.is_kernel:
        return None
    axes = [0, 1] if tensor.before.ndim == 4 and tensor.before.shape[3] == 1 else list(range(tensor.before.ndim - 1))
    return keras.constraints.MaxNorm(limit, axes)


def reference(tensors, build, kernels_only=False, limit=0):
    variables = [keras.Variable(t.before, dtype="float64", name=t.role) for t in tensors]
    for variable, tensor in zip(variables, tensors):
        variable.constraint = max_norm(tensor, limit) if limit else None
    optimizer = build()
    if kernels_only:
        optimizer.exclude_from_weight_decay(var_list=[v for v, t in zip(variables, tensors) if not t.is_kernel])
    optimizer.build(variables)
    for step in range(len(tensors[0].gradients)):
        optimizer.apply([keras.ops.convert_to_tensor(t.gradients[step], "float64") for t in tensors])
    average = [keras.ops.convert_to_numpy(v) for v in optimizer._model_variables_moving_average] if optimizer.use_ema else None
    return [keras.ops.convert_to_numpy(v) for v in variables], average


def reference_by_part(tensors, build, factors):
    """An optimizer of its own for each tensor, whose rate is multiplied by the factor of its layer."""
    values = []
    for tensor in tensors:
        variable, optimizer = keras.Variable(tensor.before, dtype="float64", name=tensor.role), build()
        optimizer.build([variable])
        optimizer.learning_rate = float(optimizer.learning_rate) * factors[tensor.layer]
        for gradient in tensor.gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient, "float64")])
        values.append(keras.ops.convert_to_numpy(variable))
    return values, None


# Keras rounds these two to float32 in some places, also where it computes in double.
BETA_1, BETA_2 = float(np.float32(0.9)), float(np.float32(0.999))
BETAS = {"beta_1": BETA_1, "beta_2": BETA_2}


def case(name, build, *arguments, **options):
    return name, {"dialect": "keras", **options}, build, *arguments


def with_betas(build, **more):
    return lambda: build(beta_1=BETA_1, beta_2=BETA_2, **more)


def limited(name, limit, build, arch="basenet_deep_bn", **options):
    """Cases whose kernels all have a largest norm."""
    settings = {"model.max_norm": limit, "model.regularize": "all", "model.arch": arch}
    return f"max_norm {name}", {"dialect": "keras", **settings, **options}, build, False, limit


CASES = [
    case("sgd", optimizers.SGD, optimizer="sgd"),
    case("sgd momentum", lambda: optimizers.SGD(0.02, momentum=0.9), optimizer="sgd", lr=0.02, momentum=0.9),
    case("sgd nesterov", lambda: optimizers.SGD(momentum=0.8, nesterov=True), optimizer="sgd", momentum=0.8,
         nesterov="true"),
    case("adam", with_betas(optimizers.Adam), **BETAS),
    case("adam amsgrad", with_betas(optimizers.Adam, learning_rate=0.01, amsgrad=True), lr=0.01, amsgrad="true", **BETAS),
    case("adamw", with_betas(optimizers.AdamW), optimizer="adamw", **BETAS),
    case("adamw without decay of biases", with_betas(optimizers.AdamW), True, optimizer="adamw", decay_kernels_only="true",
         **BETAS),
    case("nadam", with_betas(optimizers.Nadam), optimizer="nadam", **BETAS),
    case("adamax", with_betas(optimizers.Adamax), optimizer="adamax", **BETAS),
    case("rmsprop", optimizers.RMSprop, optimizer="rmsprop"),
    case("rmsprop momentum", lambda: optimizers.RMSprop(momentum=0.9), optimizer="rmsprop", momentum=0.9),
    case("rmsprop centered", lambda: optimizers.RMSprop(centered=True), optimizer="rmsprop", centered="true"),
    case("rmsprop centered momentum", lambda: optimizers.RMSprop(rho=0.8, momentum=0.5, centered=True), optimizer="rmsprop",
         rho=0.8, momentum=0.5, centered="true"),
    case("adagrad", optimizers.Adagrad, optimizer="adagrad"),
    case("adadelta", lambda: optimizers.Adadelta(0.5), optimizer="adadelta", lr=0.5),
    case("lion", with_betas(optimizers.Lion), optimizer="lion", **BETAS),
    case("lamb", with_betas(optimizers.Lamb), optimizer="lamb", **BETAS),
    case("lamb weight decay", with_betas(optimizers.Lamb, weight_decay=0.1), optimizer="lamb", weight_decay=0.1, **BETAS),
    case("sgd weight decay", lambda: optimizers.SGD(0.1, weight_decay=0.2), optimizer="sgd", lr=0.1, weight_decay=0.2),
    case("clipnorm", lambda: optimizers.SGD(0.1, momentum=0.9, clipnorm=0.5), optimizer="sgd", lr=0.1, momentum=0.9,
         clipnorm=0.5),
    case("global_clipnorm", with_betas(optimizers.Adam, global_clipnorm=0.3), global_clipnorm=0.3, **BETAS),
    case("clipvalue", lambda: optimizers.SGD(0.1, clipvalue=0.125), optimizer="sgd", lr=0.1, clipvalue=0.125),
    case("accumulate", with_betas(optimizers.Adam, gradient_accumulation_steps=3), accumulate=3, **BETAS),
    case("accumulate clipnorm nadam", with_betas(optimizers.Nadam, gradient_accumulation_steps=4, clipnorm=0.5),
         optimizer="nadam", accumulate=4, clipnorm=0.5, **BETAS),
    case("ema", with_betas(optimizers.Adam, learning_rate=0.01, use_ema=True, ema_momentum=0.9), lr=0.01, ema=0.9, **BETAS),
    limited("sgd", 0.5, lambda: optimizers.SGD(0.1, momentum=0.9), optimizer="sgd", lr=0.1, momentum=0.9),
    limited("adam ema", 1, with_betas(optimizers.Adam, learning_rate=0.01, use_ema=True, ema_momentum=0.9), lr=0.01, ema=0.9,
            **BETAS),
    limited("lamb", 1.5, with_betas(optimizers.Lamb), optimizer="lamb", **BETAS),
    limited("depthwise", 0.5, lambda: optimizers.SGD(0.1), arch="mobilenet", optimizer="sgd", lr=0.1,
            **{"model.alpha": 0.25}),
    case("accumulate ema", lambda: optimizers.SGD(0.1, use_ema=True, gradient_accumulation_steps=3), optimizer="sgd", lr=0.1,
         accumulate=3, ema=0.99),
]

BY_PART = [(f"{name}, {text}", {**options, "lr_mult": text}, build, factors) for name, options, build, *_ in CASES
           for text, factors in LR_MULT.items()
           if name in ("sgd momentum", "adamw", "lion", "lamb", "lamb weight decay", "clipnorm")]

sys.exit(0 if compare_all(CASES, reference) and compare_all(BY_PART, reference_by_part) else 1)
