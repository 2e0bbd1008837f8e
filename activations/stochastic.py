"""Activations that draw noise in training: `activations.build("rrelu", generator=torch.Generator())`.

Evaluation is deterministic. The noise of a call is kept for its backward pass. Under activation checkpointing torch
sets its default generator back for the recomputation; for a generator of one's own that is `replay`:

    checkpoint(block, x, use_reentrant=False, context_fn=functools.partial(replay, generator))

A generator is copied and pickled with its module; like that of dropout it is no part of the state_dict, and it stays
on its device when the module moves. Under `torch.compile` and vmap (`randomness="different"`) only torch's default
generator works.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from activations.pointwise import opmath, require_floating_point
from activations.self_gated import shifted_gelu

Convention: TypeAlias = Literal["torch", "paper"]


def rrelu(
    x: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    convention: Convention = "torch",
    training: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """x for x >= 0, else a * x with a random slope a between lower and upper. Xu et al. 2015, arXiv 1505.00853.

    Args:
        x: floating point, any shape.
        lower, upper: limits of the slope, 0 < lower <= upper.
        convention: `torch` draws a from U(lower, upper) and evaluates with the mean slope (lower + upper) / 2;
            `paper` draws 1 / a from U(1 / upper, 1 / lower), that is U(3, 8), and evaluates with the slope that
            belongs to its mean, 1 / 5.5.
        training: draw; otherwise evaluate.
        generator: of x's device; None for torch's default one.

    Raises:
        ValueError: x is not floating point.
    """
    require_floating_point("rrelu", x)
    if not training:
        return F.leaky_relu(x, (lower + upper) / 2 if convention == "torch" else 2 / (1 / lower + 1 / upper))
    drawn = torch.rand(x.shape, dtype=opmath(x.dtype), device=x.device, generator=generator)
    if convention == "torch":
        slope = lower + (upper - lower) * drawn
    else:
        slope = 1 / (1 / upper + (1 / lower - 1 / upper) * drawn)
    return x * torch.where(x >= 0, 1.0, slope).to(x.dtype)


def gelu_stochastic(x: Tensor, training: bool = False, generator: torch.Generator | None = None) -> Tensor:
    """m * x with m drawn from Bernoulli(Phi(x)): the stochastic zero-identity map, whose mean is GELU.

    Hendrycks and Gimpel 2016, arXiv 1606.08415. Evaluates as GELU. The gradient is m, as of dropout, with none
    through Phi: a natural reading that the paper does not spell out. Its mean is Phi(x), not the slope of GELU.

    Args:
        x: floating point, any shape.
        training: draw; otherwise evaluate.
        generator: of x's device; None for torch's default one.

    Raises:
        ValueError: x is not floating point.
    """
    require_floating_point("gelu_stochastic", x)
    if not training:
        return shifted_gelu(x)
    drawn = torch.rand(x.shape, dtype=opmath(x.dtype), device=x.device, generator=generator)
    phi = 0.5 * torch.erfc(x.detach().to(drawn.dtype) * -math.sqrt(0.5))
    return torch.where(phi <= drawn, 0.0, x)  # this way round, NaN and the memory format of x are kept


class RReLU(nn.Module):
    """x for x >= 0, else a random slope times x, in training; the mean slope in evaluation. See `rrelu`.

    Args:
        lower, upper, convention, generator: see `rrelu`.

    Shape:
        Input `(*)`; output the same.

    Raises:
        ValueError: lower is above upper.
    """

    def __init__(
        self,
        lower: float = 1 / 8,
        upper: float = 1 / 3,
        convention: Convention = "torch",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if lower > upper:
            raise ValueError(f"rrelu: lower must be at most upper, not {lower:g} above {upper:g}")
        self.lower = lower
        self.upper = upper
        self.convention = convention
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        return rrelu(x, self.lower, self.upper, self.convention, self.training, self.generator)

    def extra_repr(self) -> str:
        return f"lower={self.lower:.4g}, upper={self.upper:.4g}, convention={self.convention!r}"


class GELUStochastic(nn.Module):
    """x or 0 by chance, x with probability Phi(x), in training; GELU in evaluation. See `gelu_stochastic`.

    Args:
        generator: see `gelu_stochastic`.

    Shape:
        Input `(*)`; output the same.
    """

    def __init__(self, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        return gelu_stochastic(x, self.training, self.generator)


def replay(generator: torch.Generator) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """For `context_fn` of `torch.utils.checkpoint`: the recomputation draws what the first pass drew.

    Args:
        generator: whose state is taken now, set while recomputing and put back after.

    Returns:
        A context manager for the first pass and one for the recomputation.
    """
    return nullcontext(), _Replay(generator)


class _Replay(AbstractContextManager[None]):
    """Entered once for every backward pass through the checkpoint, hence no `contextlib.contextmanager`."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator
        self.first = generator.get_state()

    def __enter__(self) -> None:
        self.interrupted = self.generator.get_state()
        self.generator.set_state(self.first)

    def __exit__(self, *error: object) -> None:
        self.generator.set_state(self.interrupted)
