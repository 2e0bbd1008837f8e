"""A CUDA graph for tests on a CPU: it records the operations of a step and does them again in the same tensors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

aten = torch.ops.aten
# What reads a number back, or makes as many as it finds: a capture refuses them in these words.
REFUSED = (aten._local_scalar_dense.default, aten.nonzero.default, aten.masked_select.default, aten._unique2.default)
IN_CAPTURE = "CUDA error: operation not permitted when stream is capturing"


class Tape(TorchDispatchMode):
    """Stands for `torch.cuda.CUDAGraph`. As there, recording leaves no trace, and numbers of Python stay as they were.

    Attributes:
        replays: so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.replays = 0
        self._calls: list[tuple[Any, ...]] = []
        self._before: dict[int, tuple[Tensor, Tensor]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in REFUSED:
            raise RuntimeError(IN_CAPTURE)
        for one in _tensors(args, kwargs):
            self._before.setdefault(one.untyped_storage().data_ptr(), (one, one.clone()))
        made = func(*args, **(kwargs or {}))
        self._calls.append((func, args, kwargs or {}, made))
        return made

    @contextmanager
    def recording(self) -> Iterator[None]:
        drawn = torch.get_rng_state()
        try:
            with self:
                yield
        finally:
            torch.set_rng_state(drawn)
            with torch.no_grad():
                for one, before in self._before.values():
                    one.copy_(before)
            self._before.clear()

    def replay(self) -> None:
        self.replays += 1
        with torch.no_grad(), torch._C._AutoDispatchBelowAutograd():
            for func, args, kwargs, made in self._calls:
                again = func(*args, **kwargs)
                for place, one in zip(_tensors(made), _tensors(again), strict=True):
                    if place.untyped_storage().data_ptr() != one.untyped_storage().data_ptr():
                        place.copy_(one)


def _tensors(*tree: Any) -> list[Tensor]:
    return [one for one in tree_leaves(tree) if isinstance(one, Tensor)]


class MadeCard:
    """What of `torch.cuda` a graphed step uses, on the CPU.

    Attributes:
        tapes: the graphs that were begun.
        put_back: the states that the generator was given.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tapes: list[Tape] = []
        self.put_back: list[object] = []
        stream = SimpleNamespace(wait_stream=lambda other: None)
        generator = SimpleNamespace(clone_state=lambda: "as it was", graphsafe_set_state=self.put_back.append)
        for name, stub in {
            "Stream": lambda device: stream,
            "current_stream": lambda: stream,
            "stream": lambda entered: nullcontext(),
            "CUDAGraph": self._begin,
            "graph": self.capture,
            "default_generators": {None: generator},
        }.items():
            monkeypatch.setattr(torch.cuda, name, stub)

    def _begin(self) -> Tape:
        self.tapes.append(Tape())
        return self.tapes[-1]

    @contextmanager
    def capture(self, tape: Tape, stream: object) -> Iterator[None]:
        """As on a card, a capture in which something is refused ends with an error of its own."""
        try:
            with tape.recording():
                yield
        except RuntimeError:
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture")  # noqa: B904
