"""The modules behind most entries: `Elementwise` for functions without, `Trainable` with trainable parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
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
        draws: what draws a parameter in place, for those that are drawn, in the order in which they are.

    Shape:
        Input `(*)` whose trailing dimensions broadcast with `shape`; output the same.
    """

    function: ClassVar[Pointwise]

    def __init__(
        self,
        initial: Mapping[str, float | Sequence[float]],
        shape: Sequence[int] = (),
        fused: bool = False,
        draws: Mapping[str, Callable[[Tensor], object]] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self.fused = fused
        self.initial = dict(initial)
        self.draws = dict(draws)
        for name, value in initial.items():
            several = () if isinstance(value, float | int) else (len(value),)
            self.register_parameter(name, nn.Parameter(torch.empty((*several, *shape))))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Give the parameters the values of a new instance, drawn anew where they are drawn.

        As of torch's own modules: for what was built on the meta device, after `to_empty` or under FSDP.
        """
        with torch.no_grad():
            for name, value in self.initial.items():
                parameter = self.get_parameter(name)
                values = torch.as_tensor(value, dtype=parameter.dtype, device=parameter.device)
                parameter.copy_(values.reshape((*values.shape, *(1 for _ in range(parameter.ndim - values.ndim)))))
            for name, draw in self.draws.items():
                draw(self.get_parameter(name))

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
