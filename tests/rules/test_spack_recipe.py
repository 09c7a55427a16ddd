# SPDX-License-Identifier: Apache-2.0
"""The Spack recipe runs with a stand-in for the module that Spack gives to recipes: its dependencies are those of the build, and
its settings exist in CMakeLists.txt."""
import os
import re
import sys
import types

SOURCE = os.environ["CNNSWEEP_SOURCE"]
calls = []


def record(name):
    return lambda *values, **settings: calls.append((name, values, settings))


class Package:
    @staticmethod
    def define(name, value):
        return f"-D{name}={value}"

    define_from_variant = define


class Spec:
    variants = {"cuda_arch": types.SimpleNamespace(value=("80", "90"))}

    def satisfies(self, text):
        return True

    def __getitem__(self, name):
        return types.SimpleNamespace(prefix="/prefix/" + name)


module = types.ModuleType("spack.package")
for name in ("license", "version", "variant", "depends_on"):
    setattr(module, name, record(name))
module.CMakePackage = type("CMakePackage", (Package,), {})
module.CudaPackage = type("CudaPackage", (), {})
sys.modules.update({"spack": types.ModuleType("spack"), "spack.package": module})
names = {}
with open(os.path.join(SOURCE, "slurm/spack/packages/cnnsweep/package.py"), encoding="utf-8") as file:
    exec(compile(file.read(), "package.py", "exec"), names)

needs = {re.match(r"[a-z0-9-]+", values[0]).group() for name, values, _ in calls if name == "depends_on"}
wanted = {"c", "cmake", "pkgconfig", "mpi", "hdf5", "libjpeg-turbo", "libspng", "giflib", "libwebp", "libtiff", "libcsv",
          "libarchive", "jansson", "lapack", "nlopt", "libyaml", "xxhash", "cairo", "pango", "fontconfig", "onednn", "cuda", "cudnn", "nccl"}
assert wanted <= needs, f"missing: {wanted - needs}"

package = names["Cnnsweep"]()
package.spec = Spec()
with open(os.path.join(SOURCE, "CMakeLists.txt"), encoding="utf-8") as file:
    cmake = file.read()
with open(os.path.join(SOURCE, "cmake/CnnsweepCuda.cmake"), encoding="utf-8") as file:
    cmake += file.read()
for argument in package.cmake_args():
    setting = re.match(r"-D(\w+)=", argument).group(1)
    assert re.search(rf"\b{setting.replace('OneDNN_ROOT', 'CNNSWEEP_ONEDNN')}\b", cmake), f"{setting} is no setting of the build"
print(f"{len(needs)} dependencies; {' '.join(package.cmake_args())}")
