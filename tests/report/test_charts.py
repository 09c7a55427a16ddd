# SPDX-License-Identifier: Apache-2.0
"""Charts of fixed data (charts/print_charts.c) as SVG, PDF and PNG. Python's XML parser, Pillow and Poppler's tools read them,
and numpy says where each mark must be. The data is spelt here once more, so that a chart is not compared with itself."""
import base64
import io
import math
import re
import shutil
import subprocess
import unittest
import xml.etree.ElementTree as ElementTree

import numpy as np
from PIL import Image

from chart_reader import SVG, ChartTest, attributes, linear, points, print_charts

XLINK = "{http://www.w3.org/1999/xlink}"
HOSTILE = ["<script>alert(1)</script>", "\"double\" 'single' & ]]>", "שלום עולם", "黑色素瘤", "two\nlines\tand a tab",
           "caf\ufffd cr\ufffdme", "\ufffd\ufffd[31mred\ufffd", "🔬 microscope",
           "a name that is so long that it has no place on any chart and must end in an ellipsis, melanocytic nevi"]
TRIALS = [f"t{i:03d}" for i in range(40)]


def pixel_of(image):
    data = image.get(XLINK + "href")
    assert data.startswith("data:image/png;base64,")
    return np.array(Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGB"))


class Charts(ChartTest):
    # ---- files ----

    def test_every_svg_is_well_formed_and_has_no_script(self):
        self.assertGreaterEqual(len(self.names), 40)
        for name in self.names:
            chart = self.chart(name)
            self.assertEqual(chart.root.tag, SVG + "svg")
            for item in chart.root.iter():
                self.assertIn(item.tag, {SVG + tag for tag in ("svg", "title", "desc", "style", "rect", "line", "path", "circle",
                                                               "text", "image", "g")})
                self.assertFalse([key for key in item.attrib if key.startswith("on")])
            self.assertIn("prefers-color-scheme:dark", chart.root.findtext(SVG + "style"))

    def test_svgs_in_a_page_are_named_and_have_ids_of_their_own(self):
        page = (self.folder / "page.html").read_text()
        svgs = re.findall(r"<svg.*?</svg>", page, re.S)
        self.assertEqual(len(svgs), len([name for name in self.names if not name.endswith("_column")]))
        self.assertNotIn("<?xml", page)
        ids = re.findall(r'\bid="([^"]*)"', page)
        self.assertEqual(len(ids), len(set(ids)))
        for text in svgs:
            root = ElementTree.fromstring(text)
            self.assertEqual(root.get("role"), "img")
            title, = [item for item in root if item.get("id") == root.get("aria-labelledby")]
            self.assertTrue(title.tag == SVG + "title" and title.text)
            self.assertIsNone(root.find(SVG + "style"))

    def test_every_class_of_a_page_has_a_rule(self):
        page = (self.folder / "page.html").read_text()
        style = page[:page.index("</style>")]
        used = {name for names in re.findall(r'class="([^"]*)"', page) for name in names.split() if re.match("cs-[sf]-", name)}
        self.assertGreater(len(used), 8)
        for name in used:
            self.assertIn(f".{name}{{", style)
        for name in re.findall(r"var\((--cs-\w+)\)", style):
            self.assertEqual(style.count(name + ":"), 3, name)  # light, dark, and dark by choice

    def test_coordinates_have_at_most_one_decimal(self):
        number = re.compile(r"-?\d+(\.\d)?")
        for name in self.names:
            for item in self.chart(name).root.iter():
                for key in ("x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "width", "height"):
                    if item.get(key) != "100%":
                        self.assertTrue(number.fullmatch(item.get(key, "0")), (name, item.attrib))
                for value in re.findall(r"[^ML ]+", item.get("d", "")):
                    self.assertTrue(number.fullmatch(value), (name, value))

    def test_a_png_has_twice_the_size_and_is_not_blank(self):
        for name in self.names:
            image = Image.open(self.folder / f"{name}.png")
            width, height = attributes(self.chart(name).root, "width", "height")
            # The SVG's size is rounded to a tenth.
            self.assertLessEqual(abs(image.width - 2 * width), 1.1)
            self.assertLessEqual(abs(image.height - 2 * height), 1.1)
            np.testing.assert_allclose(image.info["dpi"], 192, atol=0.05)
            pixels = np.array(image.convert("L"))
            self.assertEqual(pixels[0, 0], 255)
            self.assertGreater((pixels < 128).sum(), 200, name)

    def test_charts_of_many_classes_are_small(self):
        for name, limit in ("confusion_3000", 100_000), ("stacked_3000", 100_000), ("confusion_30", 30_000), ("confusion", 20_000):
            self.assertLess((self.folder / f"{name}.svg").stat().st_size, limit)

    def pdf_text(self, name, how):
        done = subprocess.run(["pdftotext", how, self.folder / f"{name}.pdf", "-"], capture_output=True, text=True, check=True)
        return done.stdout

    @unittest.skipUnless(shutil.which("pdftotext"), "needs pdftotext")
    def test_a_pdf_has_the_texts_of_the_svg(self):
        for name in "lines", "depth_column", "pivot", "bars", "time_line":
            text = re.sub(r"\s", "", self.pdf_text(name, "-raw"))
            for word in self.chart(name).words():
                self.assertIn(re.sub(r"\s", "", word), text)

    @unittest.skipUnless(shutil.which("pdftotext"), "needs pdftotext")
    def test_a_chart_for_a_column_is_3_4_inches_wide_with_letters_of_at_least_7_pt(self):
        for name in (name for name in self.names if name.endswith("_column")):
            text = self.pdf_text(name, "-bbox")
            self.assertAlmostEqual(float(re.search(r'<page width="([\d.]+)"', text).group(1)), 3.4 * 72, places=1)
            sizes = {item.get("font-size") for item in self.chart(name).root.iter() if item.get("font-size")}
            self.assertTrue(sizes and all(float(size) * 0.75 >= 7 for size in sizes), sizes)
            boxes = re.findall(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">', text)
            for box in np.array(boxes, float):
                self.assertGreaterEqual(max(box[2] - box[0], box[3] - box[1]), 7 * 0.5)
                self.assertTrue((box[:2] >= 0).all() and box[2] <= 3.4 * 72 + 0.1, (name, box))

    def test_a_machine_without_fonts_draws_letters_and_prints_no_warnings(self):
        empty = self.folder / "empty.conf"
        empty.write_text("<fontconfig></fontconfig>")
        for number, configuration in enumerate((empty, "/dev/null", "/nonexistent")):
            folder = self.folder / f"without{number}"
            folder.mkdir()
            print_charts(folder, "depth", FONTCONFIG_FILE=str(configuration), HOME="/nonexistent", XDG_CACHE_HOME="/nonexistent")
            with_fonts, without = (np.array(Image.open(f / "depth.png").convert("L")) for f in (self.folder, folder))
            title = (slice(10, 45), slice(15, 330))  # "Accuracy against depth"
            self.assertGreater((without[title] < 128).sum(), 0.3 * (with_fonts[title] < 128).sum())
            self.assertTrue((without != with_fonts).any())

    # ---- names ----

    def test_names_are_whole_in_tooltips_and_shortened_on_the_chart(self):
        for name in "confusion", "confusion_column", "stacked":
            chart = self.chart(name)
            for hostile in HOSTILE:
                shown = re.sub(r"\s", " ", hostile)
                texts = [text for text in chart.words() if shown.startswith(text.rstrip("…")) and len(text) > 3]
                self.assertTrue(texts, (name, hostile))
                for text in texts:
                    self.assertTrue(text == shown or hostile in chart.tooltips, (name, text))
            self.assertTrue(any(text.endswith("…") for text in chart.words()))
            self.assertTrue(any((tip or "").startswith(HOSTILE[-1]) for tip in chart.tooltips))

    def test_each_trial_has_a_group_with_its_key_and_name(self):
        hostile = [HOSTILE[i % 9] for i in range(40)]
        for name, labels in ("many_lines", TRIALS), ("parallel", TRIALS), ("scatter", hostile), ("time_line", hostile):
            groups = [item for item in self.chart(name).groups if item.get("data-trial")]
            found = sorted((item.get("data-trial"), item.findtext(SVG + "title")) for item in groups)
            self.assertEqual(found, list(zip(TRIALS, labels)))

    def test_more_than_eight_lines_have_no_legend(self):
        self.assertIn("val accuracy", self.chart("lines").words())
        self.assertFalse(set(TRIALS) & set(self.chart("many_lines").words()))

    # ---- positions ----

    def assertNear(self, actual, expected):
        """Within the rounding of three coordinates to a tenth: that of the point, and of two ticks."""
        np.testing.assert_allclose(actual, expected, atol=0.16)

    def test_points_of_lines_are_where_the_axes_say(self):
        chart = self.chart("lines")
        x, y = chart.ticks("x", "middle"), chart.ticks("y", "end")
        y = {value: at - 0.35 * 12 for value, at in y.items()}  # texts stand a little below their lines
        epochs = np.arange(1, 21)
        expected = {"train accuracy": 1 - 0.5 * np.exp(-epochs / 6),
                    "val accuracy": 0.9 - 0.4 * np.exp(-epochs / 5) + 0.01 * np.sin(3 * epochs),
                    "val loss": 0.3 + 0.5 * np.exp(-epochs / 4) + 0.005 * epochs}
        for label, values in expected.items():
            keep = epochs != (10 if label == "val loss" else 0)  # its tenth value is missing
            self.assertNear(points(chart.group(label)), np.stack([linear(epochs, x), linear(values, y)], 1)[keep])
        self.assertEqual(chart.group("val loss").find(SVG + "path").get("d").count("M"), 2)
        circles = [attributes(item, "cx", "cy") for item in chart.group("val accuracy").iter(SVG + "circle")]
        self.assertNear(circles, np.stack([linear(epochs, x), linear(expected["val accuracy"], y)], 1))

    def test_a_point_of_a_roc_is_in_the_square_of_the_grid(self):
        chart = self.chart("roc")
        lines = np.array([attributes(item, "x1", "y1", "x2", "y2") for item in chart.root.iter(SVG + "line")
                          if item.get("class") == "cs-s-axis"])
        left, right, top, bottom = lines[:, 0].min(), lines[:, 2].max(), lines[:, 1].min(), lines[:, 3].max()
        fpr, tpr = np.array([0, 0, .1, .1, .3, .3, .6, 1]), np.array([0, .4, .4, .7, .7, .9, 1, 1])
        expected = np.stack([left + (right - left) * fpr, bottom + (top - bottom) * tpr], 1)
        self.assertNear(points(chart.group("melanoma, AUC 0.86")), expected)

    def test_error_bars_are_from_mean_minus_sd_to_mean_plus_sd(self):
        chart = self.chart("depth")
        y = {value: at - 0.35 * 12 for value, at in chart.ticks("y", "end").items()}
        mean = np.array([.82, .828, .835, .845, .85, .853, .86, .871])
        sd = np.array([.01, .008, .012, .005, .01, .007, .006, .004])
        bars = points(chart.group("flip_hv"), 1).reshape(8, 3, 2, 2)  # lower cap, bar, upper cap: two ends each
        self.assertNear(bars[:, 0, 0, 1], linear(mean - sd, y))
        self.assertNear(bars[:, 2, 0, 1], linear(mean + sd, y))

    def test_a_mark_without_a_place_is_left_out(self):
        marks = [item for item in self.chart("lines").root.iter(SVG + "line") if item.get("class") == "cs-s-mark"]
        x = self.chart("lines").ticks("x", "middle")
        self.assertNear([float(item.get("x1")) for item in marks], linear([4, 14], x))
        self.assertNotIn("nowhere", self.chart("lines").words())

    def test_a_faint_line_is_cut_off_at_the_range_of_the_others(self):
        chart = self.chart("log")
        x = {math.log10(value): at for value, at in chart.ticks("x", "middle").items()}
        y = {value: at - 0.35 * 12 for value, at in chart.ticks("y", "end").items()}
        i = np.arange(100)
        values = 0.7 - 0.5 / (1 + np.exp(-(i - 60) / 6)) + np.where(i > 85, 0.01 * (i - 85.) ** 2, 0)
        self.assertNear(points(chart.group("smoothed")), np.stack([linear(-7 + i * 7 / 99, x), linear(values, y)], 1))
        faint = points(chart.group("loss"))
        self.assertAlmostEqual(faint[:, 1].min(), min(y.values()), delta=0.11)  # the spike ends at the upper edge
        self.assertGreater(np.isclose(faint[:, 1], faint[:, 1].min()).sum(), 1)

    def test_a_cell_has_its_place_and_the_colour_of_its_value(self):
        chart = self.chart("pivot")
        values = np.array([0.78 + 0.004 * (i * 7 % 20) for i in range(20)])
        corner = None
        for i in range(20):
            row, column = ["none", "flip_hv", "brightness", "flip_hv_brightness"][i // 5], str(2 + 2 * (i % 5))
            tooltip = f"{row}, {column}: {values[i]:.3f} ± {0.003 + 0.0005 * i:.3f}"
            if i == 7:  # is missing
                self.assertFalse([tip for tip in chart.tooltips if tip.startswith(f"{row}, {column}:")])
                continue
            cell = chart.group(tooltip).find(SVG + "rect")
            x, y, width, height = attributes(cell, "x", "y", "width", "height")
            corner = corner or (x, y)
            self.assertAlmostEqual(x, corner[0] + i % 5 * width, delta=0.4)
            self.assertAlmostEqual(y, corner[1] + i // 5 * height, delta=0.4)
            place = (values[i] - values.min()) / (values.max() - values.min())
            self.assertClose(cell.get("fill"), self.colours["viridis"][round(255 * place)])

    def assertClose(self, text, colour, levels=4):
        found = [int(text[k:k + 2], 16) for k in (1, 3, 5)]
        self.assertLessEqual(np.abs(np.array(found) - colour).max(), levels, (text, colour))

    @staticmethod
    def confusion(n):
        matrix = np.zeros((n, n))
        for i in range(n):
            matrix[i, i] = 50 - i % 40
            for k in range(1, min(4, n)):
                matrix[i, (i + k * k) % n] = i * k % 7
        return matrix

    def test_a_confusion_by_row_shows_shares_in_per_cent(self):
        matrix = self.confusion(7)
        names = ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
        chart = self.chart("confusion_share")
        for r in range(7):
            for c in range(7):
                share = matrix[r, c] / matrix[r].sum()
                if share == 0:  # has the colour behind all, and no tooltip
                    self.assertNotIn(f"{names[r]}, {names[c]}: 0 %", chart.tooltips)
                    continue
                cell = chart.group(f"{names[r]}, {names[c]}: {100 * share:.0f} %")
                self.assertClose(cell.find(SVG + "rect").get("fill"), self.colours["blues"][round(255 * share)])
                self.assertEqual(cell.findtext(SVG + "text"), f"{100 * share:.0f}")
        ground = chart.root.findall(SVG + "rect")[1]  # after that of the file
        self.assertClose(ground.get("fill"), self.colours["blues"][0])
        self.assertEqual([item.text for item in chart.root.findall(SVG + "text") if item.get("fill")].count("0"), (matrix == 0).sum())

    def test_many_classes_are_an_image_whose_pixel_is_the_largest_of_its_cells(self):
        matrix = self.confusion(3000)
        shares = matrix / matrix.sum(1, keepdims=True)
        image = [item for item in self.chart("confusion_3000").root.iter(SVG + "image")][-1]
        edges = np.arange(257) * 3000 // 256
        expected = np.maximum.reduceat(np.maximum.reduceat(shares, edges[:-1], 0), edges[:-1], 1)
        pixels = pixel_of(image)
        self.assertEqual(pixels.shape, (256, 256, 3))
        difference = np.abs(pixels.astype(int) - self.colours["blues"][np.rint(255 * expected).astype(int)])
        self.assertLessEqual(difference.max(), 4)
        self.assertGreater((expected > 0).sum(), 256)

    def test_bars_are_as_long_as_their_values(self):
        chart = self.chart("bars")
        x = chart.ticks("x", "middle")
        for label, value in (("fine_tune", 0.52), ("augment", 0.21), ("fine_tune × augment", 0.08), ("noise (seeds)", 0.19)):
            at, width = attributes(chart.group(f"{label}: {value:.2f}").find(SVG + "rect"), "x", "width")
            self.assertNear([at, at + width], linear([0, value], x))
        interval = points(chart.group("augment: 0.21"))[:, 0]
        self.assertNear([interval.min(), interval.max()], linear([0.15, 0.25], x))

    def test_the_last_stacked_bar_is_the_mean_of_the_rest(self):
        chart = self.chart("stacked_3000")
        rest = np.array([[total // (1 + i % 50) for total in (700, 100, 200)] for i in range(59, 3000)]).mean(0)
        tooltip = "mean of 2941 others: train {:.1f}, val {:.1f}, test {:.1f}".format(*rest)
        x = chart.ticks("x", "middle")
        widths = [float(item.get("width")) for item in chart.group(tooltip).iter(SVG + "rect")]
        self.assertNear(widths, linear(rest, x) - linear(0, x))
        self.assertEqual(len(chart.of_class("cs-bar")), 60)

    def test_points_of_a_scatter_chart_are_where_the_axes_say(self):
        chart = self.chart("scatter")
        x = {math.log10(value): at for value, at in chart.ticks("x", "middle").items()}
        y = {value: at - 0.35 * 12 for value, at in chart.ticks("y", "end").items()}
        for t in range(40):
            item, = [group for group in chart.of_class("cs-point") if group.get("data-trial") == TRIALS[t]]
            expected = [linear(math.log10(8 * 1.12 ** (t * 11 % 40)), x), linear(0.75 + 0.003 * (t * 7 % 40), y)]
            self.assertNear(attributes(item.find(SVG + "circle"), "cx", "cy"), expected)

    def test_lines_of_parallel_coordinates_pass_their_axes_at_their_values(self):
        chart = self.chart("parallel")
        axes = chart.of_class("cs-axis")
        x = [float(item.find(SVG + "line").get("x1")) for item in axes]
        self.assertEqual([item.get("data-axis") for item in axes], list("01234"))
        names = {text.text: float(text.get("y")) for text in axes[0].iter(SVG + "text")}
        rates = {math.log10(float(text.text)): float(text.get("y")) for text in axes[1].iter(SVG + "text") if text.get("class")}
        for t in (0, 3, 17, 39):
            line = points(next(item for item in chart.of_class("cs-line") if item.get("data-trial") == TRIALS[t]))
            augment = ["none", "flip_hv", "brightness", "flip_hv_brightness"][t % 4]
            self.assertNear(line[0], [x[0], names[augment] - 0.35 * 12])
            self.assertNear(line[1], [x[1], linear(-5 + t * 13 % 40 * 3 / 40, rates) - 0.35 * 12])
        broken = next(item for item in chart.of_class("cs-line") if item.get("data-trial") == "t009")
        self.assertEqual(broken.find(SVG + "path").get("d").count("M"), 2)

    def test_spans_of_a_time_line_are_from_start_to_end(self):
        chart = self.chart("time_line")
        x = chart.ticks("x", "middle")
        free = [3, 2, 5, 4]
        for t in range(40):
            seconds = 20 + t * 17 % 60
            item, = [group for group in chart.of_class("cs-span") if group.get("data-trial") == TRIALS[t]]
            left, width = attributes(item.find(SVG + "rect"), "x", "width")
            self.assertNear([left, left + width], linear(np.array([free[t % 4], free[t % 4] + seconds]) / 60, x))
            free[t % 4] += seconds + 2

    def test_bins_of_a_reliability_diagram_are_as_high_as_their_accuracy(self):
        chart = self.chart("reliability")
        y = {value: at - 0.35 * 12 for value, at in chart.ticks("y", "end").items()}
        x = chart.ticks("x", "middle")
        bins = chart.of_class("cs-bin")
        self.assertEqual(len(bins), 9)  # the first one is empty
        for i, item in enumerate(bins, 1):
            left, top, width, height = attributes(item.find(SVG + "rect"), "x", "y", "width", "height")
            accuracy = (0.05 + 0.1 * i) ** 1.4
            self.assertNear([left, left + width], linear([i / 10, (i + 1) / 10], x))
            self.assertNear([top, top + height], linear([accuracy, 0], y))
            self.assertNear(attributes(item.find(SVG + "circle"), "cx", "cy"), [linear(0.05 + 0.1 * i, x), linear(accuracy, y)])


if __name__ == "__main__":
    unittest.main()
