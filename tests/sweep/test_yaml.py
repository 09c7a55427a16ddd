# SPDX-License-Identifier: Apache-2.0
"""YAML is read as PyYAML's safe_load reads it: scalars, null, merge keys with their order."""
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile

try:
    import yaml
except ImportError:
    print("skipped: this Python has no yaml")
    sys.exit(77)

PRINT_YAML = os.path.join(os.environ["CNNSWEEP_BIN"], "..", "tests", "print_yaml")
# Numbers that all people read alike, though YAML 1.1 takes some of them for texts: 1e-4, 1e1, -.5
DECIMAL = re.compile(r"[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][-+]?\d+)?")
WHOLE_WITH_ZERO = re.compile(r"[-+]?0[0-9_]+")  # octal in YAML 1.1 alone


def read(texts):
    """What cnnsweep reads in each of the texts."""
    with tempfile.TemporaryDirectory() as folder:
        names = [os.path.join(folder, f"{i}.yaml") for i in range(len(texts))]
        for name, text in zip(names, texts):
            with open(name, "w", encoding="utf-8") as file:
                file.write(text)
        shown = []
        for first in range(0, len(names), 1000):
            done = subprocess.run([PRINT_YAML, *names[first:first + 1000]], capture_output=True, text=True, check=True)
            shown += [json.loads(line) for line in done.stdout.splitlines()]
    assert len(shown) == len(texts)
    return shown


def assert_read_as(text, value, got):
    """One plain scalar; `value` is PyYAML's."""
    where = (text, value, got)
    assert got["null"] == (value is None), where
    assert got.get("bool") == (value if isinstance(value, bool) else None), where
    refused = WHOLE_WITH_ZERO.fullmatch(text) or ":" in text
    number = None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and DECIMAL.fullmatch(text):
        number = float(text.replace("_", ""))
    if number is None or refused or not math.isfinite(number):
        assert "float" not in got and "whole" not in got, where
        return
    if abs(number) >= 2 ** 53:
        return
    assert got["float"] == number, where
    assert got.get("whole") == (number if number == int(number) else None), where
    assert got["int"] == isinstance(value, int), where


def by_pyyaml(text):
    """PyYAML's value of a plain scalar; Ellipsis: it is none."""
    try:
        value = yaml.safe_load(f"v: {text}\n")["v"]
    except (yaml.YAMLError, ValueError, AttributeError):  # PyYAML itself fails at 0x_ and 0b_
        return ...
    return value if value is None or isinstance(value, (bool, int, float, str)) else ...


def assert_all_read_as(texts):
    known = [(text, value) for text, value in ((text, by_pyyaml(text)) for text in texts) if value is not ...]
    shown = read([f"v: {text}\n" for text, _ in known])
    for (text, value), document in zip(known, shown):
        if "error" not in document:
            assert_read_as(text, value, document[0][1])
        else:
            assert not isinstance(value, (bool, int, float)), (text, value, document)
    return len(known)


def test_the_words_of_yaml():
    words = ["", "~", "null", "Null", "NULL", "nULL", "None", "none", "nil", "y", "n", "Y", "N", "true", "True", "TRUE", "tRUE", "yes",
             "Yes", "YES", "yES", "on", "On", "ON", "oN", "false", "False", "FALSE", "no", "No", "NO", "nO", "off", "Off", "OFF", "oFF",
             ".inf", "-.Inf", ".nan", ".NaN", "inf", "nan", "infinity", "0", "-0", "+0", "00", "010", "-010", "08", "0o10", "0x10",
             "0X10", "0x1F", "0x", "-0xff", "0b101", "0b2", "0x1p3", "0x1.8", "1_000", "1__0", "_1", "1_", "1_000.5", "1._5", "1e1", "1E2",
             "1e+1", "1.e1", "1.0e-3", "1.0e+3", ".5", "-.5", "+.5", "5.", "+8", "--8", "1e", "e1", "1e400", "1e-400", "1/255", "12e03",
             "1:30", "190:20:30", "1:30.5", "9007199254740991", "1 000", "0.1e1_0", "10.0", "1e-4", "0_1", "010.5"]
    assert assert_all_read_as(words) == len(words)


def test_random_scalars():
    draw = random.Random(1)
    alphabets = ["0123456789", "01_.+-eE", "0123456789_.eE+-", "0123456789abcdefx_-", "01b_+x", "0789:.-_", "truefalsonyTRUEFALSONY~"]
    texts = ["".join(draw.choice(alphabet) for _ in range(draw.randint(1, 7))) for alphabet in alphabets for _ in range(1500)]
    assert assert_all_read_as(sorted(set(texts))) > 5000


def test_quotes_make_a_text_of_null():
    for document in read(["v: 'null'\n", 'v: "~"\n', "v: ''\n"]):
        assert document[0][1]["null"] is False


def pairs_of(value):
    return [[key, pairs_of(item)] for key, item in value.items()] if isinstance(value, dict) else value


def texts_of(document):
    return [[key, texts_of(item)] for key, item in document] if isinstance(document, list) else document["text"]


def random_map(draw, anchors, depth):
    """A block of keys without duplicates, some of them merge keys, in the flow style."""
    keys, parts = draw.sample("abcdefgh", draw.randint(0, 4)), []
    for key in keys:
        value = random_map(draw, anchors, depth + 1) if depth < 2 and draw.random() < 0.3 else f"v{draw.randint(0, 99)}"
        parts.append(f"{key}: {value}")
    for _ in range(draw.choice([0, 0, 1, 1, 1, 2])):
        if anchors:
            some = [f"*{draw.choice(anchors)}" for _ in range(draw.randint(1, 3))]
            parts.append(f"<<: {some[0] if len(some) == 1 else '[' + ', '.join(some) + ']'}")
    draw.shuffle(parts)
    return "{" + ", ".join(parts) + "}"


def test_merge_keys():
    draw, texts = random.Random(2), []
    for _ in range(800):
        anchors, lines = [], []
        for i in range(draw.randint(1, 6)):
            lines.append(f"m{i}: &x{i} {random_map(draw, anchors, 0)}")
            anchors.append(f"x{i}")
        texts.append("\n".join(lines) + "\n")
    for text, document in zip(texts, read(texts)):
        assert texts_of(document) == pairs_of(yaml.safe_load(text)), (text, document)


def test_a_merge_of_what_is_no_map_is_an_error():
    for text, place in (("a: &a 3\nb: {<<: *a}\n", "2:5"), ("a: &a [1]\nb:\n  <<: *a\n", "3:3"), ("b: {<<: }\n", "1:5"),
                        ("b: {<<: [{c: 1}, x]}\n", "1:5")):
        try:
            yaml.safe_load(text)
            assert False, text
        except yaml.constructor.ConstructorError:
            pass
        shown, = read([text])
        assert re.search(rf"\.yaml:{place}: << merges maps", shown["error"]), shown
    shown, = read(["'<<': 1\n"])
    assert shown[0][0] == "<<", "in quotes it is a key as any other"


def run_all():
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print(name, "ok")


run_all()
