"""What a formula may know of the kernel that it is compiled into: `with in_kernel(): ...`, `compiling()`, `once(x)`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

_in_kernel = False


@contextmanager
def in_kernel() -> Iterator[None]:
    """Where a kernel is compiled, or called, which asks whether it was compiled there."""
    global _in_kernel
    before, _in_kernel = _in_kernel, True
    try:
        yield
    finally:
        _in_kernel = before


def compiling() -> bool:
    """Whether the formula is being compiled into a kernel of ours, and not by a compiler around it or not at all."""
    return _in_kernel and torch.compiler.is_compiling()


def once(x: Tensor) -> Tensor:
    """x, which a kernel keeps instead of working it out for each element that it is used for: a root, say, for a row.

    The compiler joins what is elementwise to what uses it, and never takes it out of the inner loop.
    """
    return x.as_strided(x.shape, x.stride()) if compiling() else x
