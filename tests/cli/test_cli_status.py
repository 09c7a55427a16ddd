# SPDX-License-Identifier: Apache-2.0
"""`cnnsweep status` shows what is trained at the moment, once or with --watch until the sweep has ended. The sweeps are stopped
at breakpoints, so nothing depends on how fast they are."""
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time

from harness import BIN, CLEAN, JOB, PATIENCE, SCRATCH, make_data, path, run, run_ok, run_tests, stopped_at, write_job
from breakpoints import checkpoint
from running import placed

CHECKPOINTS = JOB + "checkpoint_seconds: 0\n"
make_data()


def stop_in_second_epoch(out, ranks=0, text=CHECKPOINTS, *arguments):
    write_job(text)
    stopped = stopped_at(checkpoint(1), "train", "job.yaml", "--out", out, *arguments, ranks=ranks)
    placed(out, max(ranks, 1), 2)
    return stopped


def watch(*arguments, **files):
    return subprocess.Popen([os.path.join(BIN, "cnnsweep"), "status", "--watch", *arguments], cwd=SCRATCH, env=CLEAN, text=True,
                            stdin=subprocess.DEVNULL, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **files})


def rows(text):
    """[[cell]] of the table of running trials; the options are the rest of a row."""
    lines = text.split("\n")
    table = lines.index(next(line for line in lines if line.startswith("  rank"))) + 1
    return [line.split(None, 7) for line in lines[table:] if line.startswith("  ")]


def test_the_trials_that_are_trained():
    stopped = stop_in_second_epoch("two", ranks=2)
    text = run_ok("status", "two").stdout
    found = rows(text)
    assert [row[0] for row in found] == ["0", "1"] and {row[1] for row in found} == {"t000", "t003"}
    for _, name, epoch, batch, _, value, left, options in found:
        with open(path(f"two/history/{name}.csv")) as file:
            names, last = (line.strip().split(",") for line in file.readlines())
        assert (epoch, batch) == ("2/2", "0/6") and re.match(r"\d:\d\d:\d\d$", left)
        assert abs(float(value) - float(dict(zip(names, last))["val_accuracy"])) <= 5e-5
        assert options == {"t000": "lr=0.001 augment=none", "t003": "lr=0.0003 augment=none"}[name]
    assert re.search(r"^trials   6: 0 done, 0 failed, 2 in progress, 4 waiting$", text, re.M)
    assert re.search(r"^left     about \d+:\d\d:\d\d$", text, re.M) and re.search(r"^running  as of \d+ \w+ ago$", text, re.M)
    stopped.go_on()
    assert stopped.end()[0] == 0
    assert "  rank" not in run_ok("status", "two").stdout


def test_watch_prints_blocks_until_the_end():
    stopped = stop_in_second_epoch("blocks")
    watching = watch("0.1", "blocks")
    seen = ""
    while seen.count("\nnext ") < 3:  # the sweep is stopped, but the table is printed again and again
        seen += watching.stdout.readline()
    stopped.go_on()
    assert stopped.end()[0] == 0
    rest, errors = watching.communicate(timeout=PATIENCE)
    assert watching.returncode == 0 and not errors
    blocks = (seen + rest).split("\n\n")
    assert all(block.startswith("sweep    tiny: ") for block in blocks)
    assert "state    running" in blocks[0] and len(rows(blocks[0])) == 1
    without_time = [re.sub(r"\d+ (s|minutes) ago", "", text).strip() for text in (blocks[-1], run_ok("status", "blocks").stdout)]
    assert without_time[0] == without_time[1], "what was read in parts is what is read at once"
    assert "state    done" in blocks[-1] and "6 done" in blocks[-1]


def test_watch_of_an_ended_sweep_ends():
    assert run_ok("status", "--watch", "blocks").stdout.count("state    done") == 1


def screen(data, height):
    """The lines of a terminal, by the few sequences that are used."""
    lines, row, column = [""], 0, 0
    for match in re.finditer(r"\x1b\[(\d*)([AKJ])|\r|\n|[^\x1b\r\n]+", data):
        text, count, what = match.group(0), match.group(1), match.group(2)
        if what == "A":
            assert int(count) < height, "lines that have left the terminal cannot be drawn over"
            row -= int(count)
        elif what == "K":
            lines[row] = lines[row][:column]
        elif what == "J":
            lines[row:] = [lines[row][:column]]
        elif text == "\r":
            column = 0
        elif text == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        else:
            lines[row] = lines[row][:column] + text + lines[row][column + len(text):]
            column += len(text)
    return [line for line in lines if line]


