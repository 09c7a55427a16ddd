# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium for tests of report.html; exit code 77 (skip) where it or Selenium is not installed."""
import contextlib
import shutil
import sys

try:
    from selenium import webdriver
except ImportError:
    print("skip: no Selenium")
    sys.exit(77)

DRIVER = shutil.which("chromedriver")
if not DRIVER or not shutil.which("chromium"):
    print("skip: no chromium and chromium-driver")
    sys.exit(77)


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
