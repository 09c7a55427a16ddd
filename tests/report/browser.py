# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium for tests of report.html. Where it is not installed nothing is checked, which is a failure in CI."""
import contextlib
import os
import shutil
import sys

DRIVER = shutil.which("chromedriver")
try:
    from selenium import webdriver
except ImportError:
    webdriver = None
if not webdriver or not DRIVER or not shutil.which("chromium"):
    print("Selenium, chromium or chromium-driver is missing: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)


@contextlib.contextmanager
def open_browser(width=1280, scheme="light", height=900):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     f"--window-size={width},{height}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(service=webdriver.ChromeService(DRIVER), options=options)
    try:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        yield browser
    finally:
        browser.quit()
