"""Records of the functions whose very shape is learned: pau, gr_kan, poly_norm, hyperactivation; torch-free."""

from __future__ import annotations

from typing import Any

from activations._arguments import Choice, Number
from activations._record import Accuracy, Activation

# Fits on [-3, 3] from rational_activations' rationals_config.json: of leaky_relu for A, which is the default there, and
# of swish for B, whose other fits are as near.
PAU_NUMERATOR = {
    "A": (
        *(0.029792778657264946, 0.6183735264987601, 2.323309062531321),
        *(3.051936237265109, 1.4854203263828845, 0.2510244961111299),
    ),
    "B": (
        *(3.2597006782059475e-07, 0.500000007624051, 0.2500169540800127),
        *(0.05327519598927768, 0.005804580590860159, 0.00027529600705133663),
    ),
}
PAU_DENOMINATOR = {
    "A": (-1.1419548357285474, 4.393159974992486, 0.8714712309957245, 0.34719662339598834),
    "B": (3.917294261258692e-05, 0.1065308384054887, 3.7991514117509955e-06, 0.0005503052126186067),
}

# From kat_rational/init.json of Adamdad/rational_kat_cu.
GR_KAN_NUMERATOR = {
    "gelu": (-0.00153969, 0.51692871, 0.44075827, 0.0972553, -0.00884418, -0.00378675),
    "swish": (
        *(3.054879741161051e-07, 0.5000007853744493, 0.24999783422824703),
        *(0.05326628273219478, 0.005803034571292244, 0.0002751961022402342),
    ),
}
GR_KAN_DENOMINATOR = {
    "gelu": (-0.14171056, -0.06481231, -0.0444695, 0.01283776),
    "swish": (-4.111554955950634e-06, 0.10652899335007572, -1.2690007399796238e-06, 0.0005502331264140556),
}
# The authors' code starts the weights of the third, second and first power at 1/3 each, and the bias at 0.
POLYCOM: dict[str, float | tuple[float, ...]] = {"weight": (1 / 3, 1 / 3, 1 / 3), "bias": 0.0}


def _pau(m: Any, x: Any, numerator: Any, denominator: Any, version: str) -> Any:
    terms = [b * x**k for k, b in enumerate(denominator, 1)]
    below = m.fsum(map(abs, terms)) if version == "A" else abs(m.fsum(terms))
    return m.fsum(a * x**k for k, a in enumerate(numerator)) / (1 + below)


def _pau_kinks(numerator: Any, denominator: Any, version: str) -> tuple[float, ...]:
    """Where what stands between the bars changes sign."""
    if version == "A":
        return (0.0,)
    import numpy as np

    roots = np.roots([*reversed(denominator), 0.0])
    return tuple(sorted(float(root.real) for root in roots if abs(root.imag) < 1e-12))


