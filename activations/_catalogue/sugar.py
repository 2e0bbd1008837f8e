"""Records of B-SiLU and of the ReLUs whose backward pass is that of a surrogate; torch-free."""

from __future__ import annotations

from typing import Any

from activations._arguments import Number
from activations._catalogue.self_gated import BESIDE_ITS_ROOT
from activations._record import Accuracy, Activation


def _b_silu(m: Any, x: Any, alpha: Any) -> Any:
    return (x + alpha) / (1 + m.exp(-x)) - alpha / 2


B_SILU = Accuracy(ulp=3.0, derivative_ulp=12.0, reason=BESIDE_ITS_ROOT)


SUGAR = (
    Activation(
        name="b_silu",
        label="B-SiLU",
        family="self_gated",
        source="Horuz et al. 2025, arXiv 2505.22074",
        aliases=("bsilu",),
        variant_of="silu",
        formula=lambda m, x, *, alpha: _b_silu(m, x, alpha),
        function="activations.sugar:b_silu",
        arguments={"alpha": Number(1.67)},
        accuracy=B_SILU,
    ),
    Activation(
        name="sugar_bsilu",
        label="SUGAR (B-SiLU)",
        family="rectifier",
        source="Horuz et al. 2025, arXiv 2505.22074",
        variant_of="relu",
        formula=lambda m, x, *, alpha: max(m.mpf(0), x),
        surrogate=lambda m, x, *, alpha: _b_silu(m, x, alpha),
        function="activations.sugar:sugar_bsilu",
        arguments={"alpha": Number(1.67)},
        kinks=(0.0,),
        accuracy=B_SILU,
        notes="Facts are those of the forward pass, ReLU's; the backward pass is that of b_silu.",
    ),
    Activation(
        name="sugar_nelu",
        label="SUGAR (NeLU)",
        family="rectifier",
        source="Horuz et al. 2025, arXiv 2505.22074, and github.com/lucidrains/x-mlps-pytorch",
        variant_of="sugar_bsilu",
        formula=lambda m, x, *, alpha: max(m.mpf(0), x),
        surrogate=lambda m, x, *, alpha: x if x > 0 else alpha * x**2 / (1 + x**2),
        function="activations.sugar:sugar_nelu",
        arguments={"alpha": Number(0.05)},
        kinks=(0.0,),
        notes=(
            "Facts are those of the forward pass, ReLU's; backward, what is below 0 is pushed the other way: the slope "
            "is 2 * alpha * x / (1 + x^2)^2 there. Implementations differ on alpha, 0.05 or 0.2."
        ),
    ),
)
