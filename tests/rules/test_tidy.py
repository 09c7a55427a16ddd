# SPDX-License-Identifier: Apache-2.0
"""clang-tidy (.clang-tidy) finds nothing in the C of src and data-prep. Version 14 alone, as others have other checks; it
does not know today's CUDA. Without it: skipped, but an error in CI.

What passed is remembered in the build folder by a hash of all that the verdict depends on: clang-tidy itself, its settings,
how the file is compiled, the file and every header that it includes. So a file is judged again when one of them changes.
"""
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

TIDY = "clang-tidy-14"
SOURCE = os.environ["CNNSWEEP_SOURCE"]
SETTINGS = os.path.join(SOURCE, ".clang-tidy")


def content(path):
    with open(path, "rb") as file:
        return file.read()


def headers(command, folder):
    """The file and all that it includes, by the compiler's -M."""
    words = shlex.split(command)
    at = words.index("-o")
    rule = subprocess.run([*words[:at], *words[at + 2:], "-M", "-MT", "x"], cwd=folder, capture_output=True, text=True, check=True)
    return [os.path.join(folder, name) for name in shlex.split(rule.stdout.replace("\\\n", " "))[1:]]


def key(version, entries):
    """Of a file that is compiled in these ways."""
    judged = hashlib.sha256(version + content(SETTINGS))
    for entry in entries:
        judged.update(entry["command"].encode())
        for name in headers(entry["command"], entry["directory"]):
            judged.update(name.encode() + hashlib.sha256(content(name)).digest())
    return judged.hexdigest()


def judge(build, passed, version, path, entries):
    """(what clang-tidy finds in the file or "", was it judged before?)"""
    mark = os.path.join(passed, key(version, entries))
    if os.path.exists(mark):
        return "", True
    done = subprocess.run([TIDY, "-quiet", "-p", build, f"--config-file={SETTINGS}", path], capture_output=True, text=True)
    if done.returncode != 0:
        return f"{done.stdout}{done.stderr}\n{path}: clang-tidy finds fault with it\n", False
    open(mark, "w").close()
    return "", False


def judge_all(build, root):
    """(what is found, how many were judged, how many had passed before)"""
    passed = os.path.join(build, "tidy")
    os.makedirs(passed, exist_ok=True)
    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    wanted, files = re.compile(rf"{re.escape(root)}/(src|data-prep)/.*\.c$"), {}
    for entry in json.loads(content(os.path.join(build, "compile_commands.json"))):
        if wanted.match(entry["file"]):
            files.setdefault(entry["file"], []).append(entry)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        verdicts = list(pool.map(lambda item: judge(build, passed, version, *item), files.items()))
    found = [text for text, _ in verdicts if text]
    return found, sum(not before for _, before in verdicts), sum(before for _, before in verdicts)


def check_that_it_finds():
    """A file without fault is judged once; a fault in its header is found."""
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(f"{root}/src")
        for name, text in (("a.h", "int half(int a);\n"), ("a.c", '#include "a.h"\nint half(int a) {\n    return a / 2;\n}\n')):
            with open(f"{root}/src/{name}", "w") as out:
                out.write(text)
        with open(f"{root}/compile_commands.json", "w") as out:
            json.dump([{"directory": root, "command": f"cc -o a.o -c {root}/src/a.c", "file": f"{root}/src/a.c"}], out)
        assert judge_all(root, root) == ([], 1, 0) and judge_all(root, root) == ([], 0, 1)
        with open(f"{root}/src/a.h", "a") as out:
            out.write("static inline int always(int a) { return a == a; }\n")
        found, *_ = judge_all(root, root)
        assert len(found) == 1 and "misc-redundant-expression" in found[0], found


if not shutil.which(TIDY):
    print(f"{TIDY} is not installed: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)
check_that_it_finds()
found, judged, before = judge_all(os.path.dirname(os.environ["CNNSWEEP_BIN"]), SOURCE)
print("".join(found) + f"{judged} files judged, {before} had passed before, {len(found)} with faults")
sys.exit(bool(found))
