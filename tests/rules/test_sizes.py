# SPDX-License-Identifier: Apache-2.0
"""Files have at most 600 lines and functions at most 60: what is longer contains a part that should have its own name."""
import os
import re
import sys
import tempfile

LONGEST_FILE, LONGEST_FUNCTION = 600, 60
LITERAL = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", re.S)


def blank(match):
    """Replaces a comment or a literal by its line breaks."""
    return "\n" * match.group().count("\n")


def functions(text):
    """(name, lines) of each function, which is a block at depth 0 that a brace alone on its line closes."""
    depth, start, head = 0, 0, ""
    for number, line in enumerate(LITERAL.sub(blank, text).split("\n"), 1):
        if line.startswith("#"):
            continue
        if depth == 0 and line and not line[0].isspace():
            start, head = number, line
        depth += line.count("{") - line.count("}")
        if depth == 0 and line == "}" and "(" in head:
            yield head.split("(")[0].split()[-1].lstrip("*"), number - start + 1


def problems(root):
    for top in ("src", "include", "data-prep", "tests"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                path = os.path.join(folder, name)
                if not name.endswith((".c", ".h", ".cu", ".py", ".sh")):
                    continue
                text = open(path, encoding="utf-8").read()
                shown = os.path.relpath(path, root)
                if text.count("\n") > LONGEST_FILE:
                    yield f"{shown}: {text.count(chr(10))} lines, more than {LONGEST_FILE}"
                if name.endswith((".c", ".h", ".cu")):
                    for function, lines in functions(text):
                        if lines > LONGEST_FUNCTION:
                            yield f"{shown}: {function} has {lines} lines, more than {LONGEST_FUNCTION}"


def test_problems():
    body = "    call(\"}\", '{'); /* } */\n"
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(root + "/src")
        with open(root + "/src/a.c", "w") as out:
            out.write("static const int table[] = {\n" + "    1,\n" * 90 + "};\n\n")
            out.write("static int short_one(int a,\n                     int b) {\n" + body * 55 + "}\n\n")
            out.write("int long_one(void) {\n" + body * 60 + "}\n")
        with open(root + "/src/b.h", "w") as out:
            out.write("\n" * 601)
        found = list(problems(root))
        assert len(found) == 2 and "long_one has 62" in found[0] and "b.h: 601" in found[1], found


test_problems()
found = list(problems(os.environ["CNNSWEEP_SOURCE"]))
print("\n".join(found) or "no file and no function is too long")
sys.exit(1 if found else 0)
