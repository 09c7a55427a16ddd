# SPDX-License-Identifier: Apache-2.0
"""Every #include follows the tables: which rooms a room may use, and which folders may use a library."""
import os
import re
import sys
import tempfile

# {room: (folder, its public headers, the rooms that it may use)}. A room may use only rooms above it.
ROOMS = {
    "base": ("src/base",
             "args file html lapack log memory mix mix_sample picture picture_local picture_sample picture_sample_keras "
             "picture_sample_opencv random resources status text vector version", ""),
    "data": ("src/data", "arrays augment crossing dataset features filter filtered folds image loader row_cache split_groups standardize whitening", "base"),
    "net": ("src/net", "graph head zoo", "base"),
    "weights": ("src/weights", "weights", "base net"),
    "engine": ("src/engine", "comm engine optimizer", "base net"),
    "metrics": ("src/metrics", "metrics", "base"),
    "config": ("src/config", "class_weight config option scalar schedule swa", "base data net engine metrics"),
    "train": ("src/train", "cost lr_find train trial_input", "base data net weights engine metrics config"),
    "report": ("src/report", "charts colormap drawing explain importance page predictions report tensorboard text_table trial_details",
               "base data net engine metrics"),
    "sweep": ("src/sweep", "job sheet sweep trained", "base data net weights engine metrics config train report"),
    "cli": ("src/cli", "", "base data net weights engine metrics config train sweep report"),
    "data-prep": ("data-prep", "", "base data"),
}
# The floors of a folder, the lowest first. A file may include files of lower floors, but not of other names on its own floor.
# A name is a subfolder, a file without its ending, or "" for all other files of the folder.
FLOORS = {
    "src/data": ["hdf5_file image_impl exact", "augment filter", "dataset_impl codec", ""],
    "src/net": ["", "zoo"],
    "src/weights": ["tensor isolated h5_strings", "layout names h5_file", "match walk h5_layout writers", ""],
    "src/engine": ["", "common", "ref onednn cuda"],
    "src/report": ["text_table classification_report", "draw", "charts", "details importance explain tensorboard", "page", ""],
    "src/sweep": ["job", "plan", "results", "report", "run"],
    "src/sweep/job": ["node column contents parzen observation", "augmentations steps tpe gaussian_process", ""],
    "data-prep": ["pack synthetic"],
    "data-prep/pack": ["source", ""],
    "data-prep/pack/source": ["table_row", "json_lines", "samples content csv_reader", "options tree", "source", ""],
}
OWNER = {header: room for room, (_, headers, _) in ROOMS.items() for header in headers.split()}

# {header of a library: the folders that may include it}
LIBRARIES = {
    r"mpi\.h": ["src/sweep", "src/cli"],
    r"oneapi/dnnl/.*|dnnl.*": ["src/engine/onednn"],
    r"omp\.h": ["src/engine"],
    r"hdf5.*": ["src/data", "src/weights"],
    r"jpeglib\.h|jerror\.h": ["src/data"],
    r"spng\.h": ["src/data", "src/report/draw"],
    r"csv\.h|archive(_entry)?\.h": ["data-prep/pack/source"],
    r"cairo.*|pango/.*|fontconfig/.*": ["src/report/draw"],
    r"yaml\.h": ["src/sweep"],
    r"nlopt\.h": ["src/sweep"],
    r"jansson\.h": ["src/data", "src/weights", "src/report/details", "src/sweep", "data-prep/pack/source"],
    r"xxhash\.h|xxh_x86dispatch\.h": ["src/base"],
    r"(cuda|cudnn|nccl).*": ["src/engine/cuda"],
}
ENDS_THE_PROCESS = re.compile(r"\b(?:exit|_exit|_Exit|quick_exit|abort)\s*\(")
MAY_END = ["src/cli", "data-prep"]
ENDS_ITS_CHILD = "src/weights/isolated.c"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.M)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def sources(root):
    for top in ("src", "data-prep", "include"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".cu")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def room_of(path):
    if path.startswith("include/cnnsweep/"):
        return OWNER.get(os.path.basename(path)[:-2])
    for room, (folder, _, _) in ROOMS.items():
        if path.startswith(folder + "/"):
            return room
    return None


def inside(path, folders):
    return any(path.startswith(folder + "/") for folder in folders)


def check_include(path, room, quote, target):
    if target.startswith("cnnsweep/"):
        owner = OWNER.get(target[len("cnnsweep/"):-2])
        if owner is None:
            return f"<{target}> belongs to no room"
        if owner != room and owner not in ROOMS[room][2].split():
            return f"{room} may not use {owner} ({target})"
    elif quote == '"' and ".." in target:
        return f'"{target}" reaches out of its folder'
    else:
        for pattern, folders in LIBRARIES.items():
            if quote == "<" and re.fullmatch(pattern, target) and not inside(path, folders):
                return f"<{target}> is for {', '.join(folders)} only"
    return None