LEARNED = (
    Activation(
        name="pau",
        label="PAU",
        family="learned",
        source="Molina, Schramowski and Kersting 2019, arXiv 1907.06732; github.com/ml-research/rational_activations",
        aliases=("rational",),
        formula=lambda m, x, *, numerator, denominator, version: _pau(m, x, numerator, denominator, version),
        function="activations.learned:pau",
        module="activations.learned:PAU",
        arguments={"version": Choice("A", "B")},
        parameters={"numerator": PAU_NUMERATOR["A"], "denominator": PAU_DENOMINATOR["A"]},
        parameters_per="layer",
        kinks=_pau_kinks,
        accuracy=Accuracy(
            absolute_eps=4.0,
            reason="sums of ten rounded terms, which cancel for x < 0",
        ),
        notes=(
            "Version A of rational_activations, its default; B is the paper's safe PAU. Both start from that code's "
            "fits on [-3, 3], of leaky_relu (0.03 at 0) and of swish; the initial values of the record are those of A."
        ),
    ),
    Activation(
        name="gr_kan",
        label="GR-KAN",
        family="learned",
        source="Yang and Wang 2024, arXiv 2409.10594, and github.com/Adamdad/rational_kat_cu",
        aliases=("group_rational",),
        variant_of="pau",
        formula=lambda m, x, *, numerator, denominator: _pau(m, x, numerator, denominator, "A"),
        function="activations.learned:pau",
        module="activations.learned:GRKAN",
        arguments={"init": Choice("gelu", "swish"), "num_groups": Number(8, least=1, whole=True)},
        parameters={"numerator": GR_KAN_NUMERATOR["gelu"], "denominator": GR_KAN_DENOMINATOR["gelu"]},
        parameters_per="channel",
        kinks=(0.0,),
        accuracy=Accuracy(absolute_eps=4.0, reason="sums of ten rounded terms, which cancel for x < 0"),
        notes=(
            "pau with one numerator a layer and one denominator a group of channels. Denominators are made of |x|, as "
            "in the authors' CUDA and Triton kernels; their torch reference leaves the signs of x, and has poles. "
            "Their start `gelu` is a fit with Q = 1 + |b_1 x + ... + b_4 x^4| and far from gelu with the Q of the "
            "kernels: 1.53 at 3. It is the default there, and so here."
        ),
    ),
    Activation(
        name="poly_relu",
        label="PolyReLU",
        family="learned",
        source="Zhuo et al. 2024, arXiv 2411.03884, and github.com/BryceZhuo/PolyCom",
        variant_of="relu",
        formula=lambda m, x, *, weight, bias: (
            m.fsum(w * max(m.mpf(0), x) ** power for w, power in zip(weight, (3, 2, 1), strict=True)) + bias
        ),
        function="activations.polynomials:poly_relu",
        module="activations.polynomials:PolyReLU",
        parameters=POLYCOM,
        parameters_per="layer",
        kinks=(0.0,),
    ),
    Activation(
        name="poly_norm",
        label="PolyNorm",
        family="learned",
        source="Zhuo et al. 2024, arXiv 2411.03884, and github.com/BryceZhuo/PolyCom",
        variant_of="poly_relu",
        function="activations.polynomials:poly_norm",
        module="activations.polynomials:PolyNorm",
        arguments={"dim": Number(-1, whole=True)},
        parameters=POLYCOM,
        parameters_per="layer",
        notes=(
            "No function of a number: powers of x are divided by their root mean square along dim. The bias starts at "
            "0, as everywhere in the authors' repository; Liger-Kernel's LigerPolyNorm starts it at 1."
        ),
    ),
    Activation(
        name="hyperactivation",
        label="Hyperactivation",
        family="learned",
        source="Vercellino and Wang 2017, NIPS workshop",
        formula=lambda m, x, *, w1, b1, w2, b2: (
            m.fsum(v * max(m.mpf(0), w * x + b) for w, b, v in zip(w1, b1, w2, strict=True)) + b2
        ),
        function="activations.learned:hyperactivation",
        module="activations.learned:Hyperactivation",
        arguments={"hidden": Number(8, least=1, whole=True), "embedding": Number(10, least=1, whole=True)},
        shared={"hypernetwork": "activations.learned:make_hypernetwork"},
        parameters={
            "w1": (1.0, -0.5, 0.25, -0.125, 0.5, -1.0, 0.75, -0.25),
            "b1": (0.0, 0.5, -0.5, 0.5, 1.0, -1.0, -0.375, -0.75),
            "w2": (1.0, 0.25, -0.125, 0.5, -0.25, 0.125, 0.0625, -0.5),
            "b2": 0.125,
        },
        parameters_per="layer",
        kinks=lambda w1, b1, **_: tuple(sorted({-b / w for w, b in zip(w1, b1, strict=True) if w})),
        accuracy=Accuracy(ulp=4.0, absolute_eps=4.0, reason="hidden units cancel"),
        notes=(
            "A reconstruction: the paper gives the two networks and their sizes (10, 10 and 8), but no biases, no "
            "initial values, and not how the hypernetwork is built. What trains is an embedding and the hypernetwork; "
            "the parameters of the record are what comes out of it, typical ones. The paper shares one hypernetwork "
            "among all sites, as `per_site` does; `build` makes one for each."
        ),
    ),
)
