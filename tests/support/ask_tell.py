# SPDX-License-Identifier: Apache-2.0
"""Searches without training (tests/sweep/search/ask_tell.c)."""
import os
import subprocess

PROGRAM = os.path.join(os.path.abspath(os.environ["CNNSWEEP_BIN"]), "..", "tests", "ask_tell")


def search(job, trials, result, ranks=1, sets=()):
    """Has the job's trials end with result(values), values being a map of texts such as {"lr": "0.01"}. So many trials are under
    way at a time as there are ranks. Returns [(values, the number of trials that had ended when it was handed out)]."""
    program = subprocess.Popen([PROGRAM, str(ranks), job, *sets], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    found, told = [], 0
    while told < trials:
        if len(found) < trials and len(found) - told < ranks:
            line = program.stdout.readline()
            found.append((dict(word.split("=") for word in line.split()), told))
            continue
        print(result(found[told][0]), file=program.stdin, flush=True)
        told += 1
    assert program.wait() == 0, job
    return found
