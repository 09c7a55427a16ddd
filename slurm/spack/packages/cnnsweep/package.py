# SPDX-License-Identifier: Apache-2.0
"""cnnsweep for Spack 0.23 or later, from a clone: slurm/README.md, Spack, says how."""
from spack.package import *

try:
    from spack_repo.builtin.build_systems.cmake import CMakePackage
    from spack_repo.builtin.build_systems.cuda import CudaPackage
except ImportError:  # before Spack 1.0 they came with spack.package
    pass


class Cnnsweep(CMakePackage, CudaPackage):
    """Trains sweeps of image classifiers under MPI: a job file names the network, the data and the options to compare,
    every combination is trained, and the result table is printed."""

    license("Apache-2.0")

    version("main")

    variant("onednn", default=True, description="The oneDNN engine, the fast one on CPUs")

    depends_on("c", type="build")
    depends_on("cxx", type="build", when="+cuda")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("hdf5@1.10.7: ~mpi +threadsafe")
    depends_on("libjpeg-turbo")
    depends_on("libspng")
    depends_on("giflib")
    depends_on("libwebp +libwebpdemux")
    depends_on("libtiff@4.5:")
    depends_on("libcsv")
    depends_on("libarchive")
    depends_on("jansson")
    depends_on("lapack")
    depends_on("nlopt")
    depends_on("libyaml")
    depends_on("xxhash")
    depends_on("cairo +pdf")
    depends_on("pango")
    depends_on("fontconfig")
    depends_on("onednn@2.6:3", when="+onednn")
    depends_on("cuda@13:", when="+cuda")
    depends_on("cudnn@9:", when="+cuda")
    depends_on("nccl@2:", when="+cuda")

    def cmake_args(self):
        args = [
            self.define("BUILD_TESTING", False),
            self.define_from_variant("CNNSWEEP_ONEDNN", "onednn"),
            self.define_from_variant("CNNSWEEP_CUDA", "cuda"),
        ]
        if self.spec.satisfies("+onednn"):
            args.append(self.define("OneDNN_ROOT", self.spec["onednn"].prefix))
        if self.spec.satisfies("+cuda") and "none" not in self.spec.variants["cuda_arch"].value:
            args.append(self.define("CMAKE_CUDA_ARCHITECTURES", self.spec.variants["cuda_arch"].value))
        return args
