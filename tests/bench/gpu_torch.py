# SPDX-License-Identifier: Apache-2.0
"""Training steps in PyTorch as they are best written for a GPU: channels last, automatic mixed precision, cuDNN's benchmark,
a fused optimizer, no wait inside the loop. gpu_torch.py DEVICE PRECISION CLASSES reads from standard input

    open ARCH DIALECT SIZE BATCH eager|compiled resident|memory     runs three steps; answers ok
    STEPS                                                           runs so many steps; answers the seconds of one

and answers "failed: why" if a command fails. resident: the batch stays on the GPU; memory: it is copied from pinned memory
before each step."""
import sys
import time
import traceback

import torch

import torch_nets

TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Network:
    def __init__(self, device, precision, classes, arch, dialect, size, batch, how, where):
        self.device, self.precision = device, precision
        classes, size, batch = int(classes), int(size), int(batch)
        if torch_nets.tv is None and arch not in ("mobilenet", "xception"):
            raise RuntimeError(f"torchvision, which has {arch}, is not installed")
        torch.manual_seed(1)
        torch_nets.CLASSES = classes
        model = torch_nets.NETS[arch, dialect](size).to(self.device, memory_format=torch.channels_last).train()
        fused = {"fused": True} if self.device == "cuda" else {}
        self.optimizer = torch.optim.Adam(model.parameters(), 1e-4, eps=1e-7, **fused)
        self.scaler = torch.amp.GradScaler(self.device) if self.precision == "fp16" else None
        self.model = torch.compile(model) if how == "compiled" else model
        images = torch.rand(batch, 3, size, size).mul_(2).sub_(1).contiguous(memory_format=torch.channels_last)
        labels = torch.arange(batch) % classes
        self.from_memory = where == "memory" and self.device == "cuda"
        self.batch = ((images.pin_memory(), labels.pin_memory()) if self.from_memory else
                      (images.to(self.device), labels.to(self.device)))
        self.loss = torch.nn.CrossEntropyLoss()
        self.run(3)

    def step(self):
        images, labels = self.batch
        if self.from_memory:
            images, labels = (t.to(self.device, non_blocking=True) for t in self.batch)
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device, TYPES.get(self.precision, torch.bfloat16), enabled=self.precision in TYPES):
            loss = self.loss(self.model(images), labels)
        if not self.scaler:
            loss.backward()
            self.optimizer.step()
            return
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def run(self, steps):
        begun = time.perf_counter()
        for _ in range(steps):
            self.step()
        if self.device == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - begun) / steps


def main():
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = sys.argv[2] != "fp32"
    out, network = sys.stdout, None
    sys.stdout = sys.stderr  # what libraries print must not look like an answer
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "open":
                network = Network(*sys.argv[1:], *words[1:])
                reply = "ok"
            else:
                reply = f"{network.run(int(words[0])):.6f}"
        except Exception as error:  # every failure is reported in the table
            traceback.print_exc()
            reply = f"failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        print(reply, file=out, flush=True)


if __name__ == "__main__":
    main()
