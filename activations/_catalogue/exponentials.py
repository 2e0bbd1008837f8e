"""Records of the exponential linear units: elu, selu, pelu, elish, xielu, ...; torch-free."""

from __future__ import annotations

from math import expm1, log
from typing import Any

from activations._arguments import Number
from activations._record import Accuracy, Activation

# The fixed-point constants of arXiv 1706.02515, equation 14.
SELU_SCALE = "1.0507009873554804934193349852946"
SELU_ALPHA = "1.6732632423543772848170429916717"


def _pelu(m: Any, x: Any, a: Any, b: Any) -> Any:
    a, b = (max(positive, m.mpf("0.1")) for positive in (a, b))
    return a / b * x if x >= 0 else a * (m.exp(x / b) - 1)


def _hard_elish(m: Any, x: Any) -> Any:
    hard_sigmoid = max(0, min(1, (x + 1) / 2))
    return (x if x >= 0 else m.exp(x) - 1) * hard_sigmoid


def _xielu(m: Any, x: Any, alpha_p: Any, alpha_n: Any) -> Any:
    """As transformers' XIELUActivation, without its eps, which moves f(0) to -8e-7."""
    beta = m.mpf(1) / 2
    if x > 0:
        return m.log(1 + m.exp(alpha_p)) * x**2 + beta * x
    return (beta + m.log(1 + m.exp(alpha_n))) * (m.exp(x) - 1 - x) + beta * x


EXPONENTIALS = (
    Activation(
        name="elu",
        label="ELU",
        family="exponential",
        source="Clevert, Unterthiner and Hochreiter 2015, arXiv 1511.07289",
        formula=lambda m, x, *, alpha: x if x > 0 else alpha * (m.exp(x) - 1),
        function="torch.nn.functional:elu",
        module="torch.nn:ELU",
        arguments={"alpha": Number(1.0)},
        kinks=lambda alpha: () if alpha == 1 else (0.0,),
    ),
    Activation(
        name="selu",
        label="SELU",
        family="exponential",
        source="Klambauer et al. 2017, arXiv 1706.02515",
        variant_of="elu",
        formula=lambda m, x: m.mpf(SELU_SCALE) * (x if x > 0 else m.mpf(SELU_ALPHA) * (m.exp(x) - 1)),
        function="torch.nn.functional:selu",
        module="torch.nn:SELU",
        kinks=(0.0,),
    ),
    Activation(
        name="celu",
        label="CELU",
        family="exponential",
        source="Barron 2017, arXiv 1704.07483",
        variant_of="elu",
        formula=lambda m, x, *, alpha: max(m.mpf(0), x) + min(m.mpf(0), alpha * (m.exp(x / alpha) - 1)),
        function="torch.nn.functional:celu",
        module="torch.nn:CELU",
        arguments={"alpha": Number(1.0, above=0)},
    ),
    Activation(
        name="pelu",
        label="PELU",
        family="exponential",
        source="Trottier, Giguere and Chaib-draa 2016, arXiv 1605.09332, and github.com/ltrottier/pelu.resnet.torch",
        variant_of="elu",
        formula=lambda m, x, *, a, b: _pelu(m, x, a, b),
        function="activations.exponentials:pelu",
        module="activations.exponentials:PELU",
        arguments={"a": Number(1.0, above=0.1), "b": Number(1.0, above=0.1)},
        parameters={"a": 1.0, "b": 1.0},
        parameters_per="layer",
        accuracy=Accuracy(argument_ulp=0.5, reason="x / b is rounded"),
        notes="The authors' code resets a and b to 0.11 when they are 0.1 or less. Here they count as 0.1 then, and "
        "only a gradient that raises them passes.",
    ),
    Activation(
        name="elish",
        label="ELiSH",
        family="exponential",
        source="Basirat and Roth 2018, arXiv 1808.00783",
        variant_of="elu",
        formula=lambda m, x: (x if x >= 0 else m.exp(x) - 1) / (1 + m.exp(-x)),
        function="activations.exponentials:elish",
        accuracy=Accuracy(derivative_ulp=5.0, reason="around its root at -0.88 the slope magnifies the error of exp"),
    ),
    Activation(
        name="hard_elish",
        label="HardELiSH",
        family="exponential",
        source="Basirat and Roth 2018, arXiv 1808.00783",
        aliases=("hardelish",),
        variant_of="elish",
        formula=_hard_elish,
        function="activations.exponentials:hard_elish",
        kinks=(-1.0, 1.0),
        notes="With the survey's hard sigmoid, not torch's.",
    ),
    Activation(
        name="xielu",
        label="xIELU",
        family="exponential",
        source="Huang and Schlag 2024, arXiv 2411.13010, and transformers' XIELUActivation",
        variant_of="elu",
        formula=lambda m, x, *, alpha_p, alpha_n: _xielu(m, x, alpha_p, alpha_n),
        function="activations.exponentials:xielu",
        module="activations.exponentials:XIELU",
        arguments={"alpha_p_init": Number(0.8, above=0), "alpha_n_init": Number(0.8, above=0.5)},
        # raw, behind softplus: the effective values are 0.8 and 0.5 + 0.3
        parameters={"alpha_p": log(expm1(0.8)), "alpha_n": log(expm1(0.3))},
        parameters_per="layer",
        accuracy=Accuracy(
            ulp=3.0,
            absolute_eps=0.5,
            reason="softplus(alpha) is rounded; terms of x's size cancel around -2.2, and in the slope around -1",
        ),
        notes="f(0) is 0; transformers' eps makes it -8e-7. The parameters are raw, as there, and alpha_n adds to 0.5.",
    ),
)
