# SPDX-License-Identifier: Apache-2.0
"""clang-tidy (.clang-tidy) finds no fault in the C of src and data-prep. Only version 14 is used, because other versions
have other checks; it cannot read current CUDA. Where it is missing, the test is skipped, but fails in CI.

When a file passes, the build folder gets a mark whose name is a hash of everything that the result depends on: clang-tidy's
version, its settings, the file's compile command, the file and every header that it includes. So a file is checked again when
one of them changes.
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
    """The file and all headers that it includes, as the compiler's -M lists them."""
    words = shlex.split(command)
    at = words.index("-o")
    rule = subprocess.run([*words[:at], *words[at + 2:], "-M", "-MT", "x"], cwd=folder, capture_output=True, text=True, check=True)
    return [os.path.join(folder, name) for name in shlex.split(rule.stdout.replace("\\\n", " "))[1:]]


def key(version, entries):
    """The hash of everything that the result for one file depends on; entries: its compile commands."""
    digest = hashlib.sha256(version + content(SETTINGS))
    for entry in entries:
        digest.update(entry["command"].encode())
        for name in headers(entry["command"], entry["directory"]):
            digest.update(name.encode() + hashlib.sha256(content(name)).digest())
    return digest.hexdigest()


def of_the_product(build, entries):
    """The compile commands of a file, without those of the tests, which compile some files of the product once more."""
    return [entry for entry in entries if not entry["directory"].startswith(f"{build}/tests")] or entries


def check(passed, version, path, entries):
    """(clang-tidy's output about the file or "", whether the file had passed before)"""
    mark = os.path.join(passed, key(version, entries))
    if os.path.exists(mark):
        return "", True
    done = subprocess.run([TIDY, "-quiet", "-p", passed, f"--config-file={SETTINGS}", path], capture_output=True, text=True)
    if done.returncode != 0:
        return f"{done.stdout}{done.stderr}\n{path}: clang-tidy finds fault with it\n", False
    open(mark, "w").close()
    return "", False


def check_all(build, root):
    """(the outputs about files with faults, how many files were checked now, how many had passed before)"""
    passed = os.path.join(build, "tidy")
    os.makedirs(passed, exist_ok=True)
    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    wanted, files = re.compile(rf"{re.escape(root)}/(src|data-prep)/.*\.c$"), {}
    for entry in json.loads(content(os.path.join(build, "compile_commands.json"))):
        if wanted.match(entry["file"]):
            files.setdefault(entry["file"], []).append(entry)
    files = {path: of_the_product(build, entries) for path, entries in files.items()}
    with open(os.path.join(passed, "compile_commands.json"), "w") as out:
        json.dump([entry for entries in files.values() for entry in entries], out)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = list(pool.map(lambda item: check(passed, version, *item), files.items()))
    found = [text for text, _ in results if text]
    return found, sum(not before for _, before in results), sum(before for _, before in results)


def test_check_all():
    """A file without a fault is checked once; a fault in its header is found."""
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(f"{root}/src")
        for name, text in (("a.h", "int half(int a);\n"), ("a.c", '#include "a.h"\nint half(int a) {\n    return a / 2;\n}\n')):
            with open(f"{root}/src/{name}", "w") as out:
                out.write(text)
        with open(f"{root}/compile_commands.json", "w") as out:
            json.dump([{"directory": root, "command": f"cc -o a.o -c {root}/src/a.c", "file": f"{root}/src/a.c"}], out)
        assert check_all(root, root) == ([], 1, 0) and check_all(root, root) == ([], 0, 1)
        with open(f"{root}/src/a.h", "a") as out:
            out.write("static inline int always(int a) { return a == a; }\n")
        found, *_ = check_all(root, root)
        assert len(found) == 1 and "misc-redundant-expression" in found[0], found


if not shutil.which(TIDY):
    print(f"{TIDY} is not installed: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)
test_check_all()
found, checked, before = check_all(os.path.dirname(os.environ["CNNSWEEP_BIN"]), SOURCE)
print("".join(found) + f"{checked} files checked, {before} had passed before, {len(found)} with faults")
sys.exit(bool(found))
