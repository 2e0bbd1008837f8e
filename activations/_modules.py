"""The modules behind most entries: `Elementwise` for functions without, `Trainable` with trainable parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from activations.pointwise import Pointwise


class Elementwise(nn.Module):
    """A `Pointwise` without trainable parameters, as a module.

    Args:
        function: what to compute.
        fused: in one pass over memory, see `activations.fused`.
        **constants: of the function.

    Shape:
        Input `(*)`; output the same, or `in_features_multiplier` times narrower along `dim` (see
        `activations.gated_linear`).
    """

    def __init__(self, function: Pointwise, fused: bool = False, **constants: Any) -> None:
        super().__init__()
        self.function = function
        self.fused = fused
        self.constants = {**function.constants, **constants}
        self.in_features_multiplier = function.in_features_multiplier(**constants)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, fused=self.fused, **self.constants)

    def extra_repr(self) -> str:
        return ", ".join([self.function.name, *(f"{name}={value}" for name, value in self.constants.items())])


class Trainable(nn.Module):
    """Base of the activations with trainable parameters: a `Pointwise` and a parameter for each of its names.

    Args:
        initial: values by parameter name: a number, or a sequence where the source's parameter has several values;
            these lie along the first dimension of the parameter, whose shape is then `(len, *shape)`.
        shape: shape over which the parameters differ, broadcast against the trailing dimensions of the input:
            `(C, 1, 1)` one set a channel of an image, `(C, H, W)` one a unit, `()` one for the whole input.
        fused: in one pass over memory, see `activations.fused`.

    Shape:
        Input `(*)` whose trailing dimensions broadcast with `shape`; output the same.
    """

    function: ClassVar[Pointwise]

    def __init__(
        self, initial: Mapping[str, float | Sequence[float]], shape: Sequence[int] = (), fused: bool = False
    ) -> None:
        super().__init__()
        self.fused = fused
        for name, value in initial.items():
            values = torch.as_tensor(value, dtype=torch.get_default_dtype())
            spread = values.reshape((*values.shape, *(1 for _ in shape))).expand((*values.shape, *shape))
            self.register_parameter(name, nn.Parameter(spread.clone()))

    def forward(self, x: Tensor) -> Tensor:
        # Not get_parameter: under torch.func.functional_call they are plain tensors, which it refuses.
        parameters = (getattr(self, name) for name in self.function.parameters)
        return self.function(x, *parameters, fused=self.fused)

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={_brief(value)}" for name, value in self.named_parameters())


def _brief(parameter: Tensor) -> str:
    """Its value if it has only one, else its shape."""
    if parameter.is_meta or parameter.numel() > 1:
        return str(tuple(parameter.shape))
    return f"{parameter.item():.4g}"
