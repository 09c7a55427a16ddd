# SPDX-License-Identifier: Apache-2.0
"""Computes the cases that test_ref_torch.c wrote with PyTorch in double and compares the results. Exit 77: no PyTorch.

For each case the text file has its layers and parameters, the input, the initial values, and the results of the ref engine:
logits, loss, gradients, and the parameter values after some steps of each optimizer.
"""
import sys

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as missing:
    print(f"{missing}; install python3-torch")
    sys.exit(77)

TOLERANCE = 2e-6  # of the largest value in a tensor: the file has floats
torch.set_num_threads(1)


def single(text):
    """Exactly the float of the C program: 1 - beta_2 is sensitive to its rounding."""
    return float(np.float32(text))


class Case:
    def __init__(self, name, rows):
        self.name, self.rows = name, int(rows)
        self.layers, self.params, self.tensors, self.optimizers = [], [], {}, {}

    def add(self, kind, words):
        if kind == "layer":
            name, layer_kind, activation, trainable, epsilon, momentum, unbiased, flat, l1, l2, max_norm, *rest = words
            numbers = [int(n) for n in rest[3:]]
            self.layers.append(dict(name=name, kind=layer_kind, activation=activation, trainable=trainable == "1",
                                    epsilon=single(epsilon), momentum=single(momentum), unbiased=unbiased == "1",
                                    flat=flat == "1", l1=single(l1), l2=single(l2), max_norm=single(max_norm), factor=[single(f) for f in rest[:3]],
                                    window=numbers[:8], inputs=numbers[8:]))
        elif kind == "param":
            layer, role, offset, *dims = words
            self.params.append(dict(layer=int(layer), role=role, offset=int(offset), dims=[int(d) for d in dims]))
        elif kind == "labels":
            self.labels = torch.tensor([int(w) for w in words])
        elif kind == "shape":
            self.shape = [int(w) for w in words]
        elif kind == "optimizer":
            self.optimizers[words[0]] = [single(w) for w in words[1:]]
        else:
            self.tensors[words[0]] = np.array(words[1:], dtype=np.float32).astype(np.float64)

    def image(self):
        return torch.tensor(self.tensors["input"]).reshape(self.rows, *self.shape).permute(0, 3, 1, 2)

    def values(self):
        """The values by (layer, role); those that are trained have requires_grad."""
        result = {}
        for p in self.params:
            flat = self.tensors["initial"][p["offset"]:p["offset"] + int(np.prod(p["dims"]))]
            value = torch.tensor(flat).reshape(p["dims"])
            statistic = p["role"].startswith("moving") or p["role"] in ("mean", "variance", "count")
            value.requires_grad_(self.layers[p["layer"]]["trainable"] and not statistic)
            result[p["layer"], p["role"]] = value
        return result


def pad(x, window, value=0.0):
    top, bottom, left, right = window[4:]
    return F.pad(x, (left, right, top, bottom), value=value)


def convolve(x, kernel, bias, window, depthwise):
    if depthwise:  # HWC1 -> C1HW
        return F.conv2d(pad(x, window), kernel.permute(2, 3, 0, 1), bias, stride=window[2:4], groups=x.shape[1])
    return F.conv2d(pad(x, window), kernel.permute(3, 2, 0, 1), bias, stride=window[2:4])


def batch_norm(x, layer, gamma, beta, moving_mean, moving_variance, training):
    """In training a trainable layer uses the statistics of the batch. Keras updates the moving variance with the biased
    variance of the batch, torch with the unbiased one."""
    if not (training and layer["trainable"]):
        return F.batch_norm(x, moving_mean, moving_variance, gamma, beta, False, 0.0, layer["epsilon"])
    axes = [0, 2, 3][:x.dim() - 1]
    with torch.no_grad():
        keep = layer["momentum"]
        moving_mean.mul_(keep).add_(x.mean(axes) * (1 - keep))
        moving_variance.mul_(keep).add_(x.var(axes, unbiased=layer["unbiased"]) * (1 - keep))
    # F.batch_norm refuses a single value per channel, which a last batch of one image may have.
    return torch.batch_norm(x, gamma, beta, None, None, True, 0.0, layer["epsilon"], False)


def average_pool(x, window):
    """The mean over a window without its padding."""
    ones = pad(torch.ones_like(x), window)
    size, stride = window[:2], window[2:4]
    return F.avg_pool2d(pad(x, window), size, stride) / F.avg_pool2d(ones, size, stride)


