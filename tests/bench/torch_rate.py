"""The same work as engine_rate in PyTorch, the way it is best written there: torch_rate.py SIZE BATCH train|forward STEPS
THREADS. Channels last; the frozen forward in eval mode under inference_mode. Prints the seconds of each step."""
import sys
import time

import torch
from torch import nn

size, batch, mode, steps, threads = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
torch.set_num_threads(threads)
torch.manual_seed(1)


def unit(channels, filters, stride, kernel=3, groups=1, padding=None):
    padding = kernel // 2 if padding is None else padding
    return nn.Sequential(
        nn.Conv2d(channels, filters, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01),
        nn.ReLU6(inplace=True),
    )


def mobilenet(with_head):
    layers, channels, pixels = [unit(3, 32, 2)], 32, (size + 1) // 2
    for filters, stride in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]:
        # Keras pads bottom and right only, so an odd size loses its last row; without padding torch gives the same size
        # and, unlike with a padding layer, pays nothing for it.
        padding = 0 if stride == 2 and pixels % 2 else 1
        layers += [unit(channels, channels, stride, groups=channels, padding=padding), unit(channels, filters, 1, kernel=1)]
        channels, pixels = filters, pixels // stride
    if with_head:
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 2)]
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


model = mobilenet(mode == "train")
images = torch.rand(batch, 3, size, size).mul(2).sub(1).to(memory_format=torch.channels_last)
labels = torch.arange(batch) % 2
optimizer = torch.optim.Adam(model.parameters(), 1e-4)
loss_function = nn.CrossEntropyLoss()


def train():
    optimizer.zero_grad(set_to_none=True)
    loss_function(model(images), labels).backward()
    optimizer.step()


def forward():
    with torch.inference_mode():
        model(images)


model.train(mode == "train")
step = train if mode == "train" else forward
WARM_UP = 2
for i in range(WARM_UP + steps):
    start = time.perf_counter()
    step()
    if i >= WARM_UP:
        print(f"{time.perf_counter() - start:.6f}")
