# SPDX-License-Identifier: Apache-2.0
"""Runs charts/print_charts.c once for a class of tests, and reads its charts."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

import numpy as np

PROGRAM = pathlib.Path(os.environ["CNNSWEEP_BIN"]).parent / "tests/print_charts"
SVG = "{http://www.w3.org/2000/svg}"


def print_charts(folder, *arguments, **environment):
    environment = {**os.environ, **environment}
    if "FONTCONFIG_FILE" not in environment:  # fontconfig does not free what it has loaded; without fonts, all is freed
        environment["ASAN_OPTIONS"] = "detect_leaks=0"
    done = subprocess.run([PROGRAM, folder, *arguments], capture_output=True, env=environment, text=True)
    assert done.returncode == 0 and done.stderr == "" and done.stdout == "", (done.returncode, done.stderr, done.stdout)


class Chart:
    """An SVG: its texts [(text, x, y)], and the groups by their tooltip."""

    def __init__(self, source):
        self.root = source if isinstance(source, ElementTree.Element) else ElementTree.parse(source).getroot()
        self.texts = [(item.text, float(item.get("x")), float(item.get("y"))) for item in self.root.iter(SVG + "text")]
        self.groups = [item for item in self.root.iter(SVG + "g")]
        self.tooltips = [item.findtext(SVG + "title") for item in self.groups]

    def words(self):
        return [text for text, _, _ in self.texts]

    def group(self, tooltip):
        return self.groups[self.tooltips.index(tooltip)]

    def of_class(self, name):
        return [item for item in self.groups if name in (item.get("class") or "").split()]

    def ticks(self, axis, anchor):
        """{value: coordinate} of the numbers beside grid lines, which have `anchor`."""
        found = {}
        for item in self.root.iter(SVG + "text"):
            if item.get("class") == "cs-f-muted" and item.get("text-anchor") == anchor:
                try:
                    found[float(item.text)] = float(item.get(axis))
                except ValueError:
                    pass
        return found


def points(group, path=0):
    """[n,2] of a path of the group; the moves are not distinguished."""
    d = list(group.iter(SVG + "path"))[path].get("d")
    return np.array([[float(v) for v in pair.split()] for pair in re.split("[ML]", d)[1:]])


def linear(x, ticks):
    """The coordinate of x, on the line through the outermost two of {value: coordinate}."""
    low, high = min(ticks), max(ticks)
    return ticks[low] + (ticks[high] - ticks[low]) * (np.asarray(x, float) - low) / (high - low)


def attributes(item, *names):
    return [float(item.get(name)) for name in names]


class ChartTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.holder.name)
        print_charts(cls.folder)
        cls.names = sorted(path.stem for path in cls.folder.glob("*.svg"))
        rows = [line.split(",") for line in (cls.folder / "colours.csv").read_text().split()]
        cls.colours = {name: np.array([[int(v) for v in row[1:]] for row in rows if row[0] == name])
                       for name in ("viridis", "blues", "jet")}

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    def chart(self, name):
        return Chart(self.folder / f"{name}.svg")
