"""The activations of the survey's eleven backbones, read off the networks themselves: `python -m models`."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from tabulate import tabulate
from torch import Tensor, nn

from models._build import build
from models._find import sites
from models._registry import info
from models._site import Role, Site

# What document 002 says of each: hidden layers and output.
SURVEY = {
    "alexnet": ("ReLU", "Softmax"),
    "nin": ("no activation", "Softmax"),
    "zfnet": ("ReLU", "Softmax"),
    "vgg16": ("ReLU", "Softmax"),
    "segnet": ("ReLU", "Softmax"),
    "googlenet": ("ReLU", "Softmax"),
    "squeezenet": ("ReLU", "Softmax"),
    "resnet50": ("ReLU", "Softmax"),
    "resnext50": ("ReLU", "Softmax"),
    "mobilenet_v1": ("ReLU", "Softmax"),
    "senet18": ("ReLU", "Sigmoid"),
}
# Images and classes of the papers; CIFAR-10's for the other networks, and for BERT the longest sentences of SST-2.
IMAGENET = (3, 224, 224), 1000
CAMVID = (3, 360, 480), 11
CIFAR10 = (3, 32, 32), 10
SST2 = (66,), 2
_DATA = dict.fromkeys(SURVEY, IMAGENET) | {"segnet": CAMVID, "nin": CIFAR10, "senet18": CIFAR10, "bert": SST2}


def full_size(name: str, activation: str | None = None) -> tuple[nn.Module, Tensor]:
    """A registered network of its paper's size, and an example; both on the meta device, where nothing is computed.

    Args:
        name: of the network.
        activation: name of the one at its hidden sites; None for the source's own.

    Raises:
        ValueError: unknown network or activation, or one that the network cannot take.
    """
    shape, classes = _DATA.get(name, CIFAR10)
    sizes: dict[str, Any] = {"input_shape": shape, "num_classes": classes}
    if shape == IMAGENET[0] and "stem" in inspect.signature(info(name).make).parameters:
        sizes["stem"] = "imagenet"
    with torch.device("meta"):
        net = build(name, activation=activation or info(name).activation, equal="width", **sizes)
        return net, torch.empty(2, *shape, dtype=torch.int64 if info(name).takes == "ids" else torch.float32)


def survey_table(names: Sequence[str] = tuple(SURVEY)) -> str:
    """Networks with their parameters, sites and sources, and what the survey says of them."""
    rows = []
    for name in names:
        net, example = full_size(name)
        found = sites(net, example)
        size = sum(parameter.numel() for parameter in net.parameters())
        columns = (_counts(found, role) for role in ("hidden", "gate", "output"))
        rows.append([name, f"{size:,}", *columns, ", ".join(SURVEY.get(name, ("–",))), info(name).source])
    headers = ["network", "parameters", "hidden", "gates", "output", "survey", "source"]
    sides, widths = ["left", "right", *["left"] * 5], [*[None] * 6, 35]
    text = tabulate(rows, headers, colalign=sides, maxcolwidths=widths, disable_numparse=True)
    return f"{text}\nsurvey: what document 002 says of hidden layers and output. In torch the softmax is in the loss."


def listing(name: str, activation: str | None = None) -> str:
    """The sites of one network, one a line."""
    net, example = full_size(name, activation)
    rows = [
        [site.path or ".", site.index, site.op, site.role, "x".join(map(str, site.shape)), f"{site.kind} {site.name}"]
        for site in sites(net, example)
    ]
    return tabulate(rows, ["caller", "use", "activation", "role", "shape", "by"], disable_numparse=True)


def _counts(found: Sequence[Site], role: Role) -> str:
    counts = Counter(site.op for site in found if site.role == role)
    return ", ".join(f"{op} x{count}" for op, count in counts.items()) or "none"
