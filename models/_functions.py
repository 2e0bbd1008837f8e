"""Which of torch's functions are activations, in all their spellings: `op_of(torch.relu_, args, kwargs)` is "relu"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from activations.pointwise import Pointwise

SOFTMAX = frozenset({"softmax", "softmax2d", "log_softmax", "softmin"})
# What multiplies something else in a gate. glu multiplies by itself: the layer before gives it two inputs an output.
GATES = frozenset({"sigmoid", "hardsigmoid", "tanh"})
_RECTIFIERS = frozenset({"relu", "relu6", "hardtanh", "threshold", "leaky_relu", "prelu", "rrelu"})
_SMOOTH = frozenset({"elu", "selu", "celu", "gelu", "silu", "mish", "hardswish", "softplus", "softsign", "log_sigmoid"})
_OTHERS = frozenset({"softshrink", "hardshrink", "tanhshrink", "glu"})
ACTIVATIONS = _RECTIFIERS | _SMOOTH | _OTHERS | GATES | SOFTMAX
_ACTIVATION_HOMES = frozenset({"torch.nn.modules.activation", "transformers.activations"})
_BY_CLASS_NAME = {name.replace("_", ""): name for name in ACTIVATIONS}
_STATISTICS = frozenset({"mean", "var", "std", "sum", "cumsum"})
# Set on what swap or a slot puts in, whoever wrote it, to the role of its site: so it is found again, a gate as a gate.
MARK = "site_role"


def op_of(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
    """The activation that a call is; None for any other, and for one on a parameter (`softplus(self.raw_scale)`)."""
    name = getattr(function, "__name__", "").rstrip("_")
    if name not in ACTIVATIONS:
        return None
    return name if isinstance(argument(args, kwargs), Tensor) and not is_parameter(argument(args, kwargs)) else None


def argument(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """What an activation function is called with."""
    return args[0] if args else kwargs.get("input")


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
