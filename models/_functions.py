"""Which of torch's functions are activations, in all their spellings: `op_of(torch.relu_, args, kwargs)` is "relu"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from activations.pointwise import Pointwise

SOFTMAX = frozenset({"softmax", "softmax2d", "log_softmax", "softmin"})
# What scales something else where it multiplies it: bounded functions; softplus and the logarithm of sigmoid, of which
# time steps and decays are made; and `where`, a function that is written out and may be one of these.
# glu multiplies by itself: the layer before gives it two inputs an output.
GATES = frozenset({"sigmoid", "hardsigmoid", "tanh", "hardtanh", "softsign", "softplus", "log_sigmoid", "where"})
_RECTIFIERS = frozenset({"relu", "relu6", "threshold", "leaky_relu", "prelu", "rrelu"})
_SMOOTH = frozenset({"elu", "selu", "celu", "gelu", "silu", "mish", "hardswish"})
_OTHERS = frozenset({"softshrink", "hardshrink", "tanhshrink", "glu"})
ACTIVATIONS = (_RECTIFIERS | _SMOOTH | _OTHERS | GATES | SOFTMAX) - {"where"}
_ACTIVATION_HOMES = frozenset({"torch.nn.modules.activation", "transformers.activations"})
_BY_CLASS_NAME = {name.replace("_", ""): name for name in ACTIVATIONS}
_COMPARISONS = frozenset({"gt", "ge", "lt", "le", "greater", "greater_equal", "less", "less_equal"})
_ZEROS = frozenset({"zeros", "zeros_like", "new_zeros"})
_FILLED = frozenset({"tensor", "full", "full_like", "new_full", "new_tensor", "scalar_tensor"})
_STATISTICS = frozenset({"mean", "var", "std", "sum", "cumsum"})
# Set on what swap or a slot puts in, whoever wrote it, to the role of its site: so it is found again, a gate as a gate.
MARK = "site_role"


def call_of(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[str, Tensor] | None:
    """The activation that a call is, and what it takes; None for any other call, and for one on a parameter."""
    name = name_of(function)
    found: tuple[str, Any] | None
    if name in ACTIVATIONS:
        found = name, args[0] if args else kwargs.get("input")
    elif name in _WRITTEN_OUT:
        names, rule = _WRITTEN_OUT[name]
        found = rule(*args[: len(names)], *map(kwargs.get, names[len(args) :]))
    else:
        return None
    return found if found and isinstance(found[1], Tensor) and not is_parameter(found[1]) else None


def name_of(function: Callable[..., Any]) -> str:
    """Without its home and spelling: `relu` for `torch.relu_` and `torch.ops.aten.relu.default`."""
    name: str = getattr(function, "__name__", "").partition(".")[0].strip("_").removeprefix("special_")
    return "sigmoid" if name == "expit" else name


def note(function: Callable[..., Any], args: Sequence[Any], result: Any) -> None:
    """Remember of a result what an activation may be written out with: that it is zero, or what a mask compares."""
    name = name_of(function)
    if name in _COMPARISONS and len(args) == 2 and (isinstance(args[1], int | float) or _is_zero(args[1])):
        result.compared = args[0]
    elif name in _ZEROS or (name in _FILLED and args and _is_zero(args[-1])):
        result.is_zero = True


def _is_zero(value: object) -> bool:
    return getattr(value, "is_zero", False) if isinstance(value, Tensor) else type(value) in (int, float) and value == 0


def _is_features(x: object) -> bool:
    """Whether it may be what a layer gave: positions and masks are whole numbers, counts and sums have one axis."""
    return isinstance(x, Tensor) and x.is_floating_point() and x.dim() > 1


def _clamp(x: Any, minimum: Any = None, maximum: Any = None) -> tuple[str, Any] | None:
    clipped = type(maximum) in (int, float) and maximum == 6
    if not _is_zero(minimum) or not _is_features(x) or not (maximum is None or clipped):
        return None
    return "relu6" if clipped else "relu", x


def _maximum(x: Any, other: Any = None) -> tuple[str, Any] | None:
    if _is_zero(x):
        x, other = other, x
    return ("relu", x) if isinstance(other, Tensor) and _is_zero(other) and _is_features(x) else None


def _where(condition: Any, one: Any = None, other: Any = None) -> tuple[str, Any] | None:
    """One that takes its input as it is where that is above, or below, a number."""
    if isinstance(one, Tensor) and one.dtype == torch.bool:  # x.where(mask, other)
        condition, one = one, condition
    x = getattr(condition, "compared", None)
    if x is None or not _is_features(x) or (one is x) == (other is x):
        return None
    rest = other if one is x else one
    if _is_zero(rest):
        return "relu", x
    return ("where", x) if isinstance(rest, Tensor) and rest.shape == x.shape else None


_Rule: TypeAlias = Callable[..., tuple[str, Any] | None]
_CLAMP, _MAXIMUM = (("input", "min", "max"), _clamp), (("input", "other"), _maximum)
# By the name of the function: its arguments, and the rule that reads them.
_WRITTEN_OUT: dict[str, tuple[tuple[str, ...], _Rule]] = {
    **dict.fromkeys(("clamp", "clip", "clamp_min"), _CLAMP),
    **dict.fromkeys(("maximum", "max", "fmax"), _MAXIMUM),
    "where": (("condition", "input", "other"), _where),
}


def is_parameter(value: object, least_dim: int = 0) -> bool:
    """Whether it is a parameter of so many dimensions or more."""
    return isinstance(value, nn.Parameter) and value.dim() >= least_dim


def is_activation(module: nn.Module) -> bool:
    """Whether a module is an activation by its kind; those that a user wrote show it by what they run only."""
    home = type(module).__module__
    if isinstance(module, nn.MultiheadAttention):
        return False
    return home in _ACTIVATION_HOMES or home.partition(".")[0] == "activations" or hasattr(module, MARK)


def could_be_activation(module: nn.Module) -> bool:
    """Whether it is one if its body runs an activation function and nothing that looks beyond single elements.

    It has no children, no weights, and is no layer of torch by descent, such as a batch norm with a relu after it.
    """
    descends = any(
        kind.__module__.startswith("torch.nn.") and kind is not nn.Module and kind.__module__ not in _ACTIVATION_HOMES
        for kind in type(module).__mro__
    )
    return not (descends or any(module.children()) or any(is_parameter(value, 2) for value in module.parameters()))


def looks_beyond_elements(function: str) -> bool:
    """Whether a function of torch normalizes, pools, drops or sums up, which no activation does on the way."""
    return any(part in function for part in ("norm", "pool", "dropout")) or function in _STATISTICS


def op_of_module(module: nn.Module) -> str:
    """The name of an activation module's function, as torch or our registry spells it where they know it."""
    function = getattr(module, "function", None)
    if isinstance(function, Pointwise):
        return function.name
    name = type(module).__name__.lower().removesuffix("activation")
    return _BY_CLASS_NAME.get(name, name)
