# SPDX-License-Identifier: Apache-2.0
"""SIGTERM, SIGINT or SIGUSR2 to a random rank, or SIGUSR2 to mpirun, at a random moment: exit code 75 soon after, an end
event, and --resume gives the results of an undisturbed run byte for byte.

    CNNSWEEP_BIN=build/bin python3 tests/fault/signals.py [--runs 10] [--ranks 3] [--seed 1] [--again 0.4]
"""
import signal

import sweeps
from sweeps import epoch, epochs, events, moments_later, resuming, run_ok, strike

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
    def disturb(out, run, total, chance, after):
        return stop_and_resume(out, ranks, total, again, chance, KINDS[run % len(KINDS)], after)
    return sweeps.campaign("signal", "signals (to: where, seconds to the end)", disturb, runs, ranks, seed)


if __name__ == "__main__":
    sweeps.main(__doc__, 10, campaign)
