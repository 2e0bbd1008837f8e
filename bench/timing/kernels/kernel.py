"""What is timed: `catalogue()` lists the kernels, `Kernel("elu", "float32", "cache", "forward").id` names one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from itertools import product

# Those with recorded ratios: a larger registry does not enlarge the catalogue.
ACTIVATIONS = (
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "gelu_tanh",
    "gelu_sigmoid",
    "silu",
    "mish",
    "prelu",
    "apl",
    "tact",
    "mtact",
)
# Elements of the input. `cache` is 128 or 256 KiB a tensor, within the L2 of today's CPUs. `memory` is 32 or
# 64 MiB a tensor, beyond the L3 of desktops and the L2 of GPUs, though not beyond the L3 of every server.
SIZES = {"cache": 2**16, "memory": 2**24}
DTYPES = ("float32", "bfloat16")
MODES = ("forward", "forward_backward")
# Shape of one example: channels, height, width. It sizes the parameters that go by channel or by unit.
EXAMPLE = (64, 16, 16)

_FIELD = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True, order=True)
class Kernel:
    """One activation at one dtype, size and mode: one pytest item.

    Attributes:
        activation: a registered name.
        dtype: of input and parameters, one of `DTYPES`.
        size: of the input, one of `SIZES`.
        mode: `forward` (no graph is recorded) or `forward_backward` (gradients of input and parameters).

    Raises:
        ValueError: a field that is not one of these.
    """

    activation: str
    dtype: str
    size: str
    mode: str

    def __post_init__(self) -> None:
        for axis, value, known in (
            ("dtype", self.dtype, DTYPES),
            ("size", self.size, tuple(SIZES)),
            ("mode", self.mode, MODES),
        ):
            if value not in known:
                raise ValueError(f"{axis} {value!r} of a kernel is unknown; known: {', '.join(known)}")
        if not _FIELD.fullmatch(self.activation):
            raise ValueError(f"activation {self.activation!r} of a kernel must be made of a-z, 0-9 and _ only")

    @property
    def id(self) -> str:
        """The values joined by `-`."""
        return "-".join(astuple(self))

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of the input: examples, channels, height, width."""
        channels, height, width = EXAMPLE
        return (SIZES[self.size] // (channels * height * width), channels, height, width)


def catalogue(added: Iterable[str] = ()) -> list[Kernel]:
    """All kernels of `ACTIVATIONS` and of those added; those that are compared stand next to each other."""
    names = dict.fromkeys((*ACTIVATIONS, *added))
    return [
        Kernel(activation, dtype, size, mode) for dtype, size, mode, activation in product(DTYPES, SIZES, MODES, names)
    ]