def separable(x, layer, get):
    x = convolve(x, get("kernel"), None, layer["window"], True)
    return F.conv2d(x, get("pointwise_kernel").permute(3, 2, 0, 1), get("bias"))


def dropout(x, factors):
    """`factors` has a factor for each value in NHWC order, or one for each row."""
    n, c = x.shape[:2]
    if factors.size == n:
        return x * torch.tensor(factors).reshape(n, *[1] * (x.dim() - 1))
    factors = torch.tensor(factors)
    return x * (factors.reshape(n, c) if x.dim() == 2 else factors.reshape(n, *x.shape[2:], c).permute(0, 3, 1, 2))


def run_layer(layer, inputs, get, training, factors):
    x, kind, window = inputs[0], layer["kind"], layer["window"]
    if kind in ("Conv2D", "DepthwiseConv2D"):
        return convolve(x, get("kernel"), get("bias"), window, kind == "DepthwiseConv2D")
    if kind == "SeparableConv2D":
        return separable(x, layer, get)
    if kind == "Rescaling":
        return x * torch.tensor(layer["factor"], dtype=x.dtype).reshape(1, -1, 1, 1)
    if kind == "Normalization":
        deviation = get("variance").sqrt().clamp(min=1e-7)
        return (x - get("mean").reshape(1, -1, 1, 1)) / deviation.reshape(1, -1, 1, 1)
    if kind == "Dropout":
        return x if factors is None or not training else dropout(x, factors)
    if kind == "BatchNormalization":
        return batch_norm(x, layer, get("gamma"), get("beta"), get("moving_mean"), get("moving_variance"), training)
    if kind == "MaxPooling2D":
        return F.max_pool2d(pad(x, window, -np.inf), window[:2], window[2:4])
    if kind == "AveragePooling2D":
        return average_pool(x, window)
    if kind == "GlobalAveragePooling2D":
        return x.mean([2, 3], keepdim=not layer["flat"])
    if kind == "ZeroPadding2D":
        return pad(x, window)
    if kind == "Add":
        return inputs[0] + inputs[1]
    if kind == "Multiply":
        return inputs[0] * inputs[1]
    if kind == "Reshape":
        return x.flatten(1) if x.dim() == 4 else x[:, :, None, None]
    if kind == "Concatenate":
        return torch.cat(inputs, 1)
    if kind == "Flatten":
        return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1)
    if kind == "Dense":
        return F.linear(x, get("kernel").T, get("bias"))
    if kind == "Activation":
        return x
    raise ValueError(f"layer kind {kind} has no reference")


def forward(case, values, training):
    made = []
    for index, layer in enumerate(case.layers):
        if not layer["inputs"]:
            made.append(case.image())
            continue
        x = run_layer(layer, [made[i] for i in layer["inputs"]], lambda role: values.get((index, role)), training,
                      case.tensors.get(layer["name"]))
        activations = {"relu": F.relu, "relu6": F.relu6, "swish": F.silu, "sigmoid": torch.sigmoid}
        made.append(activations.get(layer["activation"], lambda v: v)(x))
    return made[-1]


def flat(case, tensors):
    """All values in the order of the file; a parameter without a tensor is 0."""
    result = np.zeros(len(case.tensors["initial"]))
    for p in case.params:
        tensor = tensors[p["layer"], p["role"]]
        if tensor is not None:
            result[p["offset"]:p["offset"] + tensor.numel()] = tensor.detach().numpy().ravel()
    return result


def trained(values):
    return [v for v in values.values() if v.requires_grad]


def binary_loss(case, logits, soft):
    """Class 1 is the positive one. Soft targets of both classes need not add up to 1."""
    targets = torch.tensor(case.tensors["targets"]).reshape(-1, 2) if soft else F.one_hot(case.labels, 2).double()
    weight = targets.sum(1)
    positive = torch.where(weight > 0, targets[:, 1] / weight.clamp(min=1e-30), torch.zeros_like(weight))
    return F.binary_cross_entropy_with_logits(logits[:, 0], positive, weight, reduction="sum")


def is_binary(case):
    return case.layers[-1]["activation"] == "binary"


def probabilities_of(case, logits):
    if not is_binary(case):
        return logits.softmax(1)
    return torch.cat([1 - logits.sigmoid(), logits.sigmoid()], 1)


def loss_of(case, values, soft=False):
    logits = forward(case, values, True)
    if is_binary(case):
        return logits, binary_loss(case, logits, soft)
    targets = torch.tensor(case.tensors["targets"]).reshape(logits.shape) if soft else case.labels
    return logits, F.cross_entropy(logits, targets, reduction="sum")


