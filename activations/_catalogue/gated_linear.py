"""Records of the activations that take more inputs than they give outputs: glu, swiglu, maxout, ...; torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from activations._arguments import Choice, Number
from activations._catalogue.self_gated import _phi
from activations._record import Accuracy, Activation


def _clamped(m: Any, a: Any, b: Any, alpha: Any, offset: Any, limit: Any) -> Any:
    b = min(b, limit)
    return (max(-limit, min(limit, a)) + offset) * b / (1 + m.exp(-alpha * b))


def _gated(
    name: str, label: str, formula: Any, arguments: Mapping[str, Number | Choice] = MappingProxyType({}), **fields: Any
) -> Activation:
    """A gated linear unit: a * gate(b), (a, b) being the halves along `dim`."""
    return Activation(
        name=name,
        label=label,
        family="gated_linear",
        formula=formula,
        function=f"activations.gated_linear:{name}",
        # torch's GLU gates by the second half, Transformer Engine and Llama's packed weights by the first.
        arguments={**arguments, "dim": Number(-1, whole=True), "gate_first": Choice(False, True)},
        in_features_multiplier=2,
        **fields,
    )


GATED_LINEAR = (
    _gated(
        "glu",
        "GLU",
        lambda m, a, b: a / (1 + m.exp(-b)),
        source="Dauphin, Fan, Auli and Grangier 2016, arXiv 1612.08083",
        accuracy=Accuracy(
            ulp=3.0,
            derivative_absolute_eps=1.0,
            reason="torch's derivative takes 1 - sigmoid(b), which cancels for b > 10",
        ),
        exceptions={
            "bfloat16_derivatives_are_exact": "torch rounds sigmoid(b), whose distance to 1 it takes, to bfloat16",
            "float16_derivatives_are_exact": "torch rounds sigmoid(b), whose distance to 1 it takes, to float16",
            "channels_last_is_kept": "torch's gradient is contiguous",
        },
    ),
    _gated(
        "swiglu",
        "SwiGLU",
        lambda m, a, b: a * b / (1 + m.exp(-b)),
        source="Shazeer 2020, arXiv 2002.05202",
        variant_of="glu",
        accuracy=Accuracy(
            ulp=3.0, derivative_ulp=8.0, reason="terms of silu's derivative cancel where it is 0, at b = -1.28"
        ),
        notes="The paper's Swish with beta = 1, as it is used.",
    ),
    _gated(
        "geglu",
        "GEGLU",
        lambda m, a, b: a * b * _phi(m, b),
        source="Shazeer 2020, arXiv 2002.05202",
        variant_of="glu",
        accuracy=Accuracy(argument_ulp=1.0, reason="rounding b / sqrt(2) and b * b / 2 moves the tail of the gate"),
        notes="With the exact GELU; some implementations take its tanh form.",
    ),
    _gated(
        "reglu",
        "ReGLU",
        lambda m, a, b: a * max(m.mpf(0), b),
        source="Shazeer 2020, arXiv 2002.05202",
        variant_of="glu",
        kinks=(0.0,),
    ),
    _gated(
        "swiglu_clamped",
        "SwiGLU (clamped)",
        lambda m, a, b, *, alpha, offset, limit: _clamped(m, a, b, alpha, offset, limit),
        {"alpha": Number(1.702), "offset": Number(1.0), "limit": Number(7.0, above=0)},
        source="gpt-oss: transformers' modeling_gpt_oss.py, vLLM's SwigluOAIAndMul",
        variant_of="swiglu",
        kinks=lambda limit, **_: (limit,),
        accuracy=Accuracy(
            ulp=3.0, derivative_ulp=8.0, argument_ulp=1.0, reason="alpha * b is rounded; as of swiglu beside b = -0.75"
        ),
        notes=(
            "The defaults are those of gpt-oss, whose weights give a and b alternating, not in halves. DeepSeek-V4 has "
            "alpha = 1, offset = 0, limit = 10; vLLM's SwigluStepAndMul clamps silu(b), not b."
        ),
    ),
    _gated(
        "drelu",
        "dReLU",
        lambda m, a, b: max(m.mpf(0), a) * max(m.mpf(0), b),
        source="Song et al. 2024 (TurboSparse), arXiv 2406.05955",
        variant_of="reglu",
        kinks=(0.0,),
    ),
    _gated(
        "fatrelu_glu",
        "FATReGLU",
        lambda m, a, b, *, threshold: a * b if b > threshold else m.mpf(0),
        {"threshold": Number(0.0, least=0)},
        source="Song et al. 2024 (ProSparse), arXiv 2402.13516, and vLLM's FatreluAndMul",
        variant_of="reglu",
        kinks=lambda threshold: (threshold,),
        notes="The threshold of 0 is vLLM's default, and makes it ReGLU; the models of the paper bring their own.",
    ),
    _gated(
        "gelu_topk_glu",
        "GEGLU (top-k)",
        None,
        {"sparsity": Number(0.95, above=0, below=1), "approximate": Choice("tanh", "none")},
        source="Gemma 3n: transformers' Gemma3nTextMLP, vLLM's GeluAndMulSparse",
        variant_of="geglu",
        notes=(
            "No function of two numbers: what the gate sees is cut off at a quantile of the normal distribution that "
            "has the mean and the deviation of its row. Gemma 3n has a sparsity of 0.95 in its first ten layers."
        ),
    ),
    _gated(
        "bilinear",
        "Bilinear",
        lambda m, a, b: a * b,
        source="Dauphin, Fan, Auli and Grangier 2016, arXiv 1612.08083; Shazeer 2020, arXiv 2002.05202",
        variant_of="glu",
        notes="The layer without a gate function: the product of two linear maps.",
    ),
    Activation(
        name="maxout",
        label="Maxout",
        family="gated_linear",
        source="Goodfellow, Warde-Farley, Mirza, Courville and Bengio 2013, arXiv 1302.4389",
        variant_of="relu",
        function="activations.gated_linear:maxout",
        arguments={"dim": Number(-1, whole=True), "num_pieces": Number(2, least=2, whole=True)},
        in_features_multiplier=2,
        notes=(
            "No function of a number: the largest of num_pieces neighbours along dim. in_features_multiplier of a "
            "module is its num_pieces. Ties share the gradient evenly, which the source leaves open."
        ),
    ),
)
