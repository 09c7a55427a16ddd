# SPDX-License-Identifier: Apache-2.0
"""The calls between source files have no cycle: of two files that call each other, neither can be read, tested or changed alone.
The object files of the build say what each file defines and uses."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

OBJECT = re.compile(r"^(.*?)/?CMakeFiles/([^/]+)\.dir/(.+)\.o$")
SOURCES = ("src/", "data-prep/")


def objects(build, source):
    """(object, target, source file) of each object whose source file still exists, except in builds inside the build."""
    for folder, folders, names in os.walk(build):
        folders[:] = [name for name in folders if not os.path.exists(os.path.join(folder, name, "CMakeCache.txt"))]
        for name in names:
            path = os.path.join(folder, name)
            match = OBJECT.match(os.path.relpath(path, build))
            if match:
                file = os.path.normpath(os.path.join(match[1], match[3].replace("__", "..")))
                if file.startswith(SOURCES) and os.path.exists(os.path.join(source, file)):
                    yield path, match[2], os.path.splitext(file)[0]


def calls(build, source):
    """{file: files whose symbols it uses}. A symbol is looked for in the target of the object, then in all targets."""
    found = {path: (target, file) for path, target, file in objects(build, source)}
    defined, used, graph = {}, [], {file: set() for _, file in found.values()}
    listing = subprocess.run(["nm", "-g", "-A", *found], capture_output=True, text=True, check=True).stdout if found else ""
    for line in listing.splitlines():
        path, symbol = line.rsplit(":", 1)
        kind, name = symbol.split()[-2:]
        target, file = found[path]
        if kind == "U":
            used.append((target, file, name))
        else:
            defined.setdefault(name, {}).setdefault(target, set()).add(file)
    for target, file, name in used:
        owners = defined.get(name, {})
        graph[file] |= owners[target] if target in owners else set().union(*owners.values())
    return graph


def reached(graph, start):
    seen, left = set(), [start]
    while left:
        for file in graph[left.pop()] - seen:
            seen.add(file)
            left.append(file)
    return seen


def cycles(graph):
    """The sorted files of each cycle (strongly connected component): every one of them reaches all others."""
    reach = {file: reached(graph, file) for file in graph}
    both_ways = {file: {other for other in reach[file] - {file} if file in reach[other]} for file in graph}
    return {tuple(sorted({file} | others)) for file, others in both_ways.items() if others}


def problems(build, source):
    graph = calls(build, source)
    if not graph:
        yield f"{build}: no object files, so nothing was checked"
    for cycle in sorted(cycles(graph)):
        yield "a cycle: " + "; ".join(f"{file} uses {' '.join(sorted(graph[file] & set(cycle) - {file}))}" for file in cycle)


def test_problems():
    """Two files that call each other are named; files that call in one direction are not."""
    texts = {"a": "int b(void); int a(void) { return b(); }", "b": "int a(void); int b(void) { return a(); }",
             "c": "int a(void); int c(void) { return a() + c(); }", "d": "int c(void); int d(void) { return c(); }"}
    with tempfile.TemporaryDirectory() as root:
        for folder in ("src/room", "build/CMakeFiles/cs_room.dir/src/room"):
            os.makedirs(os.path.join(root, folder))
        for name, text in texts.items():
            with open(f"{root}/src/room/{name}.c", "w") as out:
                out.write(text + "\n")
            subprocess.run(["cc", "-c", f"{root}/src/room/{name}.c", "-o",
                            f"{root}/build/CMakeFiles/cs_room.dir/src/room/{name}.c.o"], check=True)
        found = list(problems(f"{root}/build", root))
        assert found == ["a cycle: src/room/a uses src/room/b; src/room/b uses src/room/a"], found
        assert list(problems(f"{root}/src", root)) == [f"{root}/src: no object files, so nothing was checked"]


if not (shutil.which("nm") and shutil.which("cc")):
    print("nm or cc is not installed: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)
test_problems()
found = list(problems(os.path.dirname(os.environ["CNNSWEEP_BIN"]), os.environ["CNNSWEEP_SOURCE"]))
print("\n".join(found) or "no cycle of source files")
sys.exit(1 if found else 0)
