"""What runs in a swapped network: instances handed out in order to the uses of one attribute, or to function calls.

Nothing here holds a closure, so that networks can be copied and pickled. A caller whose body calls activation
functions gets a `Handed` in the place of its `forward`, which watches the calls by a `TorchFunctionMode`. The modules
that the caller runs suspend it by `suspend` and `resume`: what is inside them is neither touched nor slowed down.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from models._functions import argument, op_of

# The attribute of a caller that holds what its function calls are handed to, by their number.
SWAPPED = "swapped"


class Reused(nn.Module):
    """Instances for one attribute that its caller uses several times: the n-th use in a run gets the n-th instance.

    Args:
        places: the instances, in the order of use.
        caller: its qualified name, for the error.

    Raises:
        RuntimeError: on a use more than there are instances.
    """

    def __init__(self, places: list[nn.Module], caller: str) -> None:
        super().__init__()
        self.places = nn.ModuleList(places)
        self.caller = caller
        self.uses = 0

    def forward(self, x: Tensor) -> Tensor:
        if self.uses >= len(self.places):
            raise _too_many(self.caller, len(self.places))
        self.uses += 1
        result: Tensor = self.places[self.uses - 1](x)
        return result


@dataclass(frozen=True)
class Rewind:
    """Forward pre-hook of a caller: its uses of a `Reused` start anew.

    Attributes:
        reused: which one.
        start: the number of its first use there.
    """

    reused: Reused
    start: int = 0

    def __call__(self, caller: nn.Module, args: tuple[Any, ...]) -> None:
        self.reused.uses = self.start


class Handed:
    """Stands in a caller's `forward` and hands the activation functions that its body calls to modules.

    Args:
        caller: whose attribute `swapped` holds the modules by the number of the call, as `nn.ModuleDict`; calls
            without an entry there stay what they are.
        path: its qualified name, for the error.
        calls: activation functions that its body calls, at most.

    Raises:
        RuntimeError: the body calls more of them.
    """

    def __init__(self, caller: nn.Module, path: str, calls: int) -> None:
        self.caller = caller
        self.path = path
        self.calls = calls
        self.earlier: Callable[..., Any] | None = vars(caller).get("forward")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        depth = len(_RUNNING.modes)
        mode = _Handing(self)
        _RUNNING.modes.append(mode)
        try:
            mode.__enter__()
            if self.earlier is not None:
                return self.earlier(*args, **kwargs)
            return type(self.caller).forward(self.caller, *args, **kwargs)
        finally:  # also where a child was interrupted before it could resume
            del _RUNNING.modes[depth:]
            if mode.entered:
                mode.__exit__(None, None, None)


class _Handing(TorchFunctionMode):
    """Of one run of a caller."""

    def __init__(self, handed: Handed) -> None:
        super().__init__()
        self.handed = handed
        self.calls = 0
        self.entered = False

    def __enter__(self) -> _Handing:
        super().__enter__()  # type: ignore[no-untyped-call]
        self.entered = True
        return self

    def __exit__(self, *error: Any) -> None:
        self.entered = False
        super().__exit__(*error)  # type: ignore[no-untyped-call]

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if op_of(func, args, kwargs) is None:
            return func(*args, **kwargs)
        if self.calls >= self.handed.calls:
            raise _too_many(self.handed.path, self.handed.calls)
        number = str(self.calls)
        self.calls += 1
        places = getattr(self.handed.caller, SWAPPED)
        if number not in places:
            return func(*args, **kwargs)
        x = argument(args, kwargs)
        if func.__name__.endswith("_") or kwargs.get("inplace"):
            return x.copy_(places[number](x.clone()))
        return places[number](x)


class _Running(threading.local):
    """The swapped callers under way, the innermost last; None for a module in one of them."""

    def __init__(self) -> None:
        self.modes: list[_Handing | None] = []


_RUNNING = _Running()


def suspend(module: nn.Module, args: tuple[Any, ...]) -> None:
    """Forward pre-hook of what a swapped caller runs."""
    if _RUNNING.modes and (mode := _RUNNING.modes[-1]):
        mode.__exit__(None, None, None)
    _RUNNING.modes.append(None)


def resume(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
    """Forward hook of what a swapped caller runs, also when it fails."""
    _RUNNING.modes.pop()
    if _RUNNING.modes and (mode := _RUNNING.modes[-1]):
        mode.__enter__()


def _too_many(caller: str, found: int) -> RuntimeError:
    return RuntimeError(
        f"{caller or 'the network'} has {found} swapped activations and now uses one more, number {found + 1}: "
        "its forward took another way than with the example; call models.swap on the original network again "
        "with an example= that takes this way"
    )
