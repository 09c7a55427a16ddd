# SPDX-License-Identifier: Apache-2.0
"""The colours of charts: colour maps, the series as the colour-blind see them, contrast of texts."""
import os
import re
import subprocess
import unittest

import numpy as np

from chart_reader import SVG, ChartTest, attributes


def pairs(root):
    """(rectangle, text) of each text in a colour of its own: the last rectangle before it that it is on."""
    rectangles = []
    for item in root.iter():
        if item.tag == SVG + "rect" and (item.get("fill") or "").startswith("#"):
            rectangles.append((item, *attributes(item, "x", "y", "width", "height")))
        if item.tag == SVG + "text" and item.get("fill"):
            x, y = attributes(item, "x", "y")
            yield [cell for cell, left, top, width, height in rectangles
                   if left <= x <= left + width and top <= y <= top + height][-1], item


class Colours(ChartTest):
    @staticmethod
    def to_linear(rgb):
        rgb = np.asarray(rgb, float) / 255
        return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)

    @classmethod
    def to_lab(cls, rgb_linear):
        """CIELAB with the white of D65."""
        xyz = rgb_linear @ np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                                      [0.0193339, 0.1191920, 0.9503041]]).T
        t = xyz / np.array([0.95047, 1, 1.08883])
        f = np.where(t > (6 / 29) ** 3, np.cbrt(np.maximum(t, 0)), t / (3 * (6 / 29) ** 2) + 4 / 29)
        return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)

    def test_lightness_of_viridis_rises_and_that_of_blues_falls(self):
        for name, sign in ("viridis", 1), ("blues", -1):
            lightness = self.to_lab(self.to_linear(self.colours[name]))[:, 0]
            self.assertTrue((sign * np.diff(lightness[::5]) > 0.5).all(), name)
            self.assertTrue((sign * np.diff(lightness) > -0.2).all(), name)  # bytes are rounded
            self.assertGreater(sign * (lightness[-1] - lightness[0]), 60)

    def themes(self):
        """[{role: rgb}] of the light and the dark theme of a page."""
        page = (self.folder / "page.html").read_text()
        blocks = re.findall(r":root[^{]*\{(--cs[^}]*)\}", page)
        return [{name: [int(value[k:k + 2], 16) for k in (0, 2, 4)] for name, value in re.findall(r"--cs-(\w+):#(\w{6})", block)}
                for block in blocks[:2]]

    # Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, at
    # severity 1, for linear RGB.
    SIMULATED = {"normal": np.eye(3),
                 "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                                         [-0.003882, -0.048116, 1.051998]]),
                 "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                                           [-0.011820, 0.042940, 0.968881]])}

    def test_the_colour_blind_tell_the_series_apart(self):
        for theme in self.themes():
            series = self.to_linear([theme[str(i)] for i in range(8)])
            for kind, matrix in self.SIMULATED.items():
                lab = self.to_lab(np.clip(series @ matrix.T, 0, 1))
                distance = np.sqrt(((lab[:, None] - lab[None]) ** 2).sum(-1)) + 1e3 * np.eye(8)
                self.assertGreater(distance.min(), 10, (kind, np.unravel_index(distance.argmin(), (8, 8))))

    def contrast(self, a, b):
        """Of WCAG 2.1."""
        dark, bright = sorted(self.to_linear(rgb) @ [0.2126, 0.7152, 0.0722] for rgb in (a, b))
        return (bright + 0.05) / (dark + 0.05)

    def test_texts_have_the_contrast_of_wcag_aa(self):
        for theme in self.themes():
            for role in "text", "muted":
                self.assertGreaterEqual(self.contrast(theme[role], theme["background"]), 4.5)

    def test_texts_of_cells_have_the_contrast_of_wcag_aa(self):
        for name in "pivot", "confusion", "confusion_30":
            for cell, text in pairs(self.chart(name).root):
                colours = [[int(item.get("fill")[k:k + 2], 16) for k in (1, 3, 5)] for item in (cell, text)]
                self.assertGreaterEqual(self.contrast(*colours), 4.5)

    def test_jet_and_viridis_are_those_of_opencv(self):
        python = os.environ.get("CNNSWEEP_KERAS_PYTHON")
        if not python:
            self.skipTest("CNNSWEEP_KERAS_PYTHON is not set")
        code = """import cv2, numpy as np, sys
for name in cv2.COLORMAP_JET, cv2.COLORMAP_VIRIDIS:
    sys.stdout.buffer.write(cv2.applyColorMap(np.arange(256, dtype=np.uint8)[None], name)[0, :, ::-1].tobytes())"""
        done = subprocess.run([python, "-c", code], capture_output=True, check=True)
        maps = np.frombuffer(done.stdout, np.uint8).reshape(2, 256, 3).astype(int)
        self.assertLessEqual(np.abs(self.colours["jet"] - maps[0]).max(), 3)
        self.assertLessEqual(np.abs(self.colours["viridis"] - maps[1]).max(), 4)


if __name__ == "__main__":
    unittest.main()
