# SPDX-License-Identifier: Apache-2.0
"""Compares explaining images by Grad-CAM with pytorch-grad-cam on the same networks, which run in turn.

    python3 tests/bench/explain_rate.py [--bin build/tests] [--images 1000] [--rounds 5] [--threads 1] [--batch 16] [--size 96]
        [--python python3]

--python names a Python that has torch, torchvision and pytorch-grad-cam (pip install grad-cam). Without that library a loop in
its style is measured, and the output says so: hooks keep the layer's output and its gradient, a backward pass through the
whole network, then weights, sum, scaling and resizing in numpy. Each round explains all images with both programs, one after the
other; the table has the medians of the rounds, and of the ratios of each round with the smallest and largest."""
import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
NETS = [("mobilenet", "keras", 224), ("resnet18", "torch", 224), ("mobilenet", "keras", 96)]


def plain_grad_cam(model, layer, F, torch):
    """The way of pytorch-grad-cam, for a Python that lacks it."""
    kept = {}

    def keep(_module, _inputs, output):
        kept["a"] = output.detach()
        output.register_hook(lambda gradient: kept.update(g=gradient))

    layer.register_forward_hook(keep)

    def explain(images):
        model.zero_grad()
        model(images)[:, 1].sum().backward()
        maps = (kept["g"].mean((2, 3), keepdim=True) * kept["a"]).sum(1, keepdim=True).clamp(min=0)
        maps = maps - maps.amin((2, 3), keepdim=True)
        maps = maps / (maps.amax((2, 3), keepdim=True) + 1e-7)
        return F.interpolate(maps, size=images.shape[2:], mode="bilinear", align_corners=False).numpy()

    return explain


def library_grad_cam(model, layer):
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
    cam = GradCAM(model=model, target_layers=[layer])
    return lambda images: cam(input_tensor=images, targets=[ClassifierOutputTarget(1)] * len(images))


def serve(arch, dialect, size, batch, threads):
    """Answers each number of images on standard input with the seconds that torch takes."""
    import torch
    import torch.nn.functional as F
    from torch_nets import NETS as nets
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    model = nets[arch, dialect](size).eval()
    for module in model.modules():
        if hasattr(module, "inplace"):
            module.inplace = False  # a hook's tensor must not change
    layer = model.layer4[-1] if hasattr(model, "layer4") else model[-4]
    images = torch.rand(batch, 3, size, size) * 2 - 1
    try:
        explain, name = library_grad_cam(model, layer), "pytorch-grad-cam"
    except ImportError:
        explain, name = plain_grad_cam(model, layer, F, torch), "a torch loop in the style of pytorch-grad-cam"
    explain(images)
    print(f"{name}, torch {torch.__version__}", flush=True)
    for line in sys.stdin:
        left, start = int(line), time.perf_counter()
        while left > 0:
            explain(images[:left])
            left -= batch
        print(f"{time.perf_counter() - start:.6f}", flush=True)


class Program:
    def __init__(self, *command):
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.line()

    def line(self):
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/tests")
    parser.add_argument("--python", default=sys.executable)
    for name, value in (("images", 1000), ("rounds", 5), ("threads", 1), ("batch", 16)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--size", type=int, help="only networks of this input size")
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        arch, dialect, size = args.serve
        serve(arch, dialect, int(size), args.batch, args.threads)
        return
    print(f"{args.images} images, batches of {args.batch}, {args.threads} thread{'s' * (args.threads > 1)}, median of {args.rounds} rounds")
    for arch, dialect, size in (net for net in NETS if args.size in (None, net[2])):
        ours = Program(Path(args.bin) / "explain_rate", arch, dialect, size, args.batch, args.threads)
        torch = Program(args.python, __file__, "--serve", arch, dialect, size, "--batch", args.batch, "--threads", args.threads)
        name = torch.line()
        rounds = [(float(ours.ask(args.images)), float(torch.ask(args.images))) for _ in range(args.rounds)]
        ours.close()
        torch.close()
        mine, other = (statistics.median(times) for times in zip(*rounds))
        ratios = [b / a for a, b in rounds]
        print(f"{arch} ({dialect}) {size} px: {mine:.2f} s, {name} {other:.2f} s: {statistics.median(ratios):.2f} times as fast "
              f"({min(ratios):.2f} to {max(ratios):.2f})", flush=True)


main()
