# SPDX-License-Identifier: Apache-2.0
"""The pages for users, and their blocks: commands to run and files to write."""
import os
import re

SOURCE = os.environ["CNNSWEEP_SOURCE"]
BLOCK = re.compile(r"(?:^<!-- (?P<mark>[^\n]*) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


def pages():
    """README.md, and then the pages in the order of its table."""
    linked = re.findall(r"^\| .*\]\((docs/\w+\.md)\)", read("README.md"), re.M)
    existing = {"docs/" + name for name in os.listdir(os.path.join(SOURCE, "docs")) if name.endswith(".md")}
    assert set(linked) == existing, f"README.md does not link to {existing ^ set(linked)}"
    return ["README.md", *linked]


def blocks(page):
    """(kind, argument, text): ("run", "", commands), ("skip", why, commands), ("file", name, content)."""
    for block in BLOCK.finditer(read(page)):
        mark, language, text = block["mark"] or "", block["language"], block["text"]
        if mark.startswith("file: "):
            yield "file", mark[len("file: "):], text
        elif mark.startswith("not run: "):
            yield "skip", mark[len("not run: "):], text
        elif language == "sh":
            yield "run", "", text
