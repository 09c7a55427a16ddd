# SPDX-License-Identifier: Apache-2.0
"""Compares training steps on a GPU with PyTorch on the same work, which run in turn; prints a part of results/gpu/<gpu>.md:

    python3 tests/bench/gpu_train.py [--build build] [--device cuda] [--precision bf16] [--only ARCH...] [--seconds 480]

A step is forward, loss, backward and Adam's update on synthetic images. A round runs each program once, one after the other;
the table has medians of the rounds. The batch stays on the GPU in both programs, or is copied from memory in every step
(--input memory). After --seconds, the remaining networks are reported as not run. The exit status is 1 if a ratio is below the
wanted one (except with --no-bars), and 2 if a program failed."""
import argparse
import os
import queue
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# arch, dialect, px; the most important first, as time may run out
NETS = [("resnet50", "torch", 224), ("mobilenet", "keras", 224), ("resnet18", "torch", 224), ("mobilenet_v2", "torch", 224),
        ("inception_v3", "keras", 299), ("densenet121", "torch", 224)]
WANTED = {256: {"eager": 1.2, "compiled": 1.0}, 32: {"eager": 2.0}}  # PyTorch's seconds over ours
WANTED_RATE = {("resnet50", 256): 3000}  # images/s
TFLOPS, BYTES = 790e12, 4.3e12  # measured limits of an H200: bf16 products, copy (read + written)
SECONDS_A_ROUND = 1.0
PATIENCE = 420  # seconds for one answer: torch.compile of a DenseNet takes minutes


class Program:
    """A program that answers each line with a line. Its standard error goes to a file, whose end explains a failure."""

    def __init__(self, log, *command):
        self.log = log
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=open(log, "a"), text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())
        self.lines.put(None)

    def read(self, patience=PATIENCE):
        try:
            line = self.lines.get(timeout=patience)
        except queue.Empty:
            self.process.kill()
            raise RuntimeError(f"no answer within {patience:.0f} s")
        if line is None:
            end = " | ".join(Path(self.log).read_text().strip().splitlines()[-3:])
            raise RuntimeError(f"ended with {self.process.wait()}: {end}")
        if line.startswith("failed: "):
            raise RuntimeError(line[8:])
        return line

    def ask(self, line, patience=PATIENCE):
        try:
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # read reports why
        return self.read(patience)

    def close(self):
        try:
            self.process.stdin.close()
            self.process.wait(30)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()


class Ours:
    def __init__(self, options, arch, dialect, size, batch):
        flags = ["autotune"] if options.autotune else []
        flags += ["resident"] if options.input == "resident" else []
        self.program = Program(options.log, options.build / "tests/engine_rate", arch, dialect, 1, size, batch, "train", options.threads,
                               f"device={options.device}", f"precision={options.precision}", f"classes={options.classes}", "work", *flags)
        self.batch = batch

    def open(self):
        _, *numbers = self.program.read().split()
        self.macs, self.first_macs, self.values, self.parameters, self.planned = map(float, numbers)
        self.seconds(1)

    def seconds(self, steps, part="update"):
        return float(self.program.ask(f"{steps} {part}"))

    def flops(self):
        """A product forward and two backward, except for the first layer, whose input has no gradient."""
        return self.batch * 2 * (3 * self.macs - self.first_macs)

    def bytes(self, precision):
        """A lower bound of the traffic to memory, if all work between two products is fused into them. The result of each
        product is written, read forward and backward, and its gradient is written and read. For a parameter, Adam reads and
        writes value and both moments in fp32, and the products read it three times and write its gradient."""
        wide = 4 if precision in ("fp32", "tf32") else 2
        return 5 * wide * self.batch * self.values + self.parameters * (24 + 3 * wide + 8)


class Theirs:
    """One way of running a network in PyTorch."""

    def __init__(self, options, how, *words):
        self.program = Program(options.log, options.python, HERE / "gpu_torch.py", options.torch_device, options.precision, options.classes)
        self.words = *words, how, options.input

    def open(self):
        self.program.ask("open " + " ".join(map(str, self.words)))

    def seconds(self, steps):
        return float(self.program.ask(steps))


