#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every C file is formatted as by clang-format (.clang-format), version 14, because other versions break lines elsewhere.
# Without it the test is skipped, but fails in CI.
set -eu
cd "$CNNSWEEP_SOURCE"
if ! command -v clang-format-14 >/dev/null; then
    echo "clang-format-14 is not installed: nothing checked"
    [ -z "${CI:-}" ]
    exit 77
fi
find src include data-prep tests -name '*.[ch]' -print0 | xargs -0 clang-format-14 --dry-run -Werror
