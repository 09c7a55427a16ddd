# SPDX-License-Identifier: Apache-2.0
"""With only the packages of the build installed, the project configures without tests, and one line says what the tests need."""
import os
import subprocess
import tempfile

SOURCE = os.environ["CNNSWEEP_SOURCE"]


def configure(scratch, **environment):
    done = subprocess.run(["cmake", "-S", SOURCE, "-B", scratch, "-DCNNSWEEP_CUDA=OFF"], text=True,
                          env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return [line for line in done.stdout.splitlines() if "tests are off" in line]


def folder_without_cmocka(scratch):
    """A folder with all files of pkg-config on this machine except that of cmocka."""
    paths = subprocess.run(["pkg-config", "--variable", "pc_path", "pkg-config"], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.strip().split(":")
    folder = os.path.join(scratch, "pkgconfig")
    os.mkdir(folder)
    for path in [*os.environ.get("PKG_CONFIG_PATH", "").split(":"), *paths]:
        for name in os.listdir(path) if os.path.isdir(path) else []:
            target = os.path.join(folder, name)
            if name != "cmocka.pc" and not os.path.lexists(target):
                os.symlink(os.path.join(path, name), target)
    return folder


with tempfile.TemporaryDirectory() as scratch:
    hidden = folder_without_cmocka(scratch)
    lines = configure(os.path.join(scratch, "without"), PKG_CONFIG_LIBDIR=hidden, PKG_CONFIG_PATH="")
    assert len(lines) == 1 and "libcmocka-dev" in lines[0] and "python3" in lines[0], lines
    assert configure(os.path.join(scratch, "with")) == [], "the tests are off although cmocka is installed"
print("without cmocka:", lines[0])
