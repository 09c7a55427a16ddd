# SPDX-License-Identifier: Apache-2.0
"""same.py [--trials] A B: compares two results folders bit for bit, except for what depends on the clock or on the rank.

--trials: compares only trials.csv."""
import csv
import filecmp
import os
import sys

VARYING = ("seconds", "images_per_second", "stall_fraction", "rank")


def trials(folder):
    with open(os.path.join(folder, "trials.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    return [{key: value for key, value in row.items() if key not in VARYING} for row in rows]


def files(folder):
    """The names of table.md and of the files of each trial."""
    return {"table.md"} | {os.path.join(part, name) for part in ("history", "report")
                           for name in os.listdir(os.path.join(folder, part))}


def compare_files(a, b):
    if files(a) != files(b):
        sys.exit(f"files: {sorted(files(a) ^ files(b))}")
    _, differing, missing = filecmp.cmpfiles(a, b, sorted(files(a)), shallow=False)
    if differing or missing:
        sys.exit(f"files differ: {differing + missing}")


def main(a, b, only_trials=False):
    if not only_trials:
        compare_files(a, b)
    if trials(a) != trials(b):
        sys.exit("trials.csv differs")
    if not trials(a) or any(row["status"] != "ok" for row in trials(a)):
        sys.exit(f"{a}: not all trials have succeeded")


main(*sys.argv[-2:], only_trials=sys.argv[1] == "--trials")
