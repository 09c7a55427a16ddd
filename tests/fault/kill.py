"""kill -9 of a random rank (rank 0 too) at a random moment, --resume, perhaps killed again, until it is done: results
equal those of an undisturbed run byte for byte.

    CNNSWEEP_BIN=build/bin python3 tests/fault/kill.py [--runs 30] [--ranks 3] [--seed 1] [--again 0.4]
"""
import argparse
import os
import random
import signal
import sys
import time

from sweeps import differences, prepare, rank_processes, rows, start, wait_for, wait_gone, where


def kill_once(out, ranks, wanted, after, victim):
    """Starts the sweep; kills the rank `after` seconds past the row `wanted`. (exit code, where it stood or None when
    nobody was killed, log)"""
    launcher = start(out, ranks)
    while launcher.poll() is None and victim not in rank_processes(launcher):
        time.sleep(0.002)
    processes, struck = rank_processes(launcher), None
    if wait_for(out, launcher, wanted, after):
        struck = where(out)
        try:
            os.kill(processes[victim], signal.SIGKILL)
        except (ProcessLookupError, KeyError):
            struck = None
    _, log = launcher.communicate(timeout=300)
    wait_gone(processes.values())
    return launcher.returncode, struck, log


def campaign(runs, ranks, seed, again):
    total = prepare(ranks)
    print(f"{total} rows on {ranks} ranks\n\n| run | kills (rank: where) | equal |\n|---|---|---|")
    failures = 0
    for run in range(runs):
        chance = random.Random(f"{seed}/{run}")
        out, kills, code = f"kill{run}", [], None
        while code != 0:
            # A row not yet reached; below that a moment of the launch.
            wanted = chance.randint(rows(out) - 4, total - 2) if not kills or chance.random() < again else 1e9
            after = chance.uniform(0, 0.8 if wanted <= rows(out) else 0.1)
            victim = chance.randrange(ranks)
            code, struck, log = kill_once(out, ranks, wanted, after, victim)
            if struck:
                kills.append(f"{victim}: {struck}")
            assert code == 0 or struck, f"run {run}: exit {code} and nobody was killed\n{log}"
        wrong = differences(out)
        failures += bool(wrong) or not kills
        print(f"| {run} | {'; '.join(kills) or '-'} | {'yes' if not wrong else 'NO: ' + ' '.join(wrong)} |", flush=True)
    print(f"\n{runs - failures} of {runs} equal the undisturbed run")
    return failures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--ranks", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", type=float, default=0.4, help="chance that a resumed run is killed too")
    args = parser.parse_args()
    sys.exit(bool(campaign(args.runs, args.ranks, args.seed, args.again)))
