"""Records of the periodic and oscillating functions: snake, gcu, siren; torch-free."""

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
    Activation(
        name="siren",
        label="SIREN",
        family="oscillating",
        source="Sitzmann et al. 2020, arXiv 2006.09661, and github.com/vsitzmann/siren",
        formula=lambda m, x, *, omega: m.sin(omega * x),
        function="activations.oscillating:siren",
        arguments={"omega": Number(30.0, above=0)},
        accuracy=Accuracy(
            absolute_eps=32.0,
            derivative_absolute_eps=1024.0,
            reason="omega * x is rounded, by up to 15 |x| eps at omega = 30, and the slope magnifies it by omega more",
        ),
        notes="Made for weights from U(-sqrt(6 / n) / omega, sqrt(6 / n) / omega) for n inputs, and in the first layer "
        "from U(-1 / n, 1 / n), as the authors' code draws them.",
    ),
)