def find_local(root, path, room, target):
    """The path of a quoted header: beside the file that includes it, else in the room; None if it does not exist."""
    for folder in (os.path.dirname(path), ROOMS[room][0]):
        if os.path.exists(os.path.join(root, folder, target)):
            return os.path.join(folder, target)
    for folder, _, names in os.walk(os.path.join(root, ROOMS[room][0])):
        if os.path.basename(target) in names:
            return os.path.relpath(os.path.join(folder, os.path.basename(target)), root)
    return None


def check_local(root, path, room, target):
    """Checks that a quoted header that is not public is in the same room, on a floor that the file may use."""
    header = find_local(root, path, room, target)
    if header is None:
        return f'"{target}" is not in {ROOMS[room][0]}'
    for folder, floors in FLOORS.items():
        if path.startswith(folder + "/") and header.startswith(folder + "/"):
            own, other = (floor_of(os.path.relpath(name, folder), floors) for name in (path, header))
            if own and other and (other[0] > own[0] or (other[0] == own[0] and other[1] != own[1])):
                return f"in {folder} {own[1] or 'a file on no other floor'} may not use {other[1] or 'a file on no other floor'} ({target})"
    return None


def floor_of(path, floors):
    """(floor, name on it) of a path below the folder; None for a subfolder that no floor names."""
    inner, _, below = path.partition("/")
    for name in (inner,) if below else (os.path.splitext(inner)[0], ""):
        for number, floor in enumerate(floors):
            if name in floor.split(" "):
                return number, name
    return None


def violations(root):
    for path in sources(root):
        text = open(os.path.join(root, path), encoding="utf-8").read()
        room = room_of(path)
        if room is None:
            yield f"{path}: belongs to no room"
            continue
        for quote, target in INCLUDE.findall(text):
            problem = check_include(path, room, quote, target)
            if not problem and quote == '"' and not target.startswith("cnnsweep/"):
                problem = check_local(root, path, room, target)
            if problem:
                yield f"{path}: {problem}"
        if ENDS_THE_PROCESS.search(COMMENT.sub("", text)) and not inside(path, MAY_END) and path != ENDS_ITS_CHILD:
            yield f"{path}: only the command line ends the process"


def test_violations():
    """Exactly the files that break a rule, one for each rule, are named."""
    bad = {
        "src/net/a.c": '#include "cnnsweep/engine.h"\n',
        "src/train/b.c": "#include <mpi.h>\n",
        "src/engine/ref/c.c": "#include <oneapi/dnnl/dnnl.h>\n",
        "src/base/d.c": "void f(void) { exit(1); }\n",
        "src/data/e.c": '#include "../net/graph_impl.h"\n',
        "src/data/f.c": '#include "layers_impl.h"\n',
        "src/sweep/job/i.c": '#include "run/coordinator.h"\n',
        "src/engine/j.c": '#include "onednn/api.h"\n',
        "src/engine/common/j.c": '#include "api.h"\n',
        "src/engine/cuda/j.c": '#include "api.h"\n',
        "src/weights/tensor.c": '#include "names.h"\n',
        "src/weights/names.c": '#include "layout.h"\n',
        "data-prep/pack/source/j.c": '#include "pack.h"\n',
        "include/cnnsweep/train.h": '#include "cnnsweep/job.h"\n',
    }
    good = {"src/net/g.c": '#include "cnnsweep/status.h"\n#include <stdio.h>\n', "src/net/layers_impl.h": "",
            "src/sweep/run/coordinator.h": '#include "job/metric.h"\n', "src/sweep/job/metric.h": "",
            "src/engine/onednn/api.h": '#include "engine_impl.h"\n', "src/engine/onednn/k.c": '#include "api.h"\n',
            "src/engine/engine_impl.h": "", "src/engine/cuda/engine_impl.h": "", "src/engine/k.c": '#include "engine_impl.h"\n',
            "src/weights/names.h": "", "src/weights/layout.h": "", "src/weights/l.c": '#include "names.h"\n#include "layout.h"\n',
            "data-prep/pack/pack.h": '#include "source/source.h"\n', "data-prep/pack/source/source.h": "",
            "src/cli/h.c": "/* exit(1) */ void f(void) { exit(1); }\n"}
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**bad, **good}.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w") as out:
                out.write(text)
        found = {line.split(":")[0] for line in violations(root)}
        assert found == set(bad), f"violations() names {sorted(found)} instead of {sorted(bad)}"


test_violations()
problems = list(violations(os.environ["CNNSWEEP_SOURCE"]))
print("\n".join(problems) or "every include follows the tables")
sys.exit(1 if problems else 0)
