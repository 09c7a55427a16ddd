# SPDX-License-Identifier: Apache-2.0
"""What a running sweep says of itself in progress.json."""
import json
import time

from harness import PATIENCE, path


def progress(out):
    """progress.json, or None; it is replaced as a whole, so it is always whole."""
    try:
        with open(path(f"{out}/progress.json")) as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
    return found


def placed(out, ranks, epoch):
    """What `ranks` ranks train, once each was seen in that epoch."""
    def look():
        running = (progress(out) or {"running": []})["running"]
        seen = [trial for trial in running if trial["epoch"] >= epoch and trial["batches"]]
        return running if len({trial["rank"] for trial in seen}) == ranks else None
    return wait_for(look)
