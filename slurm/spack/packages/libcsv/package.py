# SPDX-License-Identifier: Apache-2.0
"""libcsv, which Spack does not have."""
from spack.package import *

try:
    from spack_repo.builtin.build_systems.autotools import AutotoolsPackage
except ImportError:  # before Spack 1.0 it came with spack.package
    pass


class Libcsv(AutotoolsPackage):
    """A small library that reads and writes CSV."""

    homepage = "https://github.com/rgamble/libcsv"
    git = "https://github.com/rgamble/libcsv.git"

    license("LGPL-2.1-or-later")

    version("master", branch="master")

    depends_on("c", type="build")
