# SPDX-License-Identifier: Apache-2.0
"""Twenty updates of every optimizer in the dialect of torch agree with torch.optim in double, and so do clipping, weight
decay, accumulation, the average of the weights, and rates by part of the network."""
import os
import sys

from optimizer_comparison import LR_MULT, compare_all

try:
    import torch
    from torch import optim
except ImportError as missing:
    print(f"{missing}; install python3-torch: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)


class NAdam(optim.NAdam):
    """torch.optim.NAdam as it is since torch 2.0. Before, the product of the momentums had one factor twice."""

    @torch.no_grad()
    def step(self):
        if int(torch.__version__.split(".")[0]) >= 2:
            return super().step()
        for group in self.param_groups:
            beta_1, beta_2 = group["betas"]
            for value in group["params"]:
                state = self.state[value]
                if not state:
                    state.update(step=0, product=1.0, m=torch.zeros_like(value), v=torch.zeros_like(value))
                state["step"] += 1
                now, later = (beta_1 * (1 - 0.5 * 0.96 ** ((state["step"] + k) * group["momentum_decay"])) for k in (0, 1))
                state["product"] *= now
                state["m"].lerp_(value.grad, 1 - beta_1)
                state["v"].lerp_(value.grad**2, 1 - beta_2)
                root = (state["v"] / (1 - beta_2 ** state["step"])).sqrt() + group["eps"]
                value.sub_(group["lr"] * (1 - now) / (1 - state["product"]) * value.grad / root)
                value.sub_(group["lr"] * later / (1 - state["product"] * later) * state["m"] / root)


def groups(tensors, values, kernels_only):
    if not kernels_only:
        return [{"params": values}]
    return [{"params": [v for v, t in zip(values, tensors) if t.is_kernel]},
            {"params": [v for v, t in zip(values, tensors) if not t.is_kernel], "weight_decay": 0}]


def set_rates(optimizer, tensors, values, factors):
    """Gives each tensor a group of its own, whose rate is multiplied by the factor of its layer."""
    of = {id(v): factors[t.layer] for v, t in zip(values, tensors)}
    optimizer.param_groups[:] = [{**group, "params": [v], "lr": group["lr"] * of[id(v)]}
                                 for group in optimizer.param_groups for v in group["params"]]


def reference(tensors, build, settings, clip=None, accumulate=1, ema=0, kernels_only=False, factors=None):
    values = [torch.tensor(t.before, dtype=torch.float64, requires_grad=True) for t in tensors]
    averages = [v.detach().clone() for v in values]
    optimizer = build(groups(tensors, values, kernels_only), **settings)
    if factors:
        set_rates(optimizer, tensors, values, factors)
    for step in range(len(tensors[0].gradients)):
        for value, tensor in zip(values, tensors):
            gradient = torch.tensor(tensor.gradients[step]) / accumulate
            value.grad = gradient if step % accumulate == 0 else value.grad + gradient
        if (step + 1) % accumulate:
            continue
        if clip:
            clip(values)
        optimizer.step()
        averages = [ema * a + (1 - ema) * v.detach() for a, v in zip(averages, values)]
    return [v.detach().numpy() for v in values], [a.numpy() for a in averages] if ema else None


def case(name, build, settings, options, **more):
    return name, {"dialect": "torch", **options}, build, settings, *(more.get(k, d) for k, d in
                                                                    [("clip", None), ("accumulate", 1), ("ema", 0),
                                                                     ("kernels_only", False), ("factors", None)])


def with_rates(name, options, *arguments):
    """The same case with each of the factors of LR_MULT."""
    return [(f"{name}, {text}", {**options, "lr_mult": text}, *arguments[:-1], factors) for text, factors in LR_MULT.items()]


CASES = [
    case("sgd", optim.SGD, {"lr": 1e-3}, {"optimizer": "sgd"}),
    case("sgd momentum", optim.SGD, {"lr": 0.02, "momentum": 0.9}, {"optimizer": "sgd", "lr": 0.02, "momentum": 0.9}),
    case("sgd nesterov", optim.SGD, {"lr": 0.01, "momentum": 0.8, "nesterov": True},
         {"optimizer": "sgd", "lr": 0.01, "momentum": 0.8, "nesterov": "true"}),
    case("sgd dampening", optim.SGD, {"lr": 0.01, "momentum": 0.9, "dampening": 0.4},
         {"optimizer": "sgd", "lr": 0.01, "momentum": 0.9, "dampening": 0.4}),
    case("sgd weight decay", optim.SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1},
         {"optimizer": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}),
    case("sgd without decay of biases", optim.SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1},
         {"optimizer": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 0.1, "decay_kernels_only": "true"},
         kernels_only=True),
    case("adam", optim.Adam, {}, {}),
    case("adam amsgrad", optim.Adam, {"lr": 0.01, "betas": (0.9, 0.9), "amsgrad": True},
         {"lr": 0.01, "beta_2": 0.9, "amsgrad": "true"}),
    case("adam weight decay", optim.Adam, {"weight_decay": 0.1}, {"weight_decay": 0.1}),
    case("adamw", optim.AdamW, {}, {"optimizer": "adamw"}),
    case("nadam", NAdam, {}, {"optimizer": "nadam"}),
    case("radam", optim.RAdam, {}, {"optimizer": "radam"}),
    case("radam beta_2", optim.RAdam, {"betas": (0.8, 0.99)}, {"optimizer": "radam", "beta_1": 0.8, "beta_2": 0.99}),
    case("adamax", optim.Adamax, {}, {"optimizer": "adamax"}),
    case("rmsprop", optim.RMSprop, {}, {"optimizer": "rmsprop"}),
    case("rmsprop momentum", optim.RMSprop, {"momentum": 0.9}, {"optimizer": "rmsprop", "momentum": 0.9}),
    case("rmsprop centered", optim.RMSprop, {"centered": True}, {"optimizer": "rmsprop", "centered": "true"}),
    case("rmsprop centered momentum", optim.RMSprop, {"alpha": 0.8, "momentum": 0.5, "centered": True},
         {"optimizer": "rmsprop", "rho": 0.8, "momentum": 0.5, "centered": "true"}),
    case("adagrad", optim.Adagrad, {}, {"optimizer": "adagrad"}),
    case("adagrad initial accumulator", optim.Adagrad, {"initial_accumulator_value": 0.5},
         {"optimizer": "adagrad", "initial_accumulator": 0.5}),
    case("adadelta", optim.Adadelta, {}, {"optimizer": "adadelta"}),
    case("clip_grad_norm_", optim.Adam, {}, {"global_clipnorm": 0.3},
         clip=lambda values: torch.nn.utils.clip_grad_norm_(values, 0.3)),
    case("clip_grad_norm_ of each tensor", optim.SGD, {"lr": 0.1}, {"optimizer": "sgd", "lr": 0.1, "clipnorm": 0.5},
         clip=lambda values: [torch.nn.utils.clip_grad_norm_([v], 0.5) for v in values]),
    case("clip_grad_value_", optim.SGD, {"lr": 0.1}, {"optimizer": "sgd", "lr": 0.1, "clipvalue": 0.125},
         clip=lambda values: torch.nn.utils.clip_grad_value_(values, 0.125)),
    case("accumulate", NAdam, {}, {"optimizer": "nadam", "accumulate": 3}, accumulate=3),
    case("accumulate ema", optim.Adam, {"lr": 0.01}, {"lr": 0.01, "accumulate": 4, "ema": 0.9}, accumulate=4, ema=0.9),
]

BY_PART = [row for one in CASES if one[0] in ("sgd nesterov", "sgd without decay of biases", "adam weight decay", "adamw",
                                              "nadam", "radam", "adamax", "rmsprop centered momentum", "adagrad", "adadelta",
                                              "clip_grad_norm_", "clip_grad_norm_ of each tensor", "accumulate ema")
           for row in with_rates(*one)]

sys.exit(0 if compare_all(CASES + BY_PART, reference) else 1)
