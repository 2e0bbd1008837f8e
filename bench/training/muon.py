"""Muon, for what is neither embedding nor head: `Muon(groups, matrices, lr=1e-3)`, and AdamW for the rest."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

# Of Jordan et al. 2024, kellerjordan.github.io/posts/muon, and torch.optim.Muon: momentum, Newton-Schulz iterations,
# and the coefficients of their polynomial.
MOMENTUM = 0.95
ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
# The root mean square of AdamW's updates, so that one rate and one weight decay serve both: Liu et al. 2025, arXiv
# 2502.16982, section 2.2.
RMS = 0.2


class Muon(Optimizer):
    """One optimizer of two kinds of parameters, whose rates a scheduler moves together.

    Matrices step along the nearest orthogonal matrix to their Nesterov momentum (Jordan et al. 2024), scaled as AdamW's
    updates are (Liu et al. 2025, arXiv 2502.16982). Weight decay is decoupled in both.

    It is torch.optim.Muon with `adjust_lr_fn="match_rms_adamw"`, but for the dtype that matrices are orthogonalised in:
    torch rounds to bfloat16, which saves time on a card alone and takes all digits but two from first steps in float64;
    here it is that of the parameters.

    Args:
        groups: of all parameters, each with its `weight_decay`.
        matrices: those of two dimensions that are to be orthogonalised, by identity.
        lr: of both kinds.
    """

    def __init__(self, groups: list[dict[str, Any]], matrices: Collection[Tensor], lr: float) -> None:
        wanted = {id(matrix) for matrix in matrices}

        def part(orthogonal: bool) -> list[dict[str, Any]]:
            parts = [[one for one in group["params"] if (id(one) in wanted) is orthogonal] for group in groups]
            return [{**group, "params": own} for group, own in zip(groups, parts, strict=True) if own]

        self._adamw = AdamW(part(orthogonal=False), lr=lr, fused=True)
        self._hidden = part(orthogonal=True)
        super().__init__([*self._hidden, *self._adamw.param_groups], {"lr": lr})  # the same dicts: rates are shared
        self._adamw.state = self.state

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move all parameters that have a gradient."""
        self._adamw.step()
        for group in self._hidden:
            for matrix in group["params"]:
                if matrix.grad is not None:
                    self._move(matrix, group["lr"], group["weight_decay"])

    def _move(self, matrix: nn.Parameter, lr: float, weight_decay: float) -> None:
        assert matrix.grad is not None
        state = self.state[matrix]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(matrix)
        average = state["momentum_buffer"].lerp_(matrix.grad, 1 - MOMENTUM)
        update = orthogonalised(matrix.grad.lerp(average, MOMENTUM))
        matrix.mul_(1 - lr * weight_decay).add_(update, alpha=-lr * RMS * max(matrix.shape) ** 0.5)


def orthogonalised(matrix: Tensor) -> Tensor:
    """U V' of a matrix U S V', nearly: singular values between about 0.7 and 1.2, by Newton-Schulz iterations."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
