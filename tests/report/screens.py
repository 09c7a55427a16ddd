# SPDX-License-Identifier: Apache-2.0
"""Screens of a report.html by a headless Chromium: screens.py REPORT.html FOLDER NAME TRIAL. Writes
<NAME>-<sweep|trial>-<desktop|phone>-<light|dark>.png: of the sweep's page without the trials, and of the section of a trial."""
import base64
import os
import sys

from browser import open_browser

WIDTHS = {"desktop": 1280, "phone": 390}
TALLEST = 9000


def shoot(browser, path, width, top, height):
    clip = {"x": 0, "y": top, "width": width, "height": min(height, TALLEST), "scale": 1}
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    with open(path, "wb") as file:
        file.write(base64.b64decode(shot["data"]))


def main(page, folder, name, trial):
    os.makedirs(folder, exist_ok=True)
    for size, width in WIDTHS.items():
        for scheme in ("light", "dark"):
            with open_browser(width, scheme) as browser:
                for kind, fragment in (("sweep", ""), ("trial", "#" + trial)):
                    browser.get("file://" + os.path.abspath(page) + fragment)
                    top = browser.execute_script(
                        "const of = document.querySelector(arguments[0] || 'body').getBoundingClientRect(); return of.top + scrollY",
                        fragment)
                    height = browser.execute_script("return document.documentElement.scrollHeight") - top
                    shoot(browser, os.path.join(folder, f"{name}-{kind}-{size}-{scheme}.png"), width, top, height)


main(*sys.argv[1:])
