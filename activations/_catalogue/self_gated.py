"""Records of x times a gate that looks at x: silu, gelu, mish, tact, hardswish, ...; torch-free."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from activations._arguments import Choice, Number
from activations._record import Accuracy, Activation

BESIDE_ITS_ROOT = "beside its root, the derivative is the difference of two terms some 8 times its size"

AT_INFINITY = {"infinity_gives_the_limit": "torch multiplies -inf by 0"}
TOO_FAR = "torch multiplies by 6 before it divides by 6, which overflows for x above a sixth of the largest number"
SHUT = "torch's derivative takes 1 - sigmoid(x), or 1 - tanh^2, times x, which cancels where the gate is open"


def _phi(m: Any, z: Any) -> Any:
    """The normal distribution function. Beyond ±10^6 mpmath's erfc cannot count its terms, and float64 is at 0 or 1."""
    return m.erfc(-max(min(z, m.mpf(10**6)), -m.mpf(10**6)) / m.sqrt(2)) / 2


def _tact(m: Any, x: Any, alpha: Any, beta: Any) -> Any:
    """As in GSPuniani/MBG-Activation-Functions."""
    a, c = alpha / 2, (1 + beta) / 2
    return (a * x + m.mpf(1) / 2 - a) * (m.tanh(c * x) + 1)


TACT = Activation(
    name="tact",
    label="TAct",
    family="self_gated",
    source="Puniani 2020 (MATH 198 report) and github.com/GSPuniani/MBG-Activation-Functions",
    variant_of="silu",
    formula=lambda m, x, *, alpha, beta: _tact(m, x, alpha, beta),
    function="activations.tact:tact",
    module="activations.tact:TAct",
    arguments={"alpha": Number(None), "beta": Number(None)},
    parameters={"alpha": 0.25, "beta": 0.25},
    parameters_per="layer",
    accuracy=Accuracy(
        ulp=4.0, derivative_ulp=8.0, argument_ulp=1.0, reason="(1 + beta) * x inside the gate is rounded"
    ),
    notes="No paper names it; per-layer sharing and U(0, 0.5) come from the authors' scripts.",
)

