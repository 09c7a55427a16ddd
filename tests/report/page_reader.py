# SPDX-License-Identifier: Apache-2.0
"""Reads report.html as strictly as XML: apart from what HTML leaves out (the ends of void elements, the values of flags), the
page must be well-formed UTF-8 without control characters."""
import re
import xml.etree.ElementTree as ElementTree

VOID = r"<(meta|input|br|img|link|hr)\b([^<>]*)>"
FLAGS = r"(<[^<>]*\s(?:hidden|checked|open))(?=[\s>])"


def as_xml(source):
    assert source.startswith("<!DOCTYPE html>\n")
    source = source.split("\n", 1)[1]
    source = re.sub(r"<(script|style)>(.*?)</\1>", r"<\1><![CDATA[\2]]></\1>", source, flags=re.DOTALL)
    return re.sub(FLAGS, r'\1=""', re.sub(VOID, r"<\1\2/>", source))


def text(element):
    return "".join(element.itertext())


def rows(table):
    """The texts of a table's cells, row by row."""
    return [[text(cell) for cell in row] for row in table.iter("tr")]


class Page:
    def __init__(self, name):
        with open(name, "rb") as file:
            self.bytes = file.read()
        self.source = self.bytes.decode("utf-8")
        bad = {hex(ord(c)) for c in self.source if ord(c) < 32 and c not in "\n\t" or 127 <= ord(c) < 160}
        assert not bad, f"control characters {sorted(bad)}"
        self.root = ElementTree.fromstring(as_xml(self.source))
        self.ids = [element.get("id") for element in self.root.iter() if element.get("id")]

    def all(self, *tags):
        return [element for element in self.root.iter() if element.tag.rpartition("}")[2] in tags]

    def section(self, name):
        found = [element for element in self.root.iter() if element.get("id") == name]
        assert len(found) == 1, f"{len(found)} elements with the id {name}"
        return found[0]

    def words(self, name):
        return text(self.section(name))

    def records(self, name):
        """The table of a section: its rows by the heads of the columns."""
        table = self.section(name)
        found = rows(table if table.tag == "table" else next(table.iter("table")))
        return [dict(zip(found[0], row)) for row in found[1:]]

    def leaderboard(self):
        return self.records("trials")

    def trials(self):
        """The trials that have a section."""
        return [article.get("id") for article in self.root.iter("article")]

    def facts(self):
        facts = self.section("summary")
        return {text(name): text(value) for name, value in zip(facts.iter("dt"), facts.iter("dd"))}
