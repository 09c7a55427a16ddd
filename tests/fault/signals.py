"""SIGTERM, SIGINT or SIGUSR2 to a random rank, or SIGUSR2 to mpirun, at a random moment: exit code 75 soon after, an end
event, and --resume gives the results of an undisturbed run byte for byte.

    CNNSWEEP_BIN=build/bin python3 tests/fault/signals.py [--runs 10] [--ranks 3] [--seed 1] [--again 0.4]
"""
import argparse
import random
import signal
import sys

from sweeps import differences, epoch, epochs, events, moments_later, prepare, resuming, run_ok, strike

KINDS = [("rank", signal.SIGTERM), ("rank", signal.SIGINT), ("rank", signal.SIGUSR2), ("mpirun", signal.SIGUSR2)]


def stop_once(out, ranks, wanted, after, target, number):
    """Stops the sweep behind an epoch. (where it stood, or None when it was over before, seconds to the end)"""
    struck, code, log, took = strike(out, ranks, epoch(wanted), after, number, target)
    assert code in (0, 75), f"{out}: exit {code}\n{log}"
    assert code == 75 or after, f"{out}: a signal at epoch {wanted} did not stop it\n{log}"
    return struck if code else None, took


def stop_and_resume(out, ranks, total, again, chance, first, after):
    """Until the sweep is done; a line for each signal that stopped it."""
    sent = []
    while (not sent or chance.random() < again) and epochs(out) < total // 2:
        whom, number = first if not sent else chance.choice(KINDS)
        target = None if whom == "mpirun" else chance.randrange(ranks)
        wanted = chance.randint(1, total // 2)
        struck, took = stop_once(out, ranks, wanted, after if not sent else moments_later(chance), target, number)
        if not struck:
            break
        assert events(out)[-1] == {**events(out)[-1], "event": "end", "status": "interrupted"}, events(out)[-1]
        sent.append(f"{signal.Signals(number).name} to {whom if target is None else target}: {struck}, {took:.1f} s")
    run_ok(*resuming(out), ranks=ranks)
    return sent


def campaign(runs, ranks, seed, again):
    total = prepare(ranks)
    print(f"{total} epochs on {ranks} ranks\n\n| run | signals (to: where, seconds to the end) | equal |\n|---|---|---|")
    failures = 0
    for run in range(runs):
        chance = random.Random(f"{seed}/{run}")
        out, first = f"signal{run}", KINDS[run % len(KINDS)]
        sent = stop_and_resume(out, ranks, total, again, chance, first, moments_later(chance))
        if not sent:  # too late
            out = f"signal{run}.now"
            sent = stop_and_resume(out, ranks, total, again, chance, first, 0)
        wrong = differences(out)
        failures += bool(wrong) or not sent
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
