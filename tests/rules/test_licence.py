# SPDX-License-Identifier: Apache-2.0
"""Every source file names the project's licence in one of its first two lines, in the form of SPDX."""
import os
import sys
import tempfile

LINE = "SPDX-License-Identifier: Apache-2.0"
FOLDERS = ("src", "include", "data-prep", "tests", "slurm", "cmake", "jobs", ".ci")
ENDINGS = (".c", ".h", ".cu", ".cuh", ".py", ".sh", ".cmake", ".sbatch", ".yaml", ".def", "CMakeLists.txt")


def without_licence(root):
    """The paths of the source files that lack the line."""
    paths = [os.path.join(root, name) for name in os.listdir(root)]
    for top in FOLDERS:
        for folder, _, names in os.walk(os.path.join(root, top)):
            paths += [os.path.join(folder, name) for name in names]
    for path in sorted(paths):
        if os.path.isfile(path) and path.endswith(ENDINGS):
            with open(path, encoding="utf-8") as file:
                if not any(LINE in line for line in (file.readline(), file.readline())):
                    yield os.path.relpath(path, root)


def test_without_licence():
    files = {"a.sh": f"#!/bin/sh\n# {LINE}\n", "b.sh": f"#!/bin/sh\n\n# {LINE}\n", "src/c.c": f"/* {LINE} */\n",
             "src/d.h": "", "src/notes.txt": ""}
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(root + "/src")
        for path, text in files.items():
            with open(os.path.join(root, path), "w") as out:
                out.write(text)
        found = list(without_licence(root))
        assert found == ["b.sh", "src/d.h"], found


test_without_licence()
problems = list(without_licence(os.environ["CNNSWEEP_SOURCE"]))
print("\n".join(f"{path}: lacks {LINE}" for path in problems) or "every source names its licence")
sys.exit(1 if problems else 0)
