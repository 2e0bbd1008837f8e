"""Records of the linear map, the step and what saturates on both sides: sigmoid, tanh, softsign, ...; torch-free."""

from __future__ import annotations

from typing import Any

from activations._arguments import Number
from activations._record import Accuracy, Activation

# torch keeps the output of sigmoid and tanh for backward, in the dtype of the output.
BY_THE_OUTPUT = "torch's derivative y * (1 - y), or 1 - y^2, cancels where y is near 1"
BY_THE_ROUNDED_OUTPUT = {
    f"{dtype}_derivatives_are_exact": f"{BY_THE_OUTPUT}, the more so with y rounded to {dtype}"
    for dtype in ("bfloat16", "float16")
}
NEW_MEMORY = {"channels_last_is_kept": "torch's kernel gives a contiguous output"}
STEP_BY_STEP = "torch rounds every step to the half type"

# sqrt(1/2) and sqrt(1 / (4 pi)), as the authors' code and transformers round them.
LAPLACE_MU, LAPLACE_SIGMA = 0.707107, 0.282095


def _clip(x: Any, least: Any, most: Any) -> Any:
    return max(least, min(most, x))


def _dsilu(m: Any, x: Any) -> Any:
    sigmoid = 1 / (1 + m.exp(-x))
    return sigmoid * (1 + x * (1 - sigmoid))


def _of_erf(m: Any, z: Any, scale: Any, shift: Any) -> Any:
    """scale * erf(z) + shift, with more digits than 1 - erf(z) has zeros behind the point: its slope would be lost."""
    if abs(z) > 28:  # where float64 is at ±1 for good
        return scale * m.sign(z) + shift
    with m.extradps(int(z * z / 2)):
        return scale * m.erf(z) + shift


