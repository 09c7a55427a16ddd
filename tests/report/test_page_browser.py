# SPDX-License-Identifier: Apache-2.0
"""report.html in a real browser: nothing fails or is loaded, axe-core finds no error, the script sorts, filters, highlights and
brushes, links lead to trials, everything can be reached by the keyboard. CNNSWEEP_KERAS_PYTHON names a Python that has Selenium
and axe-core."""
import contextlib
import os
import sys

sys.path[:0] = [os.path.join(os.environ["CNNSWEEP_SOURCE"], "tests", folder) for folder in ("cli", "parity")]
import inside_keras

inside_keras.enter()

from axe_core_python.selenium import Axe
from browser import open_browser
from harness import make_data, path, read_trials, run_ok, run_tests, write_job
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

make_data()
run_ok("train", write_job())
PAGE = "file://" + path("results/tiny/report.html")
TRIALS = read_trials("results/tiny")


SHARED = contextlib.ExitStack()  # one browser for all tests that need no other width or theme
BROWSER = SHARED.enter_context(open_browser())


@contextlib.contextmanager
def fresh_page(fragment=""):
    BROWSER.get("about:blank")
    BROWSER.get(PAGE + fragment)
    yield BROWSER


def cells(browser, column):
    """The texts of a column of the leaderboard's visible rows, from the top."""
    heads = [head.text for head in browser.find_elements("css selector", "#trials thead th")]
    rows = [row for row in browser.find_elements("css selector", "#trials tbody tr") if row.is_displayed()]
    return [row.find_elements("css selector", "th, td")[heads.index(column)].text for row in rows]


def head(browser, column):
    return next(button for button in browser.find_elements("css selector", "#trials th button") if button.text == column)


def visible(browser, selector):
    return [element for element in browser.find_elements("css selector", selector) if element.is_displayed()]


def test_nothing_fails_or_is_loaded():
    with fresh_page() as browser:
        assert browser.get_log("browser") == []
        assert browser.execute_script("return performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:')).length") == 0


def test_axe_finds_no_error():
    for width, scheme in ((1280, "light"), (390, "dark")):
        with open_browser(width, scheme) as browser:
            for fragment in ("", "#t000"):
                browser.get(PAGE + fragment)
                found = Axe().run(browser)["violations"]
                assert not found, [(rule["id"], [node["html"][:200] for node in rule["nodes"][:3]]) for rule in found]


def test_the_page_is_no_wider_than_the_screen():
    for width in (390, 1280):
        with open_browser(width) as browser:
            for fragment in ("", "#t000"):
                browser.get(PAGE + fragment)
                assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_a_head_sorts_by_numbers_in_both_directions():
    with fresh_page() as browser:
        expected = sorted(float(trial["test_loss"]) for trial in TRIALS)
        head(browser, "test_loss").click()
        shown = [float(text) for text in cells(browser, "test_loss")]
        assert shown == sorted(shown) and all(abs(a - b) < 1e-4 for a, b in zip(shown, expected)), shown
        head(browser, "test_loss").send_keys(Keys.ENTER)
        assert [float(text) for text in cells(browser, "test_loss")] == shown[::-1]


def test_a_head_sorts_by_text():
    with fresh_page() as browser:
        head(browser, "augment").click()
        assert cells(browser, "augment") == sorted(trial["augment"] for trial in TRIALS)


def test_the_filter_takes_words_and_conditions():
    with fresh_page() as browser:
        field = browser.find_element("id", "filter")
        for text, keeps in (("flips", lambda trial: trial["augment"] == "flips"),
                            ("lr=0.001", lambda trial: float(trial["lr"]) == 0.001),
                            ("lr<0.001 dark", lambda trial: float(trial["lr"]) < 0.001 and trial["augment"] == "dark"),
                            ("test_loss>1000", lambda trial: False)):
            field.clear()
            field.send_keys(text)
            assert sorted(cells(browser, "trial")) == sorted(trial["trial"] for trial in TRIALS if keeps(trial)), text


def test_a_ticked_trial_stands_out_in_the_charts():
    with fresh_page() as browser:
        browser.find_element("css selector", "tr[data-trial=t002] input").click()
        for section in ("curves", "parallel", "cost", "timeline"):
            lit = browser.find_elements("css selector", f"#{section} [data-trial].lit")
            assert lit and {mark.get_attribute("data-trial") for mark in lit} == {"t002"}, section


def test_trials_are_ticked_by_the_keyboard_and_in_charts():
    with fresh_page() as browser:
        box = browser.find_element("css selector", "tr[data-trial=t003] input")
        box.send_keys(Keys.SPACE)
        assert browser.find_elements("css selector", "#cost [data-trial=t003].lit")
        browser.execute_script("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))",
                               browser.find_element("css selector", "#cost [data-trial=t003] circle"))
        assert not box.is_selected()


def test_a_choice_shows_one_chart_of_a_kind():
    with fresh_page() as browser:
        choice = Select(browser.find_element("css selector", "select[data-shows=curves]"))
        assert len(visible(browser, "#curves figure")) == 1
        choice.select_by_visible_text("loss")
        assert [caption.text for caption in visible(browser, "#curves figcaption")] == ["loss"]


def outside(browser):
    return {mark.get_attribute("data-trial") for mark in browser.find_elements("css selector", "#parallel .out-of-limits")}


def test_brushing_an_axis_hides_the_trials_outside():
    values = {trial["trial"]: float(trial["test_accuracy"]) for trial in TRIALS}
    low, high = min(values.values()), max(values.values())
    with fresh_page() as browser:
        axis = browser.find_elements("css selector", "#parallel .cs-axis")[-1].find_element("css selector", "line")
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", axis)
        height = browser.execute_script("return arguments[0].getBoundingClientRect().height", axis)
        ActionChains(browser).move_to_element(axis).move_by_offset(0, 2).click_and_hold().move_by_offset(
            0, -int(height / 2) - 20).release().perform()
        middle = (low + high) / 2
        expected = {name for name, value in values.items() if value < middle - 0.02 * (high - low)}
        assert outside(browser) >= expected and outside(browser) < set(values), (outside(browser), expected)
        assert set(cells(browser, "trial")) == set(values) - outside(browser)


def test_limits_are_set_by_the_keyboard():
    best = max(TRIALS, key=lambda trial: float(trial["test_accuracy"]))
    with fresh_page() as browser:
        lowest = browser.find_elements("css selector", "#limits input")[-2]
        lowest.send_keys(Keys.END)
        assert outside(browser) == {trial["trial"] for trial in TRIALS
                                    if float(trial["test_accuracy"]) < float(best["test_accuracy"])}
        lowest.send_keys(Keys.HOME)
        assert not outside(browser)


def test_links_lead_to_trials():
    with fresh_page() as browser:
        assert not visible(browser, ".trial")
        browser.find_element("css selector", "#trials a[href='#t004']").click()
        assert [section.get_attribute("id") for section in visible(browser, ".trial")] == ["t004"]
        assert "t004" in visible(browser, ".trial h3")[0].text


def test_images_of_a_trial_are_shown():
    with fresh_page("#t001") as browser:
        images = visible(browser, "#t001 img")
        assert images and all(browser.execute_script("return arguments[0].naturalWidth", image) == 32 for image in images)


with SHARED:
    run_tests(globals())
