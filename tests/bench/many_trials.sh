#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints a Markdown table of the memory and open descriptors of one rank during 300 tiny trials of one job:
#     tests/bench/many_trials.sh [BUILD_BIN]
# tests/train/test_memory_flat.c is the short form that belongs to the test suite.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$(realpath "${1:-build/bin}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"$bin/cnnsweep-synthetic" --classes 3 --per-class 40 --size 32x32 few >/dev/null 2>&1
"$bin/cnnsweep-pack" few few.h5 >/dev/null 2>&1
cat >job.yaml <<END
name: many
data: {path: few.h5}
model: {arch: basenet}
threads: 1
group: false
train: {epochs: 1, batch: 16}
sweep: {parameters: {seed: [$(seq -s, 1 300)]}}
END

"$bin/cnnsweep" train job.yaml --out out >/dev/null 2>log.txt &
python3 - $! <<'END'
import os, sys, time
pid, shown, samples = int(sys.argv[1]), -1, []


def sample():
    """Trials done, KiB resident, open descriptors; None before the first trial and after the end."""
    try:
        done = sum(1 for _ in open("out/trials.csv")) - 1
        pages = int(open(f"/proc/{pid}/statm").read().split()[1])
        return done, pages * os.sysconf("SC_PAGESIZE") // 1024, len(os.listdir(f"/proc/{pid}/fd"))
    except (FileNotFoundError, ProcessLookupError, PermissionError, IndexError):
        return None


def running():
    return os.path.exists(f"/proc/{pid}") and open(f"/proc/{pid}/stat").read().split()[2] != "Z"


print("| trials done | resident, KiB | descriptors |\n|---|---|---|")
while running():
    now = sample()
    if now and now[1] and now[0] // 10 > shown:
        shown = now[0] // 10
        samples.append(now)
        print("| %d | %d | %d |" % now, flush=True)
    time.sleep(0.005)
late = [s for s in samples if s[0] >= 30]
print(f"\nFrom trial {late[0][0]} on: {max(s[1] for s in late) - late[0][1]} KiB more at most, "
      f"{late[0][2]} descriptors, {max(s[2] for s in late)} at most.")
END
wait $! # fails as the program did
