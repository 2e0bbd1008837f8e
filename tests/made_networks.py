"""Networks made for the tests of models: ours by name, nasty ones for swap, and a count of the activations that run."""

from __future__ import annotations

import pkgutil
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

import models
from models.slot import Slot

RELU = Slot(lambda shape: nn.ReLU())
# What a test that computes makes smaller.
SMALL: dict[str, dict[str, float]] = {
    "mlp": {"width": 16, "depth": 2},
    "timit_mlp": {"width": 16, "depth": 2},
    "cnn": {},
    "vit": {"patch": 4, "width": 24, "depth": 2, "heads": 2},
    "autoencoder": {"width": 0.25},
    "rnn": {"width": 0.25},
    "gelu_cnn": {"width": 0.125},
    "apl_cnn3": {"width": 0.0625},
    "apl_cnn5": {"width": 0.0625},
    "apl_cnn7": {"width": 0.0625},
    "wrn_40_4": {"width": 0.125, "depth": 0.01},
    "wrn_22": {"width": 0.125, "depth": 0.5},
    "xresnet18": {"width": 0.125, "depth": 0.01},
    "xresnet34": {"width": 0.125, "depth": 0.01},
    "xresnet50": {"width": 0.0625, "depth": 0.01},
    "senet18": {"width": 0.125, "depth": 0.01},
    "resnet18": {"width": 0.125, "depth": 0.01},
    "resnet50": {"width": 0.125, "depth": 0.01},
    "resnext50": {"width": 0.125, "depth": 0.01},
    "densenet121": {"width": 0.25, "depth": 0.01},
    "mobilenet_v2": {"width": 0.125, "depth": 0.01},
    "alexnet": {"width": 0.125},
    "vgg16": {"width": 0.125},
    "googlenet": {"width": 0.125},
    "squeezenet": {"width": 0.25},
    "nin": {"width": 0.125},
    "zfnet": {"width": 0.125},
    "mobilenet_v1": {"width": 0.125, "depth": 0.01},
    "segnet": {"width": 0.0625, "depth": 0.01},
}


def network(name: str, shape: tuple[int, ...] = (3, 32, 32), num_classes: int = 10, **sizes: Any) -> nn.Module:
    """A registered network with a ReLU at each site, by its own function: no check of `models.build` runs."""
    made: nn.Module = pkgutil.resolve_name(models.info(name).module)(shape, num_classes, RELU, **sizes)
    return made


# What must be gone after a swap: every kernel behind an activation but the gates'.
KERNELS = (
    "relu",
    "hardtanh",
    "gelu",
    "silu",
    "elu",
    "leaky_relu",
    "mish",
    "softplus",
    "hardswish",
    "tanh",
    "_transformer",
)


class Sine(nn.Module):
    """A marker: no network runs a sine of its own."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(x)


class Recorder(TorchDispatchMode):
    """Counts the kernels that run."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.ran[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))

    def activations(self) -> dict[str, int]:
        return {name: n for name, n in self.ran.items() if name == "sin" or name.startswith(KERNELS)}


def recorded(net: nn.Module, *args: Any, **kwargs: Any) -> dict[str, int]:
    """The activations that run in one forward pass."""
    with Recorder() as recorder, torch.no_grad():
        net(*args, **kwargs)
    return recorder.activations()


def sine(shape: tuple[int, ...]) -> nn.Module:
    return Sine()


# Nasty networks: each takes (2, 3, 8, 8) or, where it says so, (2, 6).


class Reuse(nn.Module):
    """One relu for three sites."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(6, 5), nn.Linear(5, 4)
        self.three, self.last = nn.Linear(4, 3), nn.Linear(3, 2)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.relu(self.three(self.relu(self.two(self.relu(self.one(x)))))))


class Block(nn.Module):
    def __init__(self, relu: nn.Module) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 6)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.layer(x))


class Shared(nn.Module):
    """One relu object under three names."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.blocks = nn.ModuleList([Block(self.relu), Block(self.relu)])
        self.last = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return self.last(self.relu(x))


class Lent(nn.Module):
    """A relu that the blocks are called with."""

    class Borrower(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 6)

        def forward(self, x: Tensor, relu: nn.Module) -> Tensor:
            return relu(relu(self.layer(x)))

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.one, self.two, self.last = self.Borrower(), self.Borrower(), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.two(self.one(x, self.relu), self.relu))