def measure(options, arch, dialect, size, batch, failures):
    """({side: [seconds a round]}, our side, seconds up to each part). Each side is a separate process, so that one that hangs
    or dies does not affect the others. They start together, as importing torch takes long, but use the GPU in turn."""
    words = arch, dialect, size, batch
    sides = {name: Ours(options, *words) if name == "cnnsweep" else Theirs(options, name, *words) for name in options.sides}
    rounds = {name: [] for name in sides}

    def attempt(name, act):
        try:
            if name in sides:
                return act(sides[name])
        except (RuntimeError, ValueError) as error:
            failures.append(f"{arch} at batch {batch}, {name}: {error}")
            sides.pop(name).program.close()
            del rounds[name]
        return None

    for name in options.sides:
        attempt(name, lambda side: side.open())
    for _ in range(options.rounds):
        for name in options.sides:
            attempt(name, lambda side: rounds[name].append(
                side.seconds(max(2, min(options.steps, int(SECONDS_A_ROUND / side.seconds(2)))))))
    parts = attempt("cnnsweep", lambda side: [statistics.median(side.seconds(options.steps // 2 + 1, part) for _ in range(3))
                                              for part in ("loss", "backward", "update")])
    for side in sides.values():
        side.program.close()
    return rounds, sides.get("cnnsweep"), parts


def rate(rounds, name, batch):
    return f"{batch / statistics.median(rounds[name]):,.0f}" if rounds.get(name) else "-"


def ratio_cell(rounds, name, arch, batch, short):
    if not rounds.get(name) or not rounds.get("cnnsweep"):
        return "-"
    ratios = [t / o for t, o in zip(rounds[name], rounds["cnnsweep"])]
    ratio, wanted = statistics.median(ratios), WANTED.get(batch, {}).get(name, 0)
    if ratio < wanted:
        short.append(f"{arch} at batch {batch}: {ratio:.2f} of {name} PyTorch instead of {wanted}")
    return f"**{ratio:.2f}** ({min(ratios):.2f}-{max(ratios):.2f})"


def row_of(options, arch, size, batch, rounds, ours, parts, short):
    cells = [rate(rounds, name, batch) for name in ("cnnsweep", "eager", "compiled")]
    cells += [ratio_cell(rounds, name, arch, batch, short) for name in ("eager", "compiled")]
    if not ours or not rounds.get("cnnsweep"):
        return cells + ["-"] * 6
    step = statistics.median(rounds["cnnsweep"])
    wanted = WANTED_RATE.get((arch, batch), 0)
    if batch / step < wanted:
        short.append(f"{arch} at batch {batch}: {batch / step:.0f} images/s instead of {wanted}")
    loss, backward, update = parts
    cells += [f"{1e3 * step:.2f}", f"{1e3 * loss:.2f} + {1e3 * (backward - loss):.2f} + {1e3 * (update - backward):.2f}"]
    work, moved = ours.flops(), ours.bytes(options.precision)
    return cells + [f"{work / 1e12:.2f}", f"{100 * work / step / TFLOPS:.1f} %", f"{moved / 1e9:.2f}", f"{100 * moved / step / BYTES:.1f} %"]


HEAD = ("| architecture | px | batch | cnnsweep img/s | PyTorch eager | compiled | eager / cnnsweep | compiled / cnnsweep | ms a step "
        "| forward and loss + backward + update, ms | TFLOP a step | of 790 TFLOP/s | GB a step, at least | of 4.3 TB/s |")


def run(options):
    short, failures, left = [], [], []
    begun = time.time()
    print(HEAD + "\n" + "|---" * HEAD.count(" | ") + "|---|", flush=True)
    for arch, dialect, size in NETS:
        for batch in options.batches if not options.only or arch in options.only else ():
            if time.time() - begun > options.seconds:
                left.append(f"{arch} at batch {batch}")
                continue
            size = options.px or size
            rounds, ours, parts = measure(options, arch, dialect, size, batch, failures)
            cells = row_of(options, arch, size, batch, rounds, ours, parts, short)
            print(f"| {arch} | {size} | {batch} | " + " | ".join(cells) + " |", flush=True)
    print("")
    for kind, lines in (("failed", failures), ("not run, time was over", left), ("short", short)):
        for line in lines:
            print(f"- {kind}: {line}")
    return 2 if failures else 1 if short and options.bars else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=HERE.parents[1] / "build")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--torch-device", default=None, help="default: --device")
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--input", choices=("resident", "memory"), default="resident")
    parser.add_argument("--batches", type=int, nargs="+", default=[256, 32])
    parser.add_argument("--px", type=int, help="the size for all networks; default: each network's own")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--sides", nargs="+", default=["cnnsweep", "eager", "compiled"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60, help="at most so many in a round")
    parser.add_argument("--seconds", type=float, default=480)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--no-autotune", dest="autotune", action="store_false")
    parser.add_argument("--no-bars", dest="bars", action="store_false")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--log", default=os.environ.get("CNNSWEEP_BENCH_LOG", os.devnull), help="the file for the programs' standard error")
    options = parser.parse_args()
    options.torch_device = options.torch_device or options.device
    version = subprocess.run([options.python, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True).stdout.strip()
    print(f"{options.precision}, input {options.input}, Adam, {options.classes} classes, medians of {options.rounds} rounds, against PyTorch "
          f"{version or '(none)'} (channels last, AMP, cudnn.benchmark, fused optimizer)\n")
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
