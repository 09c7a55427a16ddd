"""SIGTERM, SIGINT or SIGUSR2 to a random rank, or SIGUSR2 to mpirun, at a random moment: exit code 75 soon after, an end
event, and --resume gives the results of an undisturbed run byte for byte.

    CNNSWEEP_BIN=build/bin python3 tests/fault/signals.py [--runs 10] [--ranks 3] [--seed 1] [--again 0.4]
"""
import argparse
import os
import random
import signal
import sys
import time

from sweeps import differences, events, prepare, rank_processes, rows, start, wait_for, wait_gone, where

LAUNCHER = -1
KINDS = [("rank", signal.SIGTERM), ("rank", signal.SIGINT), ("rank", signal.SIGUSR2), ("mpirun", signal.SIGUSR2)]


def starts(out):
    return sum(e["event"] == "start" for e in events(out))


def stop_once(out, ranks, wanted, after, target, number):
    """(exit code, where it stood or None when it was over before, seconds to the end, log)"""
    before = starts(out)
    launcher = start(out, ranks)
    while launcher.poll() is None and starts(out) == before:
        time.sleep(0.002)
    processes, struck = rank_processes(launcher), None
    if wait_for(out, launcher, wanted, after):
        struck = where(out)
        try:
            os.kill(launcher.pid if target == LAUNCHER else processes[target], number)
        except (ProcessLookupError, KeyError):
            struck = None
    sent = time.time()
    _, log = launcher.communicate(timeout=300)
    wait_gone(processes.values())
    return launcher.returncode, struck, time.time() - sent, log


def stop_until_done(out, ranks, total, again, chance, first):
    """Stops and resumes the sweep until it is done; a line for each signal that stopped it."""
    sent, code = [], None
    while code != 0:
        wanted = chance.randint(rows(out), max(rows(out), total * 3 // 4)) if not sent or chance.random() < again else 1e9
        whom, number = first if not sent else chance.choice(KINDS)
        target = LAUNCHER if whom == "mpirun" else chance.randrange(ranks)
        code, struck, took, log = stop_once(out, ranks, wanted, chance.uniform(0, 0.1), target, number)
        assert code in (0, 75), f"{out}: exit {code}\n{log}"
        assert code == 0 or struck, f"{out}: exit {code} without a signal\n{log}"
        if code == 75:
            assert events(out)[-1] == {**events(out)[-1], "event": "end", "status": "interrupted"}, events(out)[-1]
            sent.append(f"{signal.Signals(number).name} to {'mpirun' if target < 0 else target}: {struck}, {took:.1f} s")
    return sent


def campaign(runs, ranks, seed, again):
    total = prepare(ranks)
    print(f"{total} rows on {ranks} ranks\n\n| run | signals (to: where, seconds to the end) | equal |\n|---|---|---|")
    failures = 0
    for run in range(runs):
        chance = random.Random(f"{seed}/{run}")
        sent, attempts = [], 0
        while not sent:  # a signal may come when all is done
            out, attempts = f"signal{run}.{attempts}", attempts + 1
            sent = stop_until_done(out, ranks, total, again, chance, KINDS[run % len(KINDS)])
        wrong = differences(out)
        failures += bool(wrong)
        print(f"| {run} | {'; '.join(sent)} | {'yes' if not wrong else 'NO: ' + ' '.join(wrong)} |", flush=True)
    print(f"\n{runs - failures} of {runs} equal the undisturbed run")
    return failures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--ranks", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", type=float, default=0.4, help="chance that a resumed run is stopped too")
    args = parser.parse_args()
    sys.exit(bool(campaign(args.runs, args.ranks, args.seed, args.again)))
