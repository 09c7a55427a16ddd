# SPDX-License-Identifier: Apache-2.0
"""Compares steps of the default engine with PyTorch on the same work, which run in turn.

    python3 tests/bench/engine_vs_torch.py [ARCH...] [--bin build/tests] [--rounds 5] [--threads 1] [--python python3]
        [--before OTHER/build/tests]

Without names it runs every architecture. Each round runs both programs, one after the other, and takes the median of their
steps; the table has the median of the rounds, and of the ratios of each round, with the smallest and largest. PyTorch gets
the faster of its memory formats, channels last or contiguous. With --before another build of the engine takes part, and a
column says how many times as fast this one is."""
import argparse
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WANTED = 1.3
# arch, dialect, (size, batch)...: 224 px (299 where the network is made for it) and 64 px, or the smallest that it allows.
# The torch dialect is included where its work differs.
LARGE, SMALL = (224, 8), (64, 32)
NETS = [
    ("mobilenet", "keras", LARGE, SMALL),
    ("mobilenet_v2", "keras", LARGE, SMALL),
    ("resnet18", "torch", LARGE, SMALL),
    ("resnet50", "keras", LARGE, SMALL),
    ("resnet50", "torch", LARGE, SMALL),
    ("inception_v3", "keras", (299, 8), (75, 32)),
    ("xception", "keras", (299, 8), (71, 32)),
    ("densenet121", "keras", LARGE, SMALL),
    ("densenet169", "keras", LARGE, SMALL),
    ("efficientnet_b0", "keras", LARGE, SMALL),
    ("basenet", "keras", LARGE, SMALL),
    ("basenet_deep", "keras", LARGE, SMALL),
    ("basenet_deep_bn", "keras", LARGE, SMALL),
    ("basenet_deep_bn_after", "keras", LARGE, SMALL),
    ("cnn4", "keras", LARGE, SMALL),
]
SECONDS_A_ROUND = 0.5  # steps are repeated up to about this long


class Program:
    """A program that answers a number of steps with the median of their seconds."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def seconds(self, steps):
        self.send(steps)
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(options, torch, arch, dialect, size, batch, mode):
    def theirs(layout):
        torch.send(f"open {arch} {dialect} {size} {batch} {mode} {layout}")
        return torch.seconds(1)

    speed, layout = min((theirs(layout), layout) for layout in ("channels_last", "contiguous"))
    theirs(layout)
    engines = [Program(f"{folder}/engine_rate", arch, dialect, 1, size, batch, mode, options.threads)
               for folder in (options.bin, options.before) if folder]
    steps = max(1, min(30, int(SECONDS_A_ROUND / speed)))
    rounds = [[program.seconds(steps) for program in (*engines, torch)] for _ in range(options.rounds)]
    for engine in engines:
        engine.close()
    return [[r[i] for r in rounds] for i in (0, -1, *range(1, len(engines)))]


def ratio_of(others, ours):
    """How many times as fast our rounds are: (the median, its text with the smallest and largest)."""
    ratios = [other / own for other, own in zip(others, ours)]
    return statistics.median(ratios), f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f}-{max(ratios):.2f})"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("arch", nargs="*")
    parser.add_argument("--bin", default="build/tests")
    parser.add_argument("--before", help="the tests folder of another build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--python", default="/usr/bin/python3", help="interpreter that has torch and torchvision")
    options = parser.parse_args()
    version = subprocess.run([options.python, "-c", "import torch; print(torch.__version__)"], check=True,
                             capture_output=True, text=True).stdout.strip()
    torch = Program(options.python, HERE / "torch_rate.py", options.threads)
    print(f"{options.threads} thread(s), medians of {options.rounds} rounds, against PyTorch {version}\n")
    print("| architecture | dialect | px | batch | work | cnnsweep img/s | PyTorch img/s | ratio (min-max) |" +
          (" to before (min-max) |" if options.before else ""))
    print("|---" * (9 if options.before else 8) + "|")
    short = []
    for arch, dialect, *sizes in NETS:
        for size, batch in sizes if not options.arch or arch in options.arch else ():
            for mode in ("train", "forward"):
                ours, theirs, *before = measure(options, torch, arch, dialect, size, batch, mode)
                ratio, text = ratio_of(theirs, ours)
                work = "training step" if mode == "train" else "frozen forward"
                print(f"| {arch} | {dialect} | {size} | {batch} | {work} | {batch / statistics.median(ours):.1f} | "
                      f"{batch / statistics.median(theirs):.1f} | {text} |" +
                      "".join(f" {ratio_of(other, ours)[1]} |" for other in before), flush=True)
                if ratio < WANTED:
                    short.append(f"{arch} ({dialect}), {work} at {size} px: {ratio:.2f} instead of {WANTED}")
    torch.close()
    print("")
    for line in short:
        print(f"short: {line}")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
