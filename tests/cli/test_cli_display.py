# SPDX-License-Identifier: Apache-2.0
"""What a running sweep says: a line for each epoch, each trial or each part of the trials, and a bar on a terminal, under mpirun
too."""
import csv
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

from harness import JOB, MPI, command_and_env, make_data, path, run_ok, run_tests, write_job

# Two trials diverge.
FAILING = JOB.replace("lr: [0.001, 0.0003]", "lr: [0.001, 1e30]").replace("adam", "sgd").replace("augment: [none, flips, dark]",
                                                                                                "augment: [none, flips]")
COLUMNS = 60
make_data(per_class=12)


def lines_of(text, *arguments, out="out"):
    write_job(text)
    return run_ok("train", "job.yaml", "--out", out, "--force", *arguments).stderr.splitlines()


def count(lines):
    """(epochs, trials, failures, summaries)"""
    patterns = (r"^t\d+ .*  epoch \d+/\d+  ", r"^t\d+ .*  done: ", r"^t\d+ .*  FAILED: ", r"^\d+/\d+ trials, .* left$")
    return tuple(sum(bool(re.match(pattern, line)) for line in lines) for pattern in patterns)


def test_lines_for_each_epoch_trial_or_part():
    assert count(lines_of(JOB + "log: epochs\n")) == (12, 6, 0, 0)
    assert count(lines_of(JOB + "log: trials\n")) == (0, 6, 0, 0)
    assert count(lines_of(JOB + "log: summary\n")) == (0, 0, 0, 6)


def test_a_failure_has_a_line_in_any_case():
    for log in ("trials", "summary"):
        _, done, failed, _ = count(lines_of(FAILING + f"log: {log}\n"))
        assert (done, failed) == (2 if log == "trials" else 0, 2)


def test_a_summary_has_at_most_a_line_for_each_twentieth():
    lines = lines_of(JOB.replace("sweep:\n", "sweep:\n  repeats: 10\n").replace("epochs: 2", "epochs: 1") + "log: summary\n")
    assert count(lines) == (0, 0, 0, 20)
    last = [line for line in lines if "/60 trials" in line][-1]
    assert re.match(r"60/60 trials, 100 %, best test_accuracy \d\.\d{4} \(t\d{3}\), 0:00:00 left$", last), last


def test_a_resumed_summary_knows_the_best_of_before():
    lines_of(JOB + "log: summary\n")
    with open(path("out/trials.csv"), newline="") as file:
        best = max(csv.DictReader(file), key=lambda row: float(row["test_accuracy"]))
    write_job(JOB.replace("lr: [0.001, 0.0003]", "lr: [0.001, 0.0003, 1e-9]") + "log: summary\n")
    last = run_ok("train", "job.yaml", "--out", "out", "--resume").stderr
    assert "best test_accuracy " + format(float(best["test_accuracy"]), ".4f") in last.split("9/9 trials")[1], last


def test_a_log_grows_with_the_trials_only_up_to_a_limit():
    """Without the option: at most 100 lines of epochs and trials, at most 200 of trials, or a summary."""
    for epochs, repeats, wanted in ((15, 1, (90, 6, 0, 0)), (16, 1, (0, 6, 0, 0)), (1, 40, (0, 0, 0, 20))):
        lines = lines_of(JOB.replace("epochs: 2", f"epochs: {epochs}").replace("sweep:\n", f"sweep:\n  repeats: {repeats}\n"))
        assert count(lines) == wanted, (epochs, repeats, count(lines))


def on_terminal(text, ranks=0, *launcher, env=None):
    """What a terminal of COLUMNS gets, as text."""
    write_job(text)
    command, env = command_and_env("cnnsweep", ("train", "job.yaml", "--out", "out", "--force"), ranks, env)
    command[3:3] = launcher  # between mpirun -n 1 and the program
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    process = subprocess.Popen(command, cwd=path("."), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:  # the other end was closed
        pass
    os.close(ours)
    assert process.wait() == 0, seen
    return seen.decode()


def without_clock(lines):
    return [re.sub(r"\d+\.\d s|about [\d.]+ \w+|\d+:\d\d:\d\d|\d+ %|\d+ img/s", "#", line) for line in lines]


def show(text):
    """(the lines that stay on the terminal, the bars that were drawn)"""
    drawn = [part.replace("\x1b[K", "") for line in text.split("\n") for part in line.split("\r") if part.strip("\x1b[K")]
    lines = [part for part in drawn if not part.startswith("[")]
    return lines, [part for part in drawn if part.startswith("[")]


def test_a_terminal_shows_the_same_with_and_without_mpirun():
    alone, under = (show(on_terminal(JOB, ranks)) for ranks in (0, 1))
    wanted = without_clock(line for line in lines_of(JOB) if re.match(r"t\d", line))
    for lines, bars in (alone, under):
        assert without_clock(line for line in lines if re.match(r"t\d", line)) == wanted
        assert bars and "6/6 trials" in bars[-1]
        assert max(len(bar) for bar in bars) < COLUMNS, "a bar that is longer than a line cannot be drawn over"


def test_lines_that_mpirun_marks_have_no_bar():
    text = on_terminal(JOB, 1, "--tag-output")
    assert "epoch 2/2" in text and "\x1b" not in text and "##" not in text


def test_a_script_that_keeps_the_output_gets_no_bar():
    """The script is between mpirun, which has a terminal, and the program."""
    with open(path("keep.sh"), "w") as script:
        script.write('"$@" 2>&1 | cat > kept.txt\n')
    on_terminal(JOB, 1, "bash", "keep.sh")
    with open(path("kept.txt")) as file:
        text = file.read()
    assert "epoch 2/2" in text and "\x1b" not in text and "##" not in text


def test_no_terminal_no_bar():
    for ranks in (0, 1):
        write_job(JOB)
        done = run_ok("train", "job.yaml", "--out", "out", "--force", ranks=ranks, env=MPI)
        assert "\r" not in done.stderr and "\x1b" not in done.stderr and "##" not in done.stderr


run_tests(globals())
