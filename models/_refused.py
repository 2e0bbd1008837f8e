"""What swap refuses before it changes anything, because a place would keep its activation without a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from types import CellType, CodeType, FunctionType
from typing import Any

from torch import fx, nn

from models._find import Found
from models._functions import ACTIVATIONS, SOFTMAX, is_activation
from models._redirect import resume, suspend
from models._site import Role, Site

_SYNCHRONISED = "it would not know of the parameters that a swap puts in: wrap what models.swap returns"
# By the home of the class, or of the class of a parameter.
_WRAPPERS = {
    "torch.nn.parallel": _SYNCHRONISED,
    "torch.distributed.fsdp": _SYNCHRONISED,
    "torch.distributed._composable": _SYNCHRONISED,
    "torch.distributed.tensor": "what a swap puts in would not be distributed as it is: distribute what models.swap "
    "returns",
    "torch._dynamo": "its graphs would not show what is put in: compile what models.swap returns",
    "torch.jit": "nothing in it can be seen or replaced: give models.swap the network before torch.jit.script or trace",
}
_TORCHS = nn.Module.__module__
# A class that looks up its children by these may run any of them.
_LOOKUPS = frozenset({"children", "named_children", "modules", "named_modules", "_modules", "get_submodule"})
# Their `forward` runs what they hold, and would run what a swap puts beside it.
_RUN_ALL = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
_HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")


def check_wrappers(net: nn.Module) -> None:
    """Refuse networks that are, or hold, what torch has wrapped or compiled."""
    for path, module in net.named_modules():
        kinds = [*type(module).__mro__, *map(type, module.parameters(recurse=False))]
        for home, remedy in _WRAPPERS.items():
            if any(f"{kind.__module__}.".startswith(f"{home}.") for kind in kinds):
                raise ValueError(f"{_where(net, path)} is {type(module).__name__} of {home}; {remedy}")
        if module._compiled_call_impl is not None:
            raise ValueError(f"{_where(net, path)} was compiled by its method compile; {_WRAPPERS['torch._dynamo']}")


def check_sites(net: nn.Module, sites: Sequence[Site], chosen: Collection[Site]) -> None:
    """Refuse graphs of torch.fx, whose calls are fixed, containers that call functions, and lost hooks."""
    uses = Counter(site.name for site in sites if site.kind == "module")
    for site in chosen:
        if isinstance(net.get_submodule(site.path), fx.GraphModule) and (
            site.kind == "function" or uses[site.name] > 1
        ):
            what, remedy = (
                (f"calls {site.op} as a function", "write a module into the network for each call, swap it")
                if site.kind == "function"
                else (f"runs {site.name} several times", "swap the network that it was made of")
            )
            raise ValueError(
                f"{_where(net, site.path)} is a graph of torch.fx that {what}, and its copies would lose what tells "
                f"these apart: {remedy}, and make the graph of what models.swap returns"
            )
        caller = net.get_submodule(site.path)
        if site.kind == "function" and isinstance(caller, _RUN_ALL):
            kind = next(one.__name__ for one in _RUN_ALL if isinstance(caller, one))
            raise ValueError(
                f"{_where(net, site.path)} is a {type(caller).__name__}, a kind of nn.{kind}, that calls {site.op} as "
                "a function, and what is put in would be one of the modules that it runs: make the call a module, or "
                "the class an nn.Module"
            )
        if site.kind == "module" and site.name and _hooked(net.get_submodule(site.name)):
            raise ValueError(
                f"{site.name} ({site.op}) has hooks, or a forward, of its own, which would be lost with it: remove "
                "them, swap, and register them on what is put in"
            )


def check_reached(net: nn.Module, found: Found, chosen: Collection[Site], roles: Collection[Role]) -> None:
    """Refuse networks that have, or may have, activations where the example does not lead."""
    wanted = ACTIVATIONS if {"attention", "output"} & set(roles) else ACTIVATIONS - SOFTMAX
    for path, op in sorted(found.missed):
        if op in wanted:
            raise ValueError(
                f"{_where(net, path)} runs {op} in one kernel with a layer (as nn.RNN does), in what torch.jit or an "
                "extension has compiled, or in a torch.autograd.Function, where a swap does not reach: let it call the "
                "function as it is written in Python, or make a module of it"
            )
    ran = {net.get_submodule(path) for path in found.ran}
    callers = {type(net.get_submodule(site.path)) for site in chosen} - {nn.Sequential}
    for path, module in net.named_modules():
        if _has_run(module, ran) or _is_container(module) or _is_never_run(net, path):
            continue
        kind = type(module)
        if "Pooler" in kind.__name__ and "pooler" not in roles:
            continue
        if (
            is_activation(module)
            or kind in callers
            or any(map(is_activation, module.children()))
            or _names(kind) & wanted
        ):
            raise ValueError(
                f"{path} ({kind.__name__}) has an activation, or may have one, but does not run with the example, in "
                "training or evaluation, so that a swap does not know its place: give an example that leads through "
                "all of the network, as a larger batch does where examples are routed; what nothing ever runs is "
                "better deleted first"
            )


def _where(net: nn.Module, path: str) -> str:
    return path or f"the network ({type(net).__name__})"


def _hooked(module: nn.Module) -> bool:
    hooks = (hook for kind in _HOOKS for hook in getattr(module, kind).values())
    return "forward" in vars(module) or any(hook not in (suspend, resume) for hook in hooks)


def _has_run(module: nn.Module, ran: Collection[nn.Module]) -> bool:
    """Also where another module calls its methods, so that only what is inside shows that it ran."""
    return any(part in ran for part in module.modules() if part is module or not is_activation(part))


def _is_container(module: nn.Module) -> bool:
    """Whether it has no `forward`, as nn.ModuleList."""
    return type(module).forward is nn.Module.forward


def _is_never_run(net: nn.Module, path: str) -> bool:
    """Whether this path has an attribute that no class above it names when it runs."""
    steps = path.split(".")
    named: set[str] = set()
    for depth, step in enumerate(steps):
        holder = net.get_submodule(".".join(steps[:depth]))
        if isinstance(holder, nn.Sequential) or _is_container(holder):
            continue
        own = _names(type(holder))
        named |= own
        if step not in named and not own & _LOOKUPS and not _is_spelled(step, own):
            return True
    return False


def _is_spelled(attribute: str, names: set[str]) -> bool:
    """Whether `getattr` may find it by one of the texts in the code, which may be its beginning, as in f"layer{n}"."""
    return "getattr" in names and any(len(name) > 2 and attribute.startswith(name) for name in names)


def _names(kind: type[nn.Module]) -> set[str]:
    """What a module of a class names when it runs: in `forward`, and in what of its class and file that leads to."""
    names: set[str] = set()
    met: set[CodeType] = set()
    ahead: list[Any] = [getattr(kind, "forward", None), kind.__call__]
    while ahead:
        function = ahead.pop()
        function = function.fget if isinstance(function, property) else function
        if not isinstance(function, FunctionType) or function.__code__ in met or function.__module__ == _TORCHS:
            continue
        met.add(function.__code__)
        own = set(_names_in(function.__code__))
        names |= own
        ahead += [getattr(kind, name, None) for name in own]
        ahead += [value for value in map(function.__globals__.get, own) if _home(value) == function.__module__]
        ahead += [cell.cell_contents for cell in function.__closure__ or () if cell != CellType()]  # what it decorates
    return names


def _home(value: object) -> str | None:
    return getattr(value, "__module__", None)


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)
        elif isinstance(constant, str):
            yield constant
