#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every shell script passes shellcheck and every Python script compiles. Without shellcheck the test is skipped, but
# fails in CI.
set -eu
cd "$CNNSWEEP_SOURCE"
python3 - <<'PYTHON'
import pathlib
for folder in ("tests", "slurm"):
    for path in pathlib.Path(folder).glob("**/*.py"):
        compile(path.read_text(), str(path), "exec")
PYTHON
if ! command -v shellcheck >/dev/null; then
    echo "shellcheck is not installed: nothing checked"
    [ -z "${CI:-}" ]
    exit 77
fi
shellcheck -S warning -x test.sh cmake/manual.sh cmake/completion/cnnsweep.bash .ci/run tests/*.sh tests/rules/*.sh
shellcheck -S warning -x slurm/*.sh slurm/*.sbatch tests/slurm/*.sh tests/cli/*.sh