SELF_GATED = (
    Activation(
        name="gelu",
        label="GELU",
        family="self_gated",
        source="Hendrycks and Gimpel 2016, arXiv 1606.08415",
        aliases=("gelu_python",),
        formula=lambda m, x, *, mu, sigma: x * _phi(m, (x - mu) / sigma),
        function="activations.self_gated:gelu",
        module="activations.self_gated:gelu_module",
        arguments={"mu": Number(0.0), "sigma": Number(1.0, above=0)},
        accuracy=Accuracy(
            derivative_ulp=8.0,
            argument_ulp=1.0,
            absolute_eps=3.0,
            reason="torch's 1 + erf(x / sqrt(2)) cancels for x < -2",
        ),
        exceptions=AT_INFINITY,
        notes="mu = 0, sigma = 1 runs torch's own kernel; towards sigma = 0 it becomes ReLU where mu = 0.",
    ),
    Activation(
        name="gelu_tanh",
        label="GELU (tanh)",
        family="self_gated",
        source="Hendrycks and Gimpel 2016, arXiv 1606.08415",
        aliases=("gelu_new", "gelu_fast", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate"),
        variant_of="gelu",
        # (1 + tanh(u)) / 2 written as 1 / (1 + e^(-2 u)): with x^3 in u the sum cancels far too many digits
        formula=lambda m, x: x / (1 + m.exp(-2 * m.sqrt(2 / m.pi) * (x + m.mpf("0.044715") * x**3))),
        function="activations.self_gated:gelu_tanh",
        accuracy=Accuracy(
            argument_ulp=2.0,
            absolute_eps=2.0,
            derivative_absolute_eps=8.0,
            reason="torch's 1 + tanh(z) cancels for x < -2, and the cubic z is rounded three times",
        ),
        exceptions={
            **AT_INFINITY,
            "gradients_are_finite": "torch multiplies 1 - tanh^2 = 0 by x^2 = inf; the fused form does not",
        },
    ),
    Activation(
        name="gelu_10",
        label="GELU (clipped)",
        family="self_gated",
        source="Wu et al. 2020, arXiv 2004.09602, and transformers' ClippedGELUActivation",
        variant_of="gelu",
        formula=lambda m, x: x * _phi(m, x) if x < 10 else m.mpf(10),  # which x * Phi(x) is at 10, to 22 digits
        function="activations.self_gated:gelu_10",
        kinks=(10.0,),
        accuracy=Accuracy(derivative_ulp=8.0, argument_ulp=1.0, reason="x / sqrt(2) is rounded before erfc"),
        notes="For quantisation.",
    ),
    Activation(
        name="gelu_sigmoid",
        label="GELU (sigmoid)",
        family="self_gated",
        source="Hendrycks and Gimpel 2016, arXiv 1606.08415",
        aliases=("quick_gelu",),
        variant_of="gelu",
        formula=lambda m, x: x / (1 + m.exp(-m.mpf("1.702") * x)),
        function="activations.self_gated:gelu_sigmoid",
        accuracy=Accuracy(argument_ulp=1.0, reason="1.702 and 1.702 * x are rounded"),
    ),
    Activation(
        name="gelu_stochastic",
        label="SOI map",
        family="self_gated",
        source="Hendrycks and Gimpel 2016, arXiv 1606.08415",
        aliases=("soi_map", "stochastic_0i_map"),
        variant_of="gelu",
        formula=lambda m, x: x * _phi(m, x),
        function="activations.stochastic:gelu_stochastic",
        module="activations.stochastic:GELUStochastic",
        stochastic=True,
        accuracy=Accuracy(derivative_ulp=5.0, argument_ulp=1.0, reason="x / sqrt(2) is rounded before erfc"),
        notes=(
            "The formula is that of evaluation; training multiplies by a draw from Bernoulli(Phi(x)), whose gradient "
            "is the draw itself: a natural reading, the paper does not spell it out."
        ),
    ),
    Activation(
        name="silu",
        label="SiLU",
        family="self_gated",
        source="Elfwing, Uchibe and Doya 2017, arXiv 1702.03118; Ramachandran et al. 2017, arXiv 1710.05941",
        aliases=("swish",),
        formula=lambda m, x: x / (1 + m.exp(-x)),
        function="torch.nn.functional:silu",
        module="torch.nn:SiLU",
        accuracy=Accuracy(derivative_absolute_eps=1.0, reason=SHUT),
        exceptions=AT_INFINITY,
    ),
    Activation(
        name="swish_beta",
        label="Swish-β",
        family="self_gated",
        source="Ramachandran, Zoph and Le 2017, arXiv 1710.05941",
        variant_of="silu",
        formula=lambda m, x, *, beta: x / (1 + m.exp(-beta * x)),
        function="activations.self_gated:swish_beta",
        module="activations.self_gated:SwishBeta",
        arguments={"beta": Number(1.0)},
        parameters={"beta": 1.0},
        parameters_per="channel",
        accuracy=Accuracy(derivative_ulp=6.0, argument_ulp=1.0, reason=f"beta * x is rounded; {BESIDE_ITS_ROOT}"),
        notes=(
            "One beta a channel as in the paper's mobile ImageNet networks; its initial value of 1 is a convention, "
            "the paper gives none. E-swish, beta * x * sigmoid(x), is another function."
        ),
    ),
    Activation(
        name="hardswish",
        label="Hard-Swish",
        family="self_gated",
        source="Howard et al. 2019 (MobileNetV3), arXiv 1905.02244",
        aliases=("hard_swish",),
        variant_of="silu",
        formula=lambda m, x: x * min(max(x + 3, m.mpf(0)), m.mpf(6)) / 6,
        function="torch.nn.functional:hardswish",
        module="torch.nn:Hardswish",
        kinks=(-3.0, 3.0),
        exceptions={
            "float32_values_are_exact": TOO_FAR,
            "bfloat16_values_are_exact": TOO_FAR,
            "infinity_gives_the_limit": "torch multiplies -inf by 0",
        },
        notes="torch's derivative at -3 and 3 depends on its version and on the code path.",
    ),
    Activation(
        name="mish",
        label="Mish",
        family="self_gated",
        source="Misra 2019, arXiv 1908.08681",
        variant_of="silu",
        formula=lambda m, x: x * m.tanh(m.log(1 + m.exp(x))),
        function="activations.self_gated:mish",
        module="torch.nn:Mish",
        accuracy=Accuracy(ulp=3.0, derivative_absolute_eps=1.0, reason=SHUT),
        exceptions=AT_INFINITY,
    ),
    Activation(
        name="hard_mish",
        label="Hard-Mish",
        family="self_gated",
        source="timm's hard_mish, after notes of Misra, github.com/digantamisra98/H-Mish",
        variant_of="mish",
        formula=lambda m, x: x * min(max(x + 2, m.mpf(0)), m.mpf(2)) / 2,
        function="activations.self_gated:hard_mish",
        kinks=(-2.0,),
    ),
    Activation(
        name="golu",
        label="GoLU",
        family="self_gated",
        source="Das, Safari, Adriaensen and Hutter 2025, arXiv 2502.03654, and github.com/automl/GoLU",
        variant_of="silu",
        formula=lambda m, x, *, alpha, beta, gamma: (
            x * alpha * m.exp(-beta * m.exp(min(-gamma * x, m.mpf(100))))  # as for telu
        ),
        function="activations.self_gated:golu",
        arguments={name: Number(1.0, above=0) for name in ("alpha", "beta", "gamma")},
        accuracy=Accuracy(
            ulp=4.0,
            derivative_ulp=12.0,
            argument_ulp=2.0,
            reason=f"e^-x is rounded before exp sees it; {BESIDE_ITS_ROOT}",
        ),
        notes="The gate is the distribution function of a standard Gumbel variable.",
    ),
    TACT,
    replace(
        TACT,
        name="mtact",
        label="mTAct",
        variant_of="tact",
        formula=lambda m, x, *, alpha, beta: _tact(m, x, alpha**2, beta**2),
        function="activations.tact:mtact",
        module="activations.tact:MTAct",
    ),
    Activation(
        name="serf",
        label="Serf",
        family="self_gated",
        source="Nag, Bhattacharyya, Mukherjee and Kundu 2021, arXiv 2108.09598",
        variant_of="mish",
        formula=lambda m, x: x * m.erf(m.log(1 + m.exp(x))),
        function="activations.self_gated:serf",
        accuracy=Accuracy(ulp=3.0, derivative_ulp=12.0, reason=BESIDE_ITS_ROOT),
    ),
    Activation(
        name="logish",
        label="Logish",
        family="self_gated",
        source="Zhu, Zeng, Liu and Zhang 2021, Neurocomputing 458",
        variant_of="silu",
        formula=lambda m, x: x * m.log(1 + 1 / (1 + m.exp(-x))),
        function="activations.self_gated:logish",
        accuracy=Accuracy(ulp=3.0, derivative_ulp=12.0, reason=BESIDE_ITS_ROOT),
    ),
    Activation(
        name="telu",
        label="TeLU",
        family="self_gated",
        source="Fernandez and Mali 2024, arXiv 2412.20269; as TanhExp: Liu and Di 2020, arXiv 2003.09855",
        aliases=("tanhexp",),
        variant_of="mish",
        formula=lambda m, x: x * m.tanh(m.exp(min(x, m.mpf(100)))),  # e^x may have more digits than memory
        function="activations.self_gated:telu",
        accuracy=Accuracy(ulp=3.0, derivative_ulp=12.0, reason=BESIDE_ITS_ROOT),
        notes="Name clash: Mercioni and Holban's TeLU, also torch-activation's, is x * tanh(ELU(alpha * x)).",
    ),
    Activation(
        name="acon_c",
        label="ACON-C",
        family="self_gated",
        source="Ma, Zhang, Liu and Sun 2021, arXiv 2009.04759",
        aliases=("acon",),
        variant_of="silu",
        formula=lambda m, x, *, p1, p2, beta: (p1 - p2) * x / (1 + m.exp(-beta * (p1 - p2) * x)) + p2 * x,
        function="activations.acon:acon_c",
        module="activations.acon:ACONC",
        arguments={"init": Choice("swish", "paper")},
        parameters={"p1": 1.0, "p2": 0.0, "beta": 1.0},
        parameters_per="channel",
        accuracy=Accuracy(
            derivative_ulp=6.0, argument_ulp=2.0, reason=f"beta * (p1 - p2) * x is rounded; {BESIDE_ITS_ROOT}"
        ),
        notes='Starts as SiLU, for stability; the authors\' code draws p1 and p2 from N(0, 1) (`init="paper"`).',
    ),
    Activation(
        name="meta_acon",
        label="Meta-ACON",
        family="self_gated",
        source="Ma, Zhang, Liu and Sun 2021, arXiv 2009.04759",
        aliases=("meta_acon_c",),
        variant_of="acon_c",
        module="activations.acon:MetaACON",
        arguments={"init": Choice("swish", "paper"), "reduction": Number(16, least=1, whole=True)},
        parameters={"p1": 1.0, "p2": 0.0},
        parameters_per="channel",
        notes=(
            "Not elementwise: beta is computed from the means of the channels by two linear layers, fc1 and fc2, "
            "trainable too. Copies of the authors' code differ on batch normalisation there; this one has none."
        ),
    ),
)
