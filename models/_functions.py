"""Which of torch's functions are activations, in all their spellings: `op_of(torch.relu_, args, kwargs)` is "relu"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
# Kernels that are a layer and its activation in one.
FUSED = {
    **{f"rnn_{name}{cell}": name for name in ("relu", "tanh") for cell in ("", "_cell")},
    **{f"{layer}_relu": "relu" for layer in ("linear", "conv1d", "conv2d", "conv3d", "cudnn_convolution")},
    "linear_leaky_relu": "leaky_relu",
    "linear_tanh": "tanh",
}
# What leaves a mask that it is.
_CASTS = frozenset({"float", "double", "half", "bfloat16", "to", "type", "type_as"})
_PRODUCTS = frozenset({"mul", "multiply", "rmul", "imul"})
# Of parameters these make what is still no layer: a scale, a slope, a temperature, in another form.
_ARITHMETIC = (
    {"add", "radd", "sub", "rsub", "div", "truediv", "rtruediv", "neg", "exp", "log", "square", "sqrt", "pow", "abs"}
    | {"get", "t", "transpose", "permute", "view", "reshape", "expand", "unsqueeze", "squeeze", "flatten"}
    | ACTIVATIONS
    | _CASTS
    | _PRODUCTS
)
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
    return found if found and isinstance(found[1], Tensor) and not are_parameters([found[1]]) else None


def name_of(function: Callable[..., Any]) -> str:
    """Without its home and spelling: `relu` for `torch.relu_` and `torch.ops.aten.relu.default`."""
    name: str = getattr(function, "__name__", "").partition(".")[0].strip("_").removeprefix("special_")
    return "sigmoid" if name == "expit" else name


def note(function: Callable[..., Any], args: Sequence[Any], result: Any, parts: bool = True) -> None:
    """Remember of a result what an activation may be written out with, and that it is made of parameters alone.

    That is: that it is zero, what a mask compares, and, where `parts` are asked for, what it is a part of.
    """
    name = name_of(function)
    constant = len(args) == 2 and (isinstance(args[1], int | float) or _is_zero(args[1]))
    if (name in _COMPARISONS and constant) or (name == "heaviside" and args):
        result.compared = args[0]
    elif name in _CASTS and args and hasattr(args[0], "compared"):
        result.compared = args[0].compared
    elif name in _ZEROS or (name in _FILLED and args and _is_zero(args[-1])):
        result.is_zero = True
    elif parts and name in _PRODUCTS and len(args) == 2:
        x, share = args if isinstance(args[0], Tensor) else reversed(args)
        if type(share) in (int, float) and 0 <= share < 1:
            result.part_of = x
    changed = args[0] if name == "setitem" else result
    if name in _ARITHMETIC and isinstance(result, Tensor) and are_parameters(args):
        result.of_parameters = True  # type: ignore[attr-defined]
    elif getattr(changed, "of_parameters", False):  # something else was put into it
        changed.of_parameters = False


def are_parameters(values: Iterable[object]) -> bool:
    """Whether all tensors among some values are parameters, or made of parameters alone; and there is one."""
    tensors = [value for value in values if isinstance(value, Tensor)]
    return bool(tensors) and all(is_parameter(value) or getattr(value, "of_parameters", False) for value in tensors)


def is_in_place(function: Callable[..., Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether a call overwrites what it takes: `relu_`, `x[x < 0] = 0`, `x *= mask`, `inplace=True`."""
    name: str = function.__name__
    operator = name.startswith("__")
    return name in ("__setitem__", "__imul__") or (name.endswith("_") and not operator) or bool(kwargs.get("inplace"))


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
    if not (isinstance(other, Tensor) and _is_features(x)):
        return None
    if _is_part(x, other):
        x, other = other, x
    return ("relu", x) if _is_zero(other) else ("leaky_relu", x) if _is_part(other, x) else None


def _is_part(value: object, x: object) -> bool:
    """Whether it is x times a number from 0 to below 1."""
    return getattr(value, "part_of", None) is x


def _masked(x: Any, mask: Any = None, value: Any = None) -> tuple[str, Any] | None:
    """Zero where x itself is above, or below, a number."""
    return ("relu", x) if getattr(mask, "compared", None) is x and _is_zero(value) and _is_features(x) else None


def _product(x: Any, mask: Any = None) -> tuple[str, Any] | None:
    """By such a mask."""
    if getattr(x, "compared", None) is mask is not None:
        x, mask = mask, x
    return ("relu", x) if getattr(mask, "compared", None) is x and _is_features(x) else None


def _logaddexp(x: Any, other: Any = None) -> tuple[str, Any] | None:
    if _is_zero(x):
        x, other = other, x
    return ("softplus", x) if _is_zero(other) and _is_features(x) else None


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
    **dict.fromkeys(("masked_fill", "setitem"), (("input", "mask", "value"), _masked)),
    **dict.fromkeys(_PRODUCTS, (("input", "other"), _product)),
    "logaddexp": (("input", "other"), _logaddexp),
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
    weights = any(sum(size > 1 for size in value.shape) > 1 for value in module.parameters())
    return not (descends or any(module.children()) or weights)


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
