# SPDX-License-Identifier: Apache-2.0
"""The same work as engine_rate in PyTorch, as it is best written in it: torch_rate.py THREADS reads from standard input

    open ARCH DIALECT SIZE BATCH train|forward channels_last|contiguous     opens a network and runs one step
    STEPS                                                                   prints the median of their seconds

"forward" runs in eval mode under inference_mode."""
import statistics
import sys
import time

import torch

from torch_nets import NETS


def open_network(arch, dialect, size, batch, mode, layout):
    size, batch = int(size), int(batch)
    torch.manual_seed(1)
    memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    model = NETS[arch, dialect](size).to(memory_format=memory_format).train(mode == "train")
    images = torch.rand(batch, 3, size, size).mul(2).sub(1).contiguous(memory_format=memory_format)
    labels = torch.arange(batch) % 2
    optimizer = torch.optim.Adam(model.parameters(), 1e-4)
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
