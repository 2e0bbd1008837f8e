"""The claims: what the documents conclude, one frozen record each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.records.case_runs import CaseRuns
from bench.reporting.claims._judges import (
    Judge,
    beats,
    best,
    loses_by_replacing,
    no_single_best,
    ordered,
    robust,
    typically,
)
from bench.reporting.claims._questions import (
    best_rates,
    lead_does_not_grow,
    not_linear,
    null_runs_differ,
    rate_matters_more,
    wants_momentum,
)


@dataclass(frozen=True)
class Claim:
    """What a document concludes.

    Attributes:
        id: of the experiment in experiments.md, with a letter where it concludes more than one thing.
        source: the document.
        text: the claim, as it is judged.
        experiments: whose cases it is judged by.
        judge: does so, given those of one scale, device and data.
        concerns: which of their cases.
        joins: whether it speaks of several data sets together; otherwise each is judged by itself.
    """

    id: str
    source: str
    text: str
    experiments: tuple[str, ...]
    judge: Judge
    concerns: Callable[[CaseRuns], bool] = lambda one: True
    joins: bool = False


CHOICE = "which activation for which task (document 000)"
GELU = "Hendrycks and Gimpel 2016, arXiv 1606.08415 (document 001)"
SURVEY = "survey of activation functions (document 002)"
TACT = "MATH 198, TAct and mTAct (document 003)"
RIVALS = ("relu", "elu")  # of GELU
OLD = ("relu", "silu", "mish")  # beside TAct and mTAct


def _on_mnist_with_adam(one: CaseRuns) -> bool:
    """As in the source; `mlp` also runs on digits and with sgd, which are ours."""
    return one.case.dataset == "mnist" and one.case.optimizer == "adam"


def _without_dropout(one: CaseRuns) -> bool:
    """As in the source's figure of robustness."""
    return _on_mnist_with_adam(one) and "dropout" not in one.case.settings


def _of(*names: str) -> Callable[[CaseRuns], bool]:
    return lambda one: one.activation in names


_A1 = ("sigmoid", "relu", "leaky_relu", "elu", "selu")

