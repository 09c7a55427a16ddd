# SPDX-License-Identifier: Apache-2.0
"""--version prints the project's version, the engines, the versions of the libraries and the instruction set in use."""
import os
import re
import subprocess

BIN, SOURCE = os.environ["CNNSWEEP_BIN"], os.environ["CNNSWEEP_SOURCE"]


def output(program, *arguments, **environment):
    return subprocess.run([os.path.join(BIN, program), *arguments], env={**os.environ, **environment}, check=True,
                          stdout=subprocess.PIPE, text=True).stdout


with open(os.path.join(SOURCE, "CMakeLists.txt"), encoding="utf-8") as file:
    project = re.search(r"project\(cnnsweep VERSION ([0-9.]+)", file.read()).group(1)

# The first line of each program is its name and the version of project().
for program in ("cnnsweep", "cnnsweep-pack", "cnnsweep-synthetic"):
    first = output(program, "--version").split("\n")[0]
    assert first == f"{program} {project}", first

# Each engine and each library has a line, with its version if it is a library.
text = output("cnnsweep", "--version")
lines = dict(line.split(None, 1) for line in text.splitlines()[1:])
print(text)
assert list(lines) == ["ref", "onednn", "cuda", "hdf5", "mpi"], lines
assert lines["ref"] == "yes"
assert re.fullmatch(r"\d+\.\d+\.\d+", lines["hdf5"]), lines["hdf5"]
assert re.search(r"\d+\.\d+", lines["mpi"]), lines["mpi"]
assert lines["cuda"] == "yes" or lines["cuda"].startswith("no: "), lines["cuda"]
assert output("cnnsweep", "version") == text, "`cnnsweep version` and --version differ"

# The instruction set is the one in use, not the processor's best.
if not lines["onednn"].startswith("no: "):
    assert re.fullmatch(r"oneDNN \d+\.\d+\.\d+, instruction set \w+", lines["onednn"]), lines["onednn"]
    limited = output("cnnsweep", "--version", ONEDNN_MAX_CPU_ISA="SSE41")
    assert re.search(r"^onednn .*sse41$", limited, re.M), limited

# If a plug-in is found but cannot be used, the reason is printed.
refused = output("cnnsweep", "--version", CNNSWEEP_CUDA_PLUGIN=os.path.join(BIN, "cnnsweep-none.so"))
assert re.search(r"^cuda +no: .*cnnsweep-none\.so", refused, re.M), refused
