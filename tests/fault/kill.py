"""kill -9 of a random rank (rank 0 too) at a random moment, --resume, perhaps killed again, until it is done: results
equal those of an undisturbed run byte for byte.

    CNNSWEEP_BIN=build/bin python3 tests/fault/kill.py [--runs 30] [--ranks 3] [--seed 1] [--again 0.4]
"""
import argparse
import random
import signal
import sys

from sweeps import differences, draw_moment, moments_later, prepare, resuming, run_ok, strike


def kill_and_resume(out, ranks, total, again, chance, after):
    """Until the sweep is done; a line for each kill."""
    kills = []
    while not kills or chance.random() < again:
        moment, victim = draw_moment(chance, out, ranks, total), chance.randrange(ranks)
        if not moment:
            break
        struck, code, _, _ = strike(out, ranks, moment, after if not kills else moments_later(chance), signal.SIGKILL, victim)
        if code == 0:  # too late
            break
        kills.append(f"{victim}: {struck}")
    run_ok(*resuming(out), ranks=ranks)
    return kills


def campaign(runs, ranks, seed, again):
    total = prepare(ranks)
    print(f"{total} epochs on {ranks} ranks\n\n| run | kills (rank: where) | equal |\n|---|---|---|")
    failures = 0
    for run in range(runs):
        chance = random.Random(f"{seed}/{run}")
        out = f"kill{run}"
        kills = kill_and_resume(out, ranks, total, again, chance, moments_later(chance))
        if not kills:  # too late
            out = f"kill{run}.now"
            kills = kill_and_resume(out, ranks, total, again, chance, 0)
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