_CLAIMS = (
    Claim(
        "A1",
        CHOICE,
        "ELU is the best of five for the CNN on CIFAR-10, with Adam and with SGD",
        ("cnn",),
        beats("elu", [name for name in _A1 if name != "elu"]),
        lambda one: one.case.dataset == "cifar10",
    ),
    Claim(
        "A3",
        CHOICE,
        "replacing the activation of a pretrained network hurts, on average over the replacements",
        ("bert",),
        loses_by_replacing("gelu"),
        joins=True,
    ),
    Claim(
        "A4",
        CHOICE,
        "all but the relatives of ReLU and GELU lose their gradient: its norm at the input over that at the output",
        ("bert",),
        ordered(
            [
                (kept, lost)
                for kept in ("relu", "leaky_relu", "gelu")
                for lost in ("tanh", "sigmoid", "elu", "silu", "penalized_tanh", "glu", "swiglu")
            ],
            "vanishing_ratio",
        ),
        lambda one: "vanishing_ratio" in one.metrics,
        joins=True,
    ),
    Claim("A5", CHOICE, "accuracy is not linear in the number of hinges", ("apl_hinges",), not_linear),
    Claim("A6a", CHOICE, "APL beats ReLU and leaky ReLU", ("apl_depth",), beats("apl", ["relu", "leaky_relu"])),
    Claim(
        "A6b",
        CHOICE,
        "APL's lead does not grow with depth",
        ("apl_depth",),
        lead_does_not_grow("apl", ["relu", "leaky_relu"]),
    ),
    Claim(
        "A8",
        CHOICE,
        "no activation is best whatever the optimizer, the data and the network",
        ("cnn", "resnet50"),
        no_single_best,
        _of(*_A1),
        joins=True,
    ),
    Claim(
        "B1",
        GELU,
        "GELU beats ReLU and ELU in the deep network on MNIST, by the training log loss in the end",
        ("mlp",),
        beats("gelu", RIVALS, "train_loss"),
        _on_mnist_with_adam,
    ),
    Claim(
        "B2",
        GELU,
        "GELU is the most robust to noise on the inputs, in accuracy and log loss",
        ("mlp",),
        robust("gelu", RIVALS),
        _without_dropout,
    ),
    Claim("B3", GELU, "GELU beats ReLU and ELU in the autoencoder", ("autoencoder",), beats("gelu", RIVALS)),
    Claim("B4", GELU, "GELU beats ReLU and ELU at tagging parts of speech", ("pos",), beats("gelu", RIVALS)),
    Claim("B5", GELU, "GELU beats ReLU and ELU at phones", ("timit",), beats("gelu", RIVALS)),
    Claim(
        "B6",
        GELU,
        "GELU beats ReLU and ELU in the nine-layer CNN, trained on all of the training part",
        ("gelu_cnn",),
        beats("gelu", RIVALS),
        lambda one: not one.case.variant,
    ),
    Claim("B7", GELU, "GELU beats ReLU and ELU in the wide ResNet", ("wrn",), beats("gelu", RIVALS)),
    Claim(
        "B8",
        GELU,
        "both approximations of GELU lie below it and above ReLU and ELU",
        ("gelu_forms",),
        ordered(
            [
                *(("gelu", form) for form in ("gelu_tanh", "gelu_sigmoid")),
                *((form, rival) for form in ("gelu_tanh", "gelu_sigmoid") for rival in RIVALS),
            ]
        ),
    ),
    Claim(
        "B11",
        GELU,
        "GELU wants momentum: SGD gains by it, and more than with ReLU and ELU",
        ("momentum",),
        wants_momentum("gelu", RIVALS),
    ),
    Claim(
        "Ca",
        SURVEY,
        "ELU learns faster than ReLU: training loss of the first epoch",
        ("cnn", "mlp"),
        typically(["elu"], "relu", "first_epoch_train_loss"),
        joins=True,
    ),
    Claim(
        "Cb",
        SURVEY,
        "LReLU, PReLU and RReLU beat ReLU",
        ("cnn", "mlp"),
        typically(["leaky_relu", "prelu", "rrelu"], "relu", "test_accuracy"),
        joins=True,
    ),
    Claim("D2", TACT, "no activation dominates over the three complex models", ("complex",), no_single_best),
    Claim(
        "D3a",
        TACT,
        "the learning rate matters more than the activation",
        ("rates",),
        rate_matters_more,
    ),
    Claim(
        "D3b",
        TACT,
        "rate 0.001 is best for DenseNet-121 and SE-Net 18, and 0.01 for MobileNet v2",
        ("rates",),
        best_rates({"densenet121": 0.001, "senet18": 0.001, "mobilenet_v2": 0.01}),
    ),
    Claim(
        "D4",
        TACT,
        "TAct and mTAct are best on the simple ResNet-18, with a triangular rate and a fixed one",
        ("schedules",),
        best(["tact", "mtact"], OLD),
    ),
    Claim("D5", TACT, "under corruption no activation prevails over the others", ("corruption",), no_single_best),
    Claim("D6", TACT, "some activations have more null runs than others", ("null_runs",), null_runs_differ),
    Claim(
        "E1",
        "Shazeer 2020, arXiv 2002.05202 (gated linear units)",
        "gated linear units beat GELU in a transformer of equal parameters: GEGLU, SwiGLU and ReGLU",
        ("gpt",),
        ordered([(gated, "gelu") for gated in ("geglu", "swiglu", "reglu")]),
        _of("geglu", "swiglu", "reglu", "gelu"),
    ),
    Claim(
        "E2",
        "So et al. 2021, arXiv 2109.08668 (Primer)",
        "squared ReLU beats ReLU and GELU in a decoder",
        ("gpt",),
        beats("relu_squared", ["relu", "gelu"]),
        _of("relu_squared", "relu", "gelu"),
    ),
    Claim(
        "E3",
        "github.com/openai/parameter-golf, pull request 549",
        "squared leaky ReLU beats squared ReLU in a decoder",
        ("gpt",),
        beats("leaky_relu_squared", ["relu_squared"]),
        _of("leaky_relu_squared", "relu_squared"),
    ),
    Claim(
        "E4",
        "Huang and Schlag 2024, arXiv 2411.13010 (xIELU)",
        "xIELU beats squared ReLU and SwiGLU in a decoder of equal parameters",
        ("gpt",),
        beats("xielu", ["relu_squared", "swiglu"]),
        _of("xielu", "relu_squared", "swiglu"),
    ),
    Claim(
        "E5",
        "Zhuo et al. 2024, arXiv 2411.03884 (PolyCom)",
        "PolyNorm beats ReLU, GELU and SwiGLU in a decoder",
        ("gpt",),
        beats("poly_norm", ["relu", "gelu", "swiglu"]),
        _of("poly_norm", "relu", "gelu", "swiglu"),
    ),
)

CLAIMS = {claim.id: claim for claim in _CLAIMS}