def watch_on_terminal(out, height, width):
    """What the terminal shows when the watched sweep has ended."""
    stopped = stop_in_second_epoch(out)
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    watching = watch("0.1", out, stdout=theirs)
    os.close(theirs)
    seen = b""
    while seen.count(b"\x1b[J") < 3:
        seen += os.read(ours, 65536)
    stopped.go_on()
    assert stopped.end()[0] == 0
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:  # the program has ended
        pass
    os.close(ours)
    assert watching.wait() == 0
    return screen(seen.decode(), height)


def test_a_terminal_shows_it_in_place():
    shown = watch_on_terminal("place", 40, 200)
    wanted = run_ok("status", "place").stdout.splitlines()
    assert [line.split(",")[0] for line in shown] == [line.split(",")[0] for line in wanted]


def test_a_small_terminal_shows_what_fits():
    shown = watch_on_terminal("small", 5, 30)
    wanted = [line[:30] for line in run_ok("status", "small").stdout.splitlines()[:3]]
    assert shown == wanted + ["..."]


def test_ctrl_c_ends_it():
    stopped = stop_in_second_epoch("interrupted")
    for number in (signal.SIGINT, signal.SIGTERM):
        watching = watch("1000", "interrupted")
        while not watching.stdout.readline().startswith("next"):
            pass
        watching.send_signal(number)
        rest, errors = watching.communicate(timeout=PATIENCE)
        assert (watching.returncode, rest, errors) == (0, "", "")
    stopped.signal(signal.SIGKILL)
    stopped.end()


def test_a_folder_stands_for_its_parts():
    write_job(JOB)
    for part in (0, 1):
        run_ok("train", "job.yaml", "--part", f"{part}/2", "--set", f"name=parted", "--out", f"parted/part-{part}-of-2")
    for folders in (["parted"], ["parted/part-0-of-2", "parted/part-1-of-2"]):
        text = run_ok("status", *folders).stdout
        assert text.count("state    done") == 2
        assert "all      2 folders, 0 running; trials 6: 6 done, 0 failed, 0 in progress, 0 waiting" in text


def test_another_node_need_not_see_the_lock():
    """There, a sweep is running if it has said so within a minute; here the lock says that it is not."""
    stopped = stop_in_second_epoch("elsewhere")
    stopped.signal(signal.SIGKILL)
    stopped.end()
    assert "stopped unexpectedly" in run_ok("status", "elsewhere").stdout
    with open(path("elsewhere/progress.json")) as file:
        progress = json.load(file)
    for host, age, running in (("another", 0, True), ("another", 3600, False), (progress["host"], 0, False)):
        with open(path("elsewhere/progress.json"), "w") as file:
            json.dump({**progress, "host": host, "time": time.time() - age}, file)
        assert ("state    running" in run_ok("status", "elsewhere").stdout) == running, (host, age)


def test_a_damaged_progress_file_is_passed_over():
    for text in ("", "[]", "{", '{"time": 1e999}', '{"time": 1, "running": [1, {"trial": 5}]}', '{"time": 1, "running": 3}'):
        with open(path("elsewhere/progress.json"), "w") as file:
            file.write(text)
        assert "stopped unexpectedly" in run_ok("status", "elsewhere").stdout


def test_names_cannot_move_the_cursor():
    text = CHECKPOINTS.replace("[none, flips, dark]", '["a\\e[2Jb"]').replace("flips:", '"a\\e[2Jb":')
    stopped = stop_in_second_epoch("escape", 0, text)
    shown = run_ok("status", "escape").stdout
    assert "\x1b" not in shown and "augment=a\\x1b[2Jb" in shown
    stopped.go_on()
    assert stopped.end()[0] == 0
    shown = run_ok("status", "escape").stdout
    assert "best " in shown and "\x1b" not in shown


def test_a_folder_without_a_sweep():
    os.makedirs(path("empty"))
    for arguments in (["empty"], ["--watch", "empty"], ["blocks", "nowhere"]):
        done = run("status", *arguments)
        assert done.returncode == 1 and "no journal.jsonl" in done.stderr


run_tests(globals())
