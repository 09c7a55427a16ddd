# SPDX-License-Identifier: Apache-2.0
"""A sweep of which a random rank, rank 0 too, is killed at a random time, and which is then resumed, perhaps several times,
gives the results of an undisturbed run byte for byte.

    CNNSWEEP_BIN=build/bin python3 tests/fault/kill.py [--runs 30] [--ranks 3] [--seed 1] [--again 0.4]
"""
import signal

import sweeps
from sweeps import draw_breakpoint, draw_delay, resuming, run_ok, signal_at


def kill_and_resume(out, ranks, total, again, chance, delay, command=None):
    """Runs the sweep (command: how) to its end; returns a line for each kill."""
    kills = []
    while not kills or chance.random() < again:
        breakpoint, victim = draw_breakpoint(chance, out, ranks, total), chance.randrange(ranks)
        if not breakpoint:
            break
        wait = delay if not kills else draw_delay(chance)
        progress, code, _, _ = signal_at(breakpoint, out, ranks, wait, signal.SIGKILL, victim, command)
        if code == 0:  # it had ended before the signal
            break
        kills.append(f"{victim}: {progress}")
    run_ok(*(command or resuming(out)), ranks=ranks)
    return kills


def campaign(runs, ranks, seed, again):
    def disturb(out, _, total, chance, delay):
        return kill_and_resume(out, ranks, total, again, chance, delay)
    return sweeps.campaign("kill", "kills (rank: where)", disturb, runs, ranks, seed)


if __name__ == "__main__":
    sweeps.main(__doc__, 30, campaign)
