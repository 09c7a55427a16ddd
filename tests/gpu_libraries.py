# SPDX-License-Identifier: Apache-2.0
"""Prints the folders of the CUDA libraries that the plug-in needs, joined by ':', for LD_LIBRARY_PATH. pip's packages of this
Python come first, as PyTorch uses those, then the toolkit, then what the loader finds by itself. With --versions it prints a
line of Markdown for each library. If one is missing, it names it, and the exit status is 1."""
import ctypes
import glob
import os
import re
import site
import sys

WANTED = ("libcudart.so.13", "libcudnn.so.9", "libnccl.so.2", "libcublasLt.so.13", "libnvrtc.so.13")  # cuDNN needs the last two


def pip_folders():
    roots = dict.fromkeys([*sys.path, *site.getsitepackages(), site.getusersitepackages()])
    return [folder for root in roots for folder in sorted(glob.glob(os.path.join(root, "nvidia", "*", "lib")))]


def toolkit_folders():
    homes = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda", *sorted(glob.glob("/usr/local/cuda-*"), reverse=True)]
    below = ("lib64", "lib", "targets/x86_64-linux/lib")
    return [os.path.join(home, folder) for home in homes if home for folder in below]


def find(name, folders):
    """The folder of the library; "" if the loader finds it by itself; None if it is missing."""
    for folder in folders:
        if os.path.exists(os.path.join(folder, name)):
            return folder
    try:
        ctypes.CDLL(name)
        return ""
    except OSError:
        return None


def number(value, wide):
    """13000 is CUDA 13.0, 91900 cuDNN 9.19.0, 22809 NCCL 2.28.9."""
    parts = {"cudart": (value // 1000, value % 1000 // 10), "cudnn": (value // 10000, value // 100 % 100, value % 100),
             "nccl": (value // 10000, value // 100 % 100, value % 100)}[wide]
    return ".".join(map(str, parts))


def version(kind, path):
    library = ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    value = ctypes.c_int(0)
    if kind == "cudnn":
        library.cudnnGetVersion.restype = ctypes.c_size_t
        return number(library.cudnnGetVersion(), kind)
    call = library.cudaRuntimeGetVersion if kind == "cudart" else library.ncclGetVersion
    call(ctypes.byref(value))
    return number(value.value, kind)


def main():
    folders = pip_folders() + toolkit_folders()
    found = {name: find(name, folders) for name in WANTED}
    if "--versions" in sys.argv:
        for name, folder in found.items():
            kind = re.sub(r"lib|\.so.*", "", name)
            if folder is None:
                print(f"- {name}: missing")
            elif kind in ("cudart", "cudnn", "nccl"):
                print(f"- {name}: {version(kind, os.path.join(folder, name))} ({folder or 'the system'})")
        return 0
    missing = [name for name, folder in found.items() if folder is None]
    print(":".join(dict.fromkeys(folder for folder in found.values() if folder)))
    if missing:
        print(f"gpu_libraries.py: not found: {' '.join(missing)}. Looked in the packages of {sys.executable}, $CUDA_HOME, /usr/local/cuda and "
              "where the loader looks", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
