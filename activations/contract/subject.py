"""What the checks examine: modules of an entry with known parameters, and inputs that suit it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

import activations._registry as registry
import activations.contract.truth as truth
from activations._record import Activation
from activations.contract.truth import Call

DTYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
# What comes out for one example: channels, height, width. Even, for the gated; all different.
SHAPE = (4, 6, 2)


class NotApplicable(Exception):  # noqa: N818, no error but an outcome, as in pytest.skip
    """A check has nothing to say about an entry; the reason is its message."""


def is_own(entry: Activation) -> bool:
    """By a user, from a file of theirs."""
    return entry.family == "user"


def is_torchs(module: nn.Module) -> bool:
    """A module of torch itself: what it computes and refuses is not ours to decide."""
    return type(module).__module__.startswith("torch.")


def module(entry: Activation, dtype: torch.dtype = torch.float64, fused: bool = False, **sized: Any) -> nn.Module:
    """In evaluation mode, with the record's values in its trainable parameters (see `truth.formula_values`).

    Args:
        entry: registered.
        dtype: of its parameters.
        fused: see `activations.build`.
        **sized: `shape` and the like, for `activations.build`.
    """
    made = registry.build(entry.name, fused=fused, **sized)
    own = dict(made.named_parameters())
    with torch.no_grad():
        for name, value in entry.parameters.items():
            if name not in own:
                continue
            values = torch.tensor(value).bfloat16().to(own[name].dtype)
            own[name].copy_(values.reshape((*values.shape, *(1 for _ in range(own[name].ndim - values.ndim)))))
    return made.to(dtype).eval()


def call(entry: Activation, dtype: torch.dtype, fused: bool = False) -> Call:
    """What the record's formula describes: the module; or the function, where parameters are made by a network."""
    made = module(entry, dtype, fused)
    if has_its_parameters(entry, made):
        return made
    function, weights = registry.function(entry.name), weights_of(entry, dtype)
    extra = {"fused": True} if fused else {}
    return lambda x: function(x, *weights, **extra)


def has_its_parameters(entry: Activation, made: nn.Module) -> bool:
    """Whether a module has the parameters of the formula itself; some make them by a network."""
    return set(entry.parameters) <= {name for name, _ in made.named_parameters()}


def weights_of(entry: Activation, dtype: torch.dtype) -> list[Tensor]:
    """The trainable parameters that `module` has, as positional arguments of the functional form."""
    weights = [torch.tensor(value).bfloat16().to(dtype) for value in entry.parameters.values()]
    return [one for weight in weights for one in (weight.unbind() if weight.ndim else (weight,))]


def of_a_number(entry: Activation, dtype: torch.dtype) -> Call:
    """The activation as a function of one number, elementwise; of the gate alone, for a gated linear unit.

    Raises:
        NotApplicable: it is none.
    """
    if not acts_elementwise(entry):
        raise NotApplicable("not a function of a number")
    found = call(entry, dtype)
    if truth.inputs_of(entry) == 1:
        return found
    return lambda x: found(torch.cat([torch.ones_like(x), x], -1))


def acts_elementwise(entry: Activation) -> bool:
    """Whether it claims to be: it has a formula, or is a user's own."""
    return entry.formula is not None or is_own(entry)


def at_site(entry: Activation, dtype: torch.dtype = torch.float64, fused: bool = False) -> tuple[nn.Module, Tensor]:
    """A module for a site of shape `SHAPE`, and a batch of two for it."""
    made = module(entry, dtype, fused, shape=SHAPE)
    return made, batch(entry, dtype=dtype)


def batch(entry: Activation, examples: int = 2, dtype: torch.dtype = torch.float64) -> Tensor:
    """Numbers from N(0, 2^2), the same ones every time, with the channels that `SHAPE` needs."""
    channels, *others = SHAPE
    shape = (examples, channels * entry.in_features_multiplier, *others)
    x = 2 * torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return x.to(dtype)


def gradients(called: Call, x: Tensor, parameters: Sequence[Tensor] = ()) -> tuple[Tensor, ...]:
    """Output, and the gradients of its sum by x and by the parameters: zeros where there are none."""
    x = x.detach().requires_grad_()
    output = called(x)
    inputs = [x, *parameters]
    if not output.requires_grad:
        return output, *map(torch.zeros_like, inputs)
    found = torch.autograd.grad(output, inputs, torch.ones_like(output), allow_unused=True)
    known = (torch.zeros_like(one) if grad is None else grad for one, grad in zip(inputs, found, strict=True))
    return output.detach(), *known


def ensure(holds: bool, message: str) -> None:
    """AssertionError with the message unless it holds: under `python -O`, too, where assert statements vanish."""
    if not holds:
        raise AssertionError(message)


def agree(what: str, got: Tensor, expected: Tensor, ulp: float = 4.0) -> None:
    """AssertionError unless two tensors are the same but for some units in the last place."""
    eps = torch.finfo(expected.dtype).eps

    def message(found: str) -> str:
        return f"{what}: {found}"

    torch.testing.assert_close(got, expected, rtol=ulp * eps, atol=ulp * eps, equal_nan=True, msg=message)


def fused(entry: Activation) -> nn.Module:
    """The fused form, in float32.

    Raises:
        NotApplicable: there is none: what runs is what runs without asking for it.
    """
    made = module(entry, torch.float32, fused=True)
    if is_torchs(made) or not getattr(made, "fused", False):
        raise NotApplicable("no fused form: a single pass already, or not elementwise")
    return made
