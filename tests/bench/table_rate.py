# SPDX-License-Identifier: Apache-2.0
"""How long cnnsweep-pack takes to scan a table of images: to read it, find each file, sort the classes and look for images that
stand twice in it. The files are 1,000 in a folder to which links lead; the split of the table, which the program is asked to
make again, ends it after the scan.
    table_rate.py BUILD/bin [rows, in thousands (1000)]"""
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 5


def make(root, thousands):
    (root / "real").mkdir()
    for i in range(1000):
        (root / f"real/{i:03}_left.jpeg").write_bytes(b"\xff\xd8\xff")
    for d in range(thousands):
        (root / f"d{d:04}").symlink_to("real")
    for name, ending in (("without endings", ""), ("with endings", ".jpeg")):
        with open(root / f"{name}.csv", "w") as file:
            file.write("image,level,patient,split\n")
            for d in range(thousands):
                split = "val" if d % 5 == 0 else "train"
                file.writelines(f"d{d:04}/{i:03}_left{ending},{(7 * d + i) % 5},p{500 * d + i // 2},{split}\n"
                                for i in range(1000))
        yield root / f"{name}.csv"


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def scan(program, table):
    """(seconds by the clock, seconds of the processor, which other programs on the machine hardly change)"""
    begun, used = time.monotonic(), processor_seconds()
    columns = ["--label-column", "level", "--group-column", "patient"]
    done = subprocess.run([program, *columns, "--split", "1,0,0", table, "unused.h5"], capture_output=True, text=True)
    assert "is split already" in done.stderr, done.stderr
    return time.monotonic() - begun, processor_seconds() - used


def main(folder, thousands=1000):
    with tempfile.TemporaryDirectory() as scratch:
        for table in make(Path(scratch), int(thousands)):
            seconds = [scan(Path(folder) / "cnnsweep-pack", table) for _ in range(RUNS)]
            clock, processor = (statistics.median(values) for values in zip(*seconds))
            print(f"{1000 * int(thousands):,} rows, paths {table.stem}: {clock:.2f} s, {processor:.2f} s of the processor, "
                  f"medians of {RUNS} runs")


main(*sys.argv[1:])
