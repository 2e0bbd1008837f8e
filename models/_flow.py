"""What the content of a tensor comes from, followed through one run of a network: which bounded functions are gates.

A gate is the result of a bounded function that scales another tensor. On the way to that product it may be moved
about, resized, repeated, clipped, picked from or divided by its own sum. A list of such operations would never end, so
all pass it on but those that make something else of it: a layer with weights, a normalisation, a sum with other
content. A bounded function that reaches a softmax without a layer in between bounds the logits of an attention.

Each tensor carries its `Flow` as an attribute, which lives as long as the tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from models._functions import GATES, SOFTMAX, is_parameter, name_of
from models._use import Use

CONVOLUTIONS = frozenset(f"conv{transpose}{dims}d" for transpose in ("", "_transpose") for dims in (1, 2, 3))
_LAYERS = CONVOLUTIONS | {"linear", "bilinear", "embedding", "embedding_bag", "multi_head_attention_forward"}
_QUOTIENTS = frozenset({"div", "divide", "true_divide", "truediv", "rdiv", "rtruediv"})
_SCALINGS = _QUOTIENTS | {"mul", "multiply", "rmul", "imul", "lerp", "addcmul", "addcdiv"}
# With a mixing weight, as attention without a softmax; what they do to constants is a layer's work.
_MATRIX_PRODUCTS = frozenset({"matmul", "rmatmul", "mm", "bmm", "baddbmm"})
_SUMS = frozenset({"add", "radd", "iadd", "sub", "rsub", "isub", "subtract"})
# With a parameter of several dimensions these are no layers: position embeddings, scales of layers, class tokens.
_NO_LAYERS = _SCALINGS | _SUMS | {"cat", "concat", "stack", "where", "masked_fill", "get"}
_DRAWS = frozenset({"bernoulli", "multinomial"})


@dataclass(frozen=True)
class Flow:
    """Where the content of a tensor comes from.

    Attributes:
        varies: whether it depends on the example; parameters, masks of whole numbers and random draws do not.
        carried: the bounded uses whose result it still is.
        added: those that are a part of a sum in it.
        behind: all that it depends on.
        shifted: whether it is something plus 3, as in the hard sigmoid relu6(x + 3) / 6.
    """

    varies: bool = False
    carried: frozenset[Use] = frozenset()
    added: frozenset[Use] = frozenset()
    behind: frozenset[Use] = frozenset()
    shifted: bool = False


_CONSTANT = Flow()


def begin(example: Any) -> None:
    """Let the numbers of an example vary."""
    _set([value for value in tree_leaves(example) if getattr(value, "dtype", torch.bool) != torch.bool], Flow(True))


def is_weighted(name: str, given: Sequence[Any]) -> bool:
    """Whether a function applies weights to content: a parameter, or a matrix made of some (`x @ weight.t()`)."""
    if any(is_parameter(value, 2) for value in given):
        return name != "get"
    varies = {_flow(value).varies for value in given if isinstance(value, Tensor)}
    return name in _MATRIX_PRODUCTS and len(varies) == 2


def activate(use: Use, given: Any, result: Any) -> None:
    """Follow an activation: its result is bounded if the function is, or if what it got was."""
    flow = _union([_flow(value) for value in tree_leaves(given)])
    if use.op in SOFTMAX:
        _bound_logits(flow)
        flow = Flow(behind=flow.behind)
    bounded = use.bounded or use.op in GATES | SOFTMAX or use.op.endswith(("sigmoid", "softplus"))
    bounded |= use.op == "relu6" and flow.shifted
    own = frozenset({use} if bounded or flow.carried else ())
    _set(result, Flow(True, flow.carried | own, frozenset(), flow.behind | own))


def follow(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], result: Any, weighted: bool
) -> None:
    """Follow any other function, and note the gates among what it is given.

    Args:
        function, args, kwargs, result: the call.
        weighted: whether it is given a parameter of several dimensions.
    """
    name = name_of(function)
    moved = name == "getitem" or name.endswith("_as")  # an index or a shape is no content
    leaves = tree_leaves(args[0] if moved else (args, kwargs))
    flows = [_flow(value) for value in leaves if isinstance(value, Tensor)]
    flow = _union(flows)
    numbers = [value for value in leaves if type(value) in (int, float)]
    if name in _LAYERS or (weighted and name not in _NO_LAYERS and flow.varies):
        flow = Flow(True, behind=flow.behind)
    elif flow == _CONSTANT:
        return
    elif name.startswith("new_") or name.endswith("_like") or name in _DRAWS:
        flow = _CONSTANT
    elif name.endswith("_norm"):
        flow = Flow(flow.varies, behind=flow.behind)
    elif name == "scaled_dot_product_attention":
        _bound_logits(_flow(kwargs.get("attn_mask", args[3] if len(args) > 3 else None)))
        flow = Flow(True, behind=flow.behind)
    elif name in _SCALINGS | _MATRIX_PRODUCTS | {"einsum"}:
        flow = _product(name, flows, flow)
    elif name in _SUMS:
        flow = replace(_sum(flows, flow), shifted=3 in numbers)
    _set(args[0] if name == "setitem" else result, flow)


def _bound_logits(flow: Flow) -> None:
    for use in flow.carried | flow.added:
        use.attention = True


def _product(name: str, flows: Sequence[Flow], whole: Flow) -> Flow:
    carried = set()
    for number, flow in enumerate(flows):
        others = [other for one, other in enumerate(flows) if one != number and other.varies]
        for use in flow.carried:
            if any(use in other.behind and other.carried - {use} for other in others):
                continue  # a gate that is a function of it scales it, as in squeeze-and-excitation
            if any(use not in other.carried for other in others):
                use.gate |= use.op not in SOFTMAX and (name not in _MATRIX_PRODUCTS or "sigmoid" in use.op)
            elif name in _SCALINGS:
                carried.add(use)
    alone = sum(flow.varies for flow in flows) < 2
    return Flow(whole.varies, frozenset(carried), whole.added if alone else frozenset(), whole.behind)


def _sum(flows: Sequence[Flow], whole: Flow) -> Flow:
    """A sum of gates is one; with anything else that varies it is not."""
    if all(flow.carried for flow in flows if flow.varies):
        return whole
    return Flow(whole.varies, frozenset(), whole.added | whole.carried, whole.behind)


def _flow(value: object) -> Flow:
    flow: Flow = getattr(value, "flow", _CONSTANT)
    return flow


def _union(flows: Sequence[Flow]) -> Flow:
    if len(flows) == 1:
        return flows[0]
    carried, added, behind = (
        frozenset[Use]().union(*(getattr(flow, part) for flow in flows)) for part in ("carried", "added", "behind")
    )
    return Flow(any(flow.varies for flow in flows), carried, added, behind)


def _set(result: Any, flow: Flow) -> None:
    """Whole numbers, as the index of an expert, carry nothing."""
    for value in tree_leaves(result):
        if isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex() or value.dtype == torch.bool):
            value.flow = flow  # type: ignore[attr-defined]
