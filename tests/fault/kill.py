# SPDX-License-Identifier: Apache-2.0
"""kill -9 of a random rank (rank 0 too) at a random moment, --resume, perhaps killed again, until it is done: results
equal those of an undisturbed run byte for byte.

    CNNSWEEP_BIN=build/bin python3 tests/fault/kill.py [--runs 30] [--ranks 3] [--seed 1] [--again 0.4]
"""
import signal

import sweeps
from sweeps import draw_moment, moments_later, resuming, run_ok, strike


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
    def disturb(out, _, total, chance, after):
        return kill_and_resume(out, ranks, total, again, chance, after)
    return sweeps.campaign("kill", "kills (rank: where)", disturb, runs, ranks, seed)


if __name__ == "__main__":
    sweeps.main(__doc__, 30, campaign)
