# SPDX-License-Identifier: Apache-2.0
"""Every torch architecture of the zoo agrees with the real torchvision: we load its state dict, features, probabilities and
every gradient agree, and torchvision loads our file and gives the same output."""
import copy
import json
import os
import pathlib
import struct
import sys
import tempfile

import numpy as np

try:
    import torch
    import torchvision
except ImportError as missing:
    print(f"{missing}; install python3-torchvision: nothing checked")
    sys.exit(1 if os.environ.get("CI") else 77)

from zoo_comparison import CLASSES, avoid_corners, compare, error, make_batch, on_some_batch, read_safetensors, zoo_step

MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
models = torchvision.models

# arch, alpha, how torchvision builds it, the module whose output is the last feature map
CASES = [
    ("resnet18", 1, models.resnet18, "layer4"),
    ("resnet50", 1, models.resnet50, "layer4"),
    ("densenet121", 1, models.densenet121, "features"),
    ("densenet169", 1, models.densenet169, "features"),
    ("mobilenet_v2", 1.4, lambda **options: models.mobilenet_v2(width_mult=1.4, **options), "features"),
]
SIZES = ((64, 64), (97, 80))


def write_safetensors(path, tensors):
    header, at = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(a.tobytes() for a in tensors.values()))


def randomise(model):
    rng = np.random.default_rng(1)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0
        if isinstance(module, torch.nn.BatchNorm2d):
            draw = lambda low, high: rng.uniform(low, high, module.num_features).astype(np.float32)
            values = {"weight": avoid_corners("gamma", draw(0.5, 1.5)), "bias": avoid_corners("beta", draw(0, 1)),
                      "running_mean": draw(-0.2, 0.2), "running_var": draw(0.5, 1.5)}
            for name, value in values.items():
                getattr(module, name).data.copy_(torch.from_numpy(value))


def gradients_of(model, feature_module, x, labels):
    """Features, probabilities and gradients in float64, so that only our rounding makes a difference."""
    model = copy.deepcopy(model).double()
    seen = []
    hook = dict(model.named_modules())[feature_module].register_forward_hook(lambda m, i, o: seen.append(o.detach()))
    with torch.no_grad():
        probabilities = torch.softmax(model.eval()(x.double()), 1).numpy()
    hook.remove()
    torch.nn.functional.cross_entropy(model.train()(x.double()), torch.from_numpy(labels).long()).backward()
    return seen[0].numpy().transpose(0, 2, 3, 1), probabilities, {k: p.grad.numpy() for k, p in model.named_parameters()}


def loads_unchanged(folder, model, build, x):
    """Our file, loaded into a new model, gives the same output."""
    fresh = build(num_classes=CLASSES)
    ours = {k: torch.from_numpy(v.copy()) for k, v in read_safetensors(folder / "ours.safetensors").items()}
    fresh.load_state_dict(ours, strict=True)
    with torch.no_grad():
        got = error(fresh.eval()(x).numpy(), model.eval()(x).numpy())
    if got:
        print(f"FAIL our file loaded into torch gives another output: {got:.1e}")
    return got == 0


def check(arch, alpha, build, feature_module, size, folder):
    torch.manual_seed(1)
    model = build(num_classes=CLASSES)
    randomise(model)
    state = {k: v.numpy().copy() for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    write_safetensors(folder / "theirs.safetensors", state)

    def agrees(seed):
        images, labels = make_batch(folder, seed, *size, lambda pixels: (pixels / 255 - MEAN) / STD)
        zoo_step(folder, arch, "torch", "top", alpha, *size, [folder / "theirs.safetensors"])
        x = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        return compare(folder, f"{arch} {size[0]}x{size[1]}", *gradients_of(model, feature_module, x, labels))

    return on_some_batch(agrees) and loads_unchanged(folder, model, build, torch.rand(2, 3, *size))


torch.set_num_threads(1)
results = []
for case in CASES:
    for size in SIZES if len(sys.argv) < 2 or case[0] in sys.argv[1:] else ():
        with tempfile.TemporaryDirectory() as scratch:
            results.append(check(*case, size, pathlib.Path(scratch)))
print(f"{sum(results)} of {len(results)} agree with torchvision {torchvision.__version__}")
sys.exit(0 if results and all(results) else 1)