def kernels_of(case, values):
    """(layer, kernel, is it depthwise?) of all kernels that are trained."""
    return [(case.layers[l], value, role == "kernel" and case.layers[l]["kind"] in ("DepthwiseConv2D", "SeparableConv2D"))
            for (l, role), value in values.items() if role in ("kernel", "pointwise_kernel") and value.requires_grad]


def limit_norms(case, values):
    """Keras' MaxNorm over all axes of a kernel but its output, which a depthwise kernel [H,W,C,1] has third."""
    for layer, kernel, depthwise in kernels_of(case, values):
        if layer["max_norm"] > 0:
            axes = (0, 1) if depthwise else tuple(range(kernel.dim() - 1))
            norms = kernel.square().sum(axes, keepdim=True).sqrt()
            kernel.mul_(norms.clamp(0, layer["max_norm"]) / (1e-7 + norms))


def penalty_of(case, values):
    return sum([layer["l1"] * kernel.abs().sum() + layer["l2"] * (kernel ** 2).sum()
                for layer, kernel, _ in kernels_of(case, values)], torch.zeros(()))


def steps(case, name):
    """torch's optimizers, but with Keras' decoupled weight decay and Keras' epsilon, which is added to the uncorrected root."""
    count, lr, momentum, nesterov, beta_1, beta_2, epsilon, decay = case.optimizers[name]
    values = case.values()
    if name == "adam":
        optimizer = torch.optim.Adam(trained(values), lr=lr, betas=(beta_1, beta_2))
    else:
        optimizer = torch.optim.SGD(trained(values), lr=lr, momentum=momentum, nesterov=bool(nesterov))
    for step in range(1, int(count) + 1):
        optimizer.zero_grad()
        (loss_of(case, values)[1] / case.rows + penalty_of(case, values)).backward()
        with torch.no_grad():
            for value in trained(values):
                value.mul_(1 - lr * decay)
        if name == "adam":
            optimizer.param_groups[0]["eps"] = epsilon / np.sqrt(1 - beta_2 ** step)
        optimizer.step()
        with torch.no_grad():
            limit_norms(case, values)
    return flat(case, values)


def near(case, what, got, want, floor=0.0):
    scale = max(np.abs(want).max(), floor)
    error = np.abs(got - want).max()
    if error <= TOLERANCE * scale:
        return True
    print(f"{case.name}: {what} differs by {error / scale:.2g} of its largest value, {scale:.3g}")
    return False


def near_params(case, what, got, want):
    floor = 1e-3 * np.abs(want).max()
    return all([near(case, f"{what} of {case.layers[p['layer']]['name']}/{p['role']}", got[at], want[at], floor)
                for p in case.params for at in [slice(p["offset"], p["offset"] + int(np.prod(p["dims"])))]])


def step(case, soft=False):
    values = case.values()
    logits, loss = loss_of(case, values, soft)
    penalty = penalty_of(case, values)
    (loss / case.rows + penalty).backward()
    return logits, loss, penalty, flat(case, {key: value.grad for key, value in values.items()})


def compare(case):
    logits, loss, penalty, gradient = step(case)
    _, soft_loss, _, soft_gradient = step(case, soft=True)
    have = case.tensors
    good = [near(case, "logits", have["logits"], logits.detach().numpy().ravel()),
            near(case, "probabilities", have["probabilities"], probabilities_of(case, logits).detach().numpy().ravel()),
            near(case, "loss", have["loss"], loss.detach().numpy().reshape(1)),
            near(case, "penalty", have["penalty"], penalty.detach().numpy().reshape(1)),
            near(case, "inference", have["inference"], forward(case, case.values(), False).detach().numpy().ravel()),
            near_params(case, "gradient", have["gradient"], gradient),
            near(case, "loss of soft targets", have["soft_loss"], soft_loss.detach().numpy().reshape(1)),
            near_params(case, "gradient of soft targets", have["soft_gradient"], soft_gradient)]
    good += [near_params(case, f"value after {name}", have[name], steps(case, name)) for name in case.optimizers]
    return all(good)


def read(path):
    cases = []
    for line in open(path):
        kind, *words = line.split()
        if kind == "case":
            case = Case(*words)
        elif kind == "end":
            cases.append(case)
        else:
            case.add(kind, words)
    return cases


def main():
    cases = read(sys.argv[1])
    wrong = [case.name for case in cases if not compare(case)]
    print(f"{len(cases) - len(wrong)} of {len(cases)} cases agree with torch {torch.__version__}")
    return 1 if wrong or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
