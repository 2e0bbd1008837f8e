"""What runs in a swapped network: the uses of one attribute, or function calls, redirected in order to instances.

Nothing here holds a closure, so that networks can be copied and pickled. A caller whose body calls activation
functions gets a `Redirect` in the place of its `forward`, which sees the calls by a `TorchFunctionMode`. The modules
that the caller runs suspend it by `suspend` and `resume`: what is inside them is neither touched nor slowed down.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from models._functions import call_of, is_in_place, note

# The attribute of a caller that holds what its function calls are redirected to, by their number.
REDIRECTED = "redirected"


class Reused(nn.Module):
    """Instances for one attribute that is used several times: the n-th use in a run of a caller gets its n-th instance.

    Args:
        instances: by callers, and in the order of use in each.
        name: of the attribute, for the error.

    Raises:
        RuntimeError: on a use more than a caller has instances, or outside of its `forward`.
    """

    def __init__(self, instances: list[nn.Module], name: str) -> None:
        super().__init__()
        self.sites = nn.ModuleList(instances)
        self.name = name
        self.turns = [(0, 0)]  # of the callers under way, the innermost last: the next site, and the end of its own

    def forward(self, x: Tensor) -> Tensor:
        turn, end = self.turns[-1]
        if turn == end:
            raise _another_way(f"{self.name} has {len(self.sites)} swapped activations and is now used once more")
        self.turns[-1] = (turn + 1, end)
        result: Tensor = self.sites[turn](x)
        return result


@dataclass(frozen=True)
class Begin:
    """Forward pre-hook of a caller: its turn at a `Reused` begins.

    Attributes:
        reused: which one.
        start, end: numbers of its first site there, and of the next caller's.
    """

    reused: Reused
    start: int
    end: int

    def __call__(self, caller: nn.Module, args: tuple[Any, ...]) -> None:
        self.reused.turns.append((self.start, self.end))


@dataclass(frozen=True)
class End:
    """Forward hook of a caller, also when it fails: its turn is over."""

    reused: Reused

    def __call__(self, caller: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self.reused.turns.pop()


class Redirect:
    """Stands in a caller's `forward` and redirects the activation functions that its body calls to modules.

    Args:
        caller: whose attribute `redirected` holds the modules by the number of the call, as `nn.ModuleDict`; calls
            without an entry there stay what they are.
        path: its qualified name, for the error.
        ops: activation functions that its body calls, in this order.

    Raises:
        RuntimeError: the body calls others, or more of them, or calls them where checkpointing would run them again.
    """

    def __init__(self, caller: nn.Module, path: str, ops: Sequence[str]) -> None:
        self.caller = caller
        self.path = path
        self.ops = tuple(ops)
        self.earlier: Callable[..., Any] | None = vars(caller).get("forward")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        depth = len(_RUNNING.modes)
        mode = _Redirecting(self)
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


class _Redirecting(TorchFunctionMode):
    """Of one run of a caller."""

    def __init__(self, redirect: Redirect) -> None:
        super().__init__()
        self.redirect = redirect
        self.calls = 0
        self.entered = False

    def __enter__(self) -> _Redirecting:
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
        called, ops, path = call_of(func, args, kwargs), self.redirect.ops, self.redirect.path
        if called is None:
            result = func(*args, **kwargs)
            note(func, args, result, parts="leaky_relu" in ops)
            return result
        op, x = called
        if self.calls == len(ops) or ops[self.calls] != op:
            raise _another_way(
                f"{path or 'the network'} called {', '.join(ops)} and now calls {op} as number {self.calls + 1}"
            )
        number = str(self.calls)
        self.calls += 1
        sites = getattr(self.redirect.caller, REDIRECTED)
        if number not in sites:
            return func(*args, **kwargs)
        if _checkpointed():
            raise RuntimeError(
                f"{path or 'the network'} calls {op} in a checkpointed part of its forward, and when that is run again "
                "for the gradient, the call would not be redirected to what models.swap put there: checkpoint whole "
                "modules, or make the call a module"
            )
        if is_in_place(func, kwargs):
            return x.copy_(sites[number](x.clone()))
        return sites[number](x)


class _Running(threading.local):
    """The swapped callers under way, the innermost last; None for a module in one of them."""

    def __init__(self) -> None:
        self.modes: list[_Redirecting | None] = []


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


def _checkpointed() -> bool:
    """Whether torch's checkpointing runs the function under way, from inside the innermost swapped caller."""
    frame = None if torch.compiler.is_compiling() else inspect.currentframe()
    while frame is not None and frame.f_code is not Redirect.__call__.__code__:
        if frame.f_globals.get("__name__") == "torch.utils.checkpoint":
            return True
        frame = frame.f_back
    return False


def _another_way(now: str) -> RuntimeError:
    return RuntimeError(
        f"{now}: its forward took another way than with the example, or another method or checkpointing runs a part of "
        "it; call models.swap on the original network again with an example that goes this way"
    )
