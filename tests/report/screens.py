# SPDX-License-Identifier: Apache-2.0
"""Screens of a report.html by a headless Chromium: screens.py REPORT.html FOLDER [TRIAL]. Writes <page>-<desktop|phone>-
<light|dark>.png of the sweep's page and of the section of a trial."""
import os
import sys

from browser import open_browser

SIZES = {"desktop": 1280, "phone": 390}


def main(page, folder, trial="t000"):
    os.makedirs(folder, exist_ok=True)
    for size, width in SIZES.items():
        for scheme in ("light", "dark"):
            with open_browser(width, scheme) as browser:
                for name, fragment in (("sweep", ""), ("trial", "#" + trial)):
                    browser.get("file://" + os.path.abspath(page) + fragment)
                    height = browser.execute_script("return document.documentElement.scrollHeight")
                    if fragment:
                        top = browser.execute_script("return arguments[0].getBoundingClientRect().top + scrollY",
                                                     browser.find_element("id", trial))
                    else:
                        top = 0
                    browser.set_window_size(width, min(int(height - top), 8000))
                    browser.execute_script("window.scrollTo(0, arguments[0])", top)
                    browser.save_screenshot(os.path.join(folder, f"{name}-{size}-{scheme}.png"))
                    browser.set_window_size(width, 900)


if __name__ == "__main__":
    main(*sys.argv[1:])