SIGMOIDS = (
    Activation(
        name="identity",
        label="Identity",
        family="linear",
        source="classical",
        aliases=("linear",),
        formula=lambda m, x: x,
        function="torch:positive",
        module="torch.nn:Identity",
    ),
    Activation(
        name="binary_step",
        label="Binary step",
        family="sigmoid",
        source="classical",
        aliases=("heaviside",),
        formula=lambda m, x: m.mpf(1) if x >= 0 else m.mpf(0),
        function="activations.sigmoids:binary_step",
        kinks=(0.0,),
        notes="The value jumps at 0, where 1 is a convention. The derivative is 0: what is in front cannot learn.",
    ),
    Activation(
        name="sigmoid",
        label="Sigmoid",
        family="sigmoid",
        source="classical; Nwankpa et al. 2018, arXiv 1811.03378",
        aliases=("logistic",),
        formula=lambda m, x: 1 / (1 + m.exp(-x)),
        function="torch:sigmoid",
        module="torch.nn:Sigmoid",
        accuracy=Accuracy(derivative_absolute_eps=1.0, reason=BY_THE_OUTPUT),
        exceptions=BY_THE_ROUNDED_OUTPUT,
    ),
    Activation(
        name="hard_sigmoid",
        label="Hard sigmoid",
        family="sigmoid",
        source="Courbariaux, Bengio and David 2015, arXiv 1511.00363",
        aliases=("binaryconnect_hard_sigmoid",),
        variant_of="sigmoid",
        formula=lambda m, x: _clip((x + 1) / 2, 0, 1),
        function="activations.sigmoids:hard_sigmoid",
        kinks=(-1.0, 1.0),
        notes="torch's nn.Hardsigmoid is another function, hard_sigmoid_torch; Keras 2 had a third, clip(0.2x + 0.5).",
    ),
    Activation(
        name="hard_sigmoid_torch",
        label="Hard sigmoid (torch)",
        family="sigmoid",
        source="torch.nn.Hardsigmoid; Howard et al. 2019, arXiv 1905.02244",
        aliases=("hardsigmoid",),
        variant_of="sigmoid",
        formula=lambda m, x: _clip((x + 3) / 6, 0, 1),
        function="torch.nn.functional:hardsigmoid",
        module="torch.nn:Hardsigmoid",
        kinks=(-3.0, 3.0),
        exceptions={
            "float64_derivatives_are_exact": "torch multiplies by 1 / 6 in float32",
            "gradgradcheck_passes": "torch has no derivative of its derivative",
        },
        notes="Flatter than hard_sigmoid, the one that the literature on binary networks and the survey mean.",
    ),
    Activation(
        name="logsigmoid",
        label="LogSigmoid",
        family="sigmoid",
        source="torch.nn.LogSigmoid",
        aliases=("log_sigmoid",),
        variant_of="sigmoid",
        formula=lambda m, x: m.log(1 / (1 + m.exp(-x))),
        function="activations.sigmoids:logsigmoid",
        module="torch.nn:LogSigmoid",
        accuracy=Accuracy(
            half_ulp=1.0, reason="torch rounds e^-|x|, which its derivative is made of, to the half type"
        ),
        exceptions=NEW_MEMORY,
    ),
    Activation(
        name="dsilu",
        label="dSiLU",
        family="sigmoid",
        source="Elfwing, Uchibe and Doya 2017, arXiv 1702.03118",
        variant_of="silu",
        formula=_dsilu,
        function="activations.sigmoids:dsilu",
        accuracy=Accuracy(ulp=3.0, reason="six roundings one after another; 2.3 units were seen in float64"),
    ),
    Activation(
        name="laplace",
        label="Laplace",
        family="sigmoid",
        source="Ma et al. 2022 (Mega), arXiv 2209.10655, and transformers' LaplaceActivation",
        variant_of="relu_squared",
        formula=lambda m, x, *, mu, sigma: _of_erf(m, (x - mu) / (sigma * m.sqrt(2)), m.mpf("0.5"), m.mpf("0.5")),
        function="activations.sigmoids:laplace",
        arguments={"mu": Number(LAPLACE_MU), "sigma": Number(LAPLACE_SIGMA, above=0)},
        accuracy=Accuracy(
            ulp=8.0, derivative_ulp=12.0, argument_ulp=2.0, reason="mu, x - mu and the argument of erfc are rounded"
        ),
        notes="The paper derives mu = sqrt(1/2) and sigma = sqrt(1 / (4 pi)); the constants are those of its code.",
    ),
    Activation(
        name="softmax",
        label="Softmax",
        family="output",
        source="Goodfellow, Bengio and Courville 2016 (book)",
        function="activations.sigmoids:softmax",
        module="torch.nn:Softmax",
        arguments={"dim": Number(-1, whole=True)},
        exceptions=NEW_MEMORY,
        notes="Of all elements along `dim` together: there is no function of one number. For a loss use log_softmax.",
    ),
    Activation(
        name="tanh",
        label="Tanh",
        family="tanh",
        source="classical; Nwankpa et al. 2018, arXiv 1811.03378",
        formula=lambda m, x: (m.exp(x) - m.exp(-x)) / (m.exp(x) + m.exp(-x)),
        function="torch:tanh",
        module="torch.nn:Tanh",
        accuracy=Accuracy(derivative_absolute_eps=1.0, reason=BY_THE_OUTPUT),
        exceptions=BY_THE_ROUNDED_OUTPUT,
    ),
    Activation(
        name="hard_tanh",
        label="Hard tanh",
        family="tanh",
        source="Collobert 2004 (thesis)",
        aliases=("hardtanh",),
        variant_of="tanh",
        formula=lambda m, x, *, min_val, max_val: _clip(x, min_val, max_val),
        function="torch.nn.functional:hardtanh",
        module="torch.nn:Hardtanh",
        # torch asserts min_val < max_val; on either side of 0 they are.
        arguments={"min_val": Number(-1.0, most=0), "max_val": Number(1.0, above=0)},
        kinks=lambda min_val, max_val: (min_val, max_val),
    ),
    Activation(
        name="softsign",
        label="Softsign",
        family="tanh",
        source="Turian, Bergstra and Bengio 2009; Glorot and Bengio 2010",
        formula=lambda m, x: x / (1 + abs(x)),
        function="activations.sigmoids:softsign",
        notes="Not torch's module, which is NaN at infinity and keeps three tensors for backward.",
    ),
    Activation(
        name="penalized_tanh",
        label="Penalized tanh",
        family="tanh",
        source="Xu, Huang and Li 2016, arXiv 1602.05980; Eger, Youssef and Gurevych 2018, arXiv 1901.02671",
        aliases=("ptanh", "leaky_tanh"),
        variant_of="tanh",
        formula=lambda m, x: m.tanh(x) if x > 0 else m.tanh(x) / 4,
        function="activations.sigmoids:penalized_tanh",
        kinks=(0.0,),
    ),
    Activation(
        name="tanhshrink",
        label="Tanhshrink",
        family="tanh",
        source="torch.nn.Tanhshrink",
        variant_of="tanh",
        formula=lambda m, x: x - m.tanh(x),
        function="activations.sigmoids:tanhshrink",
        module="torch.nn:Tanhshrink",
        accuracy=Accuracy(absolute_eps=1.0, reason="torch subtracts tanh(x) from x, which cancels near 0"),
        exceptions={
            "bfloat16_values_are_exact": STEP_BY_STEP,
            "float16_values_are_exact": STEP_BY_STEP,
            **{
                f"{dtype}_derivatives_are_exact": "torch's derivative 1 - (1 - tanh(x)^2) cancels near 0"
                for dtype in ("float64", "float32", "bfloat16", "float16")
            },
        },
        notes="The fused form is exact near 0 too.",
    ),
    Activation(
        name="dyt",
        label="DyT",
        family="tanh",
        source="Zhu, Chen, He, LeCun and Liu 2025, arXiv 2503.10622",
        aliases=("dynamic_tanh",),
        variant_of="tanh",
        formula=lambda m, x, *, alpha, gamma, beta: gamma * m.tanh(alpha * x) + beta,
        function="activations.sigmoids:dyt",
        module="activations.sigmoids:DyT",
        arguments={"alpha": Number(0.5)},
        parameters={"alpha": 0.5, "gamma": 1.0, "beta": 0.0},
        parameters_per="channel",
        accuracy=Accuracy(
            argument_ulp=0.5,
            absolute_eps=0.5,
            reason="alpha * x is rounded, and beta may cancel gamma * tanh(alpha * x)",
        ),
        notes="Replaces a normalisation layer rather than an activation. alpha is one number a layer, gamma and beta "
        "are one a channel; in a transformer that is channel_dim=-1.",
    ),
    Activation(
        name="derf",
        label="Derf",
        family="tanh",
        source="Chen et al. 2025, arXiv 2512.10938, and github.com/zlab-princeton/Derf",
        aliases=("dynamic_erf",),
        variant_of="dyt",
        formula=lambda m, x, *, alpha, shift, gamma, beta: _of_erf(m, alpha * x + shift, gamma, beta),
        function="activations.sigmoids:derf",
        module="activations.sigmoids:Derf",
        arguments={"alpha": Number(0.5), "shift": Number(0.0)},
        parameters={"alpha": 0.5, "shift": 0.0, "gamma": 1.0, "beta": 0.0},
        parameters_per="channel",
        accuracy=Accuracy(
            derivative_ulp=6.0,
            argument_ulp=1.0,
            absolute_eps=0.5,
            reason="alpha * x + shift and its square are rounded, and beta may cancel gamma * erf(alpha * x + shift)",
        ),
        notes="Replaces a normalisation layer, as dyt. alpha and shift are one number a layer, gamma and beta (weight "
        "and bias in the authors' code) one a channel; in a transformer that is channel_dim=-1.",
    ),
)
