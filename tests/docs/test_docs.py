# SPDX-License-Identifier: Apache-2.0
"""Every command in README.md and docs/ runs, in the order of the pages, in one folder that has a build, images and weights. If
a command cannot be run, a comment before it in the page says why."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from pages import blocks, pages

BIN, SOURCE = os.environ["CNNSWEEP_BIN"], os.environ["CNNSWEEP_SOURCE"]

PRETRAINED = """
name: pretrained
data:  {path: data/split.h5}
model: {arch: mobilenet, alpha: 0.25, head: [gap, dense]}
train: {epochs: 1, batch: 32, save_weights: h5}
sweep:
  method: grid
  metric: {name: test_accuracy, goal: maximize}
  parameters: {lr: [0.001]}
"""

# What a reader has: a clone with a build, images in a folder for each class, the same images split, and a file of weights.
PREPARE = """
. "$CNNSWEEP_SOURCE/cmake/packages.sh"
ln -s "$CNNSWEEP_SOURCE/jobs" jobs
ln -s "$(dirname "$CNNSWEEP_BIN")" build
mkdir data weights my_images
build/bin/cnnsweep-synthetic --per-class 60 --size 50x50 my_split_images
for class in my_split_images/train/*; do
    mkdir "my_images/${class##*/}"
    cp my_split_images/*/"${class##*/}"/* "my_images/${class##*/}"
done
build/bin/cnnsweep-pack my_split_images data/split.h5
build/bin/cnnsweep train pretrained.yaml
mv results/pretrained/weights/t000.h5 weights/mobilenet_0.25.h5
rm -r results data/split.h5
"""


def run(folder, page, commands):
    script = 'set -euo pipefail; . "$CNNSWEEP_SOURCE/cmake/packages.sh"; use_local_mpi\n' + commands
    begun = time.monotonic()
    done = subprocess.run(["bash", "-c", script], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, "CNNSWEEP_BIN": BIN, "CNNSWEEP_SOURCE": SOURCE})
    print(f"{page}, {time.monotonic() - begun:.1f} s:\n{commands}", flush=True)
    if done.returncode != 0:
        sys.exit(f"{page}: exit code {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def main():
    folder = tempfile.mkdtemp()
    skipped = []
    try:
        write(folder, "pretrained.yaml", PRETRAINED)
        run(folder, "what a reader has", PREPARE)
        for page in pages():
            for kind, argument, text in blocks(page):
                if kind == "run":
                    run(folder, page, text)
                elif kind == "file":
                    write(folder, argument, text)
                else:
                    skipped.append(f"{page}: not run: {argument}:\n{text}")
    finally:
        shutil.rmtree(folder)
    print("\n".join(skipped))


main()
