# SPDX-License-Identifier: Apache-2.0
"""Moments of a program that a test makes happen (preload/moment.c) instead of waiting for them: it stands still there until
it is signalled, killed or released.

A moment is "CALL TEXT N". Those of a sweep: rank 0 has written the Nth epoch or trial into the journal, where all others
wait when they have something to tell; a rank is about to give its Nth checkpoint its name.
"""
import os
import subprocess
import tempfile
import time

LIBRARY = os.path.join(os.path.abspath(os.environ["CNNSWEEP_BIN"]), "..", "tests", "libcs_moment.so")
# Far more than anything takes on a machine that has other things to do: it ends what hangs.
PATIENCE = 900
# More bytes than processes can add that come to the moment.
RELEASED = 100


def epoch(n):
    return f'write {{"event":"epoch" {n}'


def trial(n):
    return f'write {{"event":"trial" {n}'


def checkpoint(n):
    return f"rename .ckpt {n}"


def preload(moment, **what):
    """The environment that makes the moment happen: hold="BYTES FILE" or clock=SECONDS, see moment.c. The sanitizer wants
    to be the first library, and Open MPI leaves memory behind at exit."""
    return {"LD_PRELOAD": LIBRARY, "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0", "CNNSWEEP_TEST_AT": moment,
            **{f"CNNSWEEP_TEST_{name.upper()}": str(value) for name, value in what.items()}}


class Held:
    """A program that stands still at the moment when the constructor returns."""

    def __init__(self, moment, command, env, cwd):
        handle, self.file = tempfile.mkstemp(prefix="cnnsweep-held-")
        os.close(handle)
        self.process = subprocess.Popen(command, cwd=cwd, env={**env, **preload(moment, hold=f"{RELEASED} {self.file}")}, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + PATIENCE
        while os.path.getsize(self.file) == 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError((f"never came to: {moment}", *self.end()))
            time.sleep(0.002)

    def release(self):
        with open(self.file, "a") as file:
            file.write("." * RELEASED)

    def signal(self, number, pid=None):
        """To the program, which goes on as soon as it has it, or to another process of it."""
        os.kill(pid or self.process.pid, number)
        if pid:
            self.release()

    def end(self):
        """(exit code, standard output, standard error) when it has ended."""
        out, errors = self.process.communicate(timeout=PATIENCE)
        os.remove(self.file)
        return self.process.returncode, out, errors


def rank_processes(launcher):
    """{rank: pid} of the children of mpirun, which starts the ranks of its own machine itself."""
    found = {}
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(launcher.pid)], capture_output=True, text=True)
    for child in children.stdout.split():
        with open(f"/proc/{child}/environ") as file:
            variables = dict(pair.split("=", 1) for pair in file.read().split("\0") if "=" in pair)
        if "OMPI_COMM_WORLD_RANK" in variables:
            found[int(variables["OMPI_COMM_WORLD_RANK"])] = int(child)
    return found
