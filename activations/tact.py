"""TAct and mTAct: `activations.build("tact")`, `activations.build("mtact", alpha=0.25, beta=0.25)`."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def tact(x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    """(alpha * x + 1 - alpha) * sigmoid((1 + beta) * x), elementwise.

    Published as (A x + B)(tanh(C x) + 1) with A = alpha/2, B = 1/2 - A, C = (1 + beta)/2; since
    1 + tanh(z) = 2 sigmoid(2 z) the two are one function, but tanh + 1 cancels to 0 in float32 below C x = -9.
    """
    return (alpha * x + (1 - alpha)) * torch.sigmoid((1 + beta) * x)


class TAct(nn.Module):
    """(alpha * x + 1 - alpha) * sigmoid((1 + beta) * x) with trainable scalars alpha and beta.

    Puniani 2020 and github.com/GSPuniani/MBG-Activation-Functions, commit ba983de. alpha = 1, beta = 0 is SiLU.

    Args:
        alpha, beta: initial values; by default each is drawn from U(0, 0.5), as in the authors' scripts, but
            anew for every instance (there, once a process).

    Shape:
        Input `(*)`; output the same.
    """

    def __init__(self, alpha: float | None = None, beta: float | None = None) -> None:
        super().__init__()
        # Both are always drawn: fixing one must not shift what the other draws.
        drawn = torch.rand(2) / 2
        self.alpha = nn.Parameter(drawn[0].clone() if alpha is None else torch.tensor(float(alpha)))
        self.beta = nn.Parameter(drawn[1].clone() if beta is None else torch.tensor(float(beta)))

    def forward(self, x: Tensor) -> Tensor:
        return tact(x, self.alpha.to(x.dtype), self.beta.to(x.dtype))

    def extra_repr(self) -> str:
        return f"alpha={self.alpha.item():.4g}, beta={self.beta.item():.4g}"


class MTAct(TAct):
    """TAct with alpha and beta squared: (alpha^2 * x + 1 - alpha^2) * sigmoid((1 + beta^2) * x)."""

    def forward(self, x: Tensor) -> Tensor:
        return tact(x, self.alpha.to(x.dtype).square(), self.beta.to(x.dtype).square())
