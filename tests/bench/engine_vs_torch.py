"""MobileNet alpha 1 steps of the default engine against PyTorch on the same work, in turn in one run.

    python3 tests/bench/engine_vs_torch.py [--bin build/tests] [--rounds 5] [--threads 1] [--python python3]

Each round runs both programs, one after the other, and takes the median of their steps; the table gives the median of the
rounds, and of the ratios round by round, with the smallest and largest."""
import argparse
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# what, size, batch, mode, steps a round, ratio to reach
WORK = [
    ("training step", 224, 32, "train", 3, 1.5),
    ("frozen forward", 224, 32, "forward", 5, 1.4),
    ("training step", 50, 32, "train", 11, 1.5),
    ("frozen forward", 50, 32, "forward", 21, 1.4),
]


def seconds(command):
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return statistics.median(float(line) for line in done.stdout.split())


def measure(options, size, batch, mode, steps):
    ours, theirs = [], []
    for _ in range(options.rounds):
        ours.append(seconds([f"{options.bin}/engine_rate", "mobilenet", "1", str(size), str(batch), mode, str(steps),
                             str(options.threads)]))
        theirs.append(seconds([options.python, str(HERE / "torch_rate.py"), str(size), str(batch), mode, str(steps),
                               str(options.threads)]))
    return ours, theirs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build/tests")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--python", default="/usr/bin/python3", help="interpreter that has torch")
    options = parser.parse_args()
    torch = subprocess.run([options.python, "-c", "import torch; print(torch.__version__)"], check=True,
                           capture_output=True, text=True).stdout.strip()
    print(f"MobileNet alpha 1, {options.threads} thread(s), medians of {options.rounds} rounds, against PyTorch {torch}\n")
    print("| work | px | batch | cnnsweep img/s | PyTorch img/s | ratio (min-max) | wanted |")
    print("|---|---|---|---|---|---|---|")
    short = []
    for what, size, batch, mode, steps, wanted in WORK:
        ours, theirs = measure(options, size, batch, mode, steps)
        ratios = [t / o for o, t in zip(ours, theirs)]
        ratio = statistics.median(ratios)
        print(f"| {what} | {size} | {batch} | {batch / statistics.median(ours):.1f} | "
              f"{batch / statistics.median(theirs):.1f} | **{ratio:.2f}** ({min(ratios):.2f}-{max(ratios):.2f}) | "
              f"{wanted} |", flush=True)
        if ratio < wanted:
            short.append(f"{what} at {size} px: {ratio:.2f} instead of {wanted}")
    for line in short:
        print(f"short: {line}")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
