"""One run of a network, traced: `trace(net, args, kwargs)` says which activations the body of which module uses.

A `TorchFunctionMode` sees the functions, and hooks on a copy of the network say whose body calls them. The copy has
fake tensors, which have a shape and no content: nothing is computed, no buffer and no random number generator moves.
"""

from __future__ import annotations

import copy
import inspect
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import HigherOrderOperator
from torch._subclasses import FakeTensorMode
from torch.autograd.function import FunctionCtx
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from models._curves import is_curve, saturates
from models._flow import CONVOLUTIONS, activate, begin, follow, is_weighted
from models._functions import (
    ACTIVATIONS,
    FUSED,
    MARK,
    are_parameters,
    call_of,
    could_be_activation,
    is_activation,
    is_parameter,
    looks_beyond_elements,
    name_of,
    note,
    op_of_module,
)
from models._redirect import Reused
from models._site import Site
from models._use import Trace, Use

# What leaves the channels last.
_LINEAR = frozenset({"linear", "bilinear", "matmul", "mm", "bmm", "addmm", "embedding", "multi_head_attention_forward"})
_ORDERS = frozenset({"permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis"})


class NotCopiedError(ValueError):
    """The network holds what cannot be copied; the message says what usually is the cause."""


def trace(
    net: nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    fake: bool,
    training: bool,
    instances: Mapping[Site, nn.Module] | None = None,
    put: Callable[[nn.Module, Mapping[Site, nn.Module]], None] | None = None,
) -> Trace:
    """Run a copy of a network once.

    Args:
        net: left as it is.
        args, kwargs: what its `forward` takes.
        fake: on fake tensors; else on real ones, which networks that look at values need.
        training: the mode that it runs in.
        instances, put: what changes the copy before it runs, and the modules for it, of which it gets copies.

    Raises:
        NotCopiedError: the network cannot be copied.
    """
    given = (tuple(args), dict(kwargs))
    memo: dict[int, Any] = {}
    mode = FakeTensorMode(allow_non_fake_inputs=True) if fake else None
    if mode is not None:
        parts = (net, *(instances or {}).values())
        memo = {id(value): mode.from_tensor(value) for part in parts for value in (*part.parameters(), *part.buffers())}
        given = tree_map_only(Tensor, mode.from_tensor, given)
    else:
        given = tree_map_only(Tensor, torch.clone, given)
    try:
        twin, twins = copy.deepcopy((net, dict(instances or {})), memo)
    except Exception as error:  # of torch and of whoever wrote the network
        raise NotCopiedError(
            f"{type(net).__name__} cannot be copied, and sites are found by running a copy: {error}; swap before the "
            "first forward pass, and before torch.nn.utils.weight_norm and torch.jit"
        ) from error
    if put is not None:
        put(twin, twins)
    twin.train(training)
    _separate(twin)
    begin(given)
    seen = Trace()
    tracer = _Tracer(twin, seen)
    outside = torch.random.fork_rng(enabled=not fake), torch.no_grad(), mode or nullcontext(), _eager(), _quiet()
    with ExitStack() as stack:
        for context in (*outside, _Kernels(tracer), tracer):
            stack.enter_context(context)
        if not fake:
            torch.manual_seed(0)  # experts that are chosen with noise are the same ones in every run
        twin(*given[0], **given[1])
    return seen


def _eager() -> AbstractContextManager[Any]:
    """What torch.compile has compiled runs as it was written."""
    return torch.compiler.set_stance("force_eager") if "torch._dynamo" in sys.modules else nullcontext()


@contextmanager
def _quiet() -> Iterator[None]:
    """Fake tensors log what they raise, and inputs that are only tried may well not fit."""
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _separate(net: nn.Module) -> None:
    """Give every attribute an activation of its own, so that the one that runs tells under which name."""
    met: set[nn.Module] = set()
    for holder in list(net.modules()):
        for name, child in holder._modules.items():
            if child is None or not (is_activation(child) or could_be_activation(child)):
                continue
            if child in met:
                holder._modules[name] = copy.deepcopy(child)
            met.add(child)


@dataclass
class _Run:
    """A module whose forward is under way.

    Attributes:
        path: its qualified name.
        opaque: whether it is an activation, or inside one: nothing in it counts.
        argument: the tensor that is all it got, if it is an activation as soon as it uses one, and nothing that
            looks beyond single elements.
        uses: in its own body.
    """

    path: str
    opaque: bool = False
    argument: Tensor | None = None
    uses: list[Use] = field(default_factory=list)


