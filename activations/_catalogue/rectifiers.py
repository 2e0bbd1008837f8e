"""Records of the rectifiers and their kin: relu, prelu, srelu, softplus, softshrink, ...; torch-free."""

from __future__ import annotations

from typing import Any

from activations._arguments import Choice, Number
from activations._record import Accuracy, Activation


def _srelu(m: Any, x: Any, *, t_left: Any, a_left: Any, t_right: Any, a_right: Any) -> Any:
    if x >= t_right:
        return t_right + a_right * (x - t_right)
    return x if x > t_left else t_left + a_left * (x - t_left)


def _smelu(m: Any, x: Any, *, beta: Any) -> Any:
    if abs(x) > beta:
        return max(m.mpf(0), x)
    return (x + beta) ** 2 / (4 * beta)


def _rrelu(m: Any, x: Any, *, lower: Any, upper: Any, convention: str) -> Any:
    """As evaluated: the mean slope, or in the paper's convention x over the mean of what x is divided by."""
    if x >= 0:
        return x
    return x * (lower + upper) / 2 if convention == "torch" else x / ((1 / lower + 1 / upper) / 2)


RECTIFIERS = (
    Activation(
        name="relu",
        label="ReLU",
        family="rectifier",
        source="Nair and Hinton 2010",
        aliases=("rectifier",),
        formula=lambda m, x: max(m.mpf(0), x),
        function="torch.nn.functional:relu",
        module="torch.nn:ReLU",
        kinks=(0.0,),
    ),
    Activation(
        name="leaky_relu",
        label="LReLU",
        family="rectifier",
        source="Maas, Hannun and Ng 2013",
        aliases=("lrelu",),
        variant_of="relu",
        formula=lambda m, x, *, negative_slope: x if x > 0 else negative_slope * x,
        function="torch.nn.functional:leaky_relu",
        module="torch.nn:LeakyReLU",
        # Keras has used 0.3 and 0.2; the paper and torch use 0.01.
        arguments={"negative_slope": Number(0.01)},
        kinks=(0.0,),
    ),
    Activation(
        name="prelu",
        label="PReLU",
        family="rectifier",
        source="He et al. 2015, arXiv 1502.01852",
        variant_of="leaky_relu",
        formula=lambda m, x, *, weight: max(m.mpf(0), x) + weight * min(m.mpf(0), x),
        function="activations.rectifiers:prelu",
        module="activations.rectifiers:PReLU",
        arguments={"init": Number(0.25)},
        parameters={"weight": 0.25},
        parameters_per="channel",
        weight_decay=0.0,  # section 2.1 of the paper: decay pulls the slope to zero, that is to ReLU
        kinks=(0.0,),
    ),
    Activation(
        name="apl",
        label="APL",
        family="rectifier",
        source="Agostinelli, Hoffman, Sadowski and Baldi 2014, arXiv 1412.6830",
        aliases=("adaptive_piecewise_linear",),
        variant_of="relu",
        formula=lambda m, x, *, a, b: (
            max(m.mpf(0), x) + m.fsum(p * max(m.mpf(0), q - x) for p, q in zip(a, b, strict=True))
        ),
        function="activations.apl:apl",
        module="activations.apl:APL",
        arguments={"hinges": Number(5, least=1, whole=True)},  # the CIFAR-10 network of the paper
        parameters={"a": (0.1, -0.05, 0.08, -0.1, 0.03), "b": (0.5, -0.5, 0.2, -0.8, 1.0)},
        parameters_per="unit",
        weight_decay=1e-3,  # the authors' Caffe solvers decay a and b on purpose, lest the slopes run away
        kinks=lambda b, **_: (0.0, *b),
        accuracy=Accuracy(ulp=3.0, absolute_eps=1.0, reason="a sum of six rounded terms"),
        exceptions={"infinity_gives_the_limit": "hinges of both signs give inf - inf at -inf"},
        notes="a and b are drawn; those of the record are typical.",
    ),
    Activation(
        name="rrelu",
        label="RReLU",
        family="rectifier",
        source="Xu, Wang, Chen and Li 2015, arXiv 1505.00853",
        aliases=("randomized_leaky_relu",),
        variant_of="leaky_relu",
        formula=_rrelu,
        function="activations.stochastic:rrelu",
        module="activations.stochastic:RReLU",
        arguments={
            "lower": Number(1 / 8, above=0),
            "upper": Number(1 / 3, above=0),
            "convention": Choice("torch", "paper"),
        },
        kinks=(0.0,),
        stochastic=True,
        notes=(
            "The formula is that of evaluation. torch draws the slope from U(1/8, 1/3) and evaluates with 11/48; the "
            "paper divides by U(3, 8), and evaluates with 1/5.5."
        ),
    ),
    Activation(
        name="srelu",
        label="SReLU",
        family="rectifier",
        source="Jin et al. 2016, arXiv 1512.07030",
        aliases=("s_shaped_relu",),
        variant_of="prelu",
        formula=_srelu,
        function="activations.rectifiers:srelu",
        module="activations.rectifiers:SReLU",
        arguments={"t_left": Number(0.0), "a_left": Number(0.2), "t_right": Number(1.0), "a_right": Number(1.0)},
        parameters={"t_left": 0.0, "a_left": 0.2, "t_right": 1.0, "a_right": 1.0},
        parameters_per="channel",
        kinks=lambda t_left, a_left, t_right, a_right: tuple(
            t for t, slope in ((t_left, a_left), (t_right, a_right)) if slope != 1
        ),
        notes=(
            "The initial values are a convention, a leaky rectifier; implementations differ. The paper freezes the "
            "four at first (`module.freeze()`), then sets t_right from the data, which is left to the caller. Others "
            "call shifted, squared or scaled rectifiers SReLU too."
        ),
    ),
    Activation(
        name="relu6",
        label="ReLU6",
        family="rectifier",
        source="Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10",
        variant_of="relu",
        formula=lambda m, x: min(max(m.mpf(0), x), m.mpf(6)),
        function="torch.nn.functional:relu6",
        module="torch.nn:ReLU6",
        kinks=(0.0, 6.0),
    ),
    Activation(
        name="relu_squared",
        label="ReLU²",
        family="rectifier",
        source="So et al. 2021 (Primer), arXiv 2109.08668",
        aliases=("relu2", "squared_relu", "sq_relu"),
        variant_of="relu",
        formula=lambda m, x: max(m.mpf(0), x) ** 2,
        function="activations.rectifiers:relu_squared",
    ),
    Activation(
        name="leaky_relu_squared",
        label="LReLU²",
        family="rectifier",
        source="github.com/openai/parameter-golf, pull request 549",
        variant_of="relu_squared",
        formula=lambda m, x, *, negative_slope: (x if x > 0 else negative_slope * x) ** 2,
        function="activations.rectifiers:leaky_relu_squared",
        arguments={"negative_slope": Number(0.5)},
        notes="It rises on both sides of 0. Others give the square the sign of x, which is another function.",
    ),
    Activation(
        name="screlu",
        label="SCReLU",
        family="rectifier",
        source="github.com/Ciekce/Stormphrax, src/eval/nnue/activation.h",
        aliases=("squared_clipped_relu",),
        variant_of="relu_squared",
        formula=lambda m, x: max(m.mpf(0), min(m.mpf(1), x)) ** 2,
        function="activations.rectifiers:screlu",
        kinks=(1.0,),
        notes="Stockfish's sqr_clipped_relu is another function, min(x^2, 1): it squares negative numbers too.",
    ),
    Activation(
        name="star_relu",
        label="StarReLU",
        family="rectifier",
        source="Yu et al. 2022, arXiv 2210.13452",
        variant_of="relu_squared",
        formula=lambda m, x, *, s, b: s * max(m.mpf(0), x) ** 2 + b,
        function="activations.rectifiers:star_relu",
        module="activations.rectifiers:StarReLU",
        arguments={"s": Number(0.8944), "b": Number(-0.4472)},
        parameters={"s": 0.8944, "b": -0.4472},
        parameters_per="layer",
        notes="Starts from the paper's constants; the authors' code starts from s = 1, b = 0.",
    ),
    Activation(
        name="softplus",
        label="Softplus",
        family="rectifier",
        source="Dugas et al. 2001",
        variant_of="relu",
        formula=lambda m, x, *, beta: m.log(1 + m.exp(beta * x)) / beta,
        function="torch.nn.functional:softplus",
        module="torch.nn:Softplus",
        arguments={"beta": Number(1.0, above=0), "threshold": Number(20.0)},
        exceptions={
            "float64_values_are_exact": "beyond the threshold of 20 torch returns x itself",
            "float64_derivatives_are_exact": "beyond the threshold of 20 torch returns 1",
        },
        notes="torch returns x itself where beta * x is above the threshold: a jump of 2e-9 / beta, seen in float64.",
    ),
    Activation(
        name="sqrtsoftplus",
        label="SqrtSoftplus",
        family="rectifier",
        source="transformers' SqrtSoftplusActivation, of DeepSeek-V4's router",
        variant_of="softplus",
        formula=lambda m, x: m.sqrt(m.log(1 + m.exp(x))),
        function="activations.rectifiers:sqrtsoftplus",
        accuracy=Accuracy(ulp=3.0, reason="exp, log1p and a division are rounded before the root"),
        notes="transformers takes the root of torch's softplus, which is 0 below -104 in float32, its slope 0 or NaN.",
    ),
    Activation(
        name="squareplus",
        label="Squareplus",
        family="rectifier",
        source="Barron 2021, arXiv 2112.11687",
        variant_of="softplus",
        formula=lambda m, x, *, b: (x + m.sqrt(x**2 + b)) / 2,
        function="activations.rectifiers:squareplus",
        arguments={"b": Number(4.0, above=0)},
        accuracy=Accuracy(ulp=3.0, reason="just below 1 at b = 4, two roundings above 1 count double"),
        notes="b = 4 as in JAX and Keras; with b = 4 ln(2)^2 it meets softplus at 0.",
    ),
    Activation(
        name="smelu",
        label="SmeLU",
        family="rectifier",
        source="Shamir and Lin 2022, arXiv 2202.06499; Shamir, Lin and Coviello 2020, arXiv 2010.09931",
        variant_of="relu",
        formula=_smelu,
        function="activations.rectifiers:smelu",
        arguments={"beta": Number(2.0, above=0)},
        notes="beta = 2 is the convention of open implementations; the papers tune it.",
    ),
    Activation(
        name="threshold",
        label="Threshold",
        family="rectifier",
        source="torch.nn.Threshold",
        variant_of="relu",
        formula=lambda m, x, *, threshold, value: x if x > threshold else value,
        function="activations.rectifiers:threshold",
        module="torch.nn:Threshold",
        arguments={"threshold": Number(0.0), "value": Number(0.0)},
        kinks=lambda threshold, value: (threshold,),
        notes="torch has no defaults; 0 and 0 are ours, and make it ReLU. It jumps unless value = threshold.",
    ),
    Activation(
        name="softshrink",
        label="Softshrink",
        family="rectifier",
        source="classical soft thresholding; torch.nn.Softshrink",
        aliases=("soft_shrink",),
        formula=lambda m, x, *, lambd: x - lambd if x > lambd else x + lambd if x < -lambd else m.mpf(0),
        function="torch.nn.functional:softshrink",
        module="torch.nn:Softshrink",
        arguments={"lambd": Number(0.5, least=0)},
        kinks=lambda lambd: (-lambd, lambd) if lambd else (),
    ),
    Activation(
        name="hardshrink",
        label="Hardshrink",
        family="rectifier",
        source="classical hard thresholding; torch.nn.Hardshrink",
        aliases=("hard_shrink",),
        formula=lambda m, x, *, lambd: x if abs(x) > lambd else m.mpf(0),
        function="torch.nn.functional:hardshrink",
        module="torch.nn:Hardshrink",
        arguments={"lambd": Number(0.5, least=0)},
        kinks=lambda lambd: (-lambd, lambd) if lambd else (),
        notes="Not continuous: it jumps at both kinks.",
    ),
)
