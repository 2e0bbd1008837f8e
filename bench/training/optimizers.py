"""The optimizers: names, and how a recipe's settings reach torch's classes.

Importing this module does not load torch.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from bench.cases.recipe import Recipe

OPTIMIZERS = ("sgd", "nesterov", "adam", "adamw", "muon")


def build(
    name: str, groups: list[dict[str, Any]], recipe: Recipe, matrices: Collection[Tensor] = ()
) -> torch.optim.Optimizer:
    """The optimizer of a case over parameter groups that carry their own `weight_decay`.

    torch's fused kernels do one pass over all parameters; for small networks they halve the step's overhead.

    Args:
        name: one of `OPTIMIZERS`.
        groups: of all parameters.
        recipe: has the rate, and the momentum of sgd.
        matrices: the weights that muon orthogonalises; other optimizers make no difference.

    Raises:
        ValueError: unknown optimizer; the message lists the known ones.
    """
    from torch import optim

    if name in ("sgd", "nesterov"):
        nesterov = name == "nesterov"
        return optim.SGD(groups, lr=recipe.learning_rate, momentum=recipe.momentum, nesterov=nesterov, fused=True)
    if name == "adam":
        return optim.Adam(groups, lr=recipe.learning_rate, fused=True)
    if name == "adamw":
        return optim.AdamW(groups, lr=recipe.learning_rate, fused=True)
    if name == "muon":
        from bench.training.muon import Muon

        return Muon(groups, matrices, lr=recipe.learning_rate)
    raise ValueError(f"unknown optimizer {name!r}; known: {', '.join(OPTIMIZERS)}")
