#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes torch_models.txt: torchvision's own description of its networks that the zoo has.

Needs torchvision (python3-torchvision). Run it when the zoo changes; the tests read the text file.
    python3 make_torch_models.py > torch_models.txt

    model ARCH ALPHA H W CLASSES MIN      CLASSES 0: the layers before the classifier; MIN: the smallest size published
    norm EPSILON MOMENTUM                 of every BatchNorm2d, momentum in torch's sense
    layer NAME CLASS SHAPE TRAINABLE STATISTICS KERNEL PARAMETER BIAS PARAMETER
                                          NAME as torchvision.models.feature_extraction has it, SHAPE HxWxC or C, how many
                                          values of each sort; KERNEL and BIAS: how a fresh module fills them
    totals TOTAL TRAINABLE STATISTICS

Left out: torch.flatten (our pooling gives flat values) and torch.cat of a single tensor, which change nothing.
"""
import torch
import torchvision
from torch.fx.passes.shape_prop import ShapeProp
from torchvision.models import feature_extraction

FUNCTIONS = {"relu": "ReLU", "adaptive_avg_pool2d": "AdaptiveAvgPool2d", "cat": "Cat", "add": "Add", "iadd": "Add"}


def recorded(method):
    """Wraps a tensor method, so that it also records how the tensor was filled: the method's name and its arguments."""
    original = getattr(torch.Tensor, method)

    def fill(tensor, *args):
        tensor.filled = (method, *args)
        return original(tensor, *args)

    setattr(torch.Tensor, method, fill)


def filling(parameter):
    """How the parameter was filled: "normal DEVIATION", "uniform LIMIT" or "constant VALUE"; "none 0" if there is none."""
    if parameter is None:
        return "none 0"
    method, *values = parameter.filled
    if method in ("zero_", "fill_"):
        return f"constant {values[0] if values else 0:g}"
    first, last = values
    assert first == (0 if method == "normal_" else -last)
    return f"{method.strip('_')} {last:.9g}"


def shape_of(node):
    shape = node.meta["tensor_meta"].shape
    return "x".join(str(d) for d in (*shape[2:], shape[1]))


def describe_node(node, name, modules):
    if node.op == "placeholder":
        print("layer", name, "Input", shape_of(node), 0, 0, "none 0 none 0")
        return 0, 0
    if node.op == "call_function":
        print("layer", name, FUNCTIONS[node.target.__name__], shape_of(node), 0, 0, "none 0 none 0")
        return 0, 0
    module = modules[node.target]
    trainable = sum(p.numel() for p in module.parameters())
    statistics = sum(b.numel() for n, b in module.named_buffers() if n != "num_batches_tracked")
    fillings = (filling(getattr(module, n, None)) for n in ("weight", "bias"))
    print("layer", name, type(module).__name__, shape_of(node), trainable, statistics, *fillings)
    return trainable, statistics


def is_kept(node):
    if node.op == "output" or (node.op == "call_function" and node.target is torch.flatten):
        return False
    return node.op != "call_function" or node.target is not torch.cat or len(node.args[0]) > 1


def describe(arch, alpha, h, w, classes):
    options = {"width_mult": alpha} if alpha != 1 else {}
    model = getattr(torchvision.models, arch)(weights=None, num_classes=classes or 1000, **options).eval()
    tracer = feature_extraction.NodePathTracer()
    graph = tracer.trace(model)
    ShapeProp(torch.fx.GraphModule(model, graph)).propagate(torch.zeros(1, 3, h, w))
    modules = dict(model.named_modules())
    published = torchvision.models.get_model_weights(arch).DEFAULT
    print("model", arch, alpha, h, w, classes, min(published.meta["min_size"]))
    for norm in sorted({(m.eps, m.momentum) for m in modules.values() if isinstance(m, torch.nn.BatchNorm2d)}):
        print("norm", *norm)
    trainable = statistics = 0
    for node in graph.nodes:
        name = tracer.node_to_qualname.get(node)
        if not classes and name in ("avgpool", "adaptive_avg_pool2d"):
            break
        if is_kept(node):
            counts = describe_node(node, name, modules)
            trainable, statistics = trainable + counts[0], statistics + counts[1]
    print("totals", trainable + statistics, trainable, statistics)


for method in ("normal_", "uniform_", "fill_", "zero_"):
    recorded(method)
describe("resnet18", 1, 224, 224, 1000)
describe("resnet18", 1, 33, 70, 0)
describe("resnet50", 1, 224, 224, 1000)
describe("resnet50", 1, 97, 161, 0)
describe("densenet121", 1, 224, 224, 1000)
describe("densenet121", 1, 97, 161, 0)
describe("densenet169", 1, 64, 64, 1000)
describe("densenet169", 1, 29, 50, 0)
describe("mobilenet_v2", 1, 224, 224, 1000)
describe("mobilenet_v2", 1, 33, 97, 0)
describe("mobilenet_v2", 0.35, 64, 64, 7)
describe("mobilenet_v2", 1.4, 161, 50, 0)
