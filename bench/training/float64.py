"""Training with draws in float64, the same on every device and in every precision.

with float64.default_dtype(torch.float64), float64.drawn_on_the_cpu(): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """What is made without a dtype is of this one; put back after."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def drawn_on_the_cpu() -> TorchDispatchMode:
    """What torch draws from its global generators is drawn in float64 from that of the CPU, whatever device and dtype.

    A card's generator draws other numbers than the CPU's, float32 others than float64, and on CPUs dropout's come out
    of MKL where torch has it.
    """

    return _Draws()  # type: ignore[no-untyped-call]


class _Draws(TorchDispatchMode):
    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        draw = _DRAWS.get(func)
        return draw(func, *args, **(kwargs or {})) if draw else func(*args, **(kwargs or {}))


def _uniform(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    if generator is not None and generator.device.type != "cpu":
        generator = None
    return torch.rand(like.shape, generator=generator, dtype=torch.float64).to(like.device)


def _bernoulli_(func: Any, tensor: Tensor, p: float = 0.5, generator: torch.Generator | None = None) -> Tensor:
    return tensor.copy_(_uniform(tensor, generator) < p)


def _bernoulli(func: Any, p: Tensor, generator: torch.Generator | None = None) -> Tensor:
    return (_uniform(p, generator) < p).to(p.dtype)


def _native_dropout(func: Any, x: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    if not train:
        return x, torch.ones_like(x, dtype=torch.bool)
    mask = _uniform(x) < 1 - p
    return x * mask / (1 - p), mask


def _made(func: Any, *args: Any, device: Any = None, dtype: torch.dtype | None = None, **kwargs: Any) -> Tensor:
    made: Tensor = func(*args, device="cpu", dtype=torch.float64, **kwargs)
    return made.to(device or "cpu", dtype or torch.get_default_dtype())


def _like(draw: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """By position, not by place in memory, which channels_last orders otherwise."""
    return lambda func, like, **kwargs: torch.empty_like(like).copy_(draw(like.shape, dtype=torch.float64))


def _filled(func: Any, tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    return tensor.copy_(func(torch.empty(tensor.shape, dtype=torch.float64), *args, **kwargs))


_DRAWS: dict[Any, Callable[..., Any]] = {
    aten.bernoulli_.float: _bernoulli_,
    aten.bernoulli.default: _bernoulli,
    aten.native_dropout.default: _native_dropout,
    **dict.fromkeys((aten.rand.default, aten.randn.default, aten.rand.generator, aten.randn.generator), _made),
    aten.rand_like.default: _like(torch.rand),
    aten.randn_like.default: _like(torch.randn),
    **dict.fromkeys((aten.uniform_.default, aten.normal_.default), _filled),
}
