# SPDX-License-Identifier: Apache-2.0
"""A sweep that gets SIGTERM, SIGINT or SIGUSR2 in a random rank, or SIGUSR2 in mpirun, at a random time ends with exit code
75 and an end event in its journal, and --resume gives the results of an undisturbed run byte for byte.

    CNNSWEEP_BIN=build/bin python3 tests/fault/signals.py [--runs 10] [--ranks 3] [--seed 1] [--again 0.4]
"""
import signal

import sweeps
from sweeps import draw_delay, epoch, epochs, events, resuming, run_ok, signal_at

KINDS = [("rank", signal.SIGTERM), ("rank", signal.SIGINT), ("rank", signal.SIGUSR2), ("mpirun", signal.SIGUSR2)]


def stop_once(out, ranks, wanted, delay, target, number):
    """Sends the signal after the epoch `wanted`. (the sweep's progress, or None if it had ended before; seconds to the end)"""
    progress, code, log, took = signal_at(epoch(wanted), out, ranks, delay, number, target)
    assert code in (0, 75), f"{out}: exit {code}\n{log}"
    assert code == 75 or delay, f"{out}: a signal at epoch {wanted} did not stop it\n{log}"
    return progress if code else None, took


def stop_and_resume(out, ranks, total, again, chance, first, delay):
    """Runs the sweep to its end; returns a line for each signal that stopped it."""
    sent = []
    while (not sent or chance.random() < again) and epochs(out) < total // 2:
        whom, number = first if not sent else chance.choice(KINDS)
        target = None if whom == "mpirun" else chance.randrange(ranks)
        wanted = chance.randint(1, total // 2)
        progress, took = stop_once(out, ranks, wanted, delay if not sent else draw_delay(chance), target, number)
        if not progress:
            break
        assert events(out)[-1] == {**events(out)[-1], "event": "end", "status": "interrupted"}, events(out)[-1]
        sent.append(f"{signal.Signals(number).name} to {whom if target is None else target}: {progress}, {took:.1f} s")
    run_ok(*resuming(out), ranks=ranks)
    return sent


def campaign(runs, ranks, seed, again):
    def disturb(out, run, total, chance, delay):
        return stop_and_resume(out, ranks, total, again, chance, KINDS[run % len(KINDS)], delay)
    return sweeps.campaign("signal", "signals (to: where, seconds to the end)", disturb, runs, ranks, seed)


if __name__ == "__main__":
    sweeps.main(__doc__, 10, campaign)