class Loop(nn.Module):
    """F.relu in a loop over the layers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(6, 5), nn.Linear(5, 4), nn.Linear(4, 3)])
        self.last = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = F.relu(layer(x))
        return self.last(x)


class Spellings(nn.Module):
    """A method, torch's own, in place in four ways, two of them as statements."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(6, 6) for _ in range(7))

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers[0](x).relu()
        x = torch.relu(input=self.layers[1](x))
        x = F.relu(self.layers[2](x), inplace=True)
        x = torch.relu_(self.layers[3](x))
        x = self.layers[4](x)
        x.relu_()
        x = self.layers[5](x)
        F.relu(x, inplace=True)
        return self.layers[6](x)


class Nested(nn.Module):
    """A caller of functions between callers of functions."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer, self.last = Loop(), nn.Linear(2, 6), nn.Linear(6, 2)
        self.gate = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.outer(F.relu(self.inner(x))))
        return self.last(F.relu(x * self.gate(x)))


class HandMade(nn.Module):
    """An activation of the user's own."""

    class Mish(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * torch.tanh(F.softplus(x))

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 6), self.Mish(), nn.Linear(6, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


class SqueezeExcite(nn.Module):
    """A gate whose sigmoid is called as a function, in Hu et al.'s form: viewed, expanded, multiplied."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.down, self.up = nn.Conv2d(3, 4, 3), nn.Linear(4, 2), nn.Linear(2, 4)
        self.last = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x))
        gate = torch.sigmoid(self.up(F.relu(self.down(x.mean((2, 3)))))).view(-1, 4, 1, 1)
        return self.last((x * gate.expand_as(x)).mean((2, 3)))


class Recurrent(nn.Module):
    """A cell of LSTM gates written out, run three times."""

    class Cell(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(8, 16)

        def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
            gates, candidate = self.layer(torch.cat([x, h], 1)).split([12, 4], 1)
            i, f, o = gates.sigmoid().chunk(3, 1)
            c = f * c + i * torch.tanh(candidate)
            return o * torch.tanh(c), c

    def __init__(self) -> None:
        super().__init__()
        self.first, self.cell, self.last = nn.Linear(6, 12), self.Cell(), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = c = x.new_zeros(len(x), 4)
        for step in F.relu(self.first(x)).chunk(3, 1):
            h, c = self.cell(step, h, c)
        return self.last(h)


class Encoder(nn.Module):
    """torch's own transformer layers, whose activation is a function, with a fused kernel in evaluation."""

    def __init__(self, activation: Any = F.relu) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(6, 2, 5, 0.0, activation, batch_first=True)
        self.first, self.body, self.last = nn.Linear(6, 6), nn.TransformerEncoder(layer, 2), nn.Linear(6, 2)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.last(self.body(self.first(x).unsqueeze(1).expand(-1, 3, -1), src_key_padding_mask=mask))


def only_sequential() -> nn.Module:
    """One relu object at two sites of a Sequential, in a Sequential."""
    relu = nn.ReLU()
    return nn.Sequential(nn.Sequential(nn.Linear(6, 6), relu, nn.Linear(6, 6), relu), nn.Linear(6, 2))


# name: (network, shape of an input, hidden sites)
NASTY: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int]] = {
    "reuse": (Reuse, (2, 6), 3),
    "shared": (Shared, (2, 6), 3),
    "lent": (Lent, (2, 6), 4),
    "loop": (Loop, (2, 6), 3),
    "spellings": (Spellings, (2, 6), 6),
    "nested": (Nested, (2, 6), 7),
    "hand_made": (HandMade, (2, 6), 1),
    "squeeze_excite": (SqueezeExcite, (2, 3, 8, 8), 2),
    "recurrent": (Recurrent, (2, 6), 1),
    "encoder": (Encoder, (2, 6), 2),
    "encoder_module": (lambda: Encoder(nn.ReLU()), (2, 6), 2),
    "sequential": (only_sequential, (2, 6), 2),
}


def nasty(name: str) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    make, shape, _ = NASTY[name]
    return make(), torch.randn(shape)


class Body(nn.Module):
    """Two linear layers with whatever a test puts between them, as `between(net, x)`."""

    def __init__(self, between: Callable[[Any, Tensor], Tensor], **modules: nn.Module) -> None:
        super().__init__()
        self.first, self.last, self.between = nn.Linear(8, 8), nn.Linear(8, 2), between
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.between(self, self.first(x)))
