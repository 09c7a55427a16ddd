# SPDX-License-Identifier: Apache-2.0
"""Makes the maps of the networks that test_explain_torch.c wrote with PyTorch's autograd in double, from the formulas of
the papers, and compares them. Exit 77: no PyTorch."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "engine"))
import reference_torch as reference  # exits with 77 if there is no PyTorch
import numpy as np
import torch
import torch.nn.functional as F

TOLERANCE = 1e-4  # of the largest value of a map
CORNER = 4e-6  # of the standard deviation of a layer's values
torch.set_num_threads(1)


class GuidedRelu(torch.autograd.Function):
    """ReLU, or ReLU6, whose backward passes on what is positive, where the input is between the corners."""

    @staticmethod
    def forward(ctx, x, most):
        ctx.save_for_backward(x)
        ctx.most = most
        return x.clamp(0, most)

    @staticmethod
    def backward(ctx, gradient):
        x, = ctx.saved_tensors
        return gradient * (gradient > 0) * (x > 0) * (x < ctx.most), None


PLAIN = {"relu": F.relu, "relu6": F.relu6, "swish": F.silu, "sigmoid": torch.sigmoid}
GUIDED = dict(PLAIN, relu=lambda x: GuidedRelu.apply(x, float("inf")), relu6=lambda x: GuidedRelu.apply(x, 6.0))


class Network:
    def __init__(self, case):
        self.case, self.values = case, case.values()
        self.layer = next(i for i, layer in enumerate(case.layers) if layer["name"] == case.explained[0])
        self.images = case.image()  # [n,C,H,W]
        self.classes = case.labels
        self.distances = torch.full((len(self.images),), float("inf"))

    def run(self, images, activations=PLAIN):
        """(the layer's output, the logit of each image's class, all logits)."""
        made = []
        for index, layer in enumerate(self.case.layers):
            if not layer["inputs"]:
                made.append(images)
                continue
            x = reference.run_layer(layer, [made[i] for i in layer["inputs"]],
                                    lambda role: self.values.get((index, role)), False, None)
            self.measure(layer["activation"], x.detach())
            made.append(activations.get(layer["activation"], lambda v: v)(x))
        logits = made[-1]
        if logits.shape[1] == 1:  # binary: class 1 has the logit, class 0 its negative
            scores = torch.where(self.classes_of(images) == 1, logits[:, 0], -logits[:, 0])
        else:
            scores = logits.gather(1, self.classes_of(images)[:, None])[:, 0]
        return made[self.layer], scores, logits

    def measure(self, activation, x):
        """Notes how near each image comes to a corner of a ReLU. There a gradient is not defined: an engine whose floats
        are rounded to the other side rightly gives the other one."""
        for corner in {"relu": [0], "relu6": [0, 6]}.get(activation, []):
            near = (x - corner).abs().flatten(1).amin(1) / x.std()
            self.distances = torch.minimum(self.distances, near.reshape(-1, len(self.images)).amin(0))

    def classes_of(self, images):
        return self.classes.repeat(len(images) // len(self.classes))

    def one(self, i):
        """The network with image i only."""
        single = Network(self.case)
        single.images, single.classes = self.images[i:i + 1], self.classes[i:i + 1]
        return single

    def at_layer(self):
        """Output A and gradient G of the layer, [n,C,h,w]."""
        a, scores, _ = self.run(self.images.clone().requires_grad_())
        return a.detach(), torch.autograd.grad(scores.sum(), a)[0]

    def slope(self, images, activations=PLAIN):
        images = images.clone().requires_grad_()
        return torch.autograd.grad(self.run(images, activations)[1].sum(), images)[0]


def weighted(weights, a):
    return (weights[:, :, None, None] * a).sum(1)


def cam(net):
    kernel = next(net.values[l, "kernel"] for l in reversed(range(len(net.case.layers))) if (l, "kernel") in net.values)
    signs = {0: -kernel[:, 0], 1: kernel[:, 0]}
    weights = [signs[int(c)] if kernel.shape[1] == 1 else kernel[:, c] for c in net.classes]
    return weighted(torch.stack(weights), net.at_layer()[0])


def grad_cam(net):
    a, g = net.at_layer()
    return weighted(g.mean([2, 3]), a)


def grad_cam_pp(net):
    a, g = net.at_layer()
    alpha = g ** 2 / (2 * g ** 2 + a.sum([2, 3], keepdim=True) * g ** 3 + 1e-6)
    alpha = torch.where(g != 0, alpha, torch.zeros_like(g))
    return weighted((g.clamp(min=0) * alpha).sum([2, 3]), a)


def hires_cam(net):
    a, g = net.at_layer()
    return (a * g).sum(1)


def xgrad_cam(net):
    a, g = net.at_layer()
    return weighted((g * a / (a.sum([2, 3], keepdim=True) + 1e-7)).sum([2, 3]), a)


def layer_cam(net):
    a, g = net.at_layer()
    return (a * g.clamp(min=0)).sum(1)


def eigen_cam(net):
    maps = []
    for a in net.at_layer()[0]:
        flat = a.flatten(1).T.numpy()
        centred = flat - flat.mean(0)
        made = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
        maps.append(made.reshape(a.shape[1:]) * (1 if made @ flat.sum(1) >= 0 else -1))
    return torch.tensor(np.stack(maps))


def score_cam(net):
    maps = []
    for i in range(len(net.images)):
        single = net.one(i)
        a = single.run(single.images)[0][0].detach()
        masks = F.interpolate(a[None], size=single.images.shape[2:], mode="bilinear", align_corners=False)[0]
        least, most = masks.amin([1, 2], keepdim=True), masks.amax([1, 2], keepdim=True)
        masks = (masks - least) / (most - least + 1e-8)
        with torch.no_grad():
            scores = torch.cat([single.run(single.images * part[:, None])[1] for part in masks.split(64)])
        maps.append((scores.softmax(0)[:, None, None] * a).sum(0))
    return torch.stack(maps)


def guided_backprop(net):
    return net.slope(net.images, GUIDED)


def guided_grad_cam(net):
    map_ = F.interpolate(grad_cam(net).clamp(min=0)[:, None], size=net.images.shape[2:], mode="bilinear",
                         align_corners=False)
    return map_ * guided_backprop(net)


def saliency(net):
    return net.slope(net.images).abs().amax(1)


def smooth_grad(net):
    samples, noise = int(net.case.explained[2]), float(net.case.explained[3])
    n, c, h, w = net.images.shape
    spread = net.images.amax([1, 2, 3]) - net.images.amin([1, 2, 3])
    drawn = torch.tensor(net.case.tensors["noise"]).reshape(samples, n, h, w, c).permute(0, 1, 4, 2, 3)
    return sum(net.slope(net.images + noise * spread[:, None, None, None] * d) for d in drawn).div(samples).abs().amax(1)


def integrated_gradients(net):
    steps = int(net.case.explained[1])
    mean = sum(net.slope(net.images * ((k + 0.5) / steps)) for k in range(steps)) / steps
    return (mean * net.images).sum(1)


def occlusion(net):
    patch, stride = int(net.case.explained[4]), int(net.case.explained[5])
    h, w = net.images.shape[2:]
    sums, counts = torch.zeros(len(net.images), h, w).double(), torch.zeros(h, w).double()
    with torch.no_grad():
        whole = net.run(net.images)[1]
        for top in range(0, h - patch + stride, stride):
            for left in range(0, w - patch + stride, stride):
                covered = net.images.clone()
                covered[:, :, top:top + patch, left:left + patch] = 0
                sums[:, top:top + patch, left:left + patch] += (whole - net.run(covered)[1])[:, None, None]
                counts[top:top + patch, left:left + patch] += 1
    return sums / counts.clamp(min=1)


METHODS = [cam, grad_cam, grad_cam_pp, hires_cam, xgrad_cam, layer_cam, eigen_cam, score_cam, guided_backprop,
           guided_grad_cam, saliency, smooth_grad, integrated_gradients, occlusion]


def logits_of(net):
    logits = net.run(net.images)[2].detach()
    return torch.cat([-logits / 2, logits / 2], 1) if logits.shape[1] == 1 else logits


def compare(case, times):
    wrong = 0
    wanted, images = {"logits": logits_of(Network(case))}, {}
    for method in METHODS:
        name = f"map_{method.__name__}"
        if name in case.tensors:
            net = Network(case)
            made = method(net).detach()
            wanted[name] = made.permute(0, 2, 3, 1) if made.dim() == 4 else made
            if method not in (cam, eigen_cam, score_cam, occlusion):
                images[name] = net.distances > CORNER
    missing = [name for name in case.tensors if name.startswith("map_") and name not in wanted]
    assert not missing, missing
    for name, want in wanted.items():
        compared = images.get(name, torch.ones(len(want), dtype=torch.bool)).numpy()
        want = want.numpy()
        want, got = want[compared].ravel(), case.tensors[name].reshape(want.shape)[compared].ravel()
        if not compared.any():
            print(f"{case.name:18s} {name:26s} not compared: all images come near a corner")
            continue
        times[name] = times.get(name, 0) + 1
        scale, error = np.abs(want).max(), np.abs(got - want).max()
        good = scale > 1e-6 and error <= TOLERANCE * scale
        wrong += not good
        print(f"{case.name:18s} {name:26s} {compared.sum()} images, differs by {error / scale:.1e} of {scale:.3g}{'' if good else '  WRONG'}")
    return wrong


def read(path, floats):
    numbers = np.fromfile(floats, dtype=np.float32).astype(np.float64)
    for line in open(path):
        kind, *words = line.split()
        if kind == "case":
            case = reference.Case(*words)
        elif kind == "explained":
            case.explained = words
        elif kind == "tensor":
            at, count = int(words[1]), int(words[2])
            case.tensors[words[0]] = numbers[at:at + count]
        elif kind == "end":
            yield case
        else:
            case.add(kind, words)


def main():
    times = {}  # for how many networks a map was compared
    wrong = sum([compare(case, times) for case in read(*sys.argv[1:])])
    rare = [method.__name__ for method in METHODS if times.get(f"map_{method.__name__}", 0) < (1 if method is cam else 2)]
    assert not rare, f"compared for too few networks: {rare}"
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
