"""The same work as engine_rate in PyTorch, the way it is best written there:

    torch_rate.py ARCH DIALECT SIZE BATCH train|forward STEPS THREADS channels_last|contiguous

The frozen forward in eval mode under inference_mode. Prints the seconds of each step."""
import sys
import time

import torch

from torch_nets import NETS

arch, dialect, mode, layout = sys.argv[1], sys.argv[2], sys.argv[5], sys.argv[8]
size, batch, steps, threads = (int(sys.argv[i]) for i in (3, 4, 6, 7))
torch.set_num_threads(threads)
torch.manual_seed(1)
memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format

model = NETS[arch, dialect](size).to(memory_format=memory_format)
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


model.train(mode == "train")
step = train if mode == "train" else forward
WARM_UP = 1
for i in range(WARM_UP + steps):
    start = time.perf_counter()
    step()
    if i >= WARM_UP:
        print(f"{time.perf_counter() - start:.6f}")
