# SPDX-License-Identifier: Apache-2.0
"""The same work as engine_rate in PyTorch, as it is best written in it: torch_rate.py THREADS reads from standard input

    open ARCH DIALECT SIZE BATCH train|forward channels_last|contiguous [OPTIMIZER]     opens a network and runs one step
    STEPS                                                                               prints the median of their seconds

"forward" runs in eval mode under inference_mode. The optimizer (Adam if none is named) is fused where torch has that, else it
works on lists of tensors (foreach)."""
import statistics
import sys
import time

import torch

from torch_nets import NETS


OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "nadam": "NAdam", "radam": "RAdam", "adamax": "Adamax",
              "rmsprop": "RMSprop", "adagrad": "Adagrad", "adadelta": "Adadelta"}


def build_optimizer(name, parameters):
    parameters, settings = list(parameters), {"momentum": 0.9} if name == "sgd" else {}
    for way in ({"fused": True}, {"foreach": True}, {}):
        try:
            return getattr(torch.optim, OPTIMIZERS[name])(parameters, lr=1e-4, **settings, **way)
        except (TypeError, RuntimeError, ValueError):
            pass


def open_network(arch, dialect, size, batch, mode, layout, optimizer="adam"):
    size, batch = int(size), int(batch)
    torch.manual_seed(1)
    memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    model = NETS[arch, dialect](size).to(memory_format=memory_format).train(mode == "train")
    images = torch.rand(batch, 3, size, size).mul(2).sub(1).contiguous(memory_format=memory_format)
    labels = torch.arange(batch) % 2
    optimizer = build_optimizer(optimizer, model.parameters())
    loss_function = torch.nn.CrossEntropyLoss()

    def train():
        optimizer.zero_grad(set_to_none=True)
        loss_function(model(images), labels).backward()
        optimizer.step()

    def forward():
        with torch.inference_mode():
            model(images)

    return train if mode == "train" else forward


def seconds(step):
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


torch.set_num_threads(int(sys.argv[1]))
for line in sys.stdin:
    words = line.split()
    if words[0] == "open":
        step = open_network(*words[1:])
        step()
    else:
        print(f"{statistics.median(seconds(step) for _ in range(int(words[0]))):.6f}", flush=True)
