"""The registry of activations: `activations.names()` lists it, `activations.build("elu")` makes one.

Importing this module loads neither torch nor numpy, so that collecting the whole matrix stays fast.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, get_args

from activations._catalogue import ENTRIES
from activations._record import Activation, ParametersPer

if TYPE_CHECKING:
    from torch import nn

_REGISTRY: dict[str, Activation] = {entry.name: entry for entry in ENTRIES}
_ALIASES: dict[str, str] = {alias: entry.name for entry in ENTRIES for alias in entry.aliases}


def names(*, family: str | None = None, trainable: bool | None = None) -> list[str]:
    """Names of the registered activations, in the order of the catalogue.

    Args:
        family: only those of this family.
        trainable: only those with (True) or without (False) trainable parameters.
    """
    return [
        entry.name
        for entry in _REGISTRY.values()
        if family in (None, entry.family) and trainable in (None, bool(entry.parameters))
    ]


def info(name: str) -> Activation:
    """The record of an activation, by name or alias.

    Raises:
        ValueError: no such activation; the message lists the nearest names.
    """
    try:
        return _REGISTRY[_ALIASES.get(name, name)]
    except KeyError:
        known = [*_REGISTRY, *_ALIASES]
        near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise ValueError(f"unknown activation {name!r}: {hint}known: {', '.join(sorted(known))}") from None


def register(entry: Activation) -> None:
    """Add a user's own activation for this process (`--activation my_file.py:my_act` does it).

    Raises:
        ValueError: the name or an alias is taken by another activation.
    """
    for name in (entry.name, *entry.aliases):
        taken = _REGISTRY.get(_ALIASES.get(name, name))
        again = taken is not None and (taken.family, taken.label, taken.source) == ("user", entry.label, entry.source)
        if taken is not None and not again:
            raise ValueError(f"cannot register activation {name!r}: the name is taken; choose another one")
    _REGISTRY[entry.name] = entry
    _ALIASES.update(dict.fromkeys(entry.aliases, entry.name))


def function(name: str) -> Callable[..., Any]:
    """The functional form: `activations.function("elu")(x, alpha=1.0)`.

    Constants have the source's values unless given; trainable parameters are arguments, by position or keyword.

    Raises:
        ValueError: unknown name, or an activation that exists as a module only.
    """
    entry = info(name)
    if entry.function is None:
        raise ValueError(f"activation {entry.name!r} has no functional form; use activations.build({entry.name!r})")
    resolved: Callable[..., Any] = pkgutil.resolve_name(entry.function)
    return resolved


def build(
    name: str,
    *,
    shape: Sequence[int] | None = None,
    channel_dim: int = 0,
    parameters_per: ParametersPer | None = None,
    fused: bool = False,
    **arguments: Any,
) -> nn.Module:
    """A new instance of an activation.

    Args:
        name: name or alias.
        shape: shape of one example at the site, batch left out: `(channels, height, width)` after a
            convolution, `(units,)` after a linear layer, `(tokens, units)` in a transformer. Sizes the trainable
            parameters as the source says (`prelu` one a channel, `apl` one set a unit); without it there is one
            set for the whole site.
        channel_dim: which dimension of `shape` is the channels: 0 in torch's images, -1 in transformers. Gated
            linear units and softmax work along it; without a shape they work along the last dimension.
        parameters_per: `channel`, `unit` or `layer`, instead of the source's choice.
        fused: one pass over memory by a compiled kernel (see `activations.fused`); where torch has a kernel that is
            already one pass, that is what runs.
        **arguments: of the module, spelt as torch spells them; `generator` for those that draw noise; and what several
            instances are to share, where the source does (see `per_site`).

    Raises:
        ValueError: unknown name, or an argument that the activation does not take or not with this value.
    """
    entry = info(name)
    if parameters_per not in (None, *get_args(ParametersPer)):
        known = ", ".join(get_args(ParametersPer))
        raise ValueError(f"activation {entry.name!r}: parameters_per must be one of {known}, not {parameters_per!r}")
    _check(entry, shape, channel_dim, arguments)
    factory = entry.factory
    keywords = {**entry.defaults, **arguments}
    if shape is not None and entry.parameters:
        keywords["shape"] = _parameter_shape(shape, channel_dim, parameters_per or entry.parameters_per)
    if shape is not None and "dim" in entry.arguments and "dim" not in arguments:
        keywords["dim"] = channel_dim % len(shape) - len(shape)
    if factory is None or (fused and factory.__module__.startswith("torch.")):
        from activations._modules import Elementwise
        from activations.pointwise import Pointwise

        own = function(name)
        if isinstance(own, Pointwise):
            factory = functools.partial(Elementwise, own)
    assert factory is not None, f"the record of {name!r} names neither a module nor a Pointwise"
    if fused and "fused" in inspect.signature(factory).parameters:
        keywords["fused"] = True
    return factory(**keywords)


def per_site(name: str, **arguments: Any) -> Callable[..., nn.Module]:
    """What makes the instances of one network, each from the shape of one example at its site, and its `channel_dim`.

    It is `build`, but what the source shares among all sites of a network is made here, once, and drawn from torch's
    global generator: the hypernetwork of `hyperactivation`.

    Args:
        name: name or alias.
        **arguments: of the module, as in `build`, but for what is shared.

    Raises:
        ValueError: unknown name, or an argument that the activation does not take or not with this value.
    """
    entry = info(name)
    _check(entry, None, 0, arguments)
    sizes = {**entry.defaults, **arguments}
    shared = {argument: pkgutil.resolve_name(maker)(**sizes) for argument, maker in entry.shared.items()}

    def at_site(shape: Sequence[int], channel_dim: int = 0) -> nn.Module:
        return build(name, shape=shape, channel_dim=channel_dim, **arguments, **shared)

    return at_site


def _check(entry: Activation, shape: Sequence[int] | None, channel_dim: int, arguments: dict[str, Any]) -> None:
    """Refuse what the module would choke on, or take and compute nonsense with."""
    for name, value in arguments.items():
        if (name == "generator" and entry.stochastic) or name in entry.shared:
            continue
        if name not in entry.arguments:
            known = ", ".join([*entry.arguments, *["generator"] * entry.stochastic]) or "none"
            raise ValueError(f"activation {entry.name!r} takes no argument {name!r}; its arguments: {known}")
        if not entry.arguments[name].allows(value):
            raise ValueError(f"activation {entry.name!r}: {name} must be {entry.arguments[name]}, not {value!r}")
    if shape is None:
        return
    if not (isinstance(shape, Sequence) and all(isinstance(one, Integral) and one > 0 for one in shape)):
        raise ValueError(
            f"activation {entry.name!r}: shape must be the sizes of one example, such as (channels, height, width), "
            f"not {shape!r}"
        )
    if not (isinstance(channel_dim, Integral) and -len(shape) <= channel_dim < len(shape)):
        raise ValueError(
            f"activation {entry.name!r}: channel_dim {channel_dim!r} is no dimension of the shape {tuple(shape)}; "
            f"allowed: {-len(shape)} to {len(shape) - 1}"
        )


def _parameter_shape(shape: Sequence[int], channel_dim: int, per: ParametersPer | None) -> tuple[int, ...]:
    """Of one trainable parameter, broadcast against the trailing dimensions of the input."""
    if per == "unit":
        return tuple(shape)
    if per == "channel":
        channel = channel_dim % len(shape)
        return tuple(size if dim == channel else 1 for dim, size in enumerate(shape))
    return ()
