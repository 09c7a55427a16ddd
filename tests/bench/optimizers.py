# SPDX-License-Identifier: Apache-2.0
"""Compares train steps of MobileNet at 64 px with each optimizer with those of PyTorch, which run in turn.

    python3 tests/bench/optimizers.py [OPTIMIZER...] [--bin build/tests] [--rounds 5] [--threads 1] [--python python3]

Each round runs our Adam, our optimizer and PyTorch's, one after the other; the table has the medians over the rounds, and of
the ratios of each round. PyTorch's optimizer is fused where it has that, else it works on lists of tensors, and gets channels
last. A step counts as slow if it takes more than 1/0.95 of our Adam's."""
import argparse
import statistics
from pathlib import Path

from engine_vs_torch import HERE, Program

OPTIMIZERS = ["sgd", "adam", "adamw", "nadam", "radam", "adamax", "rmsprop", "adagrad", "adadelta", "lion", "lamb"]
WITHOUT_PEER = {"lion", "lamb"}  # torch has none
NET, SIZE, BATCH, LEAST = ("mobilenet", "keras"), 64, 32, 0.95


def measure(name, args):
    """The medians over the rounds: seconds of a step of ours, of torch's (None) and of our Adam's, and the ratios."""
    def ours(optimizer):
        return Program(Path(args.bin) / "engine_rate", *NET, 1, SIZE, BATCH, "train", args.threads, f"optimizer={optimizer}")

    programs = {"adam": ours("adam"), "ours": ours(name)}
    if name not in WITHOUT_PEER:
        programs["torch"] = Program(args.python, HERE / "torch_rate.py", args.threads)
        programs["torch"].send(f"open {' '.join(NET)} {SIZE} {BATCH} train channels_last {name}")
    rounds = [{key: program.seconds(args.steps) for key, program in programs.items()} for _ in range(args.rounds + 1)][1:]
    for program in programs.values():
        program.close()
    return rounds


def median(rounds, of):
    return statistics.median(of(r) for r in rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("optimizers", nargs="*", default=OPTIMIZERS)
    parser.add_argument("--bin", default="build/tests")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--python", default="python3")
    args = parser.parse_args()
    print("| optimizer | step, ms | PyTorch, ms | PyTorch / ours | our Adam / ours |\n|---|---|---|---|---|")
    for name in args.optimizers:
        rounds = measure(name, args)
        peer = name not in WITHOUT_PEER
        torch = f"{1e3 * median(rounds, lambda r: r['torch']):.1f}" if peer else "-"
        ratio = f"{median(rounds, lambda r: r['torch'] / r['ours']):.2f}" if peer else "-"
        adam = median(rounds, lambda r: r["adam"] / r["ours"])
        slow = "" if adam >= LEAST else " (slow)"
        print(f"| {name} | {1e3 * median(rounds, lambda r: r['ours']):.1f} | {torch} | {ratio} | {adam:.2f}{slow} |", flush=True)


if __name__ == "__main__":
    main()
