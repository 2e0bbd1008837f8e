"""Records of the periodic and oscillating functions: snake, gcu; torch-free."""

from __future__ import annotations

from activations._arguments import Number
from activations._record import Accuracy, Activation

OSCILLATING = (
    Activation(
        name="snake",
        label="Snake",
        family="oscillating",
        source="Ziyin, Hartwig and Ueda 2020, arXiv 2006.08195",
        formula=lambda m, x, *, a: x + m.sin(a * x) ** 2 / a if a else x,
        function="activations.oscillating:snake",
        module="activations.oscillating:Snake",
        arguments={"a": Number(1.0)},
        parameters={"a": 1.0},
        parameters_per="channel",
        accuracy=Accuracy(
            derivative_ulp=5.0,
            argument_ulp=0.5,
            absolute_eps=0.5,
            reason="a * x is rounded, sin(a * x)^2 / a cancels most of a negative x, and the slope is a square of sums "
            "of sines, which are off by up to 1.6 units when fused",
        ),
        notes="a starts at 1 by convention; others draw it. At a = 0, where the formula has no value, its limit x is.",
    ),
    Activation(
        name="gcu",
        label="GCU",
        family="oscillating",
        source="Noel et al. 2021, arXiv 2108.12943",
        aliases=("growing_cosine_unit",),
        formula=lambda m, x: x * m.cos(x),
        function="activations.oscillating:gcu",
        notes="It has no limit at infinity: there both ends give NaN.",
    ),
)