class _Tracer(TorchFunctionMode):
    def __init__(self, net: nn.Module, seen: Trace) -> None:
        super().__init__()
        self.seen = seen
        self.paths: dict[nn.Module, str] = {}
        self.runs = [_Run("")]  # what called the network
        self.time = 0
        self.channel_dim = 0
        self.poolers = 0
        self.functions = 0  # of torch, under way
        for path, module in net.named_modules():
            if isinstance(module, Reused | torch.jit.ScriptModule):
                continue  # what is inside the one stands for its caller's; the other takes no hooks
            self.paths[module] = path
            module.register_forward_pre_hook(self.enter, with_kwargs=True)
            module.register_forward_hook(
                self.leave, with_kwargs=True, always_call=True
            )  # its caller may catch an error

    def enter(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        above, path = self.runs[-1], self.paths[module]
        self.seen.ran.add(path)
        if not above.opaque and path:
            self.seen.calls.setdefault(above.path, set()).add(path)
        given = (*args, *kwargs.values())
        alone = len(given) == 1 and isinstance(given[0], Tensor) and could_be_activation(module)
        self.runs.append(_Run(path, above.opaque or is_activation(module), given[0] if alone else None))
        self.poolers += _is_pooler(module)

    def leave(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        self.poolers -= _is_pooler(module)
        run, above = self.runs.pop(), self.runs[-1]
        if above.opaque:
            return
        given = (args, kwargs)
        if run.opaque and are_parameters((*args, *kwargs.values())):  # as a parametrization
            return
        turned_out = self.turned_out(run, module, output)
        if isinstance(output, Tensor) and (run.opaque or turned_out):
            # what is inside a module of the user's own has been followed
            self.use(above, op_of_module(module), run.path, given if run.opaque else output, output, module)
            run = above
        if run.uses and (run is not above or len(self.runs) == 1):  # or the network itself is an activation
            known = self.seen.uses.setdefault(run.path, [])
            known += run.uses[len(known) :]
            self.seen.missed |= {(run.path, use.op) for use in run.uses if use.differentiated}

    def turned_out(self, run: _Run, module: nn.Module, output: Any) -> bool:
        """Whether a module of the user's own is an activation: by a function that it called, or by what it computes."""
        if run.argument is None or getattr(output, "shape", None) != run.argument.shape:
            return False
        if run.uses:
            return True
        own = not type(module).__module__.startswith("torch.")
        floating = output.is_floating_point() and run.argument.is_floating_point()
        return own and floating and bool(self.seen.layers) and is_curve(module, output)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if isinstance(func, HigherOrderOperator):  # as torch.cond, which runs the functions that it is given
            args, kwargs = tree_map_only(FunctionType, self.watched, (args, kwargs))
        self.functions += 1
        try:
            result = func(*args, **kwargs)
        finally:
            self.functions -= 1
        run = self.runs[-1]
        if run.opaque:
            return result
        self.time += 1
        name = name_of(func)
        weighted = is_weighted(name, tree_leaves((args, kwargs)))
        if name in CONVOLUTIONS or name == "linear" or weighted:
            self.seen.layers.append(self.time)
        if name in CONVOLUTIONS or name in _LINEAR:
            self.channel_dim = 0 if name in CONVOLUTIONS else -1
        elif name == "layer_norm":
            self.channel_dim = -1 if len(kwargs.get("normalized_shape") or args[1]) == 1 else self.channel_dim
        elif name in _ORDERS and args and args[0].dim() > 2 and not is_parameter(args[0]):
            self.reorder(func, args, kwargs)
        if looks_beyond_elements(name):
            run.argument = None
        if name in FUSED:
            self.seen.missed.add((run.path, FUSED[name]))
        note(func, args, result)
        called = call_of(func, args, kwargs)
        if called is None:
            follow(func, args, kwargs, result, weighted)
        else:
            written = called[1] if result is None else result  # x[x < 0] = 0
            self.use(run, called[0], getattr(func, "__name__", name), called[1], written)
        return result

    def use(
        self, caller: _Run, op: str, name: str, given: Any, result: Tensor, module: nn.Module | None = None
    ) -> None:
        shape = tuple(result.shape[1:])
        role = getattr(module, MARK, None)
        pooler = self.poolers > 0 or "pooler" in name
        use = Use(op, name, module is not None, shape, self.channel_dim, self.time, pooler, op == "glu", role=role)
        use.differentiated = module is None and _in_autograd_function()
        use.bounded = module is not None and not is_activation(module) and saturates(module, result)
        caller.uses.append(use)
        activate(use, given, result)

    def watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that an operator runs out of sight."""

        def run(*args: Any) -> Any:
            with self:
                return function(*args)

        return run

    def reorder(self, func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Follow the channels where they go from the first dimension behind the batch to the last, or back."""
        dims = args[0].dim()
        channel = 1 if self.channel_dim == 0 else dims - 1
        sizes = range(2, 2 + dims)  # all different
        moved = func(torch.empty(*sizes, device="meta"), *args[1:], **kwargs).shape.index(sizes[channel])
        if moved in (1, dims - 1):
            self.channel_dim = 0 if moved == 1 else -1


class _Kernels(TorchDispatchMode):
    """Sees the activations that no function of torch called, as torch.jit's."""

    supports_higher_order_operators = True

    def __init__(self, tracer: _Tracer) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tracer = tracer

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not self.tracer.functions and name_of(func) in ACTIVATIONS:
            self.tracer.seen.missed.add((self.tracer.runs[-1].path, name_of(func)))
        return func(*args, **(kwargs or {}))


def _in_autograd_function() -> bool:
    """Whether one is under way in the body of the innermost module."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code is not nn.Module._call_impl.__code__:
        first = next(iter(frame.f_locals.values()), None)  # its context, unless it has `setup_context`
        home = frame.f_globals.get(frame.f_code.co_qualname.removesuffix(".forward"))
        if isinstance(first, FunctionCtx) or (isinstance(home, type) and issubclass(home, torch.autograd.Function)):
            return True
        frame = frame.f_back
    return False


def _is_pooler(module: nn.Module) -> bool:
    return "Pooler" in type(module).__name__
