# SPDX-License-Identifier: Apache-2.0
"""The zoo in PyTorch, to measure speed only: torchvision's networks if they have the same convolutions, else networks written in
this file. Details that hardly cost time (where a stride-2 layer pads) are as is usual in torch."""
from torch import nn

try:
    from torchvision import models as tv
except ImportError:  # those networks then fail with a message that asks for it
    tv = None

CLASSES = 2


def conv_norm(channels, filters, kernel=1, stride=1, groups=1, padding=None, act=None):
    padding = kernel // 2 if padding is None else padding
    layers = [nn.Conv2d(channels, filters, kernel, stride, padding, groups=groups, bias=False),
              nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01)]
    return nn.Sequential(*layers, *([act()] if act else []))


def relu():
    return nn.ReLU(inplace=True)


def classifier(features, channels):
    return nn.Sequential(*features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES))


def mobilenet(size):
    relu6 = lambda: nn.ReLU6(inplace=True)
    layers, channels, pixels = [conv_norm(3, 32, 3, 2, act=relu6)], 32, (size + 1) // 2
    for filters, stride in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [
            (1024, 2), (1024, 1)]:
        # Keras pads bottom and right only, so an odd size loses its last row; without padding torch gives the same size
        # without the cost of a padding layer.
        padding = 0 if stride == 2 and pixels % 2 else 1
        layers += [conv_norm(channels, channels, 3, stride, channels, padding, relu6),
                   conv_norm(channels, filters, act=relu6)]
        channels, pixels = filters, pixels // stride
    return classifier(layers, channels)


def resnet50_v1(_size):
    """The version of Keras: the stride is in the first convolution of a block, and convolutions have biases."""
    model = tv.resnet50(num_classes=CLASSES)
    for module in model.modules():
        if isinstance(module, tv.resnet.Bottleneck) and module.conv2.stride == (2, 2):
            module.conv1.stride, module.conv2.stride = (2, 2), (1, 1)
    return model


class Separable(nn.Sequential):
    def __init__(self, channels, filters):
        super().__init__(nn.Conv2d(channels, channels, 3, 1, 1, groups=channels, bias=False),
                         conv_norm(channels, filters))


class XceptionBlock(nn.Module):
    """Separable convolutions with a ReLU before each, a max-pool of 2, and a 1x1 shortcut."""

    def __init__(self, channels, middle, filters, first_relu=True):
        super().__init__()
        first = [nn.ReLU()] if first_relu else []
        self.body = nn.Sequential(*first, Separable(channels, middle), relu(), Separable(middle, filters),
                                  nn.MaxPool2d(3, 2, 1))
        self.shortcut = conv_norm(channels, filters, stride=2)

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


class XceptionMiddle(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(*[layer for _ in range(3) for layer in (nn.ReLU(), Separable(channels, channels))])

    def forward(self, x):
        return self.body(x) + x


def xception(_size):
    return classifier([conv_norm(3, 32, 3, 2, padding=0, act=relu), conv_norm(32, 64, 3, padding=0, act=relu),
                       XceptionBlock(64, 128, 128, first_relu=False), XceptionBlock(128, 256, 256),
                       XceptionBlock(256, 728, 728), *[XceptionMiddle(728) for _ in range(8)],
                       XceptionBlock(728, 728, 1024), Separable(1024, 1536), relu(), Separable(1536, 2048), relu()], 2048)


def small(convs, dense, size, norm=None, dropout=0.0):
    """convs: (filters, kernel, followed by a pool?, padded?)"""
    layers, channels = [], 3
    for filters, kernel, pool, padded in convs:
        layers.append(nn.Conv2d(channels, filters, kernel, padding=kernel // 2 if padded else 0))
        activation = [nn.BatchNorm2d(filters), relu()]
        layers += activation if norm == "before" else activation[::-1] if norm == "after" else activation[1:]
        layers += [nn.MaxPool2d(2)] if pool else []
        size = size if padded else size - kernel + 1
        size, channels = size // 2 if pool else size, filters
    layers.append(nn.Flatten())
    channels *= size * size
    for units in dense:
        layers += [nn.Linear(channels, units), relu()]
        channels = units
    return nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(channels, CLASSES))


DEEP = ((6, 5, True, True), (16, 5, True, True), (16, 3, False, True), (24, 3, False, True), (32, 3, True, True))

NETS = {
    ("mobilenet", "keras"): mobilenet,
    ("mobilenet_v2", "keras"): lambda size: tv.mobilenet_v2(num_classes=CLASSES),
    ("mobilenet_v2", "torch"): lambda size: tv.mobilenet_v2(num_classes=CLASSES),
    ("resnet18", "torch"): lambda size: tv.resnet18(num_classes=CLASSES),
    ("resnet50", "keras"): resnet50_v1,
    ("resnet50", "torch"): lambda size: tv.resnet50(num_classes=CLASSES),
    ("inception_v3", "keras"): lambda size: tv.inception_v3(num_classes=CLASSES, aux_logits=False, init_weights=False),
    ("xception", "keras"): xception,
    ("densenet121", "keras"): lambda size: tv.densenet121(num_classes=CLASSES),
    ("densenet121", "torch"): lambda size: tv.densenet121(num_classes=CLASSES),
    ("densenet169", "keras"): lambda size: tv.densenet169(num_classes=CLASSES),
    ("densenet169", "torch"): lambda size: tv.densenet169(num_classes=CLASSES),
    ("efficientnet_b0", "keras"): lambda size: tv.efficientnet_b0(num_classes=CLASSES),
    ("basenet", "keras"): lambda size: small(((6, 5, True, False), (16, 5, True, False)), (50,), size),
    ("basenet_deep", "keras"): lambda size: small(DEEP, (100, 50), size),
    ("basenet_deep_bn", "keras"): lambda size: small(DEEP, (100, 50), size, "before"),
    ("basenet_deep_bn_after", "keras"): lambda size: small(DEEP, (100, 50), size, "after"),
    ("cnn4", "keras"): lambda size: small([(f, 3, True, True) for f in (32, 64, 128, 256)], (512,), size, "before", 0.5),
}
