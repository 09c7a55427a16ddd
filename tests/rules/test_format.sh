#!/bin/bash
# Every C file is as clang-format (.clang-format) writes it. Without clang-format: skipped, but an error in CI.
set -eu
cd "$CNNSWEEP_SOURCE"
if ! command -v clang-format >/dev/null; then
    echo "clang-format is not installed: nothing checked"
    [ -z "${CI:-}" ]
    exit
fi
find src include data-prep tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror
