# SPDX-License-Identifier: Apache-2.0
"""Breakpoints (preload/breakpoint.c): a program stops at one until it is signalled, killed or told to go on.

A breakpoint is a text "CALL TEXT N". This module makes those of a sweep: rank 0 has written the Nth epoch or trial into the
journal, while the other ranks wait as soon as they have a result for rank 0; or a rank is about to rename its Nth checkpoint.
"""
import os
import subprocess
import tempfile
import time

LIBRARY = os.path.join(os.path.abspath(os.environ["CNNSWEEP_BIN"]), "..", "tests", "libcs_breakpoint.so")
# Seconds after which a program counts as hung: far more than anything takes, even on a busy machine.
PATIENCE = 900
# The bytes that let a program go on: more than the processes that reach the breakpoint can add.
GO_ON = 100


def epoch(n):
    return f'write {{"event":"epoch" {n}'


def trial(n):
    return f'write {{"event":"trial" {n}'


def checkpoint(n):
    return f"rename .ckpt {n}"


def preload(breakpoint, **what):
    """The environment that sets the breakpoint; what: stop="BYTES FILE" or clock=SECONDS, see breakpoint.c. AddressSanitizer
    accepts a preloaded library only with these options, and Open MPI does not free all its memory at exit."""
    return {"LD_PRELOAD": LIBRARY, "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0",
            "CNNSWEEP_TEST_BREAKPOINT": breakpoint,
            **{f"CNNSWEEP_TEST_{name.upper()}": str(value) for name, value in what.items()}}


class Stopped:
    """A program that is stopped at a breakpoint when the constructor returns."""

    def __init__(self, breakpoint, command, env, cwd):
        handle, self.file = tempfile.mkstemp(prefix="cnnsweep-stopped-")
        os.close(handle)
        self.process = subprocess.Popen(command, cwd=cwd, env={**env, **preload(breakpoint, stop=f"{GO_ON} {self.file}")},
                                        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + PATIENCE
        while os.path.getsize(self.file) == 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError((f"did not reach the breakpoint {breakpoint}", *self.end()))
            time.sleep(0.002)

    def go_on(self):
        with open(self.file, "a") as file:
            file.write("." * GO_ON)

    def signal(self, number, pid=None):
        """Sends the program the signal, or another process of the program (pid). The program goes on."""
        os.kill(pid or self.process.pid, number)
        if pid:
            self.go_on()

    def end(self):
        """Waits until the program has ended. (exit code, standard output, standard error)"""
        out, errors = self.process.communicate(timeout=PATIENCE)
        os.remove(self.file)
        return self.process.returncode, out, errors


def rank_processes(launcher):
    """{rank: pid} of mpirun's children: the ranks on its own machine."""
    found = {}
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(launcher.pid)], capture_output=True, text=True)
    for child in children.stdout.split():
        with open(f"/proc/{child}/environ") as file:
            variables = dict(pair.split("=", 1) for pair in file.read().split("\0") if "=" in pair)
        if "OMPI_COMM_WORLD_RANK" in variables:
            found[int(variables["OMPI_COMM_WORLD_RANK"])] = int(child)
    return found
